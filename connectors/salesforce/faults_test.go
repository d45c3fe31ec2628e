package salesforce

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// operation is what the connector does with one kind of request, on an org with
// three tasks of one account.
type operation struct {
	match string // the request that meets the fault
	run   func(*org, *Conn) error
}

var operations = map[string]operation{
	"sign on": {"POST ^/services/oauth2/token$", func(o *org, c *Conn) error {
		c.sessions.current.Store(nil)
		return c.Check(o.t.Context())
	}},
	"check": {"GET ^/services/data/v66.0/?$", func(o *org, c *Conn) error { return c.Check(o.t.Context()) }},
	"clock": {"GET ^/services/data/?$", readTasks(0)},
	"describe": {"GET /sobjects/Account/describe$", func(o *org, c *Conn) error {
		fields, err := c.Describe(o.t.Context(), "Account")
		if err == nil && len(fields) == 0 {
			o.t.Error("Account has no fields")
		}
		return err
	}},
	"query":        {"GET /queryAll", readTasks(0)},
	"bulk create":  {"POST /jobs/query$", readTasks(1)},
	"bulk poll":    {"GET /jobs/query/[^/]+$", readTasks(1)},
	"bulk results": {"GET /jobs/query/[^/]+/results$", readTasks(1)},
	"current": {"POST /composite/sobjects/Account$", func(o *org, c *Conn) error {
		id := o.account()
		rows, err := c.Current(o.t.Context(), "Account", []string{id}, []string{"Name"})
		if err == nil && rows[0].Values["Name"] != "株式会社山田製作所" {
			o.t.Errorf("it holds %v", rows)
		}
		return err
	}},
	"write": {"PATCH /composite/sobjects$", func(o *org, c *Conn) error {
		id := o.account()
		results, err := c.Write(o.t.Context(), "Account", []connectors.Update{{ID: id, Values: map[string]any{"Energy__c": 42.5}}})
		if err != nil {
			return err
		}
		if row, _ := o.Get("Account", id); results[0].Outcome != connectors.Written || row["Energy__c"] != 42.5 {
			o.t.Errorf("%+v; it holds %v", results, row["Energy__c"])
		}
		return nil
	}},
}

// readTasks reads all tasks, by bulk jobs where there are more than bulkFrom.
func readTasks(bulkFrom int) func(*org, *Conn) error {
	return func(o *org, c *Conn) error {
		c.cfg.BulkFrom = bulkFrom
		stream := newStream().(*Stream)
		stream.Object, stream.Fields, stream.Participants = "Task", []string{"Subject"}, false
		s, err := c.Source(o.t.Context(), stream)
		if err != nil {
			return err
		}
		defer s.Close()
		seen := map[string]bool{}
		for cur, more := connectors.Cursor(""), true; more; {
			b, err := s.Read(o.t.Context(), cur, 1000)
			if err != nil {
				return err
			}
			for _, r := range b.Records {
				if seen[r.Key] {
					o.t.Errorf("%s comes twice", r.Key)
				}
				seen[r.Key] = true
			}
			cur, more = b.Next, b.More
		}
		if len(seen) != 3 {
			o.t.Errorf("%d tasks were read", len(seen))
		}
		return nil
	}
}

func (o *org) account() string {
	o.t.Helper()
	rows, err := o.Rows("Account")
	o.must(err)
	return rows[0]["Id"].(string)
}

// busy is an org with three tasks, old enough to be read.
func busy(t *testing.T) *org {
	o := newOrg(t)
	o.tasks(3)
	o.advance(time.Hour)
	return o
}

// hits counts the requests that match has met.
func (o *org) hits(match string) (n int) {
	method, path, _ := strings.Cut(match, " ")
	form := regexp.MustCompile(path)
	for _, r := range o.Log() {
		at, _, _ := strings.Cut(r.Path, "?")
		if r.Method == method && form.MatchString(at) {
			n++
		}
	}
	return n
}

