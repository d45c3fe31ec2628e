package salesforce

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

const queryJobsPath = dataPath + "/jobs/query"

// bulkConn reads by bulk jobs whatever has rows.
func (o *org) bulkConn(log *strings.Builder) *Conn {
	c := o.conn()
	c.cfg.BulkFrom = 1
	if log != nil {
		c.log = slog.New(slog.NewTextHandler(log, nil))
	}
	return c
}

// jobsLeft counts the query jobs that the org still holds.
func (o *org) jobsLeft() int {
	o.t.Helper()
	var list struct{ Records []struct{ ID string } }
	o.must(o.conn().call(o.t.Context(), call{op: "list jobs", method: http.MethodGet, path: "/jobs/query"}, &list))
	return len(list.Records)
}

func (r *reader) records() map[string]map[string]any {
	all := map[string]map[string]any{}
	for key, record := range r.seen {
		fields := record.Fields()
		fields["changed"], fields["deleted"], fields["origin"] = record.ChangedAt, record.Deleted, record.Origin
		all[key] = fields
	}
	return all
}

// A record is the same by both ways, whatever its fields hold: C18, C33.
func TestBulk_gives_the_same_records_as_REST(t *testing.T) {
	o := newOrg(t)
	for _, f := range []crmsim.Field{
		{Name: "Text__c", Type: crmsim.Text, Length: 255}, {Name: "Long__c", Type: crmsim.LongTextArea, Length: 131_072},
		{Name: "Number__c", Type: crmsim.Number, Precision: 18, Scale: 4}, {Name: "Money__c", Type: crmsim.Currency, Precision: 18, Scale: 2},
		{Name: "Share__c", Type: crmsim.Percent, Precision: 5, Scale: 2}, {Name: "Whole__c", Type: crmsim.Number, Precision: 18},
		{Name: "Flag__c", Type: crmsim.Checkbox}, {Name: "Day__c", Type: crmsim.Date}, {Name: "Moment__c", Type: crmsim.DateTime},
		{Name: "Choice__c", Type: crmsim.Picklist, Values: []string{"良", "可"}}, {Name: "Mail__c", Type: crmsim.Email, Length: 80},
		{Name: "Web__c", Type: crmsim.URL, Length: 255}, {Name: "Tel__c", Type: crmsim.Phone, Length: 40},
		{Name: "Secret__c", Type: crmsim.Text, Length: 20},
	} {
		o.must(o.AddField("Task", f))
	}
	o.must(o.HideField("Task", "Secret__c"))
	account := o.insert("Account", map[string]any{"Name": `山田 "製作所", 本社`})
	who := o.insert("Contact", map[string]any{"LastName": "山田", "Title": "部長", "Email": "y@example.jp", "AccountId": account})
	for i, text := range []string{"訪問", `"`, `a "b", c`, "一行\n二行", "一行\r\n二行\r\n", " blank ", "N/A", "NULL", "#N/A", "null", ",", "😀", "=1+1", `\`, "'"} {
		o.insert("Task", map[string]any{"Subject": text, "Text__c": text, "Long__c": strings.Repeat(text+"\n", 40) + ".", "WhoId": who, "WhatId": account,
			"Number__c": float64(i)*1.25 - 3, "Money__c": 1234567.5, "Share__c": 12.25, "Whole__c": 23.0, "Flag__c": i%2 == 0, "Day__c": "2026-11-20",
			"Moment__c": time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC), "Choice__c": "良", "Mail__c": "a@example.jp", "Web__c": "https://example.jp/?a=b,c", "Tel__c": "03-1234",
			"ActivityDate": "2026-11-20", "CallDurationInSeconds": float64(i), "Status": "Completed"})
	}
	o.insert("Task", map[string]any{"Long__c": strings.Repeat("熱", 131_072)})
	empty := o.insert("Task", map[string]any{"Subject": ""})
	o.must(o.Server.Delete("Task", o.insert("Task", map[string]any{"Subject": "消した", "WhoId": who})))
	o.insert("Task", map[string]any{"Subject": "昔", "IsArchived": true})
	o.settled()
	s := stream("Task")
	byREST := o.reader(o.conn(), s)
	s.Fields = append(slices.Clone(byREST.source.(*source).names.Names), "Account.Name", "Account.OwnerId", "Who.Title", "who.title", "What.Name", "Owner.Name", "ID")
	byREST = o.reader(o.conn(), s)
	byREST.round(7, nil)
	o.inject(crmsim.Fault{Name: "bulk", Polls: 3, Flaws: []string{"nul"}})
	byBulk := o.reader(o.bulkConn(nil), s)
	byBulk.round(7, nil)
	if diff := cmp.Diff(byREST.records(), byBulk.records()); diff != "" {
		t.Errorf("-REST +bulk:\n%.3000s", diff)
	}
	if len(byBulk.seen) != 19 || o.calls("POST", queryJobsPath) != 1 {
		t.Errorf("%d records of 19 by %d jobs", len(byBulk.seen), o.calls("POST", queryJobsPath))
	}
	if got := byBulk.seen[empty]; got.Value("Subject") != nil || got.Value("Flag__c") != false {
		t.Errorf("the empty record: %v", got.Fields())
	}
	if n := o.jobsLeft(); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// Whoever is killed goes on where the saved cursor says, and gives each record
// once: also when it is killed after every Read, and the pages are short.
func TestBulk_resumes_at_every_cursor(t *testing.T) {
	o := newOrg(t)
	ids := o.tasks(100)
	o.settled()
	o.inject(crmsim.Fault{Name: "page_max", Rows: 17})
	for _, limit := range []int{2, 7, 40, 1000} {
		c := o.bulkConn(nil)
		r := o.reader(c, stream("Task", "Subject"))
		counts := map[string]int{}
		jobs := o.calls("POST", queryJobsPath)
		r.round(limit, func() {
			for _, record := range r.reads[len(r.reads)-1].Records {
				counts[record.Key]++
			}
			o.must(r.source.Close())
			c = o.bulkConn(nil) // another process, whose settings are others
			c.cfg.APIVersion = []string{"v65.0", "v66.0"}[len(r.reads)%2]
			r.source = o.reader(c, stream("Task", "Subject")).source
		})
		r.wantAll("Task")
		for _, id := range ids {
			if counts[id] != 1 {
				t.Fatalf("limit %d: %s came %d times", limit, id, counts[id])
			}
		}
		if n := o.calls("POST", queryJobsPath) - jobs; n != 1 || o.jobsLeft() != 0 {
			t.Errorf("limit %d: %d jobs were made, %d are left", limit, n, o.jobsLeft())
		}
		if got := r.reads[len(r.reads)-1]; got.Interval.IsZero() || got.More {
			t.Errorf("limit %d: the last batch has no interval: %+v", limit, got)
		}
	}
}

func TestBulk_same_cursor_same_answer(t *testing.T) {
	o := newOrg(t)
	o.tasks(60)
	o.settled()
	o.inject(crmsim.Fault{Name: "page_max", Rows: 25})
	r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
	cursors := []connectors.Cursor{""}
	r.round(10, func() { cursors = append(cursors, r.cursor) })
	// The job is gone with the last cursor but one; from the others a new one begins the window again.
	again := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
	for _, cursor := range cursors {
		again.cursor = cursor
		again.round(10, nil)
	}
	again.wantAll("Task")
}

func TestBulk_jobs_that_come_to_nothing(t *testing.T) {
	for name, tt := range map[string]struct {
		fault crmsim.Fault
		jobs  int
		says  string
	}{
		"failed once":        {crmsim.Fault{Name: "bulk", Times: 1, Message: "TooManyLockFailure"}, 2, "TooManyLockFailure"},
		"always failed":      {crmsim.Fault{Name: "bulk", Message: "InternalServerError"}, mostJobs, "InternalServerError"},
		"no more jobs today": {crmsim.Fault{Name: "bulk", Flaws: []string{"limit_exceeded"}}, 1, "page by page"},
		"not for this object": {crmsim.Fault{Name: "status", Match: "POST ^" + queryJobsPath, Status: 400, ContentType: "application/json",
			Body: `[{"errorCode":"INVALIDENTITY","message":"Entity 'Task' is not supported by the Bulk API."}]`}, 1, "page by page"},
		"not in this edition": {crmsim.Fault{Name: "status", Match: "POST ^" + queryJobsPath, Status: 403, ContentType: "application/json",
			Body: `[{"errorCode":"FUNCTIONALITY_NOT_ENABLED","message":"Selecting compound data not supported in Bulk Query"}]`}, 1, "page by page"},
		"other columns": {crmsim.Fault{Name: "status", Match: "GET ^" + queryJobsPath + "/[^/]+/results", Status: 200, ContentType: "text/csv",
			Body: "Subject,Whatever\n"}, mostJobs, "was not asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			o.tasks(30)
			o.settled()
			o.inject(tt.fault)
			var log strings.Builder
			r := o.reader(o.bulkConn(&log), stream("Task", "Subject"))
			r.round(7, nil)
			r.wantAll("Task")
			if n := o.calls("POST", queryJobsPath); n != tt.jobs || !strings.Contains(log.String(), tt.says) {
				t.Errorf("%d jobs; want %d; the log says %q", n, tt.jobs, log.String())
			}
			if n := o.jobsLeft(); n != 0 {
				t.Errorf("%d jobs are left", n)
			}
		})
	}
}

func TestBulk_a_job_that_is_gone_begins_again(t *testing.T) {
	o := newOrg(t)
	o.tasks(60)
	o.settled()
	o.inject(crmsim.Fault{Name: "page_max", Rows: 20})
	c := o.bulkConn(nil)
	r := o.reader(c, stream("Task", "Subject"))
	r.round(10, func() {
		if len(r.reads) != 4 {
			return
		}
		o.must(r.source.Close())
		var list struct{ Records []struct{ ID string } }
		o.must(c.call(t.Context(), call{op: "list jobs", method: http.MethodGet, path: "/jobs/query"}, &list))
		o.must(c.call(t.Context(), call{op: "delete job", method: http.MethodDelete, path: "/jobs/query/" + list.Records[0].ID}, nil))
		r.source = o.reader(c, stream("Task", "Subject")).source
	})
	r.wantAll("Task")
	if n := o.calls("POST", queryJobsPath); n != 2 || o.jobsLeft() != 0 {
		t.Errorf("%d jobs were made, %d are left", n, o.jobsLeft())
	}
}

func TestC31_sums_that_do_not_agree_end_the_run(t *testing.T) {
	for _, flaw := range []string{"wrong_count", "wrong_total"} {
		o := newOrg(t)
		o.tasks(50)
		o.settled()
		o.inject(crmsim.Fault{Name: "bulk", Times: 1, Flaws: []string{flaw}})
		r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
		var err error
		for more := true; more && err == nil; {
			var batch connectors.Batch
			if batch, err = r.source.Read(t.Context(), r.cursor, 20); err == nil {
				r.cursor, more = batch.Next, batch.More
			}
		}
		if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", flaw, err)
		}
		// The next run makes a new job, and reads all.
		r.source = o.reader(o.bulkConn(nil), stream("Task", "Subject")).source
		r.round(20, nil)
		r.wantAll("Task")
		if n := o.jobsLeft(); n != 0 {
			t.Errorf("%s: %d jobs are left", flaw, n)
		}
	}
}

func TestC32_every_way_to_say_that_it_is_the_last_page(t *testing.T) {
	for _, flaw := range []string{"", "no_locator", "empty_locator"} {
		o := newOrg(t)
		o.tasks(50)
		o.settled()
		o.inject(crmsim.Fault{Name: "page_max", Rows: 20})
		o.inject(crmsim.Fault{Name: "bulk", Flaws: []string{flaw}[:min(1, len(flaw))]})
		r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
		r.round(1000, nil)
		r.wantAll("Task")
		for _, record := range r.seen {
			if record.Value("Subject") == "Subject" {
				t.Errorf("%q: a header row is a record", flaw)
			}
		}
		if n := o.calls("GET", queryJobsPath+"/") - o.polls(); n != 3 {
			t.Errorf("%q: %d pages; want 3", flaw, n)
		}
	}
}

// polls counts the questions for a job's state.
func (o *org) polls() int {
	n := 0
	for _, r := range o.Log() {
		if r.Method == http.MethodGet && regexp.MustCompile(`/jobs/query/[^/?]+$`).MatchString(r.Path) {
			n++
		}
	}
	return n
}

func TestBulk_faults_on_the_way(t *testing.T) {
	results := "GET ^" + queryJobsPath + "/[^/]+/results"
	for name, f := range map[string]crmsim.Fault{
		"C05 a session that dies":     {Name: "expire", Skip: 4},
		"results cut in the middle":   {Name: "status", Match: results, Times: 2, Cut: "middle"},
		"results cut at the start":    {Name: "status", Match: results, Times: 2, Cut: "before"},
		"503 with a page of HTML":     {Name: "status", Match: results, Times: 2, Status: 503, ContentType: "text/html", Body: "<h1>Sorry</h1>"},
		"200 with a page of HTML":     {Name: "status", Match: results, Times: 2, Status: 200, ContentType: "text/html", Body: "<h1>Sorry</h1>"},
		"an empty file":               {Name: "status", Match: results, Times: 1, Status: 200, ContentType: "text/csv", Body: ""},
		"a poll that is not answered": {Name: "status", Match: "GET ^" + queryJobsPath + "/[^/]+$", Times: 2, Cut: "after"},
		"a job that is made twice":    {Name: "status", Match: "POST ^" + queryJobsPath, Times: 1, Cut: "after"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			o.tasks(60)
			o.settled()
			o.inject(crmsim.Fault{Name: "page_max", Rows: 25})
			r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
			o.inject(f)
			r.round(10, nil)
			r.wantAll("Task")
		})
	}
	// What does not heal, fails, and loses nothing.
	o := newOrg(t)
	o.tasks(60)
	o.settled()
	r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
	batch, err := r.source.Read(t.Context(), "", 10)
	o.must(err)
	o.inject(crmsim.Fault{Name: "status", Match: results, Cut: "middle"})
	r.cursor = batch.Next
	for err == nil {
		if batch, err = r.source.Read(t.Context(), r.cursor, 10); err == nil {
			r.cursor = batch.Next
		}
	}
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("cut for ever: %v", err)
	}
	o.must(o.Reset(""))
}

// The org's queue may take an hour.
func TestC52_polls_grow_to_half_a_minute(t *testing.T) {
	c := Conn{pause: time.Second}
	var got []time.Duration
	for n := range 10 {
		got = append(got, c.pollPause(n)/time.Millisecond)
	}
	if want := []time.Duration{200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}; !slices.Equal(got, want) {
		t.Errorf("pauses %v ms; want %v", got, want)
	}
	if got := c.pollPause(1000); got != 30*time.Second {
		t.Errorf("at last %v", got)
	}
	o := newOrg(t)
	o.tasks(10)
	o.settled()
	o.inject(crmsim.Fault{Name: "bulk", Polls: 6})
	r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
	r.round(100, nil)
	r.wantAll("Task")
	if n := o.polls(); n != 7 {
		t.Errorf("%d polls; want 7", n)
	}
	// SIGTERM while it waits: the job stays in the cursor.
	o.inject(crmsim.Fault{Name: "bulk", Polls: 1_000_000})
	r = o.reader(o.bulkConn(nil), stream("Task", "Subject"))
	batch, err := r.source.Read(t.Context(), "", 10)
	o.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.source.Read(ctx, batch.Next, 10); err == nil || !strings.Contains(string(batch.Next), `"job"`) {
		t.Errorf("%v; the cursor is %s", err, batch.Next)
	}
}

// A Read that fails between the file and the people gives the same again.
func TestBulk_a_read_that_failed_is_repeated(t *testing.T) {
	c := newCircle(t, newOrg(t))
	for range 60 {
		c.insert("Task", map[string]any{"Subject": "会食", "TaskWhoIds": []string{c.tanaka, c.suzuki}})
	}
	c.settled()
	conn := c.bulkConn(nil)
	r := c.reader(conn, stream("Task", "Subject", "Participants"))
	for reads, more := 0, true; more; reads++ {
		if reads == 2 {
			c.inject(crmsim.Fault{Name: "status", Match: "GET .*/queryAll", Times: 1, Status: 403, ContentType: "application/json",
				Body: `[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]`})
		}
		batch, err := r.source.Read(t.Context(), r.cursor, 20)
		if (err != nil) != (reads == 2) {
			t.Fatalf("read %d: %v", reads, err)
		}
		if err == nil {
			for _, record := range batch.Records {
				r.seen[record.Key] = record
			}
			r.cursor, more = batch.Next, batch.More
		}
	}
	if len(r.seen) != 60 {
		t.Errorf("%d tasks of 60", len(r.seen))
	}
	for _, record := range r.seen {
		if len(said(t, record)) != 2 {
			t.Errorf("a task has %q", said(t, record))
		}
	}
}

// Whoever asks for one row ("energyd check") leaves no job behind.
func TestBulk_a_look_makes_no_job(t *testing.T) {
	o := newOrg(t)
	o.tasks(20)
	o.settled()
	r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
	if batch, err := r.source.Read(t.Context(), "", 1); err != nil || len(batch.Records) != 1 || o.jobsLeft() != 0 {
		t.Errorf("%d records, %v, %d jobs", len(batch.Records), err, o.jobsLeft())
	}
}

func TestBulk_is_chosen_by_size(t *testing.T) {
	o := newOrg(t)
	o.tasks(300)
	o.settled()
	for name, tt := range map[string]struct {
		set  func(*Conn, *Stream)
		jobs int
	}{
		"at the threshold": {func(c *Conn, _ *Stream) { c.cfg.BulkFrom = 300 }, 0},
		"above it":         {func(c *Conn, _ *Stream) { c.cfg.BulkFrom = 299 }, 1},
		"never":            {func(c *Conn, _ *Stream) { c.cfg.BulkFrom = 0 }, 0},
		"a window that takes too long": {func(*Conn, *Stream) {
			o.inject(crmsim.Fault{Name: "query_timeout", Rows: 200})
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := o.conn(), stream("Task", "Subject")
			tt.set(c, s)
			defer o.inject(crmsim.Fault{Name: "query_timeout"})
			before := o.calls("POST", queryJobsPath)
			r := o.reader(c, s)
			r.round(100, nil)
			r.wantAll("Task")
			if n := o.calls("POST", queryJobsPath) - before; n != tt.jobs {
				t.Errorf("%d jobs; want %d", n, tt.jobs)
			}
		})
	}
	// Columns that a file cannot hold as REST gives them.
	o.insert("Opportunity", map[string]any{"Name": "案件", "StageName": "Proposal", "CloseDate": "2026-12-01"})
	o.settled()
	c := o.bulkConn(nil)
	c.cfg.BulkFrom = 1
	before := o.calls("POST", queryJobsPath)
	r := o.reader(c, stream("OpportunityFieldHistory", "Field", "NewValue"))
	r.round(100, nil)
	if o.calls("POST", queryJobsPath) != before || len(r.seen) == 0 {
		t.Errorf("%d jobs for values of any type, %d records", o.calls("POST", queryJobsPath)-before, len(r.seen))
	}
}

// A column more in the configuration while a job is read: its file, which lacks it, is given up.
func TestBulk_a_file_that_lacks_the_last_column(t *testing.T) {
	o := newOrg(t)
	o.tasks(40)
	o.settled()
	columns := []string{"Id", "SystemModstamp", "IsDeleted", "Subject"}
	batch, err := o.reader(o.bulkConn(nil), stream("Task", columns...)).source.Read(t.Context(), "", 10)
	o.must(err)
	r := o.reader(o.bulkConn(nil), stream("Task", append(columns, "Status")...))
	r.cursor = batch.Next
	r.round(10, nil)
	r.wantAll("Task")
	for _, record := range r.seen {
		if record.Value("Status") != "Completed" {
			t.Fatalf("a task has the status %v", record.Value("Status"))
		}
	}
	if n := o.jobsLeft(); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// The pipeline reads the next batch while it saves one: whoever is killed then
// still finds the job of the rows that were not saved.
func TestBulk_the_job_stays_until_its_last_rows_are_saved(t *testing.T) {
	for _, limit := range []int{10, 1000} {
		o := newOrg(t)
		o.tasks(40)
		o.settled()
		r := o.reader(o.bulkConn(nil), stream("Task", "Subject"))
		rows := 0
		for more := true; more; {
			batch, err := r.source.Read(t.Context(), r.cursor, limit)
			o.must(err)
			r.cursor, more = batch.Next, batch.More
			rows += len(batch.Records)
			if len(batch.Records) == 0 {
				continue
			}
			_, err = r.source.Read(t.Context(), batch.Next, limit)
			o.must(err)
			if o.jobsLeft() != 1 {
				t.Errorf("limit %d: the job is gone before rows up to %d are saved", limit, rows)
			}
		}
		if rows != 40 || o.jobsLeft() != 0 {
			t.Errorf("limit %d: %d rows, %d jobs are left", limit, rows, o.jobsLeft())
		}
	}
}

// A firewall that ends what takes a minute: the org's answer to the first query of very many rows never comes.
func TestBulk_reads_what_a_query_is_never_answered_for(t *testing.T) {
	for name, f := range map[string]crmsim.Fault{
		"504":     {Status: 504, ContentType: "text/html", Body: "<h1>Gateway Timeout</h1>"},
		"cut off": {Cut: "before"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			o.tasks(40)
			o.settled()
			f.Name, f.Match = "status", "GET ^"+dataPath+"/queryAll"
			o.inject(f)
			r := o.reader(o.conn(), stream("Task", "Subject"))
			r.round(100, nil)
			r.wantAll("Task")
		})
	}
}

// A locator that leads back to the first page does not go round for ever.
func TestC31_pages_in_a_circle(t *testing.T) {
	o := newOrg(t)
	o.tasks(40)
	o.settled()
	o.inject(crmsim.Fault{Name: "page_max", Rows: 25})
	var pages atomic.Int32 // pages are fetched ahead, beside the reading
	c := o.behind(func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		if strings.HasSuffix(r.URL.Path, "/results") {
			pages.Add(1)
			r.URL.RawQuery = ""
		}
		return false
	})
	c.cfg.BulkFrom = 1
	r := o.reader(c, stream("Task", "Subject"))
	batch, err := connectors.Batch{More: true}, error(nil)
	for batch.More && err == nil && pages.Load() < 50 {
		batch, err = r.source.Read(t.Context(), batch.Next, 20)
	}
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v after %d pages", err, pages.Load())
	}
}

// An org that makes no job for an object is not asked for one in each of the object's windows.
func TestBulk_a_refused_job_is_not_asked_for_again(t *testing.T) {
	o := newOrg(t)
	for year := 2010; year < 2026; year++ {
		o.insert("Account", map[string]any{"Name": "顧客", "SystemModstamp": time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)})
	}
	o.settled()
	o.inject(crmsim.Fault{Name: "query_timeout", Rows: 3})
	o.inject(crmsim.Fault{Name: "status", Match: "POST ^" + queryJobsPath, Status: 400, ContentType: "application/json",
		Body: `[{"errorCode":"INVALIDENTITY","message":"Entity 'Account' is not supported by the Bulk API."}]`})
	r := o.reader(o.conn(), stream("Account", "Name"))
	r.round(100, nil)
	r.wantAll("Account")
	if n := o.calls("POST", queryJobsPath); n != 1 {
		t.Errorf("%d jobs were asked for", n)
	}
}
