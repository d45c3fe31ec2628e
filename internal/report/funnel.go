package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"

	"energyd/engine"
)

// pipeCase is a deal's way through the funnel.
type pipeCase struct {
	passage engine.Passage
	ended   engine.Date // when it was lost; NoDate = it was not
	inTime  bool        // it entered the funnel in the months shown
	cells   []engine.Cell
}

// funnel shows how far the deals got that entered in the months shown, how
// long each step took, and what it took to get there (C1-C6).
func funnel(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	t := &Table{Title: Label{Ja: "営業ファネル", En: "Sales funnel"}, Rows: func(func([]Value) bool) {}}
	steps := d.Settings.Funnel
	if len(steps) < 2 {
		t.Notes = append(t.Notes, Label{
			Ja: "ファネルの段階が決まっていません。energyd.yaml の reports.funnel に、最初の段階から受注まで書いてください（例: - {label: {ja: リスト, en: list}, stages: [Prospecting]}）。",
			En: "The steps of the funnel are not set. Write them under reports.funnel of energyd.yaml, from the list to the order, as: - {label: {ja: リスト, en: list}, stages: [Prospecting]}",
		})
		return t, nil
	}
	first := d.Points.PeriodStart(d.periods(o.Months).first)
	cases, entered, unknown, err := d.cases(ctx, dir, o, first)
	if err != nil {
		return nil, err
	}
	var passages []engine.Passage
	for i := range cases {
		if cases[i].inTime {
			passages = append(passages, cases[i].passage)
		}
	}
	reached, skipped := engine.Cohort(passages, len(steps))
	t.Columns = []Column{
		{Key: "step", Label: Label{Ja: "段階", En: "Step"}},
		{Key: "reached", Label: Label{Ja: "到達件数", En: "Reached"}, Type: Count},
		{Key: "skipped", Label: Label{Ja: "うち飛ばした件数", En: "Of these skipped"}, Type: Count},
		{Key: "conversion", Label: Label{Ja: "移行率", En: "Conversion"}, Type: Share},
		{Key: "strength", Label: Label{Ja: "指標", En: "Strength"}},
		{Key: "overall", Label: Label{Ja: "全体の移行率", En: "Of the first step"}, Type: Share},
		{Key: "median_days", Label: Label{Ja: "所要日数（中央値）", En: "Days in step, median"}, Type: Count},
		{Key: "open", Label: Label{Ja: "進行中", En: "Still in it"}, Type: Count},
		{Key: "contacts", Label: Label{Ja: "1件あたり接触回数", En: "Contacts each"}, Type: Figure},
		{Key: "points", Label: Label{Ja: "1件あたり獲得", En: "Energy each"}, Type: Points},
		{Key: "period_ratio", Label: Label{Ja: "期間比（参考）", En: "Period ratio (for reference)"}, Type: Share},
	}
	rows := make([][]Value, len(steps))
	for i, step := range steps {
		conversion, overall, period := none, none, none
		if i > 0 {
			conversion, overall = ratio(float64(reached[i]), float64(reached[i-1])), ratio(float64(reached[i]), float64(reached[0]))
			period = ratio(float64(entered[i]), float64(entered[i-1]))
		}
		s := spent(cases, i, i == len(steps)-1, d.AsOf)
		median := notAvailable
		if i == len(steps)-1 {
			median = none
		} else if days, ok := engine.MedianDays(engine.KaplanMeier(s.spells)); ok {
			median = count(days)
		}
		contacts, points := ratio(float64(s.contacts), float64(s.cases)), ratio(float64(s.milli)/1000, float64(s.cases))
		if i == len(steps)-1 { // an order is the end: nothing is spent in it
			contacts, points = none, none
		}
		name := step.Label
		if name == (Label{}) {
			name = Label{Ja: step.Stages[0]}
		}
		rows[i] = []Value{{Label: name}, count(reached[i]), count(skipped[i]), conversion, {Label: step.Strength, None: step.Strength == (Label{})}, overall,
			median, count(s.open), contacts, points, period}
	}
	t.of(len(rows), func(i int, cells []Value) []Value { return append(cells, rows[i]...) })
	for _, step := range steps {
		if step.Definition != (Label{}) {
			t.Note("%[1]s: %[2]s", "%[3]s: %[4]s", step.Label.Ja, step.Definition.Ja, step.Label.In("en"), step.Definition.In("en"))
		}
	}
	t.Note("%s 以降に最初の段階に入った %d 件の案件を、最後まで追った移行率です（100 %%を超えません）。飛ばした段階は、所要0日で通ったものとして数えます。",
		"Of the %[2]d deals that entered the first step since %[1]s, followed to the end: never above 100 %%. Steps that were skipped count as passed in no time.", first, len(passages))
	t.Note("所要日数はカプラン・マイヤー法の中央値で、進行中の案件も含みます。n/a は、半分以上がまだその段階にあることを示します。",
		"Days in a step: Kaplan-Meier median, open deals included. n/a: more than half are still in it.")
	t.Note("期間比は同じ期間の件数どうしの比で、前の期間の案件も混じるため100 %%を超えることがあります。", "The period ratio divides what reached the steps in these months, whenever it began; it may exceed 100 %%.")
	if unknown > 0 {
		t.Note("ファネルにないステージの履歴が %d 件あり、失注などとして扱いました。", "Entries of the history whose stage is no step, such as lost deals: %d. They count as the end.", unknown)
	}
	if !dir.told[engine.Stage]["deal"] {
		t.Notes = []Label{{
			Ja: "案件のステージ履歴がまだ読み込まれていません。energyd.yaml の sources に「stage_history: {connection: crm, object: OpportunityHistory, mapping: mappings/crm_stage_history.yaml}」を書き、energyd pull を実行してください。",
			En: "The deals' stage history was not read yet. Write \"stage_history: {connection: crm, object: OpportunityHistory, mapping: mappings/crm_stage_history.yaml}\" under sources of energyd.yaml, and run energyd pull.",
		}}
		t.of(0, nil)
	}
	dir.scope(t, o, d.Scoped)
	return t, nil
}

