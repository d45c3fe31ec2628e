package sink_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/connectors/salesforce"
	"energyd/engine"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/internal/store"
	"energyd/sink"
)

// office is a simulated org with accounts, and a sink that writes into them.
type office struct {
	later time.Duration // of plans
	testing.TB
	*sink.Sink
	org *crmsim.Server
	ids []string
	run int

	values map[string]any // that all accounts shall have; nil: some that differ
}

func newOffice(tb testing.TB, accounts, bulkFrom int) *office {
	tb.Helper()
	org, err := crmsim.New(crmsim.Options{ClientSecret: "s", DailyCalls: 100_000, Fields: map[string][]crmsim.Field{"Account": {
		{Name: "Energy__c", Type: crmsim.Number, Precision: 8, Scale: 3},
		{Name: "Energy_Band__c", Type: crmsim.Text, Length: 20},
		{Name: "Energy_Reason_1__c", Type: crmsim.Text, Length: 255},
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	o := &office{TB: tb, org: org}
	// Saved some time ago: nobody takes them for changed since the plan.
	o.inject(crmsim.Fault{Name: "clock", AdvanceS: -24 * 3600})
	for i := range accounts {
		id, err := org.Insert("Account", map[string]any{"Name": fmt.Sprintf("顧客 %d", i)})
		if err != nil {
			tb.Fatal(err)
		}
		o.ids = append(o.ids, id)
	}
	o.inject(crmsim.Fault{Name: "clock", AdvanceS: 24 * 3600})
	o.inject(crmsim.Fault{Name: "bulk"}) // jobs are done at the first poll
	web := httptest.NewServer(org)
	tb.Cleanup(web.Close)
	cfg := salesforce.Connector.NewConfig().(*salesforce.Config)
	cfg.URL, cfg.ClientID, cfg.ClientSecret, cfg.BulkWrite = web.URL, "CID", secret.New("", "s"), bulkFrom
	conn, err := salesforce.Connector.Open(tb.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "crm", Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	st, err := store.Open(tb.Context(), "sqlite:"+filepath.Join(tb.TempDir(), "energyd.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := conn.Close(); err != nil {
			tb.Error(err)
		}
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	o.Sink = &sink.Sink{Store: st, Writings: []sink.Writing{{
		Name: "crm.Account", Object: "Account", Kind: engine.Account, Target: conn.(connectors.Target),
		Fields: []sink.FieldOf{{Measure: "energy_now", Field: "Energy__c"}, {Measure: "band", Field: "Energy_Band__c"}, {Measure: "reason_1", Field: "Energy_Reason_1__c"}},
	}}}
	return o
}

func (o *office) inject(f crmsim.Fault) {
	o.Helper()
	if err := o.org.Inject(f); err != nil {
		o.Fatal(err)
	}
}

// plan wants energy of the first n accounts; round moves every value.
func (o *office) plan(n, round int) sink.Summary {
	o.Helper()
	o.run++
	sum, err := o.Sink.Plan(o.Context(), fmt.Sprintf("run%02d", o.run), engine.DateOf(2026, time.November, 20), time.Now().Add(o.later),
		func(context.Context, sink.Writing) iter.Seq2[sink.Wanted, error] {
			return func(yield func(sink.Wanted, error) bool) {
				for i, id := range o.ids[:n] {
					if !yield(sink.Wanted{ID: id, Name: "x", Parent: fmt.Sprint(i % 7), Values: o.wanted(i, round)}, nil) {
						return
					}
				}
			}
		})
	if err != nil {
		o.Fatal(err)
	}
	return sum
}

func (o *office) wanted(i, round int) map[string]any {
	if o.values != nil {
		return o.values
	}
	return map[string]any{"energy_now": float64(100*round + i%100), "band": fmt.Sprint("温", round), "reason_1": nil}
}

// calls gives the calls that count, since the log had n lines.
func (o *office) calls(n int) (lines []string) {
	for _, r := range o.org.Log()[n:] {
		if strings.HasPrefix(r.Path, "/services/data/") {
			lines = append(lines, r.Method+" "+r.Path)
		}
	}
	return lines
}

// wantHeld fails unless the first n accounts hold what round wanted.
func (o *office) wantHeld(n, round int, except ...int) {
	o.Helper()
	skip := map[int]bool{}
	for _, i := range except {
		skip[i] = true
	}
	for i, id := range o.ids[:n] {
		row, _ := o.org.Get("Account", id)
		want := o.wanted(i, round)
		if !skip[i] && (row["Energy__c"] != want["energy_now"] || row["Energy_Band__c"] != want["band"]) {
			o.Fatalf("account %d holds %v and %v; want %v", i, row["Energy__c"], row["Energy_Band__c"], want)
		}
	}
}

// TestCallsOfWriting: what the issue allows, counted by the org, and what the plan foretold.
func TestCallsOfWriting(t *testing.T) {
	for _, tt := range []struct{ records, most int }{{1, 2}, {200, 2}, {1500, 8}, {2000, 8}, {5000, 15}} {
		t.Run(fmt.Sprint(tt.records), func(t *testing.T) {
			o := newOffice(t, tt.records, 2000)
			sum := o.plan(tt.records, 1)
			before := len(o.org.Log())
			out, err := o.Apply(t.Context(), sum.Plan, time.Now())
			if err != nil || !out.Whole() || out.Written != tt.records {
				t.Fatalf("%+v, %v", out, err)
			}
			o.wantHeld(tt.records, 1)
			calls := o.calls(before)
			if len(calls) > tt.most || sum.Calls < len(calls) || sum.Calls > tt.most {
				t.Errorf("%d calls, the plan foretold %d (%+v); %d are allowed:\n%s", len(calls), sum.Calls, sum.Steps, tt.most, strings.Join(calls, "\n"))
			}
			before = len(o.org.Log())
			if again := o.plan(tt.records, 1); again.Records != 0 {
				t.Errorf("a plan without news has %d records", again.Records)
			}
			if n := len(o.calls(before)); n > 1+(tt.records+1999)/2000 {
				t.Errorf("%d calls to find nothing changed in %d records", n, tt.records)
			}
		})
	}
}

// BenchmarkWriting is a night in which every account's energy moved.
func BenchmarkWriting(b *testing.B) {
	const records = 100_000
	o := newOffice(b, records, 2000)
	round := 0
	for b.Loop() {
		round++
		sum := o.plan(records, round)
		before := len(o.org.Log())
		begin := time.Now()
		out, err := o.Apply(b.Context(), sum.Plan, time.Now())
		if err != nil || !out.Whole() || out.Written != records {
			b.Fatalf("%+v, %v", out, err)
		}
		calls := o.calls(before)
		if len(calls) > 15 {
			b.Errorf("%d calls:\n%s", len(calls), strings.Join(calls, "\n"))
		}
		b.ReportMetric(float64(len(calls)), "calls")
		b.ReportMetric(records/time.Since(begin).Seconds(), "records/s")
		o.inject(crmsim.Fault{Name: "clock", AdvanceS: 3600})
	}
	o.wantHeld(records, round)
}

// C37: of what did not move nothing is sent, neither a record nor a field of one that moved.
func TestC37_only_what_moved_is_sent(t *testing.T) {
	for name, bulkFrom := range map[string]int{"collections": 0, "job": 1} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, 300, bulkFrom)
			o.values = map[string]any{"energy_now": 1.0, "band": "温", "reason_1": "x"}
			if out, err := o.Apply(t.Context(), o.plan(300, 1).Plan, time.Now()); err != nil || out.Written != 300 {
				t.Fatalf("%+v, %v", out, err)
			}
			before := len(o.org.Log())
			if again := o.plan(300, 1); again.Records != 0 || again.Unchanged != 300 {
				t.Errorf("without news: %+v", again)
			}
			if calls := o.calls(before); len(calls) != 1 { // describe
				t.Errorf("to find that nothing moved it called %v", calls)
			}
			o.values = map[string]any{"energy_now": 2.0, "band": "温", "reason_1": "x"}
			sum := o.plan(2, 1)
			changes, err := o.Store.Changes(t.Context(), sum.Run, "", 0, 10)
			if err != nil || len(changes) != 2 {
				t.Fatalf("%+v, %v", changes, err)
			}
			for _, c := range changes {
				if diff := cmp.Diff([]sink.Delta{{Field: "Energy__c", Old: 1.0, New: 2.0}}, c.Fields); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// C35, C36: HTTP 200 says nothing of the rows. Each refused one is told with its
// code, field and id, and all refused are no success.
func TestC35_C36_refused_rows_are_no_success(t *testing.T) {
	for name, bulkFrom := range map[string]int{"collections": 0, "job": 1} {
		for _, bound := range []float64{106, 99} { // round 1 writes 100 to 109
			t.Run(fmt.Sprint(name, bound), func(t *testing.T) {
				o := newOffice(t, 10, bulkFrom)
				o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: bound, Message: "高すぎる"})
				refused := int(109 - bound)
				sum := o.plan(10, 1)
				out, err := o.Apply(t.Context(), sum.Plan, time.Now())
				if err != nil || out.Whole() || out.Written != 10-refused || out.Rejected != refused {
					t.Fatalf("%+v, %v", out, err)
				}
				told := strings.Join(out.Problems, "\n")
				changes, err := o.Store.Changes(t.Context(), sum.Run, "", 0, 10, sink.Rejected)
				if err != nil || len(changes) != refused {
					t.Fatalf("%d changes are kept as rejected, %v", len(changes), err)
				}
				for _, c := range changes {
					for _, want := range []string{"FIELD_CUSTOM_VALIDATION_EXCEPTION", "高すぎる", "Energy__c"} {
						if !strings.Contains(c.Error, want) || !strings.Contains(told, want) || !strings.Contains(told, c.ID) {
							t.Errorf("%s: %q and %q do not say %s", c.ID, c.Error, told, want)
						}
					}
				}
			})
		}
	}
}

// C48: above the threshold, and not at it, a plan goes as a job.
func TestC48_jobs_from_the_threshold(t *testing.T) {
	for records, jobs := range map[int]int{100: 0, 101: 1} {
		o := newOffice(t, records, 100)
		before := len(o.org.Log())
		if out, err := o.Apply(t.Context(), o.plan(records, 1).Plan, time.Now()); err != nil || !out.Whole() {
			t.Fatalf("%+v, %v", out, err)
		}
		o.wantHeld(records, 1)
		made := 0
		for _, call := range o.calls(before) {
			if call == "POST /services/data/v66.0/jobs/ingest" {
				made++
			}
		}
		if made != jobs {
			t.Errorf("%d records go by %d jobs; want %d", records, made, jobs)
		}
	}
}

// C54: a plan reads and computes; nothing leaves that could change a record.
func TestC54_a_plan_sends_nothing(t *testing.T) {
	o := newOffice(t, 300, 100)
	o.plan(300, 1)
	for _, call := range o.calls(0) {
		if !strings.HasPrefix(call, "GET ") && call != "POST /services/data/v66.0/composite/sobjects/Account" {
			t.Errorf("a plan sent %s", call)
		}
	}
}

// What a person changed between plan and apply stays, however it is found out.
func TestApply_leaves_edits_alone(t *testing.T) {
	for name, tt := range map[string]struct{ records, bulkFrom int }{
		"each record is read again":         {1000, 0},
		"each record is read before a job":  {1000, 100},
		"changes are asked for":             {2500, 0},
		"changes are asked for before jobs": {2500, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tt.records, tt.bulkFrom)
			sum := o.plan(tt.records, 1)
			o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: o.ids[700], Change: "update", Values: map[string]any{"Energy_Band__c": "重要"}})
			o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: o.ids[701], Change: "update", Values: map[string]any{"Name": "改名"}})
			out, err := o.Apply(t.Context(), sum.Plan, time.Now())
			if err != nil || out.Edited != 1 || out.Written != tt.records-1 {
				t.Fatalf("%+v, %v", out, err)
			}
			o.wantHeld(tt.records, 1, 700)
			if row, _ := o.org.Get("Account", o.ids[700]); row["Energy_Band__c"] != "重要" {
				t.Errorf("the person's value was overwritten by %v", row["Energy_Band__c"])
			}
			// Nor does the next plan take it for an old value of ours, though we never wrote there.
			again := o.plan(tt.records, 2)
			if len(again.Kept) != 1 || again.Kept[0].Theirs != "重要" {
				t.Errorf("the next plan keeps %+v", again.Kept)
			}
			if _, err := o.Apply(t.Context(), again.Plan, time.Now()); err != nil {
				t.Fatal(err)
			}
			if row, _ := o.org.Get("Account", o.ids[700]); row["Energy_Band__c"] != "重要" || row["Energy__c"] == nil {
				t.Errorf("after the next plan the record holds %v, %v", row["Energy_Band__c"], row["Energy__c"])
			}
		})
	}
	t.Run("so many that reading each is cheaper", func(t *testing.T) {
		o := newOffice(t, 2600, 0)
		sum := o.plan(2500, 1)
		for _, id := range o.ids {
			o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: id, Change: "update", Values: map[string]any{"Name": "改名"}})
		}
		before := len(o.org.Log())
		out, err := o.Apply(t.Context(), sum.Plan, time.Now())
		if calls := o.calls(before); err != nil || !out.Whole() || len(calls) != 1+2+3 {
			t.Fatalf("%+v, %v after\n%s", out, err, strings.Join(calls, "\n"))
		}
	})
}

