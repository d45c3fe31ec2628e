package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"energyd/connectors"
	"energyd/internal/fault"
)

var _ connectors.Surveyor = (*conn)(nil)

const (
	surveyFiles  = 5       // files of one pattern that are looked at
	surveyRows   = 50_000  // rows read of each, at most
	surveyBytes  = 1 << 18 // bytes by which an encoding is guessed
	surveyHead   = 25      // rows among which a header is looked for
	surveyWidth  = 80      // columns of a file whose header is not known yet
	surveyText   = 400     // characters kept of a text
	surveyFolder = "**/*"  // what is listed
)

var endings = []string{".csv", ".txt", ".tsv", ".tab", ".xlsx", ".xlsm", ".jsonl", ".ndjson"}

// numbers are the parts of a name that differ from month to month.
var numbers = regexp.MustCompile(`[0-9０-９]+([-_.年月日]?[0-9０-９]+)*[年月日度分]*`)

// patternOf is the pattern that a file's name and those of other months fit.
func patternOf(name string) string {
	dir, base := path.Split(name)
	ending := path.Ext(base)
	stem := strings.TrimSuffix(base, ending)
	escape := strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")
	return escape.Replace(dir) + numbers.ReplaceAllString(escape.Replace(stem), "*") + ending
}

// groups are the files of the folder by their pattern, the oldest first.
func (c *conn) groups(ctx context.Context) (map[string][]found, error) {
	root, err := c.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	l, err := list(ctx, root, surveyFolder)
	if err != nil {
		return nil, c.fault(err)
	}
	groups := map[string][]found{}
	for _, f := range l.files {
		if slices.Contains(endings, strings.ToLower(path.Ext(f.path))) {
			p := patternOf(f.path)
			groups[p] = append(groups[p], f)
		}
	}
	return groups, nil
}

// Items lists the files; those that differ by a date or number in their names are one item.
func (c *conn) Items(ctx context.Context) ([]connectors.Item, error) {
	groups, err := c.groups(ctx)
	if err != nil {
		return nil, err
	}
	items := []connectors.Item{}
	for pattern, files := range groups {
		newest := files[len(files)-1]
		item := connectors.Item{Name: pattern, Kind: "files", Label: c.env.Say("%d files, the newest %s", "%d件、最新は %s", len(files), newest.path), Rows: -1, Changed: time.UnixMicro(newest.mtime).UTC()}
		if len(files) == 1 {
			item.Name, item.Kind, item.Label = newest.path, "file", ""
		}
		items = append(items, item)
	}
	slices.SortFunc(items, func(a, b connectors.Item) int { return strings.Compare(a.Name, b.Name) })
	return items, nil
}

// guess is how a file is to be read, as far as it shows.
type guess struct {
	Encoding  string   // "" = none is needed
	Separator string   // "" = the usual one
	Row       int      // of the header, from 1; 0 = there is none
	Find      []string // names by which the header is found, where it is not in the first row
	Columns   []string // names where there is no header
}

func (g *guess) stream() *Stream {
	s := Connector.NewStream().(*Stream)
	if g.Encoding != "" {
		s.Encoding = g.Encoding
	}
	s.Separator = g.Separator
	s.Header.Row, s.Header.Find, s.Columns = g.Row, g.Find, g.Columns
	if len(g.Find) > 0 {
		s.Header.Row = 1
	}
	return s
}

