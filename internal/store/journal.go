package store

import (
	"context"
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
	Retried = "retry" // Subject, a reject or so many of them, is tried again
	Waived  = "drop"  // Subject is not told of any more, until its record is another one
)

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

// Journal gives all entries, the oldest first.
func (s *Store) Journal(ctx context.Context) ([]JournalEntry, error) {
	var rows []struct {
		AtUS                           int64 `db:"at_us"`
		Who, Act, Run, Subject, Reason string
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT at_us, who, act, run, subject, reason FROM journal ORDER BY seq"); err != nil {
		return nil, storeError("read journal", err)
	}
	entries := make([]JournalEntry, len(rows))
	for i, r := range rows {
		entries[i] = JournalEntry{time.UnixMicro(r.AtUS).UTC(), r.Who, r.Act, r.Run, r.Subject, r.Reason}
	}
	return entries, nil
}
