package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"energyd/engine"
)

// breadth is how widely a customer is met.
type breadth struct {
	customer    int
	byClass     [engine.NumClasses]int64
	total       int64
	spread      engine.Spread
	now, before int32 // people met in the last days that count, and in as many before
}

// rank is table 2 of the method: customer × rank class. It shows whether only
// people who are easy to visit are met (A15, A22).
func rank(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	p := d.periods(o.Months)
	rows := make([]breadth, 0, len(dir.customers))
	row := make([]int32, len(dir.customers)) // of a customer; 0 = none, else one more than the index
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, _ []engine.Cell) {
		b := breadth{customer: i}
		for _, m := range p.in(s) {
			b.total += m.Milli
			for c, n := range m.ByClass {
				b.byClass[c] += n
			}
		}
		rows = append(rows, b)
		row[i] = int32(len(rows)) // as many as customers
	})
	if err != nil {
		return nil, err
	}
	days := engine.Date(d.Settings.Coverage.Days)
	err = d.contacts(ctx, dir, func(i int, cells []engine.Cell) {
		if row[i] == 0 {
			return
		}
		b := &rows[row[i]-1]
		s := d.Points.Evaluate(engine.Contact, cells, d.AsOf)
		var earned int64
		for _, m := range p.in(&s) {
			earned += m.Milli
		}
		b.spread.Add(earned)
		met := func(after, upTo engine.Date) int32 {
			if slices.ContainsFunc(cells, func(c engine.Cell) bool { return c.Date > after && c.Date <= upTo && c.Milli > 0 }) {
				return 1
			}
			return 0
		}
		b.now += met(d.AsOf-days, d.AsOf)
		b.before += met(d.AsOf-2*days, d.AsOf-days)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b breadth) int {
		return cmp.Or(cmp.Compare(b.total, a.total), dir.compare(a.customer, b.customer))
	})
	return d.rankTable(dir, o, rows), nil
}

func (d *Data) rankTable(dir *directory, o Options, rows []breadth) *Table {
	limits := d.Settings.Coverage
	classes := []engine.Class{engine.ClassStaff, engine.ClassManager, engine.ClassExecutive, engine.ClassUnknown}
	columns := []Column{customerColumn, ownerColumn}
	for _, c := range classes {
		label := d.Points.ClassLabel(c)
		if label == (Label{}) {
			label = Label{Ja: c.String(), En: c.String()}
		}
		columns = append(columns, Column{Key: c.String(), Label: label, Type: Points, Adds: true})
	}
	columns = append(columns, totalColumn,
		Column{Key: "coverage", Label: Label{Ja: "階級カバー率", En: "Classes met"}, Type: Share},
		Column{Key: "contacts", Label: Label{Ja: "接触した人数", En: "People"}, Type: Count},
		Column{Key: "concentration", Label: Label{Ja: "集中度", En: "Concentration"}, Type: Figure},
		Column{Key: "met", Label: Label{Ja: fmt.Sprintf("直近%d日の人数", limits.Days), En: fmt.Sprintf("Met, last %d days", limits.Days)}, Type: Count},
		Column{Key: "met_before", Label: Label{Ja: fmt.Sprintf("その前の%d日", limits.Days), En: fmt.Sprintf("%d days before", limits.Days)}, Type: Count},
		Column{Key: "single_thread", Label: Label{Ja: "一人依存", En: "One thread"}})
	t := &Table{
		Title:   Label{Ja: "顧客別階級別 獲得エネルギー", En: "Energy earned by customer and rank class"},
		Columns: columns, Legend: legend(d.Points),
		About: dir.about(func(i int) int { return rows[i].customer }),
	}
	t.of(len(rows), func(i int, cells []Value) []Value {
		b := &rows[i]
		c := &dir.customers[b.customer]
		cells = append(cells, text(c.name), text(dir.owner(c)))
		for _, class := range classes {
			v := milli(b.byClass[class])
			v.Heat = heat(d.Points, 3*b.byClass[class]/int64(max(3, o.Months)))
			cells = append(cells, v)
		}
		met := b.spread.Coverage(b.byClass, int64(1000*limits.ClassPoints))
		concentration := number(met.HHI)
		if met.Active == 0 {
			concentration = none
		}
		return append(cells, milli(b.total), number(met.Classes), count(met.Active), concentration, count(b.now), count(b.before), warning(met.SingleThread(limits.Concentration)))
	})
	t.Note("%d か月の合計。色は3か月あたりの深さです。", "Sums of %d months; colours go by what that makes in three.", o.Months)
	t.Note("階級カバー率: %g ポイント以上の階級の割合（窓口担当・管理者・経営陣）。集中度: 担当者ごとの割合の2乗和（1 = 一人だけ）。%g を超えるか、一人だけなら「一人依存」。",
		"Classes met: share of the three classes with %g points or more. Concentration: sum of the squared shares of people (1 = one person); above %g, or with one person, the relation hangs on one thread.",
		limits.ClassPoints, limits.Concentration)
	t.Note("担当者のエネルギーは、接触した時の企業に数えます。", "People's energy is counted with the company that they were met for.")
	dir.scope(t, o, d.Scoped)
	return t
}

// contacts walks through what people earned, each for the customers that they
// were met for: who has changed the company since is in both.
func (d *Data) contacts(ctx context.Context, dir *directory, do func(customer int, cells []engine.Cell)) error {
	var acts []engine.Activity // of one account
	earned := map[string][]engine.Cell{}
	end := func() {
		if len(acts) == 0 {
			return
		}
		i, ok := dir.at[acts[0].Account]
		if ok {
			clear(earned)
			d.Points.Contributions(acts, func(_ int, c engine.Contribution) {
				if c.Entity.Kind == engine.Contact {
					earned[c.Entity.ID] = append(earned[c.Entity.ID], c.Cell)
				}
			})
			for _, person := range slices.Sorted(maps.Keys(earned)) {
				do(i, engine.SortCells(earned[person]))
			}
		}
		acts = acts[:0]
	}
	for a, err := range d.Activities(ctx) {
		if err != nil {
			return err
		}
		if len(acts) > 0 && acts[0].Account != a.Account {
			end()
		}
		acts = append(acts, a)
	}
	end()
	return nil
}
