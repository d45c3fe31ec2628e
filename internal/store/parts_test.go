package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/store"
)

// version is a record at one time: the contacts that it told of.
type version struct {
	revision uint32
	version  int64
	ids      []string
}

func (v version) parts() store.Parts {
	p := store.Parts{Record: "r1", Version: v.version}
	for _, id := range v.ids {
		p.Activities = append(p.Activities, engine.Activity{Source: "days", ID: id, Version: v.version, Revision: v.revision, Account: "a" + id, Date: 20_000, Kind: "visit"})
	}
	return p
}

// saveParts saves batches of parts, one after another, and folds.
type partSaver struct {
	*testing.T
	s      *store.Store
	cursor connectors.Cursor
	run    string
}

func (s *partSaver) save(revision uint32, ps ...store.Parts) {
	s.Helper()
	next := connectors.Cursor(fmt.Sprint(s.cursor, "x"))
	err := s.s.SaveBatch(context.Background(), store.Batch{Run: s.run, Source: "days", Revision: revision, At: time.Unix(1, 0), After: s.cursor, Next: next, Read: len(ps), Parts: ps})
	if err != nil {
		s.Fatal(err)
	}
	s.cursor = next
}

// standing folds and gives the ids of the activities that stand.
func (s *partSaver) standing() string {
	s.Helper()
	ctx := context.Background()
	if _, err := s.s.Fold(ctx, partScorer{}, 20_100); err != nil {
		s.Fatal(err)
	}
	var ids []string
	for a, err := range s.s.Activities(ctx) {
		if err != nil {
			s.Fatal(err)
		}
		if !a.Deleted {
			ids = append(ids, fmt.Sprint(a.ID, "@", a.Version))
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func newPartSaver(t *testing.T) *partSaver {
	t.Helper()
	s, err := store.Open(context.Background(), "sqlite:"+t.TempDir()+"/p.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	run, err := s.BeginRun(context.Background(), "pull", time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return &partSaver{T: t, s: s, run: run}
}

// partScorer scores nothing.
type partScorer struct{}

func (partScorer) Contributions([]engine.Activity, func(int, engine.Contribution)) {}
func (partScorer) Due(engine.EntityKind, []engine.Cell, engine.Date) engine.Date {
	return engine.NoDate
}
func (partScorer) Fingerprint() string { return "none" }

// TestParts_inAnyOrder: whatever order the versions of a record come in, the newest one's contacts stand.
func TestParts_inAnyOrder(t *testing.T) {
	versions := []version{{1, 10, []string{"1", "2", "3"}}, {1, 20, []string{"1"}}, {1, 30, []string{"1", "2"}}, {1, 40, nil}, {1, 50, []string{"2", "4"}}, {2, 50, []string{"4"}}}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		some := slices.Clone(versions)
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		s := newPartSaver(t)
		for _, v := range some {
			s.save(v.revision, v.parts())
			if r.IntN(2) == 0 {
				s.standing()
			}
			if r.IntN(3) == 0 { // read again
				s.save(v.revision, v.parts())
			}
		}
		if got := s.standing(); got != "4@50" {
			t.Fatalf("%v: %s stand, want 4@50", some, got)
		}
	}
}

// TestParts_standing: what could not be used this time keeps what is stored of it, until it can be used or is gone.
func TestParts_standing(t *testing.T) {
	s := newPartSaver(t)
	step := func(want string, v version, change func(*store.Parts)) {
		t.Helper()
		p := v.parts()
		if change != nil {
			change(&p)
		}
		s.save(v.revision, p)
		if got := s.standing(); got != want {
			t.Errorf("%s stand, want %s", got, want)
		}
	}
	step("1@10 2@10 3@10", version{1, 10, []string{"1", "2", "3"}}, nil)
	step("1@20 3@10", version{1, 20, []string{"1"}}, func(p *store.Parts) { p.Standing = []string{"3", "9"} })
	step("1@20 3@10 4@30", version{1, 30, []string{"4"}}, func(p *store.Parts) { p.AllStand = true })
	step("4@40", version{1, 40, []string{"4"}}, nil)
	step("", version{1, 50, nil}, func(p *store.Parts) { p.Uncounted = true })
}

// TestParts_sums: a record is counted once, whatever it becomes.
func TestParts_sums(t *testing.T) {
	s := newPartSaver(t)
	s.save(1, version{1, 10, []string{"1", "2", "3"}}.parts())
	s.save(1, version{1, 10, []string{"1", "2", "3"}}.parts()) // the same again
	s.save(1, version{1, 20, []string{"1", "2", "3"}}.parts()) // says the same
	s.save(1, version{1, 30, []string{"1", "2"}}.parts())      // one fewer
	s.save(1, version{1, 10, []string{"1", "2", "3"}}.parts()) // older
	s.standing()
	run, err := s.s.Run(context.Background(), s.run)
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Sources[0]; got.Read != 5 || got.Stored != 2 || got.Unchanged != 3 || !got.Balanced() {
		t.Errorf("%+v", got)
	}
}

// TestParts_ofACompleteReading: contacts of a record that is gone go with it, and come back with it.
func TestParts_ofACompleteReading(t *testing.T) {
	s := newPartSaver(t)
	ctx := context.Background()
	begin := func(mapping string) uint32 {
		t.Helper()
		r, err := s.s.BeginReading(ctx, "days", mapping, time.Unix(1, 0), 0)
		if err != nil {
			t.Fatal(err)
		}
		s.cursor = ""
		return r.Revision
	}
	end := func(revision uint32, ps ...store.Parts) {
		t.Helper()
		next := connectors.Cursor("end")
		if err := s.s.SaveBatch(ctx, store.Batch{Run: s.run, Source: "days", Revision: revision, At: time.Unix(1, 0), After: s.cursor, Next: next, Last: true, Read: len(ps), Parts: ps}); err != nil {
			t.Fatal(err)
		}
		s.cursor = next
		s.standing()
		if _, err := s.s.WithdrawOlder(ctx, "days", revision, true); err != nil {
			t.Fatal(err)
		}
	}
	first := begin("a")
	end(first, version{first, 10, []string{"1", "2"}}.parts())
	if got := s.standing(); got != "1@10 2@10" {
		t.Errorf("%s", got)
	}
	second := begin("b")
	end(second)
	if got := s.standing(); got != "" {
		t.Errorf("%s stand of a record that is gone", got)
	}
	s.save(second, version{second, 10, []string{"1"}}.parts())
	if got := s.standing(); got != "1@10" {
		t.Errorf("%s", got)
	}
}