// troubles are answers that say nothing of our request, with the kind that they
// are when they stay and how often a request is sent then.
var troubles = map[string]struct {
	fault crmsim.Fault
	kind  fault.Kind
	sent  int
}{
	"406":             {crmsim.Fault{Status: 406}, fault.Unavailable, 4},
	"408":             {crmsim.Fault{Status: 408}, fault.Unavailable, 4},
	"420":             {crmsim.Fault{Status: 420}, fault.Unavailable, 2},
	"429":             {crmsim.Fault{Status: 429}, fault.RateLimited, 4},
	"500":             {crmsim.Fault{Status: 500}, fault.Unavailable, 4},
	"502 HTML":        {crmsim.Fault{Status: 502, ContentType: "text/html", Body: "<html>Bad Gateway</html>"}, fault.Unavailable, 4},
	"503":             {crmsim.Fault{Status: 503}, fault.Unavailable, 4},
	"503 HTML":        {crmsim.Fault{Status: 503, ContentType: "text/html", Body: "<html>Maintenance</html>"}, fault.Unavailable, 4},
	"504":             {crmsim.Fault{Status: 504}, fault.Unavailable, 4},
	"200 HTML":        {crmsim.Fault{Status: 200, ContentType: "text/html", Body: "<html>Maintenance</html>"}, fault.Unavailable, 4},
	"200 nothing":     {crmsim.Fault{Status: 200}, fault.Unavailable, 4},
	"reset":           {crmsim.Fault{Cut: "before"}, fault.Unavailable, 4},
	"half an answer":  {crmsim.Fault{Cut: "middle"}, fault.Unavailable, 4},
	"done, no answer": {crmsim.Fault{Cut: "after"}, fault.Unavailable, 4},
	"concurrent":      {crmsim.Fault{Name: "concurrent"}, fault.RateLimited, 4},
}

// C59, C44, C58: what passes is not noticed, what stays is told after a bounded
// number of attempts, and nothing is read or written twice.
func TestC59_troubles(t *testing.T) {
	for name, op := range operations {
		healthy := busy(t)
		for trouble, tt := range troubles {
			f := tt.fault
			if f.Name == "" {
				f.Name = "status"
			}
			f.Match = op.match
			if f.Name == "concurrent" && (name == "sign on" || name == "clock") {
				continue // neither counts as a call
			}
			t.Run(name+"/"+trouble+" passes", func(t *testing.T) {
				o, f := healthy, f
				o.t, f.Times = t, 1
				o.inject(f)
				before := o.hits(op.match)
				if err := op.run(o, o.conn()); err != nil {
					t.Error(err)
				}
				if o.hits(op.match) < before+2 {
					t.Error("the fault was not met")
				}
			})
			t.Run(name+"/"+trouble+" stays", func(t *testing.T) {
				o := busy(t)
				o.inject(f)
				err := op.run(o, o.conn())
				n, most := o.hits(op.match), tt.sent
				if f.Cut == "before" || f.Cut == "after" {
					most++ // net/http repeats by itself what an old connection does not answer
				}
				if fault.KindOf(err) != tt.kind || n < tt.sent || n > most {
					t.Errorf("%v after %d requests; want %s after %d", err, n, tt.kind, tt.sent)
				}
			})
		}
	}
}

// C03, C05: wherever a session dies, one renewal heals it, and a second 401 ends it.
func TestC05_sessions_that_die(t *testing.T) {
	dead := `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`
	for name, op := range operations {
		if name == "sign on" || name == "clock" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			o := busy(t)
			o.inject(crmsim.Fault{Name: "status", Match: op.match, Times: 1, Status: 401, ContentType: "application/json", Body: dead})
			if err := op.run(o, o.conn()); err != nil || o.calls("POST", tokenPath) != 2 {
				t.Errorf("%v after %d sign-ons", err, o.calls("POST", tokenPath))
			}
			o = busy(t)
			o.inject(crmsim.Fault{Name: "status", Match: op.match, Status: 401, ContentType: "application/json", Body: dead})
			err := op.run(o, o.conn())
			if fault.KindOf(err) != fault.Auth || fault.HintOf(err) == "" || o.calls("POST", tokenPath) != 2 || o.hits(op.match) != 2 {
				t.Errorf("%v after %d sign-ons and %d requests", err, o.calls("POST", tokenPath), o.hits(op.match))
			}
			o = busy(t)
			c := o.conn()
			o.must(c.Check(t.Context()))
			for skip := range 12 { // the token dies with each of the next calls
				o.inject(crmsim.Fault{Name: "expire", Skip: skip})
				if err := op.run(o, c); err != nil {
					t.Errorf("after %d calls: %v", skip, err)
				}
			}
		})
	}
}

