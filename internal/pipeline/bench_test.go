package pipeline_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/pipeline"
	"energyd/internal/testdb"
)

// BenchmarkNights is the whole path at the size that a large firm has: a first
// pull of a million daily reports out of PostgreSQL, scoring all of it anew,
// a night in which a thousand reports came, and a night that reads all of them again. BENCH_EVENTS changes the size.
// Each step runs once, beside a plain COPY of the same table as the yardstick.
func BenchmarkNights(b *testing.B) {
	pipeline.LimitMemory() // as the program does
	events := benchEvents(b)
	ctx := b.Context()
	data := generate(b, events, 1000, "raw")
	dsn := testdb.Postgres(b)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	must := func(statement string, args ...any) {
		if _, err := db.ExecContext(ctx, statement, args...); err != nil {
			b.Fatal(err)
		}
	}
	must(reportTable)
	load(b, dsn, filepath.Join(data, "daily_report.csv"))
	file := configure(b, dsn)

	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.CommandContext(ctx, "psql", dsn, "-qc", "COPY daily_report TO STDOUT")
			cmd.Stdout = io.Discard
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	asOf := engine.DateOf(2026, time.October, 1)
	p := open(b, file, asOf)
	b.Run("pull", func(b *testing.B) {
		if b.N > 1 {
			b.Fatal("a first pull happens once: run with -benchtime 1x")
		}
		r, err := p.Pull(ctx)
		if err != nil || len(r.Errors) > 0 {
			b.Fatal(err, r.Errors)
		}
		if r.Sources[0].Read != events {
			b.Fatalf("read %d of %d", r.Sources[0].Read, events)
		}
		b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "activities/s")
		b.ReportMetric(peakMB(b), "peak-MB")
	})
	b.Run("rescore", func(b *testing.B) {
		for b.Loop() {
			if err := p.Rescore(ctx); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "activities/s")
		b.ReportMetric(peakMB(b), "peak-MB")
	})
	load(b, dsn, filepath.Join(data, "daily_report_new.csv"))
	must("UPDATE daily_report SET updated_at = now() - interval '2 minutes' WHERE report_id > $1", events)
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("night", func(b *testing.B) {
		if b.N > 1 {
			b.Fatal("the thousand reports are new once: run with -benchtime 1x")
		}
		p := open(b, file, asOf+1) // a new process would open the store too
		defer p.Close()
		r, err := p.Pull(ctx)
		if err != nil || len(r.Errors) > 0 {
			b.Fatal(err, r.Errors)
		}
		if r.Fold.Stored == 0 {
			b.Fatal("nothing was new")
		}
		b.ReportMetric(float64(r.Fold.Stored), "changed")
	})
	must("DELETE FROM daily_report WHERE report_id % 50000 = 0")
	b.Run("week", func(b *testing.B) {
		if b.N > 1 {
			b.Fatal("what vanished is found once: run with -benchtime 1x")
		}
		p := open(b, file, asOf+8)
		defer p.Close()
		if err := p.Store().ReadAgain(ctx, "daily_report"); err != nil {
			b.Fatal(err)
		}
		r, err := p.Pull(ctx)
		if err != nil || len(r.Errors) > 0 {
			b.Fatal(err, r.Errors)
		}
		if r.Sources[0].Read < events-events/50000 || r.Sources[0].Withdrawn == 0 {
			b.Fatalf("the complete reading came to %+v", r.Sources[0])
		}
		b.ReportMetric(float64(r.Sources[0].Withdrawn), "withdrawn")
		b.ReportMetric(peakMB(b), "peak-MB")
	})
	if info, err := os.Stat(filepath.Join(filepath.Dir(file), "energyd.db")); err == nil {
		b.ReportMetric(float64(info.Size())/float64(events), "store-B/activity")
	}
}

// generate writes the generator's data set, with so many later rows.
func generate(b *testing.B, events, extra int, write string) string {
	b.Helper()
	dir := b.TempDir()
	cmd := exec.CommandContext(b.Context(), "go", "run", ".", "-out", dir, "-events", strconv.Itoa(events), "-extra", strconv.Itoa(extra), "-write", write)
	cmd.Dir = filepath.Join("..", "..", "..", "shared", "gen")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("generate: %v\n%s", err, out)
	}
	return dir
}

const reportTable = `CREATE TABLE daily_report (report_id bigint PRIMARY KEY, report_date text, start_time text, rep_code text, account_code text,
	contact_code text, contact_name text, contact_title text, deal_code text, activity text, minutes int, result text, memo text,
	source text NOT NULL, ext_key text NOT NULL, updated_at timestamptz NOT NULL);
	CREATE INDEX ON daily_report (updated_at, report_id)`

// load copies a CSV file into the daily reports.
func load(b *testing.B, dsn, file string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "psql", dsn, "-q", "-v", "ON_ERROR_STOP=1",
		"-c", "\\copy daily_report FROM '"+file+"' WITH (FORMAT csv, HEADER, FORCE_NOT_NULL (contact_code, contact_name, contact_title, deal_code))", "-c", "ANALYZE daily_report")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("load: %v\n%s", err, out)
	}
}

// configure writes a configuration that reads the daily reports and knows no CRM.
func configure(b *testing.B, dsn string) string {
	b.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		b.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	// The generator's own mapping, with its kind "web" as our points table calls it.
	gen, err := os.ReadFile(filepath.Join(root, "mapping", "testdata", "gen.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gen.yaml"), bytes.ReplaceAll(gen, []byte(": web\n"), []byte(": web_meeting\n")), 0o600); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "energyd.yaml")
	text := fmt.Sprintf(`language: ja
store: sqlite:energyd.db
points: %[1]s/configs/points.yaml
titles: %[1]s/configs/titles.yaml
connections:
  reports: {type: sql, driver: postgres, host: "%[2]s", database: %[3]s, user: %[4]s, tls: "off"}
sources:
  daily_report: {connection: reports, table: daily_report, key: [report_id], changed: updated_at, mapping: gen.yaml}
`, root, u.Query().Get("host"), strings.TrimPrefix(u.Path, "/"), u.User.Username())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}

func open(tb testing.TB, file string, asOf engine.Date) *pipeline.Pipeline {
	tb.Helper()
	return openWith(tb, file, pipeline.Options{AsOf: asOf})
}

func openWith(tb testing.TB, file string, opt pipeline.Options) *pipeline.Pipeline {
	tb.Helper()
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		tb.Fatal(err)
	}
	opt.Log = slog.New(slog.DiscardHandler)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	p, err := pipeline.Open(context.Background(), cfg, opt)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// peakMB is the most memory that this process ever had resident.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) / 1024
		}
	}
	return 0
}
