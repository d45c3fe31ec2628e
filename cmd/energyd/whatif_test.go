package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/internal/review"
)

// The records that a what-if says would be written are those that the plan has, once the table is exchanged.
func TestWhatIf_countsTheRecordsOfThePlan(t *testing.T) {
	t.Parallel()
	_, file := world(t)
	mustRun(t, exitPartial, "sync", "--config", file)
	points := filepath.Join(filepath.Dir(file), "points.yaml")
	text, err := os.ReadFile(points)
	if err != nil {
		t.Fatal(err)
	}
	next := filepath.Join(filepath.Dir(file), "next.yaml")
	write(t, next, strings.Replace(string(text), "visit:             {points: 6,", "visit:             {points: 7,", 1))
	var w review.WhatIf
	if err := json.Unmarshal([]byte(mustRun(t, 0, "whatif", next, "--json", "--config", file)), &w); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, b := range w.WriteBacks {
		told += b.Changed + b.Version
		t.Logf("%+v", b)
	}
	if err := os.Rename(next, points); err != nil {
		t.Fatal(err)
	}
	out := mustRun(t, 0, "plan", "--json", "--config", file)
	t.Log(out[:min(len(out), 600)])
	var plan struct{ Records int }
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		t.Fatal(err)
	}
	if told == 0 || told != plan.Records {
		t.Errorf("%d records were told, the plan has %d", told, plan.Records)
	}
}
