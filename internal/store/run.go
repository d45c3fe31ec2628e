package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/internal/fault"
)

// RunState says how a run ended.
type RunState string

// The states of a run. Only a run whose sums balance, without rejects, is OK.
const (
	Running RunState = "" // or it was interrupted: see AtWork
	OK      RunState = "ok"
	Partial RunState = "partial"
	Parked  RunState = "parked"
	Failed  RunState = "failed"
)

// Interrupted is the message of runs that were told to stop, or killed: what was to be done was not done.
const Interrupted = "interrupted"

// Run is one run of a command or schedule.
type Run struct {
	ID      string      `json:"id"`   // UTC time and four letters, "20261121T204512-k3fq"
	Kind    string      `json:"kind"` // "pull", "sync" …
	Started time.Time   `json:"started"`
	Ended   time.Time   `json:"ended,omitzero"` // UTC; zero while it runs
	State   RunState    `json:"state"`
	Message string      `json:"message,omitempty"`
	Sources []RunSource `json:"sources,omitempty"`
	By      string      `json:"by,omitempty"` // the machine and process that it runs in
	Lanes   []string    `json:"-"`            // that it took when it began; none are all
}

// holds tells whether the run had a lane when it began.
func (r Run) holds(lane string) bool { return len(r.Lanes) == 0 || slices.Contains(r.Lanes, lane) }

// RunSource is what became of the records of one source in one run. After the fold,
// Read = Stored + Unchanged + Skipped + Rejected.
type RunSource struct {
	Source    string `json:"source"`
	Read      int    `json:"read"`
	Stored    int    `json:"stored"`
	Unchanged int    `json:"unchanged"`
	Skipped   int    `json:"skipped"`
	Rejected  int    `json:"rejected"`
}

// Balanced reports that nothing went missing.
func (r RunSource) Balanced() bool {
	return r.Read == r.Stored+r.Unchanged+r.Skipped+r.Rejected
}

// BeginRun notes that a run of this kind begins at that time, and gives its
// id. The caller holds its lanes, or all for none: so runs with one of them that
// never ended were interrupted, and are closed as failed.
func (s *Store) BeginRun(ctx context.Context, kind string, at time.Time, lanes ...string) (id string, err error) {
	id = at.UTC().Format("20060102T150405") + "-" + strings.ToLower(rand.Text()[:4])
	open, err := s.Unended(ctx)
	if err != nil {
		return "", err
	}
	err = s.tx(ctx, "begin run", func(tx *sqlx.Tx) error {
		for _, r := range open {
			if len(lanes) > 0 && !slices.ContainsFunc(lanes, r.holds) {
				continue // it may be at work
			}
			_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE run SET ended_us = ?, state = ?, message = ? WHERE id = ? AND ended_us IS NULL"),
				at.UnixMicro(), Failed, Interrupted, r.ID)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO run (id, kind, started_us, state, message, by_whom, lanes) VALUES (?, ?, ?, '', '', ?, ?)"),
			id, kind, at.UnixMicro(), s.by, strings.Join(lanes, "\n"))
		return err
	})
	return id, err
}

// Unended gives the runs without an end, the latest first: those at work, and those whose process died.
func (s *Store) Unended(ctx context.Context) ([]Run, error) {
	runs, err := s.runs(ctx, "WHERE ended_us IS NULL ORDER BY started_us DESC, id DESC LIMIT ?", 1000)
	return runs, storeError("read runs", err)
}