// A run that loses sight of a job takes it up again: nothing is lost, sent for nothing, or left in the org.
func TestApply_goes_on_with_a_job(t *testing.T) {
	const jobs = "^/services/data/v66.0/jobs/ingest"
	for _, tt := range []struct {
		name string
		f    crmsim.Fault
	}{
		{"that could not be opened", crmsim.Fault{Match: "POST " + jobs, Times: 4, Status: 503}},
		{"whose number got lost", crmsim.Fault{Match: "POST " + jobs, Times: 4, Cut: "after"}},
		{"that was not uploaded", crmsim.Fault{Match: "PUT " + jobs, Times: 4, Status: 503}},
		{"that was not closed", crmsim.Fault{Match: "PATCH " + jobs, Times: 4, Status: 503}},
		{"that it did not see end", crmsim.Fault{Match: "GET " + jobs + "/[^/]*$", Times: 4, Status: 503}},
		{"whose results it did not get", crmsim.Fault{Match: "GET " + jobs + "/[^/]*/failedResults", Times: 4, Status: 503}},
		{"that it did not remove", crmsim.Fault{Match: "DELETE " + jobs, Times: 4, Status: 503}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // it is all pauses
			o := newOffice(t, 300, 100)
			o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 198, Message: "x"})
			sum := o.plan(300, 1)
			tt.f.Name = "status"
			o.inject(tt.f)
			out, err := o.Apply(t.Context(), sum.Plan, time.Now())
			if tt.f.Match[:3] == "DEL" {
				if err != nil || out.Written != 297 || len(out.Problems) == 0 || !strings.Contains(out.Problems[len(out.Problems)-1], "still in the CRM") {
					t.Fatalf("%+v, %v", out, err)
				}
			} else {
				if fault.KindOf(err) != fault.Unavailable || out.Written != 0 {
					t.Fatalf("the first apply gives %+v, %v", out, err)
				}
				if out, err = o.Apply(t.Context(), sum.Plan, time.Now()); err != nil || out.Written != 297 || out.Rejected != 3 {
					t.Fatalf("the second apply gives %+v, %v", out, err)
				}
			}
			o.wantHeld(300, 1, 99, 199, 299)
			if again := o.plan(300, 1); again.Records != 0 || again.Refused != 3 {
				t.Errorf("the next plan has %d records and %d refused ones, want none and 3", again.Records, again.Refused)
			}
			uploads := 0
			for _, r := range o.org.Log() {
				if r.Method == "PUT" && r.Status == 201 {
					uploads++
				}
			}
			want := 1
			if tt.name == "that was not closed" {
				want = 2 // the org had the file, but never began with it
			}
			if uploads != want {
				t.Errorf("%d uploads; want %d", uploads, want)
			}
			o.noJobs()
		})
	}
}

