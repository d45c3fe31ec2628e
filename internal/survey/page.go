package survey

import (
	"bytes"
	"cmp"
	_ "embed" // for the page
	"fmt"
	"html/template"
	"strings"
	"time"

	"energyd/connectors"
)

// Page is a survey as one page that stands by itself: no scripts, nothing from outside.
type Page struct {
	Connection, Type string
	On               time.Time
	Items            []*Item
	Others           []connectors.Item // not looked at
	Language         string
	Mapping          string // path of the mapping file as energyd.yaml names it
}

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"list": strings.Join}).Parse(pageText))

// HTML renders the page.
func (p Page) HTML() []byte {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		panic(err) // the template is ours, and reads nothing that could fail
	}
	return b.Bytes()
}

// T is a text in the page's language.
func (p Page) T(en, ja string) string { return text(p.Language).of(en, ja) }

// Date is the day of a time; "" for none.
func (p Page) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return day(t)
}

// Percent is a share for people.
func (p Page) Percent(f float64) string { return text(p.Language).percent(f) }

// Width is a share as the width of a bar.
func (p Page) Width(f float64) int { return int(100*f + 0.5) }

// Level is a confidence as a colour's name.
func (p Page) Level(f float64) string {
	switch {
	case f >= 0.8:
		return "high"
	case f >= 0.6:
		return "mid"
	}
	return "low"
}

// Rows is an item's number of rows.
func (p Page) Rows(i connectors.Item) string {
	switch {
	case i.Rows < 0:
		return "?"
	case i.Estimated:
		return p.T("about ", "約") + thousands(i.Rows)
	}
	return thousands(i.Rows)
}

// Seen says how much of an item was looked at.
func (p Page) Seen(i *Item) string {
	if i.Whole {
		return fmt.Sprintf(p.T("all %s rows looked at", "全%s行を調査"), thousands(int64(i.Looked)))
	}
	return fmt.Sprintf(p.T("a sample of %s rows: %s", "標本%s行: %s"), thousands(int64(i.Looked)), i.How)
}

// Read says whether all rows of the items were read.
func (p Page) Read() string {
	whole, some := true, false
	for _, i := range p.Items {
		if i.Err == "" && i.Kind != "folder" {
			whole, some = whole && i.Whole, some || i.Whole
		}
	}
	switch {
	case whole:
		return p.T("All rows were read.", "全行を読んだ。")
	case some:
		return p.T("Of some items only a sample was read.", "一部は標本だけを読んだ。")
	}
	return p.T("Only a sample was read.", "標本だけを読んだ。")
}

// Role is a role's name.
func (p Page) Role(r Role) string { return r.Label(p.Language) }

// Holds is a purpose's name.
func (p Page) Holds(i *Item) string { return i.Purpose.Label(p.Language) }

// Source is the source's block for energyd.yaml.
func (p Page) Source(i *Item) string { return i.Proposal.Source(p.Mapping) }

// Open counts the words of kinds that nobody knows.
func (p Page) Open(i *Item) (n int) {
	for _, w := range i.Proposal.Words {
		if w.Kind == "" {
			n++
		}
	}
	return n
}

// Kind is an item's kind for people.
func (p Page) Kind(i *Item) string { return KindLabel(i.Kind, p.Language) }

// KindLabel is the word for an item's kind: table, object, folder …
func KindLabel(kind, language string) string {
	ja := map[string]string{"table": "テーブル", "view": "ビュー", "object": "オブジェクト", "folder": "フォルダー", "file": "ファイル", "files": "ファイル群"}[kind]
	return text(language).of(kind, cmp.Or(ja, kind))
}

// Detail tells that an item's columns are worth showing: those of mails are always the same.
func (p Page) Detail(i *Item) bool { return i.Err == "" && i.Kind != "folder" }

// Label is a purpose's name for people.
func (p Purpose) Label(language string) string {
	t := text(language)
	switch p {
	case Contacts:
		return t.of("contacts with customers", "顧客との接触")
	case Master:
		return t.of("master data", "マスタ")
	}
	return t.of("other", "その他")
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
