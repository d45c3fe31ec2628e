package sink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/sink"
)

// write plans and applies what round wants of the first n accounts.
func (o *office) write(n, round int) sink.Summary {
	o.Helper()
	sum := o.plan(n, round)
	if out, err := o.Apply(o.Context(), sum.Plan, time.Now()); err != nil || !out.Whole() {
		o.Fatalf("%+v, %v", out, err)
	}
	return sum
}

// undo takes back what a plan wrote.
func (o *office) undo(of sink.Summary, record string) (sink.Summary, sink.Outcome, error) {
	o.Helper()
	o.run++
	sum, err := o.PlanUndo(o.Context(), fmt.Sprintf("run%02d", o.run), of, record, time.Now())
	if err != nil {
		return sum, sink.Outcome{}, err
	}
	out, err := o.Apply(o.Context(), sum.Plan, time.Now())
	return sum, out, err
}

func (o *office) mustUndo(of sink.Summary, record string) sink.Summary {
	o.Helper()
	sum, out, err := o.undo(of, record)
	if err != nil || !out.Whole() {
		o.Fatalf("%+v, %+v, %v", sum, out, err)
	}
	return sum
}

// held gives what the org holds in our fields.
func (o *office) held() map[string][3]any {
	o.Helper()
	all := make(map[string][3]any, len(o.ids))
	for _, id := range o.ids {
		row, _ := o.org.Get("Account", id)
		all[id] = [3]any{row["Energy__c"], row["Energy_Band__c"], row["Energy_Reason_1__c"]}
	}
	return all
}

func (o *office) wantOrg(want map[string][3]any) {
	o.Helper()
	if diff := cmp.Diff(want, o.held()); diff != "" {
		o.Errorf("the org differs (-want +got):\n%s", diff)
	}
}

// An undo restores what was there, reads it back, and the next plan does not write the same again until the values move.
func TestUndo_restores_and_holds_back(t *testing.T) {
	for name, tt := range map[string]struct{ records, bulkFrom int }{
		"collections":              {30, 0},
		"job":                      {30, 10},
		"changes are asked for at": {2100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := tt.records
			o := newOffice(t, n, tt.bulkFrom)
			o.write(n, 1)
			before := o.held()
			night := o.write(n, 2)
			undo := o.mustUndo(night, "")
			o.wantOrg(before)
			if v, err := o.Verify(t.Context(), undo.Run); err != nil || v.Fields != 2*n || v.Held != 2*n {
				t.Errorf("read back: %+v, %v", v, err)
			}
			for range 2 {
				again := o.plan(n, 2)
				if again.Records != 0 || again.HeldCount != n || again.Held[0].Undo != undo.Run || again.Held[0].Name != "x" {
					t.Fatalf("the plan of the same values: %+v", again)
				}
			}
			moved := o.write(n, 3)
			if moved.Records != n || moved.HeldCount != 0 || moved.KeptCount != 0 {
				t.Errorf("the plan of other values: %+v", moved)
			}
			if again := o.plan(n, 3); again.Records != 0 || again.HeldCount != 0 {
				t.Errorf("after them: %+v", again)
			}
		})
	}
}

// A measure that drifts every day is held back until it moves by more than a drift.
func TestUndo_holds_back_what_drifts(t *testing.T) {
	o := newOffice(t, 1, 0)
	o.values = map[string]any{"energy_now": 50.0, "band": "温", "reason_1": "x"}
	o.mustUndo(o.write(1, 1), "")
	o.values = map[string]any{"energy_now": 49.2, "band": "温", "reason_1": "x"}
	if drifted := o.plan(1, 1); drifted.Records != 0 || drifted.HeldCount != 1 {
		t.Errorf("a little cooler: %+v", drifted)
	}
	o.values = map[string]any{"energy_now": 45.0, "band": "温", "reason_1": "x"}
	if fallen := o.write(1, 1); fallen.Fields != 3 {
		t.Errorf("noticeably cooler: %+v", fallen)
	}
}

func TestUndo_of_one_record(t *testing.T) {
	o := newOffice(t, 5, 0)
	night := o.write(5, 1)
	want := o.held()
	want[o.ids[2]] = [3]any{nil, nil, nil}
	if sum := o.mustUndo(night, o.ids[2]); sum.Records != 1 {
		t.Errorf("%+v", sum)
	}
	o.wantOrg(want)
	if _, _, err := o.undo(night, "001000000000000AAA"); fault.KindOf(err) != fault.Config {
		t.Errorf("a record that the run did not write: %v", err)
	}
}

