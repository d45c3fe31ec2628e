package salesforce

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

func sequence(updates []connectors.Update) iter.Seq2[connectors.Update, error] {
	return func(yield func(connectors.Update, error) bool) {
		for _, u := range updates {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// asJob writes updates by one job and gives each one's result.
func (o *org) asJob(c *Conn, updates []connectors.Update) []connectors.Result {
	o.t.Helper()
	job, err := c.OpenJob(o.t.Context(), "Account")
	o.must(err)
	result, err := c.RunJob(o.t.Context(), job, "Account", sequence(updates))
	o.must(err)
	o.must(c.EndJob(o.t.Context(), job))
	return resultsOf(result, updates)
}

func resultsOf(result connectors.JobResult, updates []connectors.Update) []connectors.Result {
	results := make([]connectors.Result, len(updates))
	for i, u := range updates {
		results[i] = result(u.ID)
	}
	return results
}

// fields gives what the org holds of ours in some accounts.
func (o *org) held(updates []connectors.Update) []string {
	o.t.Helper()
	var lines []string
	for _, u := range updates {
		row, _ := o.Get("Account", u.ID)
		lines = append(lines, fmt.Sprintf("%v %q", row["Energy__c"], row["Energy_Reason__c"]))
	}
	return lines
}

// noJobs fails when the org still has a job.
func (o *org) noJobs(c *Conn) {
	o.t.Helper()
	var list struct{ Records []ingestJob }
	o.must(c.call(o.t.Context(), call{op: "list", method: http.MethodGet, path: jobsPath}, &list))
	if len(list.Records) > 0 {
		o.t.Errorf("jobs are left: %+v", list.Records)
	}
}

// watched gives a connection to o whose uploads go to see as they are sent.
func (o *org) watched(see func(body string)) *Conn {
	return o.before(func(r *http.Request, body []byte) {
		if r.Method == http.MethodPut {
			see(string(body))
		}
	})
}

// awkward are updates of all that a file could get wrong.
func awkward(ids []string) []connectors.Update {
	reason := func(v any) map[string]any { return map[string]any{"Energy__c": 1.5, "Energy_Reason__c": v} }
	return []connectors.Update{
		{ID: ids[0], Values: map[string]any{"Energy__c": 12.3456}},                         // the reason is kept
		{ID: ids[1], Values: map[string]any{"Energy_Reason__c": nil}},                      // cleared; the number is kept
		{ID: ids[2], Values: map[string]any{"Energy__c": nil, "Energy_Reason__c": "訪問した"}}, //
		{ID: ids[3], Values: reason(`a "quoted", text`)},
		{ID: ids[4], Values: reason("two\nlines")},
		{ID: ids[5], Values: reason("#N/A")}, // this very text
		{ID: ids[6], Values: reason("")},     // clears, as by collections
		{ID: ids[7], Values: reason("N/A")},
		{ID: ids[8], Values: reason(" blanks inside ")},
		{ID: ids[9][:15], Values: map[string]any{"Energy__c": 1e-4}}, // a short id
		{ID: ids[10], Values: map[string]any{"Energy__c": 0.0}},
		{ID: ids[11], Values: map[string]any{"Energy__c": 99999999999999.0}},
		{ID: ids[12], Values: reason("carriage\r\nreturn")},
	}
}

func TestC47_C48_a_job_leaves_what_collections_leave(t *testing.T) {
	var want []string
	for _, asJob := range []bool{false, true} {
		o := newOrg(t)
		var ids []string
		for i := range 13 {
			ids = append(ids, o.insert("Account", map[string]any{"Name": fmt.Sprint("顧客", i), "Energy__c": 7.0, "Energy_Reason__c": "旧"}))
		}
		updates := awkward(ids)
		var results []connectors.Result
		if asJob {
			results = o.asJob(o.conn(), updates)
		} else {
			var err error
			results, err = o.conn().Write(t.Context(), "Account", updates)
			o.must(err)
		}
		for i, r := range results {
			if r.Outcome != connectors.Written {
				t.Errorf("as a job %v, update %d: %+v", asJob, i, r)
			}
		}
		if !asJob {
			want = o.held(updates)
			continue
		}
		if diff := cmp.Diff(want, o.held(updates)); diff != "" {
			t.Errorf("by job the org holds other values (-collections +job):\n%s", diff)
		}
	}
	if want[0] != `12.3456 "旧"` || want[1] != `7 %!q(<nil>)` || want[5] != `1.5 "#N/A"` {
		t.Errorf("collections left %q", want[:6])
	}
}

func TestC49_the_file(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(3)
	updates[0].Values = map[string]any{"Energy__c": 1.5}
	updates[1].Values = map[string]any{"Energy_Reason__c": "理由, \"x\""}
	updates[2].Values = map[string]any{"Energy__c": nil, "Energy_Reason__c": true}
	var body string
	o.asJob(o.watched(func(b string) { body = b }), updates)
	want := "Id,Energy_Reason__c,Energy__c\n" + updates[0].ID + ",,1.5\n" + updates[1].ID + ",\"理由, \"\"x\"\"\",\n" + updates[2].ID + ",true,#N/A\n"
	if body != want {
		t.Errorf("the file is\n%q; want\n%q", body, want)
	}
}

func TestC49_a_file_is_split_below_its_limit(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(10)
	var sizes []int
	c := o.watched(func(b string) { sizes = append(sizes, len(b)) })
	c.jobBytes = 100 // a header of 13 bytes and three rows of 22 to 23
	results := o.asJob(c, updates)
	for i, r := range results {
		want := connectors.Written
		if i >= 3 {
			want = connectors.Unsent
		}
		if r.Outcome != want {
			t.Errorf("update %d: %+v; want %s", i, r, want)
		}
	}
	o.wantWritten(updates[:3], results)
	if len(sizes) != 1 || sizes[0] > 100 {
		t.Errorf("files of %v bytes", sizes)
	}
}

func TestC50_C51_rows_are_answered_by_id(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "bulk", Flaws: []string{"shuffle"}, Polls: 3})
	o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 9000, Message: "温度は9000以下: です"})
	updates := o.accounts(500)
	updates[7].Values["Energy__c"], updates[400].Values["Energy__c"] = 9001.0, 9002.0
	o.must(o.Server.Delete("Account", updates[123].ID))
	results := o.asJob(o.conn(), updates)
	o.wantWritten(updates, results, 7, 123, 400)
	for i, words := range map[int]string{7: "FIELD_CUSTOM_VALIDATION_EXCEPTION: 温度は9000以下: です", 400: "です", 123: "ENTITY_IS_DELETED"} {
		if r := results[i]; r.Outcome != connectors.Rejected || fault.KindOf(r.Err) != fault.Rejected || !strings.Contains(r.Err.Error(), words) {
			t.Errorf("update %d: %+v", i, r)
		}
	}
	o.noJobs(o.conn())
}

