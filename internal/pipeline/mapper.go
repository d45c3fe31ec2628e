package pipeline

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/store"
	"energyd/mapping"
)

// mapper maps one source's batches.
type mapper struct {
	*mapping.Mapping
	source, run string
	revision    uint32    // of the reading
	at          time.Time // when it is read: the version of records whose source tells none
	directory   mapping.Directory
	ranks       *ranks        // of contacts whom records name without title
	dropped     store.Dropped // rejects that somebody dropped
	erased      *store.Erased // people who must not come back; nil when there are none
	erasing     bool          // this reading takes back what is left of them
	report      *SourceReport
	titles      map[string]int // unknown ones, with how often they were met

	misses func(list, word string) // is told of words that no word list knows; nil = nobody looks

	activities []engine.Activity // of the batch at hand: a large array, used again
	beside     *mapper           // maps the second half of a large batch, and counts by itself
}

// smallBatch is how many records are not worth a second goroutine.
const smallBatch = 1000

// batch maps a batch's records: each becomes an activity, a profile, a skip or
// a reject, all in the order of the records. What it gives is valid until the next batch.
func (m *mapper) batch(in connectors.Batch) store.Batch {
	out := m.empty(len(in.Records))
	out.Next, out.Interval, out.Read, out.Rejects = in.Next, in.Interval, len(in.Records)+len(in.Rejects), in.Rejects
	for reason, n := range in.Skipped {
		out.Read, out.Skipped = out.Read+n, out.Skipped+n
		m.report.Skips[reason] += n
	}
	m.withoutErased(&out)
	m.withoutDropped(&out)
	if n := len(in.Records); n > smallBatch {
		m.halves(&out, in.Records[:n/2], in.Records[n/2:])
	} else {
		m.all(&out, in.Records)
	}
	m.activities = out.Activities
	return out
}

func (m *mapper) all(out *store.Batch, records []connectors.Record) {
	for _, rec := range records {
		m.one(out, rec, m.at)
	}
}

// halves maps the two halves of a batch's records at the same time.
func (m *mapper) halves(out *store.Batch, first, second []connectors.Record) {
	if m.beside == nil {
		other := *m
		m.beside = &other
		m.beside.activities = nil
	}
	b := m.beside
	b.report, b.titles = &SourceReport{Skips: map[string]int{}, Unfound: map[string]int{}}, map[string]int{}
	rest := b.empty(len(second))
	var work sync.WaitGroup
	work.Go(func() { b.all(&rest, second) })
	m.all(out, first)
	work.Wait()
	b.activities = rest.Activities
	out.Activities = append(out.Activities, rest.Activities...)
	out.Profiles = append(out.Profiles, rest.Profiles...)
	out.Rejects = append(out.Rejects, rest.Rejects...)
	out.Dropped = append(out.Dropped, rest.Dropped...)
	out.Withdrawn = append(out.Withdrawn, rest.Withdrawn...)
	out.Parts = append(out.Parts, rest.Parts...)
	out.Through = append(out.Through, rest.Through...)
	out.Skipped += rest.Skipped
	for reason, n := range b.report.Skips {
		m.report.Skips[reason] += n
	}
	add(m.report.Unfound, b.report.Unfound)
	m.report.addAsked(b.report.asked)
	add(m.titles, b.titles)
}

// empty is a batch for so many records.
func (m *mapper) empty(records int) store.Batch {
	return store.Batch{Run: m.run, Source: m.source, Revision: m.revision, At: m.at,
		Activities: m.activities[:0], Through: make([]string, 0, records)}
}

// one maps a record that was read at that time, and tells whether it came through.
func (m *mapper) one(out *store.Batch, rec connectors.Record, read time.Time) bool {
	res, reject := m.record(rec, read)
	if res.Parts != nil {
		out.Parts = append(out.Parts, m.parts(rec, res, reject != nil))
	}
	if !out.Retried { // those were counted when they were read
		m.ask(res.Asked)
	}
	if reject != nil {
		if m.dropped.Has(reject) {
			m.leave(out, reject)
		} else {
			out.Rejects = append(out.Rejects, *reject)
		}
		return false
	}
	out.Through = append(out.Through, rec.Key)
	m.keep(out, res)
	count(m.titles, res.UnknownTitle)
	count(m.report.Unfound, res.Unfound)
	return true
}