// Sample reads some files of the item, the newest among them, and thins their
// rows. It is the only place that guesses an encoding and a header: the guess is offered, never used in a pull.
func (c *conn) Sample(ctx context.Context, item connectors.Item, most int) (connectors.Sample, error) {
	out := connectors.Sample{Item: item}
	groups, err := c.groups(ctx)
	if err != nil {
		return out, err
	}
	files := groups[item.Name]
	for _, all := range groups { // the name of a single file
		if i := slices.IndexFunc(all, func(f found) bool { return f.path == item.Name }); i >= 0 {
			files = all[i : i+1]
		}
	}
	if len(files) == 0 {
		return out, fault.New(fault.Config, c.env.Name, "there is no file "+item.Name, "", nil)
	}
	root, err := c.root()
	if err != nil {
		return out, err
	}
	defer root.Close()
	g, notes, err := c.guess(ctx, root, files[len(files)-1])
	if err != nil {
		return out, c.fault(err)
	}
	out.Notes = notes
	c.remember(item.Name, g)
	looked := files
	if len(files) > surveyFiles {
		looked = nil
		for i := range surveyFiles {
			looked = append(looked, files[(i+1)*len(files)/surveyFiles-1])
		}
	}
	r := rows{conn: c, root: root, cfg: g.stream(), out: &out, whole: len(looked) == len(files)}
	for _, f := range looked {
		if err := r.read(ctx, f); err != nil {
			return out, err
		}
	}
	if out.Whole = r.whole && len(out.Rows) <= most; out.Whole {
		out.Item.Rows = int64(len(out.Rows))
	} else if r.whole {
		out.Item.Rows = int64(len(out.Rows))
	} else if len(files) > 0 {
		out.Item.Rows, out.Item.Estimated = int64(len(out.Rows)*len(files)/max(len(looked), 1)), true
	}
	if !out.Whole {
		out.Rows = thinned(out.Rows, most)
		out.How = c.env.Say("%d rows spread over %d of %d files", "%[3]d件中%[2]d件のファイルに散らした%[1]d行", len(out.Rows), len(looked), len(files))
	}
	return out, nil
}

// remember keeps what was guessed of an item, for Stream.
func (c *conn) remember(name string, g *guess) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.guesses == nil {
		c.guesses = map[string]*guess{}
	}
	c.guesses[name] = g
}

// Stream gives the files' source, with what was guessed when they were sampled.
func (c *conn) Stream(item connectors.Item, _ connectors.Reading) []connectors.Option {
	options := []connectors.Option{{Name: "files", Value: item.Name}}
	c.mu.Lock()
	g := c.guesses[item.Name]
	c.mu.Unlock()
	if g == nil {
		return options
	}
	if g.Encoding != "" && g.Encoding != "utf-8" {
		options = append(options, connectors.Option{Name: "encoding", Value: g.Encoding, Reason: c.env.Say("guessed from the newest file", "最新のファイルからの推定")})
	}
	if g.Separator != "" {
		options = append(options, connectors.Option{Name: "separator", Value: g.Separator})
	}
	switch {
	case len(g.Find) > 0:
		options = append(options, connectors.Option{Name: "header", Value: []connectors.Option{{Name: "find", Value: g.Find}}, Reason: c.env.Say("the first row that holds these names", "この名前がある最初の行")})
	case g.Row == 0 && len(g.Columns) > 0:
		options = append(options, connectors.Option{Name: "header", Value: []connectors.Option{{Name: "row", Value: 0}}, Reason: c.env.Say("there is none", "見出しがない")},
			connectors.Option{Name: "columns", Value: g.Columns})
	}
	return options // a file replaces what it said before, so that rows need no key
}

// guess looks at the beginning of a file.
func (c *conn) guess(ctx context.Context, root *os.Root, f found) (g *guess, notes []string, err error) {
	g = &guess{Row: 1}
	switch strings.ToLower(path.Ext(f.path)) {
	case ".jsonl", ".ndjson":
		return g, nil, nil
	case ".xlsx", ".xlsm":
	default:
		h, err := root.Open(f.real)
		if err != nil {
			return nil, nil, err
		}
		start := make([]byte, surveyBytes)
		n, err := io.ReadFull(h, start)
		h.Close()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		g.Encoding = encodingOf(start[:n], int64(n) < f.size)
		if g.Encoding != "utf-8" {
			notes = append(notes, c.env.Say("the encoding looks like %s: check a name with rare characters before you rely on it", "文字コードは%sらしい。珍しい字のある名前で確かめること", g.Encoding))
		}
		if strings.ToLower(path.Ext(f.path)) != ".tsv" {
			g.Separator = separatorOf(start[:n])
		}
	}
	head, err := c.firstRows(ctx, root, f, g)
	if err != nil {
		return nil, nil, err
	}
	g.header(head)
	switch {
	case len(g.Find) > 0:
		notes = append(notes, c.env.Say("the header is in row %d, below others; it is found by its names", "見出しは%d行目にあり、名前で見つける", g.Row))
	case g.Row == 0:
		notes = append(notes, c.env.Say("there is no header; the columns have numbers for names", "見出しがなく、列名は番号とした"))
	}
	return g, notes, nil
}