// A job that the org gives up in the middle: what it stored is written, the rest may be sent again.
func TestC50_a_failed_job_is_taken_apart(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "bulk", Rows: 300, Message: "InternalServerError : Unable to go on"})
	updates := o.accounts(500)
	o.must(o.Server.Delete("Account", updates[20].ID))
	results := o.asJob(o.conn(), updates)
	o.wantWritten(updates[:300], results[:300], 20)
	if results[20].Outcome != connectors.Rejected {
		t.Errorf("the deleted record: %+v", results[20])
	}
	for i, r := range results[300:] {
		if r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Unavailable || !strings.Contains(r.Err.Error(), "Unable to go on") {
			t.Fatalf("update %d, which the org did not come to: %+v", 300+i, r)
		}
	}
}

// A field that is hidden meanwhile fails the whole job: nothing else would go better.
func TestS88_a_hidden_field_stops(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(3)
	o.inject(crmsim.Fault{Name: "fls", Object: "Account", Field: "Energy__c", Access: "hidden"})
	for i, r := range o.asJob(o.conn(), updates) {
		if r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Config || !strings.Contains(fault.HintOf(r.Err), "field-level security") || !strings.Contains(r.Err.Error(), "Energy__c") {
			t.Errorf("update %d: %+v", i, r)
		}
	}
}

func TestC40_rows_of_a_job_that_were_locked_go_one_after_the_other(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(30)
	o.inject(crmsim.Fault{Name: "lock", ID: updates[4].ID, Times: 3})
	o.inject(crmsim.Fault{Name: "lock", ID: updates[9].ID}) // for ever
	results := o.asJob(o.conn(), updates)
	o.wantWritten(updates, results, 9)
	if r := results[9]; r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Unavailable || !strings.Contains(r.Err.Error(), lockCode) {
		t.Errorf("the row that stays locked: %+v", r)
	}
}

