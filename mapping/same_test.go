package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

// TestSame: what a record is about, as other sources' records may name it too.
func TestSame(t *testing.T) {
	cfg := &Config{
		Timezone: "Asia/Tokyo",
		Columns:  []string{"day", "account", "call", "uid", "original", "crm_id"},
		Activity: &ActivityRule{At: "day", Kind: "visit", Account: "account", Same: &SameRule{Call: "call", Event: "uid", Start: "original", Record: "crm_id"}},
	}
	m, err := Compile(cfg, Env{Kinds: []string{"visit"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		record map[string]any
		want   *engine.Same
	}{
		"nothing":                        {map[string]any{"original": "2026-09-30 10:00"}, nil},
		"a call":                         {map[string]any{"call": 4711.0}, &engine.Same{Call: "4711"}},
		"an appointment":                 {map[string]any{"uid": " u@example "}, &engine.Same{Event: "u@example"}},
		"a meeting that was moved":       {map[string]any{"uid": "u", "original": "2026-09-30 10:00"}, &engine.Same{Event: "u", Start: "2026-09-30T01:00:00Z"}},
		"a day that was moved":           {map[string]any{"uid": "u", "original": "2026年9月30日"}, &engine.Same{Event: "u", Start: "2026-09-30"}},
		"a record of the CRM and a call": {map[string]any{"call": "1", "crm_id": "00U1"}, &engine.Same{Call: "1", Record: "00U1"}},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]any{"day": "2026-10-01", "account": "001", "call": nil, "uid": nil, "original": nil, "crm_id": nil}
			for column, v := range test.record {
				values[column] = v
			}
			got, err := m.Apply(record(values), testDirectory{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Activity.Same); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err = m.Apply(record(map[string]any{"day": "2026-10-01", "account": "001", "call": nil, "uid": "u", "original": "soon", "crm_id": nil}), testDirectory{})
	if err == nil || !strings.Contains(err.Error(), "activity.same.start") {
		t.Errorf("a start that is none: %v", err)
	}
	cfg.Activity.Same = &SameRule{Start: "original"}
	if _, err := Compile(cfg, Env{Kinds: []string{"visit"}}); err == nil || !strings.Contains(err.Error(), "activity.same.start") {
		t.Errorf("a start of no appointment: %v", err)
	}
}
