package pipeline_test

import (
	"math"
	"testing"

	"energyd/engine"
	"energyd/internal/fault"
)

// TestCustomer: what the page of a customer shows is what explain and the ledger say, and its parts fit together.
func TestCustomer(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.sync()
	ctx := t.Context()
	why, err := c.Explain(ctx, "K0001")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Customer(ctx, why.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Why.Temperature != why.Temperature || len(got.Why.Parts) != len(why.Parts) || got.Name != why.Name || got.OwnerName == "" || got.Link == "" {
		t.Errorf("%+v of %q, owned by %q at %q, is not what explain says: %+v", got.Why, got.Name, got.OwnerName, got.Link, why)
	}
	for _, r := range got.Course {
		if r.Date == c.AsOf() && r.Temperature != why.Temperature {
			t.Errorf("the course has %v today, not %v", r.Temperature, why.Temperature)
		}
	}
	if len(got.Steps) == 0 || got.Steps[0].Date.String() != why.BandUntil {
		t.Errorf("the next step is %+v, and the band stands until %s", got.Steps, why.BandUntil)
	}
	if last := got.Course[len(got.Course)-1]; last.Date < got.Steps[len(got.Steps)-1].Date {
		t.Errorf("the course ends on %v, before the last step", last.Date)
	}
	last, contacts := engine.NoDate, 0
	for i, m := range got.Met {
		if i > 0 && m.Last > last {
			t.Errorf("%+v was met after the one before", m)
		}
		last, contacts = m.Last, contacts+m.Contacts
	}
	if contacts == 0 || contacts < len(got.Met) {
		t.Errorf("%d people were met %d times", len(got.Met), contacts)
	}
	deals := 0
	for p, err := range c.Store().Profiles(ctx, engine.Deal) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Account == why.ID {
			deals++
		}
	}
	if len(got.Deals) != deals || deals == 0 {
		t.Errorf("%d of %d deals", len(got.Deals), deals)
	}
	if math.Abs(got.Score.Temperature-why.Temperature) > 0 {
		t.Errorf("the score says %v", got.Score.Temperature)
	}
	if _, err := c.Customer(ctx, "001nobody"); fault.KindOf(err) != fault.Config {
		t.Errorf("a customer that nobody told of: %v", err)
	}
	if en, err := c.In("en").Customer(ctx, why.ID); err != nil || en.Why.Band == got.Why.Band {
		t.Errorf("in English its band is %q as in Japanese (%v)", en.Why.Band, err)
	}
}

// TestNames: customers are found by a part of their name, by code and by id, the best fit first.
func TestNames(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.sync()
	ctx := t.Context()
	why, err := c.Explain(ctx, "K0001")
	if err != nil {
		t.Fatal(err)
	}
	names, err := c.Names(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{why.ID, why.Name, "K0001", "ｋ０００１", " " + why.Name + " "} {
		if found, _ := names.Find(typed, 10, nil); len(found) == 0 || found[0].ID != why.ID || found[0].Code != "K0001" {
			t.Errorf("%q finds %+v", typed, found)
		}
	}
	found, all := names.Find("株式会社", 3, nil)
	if len(found) != 3 || all <= 3 {
		t.Errorf("%d of %d for what nearly all are called", len(found), all)
	}
	for _, typed := range []string{"", "  ", "・", "no such company"} {
		if found, all := names.Find(typed, 10, nil); len(found) != 0 || all != 0 {
			t.Errorf("%q finds %+v", typed, found)
		}
	}
}
