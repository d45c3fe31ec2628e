package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"energyd/internal/fault"
	"energyd/internal/report"
)

// filter is one thing that rows are chosen by.
type filter struct {
	Name    string   `json:"name"` // in the address
	Label   string   `json:"label"`
	Options []option `json:"options"`
}

// option is one value of a filter.
type option struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Rows  int    `json:"rows"` // that have it
	Here  bool   `json:"chosen,omitempty"`
}

// choice is the rows that a reader sees.
type choice struct {
	rows   []int32   // of the report, in the reader's order
	sums   []float64 // by column; nil for a report of which none adds
	all    int       // rows from which the filters chose
	facets facets    // of these
}

// facets are what rows can be chosen by, with how many have it.
type facets struct {
	owners                 map[string]*named
	segments               map[string]int
	bands                  map[int]int
	important, low, halved int
}

type named struct {
	name string
	rows int
}

// The orders.
const (
	ascending  = "asc"
	descending = "desc"
)

// asked is what a reader wants to see.
type asked struct {
	owner, segment         string
	band                   int // -1 = any
	important, low, halved bool
}

func (a asked) nothing() bool { return a == asked{band: -1} }

// has tells whether a row is among those that are asked for.
func (a asked) has(s report.Subject) bool {
	return (a.owner == "" || s.Owner == a.owner) && (a.segment == "" || s.Segment == a.segment) && (a.band < 0 || s.Band == a.band) &&
		(!a.important || s.Important) && (!a.low || s.Low) && (!a.halved || s.Halved)
}

// asked reads the address.
func (v *visit) asked() (asked, error) {
	a := asked{owner: v.query.Get("owner"), segment: v.query.Get("segment"), band: -1}
	if name := v.query.Get("band"); name != "" {
		points := v.p.Points()
		for i := range points.Bands() {
			if points.Band(i).Name == name {
				a.band = i
			}
		}
		if a.band < 0 {
			return a, fault.New(fault.Rejected, "", "there is no band "+strconv.Quote(name), "", nil)
		}
	}
	for _, mark := range v.query["only"] {
		switch mark {
		case "important":
			a.important = true
		case "low":
			a.low = true
		case "halved":
			a.halved = true
		default:
			return a, fault.New(fault.Rejected, "", "rows cannot be chosen by "+strconv.Quote(mark), "important, low and halved can be asked for", nil)
		}
	}
	return a, nil
}

// choose chooses rows of a report, in this order; nil = its own.
func choose(t *report.Table, order []int32, want func(report.Subject) bool) *choice {
	c := &choice{facets: facets{owners: map[string]*named{}, segments: map[string]int{}, bands: map[int]int{}}}
	for i := range t.Count {
		row := int32(i) // a table has fewer than a sheet of Excel
		if order != nil {
			row = order[i]
		}
		if t.About != nil {
			s := t.About(int(row))
			if !want(s) {
				continue
			}
			c.facets.add(s)
		}
		c.rows = append(c.rows, row)
	}
	c.all = len(c.rows)
	c.add(t)
	return c
}

// add sums up the columns of the rows that were chosen.
func (c *choice) add(t *report.Table) {
	if !slices.ContainsFunc(t.Columns, func(c report.Column) bool { return c.Adds }) {
		return
	}
	c.sums = make([]float64, len(t.Columns))
	var cells []report.Value
	for _, i := range c.rows {
		cells = t.Row(int(i), cells[:0])
		for k := range cells {
			if t.Columns[k].Adds && !cells[k].None && !cells[k].NA {
				c.sums[k] += cells[k].Number
			}
		}
	}
}

func (f *facets) add(s report.Subject) {
	if f.owners[s.Owner] == nil {
		f.owners[s.Owner] = &named{name: s.OwnerName}
	}
	f.owners[s.Owner].rows++
	f.segments[s.Segment]++
	f.bands[s.Band]++
	for _, mark := range []struct {
		is bool
		n  *int
	}{{s.Important, &f.important}, {s.Low, &f.low}, {s.Halved, &f.halved}} {
		if mark.is {
			*mark.n++
		}
	}
}

// choose gives the rows that the reader may see, asks for, and in which order.
func (v *visit) choose(made madeTable) (*choice, error) {
	if made.About == nil && v.reader.OwnOnly {
		return nil, errNotAllowed // it is about everybody
	}
	a, err := v.asked()
	if err != nil {
		return nil, err
	}
	order, err := v.order(made)
	if err != nil {
		return nil, err
	}
	from := made.all
	if v.reader.OwnOnly {
		from = choose(made.Table, order, func(s report.Subject) bool { return v.reader.MaySee(s.Owner) })
	}
	some := *from
	switch {
	case made.About != nil && !a.nothing():
		some = *choose(made.Table, order, func(s report.Subject) bool { return v.reader.MaySee(s.Owner) && a.has(s) })
		some.all, some.facets = from.all, from.facets
	case order != nil && !v.reader.OwnOnly:
		some.rows = order
	}
	return &some, nil
}

