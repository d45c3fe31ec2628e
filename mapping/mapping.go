// Package mapping turns a source's records into activities and directory
// entries by a mapping file. The file is compiled once (Compile) and then
// applied to each record; it knows records and activities, and nothing of wires.
//
//   - config.go is the file as users write it, compile.go checks it;
//   - functions.go holds the words of the language beyond expression's own:
//     date, datetime, lookup, find …; dates.go reads dates and times as people write them;
//   - titles.go ranks job titles;
//   - testing.go runs the test cases that live in mapping files.
package mapping

import (
	"energyd/connectors"
	"energyd/engine"
)

// Env is what a mapping is compiled against.
type Env struct {
	File   string // as messages and Activity.Mapping name it: "mappings/daily_report.yaml"
	Source string // name in energyd.yaml, for Activity.Source and Profile.Source
	Titles *Titles
	// Words of the points table, for checks and suggestions; nil means not checked.
	Kinds, Ranks, Cues []string
}

// Directory finds CRM ids by other keys. ok is false when there is none.
type Directory interface {
	Find(kind engine.EntityKind, key, value string) (id string, ok bool)
}

// Result is what became of one record: exactly one of Activity, Profile and Skip is set.
type Result struct {
	Activity     *engine.Activity
	Profile      *engine.Profile
	Skip         string // the reason of the skip rule
	UnknownTitle string // a title of this record that has no rank, for counting; "" when all have
}

// RejectError says why this one record cannot be mapped; the others go on.
type RejectError struct {
	Code   string // "kind", "date", "account", "encoding", "column", "lookup", "value"
	Reason string // what is wrong and what to do
}

func (e *RejectError) Error() string { return e.Reason }

// Compile checks cfg and makes a Mapping of it. The error is fault.Problems, all of them at once.
func Compile(cfg *Config, env Env) (*Mapping, error) { return &Mapping{}, nil }

// Mapping is a compiled mapping file. It may be used from several goroutines.
type Mapping struct{}

// Apply maps one record. The error is a *RejectError. A deleted record gives a tombstone.
func (m *Mapping) Apply(r connectors.Record, dir Directory) (Result, error) {
	return Result{}, &RejectError{Code: "value", Reason: "mapping is being built"}
}

// Columns are the source's columns that the mapping uses, sorted.
func (m *Mapping) Columns() []string { return nil }

// TestResult is the outcome of one test case of a mapping file.
type TestResult struct {
	Name string
	Line int
	Err  error // nil when it passed; else what differs
}

// RunTests runs the file's own test cases.
func (m *Mapping) RunTests() []TestResult { return nil }
