package store_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/store"
)

// source plays a source that is read night by night.
type source struct {
	*testing.T
	*store.Store
	name     string
	at       time.Time
	every    time.Duration
	revision uint32
}

func newSource(t *testing.T, s *store.Store) *source {
	return &source{T: t, Store: s, name: "日報", at: time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC), every: 7 * 24 * time.Hour}
}

// begin begins a night's reading and tells why it is a complete one.
func (s *source) begin() store.Again {
	s.Helper()
	r, err := s.BeginReading(s.Context(), s.name, "mapping", s.at, s.every)
	if err != nil {
		s.Fatal(err)
	}
	s.revision = r.Revision
	return r.Again
}

// give saves what the source gave; last says that this was all for now.
func (s *source) give(last bool, activities []engine.Activity, profiles []engine.Profile, rejects ...connectors.Reject) {
	s.Helper()
	for i := range activities {
		activities[i].Source, activities[i].Revision = s.name, s.revision
	}
	for i := range profiles {
		profiles[i].Source = s.name
	}
	cursor, err := s.Cursor(s.Context(), s.name)
	if err != nil {
		s.Fatal(err)
	}
	err = s.SaveBatch(s.Context(), store.Batch{Run: "r", Source: s.name, Revision: s.revision, At: s.at, After: cursor, Next: cursor + "x", Last: last,
		Read: len(activities) + len(profiles) + len(rejects), Activities: activities, Profiles: profiles, Rejects: rejects})
	if err != nil {
		s.Fatal(err)
	}
	fold(s, s.Store)
}

func (s *source) withdraw(gone bool) store.Withdrawal {
	s.Helper()
	w, err := s.WithdrawOlder(s.Context(), s.name, s.revision, gone)
	if err != nil {
		s.Fatal(err)
	}
	fold(s, s.Store)
	return w
}

// stands gives the versions of the activities that count.
func (s *source) stands() map[string]int64 {
	s.Helper()
	got := map[string]int64{}
	for a, err := range s.Activities(s.Context()) {
		if err != nil {
			s.Fatal(err)
		}
		if !a.Deleted && a.Source == s.name {
			got[a.ID] = a.Version
		}
	}
	return got
}

func visits(from, to int) (list []engine.Activity) {
	for i := from; i < to; i++ {
		list = append(list, visit(fmt.Sprint(i), 5, fmt.Sprint("A", i%7)))
	}
	return list
}

func companies(prefix string, from, to int) (list []engine.Profile) {
	for i := from; i < to; i++ {
		list = append(list, engine.Profile{Entity: engine.Entity{Kind: engine.Account, ID: fmt.Sprint(prefix, i)}, Version: 5, Name: "山田製作所"})
	}
	return list
}

// TestBeginReading: a source is read completely once a week, which a run that
// was killed in the middle does not begin anew, and never when that is so configured.
func TestBeginReading(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		night := func(later time.Duration, want store.Again, revision uint32, cursor connectors.Cursor) {
			t.Helper()
			s.at = s.at.Add(later)
			got := s.begin()
			if c, err := s.Cursor(t.Context(), s.name); got != want || s.revision != revision || c != cursor || err != nil {
				t.Errorf("%s: %q, revision %d, cursor %q, %v; want %q, %d, %q", s.at, got, s.revision, c, err, want, revision, cursor)
			}
		}
		const day = 24 * time.Hour
		night(0, "", 1, "")
		s.give(false, visits(0, 2), nil)
		night(8*day, "", 1, "x") // it was killed, and stood still for long: it goes on
		s.give(true, visits(2, 4), nil)
		night(day, store.Periodic, 2, "") // a week has passed since it began
		s.give(true, visits(0, 4), nil)
		night(6*day, "", 2, "x")
		night(day-2*time.Second, store.Periodic, 3, "") // the scheduler was two seconds earlier this time
		s.give(true, visits(0, 4), nil)
		s.every = 0
		night(100*day, "", 3, "x")
		if err := s.ReadAgain(t.Context(), s.name); err != nil {
			t.Fatal(err)
		}
		night(day, store.Periodic, 4, "")
		s.give(false, visits(0, 2), nil)
		night(day, "", 4, "x")
	})
}

