package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
)

// wide is an org whose accounts have 600 fields more, all with the same value.
func wide(t *testing.T) (o *org, columns []string, value func(string) map[string]any) {
	o = frozen(t)
	for i := range 600 {
		name := fmt.Sprintf("Survey_Answer_%03d__c", i)
		columns = append(columns, name)
		o.must(o.AddField("Account", crmsim.Field{Name: name, Type: crmsim.Text, Length: 20}))
	}
	return o, columns, func(v string) map[string]any {
		values := map[string]any{"Name": v}
		for _, name := range columns {
			values[name] = v
		}
		return values
	}
}

// whole fails for a record that was put together of two states.
func whole(t *testing.T, columns []string, record connectors.Record) {
	t.Helper()
	for _, name := range columns {
		if got := record.Value(name); got != record.Value("Name") {
			t.Fatalf("%s has %v in %s and %v in Name", record.Key, got, name, record.Value("Name"))
		}
	}
}

func TestC17_600_columns(t *testing.T) {
	o, columns, value := wide(t)
	ids := make([]string, 30)
	for i := range ids {
		ids[i] = o.insert("Account", value(fmt.Sprintf("顧客%d", i)))
		if i%4 == 3 {
			o.advance(time.Second)
		}
	}
	o.advance(time.Hour)
	o.inject(crmsim.Fault{Name: "page_max", Rows: 7})
	r := o.reader(o.conn(), stream("Account", append(slices.Clone(columns), "Name")...))
	r.round(5, nil)
	r.wantAll("Account")
	for i, id := range ids {
		whole(t, columns, r.seen[id])
		if got := r.seen[id].Value("Name"); got != fmt.Sprintf("顧客%d", i) {
			t.Errorf("record %d is %v", i, got)
		}
	}
	for _, request := range o.Log() {
		if len(request.Path) > 16_384-1000 {
			t.Errorf("an address of %d bytes", len(request.Path))
		}
	}
	// In a job the statement is a body: it is not cut.
	before := o.calls("POST", queryJobsPath)
	byBulk := o.reader(o.bulkConn(nil), stream("Account", append(slices.Clone(columns), "Name")...))
	byBulk.round(5, nil)
	byBulk.wantAll("Account")
	for _, id := range ids {
		whole(t, columns, byBulk.seen[id])
	}
	if n := o.calls("POST", queryJobsPath) - before; n != 1 {
		t.Errorf("%d jobs", n)
	}
}

func TestC17_rows_that_change_between_the_parts(t *testing.T) {
	o, columns, value := wide(t)
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = o.insert("Account", value("前"))
	}
	o.advance(20 * time.Minute)
	o.insert("Account", value("前"))
	o.advance(time.Hour)
	parts := 0
	c := o.before(func(r *http.Request, _ []byte) {
		if !strings.HasSuffix(r.URL.Path, "/queryAll") {
			return
		}
		if parts++; parts != 2 {
			return
		}
		// The second part is about to be read.
		o.must(o.Update("Account", ids[3], value("後")))
		early := value("遅")
		early["SystemModstamp"] = time.Date(2026, 11, 21, 0, 10, 0, 0, time.UTC) // by a transaction that took long
		o.must(o.Update("Account", ids[5], early))
		o.must(o.HardDelete("Account", ids[7]))
		o.must(o.Server.Delete("Account", ids[9]))
		late := value("新")
		late["SystemModstamp"] = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		o.insert("Account", late)
	})
	r := o.reader(c, stream("Account", append(slices.Clone(columns), "Name")...))
	r.round(1000, nil)
	if parts < 4 {
		t.Fatalf("%d queries: the statement was not cut", parts)
	}
	for id, record := range r.seen {
		whole(t, columns, record)
		if want := map[string]any{ids[5]: "遅"}[id]; want != nil && record.Value("Name") != want {
			t.Errorf("%s is %v; want %v", id, record.Value("Name"), want)
		}
	}
	for _, gone := range []string{ids[3], ids[7], ids[9]} {
		if _, ok := r.seen[gone]; ok {
			t.Errorf("%s was given by this round, before its change is settled", gone)
		}
	}
	if len(r.seen) != 18 {
		t.Errorf("%d records of 18", len(r.seen))
	}
	o.settled()
	r.round(1000, nil)
	if got := r.seen[ids[3]]; got.Value("Name") != "後" {
		t.Errorf("the changed row is %v in the next round", got.Value("Name"))
	}
	if !r.seen[ids[9]].Deleted {
		t.Error("the deleted row is not told in the next round")
	}
}

// A statement that fits into an address leaves room for the ids of activities whose relations changed.
func TestC17_relations_of_a_wide_activity(t *testing.T) {
	o := newOrg(t)
	columns := []string{"Participants"}
	for i := range 420 {
		columns = append(columns, fmt.Sprintf("Survey_Answer_%03d__c", i))
		o.must(o.AddField("Task", crmsim.Field{Name: columns[i+1], Type: crmsim.Text, Length: 20}))
	}
	c := newCircle(t, o)
	tasks := make([]string, idsAtOnce)
	for i := range tasks {
		tasks[i] = c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.tanaka})
	}
	c.advance(time.Hour)
	r := c.reader(c.conn(), stream("Task", columns...))
	r.round(1000, nil)
	for _, id := range tasks {
		c.insert("TaskRelation", map[string]any{"TaskId": id, "RelationId": c.suzuki})
	}
	c.advance(time.Hour)
	r.round(1000, nil)
	for _, id := range tasks {
		if got := said(t, record(r, id)); len(got) != 2 {
			t.Errorf("a task has %q", got)
		}
	}
}
