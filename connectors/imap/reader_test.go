package imap

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/imap/message"
	"energyd/internal/testmail"
)

func keyOf(raw []byte) string { return message.ReadHeader(raw).Key() }

// reader opens a server as energyd does, and keeps its log.
type reader struct {
	t    testing.TB
	conn connectors.Conn
	log  *lines
}

// lines is a log for several goroutines.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newReader(t testing.TB, cfg *Config) *reader {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	conn, err := open(cfg, connectors.Env{Name: "mail", Dir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, quickClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &reader{t, conn, log}
}

// read reads to the end, in small steps, and gives the records by key.
func (r *reader) read(stream *Stream, after connectors.Cursor) (map[string]connectors.Record, connectors.Cursor, []connectors.Reject) {
	r.t.Helper()
	records, next, rejects, err := r.try(stream, after)
	if err != nil {
		r.t.Fatalf("read: %v", err)
	}
	return records, next, rejects
}

func (r *reader) try(stream *Stream, after connectors.Cursor) (map[string]connectors.Record, connectors.Cursor, []connectors.Reject, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	source, err := r.conn.Source(ctx, stream)
	if err != nil {
		r.t.Fatal(err)
	}
	defer source.Close()
	records := map[string]connectors.Record{}
	var rejects []connectors.Reject
	for more := true; more; {
		b, err := source.Read(ctx, after, 50)
		if err != nil {
			return records, after, rejects, err
		}
		for _, rec := range b.Records {
			records[rec.Key] = rec
		}
		rejects = append(rejects, b.Rejects...)
		after, more = b.Next, b.More
	}
	return records, after, rejects, nil
}

func (r *reader) want(what string, got map[string]connectors.Record, raws ...[]byte) {
	r.t.Helper()
	var want []string
	for _, raw := range raws {
		want = append(want, keyOf(raw))
	}
	slices.Sort(want)
	var keys []string
	for k := range got {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, slices.Compact(want)) {
		r.t.Errorf("%s: got %q, want %q", what, keys, want)
	}
}

// fields shows a record's columns for comparison.
func fields(t testing.TB, rec connectors.Record, names ...string) string {
	t.Helper()
	var out []string
	for _, n := range names {
		if rec.Columns.Index(n) < 0 {
			t.Fatalf("there is no column %s", n)
		}
		out = append(out, fmt.Sprint(rec.Value(n)))
	}
	return strings.Join(out, " | ")
}

func one(t testing.TB, records map[string]connectors.Record, raw []byte) connectors.Record {
	t.Helper()
	rec, ok := records[keyOf(raw)]
	if !ok {
		t.Fatalf("no record of %s", keyOf(raw))
	}
	return rec
}

func dovecot(t testing.TB) *testmail.Server {
	t.Helper()
	return testmail.Start(t, testmail.Options{Sent: true})
}
