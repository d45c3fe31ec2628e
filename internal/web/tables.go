package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/report"
)

// table is a page that shows a report: some of its rows, in the reader's order.
type table struct {
	Report  string        `json:"report"` // as energyd report names it
	Caption string        `json:"title"`
	AsOf    string        `json:"as_of"`
	Columns []tableColumn `json:"columns"`
	Rows    []tableRow    `json:"rows"`             // of this page
	Totals  []any         `json:"totals,omitempty"` // by column, over all rows that were chosen; null where a sum says nothing
	Count   int           `json:"count"`            // rows that were chosen
	All     int           `json:"all"`              // rows that the reader may choose from
	Page    int           `json:"page"`             // from 1 on
	Pages   int           `json:"pages"`
	Months  int           `json:"months,omitempty"` // of reports of several
	Sort    string        `json:"sort,omitempty"`   // key of the column; "" = the report's own order
	Order   string        `json:"order,omitempty"`  // asc or desc
	Filters []filter      `json:"filters,omitempty"`
	Marks   []option      `json:"marks,omitempty"` // what rows are marked with; those chosen have all of them
	Notes   []string      `json:"notes,omitempty"`
	Legend  []step        `json:"legend,omitempty"`

	Sums    []shownCell    `json:"-"`
	Hidden  []option       `json:"-"` // what the form of filters keeps
	Spans   []link         `json:"-"` // other numbers of months
	Chosen  bool           `json:"-"` // something is filtered
	Back    string         `json:"-"` // without filters
	Earlier string         `json:"-"` // page; "" = none
	Later   string         `json:"-"`
	choice  *choice        // for the download
	whole   *report.Table  // the same
	columns map[string]int // index by key
}

// tableColumn is a column as shown.
type tableColumn struct {
	Key     string `json:"key"`
	Label   string `json:"label"`
	Type    string `json:"type"`
	Numeric bool   `json:"-"`
	Order   string `json:"-"` // as aria-sort has it
	Link    string `json:"-"` // sorts by it
}

// tableRow is a row as shown.
type tableRow struct {
	Account string      `json:"account_id,omitempty"`
	Deal    string      `json:"deal_id,omitempty"`
	Cells   []any       `json:"cells"` // by column: number, text, null for none or "n/a"
	Shown   []shownCell `json:"-"`
}

// shownCell is a cell on the page.
type shownCell struct {
	Text, Class, Link string
	Warn              bool
}

// step is a step of a table's colours.
type step struct {
	Label string `json:"label"`
	Class string `json:"-"`
}

// link leads somewhere.
type link struct {
	Label, To string
	Here      bool
}

// rowsShown is how many rows a page has. More are slow to lay out, and to walk through by keyboard.
const rowsShown = 50

// spans are the numbers of months that may be chosen.
var spans = []int{3, 6, 12, 24}

const usualMonths = 12

// timeless are the reports that look at the same time whatever months are chosen.
var timeless = []string{"attention", "deals", "crosssell"}

// madeTable is a report with what its first page needs of all rows, and the orders that readers asked for so far.
type madeTable struct {
	*report.Table
	all    *choice // every row
	orders *orders
}

// viewTable makes the view of a report.
func viewTable(name string) func(context.Context, *visit) (*table, error) {
	return func(ctx context.Context, v *visit) (*table, error) { return v.table(ctx, name) }
}

// table shows a report as the reader's address has it.
func (v *visit) table(ctx context.Context, name string) (*table, error) {
	months, err := v.months(name)
	if err != nil {
		return nil, err
	}
	made, err := v.made(ctx, name, months)
	if err != nil {
		return nil, err
	}
	return v.shown(made, months)
}

// made is a report of all customers.
func (v *visit) made(ctx context.Context, name string, months int) (madeTable, error) {
	return hold(ctx, v, "report "+name+" "+strconv.Itoa(months), func(ctx context.Context, p *pipeline.Pipeline) (madeTable, error) {
		t, err := report.Make(ctx, p.ReportData(), name, report.Options{Months: months})
		if err != nil {
			return madeTable{}, err
		}
		return madeTable{t, choose(t, nil, func(report.Subject) bool { return true }), &orders{}}, nil
	})
}

// Size is that of the report and of its orders.
func (m madeTable) Size() int { return m.Table.Size() + int(m.orders.bytes.Load()) }