// firstRows reads rows as if there were no header.
func (c *conn) firstRows(ctx context.Context, root *os.Root, f found, g *guess) ([]item, error) {
	raw := guess{Encoding: g.Encoding, Separator: g.Separator}
	for i := range surveyWidth {
		raw.Columns = append(raw.Columns, "column_"+strconv.Itoa(i+1))
	}
	cfg := raw.stream()
	cfg.Totals, cfg.FillMerged = nil, false
	var head []item
	err := c.walkRows(ctx, root, f, cfg, func(it item) bool {
		it.values = slices.Clone(it.values)
		if it.code == "" && it.skip == "" {
			head = append(head, it)
		}
		return len(head) < surveyHead
	})
	return head, err
}

// walkRows gives each row of a file to do, until that says enough.
func (c *conn) walkRows(ctx context.Context, root *os.Root, f found, cfg *Stream, do func(item) bool) error {
	h, err := root.Open(f.real)
	if err != nil {
		return err
	}
	s := newSource(c, cfg)
	r, err := s.openFormat(ctx, h, f, position{})
	if err != nil {
		h.Close()
		return err
	}
	defer r.Close()
	for {
		it, err := r.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !do(it) {
			return nil
		}
	}
}

// header finds the row of the columns' names: the first of short words that is
// about as wide as the rows below it, and unlike them.
func (g *guess) header(head []item) {
	width := 0 // of the rows below
	for _, it := range head[len(head)/2:] {
		width = max(width, len(filledCells(it.values, false)))
	}
	for i, it := range head {
		if i == len(head)-1 && i > 0 {
			break
		}
		names := filledCells(it.values, true)
		filled := filledCells(it.values, false)
		if len(names) < 2 || len(names)*10 < len(filled)*9 || len(names)*10 < width*7 {
			continue
		}
		g.Row = it.row
		if it.row > 1 {
			g.Find = names[:min(3, len(names))]
		}
		return
	}
	g.Row = 0
	last := 0
	for _, it := range head {
		for i, v := range it.values {
			if v != nil && v != "" {
				last = max(last, i+1)
			}
		}
	}
	for i := range last {
		g.Columns = append(g.Columns, "column_"+strconv.Itoa(i+1))
	}
}

// filledCells are the filled cells of a row; names alone are those that could be names of columns, each once.
func filledCells(values []any, names bool) []string {
	var out []string
	for _, v := range values {
		text, isText := v.(string)
		if !isText {
			if v != nil && !names {
				out = append(out, fmt.Sprint(v))
			}
			continue
		}
		text = strings.Join(strings.Fields(text), " ")
		if text == "" {
			continue
		}
		if names {
			letters := strings.ContainsFunc(text, unicode.IsLetter)
			digits := strings.ContainsFunc(norm.NFKC.String(text), unicode.IsDigit)
			if !letters || utf8.RuneCountInString(text) > 30 || digits && strings.ContainsAny(norm.NFKC.String(text), "/:年@") || strings.ContainsAny(text, "。、@") || slices.Contains(out, text) {
				continue
			}
		}
		out = append(out, text)
	}
	return out
}

// rows gathers the rows of several files under the newest one's columns.
type rows struct {
	*conn
	root  *os.Root
	cfg   *Stream
	out   *connectors.Sample
	whole bool
}