// TestC23_WithdrawOlder: what a complete reading did not find again is taken
// back, activities and profiles alike, but only when it was read to its end,
// and when it found at least half.
func TestC23_WithdrawOlder(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		one := open(t, fresh(t))
		for name, c := range map[string]struct {
			before, from, to int
			killed, gone     bool
			want             store.Withdrawal // of activities or profiles, both as Activities
			stand            int
		}{
			"one is gone":                   {before: 30, from: 1, to: 30, want: store.Withdrawal{Activities: 1}, stand: 29},
			"none is gone":                  {before: 30, to: 30, stand: 30},
			"one is new":                    {before: 30, to: 31, stand: 31},
			"half are gone":                 {before: 60, from: 30, to: 60, want: store.Withdrawal{Activities: 30}, stand: 30},
			"more than half":                {before: 60, from: 31, to: 60, want: store.Withdrawal{Kept: 31, Came: 29}, stand: 60},
			"more than half, as confirmed":  {before: 60, from: 31, to: 60, gone: true, want: store.Withdrawal{Activities: 31}, stand: 29},
			"most of a few":                 {before: 10, from: 9, to: 10, want: store.Withdrawal{Activities: 9}, stand: 1},
			"nothing came":                  {before: 3, want: store.Withdrawal{Kept: 3}, stand: 3},
			"nothing came, as confirmed":    {before: 3, gone: true, want: store.Withdrawal{Activities: 3}},
			"it was killed before its end":  {before: 60, from: 10, to: 60, killed: true, stand: 60},
			"it was killed, and no more is": {before: 60, from: 59, to: 60, killed: true, gone: true, stand: 60},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSource(t, one)
				s.name = t.Name()
				s.begin()
				s.give(true, visits(0, c.before), nil)
				s.withdraw(false)
				s.at = s.at.Add(s.every)
				s.begin()
				s.give(!c.killed, visits(c.from, c.to), nil)
				if got := s.withdraw(c.gone); got != c.want || len(s.stands()) != c.stand {
					t.Errorf("got %+v and %d activities, want %+v and %d", got, len(s.stands()), c.want, c.stand)
				}
				if again := s.withdraw(c.gone); again.Activities > 0 || again.Kept != c.want.Kept {
					t.Errorf("asked again, it withdraws %+v", again)
				}
			})
			t.Run(name+" of profiles", func(t *testing.T) {
				s := newSource(t, one)
				s.name = t.Name()
				s.begin()
				s.give(true, nil, companies(name, 0, c.before))
				s.withdraw(false)
				s.at = s.at.Add(s.every)
				s.begin()
				s.give(!c.killed, nil, companies(name, c.from, c.to))
				want := c.want
				want.Activities, want.Profiles = 0, c.want.Activities
				if got := s.withdraw(c.gone); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				d, err := s.Directory(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				found := 0
				for i := range 100 {
					if _, ok := d.Find(engine.Account, "id", fmt.Sprint(name, i)); ok {
						found++
					}
				}
				if found != c.stand {
					t.Errorf("%d are found, want %d", found, c.stand)
				}
			})
		}
	})
}

// TestWithdrawOlder_LowerVersion: what comes again stands, also when its
// version went back: the source was restored from a backup, or a relation with a later stamp was removed.
func TestWithdrawOlder_LowerVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		late := visit("1", 9, "A")
		s.give(true, []engine.Activity{late, visit("2", 9, "A")}, []engine.Profile{{Entity: engine.Entity{Kind: engine.Account, ID: "A"}, Version: 9, Name: "new"}})
		s.at = s.at.Add(s.every)
		s.begin()
		early := visit("1", 5, "A")
		s.give(true, []engine.Activity{early, visit("2", 9, "A")}, []engine.Profile{{Entity: engine.Entity{Kind: engine.Account, ID: "A"}, Version: 5, Name: "old"}})
		if w := s.withdraw(false); w != (store.Withdrawal{}) {
			t.Errorf("withdraws %+v", w)
		}
		if diff := cmp.Diff(map[string]int64{"1": 5, "2": 9}, s.stands()); diff != "" {
			t.Error(diff)
		}
		if p, _, err := s.Profile(t.Context(), engine.Entity{Kind: engine.Account, ID: "A"}); p.Name != "old" || err != nil {
			t.Errorf("the profile is %+v, %v", p, err)
		}
	})
}

