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
// resumed, in another process too, since it names its window's bounds, and a
// page of the org's only where that lives for days: in the results of a job.
type cursor struct {
	Version int       `json:"v"`
	Stream  string    `json:"stream"`        // fingerprint of what the rest depends on
	Read    time.Time `json:"read,omitzero"` // everything that changed before is read; zero at the beginning
	Open    *window   `json:"open,omitempty"`
	Fields  string    `json:"fields,omitempty"` // what the object had when this round began: shape
}

type window struct {
	Since time.Time `json:"since,omitzero"` // beginning of the round
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`    // rows in [From, To)
	Until time.Time `json:"until"` // end of the round
	Last  *position `json:"last,omitempty"`
	// Relations: the round's second pass, over the relations of activities.
	Relations bool `json:"relations,omitempty"`
	Job       *job `json:"job,omitempty"`    // the bulk job that reads the window
	Failed    int  `json:"failed,omitempty"` // jobs of the round that came to nothing
}

// job says how far the results of a bulk query were read.
type job struct {
	ID      string `json:"id"`
	API     string `json:"api"`               // whose results no other version gives (S102)
	Locator string `json:"locator,omitempty"` // the page at hand; "" is the first
	Row     int    `json:"row,omitempty"`     // rows of that page that are read
	Before  int    `json:"before,omitempty"`  // rows of the pages before
	Done    bool   `json:"done,omitempty"`    // all is read; the job waits to be deleted
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
	return strconv.FormatUint(xxhash.Sum64String(fmt.Sprintf("%q %q %t", s.object, s.where, s.withDeleted)+s.people.fingerprint()), 16)
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
	c.Open = &window{Since: from, From: from, To: until, Until: until}
	return true
}

// shortest is the window that is no longer halved: stamps have whole seconds.
const shortest = time.Second

// long tells whether what is left of w is worth a job of its own.
func (w *window) long() bool {
	start := w.From
	if w.Last != nil {
		start = w.Last.At
	}
	return w.To.Sub(start) >= 24*time.Hour
}

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
// twice the length that went well. When all windows are read, the relations of
// the activities are, over the same times, if relations says so.
func (c *cursor) finish(relations bool) connectors.Interval {
	w := *c.Open
	c.Open = nil
	switch {
	case w.To.Before(w.Until):
		to := w.To.Add(2 * w.To.Sub(w.From))
		if to.After(w.Until) {
			to = w.Until
		}
		c.Open = &window{Since: w.Since, From: w.To, To: to, Until: w.Until, Relations: w.Relations, Failed: w.Failed}
	case relations && !w.Relations && w.Since.After(theBeginning):
		// At first, each activity was just read with its relations.
		c.Open = &window{Since: w.Since, From: w.Since, To: w.Until, Until: w.Until, Relations: true}
	}
	if w.Relations {
		return connectors.Interval{}
	}
	if c.Read.Before(w.To) { // a clock that was set back does not unread anything
		c.Read = w.To
	}
	return connectors.Interval{From: w.From, To: w.To}
}
