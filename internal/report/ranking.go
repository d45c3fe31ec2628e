package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"energyd/engine"
)

// axis is one way of ranking customers.
type axis struct {
	key    string
	label  Label
	kind   Type
	values []float64
	ranks  []float64
}

// ranking puts rankings of customers side by side (E1-E3): energy, contacts,
// enquiries, sales and what was ever bought, with RFM by frozen edges.
func ranking(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	p := d.periods(o.Months)
	first := d.Points.PeriodStart(p.first)
	bought, err := d.bought(ctx, dir, first, nil)
	if err != nil {
		return nil, err
	}
	energy := axis{key: "energy", label: Label{Ja: "エネルギー", En: "Energy"}, kind: Points}
	contacts := axis{key: "contacts", label: Label{Ja: "接触回数", En: "Contacts"}, kind: Count}
	enquiries := axis{key: "enquiries", label: Label{Ja: "お客様からの接触", En: "Enquiries"}, kind: Count}
	sales := axis{key: "sales", label: Label{Ja: "売上", En: "Sales"}, kind: Money}
	margin := axis{key: "margin", label: Label{Ja: "粗利累計", En: "Margin, all"}, kind: Money}
	lifetime := axis{key: "lifetime", label: Label{Ja: "累計売上（LTV）", En: "Lifetime sales"}, kind: Money}
	var rows []int // indexes of customers
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, cells []engine.Cell) {
		var earned int64
		var met, asked int32
		for _, m := range p.in(s) {
			earned += m.Milli
			met += m.Contacts
		}
		for _, c := range cells {
			if c.Direction == engine.Inbound && c.Date >= first && c.Date <= d.AsOf {
				asked += c.Count
			}
		}
		rows = append(rows, i)
		energy.values = append(energy.values, float64(earned)/1000)
		contacts.values = append(contacts.values, float64(met))
		enquiries.values = append(enquiries.values, float64(asked))
		sales.values = append(sales.values, bought[i].lately)
		margin.values = append(margin.values, bought[i].margin)
		lifetime.values = append(lifetime.values, bought[i].amount)
	})
	if err != nil {
		return nil, err
	}
	axes := []*axis{&energy, &contacts, &enquiries}
	hasSales := dir.told[engine.Deal]["won"] && dir.told[engine.Deal]["amount"]
	if hasSales {
		axes = append(axes, &sales, &lifetime)
		if dir.told[engine.Deal]["margin"] {
			axes = append(axes, &margin)
		}
	}
	rankings := make([][]float64, len(axes))
	for i, a := range axes {
		a.ranks = engine.RankOf(a.values)
		rankings[i] = a.ranks
	}
	borda := engine.Borda(rankings)
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(borda[a], borda[b]), dir.compare(rows[a], rows[b])) })

	t := &Table{Title: Label{Ja: "顧客ランキング比較", En: "Customers ranked side by side"}, About: dir.about(func(i int) int { return rows[order[i]] })}
	t.Columns = []Column{customerColumn, ownerColumn}
	for _, a := range axes {
		t.Columns = append(t.Columns, Column{Key: a.key, Label: a.label, Type: a.kind, Adds: true},
			Column{Key: a.key + "_place", Label: Label{Ja: a.label.Ja + " 順位", En: a.label.En + ", place"}, Type: Place})
	}
	t.Columns = append(t.Columns, Column{Key: "borda", Label: Label{Ja: "順位の合計", En: "Sum of places"}, Type: Place})
	if hasSales {
		t.Columns = append(t.Columns, Column{Key: "surprise", Label: Label{Ja: "意外度", En: "Surprise"}, Type: Place},
			Column{Key: "r", Label: Label{Ja: "R", En: "R"}, Type: Count}, Column{Key: "f", Label: Label{Ja: "F", En: "F"}, Type: Count}, Column{Key: "m", Label: Label{Ja: "M", En: "M"}, Type: Count})
	}
	edges := d.Settings.RFM
	surprising := math.Max(2, float64(len(rows))/3)
	t.of(len(rows), func(at int, cells []Value) []Value {
		i := order[at]
		c := &dir.customers[rows[i]]
		cells = append(cells, text(c.name), text(dir.owner(c)))
		for _, a := range axes {
			cells = append(cells, number(a.values[i]), number(a.ranks[i]))
		}
		cells = append(cells, number(borda[i]))
		if hasSales {
			surprise := number(contacts.ranks[i] - sales.ranks[i])
			surprise.Warn = surprise.Number >= surprising
			r, f, m := rfm(bought[rows[i]], edges, d.AsOf)
			cells = append(cells, surprise, r, f, m)
		}
		return cells
	})
	t.Note("%d か月（累計の列は全期間）。同じ値は順位を分け合います。並びは順位の合計（ボルダ）の小さい順です。",
		"%d months, columns of all times apart. Equal values share their places. Least sum of places (Borda) first.", o.Months)
	if w, ok := engine.Concordance(rankings); ok {
		t.Note("ランキングの一致度（ケンドールのW）: %.2f（1 = 完全に一致、0 = ばらばら）。", "Agreement of the rankings (Kendall's W): %.2f; 1 = wholly, 0 = not at all.", w)
	}
	if dir.lacksWon(t) || dir.lacks(t, engine.Deal, "amount", "Amount", Label{Ja: "案件の金額", En: "The amounts of deals"}) {
		dir.scope(t, o, d.Scoped)
		return t, nil
	}
	t.Note("意外度 = 接触回数の順位 − 売上の順位。大きいほど、接触が少ないのに売上に貢献している顧客です（「!」）。",
		"Surprise = place by contacts − place by sales. The greater, the more a customer brings in who is hardly met (!).")
	if edges.Days == nil && edges.Count == nil && edges.Amount == nil {
		t.Notes = append(t.Notes, proposedEdges(bought, rows, d.AsOf))
	}
	dir.scope(t, o, d.Scoped)
	return t, dir.money(t, d.Settings.Currency)
}

// rfm grades purchases by frozen edges; without edges or purchases there is no grade.
func rfm(b purchases, edges RFM, asOf engine.Date) (r, f, m Value) {
	if b.count == 0 {
		return none, none, none
	}
	grade := func(v float64, edges []float64) Value {
		if len(edges) == 0 {
			return none
		}
		return count(engine.Grade(v, edges))
	}
	r = none
	if len(edges.Days) > 0 && b.last != engine.NoDate {
		r = count(len(edges.Days) + 2 - engine.Grade(float64(asOf-b.last), edges.Days)) // fewer days, higher grade
	}
	return r, grade(float64(b.count), edges.Count), grade(b.amount, edges.Amount)
}

// proposedEdges says which edges a review would freeze today.
func proposedEdges(bought []purchases, rows []int, asOf engine.Date) Label {
	var days, counts, amounts []float64
	for _, i := range rows {
		if b := bought[i]; b.count > 0 {
			if b.last != engine.NoDate {
				days = append(days, float64(asOf-b.last))
			}
			counts, amounts = append(counts, float64(b.count)), append(amounts, b.amount)
		}
	}
	list := func(values []float64) string {
		var texts []string
		for _, e := range engine.Edges(values, 5) {
			texts = append(texts, fmt.Sprintf("%.0f", e))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	line := fmt.Sprintf("rfm: {days: %s, count: %s, amount: %s}", list(days), list(counts), list(amounts))
	return Label{
		Ja: "R・F・M の区切りがまだ決まっていません。energyd.yaml の reports に次の行を書くと、次の見直しまで固定されます: " + line,
		En: "The edges of R, F and M are not set. With this line under reports of energyd.yaml they stay fixed until the next review: " + line,
	}
}
