package engine_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/fault"
)

// Each wrong option gives one problem, at its path.
func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name      string
		change    func(*engine.PointsConfig)
		path, msg string
	}{
		{"version", func(c *engine.PointsConfig) { c.Version = "" }, "version", "missing"},
		{"zone", func(c *engine.PointsConfig) { c.Timezone = "Asia/Tokio" }, "timezone", `unknown time zone "Asia/Tokio"`},
		{"machine's zone", func(c *engine.PointsConfig) { c.Timezone = "Local" }, "timezone", "IANA"},
		{"closing day", func(c *engine.PointsConfig) { c.ClosingDay = 32 }, "closing_day", "32"},
		{"fiscal year", func(c *engine.PointsConfig) { c.FiscalYearStart = 13 }, "fiscal_year_start", "13"},
		{"clock", func(c *engine.PointsConfig) { c.Clock = "busines" }, "clock", `did you mean "business"?`},
		{"shutdown day", func(c *engine.PointsConfig) { c.ShutdownDays = []string{"12-29", "8/13"} }, "shutdown_days[1]", `"8/13"`},
		{"half-life", func(c *engine.PointsConfig) { c.HalfLifeDays = 0 }, "half_life_days", "out of range"},
		{"half-life NaN", func(c *engine.PointsConfig) { c.HalfLifeDays = math.NaN() }, "half_life_days", "out of range"},
		{"mode", func(c *engine.PointsConfig) { c.Mode = "multiplied" }, "mode", `did you mean "multiply"?`},
		{"keyman", func(c *engine.PointsConfig) { c.KeymanFactor = 0 }, "keyman_factor", "missing"},
		{"cc", func(c *engine.PointsConfig) { c.CcFactor = 2 }, "cc_factor", "out of range"},
		{"cue limit", func(c *engine.PointsConfig) { c.CueLimit = 0 }, "cue_limit", "out of range"},
		{"source factor", func(c *engine.PointsConfig) { c.SourceFactors = map[string]float64{"notes": 8} }, "source_factors.notes", "out of range"},
		{"share", func(c *engine.PointsConfig) { c.AdditionalParticipants.Share = 1.5 }, "additional_participants.share", "out of range"},
		{"limit", func(c *engine.PointsConfig) { c.AdditionalParticipants.Limit = 0.5 }, "additional_participants.limit", "out of range"},
		{"split", func(c *engine.PointsConfig) { c.Deals.Split = "ful" }, "deals.split", `did you mean "full"?`},
		{"no kinds", func(c *engine.PointsConfig) { c.Kinds = nil }, "kinds", "missing"},
		{"negative points", func(c *engine.PointsConfig) { c.Kinds["visit"] = engine.KindConfig{Points: points(-1)} }, "kinds.visit.points", "out of range"},
		{"direction without points", func(c *engine.PointsConfig) {
			c.Kinds["phone"] = engine.KindConfig{In: points(4), Out: points(2)}
		}, "kinds.phone", `no points for direction "mutual"`},
		{"points without bound", func(c *engine.PointsConfig) { c.Kinds["visit"] = engine.KindConfig{Points: points(1001)} }, "kinds.visit.points", "out of range"},
		{"factor without bound", func(c *engine.PointsConfig) { c.KeymanFactor = 10.1 }, "keyman_factor", "out of range"},
		{"no unknown rank", func(c *engine.PointsConfig) { delete(c.Ranks, "unknown") }, "ranks", `no rank "unknown"`},
		{"rank without points", func(c *engine.PointsConfig) { c.Ranks["staff"] = engine.RankConfig{Class: "staff"} }, "ranks.staff", "no points"},
		{"rank without class", func(c *engine.PointsConfig) { c.Ranks["staff"] = engine.RankConfig{Points: points(1)} }, "ranks.staff", "no class"},
		{"class", func(c *engine.PointsConfig) {
			c.Ranks["staff"] = engine.RankConfig{Points: points(1), Class: "managers"}
		}, "ranks.staff.class", `did you mean "manager"?`},
		{"class label", func(c *engine.PointsConfig) { c.Classes["stuff"] = engine.Label{} }, "classes.stuff", `did you mean "staff"?`},
		{"cue factor", func(c *engine.PointsConfig) { c.Cues["question"] = engine.CueConfig{Factor: points(-1)} }, "cues.question.factor", "out of range"},
		{"window of another cue", func(c *engine.PointsConfig) { c.Cues["question"] = engine.CueConfig{WithinDays: 3} }, "cues.question.within_days", "only the cue"},
		{"repeat without window", func(c *engine.PointsConfig) { c.Cues["repeat"] = engine.CueConfig{Factor: points(2)} }, "cues.repeat.within_days", "out of range"},
		{"no bands", func(c *engine.PointsConfig) { c.Bands = nil }, "bands", "missing"},
		{"band names", func(c *engine.PointsConfig) { c.Bands[2].Name = "cold" }, "bands[2].name", "a name of its own"},
		{"first band", func(c *engine.PointsConfig) { c.Bands[0].Up = 1 }, "bands[0]", "begins at 0"},
		{"band down", func(c *engine.PointsConfig) { c.Bands[3].Down = 61 }, "bands[3].down", "above up"},
		{"band order", func(c *engine.PointsConfig) { c.Bands[2].Up, c.Bands[2].Down = 9, 9 }, "bands[2]", "above those of the band before"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if msg := oneProblem(t, test.path, test.change); !strings.Contains(msg, test.msg) {
				t.Errorf("%s; want …%s", msg, test.msg)
			}
		})
	}
	var empty engine.PointsConfig
	if err := empty.Validate(); err == nil {
		t.Error("an empty table is valid")
	}
}

