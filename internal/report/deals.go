package report

import (
	"cmp"
	"context"
	"slices"

	"energyd/engine"
)

// dealRow is a deal of the directory with its score.
type dealRow struct {
	id                   string
	name, account, owner string
	stage, currency      string
	amount, margin       float64
	hasAmount, hasMargin bool
	opened, closes       engine.Date
	closed, won          bool
	products             []string

	temperature, band int64 // milli-points, index
	total             int64 // milli-points, all that was ever earned
	contacts          int32
	last, bandUntil   engine.Date
}

// deals reads the deals that keep wants, with their facts; tell learns which facts there are.
func (d *Data) deals(ctx context.Context, dir *directory, keep func(*dealRow) bool) ([]dealRow, map[string]int, error) {
	var rows []dealRow
	at := map[string]int{}
	for p, err := range d.Profiles(ctx, engine.Deal) {
		if err != nil {
			return nil, nil, err
		}
		dir.tell(p)
		if p.Deleted || p.Into != "" {
			continue
		}
		r := dealRow{id: p.ID, name: or(p.Name, p.ID), account: p.Account, owner: p.Owner, stage: p.Facts["stage"], currency: p.Facts["currency"], closed: p.Facts.True("closed") || p.Facts.True("won"), won: p.Facts.True("won"),
			opened: p.Facts.Day("opened_on", d.Points), closes: p.Facts.Day("closes_on", d.Points), products: p.Facts.List("products"),
			last: engine.NoDate, bandUntil: engine.NoDate}
		r.amount, r.hasAmount = p.Facts.Number("amount")
		r.margin, r.hasMargin = p.Facts.Number("margin")
		if keep(&r) {
			at[p.ID] = len(rows)
			rows = append(rows, r)
		}
	}
	return rows, at, nil
}

// score adds to deals what the ledger says of them.
func (d *Data) scoreDeals(ctx context.Context, rows []dealRow, at map[string]int) error {
	for e, err := range d.Ledger(ctx, engine.Deal) {
		if err != nil {
			return err
		}
		i, ok := at[e.Entity.ID]
		if !ok {
			continue
		}
		s, r := d.Points.Evaluate(engine.Deal, e.Cells, d.AsOf), &rows[i]
		r.temperature, r.band, r.last, r.bandUntil = int64(1000*s.Temperature+0.5), int64(s.Band), s.Last, s.BandUntil
		for _, m := range s.Earned {
			r.total += m.Milli
			r.contacts += m.Contacts
		}
	}
	return nil
}

// deals is the deal list (A4, A11): open deals with stage, amount and energy, warmest first.
func deals(ctx context.Context, d *Data, o Options) (*Table, error) {
	dir, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.choose(ctx, dir, o); err != nil {
		return nil, err
	}
	rows, at, err := d.deals(ctx, dir, func(r *dealRow) bool {
		i, known := dir.at[r.account]
		return !r.closed && (!o.Important || known && dir.customers[i].important)
	})
	if err != nil {
		return nil, err
	}
	if err := d.scoreDeals(ctx, rows, at); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b dealRow) int {
		return cmp.Or(cmp.Compare(b.temperature, a.temperature), cmp.Compare(b.amount, a.amount), cmp.Compare(a.name, b.name))
	})
	t := &Table{
		Title: Label{Ja: "案件エネルギー一覧（進行中）", En: "Open deals"},
		Columns: []Column{
			{Key: "deal", Label: Label{Ja: "案件", En: "Deal"}}, customerColumn, ownerColumn,
			{Key: "stage", Label: Label{Ja: "ステージ", En: "Stage"}},
			{Key: "amount", Label: Label{Ja: "金額", En: "Amount"}, Type: Money, Adds: !dir.told[engine.Deal]["currency"]},
			{Key: "currency", Label: Label{Ja: "通貨", En: "Currency"}},
			{Key: "closes_on", Label: Label{Ja: "完了予定日", En: "Closes"}, Type: Day},
			{Key: "temperature", Label: Label{Ja: "温度", En: "Temperature"}, Type: Points},
			{Key: "band", Label: Label{Ja: "温度帯", En: "Band"}},
			{Key: "earned", Label: Label{Ja: "獲得エネルギー", En: "Energy earned"}, Type: Points, Adds: true},
			{Key: "contacts", Label: Label{Ja: "接触回数", En: "Contacts"}, Type: Count, Adds: true},
			{Key: "last_contact", Label: Label{Ja: "最終接触日", En: "Last contact"}, Type: Day},
		},
		Legend: legend(d.Points),
		About: func(i int) Subject {
			r, s := &rows[i], Subject{}
			if i, ok := dir.at[r.account]; ok {
				s = dir.subject(&dir.customers[i])
			}
			s.Account, s.Deal, s.Owner, s.OwnerName, s.Band = r.account, r.id, r.owner, dir.rep(r.owner), int(r.band)
			s.Important = s.Important && !d.Scoped // no scores were looked at, on which it may depend
			return s
		},
	}
	t.of(len(rows), func(i int, cells []Value) []Value {
		r := &rows[i]
		name := r.account
		if i, ok := dir.at[r.account]; ok {
			name = dir.customers[i].name
		}
		warmth, closes := milli(r.temperature), day(r.closes)
		warmth.Heat = heat(d.Points, r.temperature)
		closes.Warn = r.closes != engine.NoDate && r.closes < d.AsOf
		return append(cells, text(r.name), text(name), text(dir.rep(r.owner)), told(r.stage), optional(r.amount, r.hasAmount), told(r.currency), closes, warmth,
			d.band(int(r.band)), milli(r.total), count(r.contacts), day(r.last))
	})
	if !dir.told[engine.Deal]["currency"] { // most companies sell in one
		t.without("currency")
	}
	dir.lacks(t, engine.Deal, "stage", "StageName", Label{Ja: "案件のステージ", En: "The stages of deals"})
	dir.lacks(t, engine.Deal, "amount", "Amount", Label{Ja: "案件の金額", En: "The amounts of deals"})
	if dir.lacks(t, engine.Deal, "closed", "IsClosed", Label{Ja: "案件の完了の印", En: "Which deals are closed"}) {
		t.Note("そのため、完了した案件も並んでいます。", "So closed deals are in the list too.")
	}
	t.Note("「!」は完了予定日を過ぎた案件です。", "! marks deals that were to be closed before today.")
	dir.scope(t, o, d.Scoped)
	return t, nil
}

func told(s string) Value {
	if s == "" {
		return none
	}
	return text(s)
}

func optional(n float64, has bool) Value {
	if !has {
		return none
	}
	return number(n)
}
