package pipeline

import (
	"context"
	"slices"
	"time"

	"energyd/engine"
	"energyd/internal/store"
)

// lateAfter is how long after a contact its record may change and still be no late one.
const lateAfter = 14 * 24 * time.Hour

// qualities judge the activities of some sources.
type qualities struct {
	ranks   *ranks
	sources map[string]*store.Quality
	today   engine.Date
	day     []engine.Activity // of one account and date
	date    engine.Date       // of day
}

// toMeasure prepares to find how good each source is that gave something in this run; nil when there is none.
func (p *Pipeline) toMeasure(r *Report) *qualities {
	if p.watching { // a mail tells little, and all would be looked at
		return nil
	}
	q := &qualities{ranks: p.ranks(nil), sources: map[string]*store.Quality{}, today: p.today()}
	for _, s := range r.Sources {
		if m := p.mappings[s.Source]; m != nil && !m.MakesProfiles() && s.Read+s.Withdrawn > 0 {
			q.sources[s.Source] = &store.Quality{Source: s.Source, Run: r.Run}
		}
	}
	if len(q.sources) == 0 {
		return nil
	}
	return q
}

// add looks at the next activity; those of an account come together, by time.
func (q *qualities) add(a engine.Activity) {
	if q == nil || a.Deleted || a.Status != engine.Held {
		return
	}
	date := q.ranks.points.DateOf(&a)
	if len(q.day) > 0 && (q.day[0].Account != a.Account || q.date != date) {
		q.look()
	}
	q.day, q.date = append(q.day, a), date
}

// look judges the day at hand.
func (q *qualities) look() {
	if len(q.day) == 0 {
		return
	}
	d := day{q.day, q.date, q.ranks.midnight(q.date), q.ranks.midnight(q.date + 1), q.date > q.today, q.date.Free()}
	for _, i := range q.ranks.points.Doubtful(q.day) {
		if of := q.sources[q.day[i].Source]; of != nil {
			of.Doubtful++
		}
	}
	for i := range q.day {
		if of := q.sources[q.day[i].Source]; of != nil {
			q.ranks.judge(of, &d, i)
		}
	}
	q.day = q.day[:0]
}

// keepQuality keeps what was found, with what the sources' rejects tell.
func (p *Pipeline) keepQuality(ctx context.Context, r *Report, found *qualities) error {
	found.look()
	counts, err := p.store.RejectCounts(ctx)
	if err != nil {
		return err
	}
	for _, c := range counts {
		q := found.sources[c.Source]
		switch {
		case q == nil:
		case c.Code == "account":
			q.NoAccount += c.Count
		case c.Code == "kind" || c.Code == "lookup":
			q.Unmapped += c.Count
		case c.Code == "date":
			q.BadDates += c.Count
		}
	}
	var list []store.Quality
	for _, s := range r.Sources {
		if q := found.sources[s.Source]; q != nil {
			list = append(list, *q)
		}
	}
	return p.store.SaveQuality(ctx, list)
}

// day is what one account did on one date.
type day struct {
	activities   []engine.Activity
	date         engine.Date
	begins, ends time.Time
	future, free bool
}

// judge counts what is odd of the i-th activity of an account's day.
func (r *ranks) judge(q *store.Quality, d *day, i int) {
	a := &d.activities[i]
	count := func(n *int, odd bool) {
		if odd {
			*n++
		}
	}
	q.Activities++
	count(&q.NoContact, !slices.ContainsFunc(a.People, func(p engine.Participant) bool { return p.Contact != "" }))
	unknown := slices.IndexFunc(a.People, func(p engine.Participant) bool { _, ok := r.titles.Rank(p.Title); return !ok })
	count(&q.Titles, unknown >= 0)
	if unknown >= 0 && len(q.Examples) < most && q.Examples[a.People[unknown].Title] == "" {
		if q.Examples == nil {
			q.Examples = map[string]string{}
		}
		q.Examples[a.People[unknown].Title] = a.ID
	}
	count(&q.Future, d.future)
	count(&q.FreeDays, d.free)
	count(&q.Timed, !a.At.IsZero())
	count(&q.Midnight, !a.At.IsZero() && a.At.Equal(d.begins))
	changed := time.UnixMicro(a.Version)
	count(&q.Late, changed.Year() >= 1990 && changed.Year() < 2200 && changed.Sub(d.ends) > lateAfter)
	of := d.activities
	count(&q.Duplicates, slices.ContainsFunc(of[:i], func(b engine.Activity) bool { return same(a, &b) }))
	if a.Link == nil {
		q.HandTyped++
		count(&q.Unconfirmed, !slices.ContainsFunc(of, func(b engine.Activity) bool { return b.Source != a.Source }))
	}
}

