package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
	"energyd/internal/fault"
)

// Frozen are the figures of sales people in months that are frozen.
type Frozen struct {
	Any    bool // months are frozen at all
	Closed engine.Period
	Sums   map[string][]engine.PeriodSum // by sales person, ascending, none after Closed
}

// Freezing tells who froze the months up to one.
type Freezing struct {
	Period engine.Period
	At     time.Time // UTC
	Who    string
}

// Look tells who looked at figures of single sales people.
type Look struct {
	At     time.Time `json:"at"` // UTC
	Who    string    `json:"who"`
	Report string    `json:"report"`
}

// Frozen gives what is frozen, of one moment.
func (s *Store) Frozen(ctx context.Context) (Frozen, error) {
	f := Frozen{Sums: map[string][]engine.PeriodSum{}}
	var last sql.NullInt32
	if err := s.read.GetContext(ctx, &last, "SELECT MAX(period) FROM frozen_month"); err != nil {
		return f, storeError("read frozen months", err)
	}
	f.Any, f.Closed = last.Valid, engine.Period(last.Int32)
	var rows []struct{ Rep, Data string }
	// Months that are frozen meanwhile stay out: only complete ones are shown.
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT rep, data FROM frozen_sum WHERE period <= ? ORDER BY rep, period"), last.Int32)
	if err != nil {
		return f, storeError("read frozen months", err)
	}
	for _, r := range rows {
		var sum engine.PeriodSum
		if err := json.Unmarshal([]byte(r.Data), &sum); err != nil {
			return f, storeError("read frozen months", fmt.Errorf("%w: %w", errCorrupt, err))
		}
		f.Sums[r.Rep] = append(f.Sums[r.Rep], sum)
	}
	return f, nil
}

// Freeze keeps the sums of the months after before.Closed, up to closed. They
// are made from before: where somebody froze in between, nothing is kept.
func (s *Store) Freeze(ctx context.Context, before Frozen, by Freezing, sums map[string][]engine.PeriodSum) error {
	return s.tx(ctx, "freeze a month", func(tx *sqlx.Tx) error {
		var last sql.NullInt32
		if err := tx.GetContext(ctx, &last, "SELECT MAX(period) FROM frozen_month"); err != nil {
			return err
		}
		if last.Valid != before.Any || engine.Period(last.Int32) != before.Closed {
			return fault.New(fault.Config, "freeze", "somebody else froze a month at the same time", "look at energyd months, and try again", nil)
		}
		// The primary key refuses the second of two that passed the test at once.
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO frozen_month (period, at_us, who) VALUES (?, ?, ?)"), by.Period, by.At.UnixMicro(), plain(by.Who))
		if err != nil {
			return err
		}
		for rep, list := range sums {
			for _, sum := range list {
				data, err := json.Marshal(sum)
				if err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO frozen_sum (rep, period, data) VALUES (?, ?, ?)"), plain(rep), sum.Period, string(data)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Freezings lists who froze which months, the last month first.
func (s *Store) Freezings(ctx context.Context) ([]Freezing, error) {
	var rows []struct {
		Period engine.Period
		At     int64 `db:"at_us"`
		Who    string
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT period, at_us, who FROM frozen_month ORDER BY period DESC"); err != nil {
		return nil, storeError("read frozen months", err)
	}
	list := make([]Freezing, 0, len(rows))
	for _, r := range rows {
		list = append(list, Freezing{r.Period, time.UnixMicro(r.At).UTC(), r.Who})
	}
	return list, nil
}

// SaveLook keeps that somebody looks at figures of single sales people.
func (s *Store) SaveLook(ctx context.Context, l Look) error {
	return s.tx(ctx, "keep who looked", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO looked (at_us, who, report) VALUES (?, ?, ?)"), l.At.UnixMicro(), plain(l.Who), l.Report)
		return err
	})
}

// Looks lists who looked at figures of single sales people, the latest first.
func (s *Store) Looks(ctx context.Context, most int) ([]Look, error) {
	var rows []struct {
		At          int64 `db:"at_us"`
		Who, Report string
	}
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT at_us, who, report FROM looked ORDER BY at_us DESC LIMIT ?"), most); err != nil {
		return nil, storeError("read who looked", err)
	}
	list := make([]Look, 0, len(rows))
	for _, r := range rows {
		list = append(list, Look{time.UnixMicro(r.At).UTC(), r.Who, r.Report})
	}
	return list, nil
}