// droppedSkip is why a record is left out that is rejected as it was when somebody dropped it.
const droppedSkip = "dropped"

// leave leaves out a reject that was dropped. One that is tried again was counted when it was read.
func (m *mapper) leave(out *store.Batch, r *connectors.Reject) {
	if out.Retried {
		return
	}
	out.Dropped = append(out.Dropped, r.Key)
	out.Skipped++
	m.report.Skips[droppedSkip]++
}

// withoutDropped leaves out the dropped ones of the rejects that a connector gave.
func (m *mapper) withoutDropped(out *store.Batch) {
	if len(m.dropped) == 0 {
		return
	}
	var others []connectors.Reject
	for i := range out.Rejects {
		if r := &out.Rejects[i]; m.dropped.Has(r) {
			m.leave(out, r)
		} else {
			others = append(others, *r)
		}
	}
	out.Rejects = others
}

// record gives what a record that was read at that time becomes, as it is stored.
func (m *mapper) record(rec connectors.Record, read time.Time) (mapping.Result, *connectors.Reject) {
	res, err := m.apply(rec)
	reject := m.rejected(rec, err)
	m.stamp(&res, read)
	return res, reject
}

// rejected is what is kept of a record that gave err; nil for none.
func (m *mapper) rejected(rec connectors.Record, err error) *connectors.Reject {
	if err == nil {
		return nil
	}
	r := connectors.Reject{Key: rec.Key, Origin: rec.Origin, Code: "mapping", Reason: err.Error(), Fields: m.Fields(rec), ChangedAt: rec.ChangedAt, Whole: true}
	var reject *mapping.RejectError
	if errors.As(err, &reject) {
		r.Code, r.Reason, r.Waits = reject.Code, reject.Reason, reject.Waits
		r.Origin = rec.Where(reject.Cells(rec.Value))
	}
	return &r
}

// stamp gives a record's activities their reading, and their version where the source tells none.
func (m *mapper) stamp(res *mapping.Result, read time.Time) {
	if parts := res.Parts; parts != nil {
		if parts.Version == 0 {
			parts.Version = read.UnixMicro()
		}
		for i := range parts.Activities {
			parts.Activities[i].Revision, parts.Activities[i].Version = m.revision, parts.Version
			m.ranks.fill(&parts.Activities[i])
		}
	}
	if a := res.Activity; a != nil {
		a.Revision = m.revision
		m.ranks.fill(a)
		if a.Version == 0 {
			a.Version = read.UnixMicro()
		}
	}
}

// parts are the activities of a record that became several, or may have been several before.
func (m *mapper) parts(rec connectors.Record, res mapping.Result, rejected bool) store.Parts {
	return store.Parts{Record: rec.Key, Version: res.Parts.Version, Activities: res.Parts.Activities, Standing: res.Parts.Standing, AllStand: res.Parts.AllStand,
		Uncounted: rejected || res.Skip != "", Erased: res.Skip == erasedSkip}
}

func (m *mapper) keep(out *store.Batch, res mapping.Result) {
	switch {
	case res.Skip != "":
		out.Skipped++
		m.report.Skips[res.Skip]++
		if res.Activity != nil {
			out.Withdrawn = append(out.Withdrawn, *res.Activity)
		}
	case res.Parts != nil: // kept already
	case res.Activity != nil:
		out.Activities = append(out.Activities, *res.Activity)
	default:
		out.Profiles = append(out.Profiles, *res.Profile)
	}
}

// most is how many different unknown words a report counts.
const most = 1000

// count counts a word that nobody knows, as long as there is room for it.
func count(words map[string]int, word string) {
	if word != "" && (words[word] > 0 || len(words) < most) {
		words[word]++
	}
}

// add counts words that were counted elsewhere, in order while there is room, so that the same ones are left out each time.
func add(words, more map[string]int) {
	for _, word := range slices.Sorted(maps.Keys(more)) {
		if words[word] > 0 || len(words) < most {
			words[word] += more[word]
		}
	}
}