// TestWithdrawOlder_Rejects: a reject whose record did not come again is forgotten.
func TestWithdrawOlder_Rejects(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		s.give(true, visits(0, 3), nil, connectors.Reject{Key: "gone", Code: "date"}, connectors.Reject{Key: "still", Code: "date"})
		s.at = s.at.Add(s.every)
		s.begin()
		s.give(true, visits(0, 3), nil, connectors.Reject{Key: "still", Code: "date"})
		s.withdraw(false)
		var keys []string
		for r, err := range s.Rejects(t.Context(), s.name) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, r.Key)
		}
		if diff := cmp.Diff([]string{"still"}, keys); diff != "" {
			t.Error(diff)
		}
	})
}

// TestC22_Merged: the id and the keys of an entity that was merged lead to the one that it went into.
func TestC22_Merged(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		version := int64(0)
		company := func(id, code, into string, deleted bool) engine.Profile {
			version++
			p := engine.Profile{Entity: engine.Entity{Kind: engine.Account, ID: id}, Version: version, Name: id, Into: into, Deleted: deleted}
			if code != "" {
				p.Keys = map[string]string{"code": code}
			}
			return p
		}
		put := func(ps ...engine.Profile) { s.give(true, nil, ps) }
		find := func(key, value, want string) {
			t.Helper()
			d, err := s.Directory(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if id, ok := d.Find(engine.Account, key, value); ok != (want != "") || ok && id != want {
				t.Errorf("Find(%q, %q) = %q, %v; want %q", key, value, id, ok, want)
			}
		}
		put(company("a1", "K1", "", false), company("a2", "K2", "", false), company("a3", "K3", "", false))
		put(company("a1", "", "a2", true)) // the CRM told no more than that
		find("code", "K1", "a2")
		find("id", "a1", "a2")
		put(company("a2", "K2", "a3", true)) // a chain
		find("code", "K1", "a3")
		find("code", "K2", "a3")
		find("id", "a1", "a3")
		put(company("a3", "K1", "", false)) // the master takes over the code
		find("code", "K1", "a3")
		find("code", "K3", "")
		put(company("a4", "K1", "", false)) // somebody else uses it too
		find("code", "K1", "")
		put(company("a4", "K4", "", false), company("a3", "K3", "a1", true)) // a circle
		find("code", "K1", "")
		find("code", "K3", "")
		find("id", "a3", "")
		put(company("a3", "K3", "", true)) // deleted without a trace of the merge
		find("code", "K3", "")
		put(company("a1", "K1", "", false)) // taken back
		find("code", "K1", "a1")
		find("code", "K2", "")
		put(company("a9", "K9", "a1", false)) // a converted lead still exists
		find("code", "K9", "a1")
		put(company("a8", "K8", "nowhere", true)) // the master is not known yet
		find("code", "K8", "")
		put(company("nowhere", "", "", false))
		find("code", "K8", "nowhere")

		merged, upTo, err := s.Merged(t.Context())
		var ids []string
		for _, p := range merged {
			ids = append(ids, p.ID)
		}
		if diff := cmp.Diff([]string{"a2", "a9", "a8"}, ids); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if err := s.Followed(t.Context(), upTo); err != nil {
			t.Fatal(err)
		}
		if merged, _, err := s.Merged(t.Context()); len(merged) != 0 || err != nil {
			t.Errorf("told twice: %v, %v", merged, err)
		}
	})
}