// AtWork gives the runs that are at work; the others without an end died with their processes.
func (s *Store) AtWork(ctx context.Context) (runs []Run, err error) {
	open, err := s.Unended(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		lanes := r.Lanes
		if len(lanes) == 0 { // all; it began before there were others than this one
			lanes = []string{Scores}
		}
		held, err := s.Locked(ctx, lanes...)
		if err != nil {
			return nil, err
		}
		if held {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

// FinishRun notes how a run ended; message is for people, "" when there is nothing to say.
func (s *Store) FinishRun(ctx context.Context, id string, at time.Time, state RunState, message string) error {
	return s.tx(ctx, "finish run", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE run SET ended_us = ?, state = ?, message = ? WHERE id = ?"),
			at.UnixMicro(), state, plain(message), id)
		return err
	})
}

// addRunSource adds to the sums of a run's source.
func addRunSource(ctx context.Context, tx *sqlx.Tx, run string, r RunSource) error {
	_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO run_source (run, source, read, stored, unchanged, skipped, rejected)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, source) DO UPDATE SET
		read = run_source.read + excluded.read, stored = run_source.stored + excluded.stored,
		unchanged = run_source.unchanged + excluded.unchanged, skipped = run_source.skipped + excluded.skipped,
		rejected = run_source.rejected + excluded.rejected`),
		run, r.Source, r.Read, r.Stored, r.Unchanged, r.Skipped, r.Rejected)
	return err
}

// LastStart is when the last run of a kind, or of those that read a source, began and came to an end.
type LastStart struct {
	Kind   string // "sync"; "" of a source
	Source string
	At     time.Time // UTC
	State  RunState  // of a kind's last run; "" of a source
}

// LastStarts are the last runs of all kinds, and of all sources; and the first
// sync that did not come to its end, as the kind unfinished.
type LastStarts []LastStart

const unfinished = "unfinished"

// From is from when on the times of a source's schedule count ("": those of the
// sync): since its last start, since now if there is none. If the very first sync
// was cut off, what made it begin counts once more, so that it is done after all.
func (l LastStarts) From(source string, now time.Time) time.Time {
	if last, ok := l.Of(source); ok {
		return last.At
	}
	for _, s := range l {
		if source == "" && s.Kind == unfinished {
			return s.At.AddDate(0, 0, -1)
		}
	}
	return now
}

// Of gives when a source was read last; of "" the last sync.
func (l LastStarts) Of(source string) (last LastStart, ok bool) {
	i := slices.IndexFunc(l, func(s LastStart) bool {
		return s.Source == source && (s.Kind == "" || source == "" && s.Kind == "sync")
	})
	if i < 0 {
		return LastStart{}, false
	}
	return l[i], true
}

// LastStarts gives the last run of each kind that came to an end, and when each
// source was read last. Runs that were interrupted did not come to an end.
func (s *Store) LastStarts(ctx context.Context) (LastStarts, error) {
	var rows []struct {
		Kind, Source string
		Started      int64 `db:"started_us"`
		State        RunState
	}
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind(`SELECT kind, '' AS source, started_us, state FROM run AS last
		WHERE ended_us IS NOT NULL AND message <> ? AND started_us =
			(SELECT MAX(started_us) FROM run WHERE run.kind = last.kind AND ended_us IS NOT NULL AND message <> ?)
		UNION ALL
		SELECT '' AS kind, source, MAX(started_us) AS started_us, '' AS state FROM run JOIN run_source ON run_source.run = run.id
		WHERE ended_us IS NOT NULL AND message <> ? GROUP BY source
		UNION ALL
		SELECT '`+unfinished+`' AS kind, '' AS source, MIN(started_us) AS started_us, '' AS state FROM run
		WHERE kind = 'sync' AND (ended_us IS NULL OR message = ?) HAVING COUNT(*) > 0
		ORDER BY kind, source`), Interrupted, Interrupted, Interrupted, Interrupted)
	if err != nil {
		return nil, storeError("read runs", err)
	}
	last := make(LastStarts, len(rows))
	for i, r := range rows {
		last[i] = LastStart{r.Kind, r.Source, time.UnixMicro(r.Started).UTC(), r.State}
	}
	return last, nil
}

// LargestReadings gives how many records of each source the largest reading had.
func (s *Store) LargestReadings(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		Source string
		Most   int
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT source, MAX(read) AS most FROM run_source GROUP BY source"); err != nil {
		return nil, storeError("read runs", err)
	}
	largest := make(map[string]int, len(rows))
	for _, r := range rows {
		largest[r.Source] = r.Most
	}
	return largest, nil
}

// Runs gives up to limit runs, the latest first, with the sums of their sources.
func (s *Store) Runs(ctx context.Context, limit int) ([]Run, error) {
	runs, err := s.runs(ctx, "ORDER BY started_us DESC, id DESC LIMIT ?", limit)
	return runs, storeError("read runs", err)
}

// Run gives one run. Faults: config (there is none of this id).
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	runs, err := s.runs(ctx, "WHERE id = ?", id)
	if err == nil && len(runs) == 0 {
		return Run{}, fault.New(fault.Config, "read run", fmt.Sprintf("there is no run %q", id), "energyd status lists the last runs", nil)
	}
	if err != nil {
		return Run{}, storeError("read run", err)
	}
	return runs[0], nil
}

func (s *Store) runs(ctx context.Context, which string, arg any) ([]Run, error) {
	var rows []struct {
		ID, Kind string
		Started  int64         `db:"started_us"`
		Ended    sql.NullInt64 `db:"ended_us"`
		State    RunState
		Message  string
		By       string `db:"by_whom"`
		Lanes    string
	}
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT id, kind, started_us, ended_us, state, message, by_whom, lanes FROM run "+which), arg); err != nil {
		return nil, err
	}
	runs := make([]Run, len(rows))
	for i, r := range rows {
		runs[i] = Run{ID: r.ID, Kind: r.Kind, Started: time.UnixMicro(r.Started).UTC(), State: r.State, Message: r.Message, By: r.By}
		if r.Lanes != "" {
			runs[i].Lanes = strings.Split(r.Lanes, "\n")
		}
		if r.Ended.Valid {
			runs[i].Ended = time.UnixMicro(r.Ended.Int64).UTC()
		}
		err := s.read.SelectContext(ctx, &runs[i].Sources, s.read.Rebind(
			"SELECT source, read, stored, unchanged, skipped, rejected FROM run_source WHERE run = ? ORDER BY source"), r.ID)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return runs, nil
}
