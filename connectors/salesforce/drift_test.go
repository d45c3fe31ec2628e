package salesforce

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// logged is a connection whose warnings can be read.
func (o *org) logged() (*Conn, *strings.Builder) {
	var log strings.Builder
	c := o.conn()
	c.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c, &log
}

func TestC20_drift_is_reported_once(t *testing.T) {
	o := newOrg(t)
	o.must(o.AddField("Task", crmsim.Field{Name: "Mood__c", Type: crmsim.Text, Length: 20}))
	o.must(o.AddField("Task", crmsim.Field{Name: "Old__c", Type: crmsim.Text, Length: 20}))
	o.tasks(3)
	o.settled()
	c, log := o.logged()
	cursor := connectors.Cursor("")
	round := func() string {
		log.Reset()
		r := o.reader(c, stream("Task", "Subject"))
		r.cursor = cursor
		r.round(2, nil)
		cursor = r.cursor
		o.advance(time.Hour)
		return log.String()
	}
	if said := round(); said != "" {
		t.Errorf("the first reading says %q", said)
	}
	if said := round(); said != "" {
		t.Errorf("nothing changed, and it says %q", said)
	}
	o.must(o.AddField("Task", crmsim.Field{Name: "New__c", Type: crmsim.Checkbox}))
	o.must(o.HideField("Task", "Old__c"))
	said := round()
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, "new=[New__c]") || !strings.Contains(said, `"gone or hidden"=[Old__c]`) || !strings.Contains(said, `"other type"=[]`) {
		t.Errorf("it says %q", said)
	}
	if said := round(); said != "" {
		t.Errorf("said already: %q", said)
	}
	if len(cursor) > 2000 {
		t.Errorf("the cursor has %d bytes", len(cursor))
	}
	// A type that changes, as describe tells it.
	log.Reset()
	before := (&sobject{Name: "Task", Fields: []field{{Name: "Score__c", Type: "string"}}}).shape()
	s := source{conn: c, object: "Task", shape: (&sobject{Name: "Task", Fields: []field{{Name: "Score__c", Type: "double"}}}).shape()}
	s.noteDrift(before)
	if !strings.Contains(log.String(), "Score__c (string to double)") {
		t.Errorf("it says %q", log.String())
	}
	log.Reset()
	s.noteDrift("what an older version wrote")
	if log.String() != "" {
		t.Errorf("of no shape it says %q", log.String())
	}
}

// A wide object's shape stays small in the cursor.
func TestShape_is_small(t *testing.T) {
	var o sobject
	for i := range 600 {
		o.Fields = append(o.Fields, field{Name: fmt.Sprintf("Survey_Answer_%03d__c", i), Type: []string{"string", "double", "picklist"}[i%3]})
	}
	if shape := o.shape(); len(shape) > 6000 || len(fieldsOf(shape)) != 600 {
		t.Errorf("%d bytes for 600 fields, of which %d come back", len(shape), len(fieldsOf(shape)))
	}
}

// What the org lets one know: a field that is hidden is told from one that is not there.
func TestC21_missing_columns_are_told_apart(t *testing.T) {
	o := newOrg(t)
	o.must(o.AddField("Task", crmsim.Field{Name: "Mood__c", Type: crmsim.Text, Length: 20}))
	o.must(o.AddField("Account", crmsim.Field{Name: "Rank__c", Type: crmsim.Text, Length: 20}))
	o.must(o.HideField("Task", "Mood__c"))
	o.must(o.HideField("Account", "Rank__c"))
	o.must(o.HideField("Task", "CallType"))
	columns := []string{"Subject", "Mood__c", "Mod__c", "CallType", "Account.Rank__c", "Account.Energi__c"}
	_, err := o.conn().Source(t.Context(), stream("Task", columns...))
	for _, want := range []string{
		`Task has the field "Mood__c", but hides it from the run-as user by field-level security`,
		`Account has the field "Rank__c", but hides it`,
		`Task has no field "Mod__c";`,
		`Account has no field "Energi__c"; did you mean "Energy__c"?`,
		`Task has no field "CallType", or hides it from the run-as user`,
	} {
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error()+";", want) {
			t.Errorf("%v\ndoes not say %s", err, want)
		}
	}
	o.inject(crmsim.Fault{Name: "status", Match: "GET .*/tooling/query", Status: http.StatusForbidden, ContentType: "application/json",
		Body: `[{"errorCode":"INSUFFICIENT_ACCESS","message":"insufficient access rights"}]`})
	_, err = o.conn().Source(t.Context(), stream("Task", columns...))
	for _, name := range []string{"Mood__c", "Mod__c", "CallType", "Rank__c", "Energi__c"} {
		if want := fmt.Sprintf(`has no field %q, or hides it from the run-as user`, name); fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %s", err, want)
		}
	}
	// A field that is hidden between two runs is named at the next.
	r := o.reader(o.conn(), stream("Task", "Subject", "Status"))
	r.round(10, nil)
	o.must(o.HideField("Task", "Status"))
	if _, err := o.conn().Source(t.Context(), stream("Task", "Subject", "Status")); err == nil || !strings.Contains(err.Error(), `"Status"`) {
		t.Errorf("hidden meanwhile: %v", err)
	}
}

