package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/pipeline"
)

// TestWhatIf_some: of some customers alone the same is told as of all, the same ones each time, and nothing of what belongs to several.
func TestWhatIf_some(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.sync()
	table, err := config.LoadPoints(c.Config().Points)
	if err != nil {
		t.Fatal(err)
	}
	twelve := 12.0
	visit := table.Kinds["visit"]
	visit.Points = &twelve
	table.Kinds["visit"] = visit
	try := func(customers int) (accounts []string, moved float64, sample int) {
		t.Helper()
		w, err := c.WhatIf(t.Context(), pipeline.Trial{Table: table, Name: "draft", Months: 3, Customers: customers}, "test")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range w.Kinds {
			if k.Kind == engine.CompanyGroup.String() && customers > 0 {
				t.Error("it tells of groups")
			}
			if k.Kind == engine.Account.String() {
				moved = k.Ratio
				for _, m := range k.Movers {
					accounts = append(accounts, m.ID)
				}
			}
		}
		if customers > 0 && (w.Judged != nil || w.People) || w.Candidate != "draft" {
			t.Errorf("of %d: %+v", customers, w)
		}
		return accounts, moved, w.Sample
	}
	all, ratio, none := try(0)
	if none != 0 || ratio <= 1 || len(all) == 0 {
		t.Fatalf("of all: %v move by %v, sample %d", all, ratio, none)
	}
	same, same2, looked := try(1000)
	if diff := cmp.Diff(all, same); diff != "" || same2 != ratio || looked == 0 {
		t.Errorf("of as many as there are: × %v, %d looked at (-all +some):\n%s", same2, looked, diff)
	}
	some, part, three := try(3)
	again, part2, _ := try(3)
	if three != 3 || len(some) > 3 || !cmp.Equal(some, again) || part != part2 {
		t.Errorf("of three: %d looked at, %v and %v move", three, some, again)
	}
}
