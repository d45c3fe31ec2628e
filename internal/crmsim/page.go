package crmsim

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

var pages = template.Must(template.New("").ParseFS(templateFiles, "templates/*.html"))

const (
	pageRows       = 50 // accounts on one list page
	listCustom     = 5  // custom fields in the list
	recentContacts = 12 // activities on an account page
)

// view is what all pages know: the reader's language and where the links go.
type view struct {
	Lang  string // "ja" or "en"
	Title string
	query url.Values
}

// T gives a text of the pages in the reader's language; the key is the English text.
func (v view) T(english string) string {
	if v.Lang == "ja" && japanese[english] != "" {
		return japanese[english]
	}
	return english
}

// Here is this page with one parameter of its query changed.
func (v view) Here(name, value string) string {
	q := url.Values{}
	for k, values := range v.query {
		q[k] = values
	}
	q.Set(name, value)
	return "?" + q.Encode()
}

// Keep is the query that links carry on: the language, when it was chosen.
func (v view) Keep() string {
	if lang := v.query.Get("lang"); lang != "" {
		return "?lang=" + url.QueryEscape(lang)
	}
	return ""
}

// cell is one value as people read it. Kind is a class name: "number", "flag", "long", "text".
type cell struct{ Label, Text, Kind, Link string }

func language(r *http.Request) string {
	switch lang := r.URL.Query().Get("lang"); lang {
	case "ja", "en":
		return lang
	}
	// The first of the two in Accept-Language; weights are in order in practice.
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		for _, lang := range []string{"ja", "en"} {
			if strings.HasPrefix(strings.TrimSpace(lower(part)), lang) {
				return lang
			}
		}
	}
	return "en"
}

// servePage shows the org as a sales person sees it: with all fields, whatever the integration user may.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Vary", "Accept-Language")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	v := view{Lang: language(r), query: r.URL.Query()}
	id, isAccount := strings.CutPrefix(r.URL.Path, "/accounts/")
	switch {
	case r.URL.Path == "/":
		http.Redirect(w, r, "/accounts"+v.Keep(), http.StatusFound)
	case r.URL.Path == "/assets/crm.css":
		http.ServeFileFS(w, r, templateFiles, "templates/crm.css")
	case r.URL.Path == "/accounts":
		s.show(w, "list.html", http.StatusOK, s.listView(v))
	case isAccount:
		if page, ok := s.accountView(v, id); ok {
			s.show(w, "account.html", http.StatusOK, page)
			return
		}
		fallthrough
	default:
		v.Title = v.T("Page not found")
		s.show(w, "missing.html", http.StatusNotFound, v)
	}
}

func (s *Server) show(w http.ResponseWriter, name string, status int, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader who has gone needs no page
}

// listPage is the list of accounts.
type listPage struct {
	view
	Search     string
	Columns    []heading
	Rows       []listRow
	From, To   int
	Total      int
	Prev, Next string // links, "" at the ends
}

type heading struct {
	Label, Link string
	Kind        string
	Sorted      string // "", "up" or "down"
}

type listRow struct {
	ID, Name string
	Cells    []cell
}

func (s *Server) listView(v view) listPage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v.Title = v.T("Accounts")
	o := s.objects["account"]
	page := listPage{view: v, Search: strings.TrimSpace(v.query.Get("q"))}
	var rows []*record
	for _, r := range o.rows {
		if !r.deleted() && strings.Contains(lower(r.text("Name")+" "+r.text("AccountNumber")), lower(page.Search)) {
			rows = append(rows, r)
		}
	}

	columns := s.listColumns(o)
	by, down := strings.CutPrefix(v.query.Get("sort"), "-")
	key, f := o.field(by)
	if f == nil {
		key, f = o.field("Name")
	}
	order := orderKey{get: getter{field: f}, desc: down, nullsLast: true}
	slices.SortStableFunc(rows, func(a, b *record) int { return order.order(a.value(key), b.value(key)) })
	for _, column := range columns {
		h := heading{Label: v.T(o.fields[column].Label), Kind: s.cell(v, o.fields[column], nil).Kind}
		name := o.fields[column].Name
		h.Link = v.Here("sort", "-"+name)
		if column == key {
			h.Sorted = map[bool]string{false: "up", true: "down"}[down]
			if down {
				h.Link = v.Here("sort", name)
			}
		}
		page.Columns = append(page.Columns, h)
	}

	number, _ := strconv.Atoi(v.query.Get("page")) // nonsense is the first page
	page.Total = len(rows)
	from := min(max(0, number-1)*pageRows, len(rows))
	to := min(from+pageRows, len(rows))
	page.From, page.To = min(from+1, to), to
	if from > 0 {
		page.Prev = v.Here("page", strconv.Itoa(number-1))
	}
	if to < len(rows) {
		page.Next = v.Here("page", strconv.Itoa(max(1, number)+1))
	}
	for _, r := range rows[from:to] {
		row := listRow{ID: r.id(), Name: r.text("Name")}
		for _, column := range columns[1:] {
			row.Cells = append(row.Cells, s.cell(v, o.fields[column], r.value(column)))
		}
		page.Rows = append(page.Rows, row)
	}
	return page
}

// listColumns are the columns of the list: the name, the first custom fields that fit, and who and what it is.
func (s *Server) listColumns(o *object) []int {
	var columns, custom []int
	for i, f := range o.fields {
		if f.custom() && !f.longText() && f.Length <= 255 && len(custom) < listCustom {
			custom = append(custom, i)
		}
	}
	for _, name := range []string{"Name", "AccountNumber", "OwnerId"} {
		i, _ := o.field(name)
		columns = append(columns, i)
	}
	return append(columns, custom...)
}

