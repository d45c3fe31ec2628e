package salesforce

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"energyd/connectors"
)

// cursor says how far a stream was read. A reading round goes from the last
// one's end, minus the lookback, to the org's clock minus lag. It is cut into
// windows (one, unless the org finds that too large) of rows sorted by stamp and
// id; last is the row after which the open window goes on. Every cursor can be
// resumed, since it names its window's bounds and never a page of the org's.
type cursor struct {
	Version int       `json:"v"`
	Stream  string    `json:"stream"`        // fingerprint of what the rest depends on
	Read    time.Time `json:"read,omitzero"` // everything that changed before is read; zero at the beginning
	Open    *window   `json:"open,omitempty"`
}

type window struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`    // rows in [From, To)
	Until time.Time `json:"until"` // end of the round
	Last  *position `json:"last,omitempty"`
}

type position struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

const cursorVersion = 1

// theBeginning is older than any row of any org.
var theBeginning = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// fingerprint tells streams apart in which the same cursor means other rows.
func (s *source) fingerprint() string {
	return strconv.FormatUint(xxhash.Sum64String(fmt.Sprintf("%q %q %t", s.object, s.where, s.withDeleted)), 16)
}

// parse reads a saved cursor. One that cannot be used gives the beginning: that costs time, and loses and doubles nothing.
func (s *source) parse(after connectors.Cursor) cursor {
	fresh := cursor{Version: cursorVersion, Stream: s.fingerprint()}
	if after == "" {
		return fresh
	}
	var c cursor
	switch err := json.Unmarshal([]byte(after), &c); {
	case err != nil || c.Version != cursorVersion || (c.Open != nil && !c.Open.From.Before(c.Open.To)):
		s.conn.log.Warn("The saved cursor is not one of this connector; the stream is read from the beginning.", "stream", s.object)
	case c.Stream != fresh.Stream:
		s.conn.log.Warn("The stream's object, where or include_deleted was changed; it is read from the beginning.", "stream", s.object)
	default:
		return c
	}
	return fresh
}

func (c cursor) text() connectors.Cursor {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // times beyond the year 9999 cannot come from the org's clock
	}
	return connectors.Cursor(data)
}

// begin opens a round that ends at until; false when there is nothing to read yet.
func (c *cursor) begin(until time.Time, lookback time.Duration) bool {
	from := theBeginning
	if back := c.Read.Add(-lookback); back.After(from) {
		from = back
	}
	if !from.Before(until) {
		return false
	}
	c.Open = &window{From: from, To: until, Until: until}
	return true
}

// shortest is the window that is no longer halved: stamps have whole seconds.
const shortest = time.Second

// halve cuts the open window after its last row in two; what is cut off is read
// afterwards. False when it is too short for that.
func (w *window) halve() bool {
	start := w.From
	if w.Last != nil {
		start = w.Last.At
	}
	half := (w.To.Sub(start) / 2).Truncate(time.Second)
	if half < shortest {
		return false
	}
	w.To = start.Add(half)
	return true
}

// finish closes the open window and opens what is left of its round, trying
// twice the length that went well.
func (c *cursor) finish() connectors.Interval {
	w := *c.Open
	if c.Read.Before(w.To) { // a clock that was set back does not unread anything
		c.Read = w.To
	}
	c.Open = nil
	if w.To.Before(w.Until) {
		to := w.To.Add(2 * w.To.Sub(w.From))
		if to.After(w.Until) {
			to = w.Until
		}
		c.Open = &window{From: w.To, To: to, Until: w.Until}
	}
	return connectors.Interval{From: w.From, To: w.To}
}
