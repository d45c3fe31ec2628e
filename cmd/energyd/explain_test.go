package main

import (
	"bytes"
	"strings"
	"testing"

	"energyd/engine"
	"energyd/internal/explain"
)

// TestPrintExplanation_members: each record of a contact has a line, with what the contact has of it.
func TestPrintExplanation_members(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	a.printExplanation(explain.Explanation{Kind: "account", ID: "A", Parts: []explain.Part{{
		Date: "2026-03-10", Kind: "訪問", Points: 6, Share: 6, Source: "daily_report", Record: "42", Mapping: "daily.yaml:14",
		Members: []explain.Member{
			{Source: "daily_report", Record: "42", Mapping: "daily.yaml:14", Gave: []engine.Given{engine.GaveKind, engine.GaveCues}},
			{Source: "events", Record: "00U1", Mapping: "event.yaml:16", Gave: []engine.Given{engine.GaveTime}},
			{Source: "tasks", Record: "00T1", Mapping: "task.yaml:9"},
		},
	}}}, 10)
	var rows []string
	for line := range strings.Lines(out.String()) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	want := "2026-03-10 6.000 6.000 訪問 daily_report/42 (kind, cues) daily.yaml:14\n" +
		"= events/00U1 (time) event.yaml:16\n= tasks/00T1 task.yaml:9"
	if got := strings.Join(rows, "\n"); !strings.HasSuffix(got, want) {
		t.Errorf("printed\n%s\nwant at its end\n%s", got, want)
	}
}