// The org's refusals of a request: salesforce.md section 14. None is sent twice.
func TestSection14_refusals(t *testing.T) {
	for _, tt := range []struct {
		status int
		code   string
		text   string
		kind   fault.Kind
	}{
		{400, "MALFORMED_QUERY", "unexpected token", fault.Config},
		{400, "INVALID_FIELD", "No such column", fault.Config},
		{400, "INVALID_TYPE", "sObject type is not supported", fault.Config},
		{400, "JSON_PARSER_ERROR", "Unexpected character", fault.Config},
		{403, "API_DISABLED_FOR_ORG", "API is not enabled", fault.Auth},
		{403, "API_CURRENTLY_DISABLED", "API is disabled", fault.Auth},
		{403, "INSUFFICIENT_ACCESS", "insufficient access", fault.Auth},
		{403, "FUNCTIONALITY_NOT_ENABLED", "not enabled", fault.Auth},
		{403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", fault.Quota},
		{405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed", fault.Config},
		{413, "REQUEST_TOO_LARGE", "too large", fault.Config},
		{415, "UNSUPPORTED_MEDIA_TYPE", "unsupported", fault.Config},
		{400, "SOMETHING_NEW", "nobody knows", fault.Config},
	} {
		t.Run(fmt.Sprintf("%d %s", tt.status, tt.code), func(t *testing.T) {
			for _, name := range []string{"check", "describe", "current", "write"} {
				o, op := busy(t), operations[name]
				o.inject(crmsim.Fault{Name: "status", Match: op.match, Status: tt.status, ContentType: "application/json",
					Body: fmt.Sprintf(`[{"message":%q,"errorCode":%q}]`, tt.text, tt.code)})
				err := op.run(o, o.conn())
				if fault.KindOf(err) != tt.kind || err.Error() == "" || o.hits(op.match) != 1 {
					t.Errorf("%s: %v after %d requests; want %s", name, err, o.hits(op.match), tt.kind)
				}
			}
		})
	}
}

// C57: without calls nothing is repeated and nothing waits, whatever is asked.
func TestC57_no_calls_left(t *testing.T) {
	for name, op := range operations {
		if name == "sign on" || name == "clock" {
			continue
		}
		o := busy(t)
		o.inject(crmsim.Fault{Name: "quota", Used: 100, Max: 100})
		err := op.run(o, o.conn())
		if n := len(o.Log()) - o.calls("POST", tokenPath) - o.hits("GET ^/services/data/?$"); fault.KindOf(err) != fault.Quota || n != 1 {
			t.Errorf("%s: %v after %d calls", name, err, n)
		}
	}
}

// C60: a job that the org never works off ends the run, with the job kept for the next one.
func TestC60_a_job_is_not_waited_for_for_ever(t *testing.T) {
	o := busy(t)
	o.inject(crmsim.Fault{Name: "bulk", Polls: 1 << 40})
	c := o.conn()
	c.pause = time.Microsecond // so that hours are milliseconds
	if err := readTasks(1)(o, c); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "not worked off") {
		t.Errorf("reading: %v", err)
	}
	updates := o.accounts(2)
	job, err := c.OpenJob(t.Context(), "Account")
	o.must(err)
	_, err = c.RunJob(t.Context(), job, "Account", sequence(updates))
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), job) || fault.HintOf(err) == "" {
		t.Errorf("writing: %v; hint %q", err, fault.HintOf(err))
	}
	if _, known, err := c.SettleJob(t.Context(), job, "Account", 2); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the next run: known %v, %v", known, err)
	}
}

// C60: a slow answer is waited for, up to the time-out and no longer.
func TestC60_slow_answers(t *testing.T) {
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			o := busy(t)
			o.inject(crmsim.Fault{Name: "slow", Match: op.match, Times: 1, DelayMS: 50})
			if err := op.run(o, o.conn()); err != nil || o.hits(op.match) == 0 {
				t.Errorf("a slow answer: %v", err)
			}
			o = busy(t)
			o.inject(crmsim.Fault{Name: "slow", Match: op.match, DelayMS: 300})
			cfg := config(strings.TrimPrefix(o.url, "http://"))
			cfg.Timeout = connectors.Duration(40 * time.Millisecond)
			c := newConn(*cfg, quiet, time.Millisecond)
			defer c.Close()
			if err := op.run(o, c); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "did not answer within 40ms") {
				t.Errorf("no answer: %v", err)
			}
		})
	}
}
