package adversity

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/sink"
)

// met is what a step came to.
type met struct {
	pipeline.Report
	Errors []error // all that it says went wrong
	Sent   *sink.Outcome
}

func end(r pipeline.Report, err error) met {
	m := met{Report: r, Errors: r.Errors}
	if err != nil {
		m.Errors = append(m.Errors, err)
	}
	return m
}

// steps are what energyd does with the CRM, in the order of a first day, each with the stage at which it begins.
var steps = []struct {
	name, from string
	take       func(*company) met
}{
	{"check", fresh, func(c *company) (m met) {
		for _, f := range c.Check(c.Context()) {
			if f.Err != nil {
				m.Errors = append(m.Errors, f.Err)
			}
		}
		return m
	}},
	{"survey", fresh, func(c *company) met {
		_, err := c.Survey(c.Context(), "crm", pipeline.SurveyOptions{Items: []string{"Task"}, Rows: 50})
		return end(pipeline.Report{}, err)
	}},
	{"fields", fresh, func(c *company) met {
		_, err := c.MakeFields(c.Context())
		return end(pipeline.Report{}, err)
	}},
	{"pull", fresh, func(c *company) met { return end(c.Pull(c.Context())) }},
	{"plan", pulled, func(c *company) met {
		r, _, err := c.Plan(c.Context())
		return end(r, err)
	}},
	{"apply", planned, func(c *company) met {
		r, out, err := c.Apply(c.Context(), "")
		m := end(r, err)
		m.Sent = &out
		return m
	}},
	{"recount", applied, func(c *company) met {
		r, _, err := c.Recount(c.Context(), true)
		return end(r, err)
	}},
	{"undo", applied, func(c *company) met {
		r, u, err := c.Undo(c.Context(), kept.wrote, "")
		m := end(r, err)
		m.Sent = &u.Outcome
		return m
	}},
}

// meeting is one setting of a fault switch, and what it comes to at the steps.
type meeting struct {
	crmsim.Fault // its Name stands before it, and is filled in
	// shows has the steps that it stops, with the kind of what they say, or told where they come to their end and tell
	// of something. The others must not notice.
	shows map[string]fault.Kind
	// Of the configuration: as the switch needs it.
	edit edit
	// again: the fault comes at any moment, again and again.
	again bool
	// resend: what was refused for good is sent again by a person's word.
	resend bool
	// after are the faults that take back what outlives the CRM's restart, or that let time pass.
	after []crmsim.Fault
}

const told fault.Kind = "told"

// everywhere is a fault that no step overcomes.
func everywhere(kind fault.Kind) map[string]fault.Kind {
	shows := map[string]fault.Kind{}
	for _, s := range steps {
		shows[s.name] = kind
	}
	return shows
}

