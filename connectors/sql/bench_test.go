package sqltable

import (
	"bytes"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"energyd/connectors"
	"energyd/internal/testdb"
)

var benchRows = flag.Int("bench.rows", 200_000, "rows that BenchmarkReadPostgres reads")

const dailyReport = `CREATE TABLE daily_report (report_id bigint PRIMARY KEY, report_date text, start_time text,
	rep_code text, account_code text, contact_code text, contact_name text, contact_title text, deal_code text,
	activity text, minutes int, result text, memo text, source text, ext_key text, updated_at timestamptz)`

// BenchmarkReadPostgres reads generated daily reports (16 columns) into records,
// and beside it lets psql COPY the same table to nothing: the limit.
func BenchmarkReadPostgres(b *testing.B) {
	dsn := testdb.Postgres(b)
	psql := func(commands ...string) {
		b.Helper()
		args := []string{"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", dsn}
		for _, c := range commands {
			args = append(args, "--command="+c)
		}
		if out, err := exec.Command("psql", args...).CombinedOutput(); err != nil {
			b.Fatalf("psql: %v\n%s", err, out)
		}
	}
	file := generate(b)
	psql(dailyReport, `\copy daily_report FROM '`+file+`' WITH (FORMAT csv, HEADER)`,
		"CREATE INDEX ON daily_report (updated_at, report_id)", "VACUUM ANALYZE daily_report")
	u, err := url.Parse(dsn)
	if err != nil {
		b.Fatal(err)
	}
	s := &server{cfg: func() *Config {
		cfg := config("postgres", "", u.Path[1:])
		cfg.Host, cfg.User = u.Query().Get("host"), "energyd"
		return cfg
	}}
	conn := s.open(b)

	b.Run("copy_to_nothing", func(b *testing.B) {
		for b.Loop() {
			psql(`\copy (SELECT * FROM daily_report ORDER BY updated_at, report_id) TO '/dev/null'`)
		}
		b.ReportMetric(float64(*benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	for _, page := range []int{5_000, 50_000} {
		b.Run(fmt.Sprintf("records/page=%d", page), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				source, err := conn.Source(b.Context(), stream("daily_report", func(c *Stream) { c.Changed = "updated_at" }))
				if err != nil {
					b.Fatal(err)
				}
				rows := 0
				for after, more := connectors.Cursor(""), true; more; {
					batch, err := source.Read(b.Context(), after, page)
					if err != nil {
						b.Fatal(err)
					}
					rows, after, more = rows+len(batch.Records), batch.Next, batch.More
				}
				if rows != *benchRows {
					b.Fatalf("read %d rows of %d", rows, *benchRows)
				}
			}
			b.ReportMetric(float64(*benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// generate writes the generator's daily_report.csv.
func generate(b *testing.B) string {
	gen, err := filepath.Abs("../../../shared/gen")
	if err != nil {
		b.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "energyd-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	c := exec.Command("go", "run", ".", "-out", dir, "-write", "raw", "-events", fmt.Sprint(*benchRows))
	c.Dir = gen
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		b.Fatalf("the data generator: %v\n%s", err, out.String())
	}
	return filepath.Join(dir, "daily_report.csv")
}