// same tells that two activities of one account and day say the same, but for their ids.
func same(a, b *engine.Activity) bool {
	return a.Source == b.Source && a.Link == nil && b.Link == nil && a.Kind == b.Kind && a.Direction == b.Direction && a.At.Equal(b.At) &&
		slices.EqualFunc(a.People, b.People, func(x, y engine.Participant) bool { return x.Contact == y.Contact && x.Title == y.Title })
}

// Measure is one line of a quality report.
type Measure struct {
	Name  string       `json:"name"`
	Label engine.Label `json:"-"`
	Count int          `json:"records"`
	Of    int          `json:"of"`
	Share float64      `json:"share"` // Count/Of, 0 to 1
	// Limit is the share above which it is a warning; 0 for none.
	Limit float64 `json:"limit,omitempty"`
	Warn  bool    `json:"warn"`
}

// few records are too little for a warning by shares.
const few = 20

// Measures are the lines of a source's quality, with the warnings that their shares give.
func Measures(q store.Quality) []Measure {
	kept := q.Activities + q.NoAccount + q.Unmapped + q.BadDates
	list := []Measure{
		{Name: "no_account", Label: engine.Label{Ja: "顧客企業がCRMにない（保留）", En: "kept back: the CRM does not know the customer"},
			Count: q.NoAccount, Of: kept, Limit: 0.05},
		{Name: "unmapped", Label: engine.Label{Ja: "接触方法などの語が未登録（保留）", En: "kept back: a word is not in the mapping"},
			Count: q.Unmapped, Of: kept, Limit: 0.02},
		{Name: "bad_dates", Label: engine.Label{Ja: "日付がない・1990年より前（保留）", En: "kept back: no date, or before 1990"},
			Count: q.BadDates, Of: kept, Limit: 0.01},
		{Name: "no_contact", Label: engine.Label{Ja: "担当者が不明", En: "no contact whom the CRM knows"},
			Count: q.NoContact, Of: q.Activities, Limit: 0.5},
		{Name: "no_rank", Label: engine.Label{Ja: "役職が未登録", En: "a title without a rank"},
			Count: q.Titles, Of: q.Activities, Limit: 0.05},
		{Name: "duplicates", Label: engine.Label{Ja: "同じ内容の重複", En: "the same twice"},
			Count: q.Duplicates, Of: q.Activities, Limit: 0.05},
		{Name: "doubtful", Label: engine.Label{Ja: "別の元データと二重の疑い", En: "perhaps another source's contact once more"},
			Count: q.Doubtful, Of: q.Activities, Limit: 0.1},
		{Name: "future", Label: engine.Label{Ja: "未来の日付", En: "dated in the future"},
			Count: q.Future, Of: q.Activities, Limit: 0.2},
		{Name: "midnight", Label: engine.Label{Ja: "時刻が 00:00", En: "at 00:00"},
			Count: q.Midnight, Of: q.Timed, Limit: 0.2},
		{Name: "free_days", Label: engine.Label{Ja: "土日・祝日", En: "on weekends and holidays"},
			Count: q.FreeDays, Of: q.Activities, Limit: 0.2},
		{Name: "late", Label: engine.Label{Ja: "2週間より後の入力・変更", En: "typed or changed over two weeks later"},
			Count: q.Late, Of: q.Activities, Limit: 0.3},
		{Name: "unconfirmed", Label: engine.Label{Ja: "手入力で、他の元データにない", En: "hand-typed, in no other source"},
			Count: q.Unconfirmed, Of: q.HandTyped},
	}
	for i := range list {
		m := &list[i]
		if m.Of > 0 {
			m.Share = float64(m.Count) / float64(m.Of)
		}
		m.Warn = m.Limit > 0 && m.Of >= few && m.Share > m.Limit
	}
	return list
}