// TestWaiting: a reject that waits for the directory keeps the record as it
// was read, with the types of its values, and is tried once for each change.
func TestWaiting(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		changed := time.Date(2026, 9, 30, 8, 30, 0, 123_456_000, time.UTC)
		fields := map[string]any{
			"text": "訪 問", "empty": "", "null": nil, "whole": int64(math.MaxInt64), "one": 1.0, "half": -0.5, "large": 1e300, "yes": true,
			"time": changed, "zoned": changed.In(time.FixedZone("", 9*3600)), "list": []any{"a", int64(1), map[string]any{"time": "08:30"}, nil},
			"object": map[string]any{"object": 2.0}, "deep": map[string]any{"Name": "山田", "time": changed},
		}
		waits := connectors.Reject{Key: "1", Origin: "日報/1", Code: "account", Reason: "no account", Fields: fields, ChangedAt: changed, Waits: true}
		versionless := connectors.Reject{Key: "2", Code: "account", Fields: map[string]any{"time": "08:30"}, Waits: true}
		s.give(true, nil, nil, waits, versionless, connectors.Reject{Key: "3", Code: "date", Fields: fields})
		waiting := func(change int64) (got []store.Reject) {
			t.Helper()
			for r, err := range s.Waiting(t.Context(), s.name, s.revision, change) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r)
			}
			return got
		}
		want := []store.Reject{{Source: s.name, Reject: waits, Run: "r", Seen: s.at, Attempts: 1}, {Source: s.name, Reject: versionless, Run: "r", Seen: s.at, Attempts: 1}}
		if diff := cmp.Diff(want, waiting(1)); diff != "" {
			t.Error(diff)
		}
		if err := s.Tried(t.Context(), s.name, 1); err != nil {
			t.Fatal(err)
		}
		if got := waiting(1); len(got) != 0 {
			t.Errorf("tried, they still wait: %v", got)
		}
		if got := waiting(2); len(got) != 2 {
			t.Errorf("the directory has changed, and %v wait", got)
		}
	})
}

// TestWithdrawOlder_DoubtStays: records that come one by one after a reading
// that proved nothing do not make it a proof.
func TestWithdrawOlder_DoubtStays(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		s.give(true, visits(0, 15), nil)
		s.withdraw(false)
		s.at = s.at.Add(s.every)
		s.begin()
		s.give(true, nil, nil)
		s.withdraw(false)
		s.at = s.at.Add(24 * time.Hour)
		s.begin()
		s.give(true, visits(15, 16), nil)
		if got := s.withdraw(false); got.Activities != 0 || got.Kept != 15 || len(s.stands()) != 16 {
			t.Errorf("the night after, it withdraws %+v, and %d stand", got, len(s.stands()))
		}
		if got := s.withdraw(true); got.Activities != 15 || len(s.stands()) != 1 {
			t.Errorf("as confirmed, it withdraws %+v, and %d stand", got, len(s.stands()))
		}
	})
}

// TestWithdrawOlder_ComesLate: what a complete reading missed and a later one gives again stands, as it was.
func TestWithdrawOlder_ComesLate(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		s.give(true, visits(0, 5), nil)
		s.withdraw(false)
		s.at = s.at.Add(s.every)
		s.begin()
		s.give(true, visits(0, 4), nil)
		s.withdraw(false)
		s.begin()
		s.give(true, visits(4, 5), nil)
		s.withdraw(false)
		if len(s.stands()) != 5 {
			t.Errorf("%d stand, want 5", len(s.stands()))
		}
	})
}

// TestBeginReading_ClockBack: a reading that seems to have begun long after now does not put off the next one for as long.
func TestBeginReading_ClockBack(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.at = s.at.AddDate(10, 0, 0)
		s.begin()
		s.give(true, nil, nil)
		s.at = s.at.AddDate(-10, 0, 0)
		if again := s.begin(); again != store.Periodic {
			t.Errorf("the reading is %q", again)
		}
		s.give(true, nil, nil)
		s.at = s.at.Add(-time.Hour)
		if again := s.begin(); again != "" {
			t.Errorf("an hour earlier it is %q", again)
		}
	})
}

// TestSaveBatch_TakesRejectsBack: a record that came through is a reject no longer, be there fewer rejects or more than came through.
func TestSaveBatch_TakesRejectsBack(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := newSource(t, open(t, fresh(t)))
		s.begin()
		var rejects []connectors.Reject
		for i := range 1500 {
			rejects = append(rejects, connectors.Reject{Key: fmt.Sprint(i), Code: "kind"})
		}
		s.give(true, nil, nil, rejects...)
		for _, c := range []struct{ from, to, left int }{{0, 3, 1497}, {100, 1300, 297}, {1000, 1600, 97}} {
			b := store.Batch{Run: "r", Source: s.name, Revision: s.revision, At: s.at, Retried: true}
			for i := c.from; i < c.to; i++ {
				b.Through = append(b.Through, fmt.Sprint(i))
			}
			if err := s.SaveBatch(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			counts, err := s.RejectCounts(t.Context())
			if left := counts[0].Count; left != c.left || err != nil {
				t.Errorf("after %d to %d came through, %d are left, want %d; %v", c.from, c.to, left, c.left, err)
			}
		}
	})
}
