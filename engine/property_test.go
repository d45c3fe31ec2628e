package engine_test

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/engine"
)

var drawnKinds = []string{"visit_by_customer", "visit", "web_meeting", "phone", "mail", "view", "attempt", "bounce", "FAX", "complaint"}

// drawActivity draws an activity of a small world, so that contacts, dates and accounts meet often.
func drawActivity(t *rapid.T) engine.Activity {
	a := engine.Activity{
		Source:    rapid.SampledFrom([]string{"crm", "report"}).Draw(t, "source"),
		ID:        fmt.Sprint(rapid.IntRange(1, 8).Draw(t, "id")),
		Version:   rapid.Int64Range(1, 4).Draw(t, "version"),
		Kind:      rapid.SampledFrom(drawnKinds).Draw(t, "kind"),
		Direction: engine.Direction(rapid.IntRange(0, 2).Draw(t, "direction")),
		Account:   rapid.SampledFrom([]string{"A", "B"}).Draw(t, "account"),
		Date:      day0 + engine.Date(rapid.IntRange(0, 200).Draw(t, "day")),
		Deleted:   rapid.IntRange(0, 4).Draw(t, "deleted") == 0,
	}
	if rapid.IntRange(0, 5).Draw(t, "not held") == 0 {
		a.Status = engine.Planned
	}
	for range rapid.IntRange(0, 3).Draw(t, "people") {
		a.People = append(a.People, engine.Participant{
			Contact: rapid.SampledFrom([]string{"", "C1", "C2", "C3"}).Draw(t, "contact"),
			Rank:    rapid.SampledFrom([]string{"", "staff", "department_manager", "president"}).Draw(t, "rank"),
			Keyman:  rapid.Bool().Draw(t, "keyman"),
			Role:    engine.Role(rapid.IntRange(0, 4).Draw(t, "role")),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "reps") {
		weight := rapid.SampledFrom([]float64{0, 0.3, 1, 50}).Draw(t, "weight")
		a.Reps = append(a.Reps, engine.Share{ID: fmt.Sprint("R", i), Weight: weight})
		a.Deals = append(a.Deals, engine.Share{ID: fmt.Sprint("D", i)})
	}
	if rapid.IntRange(0, 2).Draw(t, "message") == 0 {
		id := rapid.SampledFrom([]string{"", "m1", "m2", "m3"})
		link := engine.Link{Message: id.Draw(t, "own id"), Thread: id.Draw(t, "thread"), Answers: id.Draw(t, "answers")}
		if link != (engine.Link{}) {
			a.Link = &link
		}
		a.Date = day0 + engine.Date(rapid.IntRange(0, 1).Draw(t, "message day"))
	}
	if rapid.Bool().Draw(t, "question") {
		a.Cues = []string{"question"}
	}
	if rapid.IntRange(0, 2).Draw(t, "about") == 0 {
		a.Product = rapid.SampledFrom([]string{"", "house"}).Draw(t, "product")
		a.Segment = rapid.SampledFrom([]string{"", "private"}).Draw(t, "segment")
	}
	return a
}

// arrive takes an activity in as the store's fold does: the difference of its
// accounts' contributions goes to the ledger.
func (l ledger) arrive(p *engine.Points, stored map[string]engine.Activity, a engine.Activity) {
	key := a.Source + "/" + a.ID
	old, known := stored[key]
	if known && !engine.Supersedes(&a, &old) {
		return
	}
	accounts := map[string]bool{a.Account: true}
	if known {
		accounts[old.Account] = true
	}
	l.add(p, stored, accounts, -1)
	stored[key] = a
	l.add(p, stored, accounts, 1)
}

// add adds the contributions of whole accounts, or takes them away.
func (l ledger) add(p *engine.Points, stored map[string]engine.Activity, accounts map[string]bool, sign int64) {
	for account := range accounts {
		var acts []engine.Activity
		for _, a := range stored {
			if a.Account == account {
				acts = append(acts, a)
			}
		}
		p.Contributions(acts, func(_ int, c engine.Contribution) {
			if sign < 0 {
				c.Cell = c.Minus()
			}
			if cells := engine.MergeCells(l[c.Entity], []engine.Cell{c.Cell}); len(cells) > 0 {
				l[c.Entity] = cells
			} else {
				delete(l, c.Entity)
			}
		})
	}
}

// current keeps of each activity the version that stands.
func current(feed []engine.Activity) []engine.Activity {
	var stand []engine.Activity
	for _, a := range feed {
		i := slices.IndexFunc(stand, func(b engine.Activity) bool { return b.Source == a.Source && b.ID == a.ID })
		if i < 0 {
			stand = append(stand, a)
		} else if engine.Supersedes(&a, &stand[i]) {
			stand[i] = a
		}
	}
	return stand
}

// Case 73: random arrivals, corrections, moves between accounts and deletions
// leave the ledger and every score exactly as a rebuild from scratch has them.
func TestCase73IncrementalEqualsRebuild(t *testing.T) {
	tenThousand(t)
	incrementalEqualsRebuild(t, table(t, everything(shipped(t))), drawActivity)
}

// everything switches all on that a points table can have, after an edition until spring.
func everything(earlier *engine.PointsConfig) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		since("2026-04-01", func(c *engine.PointsConfig) { c.Mode = "add" }, earlier)(c)
		housing(c)
		repeat20(c)
		for _, cue := range []string{"boss_introduced", "people_joined", "met_top_management"} {
			derive(cue, 1.3)(c)
		}
		c.Groups = append(c.Groups,
			engine.GroupConfig{Name: "web", Decay: "linear", FadeDays: 45, Cap: 8, PeriodCap: 3, PeriodCapDays: 30, PerDay: 2},
			engine.GroupConfig{Name: "calls", Decay: "grace_exp", GraceDays: 14, HalfLifeDays: 30, PeriodCap: 20},
			engine.GroupConfig{Name: "meetings", Decay: "step", StepPoints: 5, StepDays: 30, PerDay: 1},
			engine.GroupConfig{Name: "trouble", Negative: true})
		for name, group := range map[string]string{"view": "web", "mail": "web", "phone": "calls", "web_meeting": "meetings"} {
			k := c.Kinds[name]
			k.Group = group
			c.Kinds[name] = k
		}
		c.Kinds["complaint"] = engine.KindConfig{Points: points(15), Group: "trouble"}
		c.UnconfirmedFactor = points(0.8)
		c.Clock, c.ClosingDay, c.BandStayDays = "business", 20, 10
	}
}

