package imap

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"energyd/connectors"
)

const cursorVersion = 1

// cursor says how far every folder was read. A reading begins with where all
// folders stand (their goals); it goes on until all goals are reached.
type cursor struct {
	Version int         `json:"v"`
	Stream  string      `json:"s"` // fingerprint of what decides on all mailboxes
	Boxes   []boxCursor `json:"b,omitempty"`
}

type boxCursor struct {
	User   string  `json:"u"`
	Print  string  `json:"p"` // fingerprint of what decides on this mailbox
	Places []place `json:"f,omitempty"`
}

// place is how far one folder was read [20].
type place struct {
	Folder   string `json:"n"`
	Validity uint32 `json:"i"`           // UIDVALIDITY; 0 where the server has none
	Next     uint32 `json:"u"`           // the first UID that was not read
	Goal     uint32 `json:"g,omitempty"` // the first UID that this reading leaves alone; 0 = it is through
	ModSeq   uint64 `json:"m,omitempty"` // HIGHESTMODSEQ when last looked at; flags never count [29]
}

func (p *place) pending() bool { return p.Goal > p.Next }

// farthest stands for the goal where a server does not tell UIDNEXT.
const farthest = 1<<32 - 1

func fingerprint(parts ...any) string {
	return strconv.FormatUint(xxhash.Sum64String(fmt.Sprintf("%q", parts)), 36)
}

func (c cursor) text() connectors.Cursor {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers
	}
	return connectors.Cursor(data)
}

// parse reads a cursor. One that is no use is the beginning; so is the part of
// a mailbox that was configured otherwise.
func (s *source) parse(after connectors.Cursor) cursor {
	fresh := cursor{Version: cursorVersion, Stream: s.print}
	if after == "" {
		return fresh
	}
	var c cursor
	if err := json.Unmarshal([]byte(after), &c); err != nil || c.Version != cursorVersion {
		s.log.Warn("The position of the last reading cannot be used; all mails are read again.")
		return fresh
	}
	if c.Stream != s.print {
		s.log.Warn("The source or the connection was configured otherwise; all mails are read again.")
		return fresh
	}
	for _, known := range c.Boxes {
		b := s.boxOf(known.User)
		switch {
		case b == nil: // no longer read
		case known.Print != boxPrint(b):
			s.log.Warn("A mailbox was configured otherwise; its mails are read again.", "mailbox", known.User)
		default:
			fresh.Boxes = append(fresh.Boxes, known)
		}
	}
	return fresh
}

func boxPrint(b *box) string { return fingerprint(b.owner(), b.Domains, b.subjects()) }

// box gives the part of a mailbox, made when there is none.
func (c *cursor) box(b *box) *boxCursor {
	for i := range c.Boxes {
		if c.Boxes[i].User == b.User {
			return &c.Boxes[i]
		}
	}
	c.Boxes = append(c.Boxes, boxCursor{User: b.User, Print: boxPrint(b)})
	return &c.Boxes[len(c.Boxes)-1]
}

func (b *boxCursor) pending() bool {
	for i := range b.Places {
		if b.Places[i].pending() {
			return true
		}
	}
	return false
}

// aim sets the goals of a new reading by where the folders stand.
func (b *boxCursor) aim(folders []folder, warn func(msg, folder string)) {
	old := map[string]place{}
	for _, p := range b.Places {
		old[p.Folder] = p
	}
	b.Places = make([]place, 0, len(folders))
	for _, f := range folders {
		p, known := old[f.name]
		switch {
		case !known:
			p = place{Folder: f.name, Validity: f.validity, Next: 1}
		case p.Validity != f.validity && f.validity != 0: // 0: told only by EXAMINE, or not at all
			warn("A folder was numbered anew by its server (UIDVALIDITY); it is read again, and mails that are known count once.", f.name)
			p = place{Folder: f.name, Validity: f.validity, Next: 1}
		case f.next != 0 && f.next < p.Next:
			warn("A folder's numbers went back (UIDNEXT); it is read again, and mails that are known count once.", f.name)
			p = place{Folder: f.name, Validity: f.validity, Next: 1}
		}
		if p.Goal = f.next; f.next == 0 {
			p.Goal = farthest
		}
		if p.ModSeq = f.modseq; !p.pending() {
			p.Goal = 0
		}
		b.Places = append(b.Places, p)
	}
}
