package salesforce

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

func stream(object string, fields ...string) *Stream {
	s := newStream().(*Stream)
	s.Object, s.Fields = object, fields
	return s
}

// reader reads one stream and keeps its cursor, as a daemon does.
type reader struct {
	*org
	source connectors.Source
	cursor connectors.Cursor
	seen   map[string]connectors.Record // the last version of each
	reads  []connectors.Batch
}

func (o *org) reader(c *Conn, s *Stream) *reader {
	o.t.Helper()
	source, err := c.Source(o.t.Context(), s)
	o.must(err)
	o.t.Cleanup(func() { o.must(source.Close()) })
	return &reader{org: o, source: source, seen: map[string]connectors.Record{}}
}

// round reads to the end of the stream; between is called after each batch.
func (r *reader) round(limit int, between func()) {
	r.t.Helper()
	r.reads = nil
	for more := true; more; {
		batch, err := r.source.Read(r.t.Context(), r.cursor, limit)
		r.must(err)
		for _, record := range batch.Records {
			r.seen[record.Key] = record
		}
		r.cursor, more = batch.Next, batch.More
		r.reads = append(r.reads, batch)
		if len(r.reads) > 5000 {
			r.t.Fatal("no end")
		}
		if between != nil {
			between()
		}
	}
}

// wantAll compares what was seen with the org's true rows.
func (r *reader) wantAll(object string) {
	r.t.Helper()
	rows, err := r.Rows(object)
	r.must(err)
	want, got := map[string]time.Time{}, map[string]time.Time{}
	for _, row := range rows {
		want[row["Id"].(string)] = row["SystemModstamp"].(time.Time)
	}
	for key, record := range r.seen {
		got[key] = record.ChangedAt
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("rows and their stamps differ (-org +read):\n%.2000s", diff)
	}
}

func (o *org) settled() { o.advance(6 * time.Minute) }

func TestSource_values(t *testing.T) {
	o := newOrg(t)
	account := o.insert("Account", map[string]any{"Name": "株式会社山田製作所", "AccountNumber": "K0001"})
	who := o.insert("Contact", map[string]any{"LastName": "山田", "Title": "部長", "AccountId": account})
	done := time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC)
	id := o.insert("Task", map[string]any{"Subject": "訪問", "WhoId": who, "WhatId": account,
		"ActivityDate": "2026-11-20", "Status": "Completed", "CompletedDateTime": done, "CallDurationInSeconds": 90.0})
	o.insert("Task", map[string]any{"Subject": "電話"})
	o.settled()
	fields := []string{"id", "Subject", "Who.Title", "who.title", "What.Name", "Owner.Name", "ActivityDate", "CompletedDateTime", "CallDurationInSeconds", "IsArchived"}
	r := o.reader(o.conn(), stream("Task", fields...))
	r.round(10, nil)
	got := r.seen[id]
	want := []any{id, "訪問", "部長", "部長", "株式会社山田製作所", got.Value("Owner.Name"), "2026-11-20", done, int64(90), false}
	if diff := cmp.Diff(want, got.Values); diff != "" || !slices.Equal(got.Columns.Names, fields) || got.Origin != "Task/"+id {
		t.Errorf("record %+v (-want +got):\n%s", got, diff)
	}
	for key, record := range r.seen {
		if key != id && (record.Value("Who.Title") != nil || record.Value("CompletedDateTime") != nil) {
			t.Errorf("the record without parents has %v", record.Fields())
		}
	}
}