// history is the stages that a deal reached.
type history struct {
	entries []engine.Entry
	ended   engine.Date // last entry of a stage that is no step
}

// cases reads all deals' ways, and counts the deals that reached each step
// from a date on, and the entries of stages that are no step.
func (d *Data) cases(ctx context.Context, dir *directory, o Options, first engine.Date) (cases []pipeCase, entered []int, unknown int, err error) {
	step := map[string]int{}
	for i, s := range d.Settings.Funnel {
		for _, name := range s.Stages {
			step[name] = i
		}
	}
	entered = make([]int, len(d.Settings.Funnel))
	if err := d.choose(ctx, dir, o); err != nil {
		return nil, nil, 0, err
	}
	wanted := map[string]bool{}
	for p, err := range d.Profiles(ctx, engine.Deal) {
		if err != nil {
			return nil, nil, 0, err
		}
		dir.tell(p)
		i, ok := dir.at[p.Account]
		wanted[p.ID] = !p.Deleted && p.Into == "" && (!o.Important || ok && dir.customers[i].important)
	}
	ways := map[string]*history{}
	for p, err := range d.Profiles(ctx, engine.Stage) {
		if err != nil {
			return nil, nil, 0, err
		}
		dir.tell(p)
		deal, at := p.Facts["deal"], p.Facts.Day("reached_at", d.Points)
		if p.Deleted || !wanted[deal] || at == engine.NoDate || at > d.AsOf {
			continue
		}
		if ways[deal] == nil {
			ways[deal] = &history{ended: engine.NoDate}
		}
		if i, ok := step[p.Name]; ok {
			ways[deal].entries = append(ways[deal].entries, engine.Entry{Step: i, Date: at})
		} else {
			ways[deal].ended = max(ways[deal].ended, at)
			unknown++
		}
	}
	at := map[string]int{}
	for deal, way := range ways {
		c := pipeCase{passage: engine.Pass(way.entries), ended: way.ended}
		if len(c.passage.At) == 0 {
			continue
		}
		if last := c.passage.At[len(c.passage.At)-1]; c.ended != engine.NoDate && c.ended < last {
			c.ended = engine.NoDate // it went on afterwards
		}
		c.inTime = c.passage.At[0] >= first
		for i, date := range c.passage.At {
			if !c.passage.Imputed[i] && date >= first {
				entered[i]++
			}
		}
		at[deal] = len(cases)
		cases = append(cases, c)
	}
	for e, err := range d.Ledger(ctx, engine.Deal) {
		if err != nil {
			return nil, nil, 0, err
		}
		if i, ok := at[e.Entity.ID]; ok && cases[i].inTime {
			cases[i].cells = e.Cells
		}
	}
	return cases, entered, unknown, nil
}

// effort is what a step took.
type effort struct {
	spells          []engine.Spell
	cases, open     int
	contacts, milli int64
}

