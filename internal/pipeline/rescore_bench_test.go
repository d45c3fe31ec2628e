package pipeline_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/testcpu"
)

// BenchmarkRescore scores a million activities anew (BENCH_EVENTS changes the
// number), as after a change of the points table: all cells, temperatures,
// alarms, and for each account the three reasons, read from the store and kept
// in it. Then DuckDB does as much of it as SQL can, over the same activities in a Parquet file.
// The temperatures of both have to agree. cpu-s is what both cores worked.
//
//	BENCH_EVENTS=10000000 go test ./internal/pipeline -run '^$' -bench BenchmarkRescore -benchtime 1x -timeout 1h
func BenchmarkRescore(b *testing.B) {
	pipeline.LimitMemory()
	events := benchEvents(b)
	ctx := b.Context()
	data := generate(b, events, 0, "events")
	p := scoringAlone(b, engine.DateOf(2026, time.October, 1))
	stored := fill(b, p, filepath.Join(data, "events.csv"))

	total := map[string]float64{} // seconds, and of the CPU
	step := func(name string, work func() error) {
		b.Run(name, func(b *testing.B) {
			freshPeak(b)
			cpu := testcpu.Used(b).Seconds()
			for b.Loop() {
				if err := work(); err != nil {
					b.Fatal(err)
				}
			}
			cpu = (testcpu.Used(b).Seconds() - cpu) / float64(b.N)
			took := b.Elapsed().Seconds() / float64(b.N)
			total["s"], total["cpu"] = total["s"]+took, total["cpu"]+cpu
			b.ReportMetric(cpu, "cpu-s")
			b.ReportMetric(float64(stored)/took, "activities/s")
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
	step("scores", func() error { return p.Rescore(ctx) })
	step("reasons", func() error {
		accounts, reasons, err := p.Wanted(ctx)
		if err == nil && (accounts == 0 || reasons < accounts) {
			err = fmt.Errorf("%d accounts with %d reasons", accounts, reasons)
		}
		return err
	})

	b.Run("duckdb", func(b *testing.B) {
		duck := inDuckDB(b, filepath.Join(data, "events.csv"), p.AsOf())
		b.ReportMetric(duck.CPU, "cpu-s")
		b.ReportMetric(float64(stored)/duck.Seconds, "activities/s")
		b.ReportMetric(duck.PeakMB, "peak-MB")
		b.ReportMetric(duck.Seconds/total["s"], "times-ours")
		b.ReportMetric(duck.CPU/total["cpu"], "times-our-cpu")
		b.ReportMetric(0, "ns/op") // preparing the file is no part of it
		duck.compare(b, p)
	})
}

func benchEvents(b *testing.B) int {
	b.Helper()
	s := os.Getenv("BENCH_EVENTS")
	if s == "" {
		return 1_000_000
	}
	events, err := strconv.Atoi(s)
	if err != nil {
		b.Fatal(err)
	}
	return events
}

// scoringAlone opens an empty store; its source is never asked.
func scoringAlone(b *testing.B, asOf engine.Date) *pipeline.Pipeline {
	b.Helper()
	p := open(b, configure(b, "postgres://energyd@/reports?host=/nowhere"), asOf)
	b.Cleanup(func() {
		if err := p.Close(); err != nil {
			b.Error(err)
		}
	})
	return p
}

// fill stores the generator's events as if a source had given them, and gives how many there are then.
func fill(b *testing.B, p *pipeline.Pipeline, file string) int {
	b.Helper()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	rows := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil { // the names
		b.Fatal(err)
	}
	var cursor connectors.Cursor
	var batch []engine.Activity
	save := func() {
		next := cursor + "x"
		if len(next) > 100 {
			next = "x"
		}
		if err := p.Store().SaveBatch(b.Context(), store.Batch{Run: "r", Source: "daily_report", After: cursor, Next: next, Read: len(batch), Activities: batch}); err != nil {
			b.Fatal(err)
		}
		batch, cursor = nil, next
	}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		if batch = append(batch, eventOf(row)); len(batch) == 20_000 {
			save()
		}
	}
	save()
	if _, err := p.Fold(b.Context()); err != nil {
		b.Fatal(err)
	}
	n, err := p.Store().Size(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// eventOf is what a mapping makes of a row of the generator; testdata/duckdb/activities.sql does the same.
func eventOf(row []string) engine.Activity {
	clone := strings.Clone // the row is used again
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	ts := number(row[3])
	a := engine.Activity{
		Source: "daily_report", ID: row[1] + "/" + row[2], Version: number(row[4]) * 1e6, At: time.Unix(ts, 0).UTC(), Date: engine.NoDate,
		Kind: clone(row[5]), Account: clone(row[6]), Mapping: "daily_report.yaml:20", Reps: []engine.Share{{ID: clone(row[9])}},
		People: []engine.Participant{{Contact: clone(row[7]), Rank: []string{"", "president", "executive", "department_manager", "section_manager", "staff"}[number(row[10])]}},
	}
	switch a.Kind {
	case "web":
		a.Kind = "web_meeting"
	case "phone", "mail":
		a.Direction = []engine.Direction{engine.Mutual, engine.Inbound, engine.Outbound}[ts/60%3]
	}
	if row[8] != "" {
		a.Deals = []engine.Share{{ID: clone(row[8])}}
	}
	return a
}

// freshPeak lets peakMB begin anew.
func freshPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// duckScores is what testdata/duckdb/rescore.mjs prints.
type duckScores struct {
	Seconds, CPU, PeakMB float64
	Temperatures         []struct {
		Kind     string
		Entities int
		Points   float64
	}
	Alarms []struct {
		Alarm    string
		Entities int
	}
}

// inDuckDB installs DuckDB into a scratch folder and scores the events there.
func inDuckDB(b *testing.B, events string, asOf engine.Date) duckScores {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Minute)
	defer cancel()
	dir := b.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "duckdb"))); err != nil {
		b.Fatal(err)
	}
	run := func(name string, args ...string) []byte {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		return out
	}
	run("npm", "install", "--loglevel=error")
	var scores duckScores
	if err := json.Unmarshal(run("node", "rescore.mjs", events, asOf.String()), &scores); err != nil {
		b.Fatal(err)
	}
	return scores
}