func (r *rows) read(ctx context.Context, f found) error {
	n, bad, odd := 0, 0, 0
	err := r.walkRows(ctx, r.root, f, r.cfg, func(it item) bool {
		if n++; n > surveyRows {
			r.whole = false
			return false
		}
		switch {
		case it.code != "":
			bad++
			return true
		case it.skip != "":
			return true
		}
		if r.out.Columns == nil {
			for _, name := range it.columns.Names {
				r.out.Columns = append(r.out.Columns, connectors.SampleColumn{Name: name, Type: "cell"})
			}
		}
		row := make([]any, len(r.out.Columns))
		for i, c := range r.out.Columns {
			if at := it.columns.Index(c.Name); at >= 0 {
				row[i] = short(it.values[at])
			} else {
				odd++
			}
		}
		r.out.Rows = append(r.out.Rows, row)
		return true
	})
	var unusable *fileError
	if errors.As(err, &unusable) {
		r.out.Notes = append(r.out.Notes, unusable.Error())
		return nil
	}
	if err != nil {
		return r.fault(err)
	}
	if bad > 0 {
		r.out.Notes = append(r.out.Notes, r.env.Say("%s: %d rows cannot be read", "%s: %d行が読めない", f.path, bad))
	}
	if odd > 0 {
		r.out.Notes = append(r.out.Notes, r.env.Say("%s: its columns are not those of the other files", "%s: 列が他のファイルと違う", f.path))
	}
	return nil
}

func short(v any) any {
	if text, ok := v.(string); ok && len(text) > surveyText {
		if r := []rune(text); len(r) > surveyText {
			return string(r[:surveyText])
		}
	}
	return v
}

// thinned keeps about n of rows, evenly.
func thinned(rows [][]any, n int) [][]any {
	if len(rows) <= n {
		return rows
	}
	kept := make([][]any, n)
	for i := range kept {
		kept[i] = rows[i*len(rows)/n]
	}
	return kept
}

// separatorOf finds the separator of a text file's first lines; "" = the comma. All encodings but UTF-16 show it as it is.
func separatorOf(start []byte) string {
	best, most := "", 0
	for _, sep := range []struct {
		char byte
		name string
	}{{',', ""}, {'\t', "tab"}, {';', ";"}, {'|', "|"}} {
		lines := 0
		for line := range bytes.Lines(start[:min(len(start), 1<<14)]) {
			if bytes.IndexByte(line, sep.char) >= 0 {
				lines += min(bytes.Count(line, []byte{sep.char}), 3)
			}
		}
		if lines > most {
			best, most = sep.name, lines
		}
	}
	return best
}

// encodingOf guesses the encoding of a Japanese or English text. cut says that the bytes may end inside a character.
func encodingOf(b []byte, cut bool) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return "utf-8"
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "utf-16"
	case bytes.Contains(b, []byte("\x1b$")) && ascii(b):
		return "iso-2022-jp"
	}
	for n := 0; cut && n < 4 && len(b) > 0 && !utf8.Valid(b); n++ {
		if utf8.Valid(b[:len(b)-1-n]) {
			b = b[:len(b)-1-n]
		}
	}
	if utf8.Valid(b) {
		return "utf-8"
	}
	best, most := "cp932", -1<<30
	for _, name := range []string{"cp932", "euc-jp"} {
		text, _ := encodings[name].NewDecoder().Bytes(b) // what cannot be decoded comes as U+FFFD
		score := 0
		for _, r := range string(text) {
			switch {
			case r == utf8.RuneError:
				score -= 20
			case unicode.In(r, unicode.Hiragana), r >= 'ァ' && r <= 'ヶ':
				score += 3
			case unicode.Is(unicode.Han, r):
				score++
			case r >= '｡' && r <= 'ﾟ': // half-width kana: what EUC looks like as CP932
				score--
			}
		}
		if score > most {
			best, most = name, score
		}
	}
	return best
}
