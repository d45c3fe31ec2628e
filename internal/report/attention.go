package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"energyd/engine"
	"energyd/internal/explain"
)

// watched is a customer of a list to act on.
type watched struct {
	customer         int
	recent           engine.Recent
	temperature      float64
	band             int
	trend            engine.Trend
	last             engine.Date
	bought           purchases
	earned, contacts int64 // in the months shown
}

// attention lists the customers who earned little lately (A18) or half or less
// of what they did (A19). Those who never earned anything are in it too.
func attention(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	t := &Table{Title: Label{Ja: "要フォロー顧客一覧", En: "Customers to act on"}}
	if d.Low == nil && d.Halved == nil {
		t.Note("配点表の alarms に low（A18）も halved（A19）もありません。", "The points table has neither alarms.low nor alarms.halved.")
		t.Rows = func(func([]Value) bool) {}
		return t, nil
	}
	var rows []watched
	var period engine.Period
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, _ []engine.Cell) {
		if period = s.Recent.Period; s.Recent.Low || s.Recent.Halved {
			rows = append(rows, watched{customer: i, recent: s.Recent, temperature: s.Temperature, band: s.Band, trend: s.Trend, last: s.Last})
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b watched) int {
		lost := func(w watched) int64 { return w.recent.Before - w.recent.Now }
		return cmp.Or(-compareBools(dir.customers[a.customer].important, dir.customers[b.customer].important),
			-compareBools(a.recent.Halved, b.recent.Halved), cmp.Compare(lost(b), lost(a)), dir.compare(a.customer, b.customer))
	})
	t.Columns = []Column{customerColumn, ownerColumn, {Key: "important", Label: Label{Ja: "重要", En: "Important"}}}
	if d.Low != nil {
		t.Columns = append(t.Columns, Column{Key: "earned", Label: Label{Ja: fmt.Sprintf("直近%dか月", d.Low.Months), En: fmt.Sprintf("Last %d months", d.Low.Months)}, Type: Points, Adds: true},
			Column{Key: "low", Label: Label{Ja: fmt.Sprintf("%g点以下", d.Low.Points), En: fmt.Sprintf("%g or less", d.Low.Points)}})
	}
	if d.Halved != nil {
		name := func(key string, m engine.Period) Column {
			s := m.String()
			if n := d.Halved.Periods; n > 1 {
				s = fmt.Sprintf("%s–%s", m-engine.Period(n-1), m)
			}
			return Column{Key: key, Label: Label{Ja: s, En: s}, Type: Points, Adds: true}
		}
		t.Columns = append(t.Columns, name("before", period-engine.Period(d.Halved.Back)), name("now", period),
			Column{Key: "ratio", Label: Label{Ja: "比", En: "Ratio"}, Type: Share},
			Column{Key: "halved", Label: Label{Ja: fmt.Sprintf("%g %%以下", 100*d.Halved.Share), En: fmt.Sprintf("%g %% or less", 100*d.Halved.Share)}})
	}
	t.Columns = append(t.Columns, temperatureColumn, bandColumn, trendColumn, lastColumn)
	t.About = dir.about(func(i int) int { return rows[i].customer })
	t.of(len(rows), func(i int, cells []Value) []Value {
		w := &rows[i]
		c := &dir.customers[w.customer]
		cells = append(cells, text(c.name), text(dir.owner(c)), mark(c.important))
		if d.Low != nil {
			cells = append(cells, milli(w.recent.Milli), mark(w.recent.Low))
		}
		if d.Halved != nil {
			share := notAvailable // no base: nothing to compare with (case 45)
			if r, ok := w.recent.Ratio(); ok {
				share = number(r)
			}
			cells = append(cells, milli(w.recent.Before), milli(w.recent.Now), share, mark(w.recent.Halved))
		}
		return append(cells, number(w.temperature), d.band(w.band), Value{Label: explain.TrendLabel(w.trend)}, day(w.last))
	})
	t.Note("比の n/a は、比べる月に獲得がなかった顧客です。", "A ratio of n/a: nothing was earned in the month to compare with.")
	dir.scope(t, o, d.Scoped)
	return t, nil
}

var (
	temperatureColumn = Column{Key: "temperature", Label: Label{Ja: "温度", En: "Temperature"}, Type: Points}
	bandColumn        = Column{Key: "band", Label: Label{Ja: "温度帯", En: "Band"}}
	trendColumn       = Column{Key: "trend", Label: Label{Ja: "傾向", En: "Trend"}}
	lastColumn        = Column{Key: "last_contact", Label: Label{Ja: "最終接触日", En: "Last contact"}, Type: Day}
)