// months is how many of them the reader wants.
func (v *visit) months(name string) (int, error) {
	asked := v.query.Get("months")
	if asked == "" || slices.Contains(timeless, name) {
		return usualMonths, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || !slices.Contains(spans, n) {
		return 0, fault.New(fault.Rejected, "", "there is no table of "+strconv.Quote(asked)+" months", "3, 6, 12 and 24 can be had", nil)
	}
	return n, nil
}

// shown makes a page of a report's rows.
func (v *visit) shown(made madeTable, months int) (*table, error) {
	t := &table{Report: made.Name, Caption: made.Title.In(v.language), AsOf: made.AsOf.String(), whole: made.Table, columns: map[string]int{}}
	for i, c := range made.Columns {
		t.columns[c.Key] = i
	}
	for _, n := range made.Notes {
		t.Notes = append(t.Notes, n.In(v.language))
	}
	for i, l := range made.Legend {
		t.Legend = append(t.Legend, step{l.In(v.language), heatClass(uint8(i), len(made.Legend))}) // some steps
	}
	var err error
	if t.choice, err = v.choose(made); err != nil {
		return nil, err
	}
	v.filters(t)
	t.Count, t.All = len(t.choice.rows), t.choice.all
	t.Pages = max(1, (t.Count+rowsShown-1)/rowsShown)
	if t.Page, err = v.page(t.Pages); err != nil {
		return nil, err
	}
	v.heads(t)
	for at := (t.Page - 1) * rowsShown; at < min(t.Count, t.Page*rowsShown); at++ {
		t.Rows = append(t.Rows, v.row(t, int(t.choice.rows[at])))
	}
	v.totals(t)
	if !slices.Contains(timeless, made.Name) {
		t.Months = months
		for _, n := range spans {
			t.Spans = append(t.Spans, link{v.t("%dか月", "%d months", n), v.with("months", strconv.Itoa(n)), n == months})
		}
	}
	if t.Page > 1 {
		t.Earlier = v.with("page", strconv.Itoa(t.Page-1))
	}
	if t.Page < t.Pages {
		t.Later = v.with("page", strconv.Itoa(t.Page+1))
	}
	return t, nil
}

// page is the page that is asked for, of so many.
func (v *visit) page(of int) (int, error) {
	asked := v.query.Get("page")
	if asked == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Rejected, "", "there is no page "+strconv.Quote(asked), "", nil)
	}
	return min(n, of), nil // a filter may leave fewer pages than there were
}

// heads are the columns, each with the address that sorts by it.
func (v *visit) heads(t *table) {
	for _, c := range t.whole.Columns {
		head := tableColumn{Key: c.Key, Label: c.Label.In(v.language), Type: c.Type.String(), Numeric: c.Type != report.Text}
		if c.Unit != "" {
			head.Label += " (" + c.Unit + ")"
		}
		next := ascending
		if head.Numeric {
			next = descending
		}
		if c.Key == t.Sort {
			head.Order = map[string]string{ascending: "ascending", descending: "descending"}[t.Order]
			next = map[string]string{ascending: descending, descending: ascending}[t.Order]
		}
		head.Link = v.with("sort", c.Key, "order", next)
		t.Columns = append(t.Columns, head)
	}
}

// row is one row as shown.
func (v *visit) row(t *table, at int) tableRow {
	cells := t.whole.Row(at, nil)
	r := tableRow{Cells: make([]any, len(cells)), Shown: make([]shownCell, len(cells))}
	if t.whole.About != nil {
		about := t.whole.About(at)
		r.Account, r.Deal = about.Account, about.Deal
	}
	for i, c := range cells {
		column := t.whole.Columns[i]
		r.Cells[i] = c.JSON(column.Type, v.language)
		s := shownCell{Text: c.String(column.Type, v.language), Class: cellClass(c, column.Type, len(t.whole.Legend)), Warn: c.Warn && column.Type != report.Text}
		if r.Account != "" {
			s.Link = linkOf(t.Report, column, r.Account, c)
			if column.Key == "account" {
				s.Class = "customer"
			}
		}
		r.Shown[i] = s
	}
	return r
}

// linkOf is where a cell leads: a customer to its page, a month's energy to the contacts that it is made of.
func linkOf(name string, c report.Column, account string, cell report.Value) string {
	customer := "/customers/" + url.PathEscape(account)
	switch {
	case c.Key == "account":
		return customer
	case name == "month" && c.Key != "total" && c.Type == report.Points && cell.Number > 0:
		return customer + "/months/" + c.Key
	}
	return ""
}

// totals adds up what may be added.
func (v *visit) totals(t *table) {
	if t.Count < 2 || t.choice.sums == nil {
		return
	}
	for i, c := range t.whole.Columns {
		var sum any
		shown := shownCell{}
		if c.Adds {
			value := report.Value{Number: t.choice.sums[i]}
			sum, shown = value.JSON(c.Type, v.language), shownCell{Text: value.String(c.Type, v.language), Class: cellClass(value, c.Type, 0)}
		}
		t.Totals, t.Sums = append(t.Totals, sum), append(t.Sums, shown)
	}
}

// download gives all chosen rows, in the order of the page.
func (t *table) download(context.Context, *visit) (*report.Table, error) {
	if t.whole.Row == nil { // nothing is in it
		return t.whole, nil
	}
	return t.whole.Pick(t.choice.rows), nil
}

// cellClass names how a cell looks.
func cellClass(v report.Value, t report.Type, steps int) string {
	class := ""
	if t != report.Text {
		class = "n"
	}
	switch {
	case v.Heat > 0:
		class += " " + heatClass(v.Heat, steps)
	case v.None || t == report.Points && v.Number == 0:
		class = strings.TrimPrefix(class+" zero", " ")
	}
	if v.Warn {
		class += " warn"
	}
	return class
}

// heatClass spreads a table's steps of colour, which are few, over those of the style sheet.
func heatClass(step uint8, steps int) string {
	if step == 0 || steps < 2 {
		return "heat-0"
	}
	if steps == 2 {
		return "heat-5"
	}
	return "heat-" + strconv.Itoa(1+(int(step)-1)*8/(steps-2))
}

// with is the address of this page with some other query values, which come in pairs; it is the first page unless that is told.
func (v *visit) with(pairs ...string) string {
	q := url.Values{}
	for key, values := range v.query {
		if key != "page" && key != "format" {
			q[key] = values
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return "?" + q.Encode()
}
