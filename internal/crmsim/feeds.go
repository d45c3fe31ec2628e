package crmsim

import (
	"slices"
	"strings"
	"time"
)

// The change feeds: which rows of an object changed, or went away, in a span of time.

const (
	updatedBack = 30 * 24 * time.Hour // how far back a span of updated may begin
	deletedBack = 15 * 24 * time.Hour
	maxFeed     = 600_000 // ids of one answer
)

// span is what a feed is asked for: [from, to) in Unix seconds, whole minutes.
type span struct{ from, to int64 }

// spanOf reads start and end; back is how old start may be.
func (s *Server) spanOf(c *call, back time.Duration) (span, *Error) {
	q := c.r.URL.Query()
	var at [2]time.Time
	for i, name := range []string{"start", "end"} {
		if q.Get(name) == "" {
			return span{}, refuse("MISSING_ARGUMENT", nil, "%s", name)
		}
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
			if t, err := time.Parse(layout, q.Get(name)); err == nil {
				at[i] = t.Truncate(time.Minute) // seconds do not count
			}
		}
		if at[i].IsZero() {
			return span{}, refuse("INVALID_REPLICATION_DATE", nil, "%s is not a date and time: %s", name, q.Get(name))
		}
	}
	switch {
	case at[1].Sub(at[0]) < time.Minute:
		return span{}, refuse("INVALID_REPLICATION_DATE", nil, "endDate must be at least one minute greater than the startDate")
	case s.now().Sub(at[0]) > back:
		return span{}, refuse("INVALID_REPLICATION_DATE", nil, "startDate cannot be more than %d days ago", int(back.Hours())/24)
	}
	return span{at[0].Unix(), at[1].Unix()}, nil
}

func (p span) has(unix int64) bool { return p.from <= unix && unix < p.to }

// covered is the safe next start: no later than the end asked for, than now,
// and than the beginning of a transaction that is still open.
func (s *Server) covered(p span) string {
	end := min(p.to, s.now().Truncate(time.Minute).Unix())
	if began, open := s.openSince(); open {
		end = min(end, began)
	}
	return stamp(end)
}

func tooManyChanges() *Error {
	return refuse("EXCEEDED_ID_LIMIT", nil, "too many changes in this span; the limit is %d", maxFeed)
}

// updated is GET /sobjects/X/updated: ids of live rows that are new or changed.
func (s *Server) updated(c *call) reply {
	p, refused := s.spanOf(c, updatedBack)
	if refused != nil {
		return refusal(refused)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.objects[lower(c.args[0])]
	if o == nil {
		return notFound
	}
	ids := []string{}
	for _, r := range o.rows {
		if !r.deleted() && p.has(r.values[colStamp].(int64)) {
			ids = append(ids, r.id())
		}
	}
	if len(ids) > maxFeed {
		return refusal(tooManyChanges())
	}
	c.rows = len(ids)
	return answer(struct {
		IDs     []string `json:"ids"`
		Covered string   `json:"latestDateCovered"`
	}{ids, s.covered(p)})
}

type deletedRow struct {
	ID string `json:"id"`
	At string `json:"deletedDate"`
}

// deletedRows is GET /sobjects/X/deleted: rows in the bin, and rows removed for
// good as long as the log of deletions has them.
func (s *Server) deletedRows(c *call) reply {
	p, refused := s.spanOf(c, deletedBack)
	if refused != nil {
		return refusal(refused)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.objects[lower(c.args[0])]
	if o == nil {
		return notFound
	}
	rows := []deletedRow{}
	for _, r := range o.rows {
		if at := r.values[colStamp].(int64); r.deleted() && p.has(at) {
			rows = append(rows, deletedRow{r.id(), stamp(at)})
		}
	}
	for _, g := range o.gone {
		if p.has(g.at) {
			rows = append(rows, deletedRow{g.id, stamp(g.at)})
		}
	}
	if len(rows) > maxFeed {
		return refusal(tooManyChanges())
	}
	slices.SortFunc(rows, func(a, b deletedRow) int {
		if a.At != b.At {
			return strings.Compare(a.At, b.At)
		}
		return strings.Compare(a.ID, b.ID)
	})
	c.rows = len(rows)
	return answer(struct {
		Rows     []deletedRow `json:"deletedRecords"`
		Earliest string       `json:"earliestDateAvailable"`
		Covered  string       `json:"latestDateCovered"`
	}{rows, stamp(s.now().Add(-deletedBack).Truncate(time.Minute).Unix()), s.covered(p)})
}
