package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/sink"
)

// Reject is what is kept back: a source record that could not be used, or a
// change that the CRM refused.
type Reject struct {
	Source   string           `json:"source"` // its name; of a change that of its Writing, "crm.Account"
	Key      string           `json:"key"`    // of the record; of a change the record's CRM id
	Class    connectors.Class `json:"class"`
	Code     string           `json:"code"`
	Reason   string           `json:"reason"`
	ToDo     string           `json:"what_to_do"` // in plain words
	WaitsFor Await            `json:"waits_for"`
	Origin   string           `json:"origin,omitempty"`   // where an admin finds the record; of a change its name
	Until    time.Time        `json:"until,omitzero"`     // of what waits for a time, UTC
	Attempts int              `json:"attempts,omitempty"` // how often it was rejected or refused
	Seen     time.Time        `json:"seen,omitzero"`      // when a record was read, UTC
	Run      string           `json:"run"`                // that read it, or that planned the change
	Fields   any              `json:"fields,omitempty"`   // of the record, or of the change with old and new values

	crm bool
	seq int64 // of a change
}

// Await is what has to happen before a reject is tried again.
type Await string

// What rejects wait for.
const (
	NextPull  Await = "next_pull" // somebody had it tried again
	NextPlan  Await = "next_plan" // so, or the CRM asked to try again later
	Directory Await = "directory" // until the CRM knows whom the record names
	Person    Await = "person"    // until somebody corrects something, or the record changes
	Another   Await = "change"    // dropped: until the record or the value is another one
	Snooze    Await = "snooze"    // until Until, or the same: somebody wants to hear nothing of it before
	Paused    Await = "pause"     // the first plan from Until on has it again by itself
)

// RejectFilter chooses rejects; its zero value all that were not dropped.
type RejectFilter struct {
	Source  string // or Writing; "" = all
	Class   connectors.Class
	Code    string
	Keys    []string // of Source; nil = all
	Dropped bool     // those that somebody dropped or snoozed, in place of the others
	Person  bool     // only those that no run heals by itself: somebody has to do something
}

func (f RejectFilter) has(r Reject) bool {
	return (f.Source == "" || f.Source == r.Source) && (f.Class == "" || f.Class == r.Class) && (f.Code == "" || f.Code == r.Code) &&
		(f.Keys == nil || slices.Contains(f.Keys, r.Key)) &&
		(!f.Person || r.WaitsFor == Person)
}

// Rejects gives what is kept back of sources, by source and key, and then what the CRM refused in the last plan.
func (p *Pipeline) Rejects(ctx context.Context, f RejectFilter) iter.Seq2[Reject, error] {
	return func(yield func(Reject, error) bool) {
		if err := p.knownSource(f.Source); err != nil {
			yield(Reject{}, err)
			return
		}
		records := p.store.Rejects(ctx, f.Source)
		if f.Dropped {
			records = p.store.DroppedRejects(ctx)
		}
		for kept, err := range records {
			if err != nil {
				yield(Reject{}, err)
				return
			}
			if r := ofRecord(kept, p.cfg.Language); f.has(r) && !yield(r, nil) {
				return
			}
		}
		run, changes, err := p.store.Refused(ctx, f.Dropped, p.opt.Now())
		if err != nil {
			yield(Reject{}, err)
			return
		}
		for _, c := range changes {
			if r := ofChange(run, c, p.cfg.Language); f.has(r) && !yield(r, nil) {
				return
			}
		}
	}
}

// knownSource refuses the name of a source or Writing that there is not.
func (p *Pipeline) knownSource(name string) error {
	var known []string
	for _, s := range p.cfg.Sources {
		known = append(known, s.Name)
	}
	for _, w := range p.cfg.Write {
		known = append(known, w.Name())
	}
	if c := p.cfg.Tasks.Connection; c != "" {
		known = append(known, sink.TaskWritingName(c))
	}
	if name == "" || slices.Contains(known, name) {
		return nil
	}
	return fault.New(fault.Config, "rejects", fmt.Sprintf("there is no source %q in %s, and nothing is written to it%s", name, p.cfg.File, fault.DidYouMean(name, known)),
		"name one of "+strings.Join(known, ", "), nil)
}

