package store

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// JournalEntry says who had something done, and when.
type JournalEntry struct {
	At      time.Time `json:"at"`  // UTC
	Who     string    `json:"who"` // the operating system's user
	Act     string    `json:"act"`
	Run     string    `json:"run,omitempty"`     // that did it
	Subject string    `json:"subject,omitempty"` // the run whose plan was sent or taken back, or the reject
	Reason  string    `json:"reason,omitempty"`
}

// The acts of journal entries.
const (
	Applied = "apply" // Run sent the plan of Subject
	Undid   = "undo"  // Run took back what the plan of Subject wrote
	// Overrode says that Run sends the plan of Subject although brakes hold it, for Reason.
	Overrode = "override"
	Planned  = "plan"   // Run made the plan of the hash Subject
	Forgot   = "erase"  // Run erased a person
	Matched  = "match"  // Subject is what was decided of a name
	Froze    = "freeze" // Subject is the last month whose figures of sales people do not change any more
	// MadeFields says that fields were made in the CRM of the connection Subject, or rights given.
	MadeFields = "fields"
	Changed    = "config" // Subject, a file of the configuration, is another one than at the last run: its fingerprints before and now
	Retried    = "retry"  // Subject, a reject or so many of them, is tried again
	Waived     = "drop"   // Subject is not told of any more, until its record is another one
	Snoozed    = "snooze" // Subject is not told of until a day
)

// Acts lists the acts that journal entries may have.
var Acts = []string{Applied, Undid, Overrode, Planned, Forgot, Matched, Froze, MadeFields, Changed, Retried, Waived, Snoozed}

// AddJournal notes that somebody had something done.
func (s *Store) AddJournal(ctx context.Context, e JournalEntry) error {
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error { return addJournal(ctx, tx, e) })
}

func addJournal(ctx context.Context, tx *sqlx.Tx, e JournalEntry) error {
	_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO journal (at_us, who, act, run, subject, reason) VALUES (?, ?, ?, ?, ?, ?)"),
		e.At.UnixMicro(), plain(e.Who), e.Act, e.Run, plain(e.Subject), plain(e.Reason))
	return err
}

func addEntries(ctx context.Context, tx *sqlx.Tx, entries []JournalEntry) error {
	for _, e := range entries {
		if err := addJournal(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// JournalFilter chooses entries; its zero value all.
type JournalFilter struct {
	Since time.Time // at or after this
	Act   string
}

// Journal gives entries, the oldest first.
func (s *Store) Journal(ctx context.Context, f JournalFilter) ([]JournalEntry, error) {
	var rows []struct {
		AtUS                           int64 `db:"at_us"`
		Who, Act, Run, Subject, Reason string
	}
	since := int64(math.MinInt64)
	if !f.Since.IsZero() {
		since = f.Since.UnixMicro()
	}
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT at_us, who, act, run, subject, reason FROM journal WHERE at_us >= ? AND (? = '' OR act = ?) ORDER BY seq"),
		since, f.Act, f.Act); err != nil {
		return nil, storeError("read journal", err)
	}
	entries := make([]JournalEntry, len(rows))
	for i, r := range rows {
		entries[i] = JournalEntry{time.UnixMicro(r.AtUS).UTC(), r.Who, r.Act, r.Run, r.Subject, r.Reason}
	}
	return entries, nil
}

// TrimJournal removes the entries from before a time.
func (s *Store) TrimJournal(ctx context.Context, before time.Time) error {
	return s.tx(ctx, "trim journal", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM journal WHERE at_us < ?"), before.UnixMicro())
		return err
	})
}

// fileName begins the names under which the fingerprints of the configuration's files stand.
const fileName = "file "

// noPrint stands for the fingerprint of a file that is not there.
const noPrint = "-"

// NoteFiles journals each file of the configuration that is another one than at
// the last run. prints are fingerprints by name; e has who, when and by which run.
func (s *Store) NoteFiles(ctx context.Context, e JournalEntry, prints map[string]string) error {
	var rows []struct{ Name, Value string }
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT name, value FROM meta WHERE name LIKE ?"), fileName+"%"); err != nil {
		return storeError("read journal", err)
	}
	last := make(map[string]string, len(rows))
	for _, r := range rows {
		last[strings.TrimPrefix(r.Name, fileName)] = r.Value
	}
	if maps.Equal(last, prints) {
		return nil
	}
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		names := slices.AppendSeq(slices.Collect(maps.Keys(prints)), maps.Keys(last))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			was, is := last[name], prints[name]
			if was == is {
				continue
			}
			e.Act, e.Subject = Changed, name+" "+cmp.Or(was, noPrint)+" → "+cmp.Or(is, noPrint)
			if err := addJournal(ctx, tx, e); err != nil {
				return err
			}
			if is == "" {
				if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM meta WHERE name = ?"), fileName+name); err != nil {
					return err
				}
				continue
			}
			if err := note(ctx, tx, fileName+name, is); err != nil {
				return err
			}
		}
		return nil
	})
}