func (o *office) noJobs() {
	o.Helper()
	jobs, err := o.Store.(*store.Store).Jobs(o.Context())
	if err != nil || len(jobs) > 0 {
		o.Errorf("the journal has %+v, %v", jobs, err)
	}
	if left := o.org.Jobs(); len(left) > 0 {
		o.Errorf("the org has %v", left)
	}
}

// A right or field that is taken away between plan and apply ends the apply with the plan kept.
func TestApply_stops_when_a_right_is_missing(t *testing.T) {
	for name, bulkFrom := range map[string]int{"collections": 0, "job": 100} {
		for _, access := range []string{"readonly", "hidden"} {
			t.Run(name+" "+access, func(t *testing.T) {
				o := newOffice(t, 1500, bulkFrom)
				sum := o.plan(1500, 1)
				before := len(o.org.Log())
				o.inject(crmsim.Fault{Name: "fls", Object: "Account", Field: "Energy_Band__c", Access: access})
				out, err := o.Apply(t.Context(), sum.Plan, time.Now())
				if k := fault.KindOf(err); k != fault.Auth && k != fault.Config || !strings.Contains(fault.HintOf(err), "field-level security") {
					t.Fatalf("%+v, %v", out, err)
				}
				if out.Parked != 1500 || out.Rejected+out.Deferred > 0 {
					t.Errorf("%+v; want all parked", out)
				}
				if calls := o.calls(before); len(calls) > 10 {
					t.Errorf("%d calls before it gave up", len(calls))
				}
				o.inject(crmsim.Fault{Name: "fls", Object: "Account", Field: "Energy_Band__c", Access: "editable"})
				if out, err = o.Apply(t.Context(), sum.Plan, time.Now()); err != nil || out.Written != 1500 {
					t.Errorf("after the right was granted: %+v, %v", out, err)
				}
				o.wantHeld(1500, 1)
			})
		}
	}
}