// What a person changed since is kept and told, field by field, whenever it happens.
func TestUndo_keeps_foreign_edits(t *testing.T) {
	edit := func(o *office, i int) {
		o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: o.ids[i], Change: "update", Values: map[string]any{"Energy_Band__c": "重要"}})
	}
	t.Run("between apply and undo", func(t *testing.T) {
		o := newOffice(t, 5, 0)
		night := o.write(5, 1)
		edit(o, 3)
		sum := o.mustUndo(night, "")
		want := o.held()
		if len(sum.Kept) != 1 || sum.Kept[0].Theirs != "重要" || sum.Kept[0].Later || sum.Fields != 2*5-1 {
			t.Errorf("%+v", sum)
		}
		if want[o.ids[3]] != [3]any{nil, "重要", nil} {
			t.Errorf("the edited record holds %v", want[o.ids[3]])
		}
		// Nor does the next night take it for ours.
		if again := o.write(5, 2); again.KeptCount != 1 || o.held()[o.ids[3]][1] != "重要" {
			t.Errorf("the next night: %+v, %v", again, o.held()[o.ids[3]])
		}
	})
	t.Run("between the undo's plan and its sending", func(t *testing.T) {
		o := newOffice(t, 5, 0)
		night := o.write(5, 1)
		sum, err := o.PlanUndo(t.Context(), "undo", night, "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		edit(o, 3)
		out, err := o.Apply(t.Context(), sum.Plan, time.Now())
		if err != nil || out.Edited != 1 || out.Written != 4 || o.held()[o.ids[3]][1] != "重要" {
			t.Errorf("%+v, %v; the record holds %v", out, err, o.held()[o.ids[3]])
		}
	})
	t.Run("a record that is gone", func(t *testing.T) {
		o := newOffice(t, 5, 0)
		night := o.write(5, 1)
		if err := o.org.Delete("Account", o.ids[3]); err != nil {
			t.Fatal(err)
		}
		if sum := o.mustUndo(night, ""); sum.Missing != 1 || sum.Records != 4 {
			t.Errorf("%+v", sum)
		}
	})
}

// Runs are undone from the last one back; an older one is told to wait.
func TestUndo_of_several_runs(t *testing.T) {
	o := newOffice(t, 3, 0)
	empty := o.held()
	first := o.write(3, 1)
	afterFirst := o.held()
	second := o.write(3, 2)

	if sum, _, err := o.undo(first, ""); err != nil || sum.Records != 0 || sum.KeptCount != 6 || !sum.Kept[0].Later {
		t.Errorf("an older run: %+v, %v", sum, err)
	}
	o.mustUndo(second, "")
	o.wantOrg(afterFirst)
	o.mustUndo(first, "")
	o.wantOrg(empty)
	// The score still gives the second run's values: they are what is held back.
	if again := o.plan(3, 2); again.Records != 0 || again.HeldCount != 3 {
		t.Errorf("the next plan: %+v", again)
	}
}

func TestUndo_of_an_undo(t *testing.T) {
	o := newOffice(t, 3, 0)
	night := o.write(3, 1)
	written := o.held()
	undo := o.mustUndo(night, "")
	if sum, _, err := o.undo(night, ""); err != nil || sum.Records != 0 || sum.Unchanged != 3 {
		t.Errorf("a second time: %+v, %v", sum, err)
	}
	o.mustUndo(undo, "")
	o.wantOrg(written)
	if again := o.plan(3, 1); again.Records != 0 || again.HeldCount != 0 {
		t.Errorf("the next plan: %+v", again)
	}
}

// C42 across an undo: what the CRM refused stays refused.
func TestUndo_forgets_no_refusal(t *testing.T) {
	o := newOffice(t, 10, 0)
	o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 104, Message: "x"})
	night := o.plan(10, 1)
	if _, err := o.Apply(t.Context(), night.Plan, time.Now()); err != nil {
		t.Fatal(err)
	}
	if sum := o.mustUndo(night, ""); sum.Records != 5 {
		t.Errorf("%+v", sum)
	}
	if again := o.plan(10, 1); again.Records != 0 || again.Refused != 5 || again.HeldCount != 5 {
		t.Errorf("the next plan: %+v", again)
	}
}

