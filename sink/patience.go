package sink

import (
	"time"

	"energyd/connectors"
)

// patience is how often, and after which pauses, a refused change is sent again
// by itself, by who can remove the obstacle (decisions/0132). Each pause is twice the one before.
var patience = map[connectors.Class]struct {
	pause    time.Duration // 0 = with the next plan
	attempts int           // in all; then it needs a person
}{
	connectors.Locked:     {0, 10},
	connectors.NoQuota:    {0, 10},
	connectors.NoRight:    {24 * time.Hour, 5}, // somebody may have given the right
	connectors.GoneRecord: {24 * time.Hour, 5}, // or restored the record
	connectors.Ambiguous:  {7 * 24 * time.Hour, 3},
	connectors.BadData:    {7 * 24 * time.Hour, 3},
}

// Next tells when a refused change is sent again by itself: zero with the next
// plan. Without more it needs a person: it was refused too often.
func (c Change) Next() (at time.Time, more bool) {
	class := c.Class
	switch {
	case class != "":
	case c.State == Deferred: // refused before classes were kept
		class = connectors.Locked
	default:
		class = connectors.BadData
	}
	p := patience[class]
	switch {
	case c.Attempts >= p.attempts:
		return time.Time{}, false
	case p.pause == 0:
		return time.Time{}, true
	}
	return c.Tried.Add(p.pause << max(0, c.Attempts-1)), true
}

// dueAgain tells whether a refused change is to be sent again by now, by itself or by a person's word.
func (c Change) dueAgain(now time.Time) bool {
	at, more := c.Next()
	return c.Said == SendAgain || more && !at.After(now)
}

// Awake is the refusal as it stands at that time: a snooze may have ended.
func (r Refusal) Awake(now time.Time) Refusal {
	if r.Said == Waive && !r.Until.IsZero() && !r.Until.After(now) {
		r.Said, r.Until = "", time.Time{}
	}
	return r
}
