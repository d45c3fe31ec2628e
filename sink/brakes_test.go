package sink_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/sink"
)

// names are those of a plan's brakes.
func names(sum sink.Summary) string {
	var list []string
	for _, b := range sum.Brakes {
		list = append(list, b.Name)
	}
	return strings.Join(list, " ")
}

// applied plans and sends whatever the brakes say.
func (o *office) applied(n, round int) {
	o.Helper()
	sum := o.plan(n, round)
	o.Word = sink.Word{Named: true, Reason: "test"}
	if out, err := o.Apply(o.Context(), sum.Plan, time.Now()); err != nil || !out.Whole() {
		o.Fatalf("%+v, %v", out, err)
	}
	o.Word = sink.Word{}
}

// Each brake holds above its limit, and not below it.
func TestPlan_brakes(t *testing.T) {
	t.Parallel()
	const all = 60
	energy := func(v any, band string) map[string]any {
		return map[string]any{"energy_now": v, "band": band, "reason_1": nil}
	}
	for _, tt := range []struct {
		name   string
		brakes sink.Brakes
		first  map[string]any // what all 60 accounts hold; nil: nothing was written yet
		then   map[string]any // what the first of them shall hold
		moved  int
		want   string
	}{
		{"few records move", sink.Brakes{Changed: 50}, energy(10.0, "冷"), energy(20.0, "冷"), 30, ""},
		{"many records move", sink.Brakes{Changed: 50}, energy(10.0, "冷"), energy(20.0, "冷"), 31, "changed"},
		{"fewer than count at all", sink.Brakes{Changed: 10, From: 40}, energy(10.0, "冷"), energy(20.0, "冷"), 39, ""},
		{"bands move", sink.Brakes{Changed: 50}, energy(10.0, "冷"), energy(10.0, "温"), 31, "changed"},
		{"only a text changes", sink.Brakes{Changed: 50}, energy(10.0, "冷"), map[string]any{"energy_now": 10.0, "band": "冷", "reason_1": "訪問"}, all, ""},
		{"energies appear", sink.Brakes{Changed: 1, Emptied: 1, Jump: 1}, energy(nil, ""), energy(20.0, "冷"), all, ""},
		{"some fall to zero", sink.Brakes{Emptied: 10}, energy(10.0, "冷"), energy(0.0, "冷"), 6, ""},
		{"more fall to zero", sink.Brakes{Emptied: 10}, energy(10.0, "冷"), energy(0.0, "冷"), 7, "emptied"},
		{"more become empty", sink.Brakes{Emptied: 10}, energy(10.0, "冷"), energy(nil, "冷"), 7, "emptied"},
		{"they double", sink.Brakes{Jump: 100}, energy(10.0, "冷"), energy(20.0, "冷"), all, ""},
		{"they more than double", sink.Brakes{Jump: 100}, energy(10.0, "冷"), energy(20.1, "冷"), all, "jump"},
		{"the first write-back is small", sink.Brakes{First: all}, nil, energy(10.0, "冷"), all, ""},
		{"the first write-back is large", sink.Brakes{First: all - 1}, nil, energy(10.0, "冷"), all, "first"},
		{"a later write-back is as large", sink.Brakes{First: all - 1}, energy(10.0, "冷"), energy(20.0, "温"), all, ""},
		{"several at once", sink.Brakes{Changed: 50, Emptied: 10}, energy(10.0, "冷"), energy(0.0, "温"), all, "changed emptied"},
		{"all are off", sink.Brakes{}, energy(10.0, "冷"), energy(0.0, "温"), all, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, all, 0)
			if tt.first != nil {
				o.values = tt.first
				o.applied(all, 1)
			}
			o.Brakes, o.values = tt.brakes, tt.then
			sum := o.plan(tt.moved, 2)
			if got := names(sum); got != tt.want || sum.Records != tt.moved {
				t.Errorf("%d records planned, brakes %q; want %d, %q: %v", sum.Records, got, tt.moved, tt.want, sum.Brakes)
			}
		})
	}
}

