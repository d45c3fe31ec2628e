package main

import (
	"bytes"
	"strconv"
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

// TestPrintGroup: each account of a group is told with what it gives and its three largest contacts.
func TestPrintGroup(t *testing.T) {
	var out strings.Builder
	a := &app{out: &out}
	e := explain.Explanation{Kind: "group", ID: "G", Name: "青葉", AsOf: "2026-05-31", Temperature: 17.5, Band: "温",
		Accounts: []explain.GroupAccount{{ID: "A", Name: "青葉 本社", Points: 24, Share: 11.5, Contacts: 4}, {ID: "B", Points: 6, Share: 6, Contacts: 1}}}
	for _, account := range []string{"A", "A", "B", "A", "A"} {
		e.Parts = append(e.Parts, explain.Part{Account: account, Date: "2026-05-0" + strconv.Itoa(len(e.Parts)+1), Kind: "訪問", People: []string{"山田（部長）"}, Share: 6})
	}
	a.printGroup(e)
	for _, want := range []string{"group G 青葉", "17.500", "11.500", "2026-05-04 訪問 山田（部長） 6.000", "B "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "2026-05-05") {
		t.Errorf("the fourth contact of an account is told:\n%s", out.String())
	}
}
