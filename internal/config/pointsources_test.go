package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStrangeSources: a wrong name of a source is found with the one that was meant; one of a source that is switched off is not.
func TestStrangeSources(t *testing.T) {
	text, err := os.ReadFile("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""}, // report_file and mail are no sources here
		{"  daily_report: report", "  dayly_report: report", `:3: energyd.yaml has no source "dayly_report"; did you mean "daily_report"?`},
		{"source_factors: {}", "source_factors: {event: 0.5}", `energyd.yaml has no source "event"; did you mean "events"?`},
		{"  kind: [report, crm,", "  kind: [reprot, crm,", `"reprot" is neither a source of energyd.yaml nor what sources are; did you mean "report"?`},
		{"  kind: [report, crm,", "  kind: [tasks, daily_report, crm,", ""},
		{"  kind: [report, crm,", "  kind: [zzz, crm,", `"zzz" is neither a source of energyd.yaml nor what sources are; known are `},
	} {
		file := filepath.Join(t.TempDir(), "points.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := StrangeSources(file, []string{"tasks", "events", "emails", "daily_report"})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" && got != nil || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].String(), c.want)) {
			t.Errorf("%s: %v", c.new, got)
		}
	}
}
