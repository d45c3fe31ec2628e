package report

import (
	"cmp"
	"context"
	"slices"

	"energyd/engine"
)

// periods are the columns of a table by months: the open one last.
type periods struct {
	first engine.Period
	n     int
}

func (d *Data) periods(months int) periods {
	return periods{d.Points.Period(d.AsOf) - engine.Period(months-1), months}
}

// in gives those of an entity's periods that are columns.
func (p periods) in(s *engine.Score) []engine.PeriodSum {
	i, _ := slices.BinarySearchFunc(s.Earned, p.first, func(s engine.PeriodSum, m engine.Period) int { return int(s.Period - m) })
	return s.Earned[i:]
}

func (p periods) columns() []Column {
	columns := make([]Column, p.n)
	for i := range columns {
		name := (p.first + engine.Period(i)).String()
		columns[i] = Column{Key: name, Label: Label{Ja: name, En: name}, Type: Points, Adds: true}
	}
	return columns
}

// byMonth is a row of figures for each period.
type byMonth struct {
	customer int
	sums     []int64
	total    int64
}

// month is table 1 of the method: customer × month, the deeper the orange the
// better (A12, A21). Pale cells call for action, so customers without energy are in it too.
func month(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	p := d.periods(o.Months)
	rows := make([]byMonth, 0, len(dir.customers))
	all := make([]int64, p.n*len(dir.customers)) // one allocation for all rows
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, _ []engine.Cell) {
		r := byMonth{customer: i, sums: all[:p.n:p.n]}
		all = all[p.n:]
		for _, m := range p.in(s) {
			r.sums[m.Period-p.first] = m.Milli
			r.total += m.Milli
		}
		rows = append(rows, r)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b byMonth) int {
		return cmp.Or(cmp.Compare(b.total, a.total), dir.compare(a.customer, b.customer))
	})
	t := &Table{
		Title:   Label{Ja: "顧客別月別 獲得エネルギー", En: "Energy earned by customer and month"},
		Columns: slices.Concat([]Column{customerColumn, ownerColumn}, p.columns(), []Column{totalColumn}),
		Legend:  legend(d.Points),
		About:   dir.about(func(i int) int { return rows[i].customer }),
	}
	t.of(len(rows), func(i int, cells []Value) []Value {
		r := &rows[i]
		c := &dir.customers[r.customer]
		cells = append(cells, text(c.name), text(dir.owner(c)))
		for _, m := range r.sums {
			v := milli(m)
			v.Heat = heat(d.Points, m)
			cells = append(cells, v)
		}
		return append(cells, milli(r.total))
	})
	t.Note("獲得エネルギーは減衰しません（温度とは別の数字です）。最後の月は %s までです。", "Energy earned does not cool (temperature does). The last month is up to %s.", d.AsOf)
	dir.scope(t, o, d.Scoped)
	return t, nil
}

var (
	customerColumn = Column{Key: "account", Label: Label{Ja: "顧客企業", En: "Customer"}}
	ownerColumn    = Column{Key: "owner", Label: Label{Ja: "営業担当", En: "Owner"}}
	totalColumn    = Column{Key: "total", Label: Label{Ja: "合計", En: "Total"}, Type: Points, Adds: true}
)

// compare orders customers of equal figures: by name, then by id.
func (dir *directory) compare(a, b int) int {
	x, y := &dir.customers[a], &dir.customers[b]
	return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.id, y.id))
}

// scope notes which customers are in the table.
func (dir *directory) scope(t *Table, o Options, scoped bool) {
	switch {
	case !o.Important:
	case scoped:
		t.Note("重要顧客だけの一覧です（顧客企業の印、または配点表の alarms.important）。", "Important customers only: those that the CRM marks, and those of alarms.important of the points table.")
	case !dir.lacks(t, engine.Account, "important", "Important__c", Label{Ja: "重要顧客の印", En: "The mark of important customers"}):
		t.Note("重要顧客だけの一覧です。", "Important customers only.")
	}
}