// accountPage is one account.
type accountPage struct {
	view
	Kind       string
	Custom     []cell // short values
	Notes      []cell // long custom texts
	Details    []cell
	Contacts   []map[string]cell
	Deals      []map[string]cell
	Activities []activity
}

type activity struct {
	Icon, Day, Subject, Who, Rep string
	at                           int64
}

func (s *Server) accountView(v view, id string) (accountPage, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, _ = normalID(id)
	r := s.find(id)
	if r == nil || r.deleted() || r.obj.name != "Account" {
		return accountPage{}, false
	}
	v.Title = r.text("Name")
	page := accountPage{view: v, Kind: r.text("Type")}
	for i, f := range r.obj.fields {
		c := s.cell(v, f, r.value(i))
		switch {
		case f.custom() && c.Kind == "long":
			page.Notes = append(page.Notes, c)
		case f.custom():
			page.Custom = append(page.Custom, c)
		case i > colStamp && f.Name != "Name" && (r.value(i) != nil || !f.ReadOnly && f.Type != Reference):
			page.Details = append(page.Details, c)
		}
	}
	for _, name := range []string{"CreatedDate", "LastModifiedDate", "LastModifiedById"} {
		i, f := r.obj.field(name)
		page.Details = append(page.Details, s.cell(v, f, r.value(i)))
	}
	page.Contacts = s.related(v, "contact", id, []string{"Name", "Title", "Department", "Email"}, func(*record) bool { return true })
	page.Deals = s.related(v, "opportunity", id, []string{"Name", "StageName", "Amount", "CloseDate"}, func(deal *record) bool {
		i, _ := deal.obj.field("IsClosed")
		return deal.value(i) != true
	})
	page.Activities = s.activities(v, id)
	return page, true
}

// related gives the live rows of an object that belong to an account.
func (s *Server) related(v view, object, account string, fields []string, wanted func(*record) bool) (rows []map[string]cell) {
	o := s.objects[object]
	for _, r := range o.rows {
		if r.deleted() || r.text("AccountId") != account || !wanted(r) {
			continue
		}
		row := map[string]cell{}
		for _, name := range fields {
			i, f := o.field(name)
			row[name] = s.cell(v, f, r.value(i))
		}
		rows = append(rows, row)
	}
	return rows
}

// activities gives the newest tasks and events of an account.
func (s *Server) activities(v view, account string) (list []activity) {
	for _, object := range []string{"task", "event"} {
		for _, r := range s.objects[object].rows {
			if r.deleted() || r.text("AccountId") != account || r.latest("IsChild") == true || r.latest("IsRecurrence") == true {
				continue // a meeting is one however many were invited, and the template of a series is none
			}
			a := activity{Icon: "event", Subject: r.text("Subject"), Who: s.nameOf(r.text("WhoId")), Rep: s.nameOf(r.text("OwnerId"))}
			if object == "task" {
				a.Icon = lower(r.text("TaskSubtype"))
			}
			if day, err := time.Parse(time.DateOnly, r.text("ActivityDate")); err == nil {
				a.at, a.Day = day.Unix(), v.day(day)
			}
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b activity) int { return int(b.at - a.at) })
	return list[:min(recentContacts, len(list))]
}

// nameOf is the name of any row, "" when there is none.
func (s *Server) nameOf(id string) string {
	if r := s.find(id); r != nil {
		return r.text("Name")
	}
	return ""
}

// tokyo is the pages' zone: a fixed one, since a simulation needs no zone database.
var tokyo = time.FixedZone("JST", 9*60*60)

func (v view) day(t time.Time) string {
	if v.Lang == "ja" {
		return t.Format("2006年1月2日")
	}
	return t.Format("2 Jan 2006")
}

// cell makes a stored value readable.
func (s *Server) cell(v view, f *Field, value any) cell {
	c := cell{Label: v.T(f.Label), Kind: "text"}
	switch f.Type {
	case LongTextArea:
		c.Kind = "long"
	case Integer, Number, Currency, Percent:
		c.Kind = "number"
	case Checkbox:
		c.Kind = "flag"
	case Date, DateTime:
		c.Kind = "day"
	}
	switch value := value.(type) {
	case float64:
		switch text := strconv.FormatFloat(value, 'f', f.Scale, 64); f.Type { // the scale's digits, so that columns line up
		case Currency:
			c.Text = "¥" + grouped(strconv.FormatFloat(value, 'f', -1, 64)) // whole yen, whatever the scale
		case Percent:
			c.Text = grouped(text) + "%"
		default:
			c.Text = grouped(text)
		}
	case bool:
		if value {
			c.Text = "✓"
		}
	case int64:
		at := time.Unix(value, 0).In(tokyo)
		c.Text = v.day(at) + " " + at.Format("15:04")
	case string:
		c.Text = value
		switch f.Type {
		case Reference:
			c.Label, c.Text = v.T(spaced(f.Relationship)), s.nameOf(value)
		case Date:
			if day, err := time.Parse(time.DateOnly, value); err == nil {
				c.Text = v.day(day)
			}
		case Picklist:
			c.Text = v.T(value)
		case Email:
			c.Link = "mailto:" + value
		}
	}
	return c
}

// grouped puts commas between thousands.
func grouped(number string) string {
	whole, fraction, dotted := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dotted {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}