func TestC27_calculated_columns_of_what_is_never_read_completely(t *testing.T) {
	o := newOrg(t)
	o.must(o.AddField("Account", crmsim.Field{Name: "Orders__c", Type: crmsim.Number, Precision: 9, Calculated: true}))
	for _, tt := range []struct {
		columns []string
		reread  time.Duration
		warns   bool
	}{{[]string{"Name", "Orders__c"}, 0, true}, {[]string{"Name", "Orders__c"}, time.Hour, false}, {[]string{"Name"}, 0, false}} {
		c, log := o.logged()
		s := stream("Account", tt.columns...)
		s.SetReread(tt.reread)
		r := o.reader(c, s)
		r.round(10, nil)
		if got := strings.Contains(log.String(), "Orders__c"); got != tt.warns || strings.Count(log.String(), "\n") > 1 {
			t.Errorf("%v every %v: the log says %q", tt.columns, tt.reread, log.String())
		}
	}
}

// All objects of a run are described at one call, and each run sees them anew.
func TestC61_Prepare(t *testing.T) {
	o := newOrg(t)
	o.tasks(3)
	o.settled()
	c := o.conn()
	streams := func() []connectors.Config {
		return []connectors.Config{stream("User", "Name"), stream("Account", "Name", "Owner.Name"), stream("Contact", "Name", "Account.Parent.Name"),
			stream("Task", "Subject", "Account.Name", "Participants"), stream("task", "Subject"), stream("EmailMessage", "Activity.AccountId", "Participants"), stream("Nothing__c")}
	}
	all := streams()
	c.Prepare(t.Context(), all)
	for _, s := range all[:6] {
		o.reader(c, s.(*Stream))
	}
	if n, m := o.calls("POST", dataPath+"/composite"), o.calls("GET", dataPath+"/sobjects/"); n != 1 || m != 0 {
		t.Errorf("%d calls for all and %d describes", n, m)
	}
	if _, err := c.Source(t.Context(), all[6]); fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "Nothing__c") {
		t.Errorf("an unknown object: %v", err)
	}
	// What was found is used once: a second opening asks.
	before := o.calls("GET", dataPath+"/sobjects/")
	o.must(o.AddField("Task", crmsim.Field{Name: "Mood__c", Type: crmsim.Text, Length: 20}))
	o.reader(c, stream("Task", "Mood__c"))
	if n := o.calls("GET", dataPath+"/sobjects/") - before; n != 1 {
		t.Errorf("%d describes of an object that was used already", n)
	}
	// The next run sees the new field, and what cannot be told in advance is asked for.
	c.Prepare(t.Context(), []connectors.Config{stream("Task", "Mood__c")})
	o.reader(c, stream("Task", "Mood__c"))
	o.inject(crmsim.Fault{Name: "status", Match: "POST .*/composite$", Status: 400, Body: `[{"errorCode":"API_ERROR","message":"no"}]`, ContentType: "application/json"})
	c.Prepare(t.Context(), []connectors.Config{stream("Task", "Mood__c")})
	o.reader(c, stream("Task", "Mood__c"))
}
