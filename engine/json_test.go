package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/engine"
)

const fullLine = `{"id":"dr-4711","source":"daily_report","source_version":1767225600000000,"occurred_at":"2026-03-31T15:30:00Z","kind":"visit","direction":"out","account_id":"001A","status":"planned","deals":[{"id":"006D","share":0.5}],"reps":[{"id":"005R"}],"participants":[{"contact_id":"003C","title":"営業部長","rank":"department_manager","keyman":true,"role":"to"}],"cues":["question","listened"],"same":{"call":"c1","event":"u1","start":"2026-03-31T15:00:00Z","record":"00U1"},"deleted":true,"mapping":"mappings/daily_report.yaml:14","mapping_revision":2}`

func TestParseActivity(t *testing.T) {
	a, err := engine.ParseActivity([]byte(fullLine))
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Activity{
		Source: "daily_report", ID: "dr-4711", Version: 1767225600000000, At: instant("2026-03-31T15:30:00Z").UTC(),
		Kind: "visit", Direction: engine.Outbound, Account: "001A", Status: engine.Planned,
		Deals: []engine.Share{{ID: "006D", Weight: 0.5}}, Reps: []engine.Share{{ID: "005R"}},
		People: []engine.Participant{{Contact: "003C", Title: "営業部長", Rank: "department_manager", Keyman: true, Role: engine.To}},
		Cues:   []string{"question", "listened"}, Same: &engine.Same{Call: "c1", Event: "u1", Start: "2026-03-31T15:00:00Z", Record: "00U1"}, Deleted: true, Mapping: "mappings/daily_report.yaml:14", Revision: 2,
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
	same(t, "written again", string(engine.AppendActivity(nil, a)), fullLine)

	short, err := engine.ParseActivity([]byte(`{"id":"1","kind":"visit","date":"2026-04-01"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(engine.Activity{ID: "1", Kind: "visit", Date: date("2026-04-01")}, short); diff != "" {
		t.Error(diff)
	}
}

func TestParseActivityErrors(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"unknown key", `{"id":"1","kind":"visit","date":"2026-04-01","acount_id":"A"}`, `unknown key "acount_id"; did you mean "account_id"?`},
		{"unknown key inside", `{"id":"1","kind":"visit","date":"2026-04-01","participants":[{"contact":"C"}]}`, `unknown key "contact"`},
		{"no id", `{"kind":"visit","date":"2026-04-01"}`, `no "id"`},
		{"no kind", `{"id":"1","date":"2026-04-01"}`, `no "kind"`},
		{"no time", `{"id":"1","kind":"visit"}`, `no "occurred_at" and no "date"`},
		{"two times", `{"id":"1","kind":"visit","date":"2026-04-01","occurred_at":"2026-04-01T10:00:00Z"}`, `both "occurred_at" and "date"`},
		{"no zone", `{"id":"1","kind":"visit","occurred_at":"2026-04-01T10:00:00"}`, "not a time with its zone"},
		{"before all time", `{"id":"1","kind":"visit","occurred_at":"0000-01-01T10:00:00Z"}`, "outside of the years 1 to 9999"},
		{"no such day", `{"id":"1","kind":"visit","date":"2026-02-30"}`, `"2026-02-30" is not a date`},
		{"direction", `{"id":"1","kind":"visit","date":"2026-04-01","direction":"mutal"}`, `did you mean "mutual"?`},
		{"status", `{"id":"1","kind":"visit","date":"2026-04-01","status":"done"}`, `"done" is none of`},
		{"role", `{"id":"1","kind":"visit","date":"2026-04-01","participants":[{"role":"bcc"}]}`, `did you mean "cc"?`},
		{"start of nothing", `{"id":"1","kind":"visit","date":"2026-04-01","same":{"start":"2026-04-01"}}`, `"start" without an "event"`},
		{"start", `{"id":"1","kind":"visit","date":"2026-04-01","same":{"event":"u","start":"10:00"}}`, `start "10:00" is neither an instant`},
		{"share", `{"id":"1","kind":"visit","date":"2026-04-01","reps":[{"id":"R","share":-1}]}`, `share -1 of "R" is below 0`},
		{"share of nobody", `{"id":"1","kind":"visit","date":"2026-04-01","deals":[{"share":1}]}`, `deals: an entry has no "id"`},
		{"text for number", `{"id":"1","source_version":"3"}`, `key "source_version" holds a string where a whole number is expected`},
		{"number for text", `{"id":4711}`, `key "id" holds a number where a text is expected`},
		{"list", `[]`, "this is a JSON array"},
		{"empty", ``, "the line ends too early"},
		{"cut off", `{"id":"1"`, "the line ends too early"},
		{"no JSON", `id,kind`, "not JSON at byte 1"},
		{"two on a line", `{"id":"1","kind":"visit","date":"2026-04-01"} {}`, "something after the activity"},
		{"Shift JIS", "{\"id\":\"\x93\xfa\x95\xf1\"}", "not UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := engine.ParseActivity([]byte(test.line))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v, want %q", err, test.want)
			}
		})
	}
}

func TestActivityRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom([]func(*rapid.T) engine.Activity{drawActivity, drawRecord}).Draw(t, "world")(t)
		a.Mapping = rapid.String().Draw(t, "mapping")
		a.Revision = rapid.Uint32().Draw(t, "revision")
		a.Account = rapid.SampledFrom([]string{"", "㈱山田\"製作所\"\\", "<a&b>", "\u2028\x00\x7f"}).Draw(t, "account")
		if rapid.Bool().Draw(t, "at") {
			a.At = time.Unix(rapid.Int64Range(-6e10, 2e11).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
			a.Date = 0
		}
		line := engine.AppendActivity([]byte("x"), a)[1:]
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
		got, err := engine.ParseActivity(line)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if diff := cmp.Diff(a, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAppendActivityOfBrokenText(t *testing.T) {
	a := visit("2026-03-10")
	a.Account = "\x93\xfa"
	got, err := engine.ParseActivity(engine.AppendActivity(nil, a))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "account", got.Account, "\ufffd\ufffd")
}

// Whatever the line, ParseActivity answers; and what it accepts, it writes and reads back unchanged, and scores.
func FuzzParseActivity(f *testing.F) {
	f.Add([]byte(fullLine))
	f.Add([]byte(`{"id":"1","kind":"visit","date":"2026-04-01"}`))
	f.Add([]byte(`{"id":"1","kind":"visit","occurred_at":"9999-12-31T23:59:59-12:00","reps":[{"id":"R","share":1e308},{"id":"S","share":5e-324}]}`))
	f.Add([]byte(`{"id":"\ud800","deleted":true}`))
	f.Add([]byte(`[1,null`))
	p := table(f, repeat20)
	f.Fuzz(func(t *testing.T, line []byte) {
		a, err := engine.ParseActivity(line)
		if err != nil {
			return
		}
		written := engine.AppendActivity(nil, a)
		again, err := engine.ParseActivity(written)
		if err != nil {
			t.Fatalf("%v: %s", err, written)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatal(diff)
		}
		for _, s := range p.ScoreAll([]engine.Activity{a}, date("2026-06-01")) {
			if line := engine.AppendScore(nil, s, p); !json.Valid(line) {
				t.Fatalf("not JSON: %s", line)
			}
		}
	})
}

func TestAppendScore(t *testing.T) {
	p := table(t)
	acts := []engine.Activity{
		visit("2026-03-31", id("1"), people(keyman("C1", "department_manager"), person("C2", "staff"), person("C3", "staff"))),
		visit("2026-04-01", id("2"), kind("mail", engine.Inbound), people(person("C2", ""))),
	}
	var lines []string
	for _, s := range p.ScoreAll(acts, date("2026-04-30")) {
		lines = append(lines, string(engine.AppendScore(nil, s, p)))
	}
	want := []string{
		`{"entity":"account","id":"A","earned":{"2026-03":30000,"2026-04":3000},"earned_by_class":{"unknown":3000,"staff":9231,"manager":20769},"earned_by_direction":{"mutual":30000,"in":3000},"contacts":2,"temperature":23.359,"band":"lukewarm","due":"2026-08-01"}`,
		`{"entity":"contact","id":"C1","earned":{"2026-03":27000},"earned_by_class":{"manager":27000},"earned_by_direction":{"mutual":27000},"contacts":1,"temperature":19.092,"band":"lukewarm","due":"2026-07-15"}`,
	}
	if diff := cmp.Diff(want, lines[:2]); diff != "" {
		t.Error(diff)
	}
	seen := engine.AppendScore(nil, p.ScoreAll([]engine.Activity{visit("2026-04-30", kind("view"))}, date("2026-04-30"))[0], p)
	same(t, "group", string(seen), `{"entity":"account","id":"A","earned":{"2026-04":500},"earned_by_class":{"staff":500},"earned_by_direction":{"mutual":500},"contacts":1,"temperature":0.5,"band":"cold","groups":{"web":0.5}}`)
}

// A line tells the trend, what the lists A18 and A19 go by, and the alarms with their evidence. (Case 45: why there is nothing to compare.)
func TestAppendScoreTellsTheCourse(t *testing.T) {
	p := watching(t)
	line := func(e engine.Entity, cells []engine.Cell, asOf string) string {
		s := p.Evaluate(e.Kind, cells, date(asOf))
		s.Earned, s.Due = nil, engine.NoDate // other tests have them
		return string(engine.AppendScore(nil, engine.EntityScore{Entity: e, Score: s}, p))
	}
	const start = `{"entity":"account","id":"A","earned":{},"earned_by_class":{},"earned_by_direction":{},"contacts":0,`
	account := engine.Entity{Kind: engine.Account, ID: "A"}
	same(t, "no base", line(account, earnedOn(map[string]float64{"2026-04-15": 12}), "2026-05-31"), start+
		`"temperature":7.053,"band":"cold","trend":"not enough information","low":{"earned":12000,"listed":false},"halved":{"period":"2026-04","earned":12000,"before":0,"listed":false,"reason":"no base"}}`)
	same(t, "listed on both", line(account, earnedOn(map[string]float64{"2026-01-15": 12}), "2026-05-01"), start+
		`"temperature":3.527,"band":"cold","trend":"not enough information","low":{"earned":0,"listed":true},"halved":{"period":"2026-04","earned":0,"before":12000,"listed":true},"alarms":[`+
		`{"alarm":"low","since":"2026-04-15","p":0.11440311418685124,"days":3,"limit_milli":10000},`+
		`{"alarm":"halved","since":"2026-05-01","p":0.6421209596070347,"days":1,"before_milli":12000,"period":"2026-04","periods_back":3}]}`)
	same(t, "a sales person is on no list", line(engine.Entity{Kind: engine.Rep, ID: "R"}, earnedOn(map[string]float64{"2026-04-15": 12}), "2026-05-31"),
		`{"entity":"rep","id":"R","earned":{},"earned_by_class":{},"earned_by_direction":{},"contacts":0,"temperature":7.053,"band":"cold","trend":"not enough information"}`)
}
