package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

func TestSaveAlarms(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		ctx := t.Context()
		a, b := engine.Entity{ID: "A"}, engine.Entity{Kind: engine.Contact, ID: "B"}
		raised := func(e engine.Entity, kind engine.AlarmKind, since engine.Date, state engine.AlarmState) engine.Raised {
			return engine.Raised{Entity: e, Rep: "R", State: state, Alarm: engine.Alarm{Kind: kind, Since: since, Until: engine.NoDate, Last: engine.NoDate, Booked: engine.NoDate, P: 0.01}}
		}
		save := func(asOf engine.Date, looked []engine.Entity, list ...engine.Raised) {
			t.Helper()
			before, err := s.Standing(ctx, looked)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SaveAlarms(ctx, asOf, 7, before, list); err != nil {
				t.Fatal(err)
			}
		}
		stands := func() (lines []string) {
			t.Helper()
			list, err := s.Alarms(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				lines = append(lines, fmt.Sprint(a.Entity.ID, " ", a.Alarm.Kind, " ", int(a.Alarm.Since), " ", a.State, " ", int(a.Told)))
			}
			slices.Sort(lines)
			return lines
		}
		expect := func(when string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, stands()); diff != "" {
				t.Errorf("%s: %s", when, diff)
			}
		}
		both := []engine.Entity{a, b}
		for range 2 { // saving the same again changes nothing
			save(100, both, raised(a, engine.Surge, 99, engine.Fired), raised(a, engine.Silence, 98, engine.Muted), raised(b, engine.Surge, 99, engine.HeldBack))
			expect("a night", "A silence 98 muted 100", "A surge 99 fired 100", "B surge 99 held_back 100")
		}
		save(101, []engine.Entity{a}, raised(a, engine.Silence, 98, engine.Fired))
		expect("what of A does not stand any more is over, and B was not looked at", "A silence 98 fired 101", "B surge 99 held_back 100")
		save(102, []engine.Entity{a}, raised(a, engine.Silence, 98, engine.Fired), raised(a, engine.Surge, 99, engine.Fired))
		expect("a correction brings one back", "A silence 98 fired 101", "A surge 99 fired 100", "B surge 99 held_back 100")
		told, err := s.ToldOf(ctx, 100, 102)
		if err != nil || told["R"] != 2 {
			t.Errorf("the sales person was told of %v, %v; want 2", told, err)
		}
		if told, err = s.ToldOf(ctx, 101, 101); err != nil || told["R"] != 1 {
			t.Errorf("from the second day on of %v, %v; want 1", told, err)
		}
		if upTo, err := s.AlarmsUpTo(ctx); err != nil || upTo != 7 {
			t.Errorf("alarms were decided up to generation %d, %v; want 7", upTo, err)
		}
		if err := s.EndAlarms(ctx, 103, engine.Contact); err != nil {
			t.Fatal(err)
		}
		expect("no more alarms of contacts", "A silence 98 fired 101", "A surge 99 fired 100")
	})
}
