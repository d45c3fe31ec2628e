package pipeline_test

import (
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/sink"
)

// process runs one step as a command would: over connections of its own.
func (c company) process(step func(*pipeline.Pipeline) (pipeline.Report, error)) (pipeline.Report, error) {
	c.Helper()
	p := open(c.T, c.world.Config, engine.NoDate)
	defer func() {
		if err := p.Close(); err != nil {
			c.Error(err)
		}
	}()
	return step(p)
}

// calls counts the calls that the CRM counts.
func (c company) calls() int {
	n := 0
	for _, r := range c.world.CRM().Log() {
		if strings.HasPrefix(r.Path, "/services/data/v") {
			n++
		}
	}
	return n
}

// parked fails unless a run ended parked.
func (c company) parked(r pipeline.Report, says string) {
	c.Helper()
	kept, err := c.Store().Run(c.Context(), r.Run)
	if err != nil {
		c.Fatal(err)
	}
	if r.State != store.Parked || kept.State != store.Parked || !strings.Contains(kept.Message, says) || !strings.Contains(kept.Message, "what to do") {
		c.Errorf("the run is %s, kept as %s: %s; want it parked, with %q", r.State, kept.State, kept.Message, says)
	}
}

func activities(t *testing.T, p *pipeline.Pipeline) (n int) {
	t.Helper()
	for _, err := range p.Store().Activities(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func pull(c company) func(*pipeline.Pipeline) (pipeline.Report, error) {
	return func(p *pipeline.Pipeline) (pipeline.Report, error) { return p.Pull(c.Context()) }
}

// C57: what a run has read before it was parked stays, and the next one goes on there.
func TestBudget_ParksAPull(t *testing.T) {
	calm := newCompany(t)
	calm.planned()
	c := newCompany(t)
	c.inject(crmsim.Fault{Name: "quota", Max: 60})
	r, _ := c.process(pull(c))
	c.parked(r, "this run has made 6 calls, which is 10 % of the 60")
	if n := c.calls(); n != 6 {
		t.Errorf("%d calls in the first run; want its share of 6", n)
	}
	if cursor, err := c.Store().Cursor(t.Context(), "users"); err != nil || cursor == "" {
		t.Errorf("the first source was not kept: %q, %v", cursor, err)
	}
	r, _ = c.process(pull(c))
	c.parked(r, "energyd has made 12 calls in 24 hours")
	r, _ = c.process(pull(c)) // which may ask whether the limit has changed
	c.parked(r, "energyd has made 13 calls in 24 hours")
	if n := c.calls(); n != 13 {
		t.Errorf("%d calls in three runs; want the day's share of 12, and one that asks", n)
	}
	s, err := c.Status(t.Context())
	if err != nil || len(s.Budgets) != 1 {
		t.Fatalf("%+v, %v", s.Budgets, err)
	}
	want := connectors.Usage{Used: 13, Limit: 60, Run: 1, Day: 13, Ceiling: connectors.PerDay}
	if b := s.Budgets[0]; b.Connection != "crm" || b.Usage != want || b.Seen.IsZero() {
		t.Errorf("the budget is kept as %+v", b)
	}
	c.inject(crmsim.Fault{Name: "quota", Max: 15_000})
	if r, err := c.process(pull(c)); err != nil || r.State == store.Parked || r.State == store.Failed {
		t.Errorf("with calls again: %s, %v, %v", r.State, r.Notes, err)
	}
	if got, want := activities(t, c.Pipeline), activities(t, calm.Pipeline); got != want || got < 100 {
		t.Errorf("%d activities; a run that was never parked stores %d", got, want)
	}
}

func TestBudget_ParksAPlan(t *testing.T) {
	calm := newCompany(t)
	want := calm.planned()
	c := newCompany(t)
	if _, err := c.process(pull(c)); err != nil {
		t.Fatal(err)
	}
	c.inject(crmsim.Fault{Name: "quota", Used: 10_498, Max: 15_000})
	plan := func(p *pipeline.Pipeline) (pipeline.Report, error) {
		r, sum, err := p.Plan(t.Context())
		if err == nil && sum.Records != want.Records {
			t.Errorf("%d records planned; want %d", sum.Records, want.Records)
		}
		return r, err
	}
	r, err := c.process(plan)
	if fault.KindOf(err) != fault.Quota {
		t.Fatalf("%v", err)
	}
	c.parked(r, "10500 of the 15000 calls")
	c.inject(crmsim.Fault{Name: "quota", Max: 15_000})
	if _, err := c.process(plan); err != nil {
		t.Error(err)
	}
}

// An apply that is parked again and again sends each change once.
func TestBudget_ParksAnApply(t *testing.T) {
	c := newCompany(t)
	sum := c.planned()
	var out sink.Outcome
	parked := 0
	for n := 1; ; n++ {
		if n > 40 {
			t.Fatal("it comes to no end")
		}
		c.inject(crmsim.Fault{Name: "quota", Used: 10_500 - n, Max: 15_000})
		r, err := c.process(func(p *pipeline.Pipeline) (r pipeline.Report, err error) {
			r, out, err = p.Apply(t.Context(), "")
			return r, err
		})
		if err == nil {
			break
		}
		parked++
		if fault.KindOf(err) != fault.Quota {
			t.Fatal(err)
		}
		c.parked(r, "are left to people")
		if out.Written == out.Planned {
			t.Error("all is written, and the run is parked")
		}
	}
	if parked < 2 || out.Planned != sum.Records || out.Written != sum.Records {
		t.Errorf("parked %d times, then %+v; the plan has %d records", parked, out, sum.Records)
	}
	written := 0
	for _, r := range c.world.CRM().Log() {
		if r.Method == "PATCH" && r.Status == 200 {
			written += r.Rows
		}
	}
	if written != sum.Records {
		t.Errorf("%d records sent; the plan has %d", written, sum.Records)
	}
	c.inject(crmsim.Fault{Name: "quota", Max: 15_000})
	if _, again, err := c.Plan(t.Context()); err != nil || again.Records != 0 {
		t.Errorf("there is more to write: %+v, %v", again, err)
	}
}