func TestC38_what_is_no_number_never_leaves_in_a_job(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(3)
	updates[1].Values["Energy__c"] = nan()
	updates[2].ID = "K0001"
	results := o.asJob(o.conn(), updates)
	o.wantWritten(updates[:1], results[:1])
	if results[1].Outcome != connectors.Rejected || results[2].Outcome != connectors.Rejected {
		t.Errorf("%+v", results[1:])
	}
	// Nothing is left to send: the job is given up.
	for i, r := range o.asJob(o.conn(), updates[1:]) {
		if r.Outcome != connectors.Rejected {
			t.Errorf("update %d: %+v", i, r)
		}
	}
	o.noJobs(o.conn())
}

func nan() float64 { var zero float64; return zero / zero }

// Any call of a job may lose its answer after the org did it, or its session before: the end is the same, and nothing is left.
func TestC05_C44_a_job_survives_each_call_going_wrong(t *testing.T) {
	calls := []string{"POST ^" + dataPath + jobsPath + "$", "PUT ", "PATCH ", "GET ^" + dataPath + jobsPath + "/[^/]*$", "GET .*failedResults", "DELETE "}
	for _, match := range calls {
		if !strings.Contains(match, "^") && strings.HasSuffix(match, " ") {
			match += "^" + dataPath + jobsPath + "/.*"
		}
		for _, f := range []crmsim.Fault{
			{Name: "status", Match: match, Times: 1, Cut: "before"},
			{Name: "status", Match: match, Times: 1, Cut: "after"},
			{Name: "status", Match: match, Times: 1, Status: 503, Body: "<html>maintenance</html>", ContentType: "text/html"},
		} {
			t.Run(strings.ReplaceAll(fmt.Sprint(strings.Fields(match)[0], " ", f.Cut, f.Status), "/", "_"), func(t *testing.T) {
				o := newOrg(t)
				updates := o.accounts(5)
				o.must(o.Server.Delete("Account", updates[2].ID))
				o.inject(f)
				c := o.conn()
				results := o.asJob(c, updates)
				o.wantWritten(updates, results, 2)
				if results[2].Outcome != connectors.Rejected {
					t.Errorf("the deleted record: %+v", results[2])
				}
				o.noJobs(c)
			})
		}
	}
	for skip := range 8 {
		t.Run(fmt.Sprintf("session ends after %d calls", skip), func(t *testing.T) {
			o := newOrg(t)
			updates := o.accounts(5)
			c := o.conn()
			o.must(c.Check(t.Context()))
			o.inject(crmsim.Fault{Name: "expire", Skip: skip})
			o.wantWritten(updates, o.asJob(c, updates))
			o.noJobs(c)
		})
	}
}

func TestSettleJob(t *testing.T) {
	const path = dataPath + jobsPath
	for _, tt := range []struct {
		name string
		f    crmsim.Fault // ends RunJob
		want connectors.Outcome
	}{
		{"before the upload", crmsim.Fault{Name: "status", Match: "PUT ^" + path, Times: 4, Cut: "before"}, connectors.Unsent},
		{"after the upload", crmsim.Fault{Name: "status", Match: "PATCH ^" + path, Times: 4, Cut: "before"}, connectors.Unsent},
		{"after the close", crmsim.Fault{Name: "status", Match: "GET ^" + path, Times: 4, Status: 503}, connectors.Written},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrg(t)
			updates := o.accounts(5)
			o.must(o.Server.Delete("Account", updates[2].ID))
			c := o.conn()
			job, err := c.OpenJob(t.Context(), "Account")
			o.must(err)
			o.inject(tt.f)
			if _, err := c.RunJob(t.Context(), job, "Account", sequence(updates)); fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("RunJob gives %v", err)
			}
			result, known, err := o.conn().SettleJob(t.Context(), job, "Account", len(updates))
			o.must(err)
			if !known {
				t.Fatal("the job is not known")
			}
			for i, r := range resultsOf(result, updates) {
				want := tt.want
				if i == 2 && want == connectors.Written {
					want = connectors.Rejected
				}
				row, _ := o.Get("Account", updates[i].ID)
				if r.Outcome != want || (row["Energy__c"] != nil) != (r.Outcome == connectors.Written) {
					t.Errorf("update %d: %+v; want %s; the org holds %v", i, r, want, row["Energy__c"])
				}
			}
			o.must(c.EndJob(t.Context(), job))
			o.must(c.EndJob(t.Context(), job)) // it is gone already
			if _, known, err := c.SettleJob(t.Context(), job, "Account", 5); known || err != nil {
				t.Errorf("a job that is gone: known %v, %v", known, err)
			}
			o.noJobs(c)
		})
	}
}