// tenThousand makes rapid check that often in this test.
func tenThousand(t *testing.T) {
	runs := flag.Lookup("rapid.checks")
	usual := runs.Value.String()
	if err := runs.Value.Set("10000"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runs.Value.Set(usual); err != nil {
			t.Error(err)
		}
	})
}

// incrementalEqualsRebuild checks with histories of such activities that the
// ledger that they leave, one by one, is that of all at once, in any order.
func incrementalEqualsRebuild(t *testing.T, p *engine.Points, draw func(*rapid.T) engine.Activity) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		feed := rapid.SliceOfN(rapid.Custom(draw), 1, 12).Draw(t, "feed")
		stored, incremental := make(map[string]engine.Activity), make(ledger)
		for _, a := range feed {
			incremental.arrive(p, stored, a)
		}
		rebuilt := ledgerOf(p, current(feed)...)
		for e, cells := range rebuilt {
			if len(cells) == 0 {
				delete(rebuilt, e)
			}
		}
		if diff := cmp.Diff(rebuilt, incremental); diff != "" {
			t.Fatal(diff)
		}
		asOf := day0 + engine.Date(rapid.IntRange(0, 300).Draw(t, "as of"))
		for _, s := range p.ScoreAll(rapid.Permutation(feed).Draw(t, "order"), asOf) {
			if got := p.Evaluate(s.Entity.Kind, incremental[s.Entity], asOf); !cmp.Equal(got, s.Score) {
				t.Fatalf("%v: %+v incremental, %+v at once", s.Entity, got, s.Score)
			}
			delete(incremental, s.Entity)
		}
		if len(incremental) > 0 {
			t.Fatalf("not scored at once: %v", incremental)
		}
	})
}

