package report

import (
	"cmp"
	"context"
	"slices"

	"energyd/engine"
)

// smallest is how many people a team needs to be shown by itself: in a smaller one, everybody could work out the other's figures.
const smallest = 3

// crew is a row of the table of sales people: a team, or one of them.
type crew struct {
	name             Label
	team             string // of one person
	people, accounts int
	sums             []int64 // by period
	total            int64   // earned
	theirs           int64   // of it by contacts that the customer started
	target           int64   // of it with target customers
	contacts         int64
	adjusted         int64 // of the earned: what changed in frozen months
}

// crews groups sales people: each by itself where appraisal is on, else by
// teams, the small ones together: no row, and no difference of rows, tells of less than three people. of finds the row of a sales person, -1 = none.
// Who neither owns a customer nor met one is no sales person, but a user of another kind.
func (d *Data) crews(ctx context.Context, dir *directory, months int) (rows []crew, of func(rep string) int, err error) {
	selling := map[string]bool{}
	for i := range dir.customers {
		selling[dir.customers[i].owner] = true
	}
	for e, err := range d.Ledger(ctx, engine.Rep) {
		if err != nil {
			return nil, nil, err
		}
		selling[e.Entity.ID] = selling[e.Entity.ID] || len(e.Cells) > 0
	}
	frozen, err := d.Frozen(ctx)
	if err != nil {
		return nil, nil, err
	}
	for id := range frozen.Sums {
		selling[id] = true
	}
	at := map[string]int{}
	size := map[string]int{}
	for id, r := range dir.reps {
		if selling[id] {
			size[r.team]++
		}
	}
	others := 0 // in teams too small to be shown
	for team, n := range size {
		if team == "" || n < smallest {
			others += n
		}
	}
	row := func(key string, name Label) int {
		i, ok := at[key]
		if !ok {
			i = len(rows)
			at[key] = i
			rows = append(rows, crew{name: name, sums: make([]int64, months)})
		}
		return i
	}
	ids := make([]string, 0, len(dir.reps))
	for id := range dir.reps {
		if selling[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	places := map[string]int{}
	for _, id := range ids {
		r := dir.reps[id]
		var i int
		switch {
		case d.Settings.Appraisal:
			i = row("rep "+id, Label{Ja: r.name})
			rows[i].team = r.team
		case others > 0 && others < smallest: // what the other rows leave over would tell of few people
			i = row("all", Label{Ja: "全チーム", En: "all teams"})
		case r.team == "" || size[r.team] < smallest:
			i = row("others", Label{Ja: "その他", En: "others"})
		default:
			i = row("team "+r.team, Label{Ja: r.team})
		}
		rows[i].people++
		places[id] = i
	}
	return rows, func(rep string) int {
		if i, ok := places[rep]; ok {
			return i
		}
		return -1
	}, nil
}

// reps is the table of sales people (A13): energy that their contacts earned.
// Single people are shown only where appraisal is switched on.
func reps(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	p := d.periods(o.Months)
	rows, of, err := d.crews(ctx, dir, p.n)
	if err != nil {
		return nil, err
	}
	for i := range dir.customers {
		if at := of(dir.customers[i].owner); at >= 0 {
			rows[at].accounts++
		}
	}
	frozen, err := d.Frozen(ctx)
	if err != nil {
		return nil, err
	}
	open := frozen.Closed + 1 // carries what changed in frozen months
	adjusts := frozen.Any && open <= d.Points.Period(d.AsOf)
	add := func(rep string, now []engine.PeriodSum) {
		at := of(rep)
		if at < 0 {
			return
		}
		r, reported := &rows[at], frozen.Sums[rep]
		switch {
		case adjusts:
			if open >= p.first {
				r.adjusted += engine.Adjustment(reported, now, frozen.Closed).Milli
			}
			now = engine.Reported(reported, now, frozen.Closed)
		case frozen.Any:
			now = reported // a day in a frozen month
		}
		for _, m := range now {
			if m.Period < p.first || m.Period >= p.first+engine.Period(p.n) {
				continue
			}
			r.sums[m.Period-p.first] += m.Milli
			r.total += m.Milli
			r.contacts += int64(m.Contacts)
			r.theirs += m.ByDirection[engine.Inbound]
		}
	}
	for e, err := range d.Ledger(ctx, engine.Rep) {
		if err != nil {
			return nil, err
		}
		add(e.Entity.ID, d.Points.Evaluate(engine.Rep, e.Cells, d.AsOf).Earned)
		delete(frozen.Sums, e.Entity.ID)
	}
	for rep := range frozen.Sums { // of whom nothing is left
		add(rep, nil)
	}
	if d.Settings.Appraisal {
		slices.SortFunc(rows, func(a, b crew) int { // by name: the table is no ranking of people
			return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.name.Ja, b.name.Ja))
		})
	}
	columns := []Column{{Key: "team", Label: Label{Ja: "チーム", En: "Team"}}, {Key: "people", Label: Label{Ja: "人数", En: "People"}, Type: Count, Adds: true}}
	if d.Settings.Appraisal {
		columns = []Column{{Key: "rep", Label: Label{Ja: "営業担当", En: "Sales person"}}, {Key: "team", Label: Label{Ja: "チーム", En: "Team"}}}
	}
	columns = append(slices.Concat(columns, p.columns()), totalColumn)
	if adjusts {
		columns = append(columns, Column{Key: "adjustment", Label: Label{Ja: "うち調整", En: "Of it adjustment"}, Type: Points, Adds: true})
	}
	t := &Table{
		Title: Label{Ja: "営業チーム別 獲得エネルギー", En: "Energy earned by sales team"},
		Columns: append(columns,
			Column{Key: "customer_started", Label: Label{Ja: "うちお客様から", En: "Customer-started"}, Type: Points, Adds: true},
			Column{Key: "contacts", Label: Label{Ja: "接触回数", En: "Contacts"}, Type: Count, Adds: true},
			Column{Key: "accounts", Label: Label{Ja: "担当企業数", En: "Accounts owned"}, Type: Count, Adds: true},
			Column{Key: "per_account", Label: Label{Ja: "1社あたり", En: "Per account"}, Type: Points}),
	}
	t.of(len(rows), func(i int, cells []Value) []Value {
		r, size := &rows[i], count(rows[i].people)
		if d.Settings.Appraisal {
			size = told(r.team)
		}
		cells = append(cells, Value{Label: r.name}, size)
		for _, m := range r.sums {
			cells = append(cells, milli(m))
		}
		cells = append(cells, milli(r.total))
		if adjusts {
			cells = append(cells, milli(r.adjusted))
		}
		return append(cells, milli(r.theirs), number(float64(r.contacts)), count(r.accounts), ratio(float64(r.total)/1000, float64(r.accounts)))
	})
	if frozen.Any {
		t.Note("%[1]s までの月は確定済みです。確定後に変わった分は、%[2]s の「調整」として数えます。ほかの表は、変わった後の数字です。",
			"Months up to %[1]s are frozen. What changed in them since is an adjustment of %[2]s. Other tables show them as they are now.", frozen.Closed, open)
	}
	if d.Settings.Appraisal {
		t.Title = Label{Ja: "営業担当別 獲得エネルギー", En: "Energy earned by sales person"}
		t.Note("注意: この表は記録された接触の量で、仕事の評価そのものではありません。評価に使う場合は、本人への説明と異議の機会が必要です。",
			"Mind: these are contacts that were recorded, not work that was done. Whoever is judged by them has to be told, and to have a chance to object.")
	} else {
		t.Note("個人別の表は、energyd.yaml の reports に appraisal: true と書いたときだけ表示します。%d人未満のチームはまとめて表示します。",
			"Single people are shown only with appraisal: true under reports of energyd.yaml. Teams of less than %d are shown together.", smallest)
		dir.lacks(t, engine.Rep, "team", "Department", Label{Ja: "営業担当のチーム", En: "The teams of sales people"})
	}
	return t, nil
}