// A file that held a part of the updates only: the others were never sent.
func TestSettleJob_of_a_part(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(5)
	c := o.conn()
	job, err := c.OpenJob(t.Context(), "Account")
	o.must(err)
	_, err = c.RunJob(t.Context(), job, "Account", sequence(updates[:3]))
	o.must(err)
	result, known, err := c.SettleJob(t.Context(), job, "Account", len(updates))
	o.must(err)
	var got []connectors.Outcome
	for _, r := range resultsOf(result, updates) {
		got = append(got, r.Outcome)
	}
	if want := fmt.Sprint([]connectors.Outcome{"written", "written", "written", "unsent", "unsent"}); !known || fmt.Sprint(got) != want {
		t.Errorf("%v; want %s", got, want)
	}
}

// Whoever was killed before a job's id came leaves an empty job; another program's stays.
func TestAbandonJobs(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	at, err := c.Clock(t.Context())
	o.must(err)
	_, err = c.OpenJob(t.Context(), "Account")
	o.must(err)
	other, err := c.OpenJob(t.Context(), "Contact")
	o.must(err)
	o.must(c.AbandonJobs(t.Context(), "Account", at))
	var list struct{ Records []ingestJob }
	o.must(c.call(t.Context(), call{op: "list", method: http.MethodGet, path: jobsPath}, &list))
	if len(list.Records) != 1 || list.Records[0].ID != other {
		t.Errorf("left are %+v; want %s", list.Records, other)
	}
	o.must(c.AbandonJobs(t.Context(), "Contact", at.Add(time.Minute)))
	if _, known, err := c.SettleJob(t.Context(), other, "Contact", 1); err != nil || !known {
		t.Errorf("a job from before: known %v, %v", known, err)
	}
}

func TestOpenJob_where_there_are_none(t *testing.T) {
	o := newOrg(t)
	if job, err := o.conn().OpenJob(t.Context(), "TaskWhoRelation"); job != "" || err != nil {
		t.Errorf("an object that Bulk does not know: %q, %v", job, err)
	}
	o.inject(crmsim.Fault{Name: "bulk", Flaws: []string{"limit_exceeded"}})
	if _, err := o.conn().OpenJob(t.Context(), "Account"); fault.KindOf(err) != fault.Quota {
		t.Errorf("no more jobs today: %v", err)
	}
}

// C52: polls at pauses that grow, a handful even for a job that takes long.
func TestC52_polls_are_few(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "bulk", Polls: 5})
	updates := o.accounts(3)
	o.wantWritten(updates, o.asJob(o.conn(), updates))
	var log []string
	for _, r := range o.Log() {
		if strings.HasPrefix(r.Path, dataPath+"/") {
			log = append(log, r.Method)
		}
	}
	if got, want := strings.Join(log, " "), "POST PUT PATCH GET GET GET GET GET GET DELETE"; got != want {
		t.Errorf("calls %s; want %s", got, want)
	}
}