func ofRecord(k store.Reject, language string) Reject {
	r := Reject{Source: k.Source, Key: k.Key, Class: recordClass(k.Code), Code: k.Code, Reason: k.Reason, Origin: k.Origin,
		Attempts: k.Attempts, Seen: k.Seen, Run: k.Run, WaitsFor: Person}
	if k.Fields != nil {
		r.Fields = store.FieldsJSON(k.Fields)
	}
	switch {
	case k.Dropped && !k.Until.IsZero():
		r.WaitsFor, r.Until = Snooze, k.Until
	case k.Dropped:
		r.WaitsFor = Another
	case k.Again:
		r.WaitsFor = NextPull
	case k.Waits:
		r.WaitsFor = Directory
	}
	r.ToDo = recordToDo(r, language)
	return r
}

// recordClass is the class of a source record's code.
func recordClass(code string) connectors.Class {
	switch code {
	case "account":
		return connectors.GoneRecord
	case "match":
		return connectors.Ambiguous
	}
	return connectors.BadData
}

func ofChange(run string, c sink.Change, language string) Reject {
	r := Reject{Source: c.Writing, Key: c.ID, Class: c.Class, Code: string(c.State), Reason: c.Error, Origin: c.Name, Run: run, WaitsFor: Person,
		Fields: c.Fields, crm: true, seq: c.Seq}
	if r.Class == "" { // refused before classes were kept
		r.Class = connectors.BadData
		if c.State == sink.Deferred {
			r.Class = connectors.Locked
		}
	}
	r.Attempts = c.Attempts
	switch at, more := c.Next(); {
	case c.Said == sink.Waive && !c.Until.IsZero():
		r.WaitsFor, r.Until = Snooze, c.Until
	case c.Said == sink.Waive:
		r.WaitsFor = Another
	case c.Said == sink.SendAgain || more && at.IsZero():
		r.WaitsFor = NextPlan
	case more:
		r.WaitsFor, r.Until = Paused, at
	}
	r.ToDo = changeToDo(r, language)
	if c.Said == "" {
		r.ToDo = cmp.Or(c.Hint, r.ToDo)
	}
	return r
}

// Decided is what a retry or drop of rejects came to.
type Decided struct {
	Rejects int `json:"rejects"` // without those of which it was said before
	// Read are sources that the next pull reads from the beginning, since not all was kept of their records.
	Read []string `json:"read_again,omitempty"`
	CRM  int      `json:"crm"` // of the rejects, changes that the CRM refused
}

// RetryRejects lets rejects be tried again: records at the next pull, changes in
// the next plan. Dropped ones come back by it, when they are named by their keys or f.Dropped.
// Faults: config (there are none), conflict (a run is at work).
func (p *Pipeline) RetryRejects(ctx context.Context, f RejectFilter, reason string) (Decided, error) {
	return p.decideRejects(ctx, f, store.Retried, reason, time.Time{})
}

// DropRejects keeps rejects from being counted and told, until their record, or
// the value that would be written, is another one. Faults: as of RetryRejects.
func (p *Pipeline) DropRejects(ctx context.Context, f RejectFilter, reason string) (Decided, error) {
	return p.decideRejects(ctx, f, store.Waived, reason, time.Time{})
}

// SnoozeRejects is DropRejects that ends on a day, at its beginning in the
// configuration's zone: the first run from then on tells of them again. Faults: as of RetryRejects, config (the day is over).
func (p *Pipeline) SnoozeRejects(ctx context.Context, f RejectFilter, until engine.Date, reason string) (Decided, error) {
	year, month, day := until.Time().Date()
	at := time.Date(year, month, day, 0, 0, 0, 0, p.Zone())
	if !at.After(p.opt.Now()) {
		return Decided{}, fault.New(fault.Config, "rejects", fmt.Sprintf("%s is no day to come", until), "name the day from which you want to hear of it again", nil)
	}
	return p.decideRejects(ctx, f, store.Snoozed, reason, at.UTC())
}