// compare fails when energyd's scores are not those of SQL.
func (d duckScores) compare(b *testing.B, p *pipeline.Pipeline) {
	b.Helper()
	alarms := map[string]int{}
	kinds := map[string]engine.EntityKind{}
	for kind := range engine.CompanyGroup {
		kinds[kind.String()] = kind
	}
	for _, t := range d.Temperatures {
		kind := kinds[t.Kind]
		n, points := 0, 0.0
		for s, err := range p.Scores(b.Context(), kind) {
			if err != nil {
				b.Fatal(err)
			}
			if len(s.Earned) == 0 { // all its contacts were corrected to somebody else's
				continue
			}
			n, points = n+1, points+s.Temperature
			if kind != engine.Account {
				continue
			}
			if s.Recent.Low {
				alarms["low"]++
			}
			if s.Recent.Halved {
				alarms["halved"]++
			}
			for _, a := range s.Alarms {
				if a.Kind == engine.Silence {
					alarms["silence"]++
				}
			}
		}
		if n != t.Entities || math.Abs(points-t.Points) > 1e-6*points {
			b.Errorf("%d %ss of %.3f points in all, in SQL %d of %.3f", n, t.Kind, points, t.Entities, t.Points)
		}
	}
	for _, a := range d.Alarms {
		if n, ok := alarms[a.Alarm]; ok && n != a.Entities {
			b.Errorf("alarms %s: %d, in SQL %d", a.Alarm, n, a.Entities)
		}
	}
}
