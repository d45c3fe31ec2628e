package file

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

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
	return literal.Replace(dir) + numbers.ReplaceAllString(literal.Replace(stem), "*") + ending
}

// literal writes a name so that a pattern takes it as it is.
var literal = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

// dated is a file's name that tells a month or year: others are likely to follow it.
var dated = regexp.MustCompile(`20[0-9]{2}|(令和|平成|[RH])[0-9]+|[0-9]+月`)

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
	r := rows{conn: c, root: root, cfg: g.stream(), out: &out, guess: g, whole: len(looked) == len(files)}
	for _, f := range slices.Backward(looked) { // the newest one's columns are those of the item
		if err := r.read(ctx, f); err != nil {
			return out, err
		}
	}
	r.level()
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
func (c *conn) Stream(item connectors.Item, by connectors.Reading) []connectors.Option {
	files := connectors.Option{Name: "files", Value: literal.Replace(item.Name)}
	switch {
	case item.Kind == "files":
		files.Value = item.Name
	case dated.MatchString(norm.NFKC.String(path.Base(item.Name))):
		files = connectors.Option{Name: "files", Value: patternOf(item.Name), Reason: c.env.Say("those of other months too", "他の月のファイルも読む")}
	}
	options := []connectors.Option{files}
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
	if g.Sheets != nil {
		options = append(options, connectors.Option{Name: "sheets", Value: g.Sheets, Reason: c.env.Say("a sheet for each month", "月ごとのシート")})
	}
	switch {
	case len(g.Find) > 0 && g.Rows > 1:
		options = append(options, connectors.Option{Name: "header", Value: []connectors.Option{{Name: "find", Value: g.Find}, {Name: "rows", Value: g.Rows}},
			Reason: c.env.Say("the first row that holds these names, and the one below it", "この名前がある最初の行とその下の行")})
	case g.Rows > 1:
		options = append(options, connectors.Option{Name: "header", Value: []connectors.Option{{Name: "rows", Value: g.Rows}}, Reason: c.env.Say("two lines", "2行の見出し")})
	case len(g.Find) > 0:
		options = append(options, connectors.Option{Name: "header", Value: []connectors.Option{{Name: "find", Value: g.Find}}, Reason: c.env.Say("the first row that holds these names", "この名前がある最初の行")})
	case g.Row == 0 && len(g.Columns) > 0:
		options = append(options, connectors.Option{Name: "header", Value: []connectors.Option{{Name: "row", Value: 0}}, Reason: c.env.Say("there is none", "見出しがない")},
			connectors.Option{Name: "columns", Value: g.Columns})
	}
	if g.StopAt != "" {
		options = append(options, connectors.Option{Name: "stop_at", Value: []string{g.StopAt}, Reason: c.env.Say("the word below the last row", "表の終わりの語")})
	}
	if by.Yearless {
		reason := map[string]string{
			"name":  c.env.Say("the file's name tells the year of 3/1", "3/1 の年はファイル名にある"),
			"sheet": c.env.Say("the sheet's name tells the month that 3/1 is of", "3/1 の年月はシート名にある"),
			"title": c.env.Say("the title above the header tells the year of 3/1", "3/1 の年は見出しの上の表題にある"),
		}[g.Period]
		options = append(options, connectors.Option{Name: "period", Value: g.Period, Reason: reason})
	}
	return options // a file replaces what it said before, so that rows need no key
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

// rows gathers the rows of several files under the newest one's columns.
type rows struct {
	*conn
	root  *os.Root
	cfg   *Stream
	out   *connectors.Sample
	guess *guess
	whole bool
}

// ends are words that stand below the last row of a table, alone.
var ends = words([]string{"以上", "end of report", "eof"})

// end tells a row that says nothing but that the table ends.
func end(values []any) (word string, ok bool) {
	filled := filledCells(values, false)
	if len(filled) != 1 || !ends[mark(filled[0])] {
		return "", false
	}
	return squeezed(filled[0]), true
}

// grow adds the columns that a row names and none before it did.
func (r *rows) grow(names []string) {
	for _, name := range names {
		if !slices.ContainsFunc(r.out.Columns, func(c connectors.SampleColumn) bool { return c.Name == name }) {
			r.out.Columns = append(r.out.Columns, connectors.SampleColumn{Name: name, Type: "cell"})
		}
	}
}

// level gives all rows the same width.
func (r *rows) level() {
	for i, row := range r.out.Rows {
		r.out.Rows[i] = append(row, make([]any, len(r.out.Columns)-len(row))...)
	}
}

func (r *rows) read(ctx context.Context, f found) error {
	n, bad, odd := 0, 0, 0
	objects := slices.Contains([]string{".jsonl", ".ndjson"}, strings.ToLower(path.Ext(f.path))) // which leave out what they have nothing for
	ended := ""                                                                                  // the sheet whose last row was passed
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
		sheet := it.place[:strings.LastIndexAny(it.place, "!:")]
		if word, ok := end(it.values); ok && !objects {
			r.guess.StopAt, ended = word, sheet
		}
		if sheet == ended {
			return true
		}
		if r.out.Columns == nil || objects && len(r.out.Columns) < surveyWidth {
			r.grow(it.columns.Names)
		}
		row := make([]any, len(r.out.Columns))
		for i, c := range r.out.Columns {
			if at := it.columns.Index(c.Name); at >= 0 {
				row[i] = short(it.values[at])
			} else if !objects {
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
