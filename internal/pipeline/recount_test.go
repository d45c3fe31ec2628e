package pipeline_test

import (
	"strings"
	"testing"

	"energyd/internal/crmsim"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// recount counts all windows of sources, without limits.
func (n nights) recount(sources ...string) (pipeline.Report, []pipeline.Recounted) {
	n.Helper()
	p := n.open()
	defer p.Close()
	r, done, err := p.Recount(n.Context(), true, sources...)
	if err != nil {
		n.Fatal(err)
	}
	return r, done
}

// verified gives what status says of a source.
func (n nights) status(source string) pipeline.SourceStatus {
	n.Helper()
	p := n.open()
	defer p.Close()
	s, err := p.Status(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	for _, src := range s.Sources {
		if src.Name == source {
			return src
		}
	}
	n.Fatalf("no source %s", source)
	return pipeline.SourceStatus{}
}

// TestRecount_AHole: a record that reading by change times cannot see, since it came with an old
// stamp, is found by the source's own count, and read. What is known costs one call a month.
func TestRecount_AHole(t *testing.T) {
	n := newNights(t)
	call := func() {
		n.later(-100 * day)
		n.crm("Task", map[string]any{"Subject": "電話", "WhatId": n.account("K0001")["Id"], "ActivityDate": n.now().Format("2006-01-02"), "Status": "Completed", "TaskSubtype": "Call"})
		n.later(100 * day)
	}
	call()
	n.night()
	n.later(day)
	first, done := n.recount("tasks")
	read := 0
	for _, w := range done {
		if w.State != pipeline.Verified || w.Known != -1 || w.Read != w.Counted {
			t.Errorf("the first look at a window gives %+v", w)
		}
		read += w.Read
	}
	if first.State != store.OK || len(first.Notes) > 0 || len(done) != 25 || read != 1 {
		t.Fatalf("the first recount is %s, %v: %d windows, %d records", first.State, first.Notes, len(done), read)
	}
	if s := n.status("tasks"); !s.Verified.Equal(done[24].To) || !s.Checked.Equal(n.now()) {
		t.Errorf("the status has %+v", s)
	}

	call()
	if _, sources := n.night(); sources["tasks"].Stored != 0 {
		t.Fatalf("the night has read the record: nothing is proved: %+v", sources["tasks"])
	}
	n.later(day)
	r, done := n.recount("tasks")
	again := 0
	for _, w := range done {
		if w.Read > 0 {
			again++
			if w.Known != 1 || w.Counted != 2 || w.Read != 2 {
				t.Errorf("the month with the record gives %+v", w)
			}
		}
	}
	if again != 1 || r.State != store.OK || !strings.Contains(strings.Join(r.Notes, "\n"), "tasks: 1 records had been missing") {
		t.Errorf("the recount is %s, %v; %d windows were read", r.State, r.Notes, again)
	}
	if r, done = n.recount("tasks"); len(r.Notes) > 0 || len(done) != 25 {
		t.Errorf("once more it says %v", r.Notes)
	}
}

// TestRecount_Nightly: a night counts some windows, oldest looks first; what is too large for it is
// read in parts, and what the CRM hides is told.
func TestRecount_Nightly(t *testing.T) {
	n := newNights(t)
	n.configure("recount_records: 50000", "recount_records: 7")
	n.later(-100 * day)
	for range 10 { // more than a night reads, in one month
		n.crm("Account", map[string]any{"Name": "既存商事"})
		n.later(day / 12)
	}
	n.later(100*day - 10*day/12)
	n.night()
	p := n.open()
	if w, err := p.Store().CountedWindows(t.Context(), "accounts"); err != nil || len(w) != 0 {
		t.Errorf("what was just read completely was counted: %v, %v", w, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	n.later(day)
	n.night()
	p = n.open()
	defer p.Close()
	before, err := p.Store().CountedWindows(t.Context(), "accounts")
	if err != nil || len(before) == 0 {
		t.Fatalf("the night counted %v, %v", before, err)
	}
	_, done := n.recount("accounts")
	largest, sum := 0, 0
	for _, w := range done {
		largest, sum = max(largest, w.Read), sum+w.Counted
		if w.State != pipeline.Verified {
			t.Errorf("a window is %+v", w)
		}
	}
	if largest > 7 || sum != 10 || len(done) < 26 {
		t.Errorf("the largest window has %d records, of %d in %d", largest, sum, len(done))
	}

	// The CRM counts what it does not give.
	for _, skip := range []int{0, 1} {
		f := crmsim.Fault{Name: "status", Match: "GET .*/queryAll", Status: 200, Body: `{"totalSize":3,"done":true,"records":[]}`, Times: 1, Skip: skip}
		if err := n.world.CRM().Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	r, done := n.recount("users")
	if r.State != store.Partial || done[0].State != pipeline.Short || !strings.Contains(strings.Join(r.Notes, "\n"), "users: it counts 3 records that were changed in ") {
		t.Errorf("the recount is %s, %v: %+v", r.State, r.Notes, done[0])
	}
	if s := n.status("users"); !s.Verified.Equal(done[0].From) {
		t.Errorf("verified up to %v, which is not the end before %v", s.Verified, done[0].From)
	}
}
