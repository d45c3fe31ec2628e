package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jmoiron/sqlx"
)

// Errand is work that a person hands to a daemon: to apply a plan, to undo a run.
// It is kept until a run has done it, whichever daemon's, and however many were
// killed at it: nobody takes it away, since whoever does it holds the lanes.
type Errand struct {
	ID      int64     `json:"id"`
	Kind    string    `json:"kind"`              // sync, pull, apply or undo
	Subject string    `json:"subject,omitempty"` // the source, the plan's hash, the run
	Record  string    `json:"record,omitempty"`  // of an undo; "" is all of the run
	Reason  string    `json:"reason,omitempty"`  // of an apply against brakes
	Who     string    `json:"who"`               // for the journal
	Asked   time.Time `json:"asked"`             // UTC
	Run     string    `json:"run,omitempty"`     // the last that began for it
	Ended   time.Time `json:"ended,omitzero"`    // UTC; zero while it waits or is at work
	State   RunState  `json:"state"`             // of an ended one
	Message string    `json:"message,omitempty"`
}

// Ask keeps an errand. One of the same kind, subject and record that has not
// ended is given instead, so that a button pressed twice is pressed once.
func (s *Store) Ask(ctx context.Context, e Errand) (Errand, error) {
	err := s.tx(ctx, "ask", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO errand (kind, subject, record, reason, who, asked_us, run, state, message)
			VALUES (?, ?, ?, ?, ?, ?, '', '', '') ON CONFLICT (kind, subject, record) WHERE ended_us IS NULL DO NOTHING`),
			e.Kind, e.Subject, e.Record, plain(e.Reason), plain(e.Who), e.Asked.UnixMicro())
		if err != nil {
			return err
		}
		found, err := errands(ctx, tx, "WHERE kind = ? AND subject = ? AND record = ? AND ended_us IS NULL", e.Kind, e.Subject, e.Record)
		if err == nil && len(found) == 0 {
			err = sql.ErrNoRows
		}
		if err == nil {
			e = found[0]
		}
		return err
	})
	return e, err
}

// OpenErrands gives the errands that have not ended, the oldest first.
func (s *Store) OpenErrands(ctx context.Context) ([]Errand, error) {
	list, err := errands(ctx, s.read, "WHERE ended_us IS NULL ORDER BY id")
	return list, storeError("read errands", err)
}

// Errand gives one; ok is false when there is none.
func (s *Store) Errand(ctx context.Context, id int64) (e Errand, ok bool, err error) {
	list, err := errands(ctx, s.read, "WHERE id = ?", id)
	if err != nil || len(list) == 0 {
		return e, false, storeError("read errands", err)
	}
	return list[0], true, nil
}

// LastErrand gives the errand of a kind, subject and record that was asked for last, ended or not; ok is false when there is none.
func (s *Store) LastErrand(ctx context.Context, kind, subject, record string) (e Errand, ok bool, err error) {
	list, err := errands(ctx, s.read, "WHERE kind = ? AND subject = ? AND record = ? ORDER BY id DESC LIMIT 1", kind, subject, record)
	if err != nil || len(list) == 0 {
		return e, false, storeError("read errands", err)
	}
	return list[0], true, nil
}

// BeginErrand notes the run that does an errand.
func (s *Store) BeginErrand(ctx context.Context, id int64, run string) error {
	return s.tx(ctx, "begin errand", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE errand SET run = ? WHERE id = ?"), run, id)
		return err
	})
}

// EndErrand notes what an errand came to, once.
func (s *Store) EndErrand(ctx context.Context, id int64, at time.Time, state RunState, message string) error {
	return s.tx(ctx, "end errand", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE errand SET ended_us = ?, state = ?, message = ? WHERE id = ? AND ended_us IS NULL"),
			at.UnixMicro(), state, plain(message), id)
		return err
	})
}

func errands(ctx context.Context, q sqlx.ExtContext, which string, args ...any) ([]Errand, error) {
	var rows []struct {
		ID                                 int64
		Kind, Subject, Record, Reason, Who string
		Asked                              int64 `db:"asked_us"`
		Run                                string
		Ended                              sql.NullInt64 `db:"ended_us"`
		State                              RunState
		Message                            string
	}
	if err := sqlx.SelectContext(ctx, q, &rows, q.Rebind("SELECT * FROM errand "+which), args...); err != nil {
		return nil, err
	}
	list := make([]Errand, len(rows))
	for i, r := range rows {
		list[i] = Errand{ID: r.ID, Kind: r.Kind, Subject: r.Subject, Record: r.Record, Reason: r.Reason, Who: r.Who,
			Asked: time.UnixMicro(r.Asked).UTC(), Run: r.Run, State: r.State, Message: r.Message}
		if r.Ended.Valid {
			list[i].Ended = time.UnixMicro(r.Ended.Int64).UTC()
		}
	}
	return list, nil
}