func TestChangedSince(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(4500)
	o.advance(time.Hour)
	c := o.conn()
	at, err := c.Clock(t.Context())
	o.must(err)
	var none []connectors.Row
	for row, err := range c.ChangedSince(t.Context(), "Account", at, []string{"Energy__c"}, 10) {
		o.must(err)
		none = append(none, row)
	}
	if len(none) > 0 {
		t.Errorf("%d records although nobody changed any", len(none))
	}
	for _, i := range []int{5, 4000} {
		o.inject(crmsim.Fault{Name: "edit", Object: "Account", ID: updates[i].ID, Change: "update", Values: map[string]any{"Energy__c": 1.0 + float64(i)}})
	}
	var got []string
	for row, err := range c.ChangedSince(t.Context(), "Account", at, []string{"Energy__c", "Energy_Reason__c"}, 2) {
		o.must(err)
		got = append(got, fmt.Sprint(row.ID, row.Values["Energy__c"], row.Values["Energy_Reason__c"]))
	}
	slices.Sort(got)
	var want []string
	for _, i := range []int{5, 4000} {
		for _, id := range []string{updates[i].ID, updates[i].ID[:15]} {
			want = append(want, fmt.Sprint(id, 1.0+float64(i), nil))
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed since (-want +got):\n%s", diff)
	}
	before := len(o.Log())
	for row, err := range c.ChangedSince(t.Context(), "Account", at.Add(-2*time.Hour), []string{"Energy__c"}, 4000) {
		if fault.KindOf(err) != fault.Conflict {
			t.Fatalf("more than wanted: %+v, %v", row, err)
		}
	}
	if n := len(o.Log()) - before; n != 1 {
		t.Errorf("%d calls to learn that there are too many", n)
	}
}

// C52: a job's results are asked for by the version that made it, also after the configuration moved on.
func TestC52_results_by_the_jobs_version(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(3)
	o.must(o.Server.Delete("Account", updates[1].ID))
	c := o.conn()
	job, err := c.OpenJob(t.Context(), "Account")
	o.must(err)
	_, err = c.RunJob(t.Context(), job, "Account", sequence(updates))
	o.must(err)
	cfg := config(strings.TrimPrefix(o.url, "http://"))
	cfg.APIVersion = "v65.0"
	later := newConn(*cfg, quiet, time.Millisecond)
	t.Cleanup(func() { later.Close() })
	result, known, err := later.SettleJob(t.Context(), job, "Account", len(updates))
	o.must(err)
	if r := resultsOf(result, updates); !known || r[0].Outcome != connectors.Written || r[1].Outcome != connectors.Rejected {
		t.Errorf("%+v", r)
	}
	for _, r := range o.Log() {
		if strings.HasSuffix(r.Path, "Results") && !strings.HasPrefix(r.Path, dataPath) {
			t.Errorf("results were asked for at %s", r.Path)
		}
	}
}

// What neither the file nor the lane carried was never sent, however well the job went.
func TestC47_more_rows_than_the_lane_takes_are_not_taken_for_written(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(laneRows + 2)
	for i := range updates[1:] {
		updates[i+1].Values = map[string]any{"Energy_Reason__c": clearCell}
	}
	written := 0
	for i, r := range o.asJob(o.conn(), updates) {
		row, _ := o.Get("Account", updates[i].ID)
		if held := row["Energy__c"] != nil || row["Energy_Reason__c"] != nil; held != (r.Outcome == connectors.Written) {
			t.Errorf("update %d: %+v; the org holds %v", i, r, row)
		}
		if r.Outcome == connectors.Written {
			written++
		}
	}
	if written != laneRows+1 {
		t.Errorf("%d written; want %d", written, laneRows+1)
	}
}

// Killed while the answers were kept: what is left may be as many as the file had, and yet not those.
func TestSettleJob_of_a_rest_that_the_file_did_not_hold(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(6)
	c := o.conn()
	job, err := c.OpenJob(t.Context(), "Account")
	o.must(err)
	_, err = c.RunJob(t.Context(), job, "Account", sequence(updates[:3]))
	o.must(err)
	result, known, err := c.SettleJob(t.Context(), job, "Account", 3)
	o.must(err)
	for i, r := range resultsOf(result, updates[3:]) {
		if !known || r.Outcome != connectors.Unsent {
			t.Errorf("update %d, which the file did not hold: %+v", 3+i, r)
		}
	}
}

// A missing right is not the records' fault, also when a few of them have troubles of their own.
func TestRunJob_a_right_that_is_missing_altogether_stops(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: -1, Message: "x"})
	updates := o.accounts(300)
	c := o.behind(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if !strings.HasSuffix(r.URL.Path, "/failedResults") {
			return false
		}
		fmt.Fprint(w, "sf__Id,sf__Error,Id\n")
		for i, u := range updates {
			words := "INSUFFICIENT_ACCESS_OR_READONLY:insufficient access rights on object id:--"
			if i == 7 {
				words = "ENTITY_IS_DELETED:entity is deleted:--"
			}
			fmt.Fprintf(w, "%s,%s,%s\n", u.ID, words, u.ID)
		}
		return true
	})
	for i, r := range o.asJob(c, updates) {
		want := connectors.Deferred
		if i == 7 {
			want = connectors.Rejected
		}
		if r.Outcome != want || i != 7 && fault.KindOf(r.Err) != fault.Auth {
			t.Fatalf("update %d: %+v", i, r)
		}
	}
}
