// Package store keeps what energyd knows.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"energyd/connectors"
	"energyd/engine"
)

type Store struct{}

func Open(ctx context.Context, url string) (*Store, error) { return nil, errors.ErrUnsupported }
func (s *Store) Close() error                              { return nil }

type Batch struct {
	Run, Source   string
	After, Next   connectors.Cursor
	Interval      connectors.Interval
	Read, Skipped int
	Activities    []engine.Activity
	Profiles      []engine.Profile
	Rejects       []connectors.Reject
}

func (s *Store) SaveBatch(ctx context.Context, b Batch) error { return errors.ErrUnsupported }
func (s *Store) Cursor(ctx context.Context, source string) (connectors.Cursor, error) {
	return "", errors.ErrUnsupported
}
func (s *Store) Intervals(ctx context.Context, source string) ([]connectors.Interval, error) {
	return nil, errors.ErrUnsupported
}

type Scorer interface {
	Contributions(acts []engine.Activity, emit func(i int, c engine.Contribution))
	Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date
	Fingerprint() string
}
type FoldStats struct {
	Arrived, Stored, Unchanged int
	Entries                    int // ledger entries whose cells changed
	Rebuilt                    bool
}

func (s *Store) Fold(ctx context.Context, sc Scorer, asOf engine.Date) (FoldStats, error) {
	return FoldStats{}, errors.ErrUnsupported
}
func (s *Store) Rebuild(ctx context.Context, sc Scorer, asOf engine.Date) error {
	return errors.ErrUnsupported
}
func (s *Store) MarkDue(ctx context.Context, sc Scorer, asOf engine.Date) (int, error) {
	return 0, errors.ErrUnsupported
}

type Entry struct {
	Entity engine.Entity
	Cells  []engine.Cell
	Due    engine.Date
	Dirty  bool
}

func (s *Store) Ledger(ctx context.Context, kind engine.EntityKind, onlyDirty bool) iter.Seq2[Entry, error] {
	return nil
}
func (s *Store) LedgerEntry(ctx context.Context, e engine.Entity) (Entry, bool, error) {
	return Entry{}, false, errors.ErrUnsupported
}
func (s *Store) Settle(ctx context.Context, entities []engine.Entity) error {
	return errors.ErrUnsupported
}
func (s *Store) AccountActivities(ctx context.Context, account string) ([]engine.Activity, error) {
	return nil, errors.ErrUnsupported
}
func (s *Store) Activities(ctx context.Context) iter.Seq2[engine.Activity, error] { return nil }
func (s *Store) Profile(ctx context.Context, e engine.Entity) (engine.Profile, bool, error) {
	return engine.Profile{}, false, errors.ErrUnsupported
}
func (s *Store) Profiles(ctx context.Context, kind engine.EntityKind) iter.Seq2[engine.Profile, error] {
	return nil
}

type Directory struct{}

func (s *Store) Directory(ctx context.Context) (*Directory, error) {
	return nil, errors.ErrUnsupported
}
func (d *Directory) Find(kind engine.EntityKind, key, value string) (id string, ok bool) {
	return "", false
}

type RunState string

const (
	Running RunState = ""
	OK      RunState = "ok"
	Partial RunState = "partial"
	Parked  RunState = "parked"
	Failed  RunState = "failed"
)

type Run struct {
	ID, Kind       string
	Started, Ended time.Time // UTC; Ended is zero while it runs
	State          RunState
	Message        string
	Sources        []RunSource
}
type RunSource struct {
	Source                                     string
	Read, Stored, Unchanged, Skipped, Rejected int
}

func (s *Store) BeginRun(ctx context.Context, kind string, at time.Time) (id string, err error) {
	return "", errors.ErrUnsupported
}
func (s *Store) FinishRun(ctx context.Context, id string, at time.Time, state RunState, message string) error {
	return errors.ErrUnsupported
}
func (s *Store) Runs(ctx context.Context, limit int) ([]Run, error) {
	return nil, errors.ErrUnsupported
}

type Reject struct {
	Source string
	connectors.Reject
	Run      string // that saw it last
	Attempts int
}
type RejectCount struct {
	Source, Code string
	Count        int
}

func (s *Store) Rejects(ctx context.Context, source string) iter.Seq2[Reject, error] { return nil }
func (s *Store) RejectCounts(ctx context.Context) ([]RejectCount, error) {
	return nil, errors.ErrUnsupported
}