// C38, C39: values have the field's own shape before they are compared and sent,
// whatever an org would do with others.
func TestC38_C39_values_fit_their_fields(t *testing.T) {
	for _, bulkFrom := range []int{0, 1} {
		for _, outcome := range crmsim.Outcomes["S68"] {
			t.Run(fmt.Sprint(outcome, bulkFrom), func(t *testing.T) {
				o := newOffice(t, 2, bulkFrom)
				o.inject(crmsim.Fault{Name: "known", Line: "S68", Outcome: outcome})
				o.values = map[string]any{"energy_now": 12.3456789, "band": strings.Repeat("温", 30), "reason_1": "x"}
				sum := o.plan(2, 1)
				if out, err := o.Apply(t.Context(), sum.Plan, time.Now()); err != nil || out.Written != 2 {
					t.Fatalf("%+v, %v", out, err)
				}
				row, _ := o.org.Get("Account", o.ids[0])
				if row["Energy__c"] != 12.346 || row["Energy_Band__c"] != strings.Repeat("温", 20) {
					t.Errorf("the org holds %v", row)
				}
				if again := o.plan(2, 1); again.Records != 0 {
					t.Errorf("they are planned again: %+v", again)
				}
			})
		}
	}
}

// C41: a record that is gone is told once, and not asked for again as a change.
func TestC41_a_deleted_record_is_not_tried_again(t *testing.T) {
	for _, records := range []int{300, 2100} { // which are read again, and asked for together
		o := newOffice(t, records, 0)
		sum := o.plan(records, 1)
		if err := o.org.Delete("Account", o.ids[5]); err != nil {
			t.Fatal(err)
		}
		out, err := o.Apply(t.Context(), sum.Plan, time.Now())
		if err != nil || out.Written != records-1 || out.Rejected+out.Edited != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		if again := o.plan(records, 1); again.Records != 0 || again.Missing != 1 {
			t.Errorf("the next plan: %+v", again)
		}
	}
}

