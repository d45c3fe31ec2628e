package daemon

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// BenchmarkDaemons reads six systems, each of which takes a second to answer, into one PostgreSQL for the first time:
// in one run, as it was before there were lanes, and by daemons that begin what nobody has yet. What they bring is
// bounded by the cores, and by the folds, which come one at a time: decisions/0136.
func BenchmarkDaemons(b *testing.B) {
	const connections, records = 6, 5_000
	dir := b.TempDir()
	for i := range connections {
		fill(b, filepath.Join(dir, fmt.Sprintf("reports%d.db", i)), i, records)
	}
	if err := os.WriteFile(filepath.Join(dir, "reports.yaml"), []byte(benchMapping), 0o600); err != nil {
		b.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "language: ja\nstore: sqlite:unused.db\npoints: %[1]s/configs/points.yaml\ntitles: %[1]s/configs/titles.yaml\nconnections:\n", root)
	for i := range connections {
		fmt.Fprintf(&text, "  db%d: {type: sql, driver: sqlite, file: reports%d.db}\n", i, i)
	}
	text.WriteString("sources:\n")
	for i := range connections {
		fmt.Fprintf(&text, "  reports%d: {connection: db%d, table: daily_report, key: [id], changed: updated_at, timezone: UTC, mapping: reports.yaml}\n", i, i)
	}
	file := filepath.Join(dir, "energyd.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	registry := slow(time.Second)
	open := func(url string) *pipeline.Pipeline {
		cfg, err := config.Load(file, registry)
		if err != nil {
			b.Fatal(err)
		}
		cfg.Store = url
		p, err := pipeline.Open(b.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, AsOf: engine.NoDate})
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	for _, daemons := range []int{0, 1, 3} {
		name := fmt.Sprintf("daemons=%d", daemons)
		if daemons == 0 {
			name = "one-run"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				url := testdb.Postgres(b)
				first := open(url)
				b.StartTimer()
				if daemons == 0 {
					if r, err := first.Pull(b.Context()); err != nil || len(r.Errors) > 0 {
						b.Fatal(err, r.Errors)
					}
				}
				var at sync.WaitGroup
				for range daemons {
					at.Go(func() {
						p := open(url)
						defer p.Close()
						if err := takeAll(b.Context(), p, connections); err != nil {
							b.Error(err)
						}
					})
				}
				at.Wait()
				b.StopTimer()
				sum := 0
				runs, err := first.Store().Runs(b.Context(), 100)
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range runs {
					for _, s := range r.Sources {
						sum += s.Stored
					}
				}
				if sum != connections*records {
					b.Fatalf("%d of %d are stored", sum, connections*records)
				}
				if err := first.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(connections*records*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// takeAll pulls, as many side by side as a daemon does, each source that nobody else has read, or reads.
func takeAll(ctx context.Context, p *pipeline.Pipeline, sources int) error {
	var wait sync.WaitGroup
	errs, places := make([]error, sources), make(chan struct{}, atOnce)
	for i := range sources {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			name := fmt.Sprintf("reports%d", i)
			q := p.ForRun(func(last store.LastStarts) bool { _, done := last.Of(name); return done })
			_, err := q.Pull(ctx, name)
			if fault.KindOf(err) == fault.Conflict {
				err = nil
			}
			errs[i] = errors.Join(err, q.Disconnect())
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// slow are the connectors, where databases take so long to answer.
func slow(by time.Duration) connectors.Registry {
	r := slices.Clone(all.Connectors)
	for i, c := range r {
		if c.Name == "sql" {
			r[i].Open = func(ctx context.Context, cfg connectors.Config, env connectors.Env) (connectors.Conn, error) {
				conn, err := c.Open(ctx, cfg, env)
				return slowConn{conn, by}, err
			}
		}
	}
	return r
}

type slowConn struct {
	connectors.Conn
	by time.Duration
}

func (c slowConn) Source(ctx context.Context, cfg connectors.Config) (connectors.Source, error) {
	s, err := c.Conn.Source(ctx, cfg)
	return slowSource{s, c.by}, err
}

type slowSource struct {
	connectors.Source
	by time.Duration
}

func (s slowSource) Read(ctx context.Context, after connectors.Cursor, limit int) (connectors.Batch, error) {
	time.Sleep(s.by)
	return s.Source.Read(ctx, after, limit)
}

// fill makes a database of daily reports about customers of its own.
func fill(b *testing.B, file string, nth, records int) {
	b.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(b.Context(), `CREATE TABLE daily_report (id INTEGER PRIMARY KEY, day TEXT, account TEXT, title TEXT, kind TEXT, updated_at TEXT NOT NULL);
		CREATE INDEX changed ON daily_report (updated_at, id);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO daily_report SELECT i, date('2024-01-01', '+' || (i % 900) || ' days'), 'A' || ?2 || '-' || (i * 7919 % 4000),
			CASE i % 3 WHEN 0 THEN '部長' WHEN 1 THEN '課長' ELSE '主任' END, CASE i % 2 WHEN 0 THEN 'visit' ELSE 'phone' END,
			strftime('%Y-%m-%dT%H:%M:%SZ', '2026-01-01', '+' || i || ' seconds') FROM n`, records, nth)
	if err != nil {
		b.Fatal(err)
	}
}

const benchMapping = `timezone: Asia/Tokyo
columns: [id, day, account, title, kind, updated_at]
activity:
  id: id
  version: updated_at
  at: datetime(day, "10:00")
  kind: kind
  account: account
  participants:
    - title: title
`
