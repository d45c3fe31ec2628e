package file

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
)

// folder is a folder of files, and a reader of it that keeps its cursor.
type folder struct {
	t       testing.TB
	dir     string
	now     time.Time // of the machine; each file that is written is a minute older than the next
	cursor  connectors.Cursor
	columns *connectors.Columns // of the last record
	log     bytes.Buffer
	limit   int
}

func newFolder(t testing.TB) *folder {
	return &folder{t: t, dir: t.TempDir(), now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), limit: 1000}
}

// again is the same folder, read from the beginning.
func (f *folder) again(t testing.TB) *folder {
	return &folder{t: t, dir: f.dir, now: f.now, limit: 1000}
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// write saves a file a minute after the one before, and lets time pass.
func (f *folder) write(name, text string) {
	f.t.Helper()
	writeFile(f.t, f.path(name), text)
	f.touch(name)
}

func (f *folder) touch(name string) {
	f.t.Helper()
	f.now = f.now.Add(time.Minute)
	if err := os.Chtimes(f.path(name), f.now, f.now); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) conn() *conn {
	return &conn{cfg: &Config{Dir: f.dir, Settle: connectors.Duration(10 * time.Second)}, dir: f.dir,
		env: connectors.Env{Name: "files", Log: slog.New(slog.NewTextHandler(&f.log, nil))},
		now: func() time.Time { return f.now.Add(time.Minute) }}
}

// batches reads to the end.
func (f *folder) batches(set func(*Stream)) ([]connectors.Batch, error) {
	f.t.Helper()
	cfg := Connector.NewStream().(*Stream)
	cfg.Files = "*"
	set(cfg)
	if err := cfg.Validate(); err != nil {
		f.t.Fatalf("the stream is not valid: %v", err)
	}
	c := f.conn()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	source, err := c.Source(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	var all []connectors.Batch
	for {
		b, err := source.Read(ctx, f.cursor, f.limit)
		if err != nil {
			return all, err
		}
		if n := len(b.Records) + len(b.Rejects); n > f.limit {
			f.t.Fatalf("limit %d gave %d", f.limit, n)
		}
		all, f.cursor = append(all, b), b.Next
		if !b.More {
			return all, nil
		}
	}
}

// read reads to the end and shows what came: records, rejects and skips of each batch.
func (f *folder) read(set func(*Stream)) []string {
	f.t.Helper()
	batches, err := f.batches(set)
	if err != nil {
		f.t.Fatalf("read: %v", err)
	}
	var shown []string
	for _, b := range batches {
		for _, r := range b.Records {
			f.columns = r.Columns
			shown = append(shown, show(r))
		}
		for _, r := range b.Rejects {
			shown = append(shown, fmt.Sprintf("reject %s @%s %s: %s", r.Key, r.Origin, r.Code, r.Reason))
		}
		for reason, n := range b.Skipped {
			shown = append(shown, fmt.Sprintf("skipped %s: %d", reason, n))
		}
	}
	return shown
}

func show(r connectors.Record) string {
	if r.Deleted {
		return "deleted " + r.Key
	}
	values := make([]string, len(r.Values))
	for i, v := range r.Values {
		values[i] = fmt.Sprint(v)
	}
	return r.Key + " @" + r.Origin + " " + strings.Join(values, "|")
}