// Case 29: adding activities and deleting them in another order brings every cell back to its start.
func TestCase29AddThenDelete(t *testing.T) {
	p := table(t, repeat20)
	rapid.Check(t, func(t *rapid.T) {
		stored, l := make(map[string]engine.Activity), make(ledger)
		for _, a := range rapid.SliceOfN(rapid.Custom(drawActivity), 0, 8).Draw(t, "before") {
			a.Source = "before"
			l.arrive(p, stored, a)
		}
		start := make(ledger)
		for e, cells := range l {
			start[e] = cells
		}
		added := rapid.SliceOfN(rapid.Custom(drawActivity), 1, 8).Draw(t, "added")
		for _, a := range added {
			l.arrive(p, stored, a)
		}
		for _, a := range rapid.Permutation(added).Draw(t, "deleted") {
			a.Version, a.Deleted = 9, true
			l.arrive(p, stored, a)
		}
		if diff := cmp.Diff(start, l); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Parts add up: of each activity the deals' and reps' shares are the account's points, to the milli-point.
func TestSharesAddUp(t *testing.T) {
	p := table(t, everything(shipped(t)))
	rapid.Check(t, func(t *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(drawActivity), 1, 5).Draw(t, "acts")
		for i := range acts {
			acts[i].Account = "A"
		}
		sums := make([][4]int64, len(acts))
		p.Contributions(acts, func(i int, c engine.Contribution) { sums[i][c.Entity.Kind] += c.Milli })
		for i, sum := range sums {
			if len(acts[i].Reps) > 0 && (sum[engine.Deal] != sum[engine.Account] || sum[engine.Rep] != sum[engine.Account]) {
				t.Fatalf("account %d, deals %d, reps %d milli-points", sum[engine.Account], sum[engine.Deal], sum[engine.Rep])
			}
		}
	})
}

// drawCells draws an entity's cells around the bands' edges.
func drawCells(t *rapid.T) []engine.Cell {
	byDay := make(map[int]float64)
	for range rapid.IntRange(1, 12).Draw(t, "cells") {
		byDay[rapid.IntRange(0, 400).Draw(t, "day")] = float64(rapid.IntRange(1, 40000).Draw(t, "milli")) / 1000
	}
	return stock(byDay)
}

// A score is what somebody gets who looks every day: decay one day at a time,
// the band moving with its hysteresis, and BandUntil the day on which it falls.
func TestEvaluateIsTheDailyWalk(t *testing.T) {
	for name, p := range map[string]*engine.Points{"calendar": table(t), "business": table(t, businessClock(40))} {
		t.Run(name, func(t *testing.T) {
			up, down := []float64{0, 10, 30, 60}, []float64{0, 8, 24, 48}
			rapid.Check(t, func(t *rapid.T) {
				cells := drawCells(t)
				asOf := day0 + engine.Date(rapid.IntRange(0, 500).Draw(t, "as of"))
				halfLife := map[string]float64{"calendar": 60, "business": 40}[name]
				energy, band := 0.0, 0
				for d := day0; d <= asOf; d++ {
					energy *= math.Exp2(-float64(p.Clock(d)-p.Clock(d-1)) / halfLife)
					for _, c := range cells {
						if c.Date == d {
							energy += float64(c.Milli) / 1000
						}
					}
					for band > 0 && math.Round(energy*1000)/1000 < down[band] {
						band--
					}
					for band < 3 && math.Round(energy*1000)/1000 >= up[band+1] {
						band++
					}
				}
				s := p.Evaluate(engine.Account, cells, asOf)
				if s.Band != band || math.Abs(s.Temperature-energy) > 1e-6 {
					t.Fatalf("%v in band %d; day by day %v in band %d", s.Temperature, s.Band, energy, band)
				}
				if s.BandUntil == engine.NoDate {
					return
				}
				past := cells[:0:0]
				for _, c := range cells {
					if c.Date <= asOf {
						past = append(past, c)
					}
				}
				if before := p.Evaluate(engine.Account, past, s.BandUntil-1); before.Band != band {
					t.Fatalf("band %d the day before %v, want %d", before.Band, s.BandUntil, band)
				}
				if after := p.Evaluate(engine.Account, past, s.BandUntil); after.Band >= band {
					t.Fatalf("still band %d on %v", after.Band, s.BandUntil)
				}
			})
		})
	}
}

// The parts of an explanation add up to the temperature and to the earned energy.
func TestExplainAddsUp(t *testing.T) {
	for name, p := range map[string]*engine.Points{"usual": table(t, repeat20), "everything": table(t, everything(shipped(t)))} {
		t.Run(name, func(t *testing.T) { explainAddsUp(t, p) })
	}
}

func explainAddsUp(t *testing.T, p *engine.Points) {
	rapid.Check(t, func(t *rapid.T) {
		acts := current(rapid.SliceOfN(rapid.Custom(drawActivity), 1, 12).Draw(t, "acts"))
		asOf := day0 + engine.Date(rapid.IntRange(0, 300).Draw(t, "as of"))
		for _, s := range p.ScoreAll(acts, asOf) {
			var share float64
			var milli, earned int64
			last := math.Inf(1)
			parts := p.Explain(acts, s.Entity, asOf)
			if diff := cmp.Diff(parts[:min(3, len(parts))], p.Reasons(acts, s.Entity, nil, asOf, 3)); diff != "" {
				t.Fatalf("%v: the first three parts are not the reasons: %s", s.Entity, diff)
			}
			for _, part := range parts {
				share += part.Share
				milli += part.Milli
				if part.Share > last {
					t.Fatalf("%v: parts are not sorted", s.Entity)
				}
				last = part.Share
			}
			for _, sum := range s.Earned {
				earned += sum.Milli - sum.Lost
			}
			if milli != earned || math.Abs(max(0, share)-s.Temperature) > 1e-9 {
				t.Fatalf("%v: parts %v and %d, score %v and %d", s.Entity, share, milli, s.Temperature, earned)
			}
		}
	})
}

// Whatever the closing day, energy is earned in the period of its date, and periods follow each other by date.
func TestEarnedPeriods(t *testing.T) {
	for _, closing := range []int{0, 1, 15, 20, 28, 29, 30, 31} {
		p := table(t, func(c *engine.PointsConfig) { c.ClosingDay = closing })
		want := make(map[engine.Period]int64)
		var cells []engine.Cell
		for d := date("2023-12-01"); d < date("2028-04-01"); d++ {
			cells = append(cells, engine.Cell{Date: d, Milli: 1})
			want[p.Period(d)]++
			if step := p.Period(d+1) - p.Period(d); step < 0 || step > 1 {
				t.Fatalf("closing day %d: from %v to the next day %d periods", closing, d, step)
			}
		}
		got := make(map[engine.Period]int64)
		for _, sum := range p.Evaluate(engine.Account, cells, date("2028-04-01")).Earned {
			got[sum.Period] += sum.Milli
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("closing day %d: %s", closing, diff)
		}
	}
}
