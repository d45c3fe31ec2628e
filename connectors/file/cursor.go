package file

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"energyd/connectors"
)

// cursorVersion grows when older cursors can no longer be understood.
const cursorVersion = 1

// cursor is what was read of which file.
type cursor struct {
	Version int    `json:"v"`
	Stream  string `json:"stream"` // fingerprint of what the rest depends on
	// Stamp is the change time of the last record, Unix microseconds. It grows with each
	// record, so that a file that is read later is the later word, whatever its own time.
	Stamp  int64           `json:"stamp,omitempty"`
	Files  map[string]seen `json:"files,omitempty"`
	Months map[string]int  `json:"months,omitempty"` // rows of each month (replaces: month)
	Pass   bool            `json:"pass,omitempty"`   // a walk through the folder has begun
	Told   []string        `json:"told,omitempty"`   // files that this walk passed over
	Open   *open           `json:"open,omitempty"`
}

// seen is a file that was read.
type seen struct {
	Size  int64  `json:"s"`
	MTime int64  `json:"m"`
	Hash  string `json:"h,omitempty"` // of its content; "" = it was not read to its end
	Rows  int    `json:"n,omitempty"`
	// End is the position behind the last row of a text file that ends with a line end: rows that are added come there.
	End *position `json:"e,omitempty"`
}

// open is the file that is being read.
type open struct {
	Path  string         `json:"path"`
	Size  int64          `json:"s"`
	MTime int64          `json:"m"`
	Hash  string         `json:"h,omitempty"`
	Rows  map[string]int `json:"n,omitempty"` // so far, of each unit
	At    position       `json:"at"`
	Twice bool           `json:"twice,omitempty"` // the deletion of the next row's older version was given
	Gone  []gap          `json:"gone,omitempty"`  // what is to be withdrawn at the end
}

// gap are rows From to To (from 1, both in it) of a unit.
type gap struct {
	Unit string `json:"u,omitempty"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// fingerprint changes with all that decides about keys and rows. The columns that a mapping uses do not.
func (s *Stream) fingerprint() string {
	all := *s
	all.selected = nil
	text, _ := json.Marshal(all) // texts and numbers only
	return strconv.FormatUint(xxhash.Sum64(text), 16)
}

// parse reads a saved cursor. One that cannot be used gives the beginning: that costs time, and loses and doubles nothing.
func (s *source) parse(after connectors.Cursor) cursor {
	fresh := cursor{Version: cursorVersion, Stream: s.fingerprint, Files: map[string]seen{}, Months: map[string]int{}}
	if after == "" {
		return fresh
	}
	c := cursor{Files: map[string]seen{}, Months: map[string]int{}}
	switch err := json.Unmarshal([]byte(after), &c); {
	case err != nil || c.Version != cursorVersion || c.Files == nil || c.Months == nil || c.Stream == s.fingerprint && !c.fits():
		s.log.Warn("The saved cursor is not one of this connector; all files are read from the beginning.", "stream", s.cfg.Files)
	case c.Stream != s.fingerprint:
		s.log.Warn("The stream's options were changed; all files are read from the beginning.", "stream", s.cfg.Files)
		fresh.Stamp = c.Stamp // what is read now is the later word
	default:
		if c.Open != nil && c.Open.Rows == nil {
			c.Open.Rows = map[string]int{} // none yet
		}
		return c
	}
	return fresh
}

// fits checks what a damaged cursor could break.
func (c cursor) fits() bool {
	if c.Open == nil {
		return true
	}
	at := c.Open.At
	for _, g := range c.Open.Gone {
		if g.From < 1 || g.To < g.From {
			return false
		}
	}
	return at.Row >= 0 && at.Sheet >= 0 && at.Offset >= 0 && at.Offset <= c.Open.Size
}

func (c cursor) text() connectors.Cursor {
	data, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("a cursor is texts and numbers: %v", err))
	}
	return connectors.Cursor(data)
}