// spent sums up the time and the contacts of the cohort in one step.
func spent(cases []pipeCase, step int, last bool, asOf engine.Date) effort {
	var e effort
	for i := range cases {
		c := &cases[i]
		if !c.inTime || step >= len(c.passage.At) || c.passage.Imputed[step] {
			continue
		}
		e.cases++
		from, to, open := c.passage.At[step], asOf, true
		switch {
		case step+1 < len(c.passage.At):
			to, open = c.passage.At[step+1], false
		case c.ended != engine.NoDate:
			to, open = c.ended, false
		case last:
			to, open = from, false // an order is the end
		}
		if open {
			e.open++
		}
		e.spells = append(e.spells, engine.Spell{Days: int(to - from), Open: open})
		n := sort.Search(len(c.cells), func(i int) bool { return c.cells[i].Date >= from })
		for _, cell := range c.cells[n:] {
			if cell.Date > to || cell.Date == to && !open {
				break
			}
			e.contacts += int64(cell.Count)
			e.milli += cell.Milli
		}
	}
	slices.SortFunc(e.spells, func(a, b engine.Spell) int { return cmp.Compare(a.Days, b.Days) })
	return e
}

// leads classifies the companies that never bought (D1, D2, D11): who wants it now, who considers it, who may later.
func leads(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	bought, err := d.bought(ctx, dir, d.AsOf, nil)
	if err != nil {
		return nil, err
	}
	classes := []struct {
		name, approach Label
	}{
		{Label{Ja: "今すぐ", En: "wants it now"}, Label{Ja: "すぐに訪問・見積", En: "visit, quote"}},
		{Label{Ja: "検討段階", En: "considering"}, Label{Ja: "提案・役員同行", En: "propose, bring a manager"}},
		{Label{Ja: "将来的に可能性あり", En: "may later"}, Label{Ja: "セミナー・情報提供で育成", En: "nurture: seminars, news"}},
		{Label{Ja: "見込みなし", En: "no prospect"}, Label{Ja: "一斉案内のみ", En: "mailings alone"}},
	}
	type lead struct {
		watched
		class int
	}
	var rows []lead
	now, err := d.bandNamed("leads.now", d.Settings.Leads.Now, d.Points.Bands()-1)
	if err != nil {
		return nil, err
	}
	considering, err := d.bandNamed("leads.considering", d.Settings.Leads.Considering, now-1)
	if err != nil {
		return nil, err
	}
	p := d.periods(o.Months)
	sums := make([]int, len(classes))
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, _ []engine.Cell) {
		if bought[i].count > 0 {
			return
		}
		l := lead{watched: watched{customer: i, temperature: s.Temperature, band: s.Band, last: s.Last}}
		for _, m := range p.in(s) {
			l.earned += m.Milli
		}
		switch {
		case s.Band >= now:
		case s.Band >= considering || bought[i].open > 0:
			l.class = 1
		case l.earned > 0:
			l.class = 2
		default:
			l.class = 3
		}
		sums[l.class]++
		rows = append(rows, l)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b lead) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(b.temperature, a.temperature), dir.compare(a.customer, b.customer))
	})
	t := &Table{
		Title: Label{Ja: "見込み客の分類", En: "Leads by class"},
		Columns: []Column{customerColumn, ownerColumn, {Key: "class", Label: Label{Ja: "分類", En: "Class"}}, {Key: "approach", Label: Label{Ja: "アプローチ", En: "Approach"}},
			temperatureColumn, bandColumn, {Key: "earned", Label: Label{Ja: fmt.Sprintf("獲得（%dか月）", o.Months), En: fmt.Sprintf("Earned, %d months", o.Months)}, Type: Points}, lastColumn},
		Count: len(rows),
		Rows: func(yield func([]Value) bool) {
			for _, l := range rows {
				c := &dir.customers[l.customer]
				if !yield([]Value{text(c.name), text(dir.owner(c)), {Label: classes[l.class].name}, {Label: classes[l.class].approach},
					number(l.temperature), d.band(l.band), milli(l.earned), day(l.last)}) {
					return
				}
			}
		},
	}
	for i, c := range classes {
		if len(rows) == 0 {
			break
		}
		share := 100 * float64(sums[i]) / float64(len(rows))
		t.Note("%[1]s: %[3]d 社（%.1[4]f %%、目安 %[5]g %%）", "%[2]s: %[3]d (%.1[4]f %%; usually about %[5]g %%)", c.name.Ja, c.name.En, sums[i], share, d.Settings.Leads.Usual[i])
	}
	band := func(i int) Label { return d.band(max(i, 0)).Label }
	t.Note("受注のない企業が見込み客です。今すぐ = 温度帯「%[1]s」、検討段階 = 「%[2]s」または進行中の案件あり、将来 = %[5]d か月以内に獲得あり。目安は分布の検算用で、ノルマではありません。",
		"Leads are companies that never bought. Now: band %[3]s; considering: %[4]s, or an open deal; later: energy within %[5]d months. The usual shares are a check, no quota.",
		band(now).Ja, band(considering).Ja, band(now).In("en"), band(considering).In("en"), o.Months)
	if dir.lacksWon(t) {
		t.Note("そのため、すべての企業を見込み客として数えています。", "So all companies count as leads.")
	}
	dir.scope(t, o, d.Scoped)
	return t, nil
}