// C42: what a rule refuses is not sent again until the value moves.
func TestC42_a_refused_value_is_not_sent_again(t *testing.T) {
	o := newOffice(t, 10, 0)
	o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 104, Message: "x"})
	out, err := o.Apply(t.Context(), o.plan(10, 1).Plan, time.Now())
	if err != nil || out.Rejected != 5 || out.Written != 5 {
		t.Fatalf("%+v, %v", out, err)
	}
	for range 3 {
		before := len(o.org.Log())
		if again := o.plan(10, 1); again.Records != 0 || again.Refused != 5 || len(again.Steps) == 0 {
			t.Errorf("without news: %+v", again)
		}
		if n := len(o.calls(before)); n != 2 {
			t.Errorf("%d calls, want describe and one to read", n)
		}
	}
	if moved := o.plan(10, 2); moved.Records != 10 || moved.Refused != 0 {
		t.Errorf("when the values have moved: %+v", moved)
	}
	o.Resend = true
	if told := o.plan(10, 1); told.Records != 5 {
		t.Errorf("when somebody says so: %+v", told)
	}
}

// The children of a parent stand together in a plan, so that one call locks a parent once.
func TestPlan_keeps_children_together(t *testing.T) {
	o := newOffice(t, 70, 0)
	sum := o.plan(70, 1)
	changes, err := o.Store.Changes(t.Context(), sum.Run, "", 0, 100)
	if err != nil || len(changes) != 70 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	position := map[string]int{}
	for i, id := range o.ids {
		position[id] = i
	}
	runs, last := 0, -1
	for _, c := range changes {
		if parent := position[c.ID] % 7; parent != last {
			runs, last = runs+1, parent
		}
	}
	if runs != 7 {
		t.Errorf("the children of 7 parents stand in %d groups", runs)
	}
}

