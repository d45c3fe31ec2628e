package pipeline_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/testcpu"
	"energyd/internal/testdb"
)

// BenchmarkPullRate holds a first pull of daily reports out of PostgreSQL against
// the fastest that anybody can have them: COPY of the table to nothing. Both
// take turns in one run, so that a busy machine slows both; figures are medians.
// ROWS changes the size (1,000,000), ROUNDS how often each is run (3, or once from 5,000,000 on).
// DSN names a PostgreSQL database whose table daily_report holds the rows already:
// making 10,000,000 of them takes longer than reading them.
//
//	saved-%    rate of reading, mapping and saving, of COPY's
//	folded-%   the same with the fold, until all is scored
//	cpu-µs     of our process for a row, until it is saved and until it is scored
func BenchmarkPullRate(b *testing.B) {
	pipeline.LimitMemory() // as the program does
	ctx := b.Context()
	rows, rounds := number(b, "ROWS", 1_000_000), 3
	if rows >= 5_000_000 {
		rounds = 1
	}
	rounds = number(b, "ROUNDS", rounds)
	dsn := os.Getenv("DSN")
	if dsn == "" {
		dsn = reports(b, rows)
	}
	copyOut := func() time.Duration {
		begin := time.Now()
		if out, err := exec.CommandContext(ctx, "psql", dsn, "-qc", "COPY daily_report TO STDOUT", "-o", os.DevNull).CombinedOutput(); err != nil {
			b.Fatalf("COPY: %v\n%s", err, out)
		}
		return time.Since(begin)
	}
	copyOut() // the first one warms the server's caches, and counts for nobody
	var copied, saved, folded []time.Duration
	var savedCPU, foldedCPU []time.Duration
	for b.Loop() {
		for range rounds {
			copied = append(copied, copyOut())
			file := configure(b, dsn)
			begin, cpu := time.Now(), testcpu.Used(b)
			var last, lastCPU time.Duration
			p := openWith(b, file, pipeline.Options{AsOf: engine.DateOf(2026, time.October, 1), Progress: func(string, int) {
				last, lastCPU = time.Since(begin), testcpu.Used(b)-cpu
			}})
			r, err := p.Pull(ctx)
			if err != nil || len(r.Errors) > 0 {
				b.Fatal(err, r.Errors)
			}
			if r.Sources[0].Read != rows {
				b.Fatalf("read %d of %d", r.Sources[0].Read, rows)
			}
			saved, savedCPU = append(saved, last), append(savedCPU, lastCPU)
			folded, foldedCPU = append(folded, time.Since(begin)), append(foldedCPU, testcpu.Used(b)-cpu)
			if err := p.Close(); err != nil {
				b.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Dir(file)); err != nil {
				b.Fatal(err)
			}
		}
		copied = append(copied, copyOut())
	}
	rate := func(d []time.Duration) float64 { return float64(rows) / median(d).Seconds() }
	b.ReportMetric(rate(copied), "copied/s")
	b.ReportMetric(rate(saved), "saved/s")
	b.ReportMetric(rate(folded), "folded/s")
	b.ReportMetric(100*rate(saved)/rate(copied), "saved-%")
	b.ReportMetric(100*rate(folded)/rate(copied), "folded-%")
	b.ReportMetric(1e6*median(savedCPU).Seconds()/float64(rows), "saved-cpu-µs")
	b.ReportMetric(1e6*median(foldedCPU).Seconds()/float64(rows), "folded-cpu-µs")
	b.ReportMetric(peakMB(b), "peak-MB")
	b.Logf("%d rows: COPY %v, saved %v, folded %v", rows, copied, saved, folded)
}

// reports makes a database with so many daily reports.
func reports(b *testing.B, rows int) (dsn string) {
	b.Helper()
	data := generate(b, rows, 0, "raw")
	dsn = testdb.Postgres(b)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.Context(), reportTable); err != nil {
		b.Fatal(err)
	}
	report := filepath.Join(data, "daily_report.csv")
	load(b, dsn, report)
	if err := os.Remove(report); err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), "VACUUM daily_report"); err != nil {
		b.Fatal(err)
	}
	return dsn
}

// number is a whole number of the environment.
func number(b *testing.B, name string, otherwise int) int {
	b.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return n
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return (d[len(d)/2] + d[(len(d)-1)/2]) / 2
}
