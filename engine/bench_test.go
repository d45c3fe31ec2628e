package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"energyd/engine"
)

// synthetic makes n activities of so many accounts over three years, busy
// accounts first and grouped, about as the data generator skews them.
func synthetic(n, accounts int) []engine.Activity {
	r := rand.New(rand.NewPCG(42, 42))
	kinds := []string{"visit_by_customer", "visit", "phone", "mail", "web_meeting", "budget_request"}
	ranks := []string{"", "staff", "chief", "section_manager", "department_manager", "executive"}
	begin := time.Date(2023, time.October, 1, 0, 0, 0, 0, time.UTC)
	acts := make([]engine.Activity, n)
	account := 0
	for i := range acts {
		if (i+1)*accounts/n > account {
			account++
		}
		a := &acts[i]
		*a = engine.Activity{
			Source: "sfa", ID: fmt.Sprint(i), Version: 1, Account: fmt.Sprintf("001%015d", account),
			At:   begin.Add(time.Duration(r.Int64N(3*365*24*3600)) * time.Second),
			Kind: kinds[r.IntN(len(kinds))], Direction: engine.Direction(r.IntN(3)),
			People: []engine.Participant{{Contact: fmt.Sprintf("003%015d", account*3+r.IntN(3)), Rank: ranks[r.IntN(len(ranks))], Keyman: r.IntN(10) == 0}},
			Reps:   []engine.Share{{ID: fmt.Sprintf("005%015d", r.IntN(500))}},
		}
		if r.IntN(4) == 0 {
			a.People = append(a.People, engine.Participant{Contact: fmt.Sprintf("003%015d", account*3+r.IntN(3)), Rank: "staff"})
		}
		if r.IntN(2) == 0 {
			a.Deals = []engine.Share{{ID: fmt.Sprintf("006%015d", account)}}
		}
	}
	return acts
}

// BenchmarkContributions scores accounts of 12 activities; ns/activity is what counts.
func BenchmarkContributions(b *testing.B) {
	for name, p := range map[string]*engine.Points{"shipped": table(b), "repeat": table(b, repeat20)} {
		b.Run(name, func(b *testing.B) {
			const each = 12
			acts := synthetic(12_000, 1_000)
			b.ReportAllocs()
			var sum int64
			for i := 0; b.Loop(); i++ {
				at := i % (len(acts) / each) * each
				p.Contributions(acts[at:at+each], func(_ int, c engine.Contribution) { sum += c.Milli })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*each), "ns/activity")
		})
	}
}

// BenchmarkClusters scores accounts of 12 activities that three sources tell of,
// a third of which stand in two of them; ns/activity is to be compared with BenchmarkContributions.
func BenchmarkClusters(b *testing.B) {
	p := table(b)
	const each = 12
	acts := synthetic(12_000, 1_000)
	for i := range acts {
		acts[i].Source = []string{"daily_report", "events", "tasks"}[i%3]
		if i%3 == 1 {
			acts[i].At, acts[i].Kind, acts[i].People = acts[i-1].At, acts[i-1].Kind, acts[i-1].People
		}
	}
	for at := 0; at < len(acts); at += each { // as the store has them
		slices.SortFunc(acts[at:at+each], func(x, y engine.Activity) int { return x.At.Compare(y.At) })
	}
	b.ReportAllocs()
	var sum int64
	for i := 0; b.Loop(); i++ {
		at := i % (len(acts) / each) * each
		p.Contributions(acts[at:at+each], func(_ int, c engine.Contribution) { sum += c.Milli })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*each), "ns/activity")
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{12, 1000} {
		b.Run(fmt.Sprint(n, "cells"), func(b *testing.B) {
			p := table(b)
			cells := make([]engine.Cell, n)
			for i := range cells {
				cells[i] = engine.Cell{Date: day0 + engine.Date(i*1095/n), Class: engine.ClassStaff, Milli: 6000}
			}
			b.ReportAllocs()
			for b.Loop() {
				p.Evaluate(engine.Account, cells, day0+1100)
			}
		})
	}
}

// BenchmarkScoreAll scores one million activities of 80,000 accounts in no useful order.
func BenchmarkScoreAll(b *testing.B) {
	p := table(b)
	acts := synthetic(1_000_000, 80_000)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
	b.ReportAllocs()
	for b.Loop() {
		p.ScoreAll(acts, date("2026-10-01"))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(acts)), "ns/activity")
}

func BenchmarkParseActivity(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.ParseActivity([]byte(fullLine)); err != nil {
			b.Fatal(err)
		}
	}
}