// C45: before anything is planned or sent, each field must be there to be written.
func TestC45_fields_are_checked_before_a_plan(t *testing.T) {
	for _, access := range []string{"readonly", "hidden"} {
		o := newOffice(t, 3, 0)
		o.inject(crmsim.Fault{Name: "fls", Object: "Account", Field: "Energy_Band__c", Access: access})
		before := len(o.org.Log())
		_, err := o.Sink.Plan(t.Context(), "run", engine.DateOf(2026, time.November, 20), time.Now(), nil)
		var ps fault.Problems
		if !errors.As(err, &ps) || len(ps) != 1 || ps[0].Path != "write[0].fields.band" || !strings.Contains(ps[0].Msg, "Energy_Band__c") || !strings.Contains(ps[0].Hint, "field-level security") {
			t.Errorf("%s: %v", access, err)
		}
		if calls := o.calls(before); len(calls) != 1 {
			t.Errorf("%s: it called %v", access, calls)
		}
	}
}

// C46, C53 over all that writing does: only our fields of existing records, each record once in a collection or file.
func TestC46_only_our_fields_are_touched(t *testing.T) {
	for _, bulkFrom := range []int{0, 100} {
		o := newOffice(t, 1300, bulkFrom)
		o.inject(crmsim.Fault{Name: "lock", ID: o.ids[3], Times: 2})
		theirs := func() (all []string) {
			rows, err := o.org.Rows("Account")
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				for _, name := range []string{"Energy__c", "Energy_Band__c", "Energy_Reason_1__c", "SystemModstamp", "LastModifiedDate", "LastModifiedById"} {
					delete(r, name)
				}
				all = append(all, fmt.Sprint(r))
			}
			return all
		}
		before := theirs()
		if out, err := o.Apply(t.Context(), o.plan(1300, 1).Plan, time.Now()); err != nil || !out.Whole() {
			t.Fatalf("%+v, %v", out, err)
		}
		if diff := cmp.Diff(before, theirs()); diff != "" {
			t.Errorf("the org's own data moved:\n%s", diff)
		}
	}
}

