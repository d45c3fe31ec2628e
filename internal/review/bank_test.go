package review

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"energyd/engine"
)

// bank reads real calls of a bank with their outcome (shared/data/bank_2008): each row is a customer who was called until an
// answer came. How often, by which line, and what an earlier campaign came to was known before; how long the last call took was not.
func bank(t *testing.T) (deals []Deal, acts []engine.Activity) {
	t.Helper()
	f, err := os.Open("../../../shared/data/bank_2008/bank-2008.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	in := csv.NewReader(z)
	in.Comma = ';'
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for n, row := range rows[1:] {
		get := func(name string) string { return row[at[name]] }
		month, err := time.Parse("Jan", strings.ToUpper(get("month")[:1])+get("month")[1:])
		if err != nil {
			t.Fatal(err)
		}
		day, _ := strconv.Atoi(get("day"))
		calls, _ := strconv.Atoi(get("campaign"))
		d := Deal{ID: strconv.Itoa(n), Account: strconv.Itoa(n), Closed: engine.DateOf(2008, month.Month(), day), Won: get("y") == "yes"}
		d.Opened = d.Closed - 30
		deals = append(deals, d)
		add := func(kind string, day engine.Date, direction engine.Direction) {
			acts = append(acts, engine.Activity{ID: strconv.Itoa(len(acts)), Account: d.Account, Kind: kind, Date: day, Direction: direction})
		}
		add("line_"+get("contact"), d.Opened, engine.Mutual)
		if get("poutcome") != "unknown" {
			add("earlier_"+get("poutcome"), d.Opened, engine.Inbound)
		}
		for i := range min(calls-1, 28) {
			add("call", d.Closed-2-engine.Date(i), engine.Outbound)
		}
	}
	return deals, acts
}

// On real calls, split inside 2008 and tested on its later part: more calls were made to those who did not want, and points
// are never below 0, so that a usual table is worse than a coin. What is no better than one is not proposed.
func TestBank2008(t *testing.T) {
	deals, acts := bank(t)
	hand := tableOf(30, map[string]float64{"line_cellular": 1, "line_telephone": 1, "line_unknown": 1, "call": 2, "earlier_success": 2, "earlier_failure": 2, "earlier_other": 2}, map[string]float64{"staff": 1})
	opt := Options{Cuts: Cuts{AgeDays: 29}, Fit: true, Resamples: 40}
	for _, until := range []engine.Date{engine.DateOf(2008, 7, 31), engine.DateOf(2008, 11, 17)} {
		opt.TrainUntil = until
		r := Run(sampleOf(t, hand, deals, acts), opt)
		t.Logf("%s: %d + %d deals, present %.3f, proposed %.3f; %s", until, r.Learned, r.Test.Deals, r.Present.AUC.Value, r.Proposed.AUC.Value, r.Verdict.Reason)
		if r.Verdict.Refused || r.Learned < mostLearned || r.Test.Deals < 2000 {
			t.Errorf("learned from %d deals, tested on %d: %s", r.Learned, r.Test.Deals, r.Verdict.Reason)
		}
		if r.Proposed.AUC.Value < r.Present.AUC.Value {
			t.Errorf("the fitted table is worse: %.3f, %.3f before", r.Proposed.AUC.Value, r.Present.AUC.Value)
		}
		if r.Verdict.Change && (r.Proposed.AUC.Low <= 0.5 || r.Gain.Low <= -0.005) {
			t.Errorf("a change is proposed to %+v, at a gain of %+v", r.Proposed.AUC, r.Gain)
		}
	}
}

// Deals beyond what is needed are drawn by the seed: the same ones each time.
func TestThinIsDrawnBySeed(t *testing.T) {
	drawn := func(seed uint64) string {
		r := &run{Sample: &Sample{}, opt: Options{Seed: seed}, result: &Result{}}
		for i := range int32(2 * mostLearned) { // every tenth was won
			r.deals = append(r.deals, Deal{ID: fmt.Sprint(i)})
			r.train = append(r.train, row{deal: i}, row{deal: i, cut: 7, won: i%10 == 0})
		}
		r.thin()
		all := 0.0
		for _, w := range weights(r.train) {
			all += w
		}
		if r.result.Learned != mostLearned+mostLearned/5 || len(r.train) != 2*r.result.Learned || math.Abs(all-2*mostLearned) > 0.01 {
			t.Errorf("%d rows of %d deals, which stand for %.1f", len(r.train), r.result.Learned, all)
		}
		return fmt.Sprint(r.train)
	}
	first, again := drawn(1), drawn(1)
	if first != again || first == drawn(2) {
		t.Error("the draw is not the seed's")
	}
}
