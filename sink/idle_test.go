package sink_test

import (
	"testing"
	"time"
)

// Customers whose values did not move cost nothing, however many are looked at: no record is
// read, none is written.
func TestPlan_of_unchanged_records_costs_nothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2500, 2000) // more than are compared at once
	o.applied(2500, 1)
	o.unchanged(2500)
}

// unchanged plans and applies what the CRM holds already.
func (o *office) unchanged(n int) {
	o.Helper()
	before := len(o.org.Log())
	sum := o.plan(n, 1)
	if sum.Records != 0 || sum.Unchanged != n || sum.Calls != 0 {
		o.Errorf("planned %d of %d, with %d calls", sum.Records, sum.Unchanged, sum.Calls)
	}
	if out, err := o.Apply(o.Context(), sum.Plan, time.Now()); err != nil || out.Planned != 0 {
		o.Errorf("%+v, %v", out, err)
	}
	// The object's description, and the CRM's clock.
	if calls := o.calls(before); len(calls) > 2 {
		o.Errorf("it called %v", calls)
	}
}

// A night in which all of 100,000 accounts are looked at and none has changed.
func BenchmarkPlan_unchanged(b *testing.B) {
	const accounts = 100_000
	o := newOffice(b, accounts, 2000)
	o.applied(accounts, 1)
	b.ReportAllocs()
	for b.Loop() {
		o.unchanged(accounts)
	}
}