// A plan that brakes hold is sent only by a person's word, and then to its end.
func TestApply_waits_for_a_word(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 40, 0)
	o.Brakes = sink.Brakes{First: 20}
	first := o.plan(40, 1)
	refused := func(hash, want string) {
		t.Helper()
		before := len(o.org.Log())
		_, err := o.Apply(t.Context(), hash, time.Now())
		if fault.KindOf(err) != fault.Braked || !strings.Contains(fmt.Sprint(err, fault.HintOf(err)), want) {
			t.Errorf("%v (%s); want braked, with %s", err, fault.HintOf(err), want)
		}
		if calls := o.calls(before); len(calls) > 0 {
			t.Errorf("it made calls: %v", calls)
		}
	}
	refused("", "energyd apply --plan "+first.Plan)
	o.Word = sink.Word{Named: true}
	if out, err := o.Apply(t.Context(), first.Plan, time.Now()); err != nil || out.Written != 40 {
		t.Fatalf("the first write-back, sent by its hash: %+v, %v", out, err)
	}
	o.wantHeld(40, 1)

	o.Brakes = sink.Brakes{Changed: 50}
	second := o.plan(40, 2)
	refused(second.Plan, `--override "the reason"`)
	o.Word.Reason = "the points table is new"
	if out, err := o.Apply(t.Context(), second.Plan, time.Now()); err != nil || out.Written != 40 {
		t.Fatalf("with a reason: %+v, %v", out, err)
	}
	o.wantHeld(40, 2)
}

func TestBrakes_OfSource(t *testing.T) {
	now := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	b := sink.Brakes{Rejects: 20, Stale: 72 * time.Hour, From: 20}
	for _, tt := range []struct {
		name    string
		read    sink.Read
		want    string
		confirm bool
	}{
		{"read today", sink.Read{Last: now, Read: 100, Rejected: 20}, "", false},
		{"read three days ago", sink.Read{Last: now.Add(-72 * time.Hour)}, "", false},
		{"not read since", sink.Read{Last: now.Add(-73 * time.Hour)}, "stale", false},
		{"missing in the first write-back", sink.Read{First: true}, "stale", true},
		{"new since", sink.Read{}, "", false},
		{"many are rejected", sink.Read{Last: now, Read: 100, Rejected: 21}, "rejects", false},
		{"all of a few are rejected", sink.Read{Last: now, Read: 19, Rejected: 19}, "", false},
	} {
		held := b.OfSource(tt.read, now)
		if len(held) == 0 && tt.want == "" {
			continue
		}
		if len(held) != 1 || held[0].Name != tt.want || held[0].Confirm != tt.confirm || held[0].What == "" {
			t.Errorf("%s: %+v; want %q", tt.name, held, tt.want)
		}
	}
	if held := (sink.Brakes{}).OfSource(sink.Read{Read: 100, Rejected: 100}, now); len(held) > 0 {
		t.Errorf("brakes that are off hold %v", held)
	}
}

func TestApply_refuses_what_is_too_old(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, 0)
	o.Plans.Expires = time.Hour
	sum := o.plan(1, 1)
	if _, err := o.Apply(t.Context(), sum.Plan, time.Now().Add(2*time.Hour)); fault.KindOf(err) != fault.Conflict ||
		!strings.Contains(err.Error(), "older than 1 hours") || !strings.Contains(fault.HintOf(err), "energyd plan again") {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	if _, err := o.Apply(t.Context(), sum.Plan, time.Now()); err != nil {
		t.Error(err)
	}
}

// How far an energy moves before it is written for that alone is for the configuration to say.
func TestPlan_smallest_change(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1, 0)
	energy := func(v float64) int {
		o.values = map[string]any{"energy_now": v, "band": "温", "reason_1": nil}
		return o.plan(1, 0).Records
	}
	o.values = map[string]any{"energy_now": 100.0, "band": "温", "reason_1": nil}
	o.applied(1, 0)
	for _, tt := range []struct {
		smallest sink.Threshold
		energy   float64
		want     int
	}{
		{sink.Threshold{}, 104.9, 0},
		{sink.Threshold{}, 105, 1},
		{sink.Threshold{Points: 10}, 105, 0},
		{sink.Threshold{Points: 10}, 110, 1},
		{sink.Threshold{Points: 1, Percent: 50}, 149, 0},
	} {
		o.Plans.Smallest = tt.smallest
		if got := energy(tt.energy); got != tt.want {
			t.Errorf("%+v: %g plans %d records, want %d", tt.smallest, tt.energy, got, tt.want)
		}
	}
}

func TestBrakes_Problems(t *testing.T) {
	ps := slices.Concat(sink.Brakes{Changed: -1, Emptied: 101, Rejects: 100, Stale: -1, First: -1, From: -1}.Problems(),
		sink.Plans{Expires: -1, Keep: time.Hour, Smallest: sink.Threshold{Points: -1}}.Problems())
	var paths []string
	for _, p := range ps {
		paths = append(paths, p.Path)
	}
	want := "brakes.changed brakes.emptied brakes.stale brakes.first brakes.from plans.expires plans.keep plans.smallest.points"
	if got := strings.Join(paths, " "); got != want {
		t.Errorf("problems at %s, want %s", got, want)
	}
	if ps := slices.Concat(sink.DefaultBrakes().Problems(), sink.DefaultPlans().Problems()); len(ps) > 0 {
		t.Errorf("the defaults have %v", ps)
	}
}
