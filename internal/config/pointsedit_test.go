package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/configs"
	"energyd/engine"
)

// New numbers come into a points file as if a person had typed them: nothing else of it moves.
func TestEditPoints(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "points.yaml")
	if err := os.WriteFile(file, configs.Points, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := EditPoints(file, PointsEdit{
		Version: "next", HalfLifePath: "half_life_days", HalfLife: 14.5,
		Kinds: []KindPoints{
			{Kind: "visit", All: true, Points: 9},
			{Kind: "mail", Direction: engine.Inbound, Points: 10},
			{Kind: "mail", Direction: engine.Outbound, Points: 0},
			{Kind: "meal", Direction: engine.Inbound, Points: 7},
		},
		Ranks: map[string]float64{"chief": 1.2, "president": 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	was, now := strings.Split(string(configs.Points), "\n"), strings.Split(string(text), "\n")
	if len(was) != len(now) {
		t.Fatalf("%d lines became %d", len(was), len(now))
	}
	var changed []string
	for i := range was {
		if was[i] != now[i] {
			changed = append(changed, strings.TrimSpace(now[i]))
		}
	}
	want := []string{
		`version: "next"        # your name for this edition; it appears in explanations`,
		`visit:             {points: 9, meeting: true, family: meeting, label: {ja: 訪問, en: visit}}`,
		`meal:              {in: 7, points: 6, meeting: true, family: meeting, label: {ja: 会食, en: business meal}}`,
		`mail:              {in: 10, out: 0, mutual: 1, family: mail, label: {ja: メール, en: mail}}`,
		`chief:              {points: 1.2, class: staff, label: {ja: 主任, en: chief}}`,
		`president:          {points: 4, class: executive, label: {ja: 社長, en: president}}`,
		`half_life_days: 14.5`,
	}
	if got := strings.Join(changed, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("changed lines:\n%s", got)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPoints(file); err != nil {
		t.Errorf("the new edition cannot be loaded: %v", err)
	}
}

func TestEditPointsInBlockStyle(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "points.yaml")
	if err := os.WriteFile(file, []byte("version: '1'\nkinds:\n  訪問:\n    points: 10 # how\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := EditPoints(file, PointsEdit{Version: "2", Kinds: []KindPoints{{Kind: "訪問", Direction: engine.Inbound, Points: 3}, {Kind: "訪問", All: true, Points: 12}}})
	if want := "version: \"2\"\nkinds:\n  訪問:\n    in: 3\n    points: 12 # how\n"; err != nil || string(text) != want {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := EditPoints(file, PointsEdit{Version: "2", Ranks: map[string]float64{"chief": 1}}); err == nil {
		t.Error("a rank that the file does not have was changed")
	}
}
