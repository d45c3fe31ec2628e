package report

import (
	"context"
	"slices"

	"energyd/engine"
)

// kpi gives the fiscal year's key figures (C7-C9): budget attainment, selling
// cost against sales, and quality, direction and quantity of contacts (QDQ).
func kpi(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	period := d.Points.Period(d.AsOf)
	fiscal := d.Points.FiscalYear(period)
	firstPeriod := period
	for d.Points.FiscalYear(firstPeriod-1) == fiscal {
		firstPeriod--
	}
	first := d.Points.PeriodStart(firstPeriod)
	bought, err := d.bought(ctx, dir, first, nil)
	if err != nil {
		return nil, err
	}
	crews, of, err := d.crews(ctx, dir, 1)
	if err != nil {
		return nil, err
	}
	all := crew{name: Label{Ja: "全体", En: "all"}}
	sales, buyers := 0.0, 0
	err = d.scores(ctx, dir, o, func(i int, c *customer, s *engine.Score, _ []engine.Cell) {
		sales += bought[i].lately
		if bought[i].lately > 0 {
			buyers++
		}
		add := func(r *crew) {
			r.accounts++
			for _, m := range s.Earned {
				if m.Period < firstPeriod {
					continue
				}
				r.total += m.Milli
				r.contacts += int64(m.Contacts)
				if c.target {
					r.target += m.Milli
				}
			}
		}
		add(&all)
		if at := of(c.owner); at >= 0 {
			add(&crews[at])
		}
	})
	if err != nil {
		return nil, err
	}
	var year Year
	i := slices.IndexFunc(d.Settings.KPI, func(y Year) bool { return y.Year == fiscal })
	if i >= 0 {
		year = d.Settings.KPI[i]
	}
	heads := year.Heads
	if heads == 0 {
		for i := range crews {
			heads += float64(crews[i].people)
		}
	}
	t := &Table{
		Title: Label{Ja: "経営指標（KGI・KPI）", En: "Key figures"},
		Columns: []Column{{Key: "figure", Label: Label{Ja: "指標", En: "Figure"}}, {Key: "value", Label: Label{Ja: "値", En: "Value"}, Type: Figure},
			{Key: "made_of", Label: Label{Ja: "計算", En: "Made of"}}},
	}
	var rows [][]Value
	row := func(ja, en string, v Value, as Type, madeJa, madeEn string) {
		v.As = as
		rows = append(rows, []Value{{Label: Label{Ja: ja, En: en}}, v, {Label: Label{Ja: madeJa, En: madeEn}}})
	}
	row("売上", "Sales", number(sales), Money, "今年度に受注した案件の金額", "amounts of deals won in the fiscal year")
	row("予算", "Budget", optional(year.Budget, year.Budget > 0), Money, "reports.kpi の budget", "budget of reports.kpi")
	row("予算の達成率（KGI）", "Budget attained (KGI)", ratio(sales, year.Budget), Share, "売上 ÷ 予算", "sales ÷ budget")
	row("% of Sales", "% of Sales", ratio(year.SellingCost, sales), Share, "販売費 ÷ 売上（低いほどよい）", "selling cost ÷ sales; lower is better")
	row("Sales/アカウント", "Sales/account", ratio(sales, float64(buyers)), Money, "売上 ÷ 受注のあった企業数", "sales ÷ companies that ordered")
	row("Sales/Head", "Sales/Head", ratio(sales, heads), Money, "売上 ÷ 営業人数", "sales ÷ sales people")
	row("売上/総労働時間", "Sales/hour", ratio(sales, year.LabourHours), Money, "売上 ÷ 総労働時間", "sales ÷ hours worked")
	row("費用対効果（ROI）", "Return (ROI)", ratio(sales-year.SellingCost, year.SellingCost), Share, "（売上 − 販売費）÷ 販売費", "(sales − selling cost) ÷ selling cost")
	if year.SellingCost == 0 {
		rows[3][1] = Value{NA: true} // no cost is known, which is not a cost of 0
	}
	qdq := func(r *crew) {
		who := r.name
		of := func(ja, en string) (string, string) {
			return ja + "（" + who.Ja + "）", en + " (" + who.In("en") + ")"
		}
		ja, en := of("量", "Quantity")
		row(ja, en, number(float64(r.contacts)), Count, "接触回数", "contacts")
		ja, en = of("方向", "Direction")
		direction := ratio(float64(r.target), float64(r.total))
		if !dir.told[engine.Account]["target"] {
			direction = notAvailable
		}
		row(ja, en, direction, Share, "ターゲット顧客の獲得 ÷ 全体の獲得", "energy of target customers ÷ all energy")
		ja, en = of("質", "Quality")
		row(ja, en, ratio(float64(r.total)/1000, float64(r.contacts)), Figure, "獲得 ÷ 接触回数", "energy ÷ contacts")
		ja, en = of("担当企業数", "Exposure")
		row(ja, en, count(r.accounts), Count, "担当している企業の数", "companies owned")
	}
	qdq(&all)
	if len(crews) > 1 {
		for i := range crews {
			qdq(&crews[i])
		}
	}
	t.Count = len(rows)
	t.Rows = func(yield func([]Value) bool) {
		for _, r := range rows {
			if !yield(r) {
				return
			}
		}
	}
	t.Note("%d年度（%s から）。n/a は 0 で割る、または元の数字がない指標です。", "Fiscal year %d, from %s on. n/a: divided by 0, or a figure is not known.", fiscal, first)
	if i < 0 {
		t.Note("予算・販売費・労働時間は、energyd.yaml の reports に「kpi: [{year: %[1]d, budget: …, selling_cost: …, labour_hours: …}]」と書くと計算されます。",
			"Write budget, selling cost and hours under reports of energyd.yaml: kpi: [{year: %[1]d, budget: …, selling_cost: …, labour_hours: …}].", fiscal)
	}
	dir.lacksWon(t)
	dir.lacks(t, engine.Deal, "amount", "Amount", Label{Ja: "案件の金額", En: "The amounts of deals"})
	dir.lacks(t, engine.Account, "target", "Target__c", Label{Ja: "ターゲット顧客の印", En: "The mark of target customers"})
	dir.scope(t, o, d.Scoped)
	return t, dir.money(t, d.Settings.Currency)
}