// oneProblem fails unless the changed table has one problem, at that path; it gives the message.
func oneProblem(t *testing.T, path string, change func(*engine.PointsConfig)) string {
	t.Helper()
	c := shipped(t)
	change(c)
	err := c.Validate()
	var problems fault.Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Fatalf("error = %v, want one problem", err)
	}
	same(t, "path", problems[0].Path, path)
	if _, err := engine.Compile(c); err == nil {
		t.Error("it compiles")
	}
	return problems[0].Msg
}

// Whatever may change a score changes the fingerprint, and what may not does not.
func TestFingerprint(t *testing.T) {
	was := table(t).Fingerprint()
	for name, change := range map[string]func(*engine.PointsConfig){
		"zone":   func(c *engine.PointsConfig) { c.Timezone = "UTC" },
		"points": func(c *engine.PointsConfig) { c.Kinds["visit"] = engine.KindConfig{Points: points(7)} },
		"class": func(c *engine.PointsConfig) {
			c.Ranks["staff"] = engine.RankConfig{Points: points(1), Class: "manager"}
		},
		"repeat":    repeat20,
		"share":     share(0, 2),
		"half-life": func(c *engine.PointsConfig) { c.HalfLifeDays = 61 },
		"clock":     businessClock(60),
		"band":      func(c *engine.PointsConfig) { c.Bands[1].Down = 7 },
	} {
		if table(t, change).Fingerprint() == was {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
	same(t, "version and labels", table(t, func(c *engine.PointsConfig) {
		c.Version = "2027-04"
		c.Classes = nil
		k := c.Kinds["visit"]
		k.Label.Ja = "客先訪問"
		c.Kinds["visit"] = k
		c.Bands[1].Label.Ja = "微温"
	}).Fingerprint(), was)
}

func TestWarnings(t *testing.T) {
	if w := table(t).Warnings(); len(w) != 0 {
		t.Errorf("the shipped table: %q", w)
	}
	w := table(t, func(c *engine.PointsConfig) {
		c.Kinds["visit"] = engine.KindConfig{Points: points(12)}
	}).Warnings()
	if len(w) != 1 || !strings.Contains(w[0], "kinds.visit: 12 points") || !strings.Contains(w[0], "10 of visit_by_customer") {
		t.Errorf("warnings %q", w)
	}
}

// The rules that the worked cases leave open.
func TestRules(t *testing.T) {
	mode := func(mode string) func(*engine.PointsConfig) { return func(c *engine.PointsConfig) { c.Mode = mode } }
	declined, cc := person("C1", "staff"), person("C1", "president")
	declined.Role, cc.Role = engine.Declined, engine.Cc
	bonus := func(c *engine.PointsConfig) { c.Cues["question"] = engine.CueConfig{Bonus: 2.5} }
	for _, test := range []struct {
		name   string
		change func(*engine.PointsConfig)
		act    engine.Activity
		want   int64
	}{
		{"add: 3 + 1.5 + 6", mode("add"), visit("2026-03-10", people(keyman("C1", "department_manager"))), 10500},
		{"add: no keyman adds 0", mode("add"), visit("2026-03-10", people(person("C1", "department_manager"))), 9000},
		{"an attempt is nothing in any mode", mode("add"), visit("2026-03-10", kind("attempt"), cues("question")), 0},
		{"a cue's bonus is added once", bonus, visit("2026-03-10", cues("question", "question")), 8500},
		{"cues are cut at 2", nil, visit("2026-03-10", cues("top_agreed", "top_joined")), 12000},
		{"a cue twice is one", nil, visit("2026-03-10", cues("question", "question")), 7200},
		{"an unknown cue is nothing", nil, visit("2026-03-10", cues("smiled")), 6000},
		{"nobody named is one person of unknown rank", nil, visit("2026-03-10", people()), 6000},
		{"who declined earns nothing", bonus, visit("2026-03-10", people(declined), cues("question")), 0},
		{"a rank that the table lacks earns nothing", nil, visit("2026-03-10", people(person("C1", "wizard"))), 0},
		{"twice on the list is once, the better one", nil, visit("2026-03-10", people(cc, person("C1", "staff"))), 9600},
		{"trust", func(c *engine.PointsConfig) { c.SourceFactors = map[string]float64{"daily_report": 0.8} }, visit("2026-03-10"), 4800},
		{"cancelled", nil, visit("2026-03-10", func(a *engine.Activity) { a.Status = engine.Cancelled }), 0},
		{"deleted", nil, visit("2026-03-10", func(a *engine.Activity) { a.Deleted = true }), 0},
		{"direction out of range", nil, visit("2026-03-10", func(a *engine.Activity) { a.Direction = 200 }), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := table(t)
			if test.change != nil {
				p = table(t, test.change)
			}
			l := ledgerOf(p, test.act)
			same(t, "account", l.total(engine.Account, "A"), test.want)
			if len(test.act.People) > 0 {
				same(t, "contact", l.total(engine.Contact, "C1"), test.want)
			}
		})
	}
}

// A table of the largest numbers that are valid, met a hundred at a time by a hundred people, does not overflow.
func TestLargestTable(t *testing.T) {
	p := table(t, share(1, 0), func(c *engine.PointsConfig) {
		c.Kinds["visit"] = engine.KindConfig{Points: points(1000)}
		c.Ranks["staff"] = engine.RankConfig{Points: points(1000), Class: "staff"}
		c.Cues["question"] = engine.CueConfig{Factor: points(10), Bonus: 1000}
		c.KeymanFactor, c.CueLimit = 10, 10
	})
	crowd := make([]engine.Participant, 100)
	for i := range crowd {
		crowd[i] = keyman(fmt.Sprint("C", i), "staff")
	}
	acts := make([]engine.Activity, 100)
	for i := range acts {
		acts[i] = visit("2026-03-10", id(fmt.Sprint(i)), people(crowd...), cues("question"))
	}
	const most = (1000*10*1000*10 + 1000) * 1000
	same(t, "account", ledgerOf(p, acts...).total(engine.Account, "A"), 100*100*most)
	score := p.ScoreAll(acts, date("2026-03-10"))[0]
	same(t, "earned", score.Earned[0].Milli, 100*100*most)
	same(t, "temperature", score.Temperature, 100*100*most/1000.0)
}

// A compiled table does not see what its configuration becomes later.
func TestCompileCopies(t *testing.T) {
	c := shipped(t)
	c.SourceFactors = map[string]float64{"daily_report": 0.5}
	p, err := engine.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	c.SourceFactors["daily_report"] = 1
	c.Bands[1].Name = "tepid"
	delete(c.Kinds, "visit")
	delete(c.Ranks, "staff")
	delete(c.Cues, "question")
	delete(c.Classes, "staff")
	same(t, "account", ledgerOf(p, visit("2026-03-10")).total(engine.Account, "A"), 3000)
	same(t, "band", p.Band(1).Name, "lukewarm")
	same(t, "kind", p.KindLabel("visit").Ja, "訪問")
	same(t, "rank", p.RankLabel("staff").Ja, "担当")
	same(t, "class", p.ClassLabel(engine.ClassStaff).Ja, "窓口担当")
	if !slices.Contains(p.Cues(), "question") {
		t.Error("the cue is gone")
	}
}

func TestWeightsOfShares(t *testing.T) {
	p := table(t)
	for name, test := range map[string]struct{ a, b, wantA, wantB float64 }{
		"fractions":     {0.7, 0.3, 4200, 1800},
		"percent":       {70, 30, 4200, 1800},
		"one has none":  {1, 0, 6000, 0},
		"none has any":  {0, 0, 3000, 3000},
		"no numbers":    {math.NaN(), math.Inf(1), 3000, 3000},
		"huge and tiny": {math.MaxFloat64, math.SmallestNonzeroFloat64, 6000, 0},
	} {
		a := visit("2026-03-10")
		a.Reps = []engine.Share{{ID: "R1", Weight: test.a}, {ID: "R2", Weight: test.b}}
		l := ledgerOf(p, a)
		same(t, name+" R1", l.total(engine.Rep, "R1"), int64(test.wantA))
		same(t, name+" R2", l.total(engine.Rep, "R2"), int64(test.wantB))
	}
}

// An explanation holds every number of the rule.
func TestExplain(t *testing.T) {
	p := table(t, repeat20)
	acts := []engine.Activity{
		visit("2026-03-01", id("1")),
		visit("2026-03-20", id("2"), cues("question"), people(person("C2", ""), keyman("C1", "department_manager"))),
		visit("2026-03-25", id("3"), kind("mail", engine.Inbound)),
		visit("2026-04-02", id("4")),
	}
	acts[3].Date = date("2026-05-02") // after the reading
	got := p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-25"))
	same(t, "parts", len(got), 3)
	want := engine.Part{
		Activity: 1, Date: date("2026-03-20"), Kind: "visit", Milli: 40680, Unlimited: 40680, Whole: 40680, Share: 40.680 * math.Exp2(-5.0/60),
		Terms: []engine.Term{
			{
				Contact: "C1", RankName: "department_manager", Keyman: true, RankPoints: 3, KeymanFactor: 1.5, KindPoints: 6,
				CueFactor: 1.44, SourceFactor: 1, RoleFactor: 1, Milli: 38880,
				Cues: []engine.CueTerm{{Name: "question", Factor: 1.2}, {Name: "repeat", Factor: 1.2}},
			},
			{
				Contact: "C2", RankName: "unknown", RankPoints: 1, KeymanFactor: 1, KindPoints: 6,
				CueFactor: 1.2, SourceFactor: 1, RoleFactor: 1, Milli: 7200, Cues: []engine.CueTerm{{Name: "question", Factor: 1.2}},
			},
		},
	}
	if diff := cmp.Diff(want, got[0], cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); diff != "" {
		t.Error(diff)
	}
	own := p.Explain(acts, engine.Entity{Kind: engine.Contact, ID: "C2"}, date("2026-03-25"))
	if len(own) != 1 || own[0].Milli != 7200 || own[0].Whole != 40680 || len(own[0].Terms) != 1 {
		t.Errorf("the contact's own part: %+v", own)
	}
}

// A meeting that was planned and never became one is no reason for anything.
func TestExplain_knows_no_planned_meetings(t *testing.T) {
	p := watching(t)
	planned := visit("2026-03-02", id("planned"))
	planned.Status = engine.Planned
	got := p.Explain([]engine.Activity{planned, visit("2026-03-01", id("held"))}, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-25"))
	if len(got) != 1 || got[0].Activity != 1 {
		t.Errorf("parts %+v, want the held meeting alone", got)
	}
}

func TestMergeAndSortCells(t *testing.T) {
	cell := func(day int, c engine.Class, m int64) engine.Cell {
		return engine.Cell{Date: engine.Date(day), Class: c, Milli: m}
	}
	got := engine.SortCells([]engine.Cell{cell(2, 1, 5), cell(1, 2, 1), cell(2, 1, -5), cell(1, 1, 3), cell(1, 2, 1)})
	want := []engine.Cell{cell(1, 1, 3), cell(1, 2, 2)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	merged := engine.MergeCells(want, []engine.Cell{cell(0, 0, 1), cell(1, 1, -3), cell(3, 0, 1)})
	if diff := cmp.Diff([]engine.Cell{cell(0, 0, 1), cell(1, 2, 2), cell(3, 0, 1)}, merged); diff != "" {
		t.Error(diff)
	}
	same(t, "nothing left", len(engine.MergeCells(want, negative(want))), 0)
}