var meetings = map[string][]meeting{
	"status": {
		{Fault: crmsim.Fault{Status: 503, Body: "<html>"}, shows: everywhere(fault.Unavailable)},
		{Fault: crmsim.Fault{Cut: "before"}, shows: everywhere(fault.Unavailable)},
		{Fault: crmsim.Fault{Cut: "middle", Skip: 2}, shows: everywhere(fault.Unavailable)},
		{Fault: crmsim.Fault{Cut: "after", Match: "* /services/data/"}, shows: everywhere(fault.Unavailable)},
		{Fault: crmsim.Fault{Status: 500, Times: 2, Skip: 2}},
	},
	"slow":       {{Fault: crmsim.Fault{DelayMS: 3}}},
	"concurrent": {{shows: everywhere(fault.RateLimited)}, {Fault: crmsim.Fault{Times: 2}}},
	"expire":     {{Fault: crmsim.Fault{Skip: 2}}},
	"rotate":     {{edit: edit{"client_secret: ${file:crm-secret}", "client_secret: ${file:crm-secret}\n    refresh_token: ${file:refresh}"}}},
	"quota":      {{Fault: crmsim.Fault{Used: 1000, Max: 1000}, shows: everywhere(fault.Quota)}},
	// Seven rows a page, so that there are locators to drop.
	"drop_locators": {{again: true}},
	"page_max":      {{Fault: crmsim.Fault{Rows: 7}}},
	"query_timeout": {{Fault: crmsim.Fault{Rows: 3}, shows: map[string]fault.Kind{"recount": fault.Config}}},
	"commit_delay":  {{Fault: crmsim.Fault{DelayMS: 600_000}, shows: map[string]fault.Kind{"undo": told}}},
	"trigger":       {{shows: refused, resend: true}},
	"lock":          {{shows: refused}},
	"validation": {{Fault: crmsim.Fault{Object: "Account", Field: "Energy__c", Bound: 50, Message: "温度は50以下です"},
		shows: map[string]fault.Kind{"apply": told}, resend: true}},
	"fls": {
		{Fault: crmsim.Fault{Object: "Account", Field: "Energy__c", Access: "hidden"}, after: []crmsim.Fault{{Object: "Account", Field: "Energy__c", Access: "editable"}},
			shows: map[string]fault.Kind{"check": fault.Config, "plan": fault.Config, "apply": fault.Config, "undo": told}},
		{Fault: crmsim.Fault{Object: "Contact", Field: "Energy_Band__c", Access: "readonly"}, after: []crmsim.Fault{{Object: "Contact", Field: "Energy_Band__c", Access: "editable"}},
			shows: map[string]fault.Kind{"check": fault.Config, "plan": fault.Config, "apply": fault.Auth, "undo": told}},
	},
	"right": {{Fault: crmsim.Fault{Field: "CustomizeApplication", Access: "none"}, after: []crmsim.Fault{{Field: "CustomizeApplication"}},
		edit:  edit{"# trend: Energy_Trend__c", "trend: Energy_Trend__c"},
		shows: map[string]fault.Kind{"check": fault.Config, "fields": fault.Auth, "plan": fault.Config}}},
	"clock": {{Fault: crmsim.Fault{AdvanceS: 7200}}, {Fault: crmsim.Fault{AdvanceS: -7200}}},
	"bulk": {
		{Fault: crmsim.Fault{Message: "InternalServerError"}, edit: byJobs, shows: refused},
		{Fault: crmsim.Fault{Flaws: []string{"limit_exceeded"}}, edit: byJobs, shows: map[string]fault.Kind{"apply": fault.Quota, "undo": fault.Quota}},
		{Fault: crmsim.Fault{Flaws: []string{"wrong_count"}}, edit: byJobs, shows: map[string]fault.Kind{"pull": fault.Unavailable, "recount": fault.Unavailable}},
		{Fault: crmsim.Fault{Flaws: []string{"shuffle", "nul"}, Polls: 2}, edit: byJobs},
	},
	"edit": {{Fault: crmsim.Fault{Change: "update", Object: "Account", Values: map[string]any{"Energy_Reason_1__c": "社長と会食"}},
		shows: map[string]fault.Kind{"apply": told, "undo": told}}},
	// All that no public source settles, other than usual.
	"known": {{}},
}

var (
	refused = map[string]fault.Kind{"apply": told, "undo": told}
	byJobs  = edit{"type: salesforce\n", "type: salesforce\n    bulk_from: 1\n    write_bulk_from: 1\n"}
)

func TestEverySwitch_is_met(t *testing.T) {
	t.Parallel()
	if got, want := slices.Sorted(maps.Keys(meetings)), slices.Sorted(slices.Values(crmsim.Switches)); !slices.Equal(got, want) {
		t.Errorf("the CRM has the switches\n%v, meetings has\n%v", want, got)
	}
}

// TestEveryFault_at_every_step: whatever the CRM does to a step, the sums balance (rule 1), what is said tells where,
// what and what to do, and when the fault is over a night leaves what a calm night leaves.
func TestEveryFault_at_every_step(t *testing.T) {
	t.Parallel()
	for name, settings := range meetings {
		for i, m := range settings {
			m.Name = name
			for _, from := range []string{fresh, pulled, planned, applied} {
				t.Run(fmt.Sprintf("%s/%d/%s", name, i, from), func(t *testing.T) {
					t.Parallel()
					m.meets(standing(t, from), from)
				})
			}
		}
	}
}