// mark marks a row that something holds of.
func mark(is bool) Value {
	if is {
		return text("●")
	}
	return none
}

func compareBools(a, b bool) int {
	n := func(x bool) int {
		if x {
			return 1
		}
		return 0
	}
	return n(a) - n(b)
}

// purchases are the deals that a customer won for us.
type purchases struct {
	count          int
	amount, margin float64
	lately         float64 // amount of those in the months shown
	last           engine.Date
	open           int // deals that are not closed
}

// bought gives each customer's purchases, by index. Amounts are those of one currency: see money.
func (d *Data) bought(ctx context.Context, dir *directory, from engine.Date, each func(i int, r *dealRow)) ([]purchases, error) {
	clear(dir.won)
	sums := make([]purchases, len(dir.customers))
	for i := range sums {
		sums[i].last = engine.NoDate
	}
	_, _, err := d.deals(ctx, dir, func(r *dealRow) bool {
		i, ok := dir.at[r.account]
		if !ok {
			return false
		}
		b := &sums[i]
		switch {
		case r.won:
			b.count++
			b.last = max(b.last, r.closes)
			if dir.adds(r, d.Settings.Currency) {
				b.amount += r.amount
				b.margin += r.margin
				if r.closes >= from {
					b.lately += r.amount
				}
			}
			if each != nil {
				each(i, r)
			}
		case !r.closed:
			b.open++
		}
		return false
	})
	return sums, err
}

// past lists customers who bought before and have no deal now (A16).
func past(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	bought, err := d.bought(ctx, dir, d.AsOf, nil)
	if err != nil {
		return nil, err
	}
	p := d.periods(o.Months)
	var rows []watched
	err = d.scores(ctx, dir, o, func(i int, _ *customer, s *engine.Score, _ []engine.Cell) {
		if bought[i].count == 0 || bought[i].open > 0 {
			return
		}
		w := watched{customer: i, temperature: s.Temperature, band: s.Band, trend: s.Trend, last: s.Last, bought: bought[i]}
		for _, m := range p.in(s) {
			w.earned += m.Milli
			w.contacts += int64(m.Contacts)
		}
		rows = append(rows, w)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b watched) int {
		return cmp.Or(cmp.Compare(b.bought.amount, a.bought.amount), dir.compare(a.customer, b.customer))
	})
	t := &Table{
		Title: Label{Ja: "取引実績があり、進行中の案件がない顧客", En: "Past customers without an open deal"},
		Columns: []Column{customerColumn, ownerColumn,
			{Key: "purchases", Label: Label{Ja: "受注件数", En: "Orders"}, Type: Count, Adds: true}, {Key: "amount", Label: Label{Ja: "受注金額", En: "Ordered"}, Type: Money, Adds: true},
			{Key: "last_purchase", Label: Label{Ja: "最終受注日", En: "Last order"}, Type: Day},
			{Key: "earned", Label: Label{Ja: fmt.Sprintf("獲得（%dか月）", o.Months), En: fmt.Sprintf("Earned, %d months", o.Months)}, Type: Points, Adds: true},
			{Key: "contacts", Label: Label{Ja: "接触回数", En: "Contacts"}, Type: Count, Adds: true}, temperatureColumn, bandColumn, trendColumn, lastColumn},
		About: dir.about(func(i int) int { return rows[i].customer }),
	}
	t.of(len(rows), func(i int, cells []Value) []Value {
		w := &rows[i]
		c := &dir.customers[w.customer]
		return append(cells, text(c.name), text(dir.owner(c)), count(w.bought.count), number(w.bought.amount), day(w.bought.last), milli(w.earned),
			number(float64(w.contacts)), number(w.temperature), d.band(w.band), Value{Label: explain.TrendLabel(w.trend)}, day(w.last))
	})
	dir.lacksWon(t)
	dir.scope(t, o, d.Scoped)
	return t, dir.money(t, d.Settings.Currency)
}

// lacksWon notes that nothing tells which deals were won.
func (dir *directory) lacksWon(t *Table) bool {
	return dir.lacks(t, engine.Deal, "won", "IsWon", Label{Ja: "受注した案件の印", En: "Which deals were won"})
}
