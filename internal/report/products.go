package report

import (
	"cmp"
	"context"

	"slices"

	"energyd/engine"
)

// pick is a product for a customer to be offered.
type pick struct {
	customer    int
	temperature float64
	owns, lacks string
	lift        float64
	both, ownX  int
}

// crosssell lists hot customers with what those who bought the same also bought (B10, case 72).
func crosssell(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	owned := map[int][]string{} // by customer
	_, err = d.bought(ctx, dir, d.AsOf, func(i int, r *dealRow) {
		for _, p := range r.products {
			if !slices.Contains(owned[i], p) {
				owned[i] = append(owned[i], p)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	fewest := d.Settings.CrossSell.Owners // who own both, before a lift is more than an anecdote
	type pair struct{ x, y string }
	owners, both := map[string]int{}, map[pair]int{}
	buyers := 0
	for _, products := range owned {
		if len(products) > 0 {
			buyers++
		}
		for _, x := range products {
			owners[x]++
			for _, y := range products {
				if x != y {
					both[pair{x, y}]++
				}
			}
		}
	}
	var rows []pick
	hottest := d.Points.Bands() - 1
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, _ []engine.Cell) {
		if s.Band < hottest {
			return
		}
		best := map[string]pick{} // by what it lacks
		for _, x := range owned[i] {
			for y := range owners {
				n := both[pair{x, y}]
				lift, ok := engine.Lift(n, owners[x], owners[y], buyers)
				if !ok || lift <= 1 || n < fewest || slices.Contains(owned[i], y) {
					continue
				}
				if b := best[y]; lift > b.lift || lift == b.lift && x < b.owns {
					best[y] = pick{i, s.Temperature, x, y, lift, n, owners[x]}
				}
			}
		}
		for _, p := range best {
			rows = append(rows, p)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b pick) int {
		return cmp.Or(cmp.Compare(b.lift, a.lift), cmp.Compare(b.temperature, a.temperature), dir.compare(a.customer, b.customer), cmp.Compare(a.lacks, b.lacks))
	})
	t := &Table{
		Title: Label{Ja: "クロスセル候補", En: "Cross-selling"},
		Columns: []Column{customerColumn, ownerColumn,
			{Key: "owns", Label: Label{Ja: "購入済み", En: "Owns"}}, {Key: "offer", Label: Label{Ja: "提案する商材", En: "Offer"}},
			{Key: "lift", Label: Label{Ja: "リフト", En: "Lift"}, Type: Figure}, {Key: "own_both", Label: Label{Ja: "両方購入", En: "Own both"}, Type: Count},
			{Key: "own_first", Label: Label{Ja: "うち購入済み商材の顧客", En: "Of owners"}, Type: Count}, temperatureColumn},
		About: dir.about(func(i int) int { return rows[i].customer }),
	}
	t.of(len(rows), func(i int, cells []Value) []Value {
		p := &rows[i]
		c := &dir.customers[p.customer]
		return append(cells, text(c.name), text(dir.owner(c)), text(p.owns), text(p.lacks), number(p.lift), count(p.both), count(p.ownX), number(p.temperature))
	})
	t.Note("温度帯「%[1]s」の顧客に、同じ商材を買った顧客（商材を買った %[3]d 社のうち）がよく買っている商材を並べます。リフト 2 = 平均の2倍買われている。両方を買った顧客が %[4]d 社以上の組だけです。",
		"For customers in band %[2]s: what those who own the same also own, of the %[3]d customers with products. Lift 2: twice as often as on average. Only pairs that %[4]d or more own.",
		d.band(hottest).Label.Ja, d.band(hottest).Label.In("en"), buyers, fewest)
	dir.lacks(t, engine.Deal, "products", "Product__c", Label{Ja: "案件の商材", En: "What deals sell"})
	dir.lacksWon(t)
	dir.scope(t, o, d.Scoped)
	return t, nil
}

// topic is what a customer showed interest in.
type topic struct {
	customer int
	name     Label
	times    int
	last     engine.Date
}

// topics lists what customers showed interest in (D9): products of their open
// deals, and cues of their contacts.
func topics(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.choose(ctx, dir, o); err != nil {
		return nil, err
	}
	type key struct {
		customer int
		name     Label
	}
	first := d.Points.PeriodStart(d.periods(o.Months).first)
	found := map[key]*topic{}
	note := func(i int, name Label, on engine.Date) {
		if o.Important && !dir.customers[i].important || on < first || on > d.AsOf {
			return
		}
		k := key{i, name}
		if found[k] == nil {
			found[k] = &topic{i, name, 0, on}
		}
		found[k].times++
		found[k].last = max(found[k].last, on)
	}
	for a, err := range d.Activities(ctx) {
		if err != nil {
			return nil, err
		}
		i, ok := dir.at[a.Account]
		if !ok || a.Deleted || a.Status != engine.Held {
			continue
		}
		on := d.Points.DateOf(&a)
		if a.Product != "" {
			note(i, Label{Ja: a.Product}, on)
		}
		for _, cue := range a.Cues {
			note(i, labelOr(d.Points.CueLabel(cue), cue), on)
		}
	}
	_, _, err = d.deals(ctx, dir, func(r *dealRow) bool {
		i, ok := dir.at[r.account]
		for _, p := range r.products {
			if ok && !r.closed {
				note(i, Label{Ja: p}, max(r.opened, first)) // an open deal is a topic however old it is
			}
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*topic, 0, len(found))
	for _, r := range found {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *topic) int {
		return cmp.Or(dir.compare(a.customer, b.customer), cmp.Compare(b.times, a.times), cmp.Compare(b.last, a.last), cmp.Compare(a.name.In("ja"), b.name.In("ja")))
	})
	t := &Table{
		Title: Label{Ja: "顧客の関心事", En: "What customers are interested in"},
		Columns: []Column{customerColumn, {Key: "topic", Label: Label{Ja: "関心事", En: "Topic"}}, {Key: "times", Label: Label{Ja: "回数", En: "Times"}, Type: Count},
			{Key: "last", Label: Label{Ja: "最後", En: "Last"}, Type: Day}},
		Count: len(rows),
		Rows: func(yield func([]Value) bool) {
			for _, r := range rows {
				if !yield([]Value{text(dir.customers[r.customer].name), {Label: r.name}, count(r.times), day(r.last)}) {
					return
				}
			}
		},
	}
	t.Note("%d か月の接触の商材と手がかり、進行中の案件の商材です。", "Products and cues of contacts, and products of open deals; %d months.", o.Months)
	dir.scope(t, o, d.Scoped)
	return t, nil
}

// labelOr is a label, or a name where there is none.
func labelOr(l Label, name string) Label {
	if l == (Label{}) {
		return Label{Ja: name}
	}
	return l
}