// meets takes the steps of a stage under the fault, lets it end, and takes the rest of the night.
func (m meeting) meets(c *company, from string) {
	c.start()
	c.write("refresh", "RT")
	c.open(pipeline.Options{AsOf: kept.asOf}, m.edit)
	edited := c.account("K0014")
	undone := false
	for _, s := range steps {
		if s.from != from {
			continue
		}
		undone = undone || s.name == "undo"
		stop := m.begin(c, edited)
		got := s.take(c)
		stop()
		c.balanced()
		m.wellTold(c, s.name, got)
	}
	c.sleep()
	c.start()
	for _, f := range m.after {
		f.Name = m.Name
		c.inject(f)
	}
	want := kept.calm
	want.CRM = maps.Clone(want.CRM)
	if undone {
		want.CRM = maps.Clone(kept.bare)
	}
	if m.Name == "edit" {
		c.inject(crmsim.Fault{Name: "clock", AdvanceS: 3600}) // what was saved just now is not read yet
		if from == planned || from == applied {               // what stood there before the first plan was in that plan
			want.CRM[edited] = maps.Clone(want.CRM[edited])
			maps.Copy(want.CRM[edited], m.Values)
		}
	}
	c.open(pipeline.Options{AsOf: kept.asOf, Resend: m.resend})
	c.endsAs(want, undone)
}

// begin switches the fault on; stop ends only what comes again and again.
func (m meeting) begin(c *company, edited string) (stop func()) {
	f := m.Fault
	if f.Name == "edit" {
		f.ID = edited
	}
	if f.Name == "known" {
		for line, outcomes := range crmsim.Outcomes {
			c.inject(crmsim.Fault{Name: f.Name, Line: line, Outcome: outcomes[1]})
		}
		return func() {}
	}
	if !m.again {
		c.inject(f)
		return func() {}
	}
	c.inject(crmsim.Fault{Name: "page_max", Rows: 7})
	over := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(2 * time.Millisecond):
				_ = c.world.CRM().Inject(f) // it has no settings to be wrong in
			}
		}
	})
	return func() { close(over); wait.Wait() }
}

// wellTold holds what a step said.
func (m meeting) wellTold(c *company, step string, got met) {
	c.Helper()
	want := m.shows[step]
	for _, err := range got.Errors {
		if fault.KindOf(err) != want {
			c.Errorf("%s says %v (%s); want %q", step, err, fault.KindOf(err), want)
		}
		var f *fault.Error
		if where := errors.As(err, &f) && f.Op != "" || strings.Contains(err.Error(), "energyd.yaml:"); !where {
			c.Errorf("%s does not say where: %v", step, err)
		}
		if fault.HintOf(err) == "" && !strings.Contains(err.Error(), "what to do") {
			c.Errorf("%s does not say what to do: %v", step, err)
		}
	}
	if want != "" && want != told && len(got.Errors) == 0 {
		c.Errorf("%s does not notice: %s %q; want %s", step, got.State, got.Notes, want)
	}
	var state store.RunState
	switch {
	case got.Run == "":
	case want == fault.Quota:
		state = store.Parked
	case want == told, want == "" && step == "pull": // the demo's three bad reports
		state = store.Partial
	case want == "":
		state = store.OK
	default:
		state = store.Failed
	}
	if got.State != state || state != "" && state != store.OK && len(got.Notes) == 0 {
		c.Errorf("%s ends as %q, %q; want %q", step, got.State, got.Notes, state)
	}
	if out := got.Sent; out != nil && (out.Planned != out.Written+out.Rejected+out.Deferred+out.Edited+out.Parked || out.Parked < 0) {
		c.Errorf("%s does not account for all that was planned: %+v", step, out)
	}
	for r, err := range c.Rejects(c.Context(), pipeline.RejectFilter{}) {
		if err != nil || r.Reason == "" || r.ToDo == "" {
			c.Errorf("%s: a reject does not tell why, or what to do: %+v, %v", step, r, err)
		}
	}
}