// order is the order that the reader asks for; nil = the report's own.
func (v *visit) order(made madeTable) ([]int32, error) {
	key := v.query.Get("sort")
	if key == "" {
		return nil, nil
	}
	at := slices.IndexFunc(made.Columns, func(c report.Column) bool { return c.Key == key })
	if at < 0 {
		return nil, fault.New(fault.Rejected, "", "there is no column "+strconv.Quote(key), "", nil)
	}
	return made.orders.of(made.Table, ordering{at, v.query.Get("order") == descending, v.language}), nil
}

// ordering is one way to sort a table.
type ordering struct {
	column   int
	down     bool
	language string
}

// orders keeps what was sorted once, as long as the table is kept: there are few columns.
type orders struct {
	mu    sync.Mutex
	known map[ordering][]int32
	bytes atomic.Int64 // of known
}

// of sorts, or has done so. Who asks for another order meanwhile waits.
func (o *orders) of(t *report.Table, by ordering) []int32 {
	if t.Columns[by.column].Type != report.Text {
		by.language = "" // numbers have the same order in all
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if rows, ok := o.known[by]; ok {
		return rows
	}
	if o.known == nil {
		o.known = map[ordering][]int32{}
	}
	o.known[by] = sorted(t, by)
	o.bytes.Add(int64(4 * t.Count))
	return o.known[by]
}

// sorted puts the rows into the order of a column. Rows without a value come last in both directions; equal ones stay as they were.
func sorted(t *report.Table, by ordering) []int32 {
	type keyed struct {
		row    int32
		none   bool
		number float64
		text   string
	}
	keys := make([]keyed, t.Count)
	var cells []report.Value
	kind := t.Columns[by.column].Type
	for i := range keys {
		cells = t.Row(i, cells[:0])
		c := cells[by.column]
		keys[i] = keyed{row: int32(i), none: c.None || c.NA}
		if kind == report.Text {
			keys[i].text = c.String(kind, by.language)
		} else {
			keys[i].number = c.Number
		}
	}
	slices.SortStableFunc(keys, func(a, b keyed) int {
		if a.none != b.none {
			if a.none {
				return 1
			}
			return -1
		}
		order := cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text))
		if by.down {
			return -order
		}
		return order
	})
	out := make([]int32, len(keys))
	for i, k := range keys {
		out[i] = k.row
	}
	return out
}

// filters says what the reader may choose by, and has chosen.
func (v *visit) filters(t *table) {
	a, _ := v.asked() // it was read before
	f := &t.choice.facets
	t.Chosen = !a.nothing()
	t.Back = v.with("owner", "", "segment", "", "band", "", "only", "")
	if t.Sort = v.query.Get("sort"); t.Sort != "" {
		if t.Order = v.query.Get("order"); t.Order != descending {
			t.Order = ascending
		}
	}
	for _, name := range []string{"sort", "order", "months"} {
		if value := v.query.Get(name); value != "" {
			t.Hidden = append(t.Hidden, option{Value: value, Label: name})
		}
	}
	byName := func(o, p option) int { return cmp.Compare(o.Label, p.Label) }
	var owners, segments, bands []option
	for id, n := range f.owners {
		if id != "" {
			owners = append(owners, option{id, n.name, n.rows, a.owner == id})
		}
	}
	for name, n := range f.segments {
		if name != "" {
			segments = append(segments, option{name, name, n, a.segment == name})
		}
	}
	slices.SortFunc(owners, byName)
	slices.SortFunc(segments, byName)
	points := v.p.Points()
	for i := range points.Bands() {
		if b := points.Band(i); f.bands[i] > 0 {
			bands = append(bands, option{b.Name, cmp.Or(b.Label.In(v.language), b.Name), f.bands[i], a.band == i})
		}
	}
	for _, one := range []filter{{"owner", v.t("営業担当", "Owner"), owners}, {"segment", v.t("区分", "Segment"), segments}, {"band", v.t("温度帯", "Band"), bands}} {
		if len(one.Options) > 1 || slices.ContainsFunc(one.Options, func(o option) bool { return o.Here }) {
			t.Filters = append(t.Filters, one)
		}
	}
	for _, mark := range []option{
		{"important", v.t("重要顧客", "Important"), f.important, a.important},
		{"low", v.lowLabel(), f.low, a.low},
		{"halved", v.halvedLabel(), f.halved, a.halved},
	} {
		if mark.Rows > 0 || mark.Here {
			t.Marks = append(t.Marks, mark)
		}
	}
}

// lowLabel names the list of A18 by the points table's own edge.
func (v *visit) lowLabel() string {
	low := v.p.ReportData().Low
	if low == nil {
		return ""
	}
	return v.t("直近%dか月で%g点以下", "Last %d months: %g or less", low.Months, low.Points)
}

// halvedLabel names the list of A19.
func (v *visit) halvedLabel() string {
	halved := v.p.ReportData().Halved
	if halved == nil {
		return ""
	}
	return v.t("%dか月前の%g%%以下", "%[2]g%% or less of %[1]d months ago", halved.Back, math.Round(1000*halved.Share)/10)
}