// PreviewUndo neither sends nor keeps anything: an open plan stays open.
func TestUndo_preview(t *testing.T) {
	o := newOffice(t, 3, 0)
	night := o.write(3, 1)
	open := o.plan(3, 2)
	written := o.held()
	var changes []sink.Change
	sum, err := o.PreviewUndo(t.Context(), night, "", time.Now(), func(some []sink.Change) error {
		changes = append(changes, some...)
		return nil
	})
	if err != nil || len(changes) != 3 || sum.Fields != 6 || changes[0].Fields[1].New != nil {
		t.Fatalf("%+v, %+v, %v", sum, changes, err)
	}
	o.wantOrg(written)
	if out, err := o.Apply(t.Context(), open.Plan, time.Now()); err != nil || !out.Whole() {
		t.Errorf("the plan that was open: %+v, %v", out, err)
	}
}

// Each fault switch meets an undo. It may fail or come half way; when the fault is over, the same
// command ends it: all is as before, nothing is held back wrongly, and no job is left.
func TestUndo_meets_faults(t *testing.T) {
	const api = " ^/services/data/v66.0/"
	for name, tt := range map[string]struct {
		bulkFrom int
		f        crmsim.Fault
	}{
		"the CRM is down when it is read":     {0, crmsim.Fault{Name: "status", Match: "POST" + api + "composite/sobjects/Account", Times: 4, Status: 503}},
		"the answer to writing is lost":       {0, crmsim.Fault{Name: "status", Match: "PATCH" + api, Times: 4, Cut: "after"}},
		"the answer is cut in the middle":     {0, crmsim.Fault{Name: "status", Match: "PATCH" + api, Times: 1, Cut: "middle"}},
		"the answer is no JSON":               {0, crmsim.Fault{Name: "status", Match: "PATCH" + api, Times: 1, Status: 200, Body: "<html>", ContentType: "text/html"}},
		"the CRM is slow":                     {0, crmsim.Fault{Name: "slow", Times: 3, DelayMS: 20}},
		"too many requests at once":           {0, crmsim.Fault{Name: "concurrent", Match: "PATCH" + api, Times: 1}},
		"the access token dies":               {0, crmsim.Fault{Name: "expire", Skip: 2}},
		"the day's calls are gone":            {0, crmsim.Fault{Name: "quota", Used: 69_999, Max: 100_000}}, // 30 % are the people's
		"a trigger fails a chunk":             {0, crmsim.Fault{Name: "trigger", Times: 1, Message: "x"}},
		"rows are locked":                     {0, crmsim.Fault{Name: "lock", Times: 2}},
		"a rule refuses old values":           {0, crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 103, Times: 6, Message: "x"}},
		"a rule refuses old values in a job":  {5, crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 103, Times: 6, Message: "x"}},
		"a field may not be written any more": {0, crmsim.Fault{Name: "fls", Object: "Account", Field: "Energy_Band__c", Access: "readonly"}},
		"a field is hidden from us":           {0, crmsim.Fault{Name: "fls", Object: "Account", Field: "Energy_Band__c", Access: "hidden"}},
		"the job's number is lost":            {5, crmsim.Fault{Name: "status", Match: "POST" + api + "jobs/ingest", Times: 4, Cut: "after"}},
		"the job's results are lost":          {5, crmsim.Fault{Name: "status", Match: "GET" + api + "jobs/ingest/[^/]*/failedResults", Times: 4, Status: 503}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it is mostly pauses
			o := newOffice(t, 10, tt.bulkFrom)
			o.write(10, 1)
			before := o.held()
			night := o.write(10, 2)
			o.inject(tt.f)
			sum, out, err := o.undo(night, "")
			switch tt.f.Name {
			case "quota":
				if fault.KindOf(err) != fault.Quota {
					t.Errorf("%+v, %v; want a quota fault", out, err)
				}
				return // what the connection knows of the day's calls stands until it is opened again
			case "validation":
				if out.Rejected != 6 || len(out.Problems) != 6 {
					t.Errorf("%+v; want 6 told as rejected", out)
				}
			case "fls":
				if sum.Unfit != 10 || len(sum.Problems) != 10 {
					t.Errorf("%+v; want 10 fields told as not to be written", sum)
				}
				tt.f.Access = "editable"
				o.inject(tt.f)
			}
			for err != nil || !out.Whole() || sum.Unfit > 0 {
				if o.run > 8 {
					t.Fatalf("it does not come to an end: %+v, %v", out, err)
				}
				sum, out, err = o.undo(night, "")
			}
			o.wantOrg(before)
			if again := o.plan(10, 2); again.Records != 0 || again.HeldCount != 10 || again.KeptCount != 0 {
				t.Errorf("the next plan: %+v", again)
			}
			o.noJobs()
		})
	}
}
