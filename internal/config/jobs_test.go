package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scheduled is a configuration with these schedules: of all, and of the sources a, b and c.
func scheduled(t *testing.T, all, a, b, c string) (*Config, error) {
	t.Helper()
	source := func(schedule string) string {
		return fmt.Sprintf("{connection: x, table: t, mapping: m.yaml, schedule: %q, missed: skip}", schedule)
	}
	dir := folder(t, map[string]string{"points.yaml": "x", "m.yaml": "x", "energyd.yaml": fmt.Sprintf(`
schedule: %q
timezone: Asia/Tokyo
connections:
  x: {type: readonly, address: a}
sources:
  a: %s
  b: %s
  c: %s
`, all, source(a), source(b), source(c))})
	return Load(filepath.Join(dir, "energyd.yaml"), registry())
}

// TestJobs: the sync comes first, then the sources that have schedules of their own.
func TestJobs(t *testing.T) {
	cfg, err := scheduled(t, "0 2 * * *", "", "every 15m", "after b")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range cfg.Jobs {
		got = append(got, fmt.Sprintf("%s|%s|%s", j.Source, j.Schedule, j.Missed))
	}
	if want := "|0 2 * * *| b|every 15m|skip c|after b|skip"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, " "), want)
	}
	if next := cfg.Jobs[0].Schedule.Next(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); next.Format(time.RFC3339) != "2026-11-23T02:00:00+09:00" {
		t.Errorf("the next night is %s", next)
	}
}

// TestJobs_refused: a schedule by which nothing would ever be read is a problem at its place.
func TestJobs_refused(t *testing.T) {
	for _, tt := range []struct{ all, a, b, c, want string }{
		{"0 0 31 2 *", "", "", "", "energyd.yaml:2:11: schedule \"0 0 31 2 *\": names a date that never comes"},
		{"watch", "", "", "", "only sources wait for something"},
		{"", "often", "", "", "energyd.yaml:7:"},
		{"", "after d", "", "", `there is no source "d"; did you mean "a"?`},
		{"", "after b", "", "", "b has no schedule of its own"},
		{"", "after c", "after a", "after b", "the sources wait for each other: a after c after b after a"},
		{"", "after a", "", "", "the sources wait for each other: a after a"},
	} {
		if _, err := scheduled(t, tt.all, tt.a, tt.b, tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v", tt, err)
		}
	}
}