func (p *Pipeline) decideRejects(ctx context.Context, f RejectFilter, act, reason string, until time.Time) (done Decided, err error) {
	// A plan that is just being made may have looked at the refused changes already.
	hold, err := p.lock(ctx, p.everything())
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, hold.Leave()) }()
	var some []Reject
	filters := []RejectFilter{f}
	if f.Keys != nil && !f.Dropped {
		filters = append(filters, f)
		filters[1].Dropped = true
	}
	for _, f := range filters {
		for r, err := range p.Rejects(ctx, f) {
			if err != nil {
				return done, err
			}
			some = append(some, r)
		}
	}
	if err := f.found(some); err != nil {
		return done, err
	}
	if some = slices.DeleteFunc(some, func(r Reject) bool { return r.decided(act, until) }); len(some) == 0 {
		return done, nil
	}
	done.Rejects = len(some)
	entries := p.rejectEntries(f, some, act, reason, until)
	var records []store.RejectKey
	var seqs []int64
	run := ""
	for _, r := range some {
		if r.crm {
			run, seqs = r.Run, append(seqs, r.seq)
			continue
		}
		records = append(records, store.RejectKey{Source: r.Source, Key: r.Key})
	}
	done.CRM = len(seqs)
	said := sink.Waive
	if act == store.Retried {
		said = sink.SendAgain
	}
	if len(records) > 0 {
		if act == store.Retried {
			err = p.store.RetryRejects(ctx, records, entries)
		} else {
			err = p.store.DropRejects(ctx, records, until, entries)
		}
		if err != nil {
			return done, err
		}
		entries = nil
	}
	if len(seqs) > 0 {
		if err := p.store.SayOfRefused(ctx, run, seqs, said, until, entries); err != nil {
			return done, err
		}
	}
	if act == store.Retried && len(records) > 0 {
		done.Read, err = p.store.Rereads(ctx)
	}
	return done, err
}

// decided tells that a reject is tried again, or was dropped or snoozed until then, already: saying so twice is saying it once.
func (r Reject) decided(act string, until time.Time) bool {
	switch act {
	case store.Waived:
		return r.WaitsFor == Another
	case store.Snoozed:
		return r.WaitsFor == Snooze && r.Until.Equal(until)
	}
	return r.WaitsFor == NextPull || r.WaitsFor == NextPlan
}

// found refuses a choice that chooses nothing, or less than it names.
func (f RejectFilter) found(some []Reject) error {
	hint := "energyd rejects list shows what is kept back, with --dropped what was dropped"
	for _, key := range f.Keys {
		if !slices.ContainsFunc(some, func(r Reject) bool { return r.Key == key }) {
			return fault.New(fault.Config, "rejects", fmt.Sprintf("%s has no reject %q", f.Source, key), hint, nil)
		}
	}
	if len(some) == 0 {
		return fault.New(fault.Config, "rejects", "there is no such reject", hint, nil)
	}
	return nil
}

// rejectEntries are the journal's entries: one for each reject that was named, else one for all.
func (p *Pipeline) rejectEntries(f RejectFilter, some []Reject, act, reason string, until time.Time) []store.JournalEntry {
	entry := p.entry(act, "", "", reason)
	if !until.IsZero() { // a day begins in the zone, so that UTC may be the day before
		entry.Reason = "until " + until.In(p.Zone()).Format(time.DateOnly) + ": " + reason
	}
	if f.Keys == nil {
		words := []string{fmt.Sprintf("%d rejects", len(some))}
		for _, w := range [...][2]string{{"source", f.Source}, {"class", string(f.Class)}, {"code", f.Code}} {
			if w[1] != "" {
				words = append(words, w[0]+" "+w[1])
			}
		}
		entry.Subject = strings.Join(words, ", ")
		return []store.JournalEntry{entry}
	}
	entries := make([]store.JournalEntry, len(some))
	for i, r := range some {
		entries[i] = entry
		entries[i].Subject = r.Source + " " + r.Key
	}
	return entries
}

// needPeople counts the rejects that no run heals by itself.
func (p *Pipeline) needPeople(ctx context.Context) (int, error) {
	n, err := p.store.NeedPeople(ctx)
	if err != nil {
		return 0, err
	}
	run, changes, err := p.store.Refused(ctx, false, p.opt.Now())
	for _, c := range changes {
		if ofChange(run, c, p.cfg.Language).WaitsFor == Person {
			n++
		}
	}
	return n, err
}