// smallJobs is a CRM whose jobs carry so many updates; between one and the next there is time.
type smallJobs struct {
	connectors.Target
	connectors.JobTarget
	connectors.ChangeReader
	most int
	done func()
}

func (s smallJobs) Clock(ctx context.Context) (time.Time, error) { return s.JobTarget.Clock(ctx) }

func (s smallJobs) RunJob(ctx context.Context, job, object string, updates iter.Seq2[connectors.Update, error]) (connectors.JobResult, error) {
	taken := map[string]bool{}
	for u, err := range updates {
		if err != nil {
			return nil, err
		}
		if len(taken) == s.most {
			break
		}
		taken[u.ID] = true
	}
	result, err := s.JobTarget.RunJob(ctx, job, object, func(yield func(connectors.Update, error) bool) {
		for u, err := range updates {
			if err == nil && !taken[u.ID] {
				continue
			}
			if !yield(u, err) {
				return
			}
		}
	})
	s.done()
	return func(id string) connectors.Result {
		if !taken[id] {
			return connectors.Result{Outcome: connectors.Unsent}
		}
		return result(id)
	}, err
}

// A job may take an hour: what a person changed in it is left alone by what is sent after it.
func TestApply_leaves_edits_alone_that_were_made_during_a_job(t *testing.T) {
	for name, records := range map[string]int{"the next is a job": 1000, "the rest goes call by call": 700} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, records, 400)
			conn := o.Writings[0].Target
			o.Writings[0].Target = smallJobs{conn, conn.(connectors.JobTarget), conn.(connectors.ChangeReader), 450, func() {
				o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: o.last(), Change: "update", Values: map[string]any{"Energy_Band__c": "重要"}})
			}}
			sum := o.plan(records, 1)
			out, err := o.Apply(t.Context(), sum.Plan, time.Now())
			row, _ := o.org.Get("Account", o.last())
			if err != nil || out.Edited != 1 || out.Written != records-1 || row["Energy_Band__c"] != "重要" {
				t.Errorf("%+v, %v; the record holds %v", out, err, row["Energy_Band__c"])
			}
		})
	}
}

// last is the account that a plan sends last.
func (o *office) last() string {
	o.Helper()
	changes, err := o.Store.Changes(o.Context(), "run01", "", 0, 10_000)
	if err != nil {
		o.Fatal(err)
	}
	return changes[len(changes)-1].ID
}

// Reports and lists that people export name records by 15 characters, and so may the source that gave us ours.
func TestApply_leaves_edits_alone_of_records_known_by_short_ids(t *testing.T) {
	o := newOffice(t, 2500, 0)
	for i, id := range o.ids {
		o.ids[i] = id[:15]
	}
	sum := o.plan(2500, 1)
	o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: o.ids[700], Change: "update", Values: map[string]any{"Energy_Band__c": "重要"}})
	out, err := o.Apply(t.Context(), sum.Plan, time.Now())
	if err != nil || out.Edited != 1 || out.Written != 2499 {
		t.Errorf("%+v, %v", out, err)
	}
}

// A plan is sent as it is, whatever the configuration says by now: so its own fields are looked at.
func TestApply_leaves_edits_alone_of_fields_that_are_no_longer_configured(t *testing.T) {
	o := newOffice(t, 2500, 0)
	sum := o.plan(2500, 1)
	o.Writings[0].Fields = o.Writings[0].Fields[:1]
	o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: o.ids[700], Change: "update", Values: map[string]any{"Energy_Band__c": "重要"}})
	out, err := o.Apply(t.Context(), sum.Plan, time.Now())
	if err != nil || out.Edited != 1 || out.Written != 2499 {
		t.Errorf("%+v, %v", out, err)
	}
}