func TestSource_unknown_columns_are_named(t *testing.T) {
	o := newOrg(t)
	o.must(o.HideField("Task", "CallType"))
	_, err := o.conn().Source(t.Context(), stream("Task", "Subjekt", "CallType", "Acount.Name", "Account.Nme", "Subject"))
	if fault.KindOf(err) != fault.Config || !strings.Contains(fault.HintOf(err), "field-level security") {
		t.Errorf("%v; hint %q", err, fault.HintOf(err))
	}
	for _, want := range []string{
		`Task has no field "Subjekt"`, `did you mean "Subject"?`, `Task has no field "CallType"`,
		`Task has no parent "Acount" for "Acount.Name"; did you mean "Account"?`, `Account has no field "Nme"`, `did you mean "Name"?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	_, err = o.conn().Source(t.Context(), stream("Taks"))
	if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), `did you mean "Task"?`) {
		t.Errorf("unknown object: %v", err)
	}
}

func TestC09_only_the_orgs_clock_counts(t *testing.T) {
	o := newOrg(t)
	for _, now := range []time.Time{time.Date(2019, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(2041, 2, 3, 4, 5, 6, 0, time.UTC)} {
		o.inject(crmsim.Fault{Name: "clock", Set: now})
		young := o.insert("Account", map[string]any{"Name": "早すぎる"})
		r := o.reader(o.conn(), stream("Account", "Name"))
		r.round(10, nil)
		if _, ok := r.seen[young]; ok {
			t.Errorf("%v: a row younger than lag was read", now)
		}
		if to := r.reads[len(r.reads)-1].Interval.To; to.After(now.Add(-5*time.Minute+2*time.Second)) || to.Before(now.Add(-6*time.Minute)) {
			t.Errorf("%v: read up to %v", now, to)
		}
		o.settled()
		r.round(10, nil)
		r.wantAll("Account")
	}
}

func TestC10_late_commits_are_read(t *testing.T) {
	o := newOrg(t)
	base := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	o.inject(crmsim.Fault{Name: "clock", Set: base})
	r := o.reader(o.conn(), stream("Account", "Name"))
	// A long transaction stamps its row at once; it becomes visible 12 minutes later,
	// when reading has gone beyond the stamp.
	late := base.Add(time.Minute)
	for range 24 {
		o.insert("Account", map[string]any{"Name": "普通"})
		o.advance(30 * time.Second)
		r.round(10, nil)
	}
	if got := r.reads[len(r.reads)-1].Interval.To; !got.After(late) {
		t.Fatalf("the test does not reach beyond the late stamp: %v", got)
	}
	o.insert("Account", map[string]any{"Name": "遅れた", "SystemModstamp": late})
	r.round(10, nil)
	o.settled()
	r.round(10, nil)
	r.wantAll("Account")
}

// Every other save takes two minutes to become visible, while energyd reads every
// 30 seconds and nearly up to the moment.
func TestC10_commits_that_take_two_minutes(t *testing.T) {
	o := frozen(t)
	conn := o.conn()
	conn.cfg.Lag = connectors.Duration(time.Minute)
	r := o.reader(conn, stream("Account", "Name"))
	for i := range 40 {
		o.inject(crmsim.Fault{Name: "commit_delay", DelayMS: []int{120_000, 0}[i%2]})
		o.insert("Account", map[string]any{"Name": "顧客"})
		o.advance(30 * time.Second)
		r.round(10, nil)
	}
	o.settled()
	r.round(10, nil)
	r.wantAll("Account")
}

// frozen is an org whose clock moves only by hand, so that stamps are equal.
func frozen(t *testing.T) *org {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "clock", Set: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
	return o
}

func TestC11_ties_over_page_borders(t *testing.T) {
	o := frozen(t)
	stamp := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for range 3000 {
		o.insert("Account", map[string]any{"Name": "同時", "SystemModstamp": stamp})
	}
	c := o.conn()
	c.cfg.PageSize = 200
	r := o.reader(c, stream("Account", "Name"))
	// Every second page begins a new source, as a restart would.
	pages := 0
	r.round(200, func() {
		if pages++; pages%2 == 0 {
			r.source = o.reader(c, stream("Account", "Name")).source
		}
	})
	r.wantAll("Account")
	if pages < 15 || pages > 17 {
		t.Errorf("%d pages for 3000 rows", pages)
	}
}

func TestC13_dropped_locators(t *testing.T) {
	o := newOrg(t)
	for range 700 {
		o.insert("Account", map[string]any{"Name": "顧客"})
	}
	o.settled()
	c := o.conn()
	c.cfg.PageSize = 200
	r := o.reader(c, stream("Account", "Name"))
	r.round(200, func() { o.inject(crmsim.Fault{Name: "drop_locators"}) })
	r.wantAll("Account")
	if n := o.calls("GET", dataPath+"/queryAll?"); n != 4 {
		t.Errorf("%d queries; want one for each of 4 pages", n)
	}
}

func TestSource_rows_that_change_between_pages(t *testing.T) {
	o := frozen(t)
	ids := make([]string, 700)
	for i := range ids {
		ids[i] = o.insert("Account", map[string]any{"Name": "顧客"})
	}
	o.advance(time.Hour) // so that lookback does not mend what is lost
	c := o.conn()
	c.cfg.PageSize = 200
	r := o.reader(c, stream("Account", "Name"))
	pages := 0
	r.round(200, func() {
		switch pages++; pages {
		case 1: // the last row of page 2 will come with a stamp beyond the window
			o.must(o.Update("Account", ids[399], map[string]any{"Name": "変更"}))
		case 2: // going on from there must not skip page 3
			o.inject(crmsim.Fault{Name: "drop_locators"})
		}
	})
	o.settled()
	r.round(200, nil)
	r.wantAll("Account")
}

func TestC15_windows_are_halved_and_both_halves_read(t *testing.T) {
	tooLong := crmsim.Fault{Name: "status", Match: "GET ^" + dataPath + "/queryAll", Status: 400, ContentType: "application/json",
		Body: `[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]`}
	o := newOrg(t)
	for year := 2010; year < 2026; year++ {
		o.insert("Account", map[string]any{"Name": "顧客", "SystemModstamp": time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)})
	}
	o.settled()
	c := o.conn()
	c.cfg.BulkFrom = 0
	r := o.reader(c, stream("Account", "Name"))
	once := tooLong
	once.Times = 3
	o.inject(once)
	r.round(5, nil)
	r.wantAll("Account")
	windows := 0
	for _, batch := range r.reads {
		if !batch.Interval.IsZero() {
			windows++
		}
	}
	if windows < 3 {
		t.Errorf("%d windows were finished; want several", windows)
	}
	before := o.calls("GET", dataPath+"/queryAll")
	r = o.reader(c, stream("Account", "Name"))
	o.inject(tooLong)
	_, err := r.source.Read(t.Context(), "", 5)
	if fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" || o.calls("GET", dataPath+"/queryAll")-before > 40 {
		t.Errorf("for ever too long: %v after %d calls", err, o.calls("GET", dataPath+"/queryAll")-before)
	}
}

func TestC16_the_server_chooses_the_page(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "page_max", Rows: 37})
	o.tasks(250)
	o.settled()
	r := o.reader(o.conn(), stream("Task", "Subject"))
	r.round(100, nil)
	r.wantAll("Task")
}

func TestC20_new_fields_are_known_at_the_next_run(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	if _, err := c.Source(t.Context(), stream("Task", "Mood__c")); fault.KindOf(err) != fault.Config {
		t.Fatalf("before: %v", err)
	}
	o.must(o.AddField("Task", crmsim.Field{Name: "Mood__c", Type: crmsim.Text, Length: 20}))
	if _, err := c.Source(t.Context(), stream("Task", "Mood__c")); err != nil {
		t.Errorf("after: %v", err)
	}
}

func TestC22_deleted_and_undeleted(t *testing.T) {
	o := newOrg(t)
	id := o.tasks(3)[1]
	o.settled()
	c := o.conn()
	r, live := o.reader(c, stream("Task", "Subject")), stream("Task", "Subject")
	live.IncludeDeleted = false
	for _, step := range []struct {
		act     func(object, id string) error
		deleted bool
	}{{o.Delete, true}, {o.Undelete, false}} {
		o.must(step.act("Task", id))
		o.settled()
		r.round(10, nil)
		if r.seen[id].Deleted != step.deleted {
			t.Errorf("Deleted is %v; want %v", r.seen[id].Deleted, step.deleted)
		}
		only := o.reader(c, live)
		only.round(10, nil)
		if _, ok := only.seen[id]; ok == step.deleted {
			t.Errorf("include_deleted: false shows the row: %v", ok)
		}
	}
}

func TestC24_archived_activities_are_read(t *testing.T) {
	o := newOrg(t)
	old := o.insert("Task", map[string]any{"Subject": "昔の訪問", "IsArchived": true})
	o.settled()
	for _, deleted := range []bool{true, false} {
		s := stream("Task", "Subject")
		s.IncludeDeleted = deleted
		r := o.reader(o.conn(), s)
		r.round(10, nil)
		if _, ok := r.seen[old]; !ok {
			t.Errorf("include_deleted %v: the archived task is missing", deleted)
		}
	}
}

func TestC29_awkward_names_in_a_condition(t *testing.T) {
	o := newOrg(t)
	name := `O'Neil \ "x" %` + "\n改行"
	id := o.insert("Account", map[string]any{"Name": name})
	o.insert("Account", map[string]any{"Name": "別"})
	o.settled()
	s := stream("Account", "Name")
	s.Where = "Name = " + quote(name)
	r := o.reader(o.conn(), s)
	r.round(10, nil)
	if len(r.seen) != 1 || r.seen[id].Value("Name") != name {
		t.Errorf("got %v", r.seen)
	}
}

func TestC61_an_idle_round_is_cheap(t *testing.T) {
	o := newOrg(t)
	o.tasks(10)
	o.settled()
	c := o.conn()
	r := o.reader(c, stream("Task", "Subject", "Account.Name"))
	r.round(1000, nil)
	o.advance(time.Hour)
	before := c.Usage().Run
	again := o.reader(c, stream("Task", "Subject", "Account.Name"))
	again.cursor = r.cursor
	again.round(1000, nil)
	if after := c.Usage().Run; after-before > 3 {
		t.Errorf("an idle round costs %d calls; want two describes and one query", after-before)
	}
}

func TestSource_object_without_deletions(t *testing.T) {
	o := newOrg(t)
	o.settled()
	r := o.reader(o.conn(), stream("User")) // and all columns, as none is named
	r.round(10, nil)
	r.wantAll("User")
	for _, user := range r.seen {
		if user.Value("Username") == nil {
			t.Errorf("user %v has no Username", user.Fields())
		}
	}
}

func TestSource_too_long_a_condition(t *testing.T) {
	o := newOrg(t)
	s := stream("Task")
	s.Where = strings.Repeat("Subject != 'x' AND ", 2000) + "IsClosed = false"
	if _, err := o.conn().Source(t.Context(), s); fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

func TestC63_reading_stops_with_its_context(t *testing.T) {
	o := newOrg(t)
	source := o.reader(o.conn(), stream("Task", "Subject")).source
	o.inject(crmsim.Fault{Name: "slow", DelayMS: 60_000, Times: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := source.Read(ctx, "", 10); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
}

// What was read for another condition tells nothing of this one: a widened
// where must bring the old rows too. The same for what is not a cursor at all.
func TestSource_a_cursor_of_something_else_is_not_used(t *testing.T) {
	o := newOrg(t)
	o.tasks(4)
	o.advance(time.Hour) // out of the lookback's reach
	var log strings.Builder
	c := o.conn()
	c.log = slog.New(slog.NewTextHandler(&log, nil))
	first := o.reader(c, stream("Task"))
	first.round(10, nil)
	for name, tt := range map[string]struct {
		set    func(*Stream)
		cursor connectors.Cursor
		says   string
	}{
		"where":           {func(s *Stream) { s.Where = "Subject != 'x'" }, first.cursor, "where"},
		"include_deleted": {func(s *Stream) { s.IncludeDeleted = false }, first.cursor, "include_deleted"},
		"damaged":         {func(*Stream) {}, first.cursor[:20], "not one of this connector"},
		"newer version":   {func(*Stream) {}, connectors.Cursor(strings.Replace(string(first.cursor), `"v":1`, `"v":2`, 1)), "not one of this connector"},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			cfg := stream("Task")
			tt.set(cfg)
			r := o.reader(c, cfg)
			r.cursor = tt.cursor
			r.round(10, nil)
			if len(r.seen) != 4 || !strings.Contains(log.String(), "from the beginning") || !strings.Contains(log.String(), tt.says) {
				t.Errorf("read %d rows of 4; the log says %q", len(r.seen), log.String())
			}
		})
	}
	log.Reset()
	same := o.reader(c, stream("Task"))
	same.cursor = first.cursor
	same.round(10, nil)
	if len(same.seen) != 0 || log.Len() != 0 {
		t.Errorf("the stream's own cursor: read %d rows; the log says %q", len(same.seen), log.String())
	}
}

// Whoever is killed after any page ends where an undisturbed reader does.
func TestC12_killed_after_each_page(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "page_max", Rows: 23})
	o.tasks(150)
	o.settled()
	r := o.reader(o.conn(), stream("Task", "Subject"))
	counts := map[string]int{}
	r.round(50, func() {
		for _, record := range r.reads[len(r.reads)-1].Records {
			counts[record.Key]++
		}
		r.source = o.reader(o.conn(), stream("Task", "Subject")).source
	})
	r.wantAll("Task")
	for id, n := range counts {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

func TestC22_merges_and_conversion(t *testing.T) {
	o := newOrg(t)
	account := o.insert("Account", map[string]any{"Name": "東海精密"})
	winner := o.insert("Contact", map[string]any{"LastName": "田中", "AccountId": account})
	loser := o.insert("Contact", map[string]any{"LastName": "田中 重複", "AccountId": account})
	task := o.insert("Task", map[string]any{"Subject": "電話", "WhoId": loser})
	lead := o.insert("Lead", map[string]any{"LastName": "高橋", "Company": "新規", "Status": "Open"})
	toLead := o.insert("Task", map[string]any{"Subject": "電話", "WhoId": lead})
	o.advance(time.Hour)
	c := o.conn()
	contacts := o.reader(c, stream("Contact", "LastName", "MasterRecordId", "AccountId"))
	tasks := o.reader(c, stream("Task", "WhoId", "Participants"))
	leads := o.reader(c, stream("Lead", "IsConverted", "ConvertedContactId", "ConvertedAccountId"))
	for _, r := range []*reader{contacts, tasks, leads} {
		r.round(10, nil)
	}
	if got := leads.seen[lead].Value("IsConverted"); got != false {
		t.Errorf("the lead: %v", got)
	}
	o.must(o.Merge("Contact", winner, loser))
	made, err := o.Convert(lead, crmsim.Conversion{Account: account})
	o.must(err)
	o.advance(time.Hour)
	for _, r := range []*reader{contacts, tasks, leads} {
		r.seen = map[string]connectors.Record{}
		r.round(10, nil)
	}
	if got := contacts.seen[loser]; !got.Deleted || got.Value("MasterRecordId") != winner {
		t.Errorf("the loser of a merge: %+v", got.Fields())
	}
	if got := tasks.seen[task]; got.Value("WhoId") != winner {
		t.Errorf("its task: %v", got.Fields())
	}
	if got := leads.seen[lead]; got.Value("IsConverted") != true || got.Value("ConvertedContactId") != made.Contact || got.Value("ConvertedAccountId") != account {
		t.Errorf("the converted lead: %v", got.Fields())
	}
	if got := tasks.seen[toLead]; got.Value("WhoId") != made.Contact {
		t.Errorf("its task: %v", got.Fields())
	}
	if got := contacts.seen[made.Contact]; got.Value("LastName") != "高橋" {
		t.Errorf("its contact: %v", got.Fields())
	}
}

// Histories have no change time but that of their making.
func TestSource_histories(t *testing.T) {
	o := newOrg(t)
	deal := o.insert("Opportunity", map[string]any{"Name": "案件", "StageName": "Prospecting", "CloseDate": "2026-12-01"})
	c := o.conn()
	stages := o.reader(c, stream("OpportunityHistory", "OpportunityId", "StageName", "CreatedDate"))
	fields := o.reader(c, stream("OpportunityFieldHistory", "OpportunityId", "Field", "OldValue", "NewValue", "CreatedDate"))
	want := []any{"Prospecting"}
	for _, stage := range []string{"Qualification", "Proposal", "Closed Won"} {
		o.advance(time.Hour)
		o.must(o.Update("Opportunity", deal, map[string]any{"StageName": stage}))
		want = append(want, stage)
		stages.round(1, nil)
		fields.round(1, nil)
	}
	o.advance(time.Hour)
	stages.round(1, nil)
	fields.round(1, nil)
	var got []any
	for _, record := range sorted(stages) {
		got = append(got, record.Value("StageName"))
		if !record.ChangedAt.Equal(record.Value("CreatedDate").(time.Time)) {
			t.Errorf("%v has the version %v", record.Fields(), record.ChangedAt)
		}
	}
	if !cmp.Equal(got, want) {
		t.Errorf("stages %v; want %v", got, want)
	}
	var moves []string
	for _, record := range sorted(fields) {
		if record.Value("Field") == "StageName" {
			moves = append(moves, record.Value("OldValue").(string)+" → "+record.Value("NewValue").(string))
		}
	}
	if !slices.Equal(moves, []string{"Prospecting → Qualification", "Qualification → Proposal", "Proposal → Closed Won"}) {
		t.Errorf("moves %q", moves)
	}
}

// sorted gives what was seen by change time.
func sorted(r *reader) []connectors.Record {
	all := slices.Collect(maps.Values(r.seen))
	slices.SortFunc(all, func(a, b connectors.Record) int { return a.ChangedAt.Compare(b.ChangedAt) })
	return all
}

// The job that archives moves no change time: what was read stays read, once.
func TestC24_archiving_brings_nothing_again(t *testing.T) {
	o := newOrg(t)
	id := o.insert("Task", map[string]any{"Subject": "昔の訪問", "Status": "Completed", "ActivityDate": "2020-01-10"})
	o.advance(time.Hour)
	r := o.reader(o.conn(), stream("Task", "Subject", "IsArchived"))
	r.round(10, nil)
	if _, ok := r.seen[id]; !ok {
		t.Fatal("the task was not read before")
	}
	_, err := o.Archive()
	o.must(err)
	row, _ := o.Get("Task", id)
	if row["IsArchived"] != true {
		t.Fatal("the task was not archived")
	}
	o.advance(time.Hour)
	r.seen = map[string]connectors.Record{}
	r.round(10, nil)
	all := o.reader(o.conn(), stream("Task", "Subject", "IsArchived"))
	all.round(10, nil)
	if len(r.seen) != 0 || len(all.seen) != 1 || all.seen[id].Value("IsArchived") != true {
		t.Errorf("%d records again; read anew %v", len(r.seen), all.seen)
	}
}

// The tail is what the lag held back, in pages; it moves nothing, so the round after gives it again.
func TestTail_gives_what_the_lag_held_back(t *testing.T) {
	o := newOrg(t)
	o.settled()
	cfg := stream("Account", "Name")
	r := o.reader(o.conn(), cfg)
	r.round(10, nil)
	young := map[string]bool{}
	for range 5 {
		young[o.insert("Account", map[string]any{"Name": "いま保存した"})] = true
	}
	src, err := o.conn().Source(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ended, found := r.reads[len(r.reads)-1].Next, 0
	if err := src.(connectors.TailReader).Tail(t.Context(), ended, 2, func(b connectors.Batch) error {
		for _, rec := range b.Records {
			if young[rec.Key] {
				found++
			}
		}
		if len(b.Records) > 2 || b.Next != "" || !b.Interval.IsZero() {
			t.Errorf("a batch of %d, next %q, interval %v", len(b.Records), b.Next, b.Interval)
		}
		return nil
	}); err != nil || found != len(young) {
		t.Fatalf("%d of %d: %v", found, len(young), err)
	}
	o.settled()
	r.round(10, nil)
	r.wantAll("Account")
}
