package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/fault"
)

// SourceHarness tells RunSource how to drive one connector's reading.
type SourceHarness struct {
	Connector      connectors.Connector
	ConnRequired   []string // YAML paths of the connection's required options
	StreamRequired []string // the same of a stream
	// Start gives a fresh system without rows; each subtest starts its own.
	Start func(t *testing.T) SourceSystem
}

// SourceSystem is a system with one stream, and the ways to change its rows.
type SourceSystem struct {
	System
	Stream func() connectors.Config // a valid stream with more than one column
	// Insert adds n rows and returns their keys, oldest change first. Several of
	// them share a change time, if the system's clock allows.
	Insert func(n int) []string
	Change func(key string) // changes a column of that row, now
	Delete func(key string) // nil when the stream does not tell of deletions
	// Settle lets time pass until a Read must return all that was done so far; nil when it does at once.
	Settle func()
	// WrongStream spoils a stream of Stream: a table or column that does not exist.
	WrongStream func(connectors.Config)
}

// RunSource is the acceptance suite of a source.
func RunSource(t *testing.T, h SourceHarness) {
	t.Run("sample_complete", func(t *testing.T) { sampleComplete(t, h.Connector) })
	t.Run("required_options", func(t *testing.T) {
		s := h.Start(t)
		required(t, h.ConnRequired, func() connectors.Config { return s.Conn(s.Addr) })
		required(t, h.StreamRequired, s.Stream)
	})
	signOn(t, h.Connector, func(t *testing.T) System { return h.Start(t).System })
	for name, test := range map[string]func(*sourceBench){
		"empty":             testEmpty,
		"all_once_in_order": testAllOnce,
		"same_answer":       testSameAnswer,
		"resume_anywhere":   testResume,
		"unusable_cursor":   testUnusableCursor,
		"limit":             testLimit,
		"cancel":            testCancel,
		"changes":           testChanges,
		"new_while_reading": testNewWhileReading,
		"reread_harmless":   testReread,
		"several_at_once":   testSeveral,
		"wrong_stream":      testWrongStream,
		"cut_connection":    testCut,
		"windows":           testWindows,
	} {
		t.Run(name, func(t *testing.T) {
			s := h.Start(t)
			test(&sourceBench{newBench(t, h.Connector, s.System), s})
		})
	}
}

type sourceBench struct {
	*bench
	SourceSystem
}

func (b *sourceBench) insert(n int) []string {
	keys := b.Insert(n)
	b.settle()
	return keys
}

func (b *sourceBench) settle() {
	if b.Settle != nil {
		b.Settle()
	}
}

func (b *sourceBench) source(addr string) connectors.Source {
	b.Helper()
	source, err := b.conn(addr).Source(b.ctx, b.Stream())
	if err != nil {
		b.Fatalf("source: %v", err)
	}
	b.Cleanup(func() {
		if err := source.Close(); err != nil {
			b.Errorf("close source: %v", err)
		}
	})
	return source
}

// step is one Read: where it began and what it gave.
type step struct {
	after connectors.Cursor
	batch connectors.Batch
}

// walk reads from a cursor to the stream's end.
func (b *sourceBench) walk(source connectors.Source, after connectors.Cursor, limit int) []step {
	b.Helper()
	var steps []step
	for {
		batch, err := source.Read(b.ctx, after, limit)
		if err != nil {
			b.Fatalf("read after %q: %v", after, err)
		}
		steps = append(steps, step{after, batch})
		b.hides(string(batch.Next))
		if !batch.More {
			return steps
		}
		if batch.Next == after && len(batch.Records) == 0 {
			b.Fatalf("the source says More but stands still at %q", after)
		}
		if len(steps) > 10_000 {
			b.Fatalf("no end after %d reads; the last gave %d records", len(steps), len(batch.Records))
		}
		after = batch.Next
	}
}

func end(steps []step) connectors.Cursor { return steps[len(steps)-1].batch.Next }

func records(steps []step) []connectors.Record {
	var all []connectors.Record
	for _, s := range steps {
		all = append(all, s.batch.Records...)
	}
	return all
}

// keysOf gives the sorted distinct keys of records.
func keysOf(records []connectors.Record) []string {
	var keys []string
	for _, r := range records {
		keys = append(keys, r.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (b *sourceBench) wantKeys(what string, got []connectors.Record, want []string) {
	b.Helper()
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), keysOf(got)); diff != "" {
		b.Errorf("%s: keys differ (-want +got):\n%s", what, diff)
	}
}

// shown makes records comparable: values with their column names.
func shown(records []connectors.Record) []string {
	lines := make([]string, len(records))
	for i, r := range records {
		lines[i] = fmt.Sprint(r.Key, " ", r.ChangedAt, " ", r.Deleted, " ", r.Origin, " ", r.Fields())
	}
	return lines
}

func testEmpty(b *sourceBench) {
	steps := b.walk(b.source(b.Addr), "", 10)
	if n := len(records(steps)); n != 0 {
		b.Errorf("an empty stream gave %d records", n)
	}
	keys := b.insert(3)
	b.wantKeys("rows after an empty read", records(b.walk(b.source(b.Addr), end(steps), 10)), keys)
}

func testAllOnce(b *sourceBench) {
	keys := b.insert(25)
	got := records(b.walk(b.source(b.Addr), "", 4))
	if len(got) != len(keys) {
		b.Errorf("got %d records of %d rows", len(got), len(keys))
	}
	b.wantKeys("first reading", got, keys)
	for i, r := range got {
		switch {
		case r.Key == "" || r.Origin == "" || r.Columns == nil || len(r.Values) != len(r.Columns.Names):
			b.Errorf("record %d is not whole: %+v", i, r)
		case i > 0 && r.ChangedAt.Before(got[i-1].ChangedAt):
			b.Errorf("record %d changed at %v, before its predecessor at %v", i, r.ChangedAt, got[i-1].ChangedAt)
		}
		if _, offset := r.ChangedAt.Zone(); offset != 0 {
			b.Errorf("record %d: ChangedAt %v is not UTC", i, r.ChangedAt)
		}
	}
}

// testSameAnswer asks each time the same source twice, and a new one.
func testSameAnswer(b *sourceBench) {
	b.insert(12)
	source := b.source(b.Addr)
	for cursor, more := connectors.Cursor(""), true; more; {
		first, err := source.Read(b.ctx, cursor, 5)
		if err != nil {
			b.Fatalf("read after %q: %v", cursor, err)
		}
		for who, asked := range map[string]connectors.Source{"same source": source, "new source": b.source(b.Addr)} {
			again, err := asked.Read(b.ctx, cursor, 5)
			if err != nil {
				b.Fatalf("%s: read again after %q: %v", who, cursor, err)
			}
			if diff := cmp.Diff(shown(first.Records), shown(again.Records)); diff != "" || again.More != first.More {
				b.Errorf("%s after %q: More %v, then %v; records differ (-first +again):\n%s", who, cursor, first.More, again.More, diff)
			}
		}
		cursor, more = first.Next, first.More
	}
}

func testResume(b *sourceBench) {
	keys := b.insert(17)
	steps := b.walk(b.source(b.Addr), "", 3)
	for i := range steps {
		rest := b.walk(b.source(b.Addr), steps[i].batch.Next, 4)
		b.wantKeys(fmt.Sprintf("stopped after read %d, then resumed", i+1), append(records(steps[:i+1]), records(rest)...), keys)
	}
}

// testUnusableCursor reads after what a newer or broken energyd may have left.
func testUnusableCursor(b *sourceBench) {
	keys := b.insert(5)
	good := end(b.walk(b.source(b.Addr), "", 10))
	for _, cursor := range []connectors.Cursor{"日報", "{}", "[1]", good[:len(good)/2], good + "}"} {
		warnings := strings.Count(b.log.String(), "level=WARN")
		b.wantKeys(fmt.Sprintf("after the cursor %q", cursor), records(b.walk(b.source(b.Addr), cursor, 2)), keys)
		if strings.Count(b.log.String(), "level=WARN") == warnings {
			b.Errorf("the cursor %q is passed over without a warning", cursor)
		}
	}
}

func testLimit(b *sourceBench) {
	keys := b.insert(11)
	for _, limit := range []int{1, 2, 7, 11, 500} {
		steps := b.walk(b.source(b.Addr), "", limit)
		for _, s := range steps {
			if n := len(s.batch.Records) + len(s.batch.Rejects); n > limit {
				b.Errorf("limit %d gave %d rows", limit, n)
			}
		}
		b.wantKeys(fmt.Sprintf("limit %d", limit), records(steps), keys)
	}
}

func testCancel(b *sourceBench) {
	b.insert(5)
	source := b.source(b.Addr)
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if _, err := source.Read(ctx, "", 2); !errors.Is(err, context.Canceled) {
		b.Errorf("Read with a cancelled context gives %v; want context.Canceled in the chain", err)
	}
	if _, err := source.Read(b.ctx, "", 2); err != nil {
		b.Errorf("Read after a cancelled one gives %v", err)
	}
}

func testChanges(b *sourceBench) {
	keys := b.insert(6)
	source := b.source(b.Addr)
	first := b.walk(source, "", 4)
	was := map[string]string{}
	for i, r := range records(first) {
		was[r.Key] = shown(records(first))[i]
	}
	b.Change(keys[1])
	if b.Delete != nil {
		b.Delete(keys[3])
	}
	b.settle()
	seen := map[string]connectors.Record{}
	for _, r := range records(b.walk(source, end(first), 4)) {
		seen[r.Key] = r
	}
	if r, ok := seen[keys[1]]; !ok || shown([]connectors.Record{r})[0] == was[keys[1]] {
		b.Errorf("the changed row %s did not come with its new values", keys[1])
	}
	if r, ok := seen[keys[3]]; b.Delete != nil && (!ok || !r.Deleted) {
		b.Errorf("the deleted row %s did not come as deleted", keys[3])
	}
}

func testNewWhileReading(b *sourceBench) {
	keys := b.insert(9)
	source := b.source(b.Addr)
	first, err := source.Read(b.ctx, "", 4)
	if err != nil {
		b.Fatalf("read: %v", err)
	}
	keys = append(keys, b.insert(5)...)
	b.Change(keys[0])
	b.Change(keys[7])
	second := b.walk(source, first.Next, 4)
	b.settle()
	third := b.walk(source, end(second), 4)
	b.wantKeys("rows that came while reading", slices.Concat(first.Records, records(second), records(third)), keys)
}

func testReread(b *sourceBench) {
	keys := b.insert(8)
	source := b.source(b.Addr)
	first := b.walk(source, "", 3)
	known := shown(records(first))
	cursor := end(first)
	for range 3 { // idle reads: lookback may bring rows again, but nothing else and nothing new
		b.settle()
		again := b.walk(source, cursor, 3)
		for _, line := range shown(records(again)) {
			if !slices.Contains(known, line) {
				b.Errorf("an idle read gave something new: %s", line)
			}
		}
		cursor = end(again)
	}
	b.Change(keys[2])
	b.settle()
	if !slices.Contains(keysOf(records(b.walk(source, cursor, 3))), keys[2]) {
		b.Error("a change after idle reads was not seen")
	}
}

func testSeveral(b *sourceBench) {
	keys := b.insert(10)
	conn := b.conn(b.Addr)
	results := make(chan error)
	const readers = 4
	for range readers {
		go func() { results <- b.count(conn, len(keys)) }()
	}
	for range readers {
		if err := <-results; err != nil {
			b.Error(err)
		}
	}
}

func (b *sourceBench) count(conn connectors.Conn, want int) error {
	source, err := conn.Source(b.ctx, b.Stream())
	if err != nil {
		return err
	}
	defer source.Close()
	var got []connectors.Record
	for cursor, more := connectors.Cursor(""), true; more; {
		batch, err := source.Read(b.ctx, cursor, 3)
		if err != nil {
			return err
		}
		got, cursor, more = append(got, batch.Records...), batch.Next, batch.More
	}
	if n := len(keysOf(got)); n != want {
		return fmt.Errorf("one of several readers got %d rows of %d", n, want)
	}
	return nil
}

func testWrongStream(b *sourceBench) {
	cfg := b.Stream()
	b.WrongStream(cfg)
	source, err := b.conn(b.Addr).Source(b.ctx, cfg)
	if err == nil {
		defer source.Close()
		_, err = source.Read(b.ctx, "", 10)
	}
	b.wantKind(err, fault.Config)
	if fault.HintOf(err) == "" {
		b.Errorf("%v gives no hint", err)
	}
}

// testCut breaks the connection after more and more bytes. Whatever Read then
// says, going on from the same cursor must lose nothing.
func testCut(b *sourceBench) {
	if b.Addr == "" {
		return
	}
	keys := b.insert(30)
	proxy := NewProxy(b.T, b.Addr)
	source := b.source(proxy.Addr())
	for _, bytes := range []int64{0, 1, 100, 700, 3000} {
		var got []connectors.Record
		cursor, more, faults := connectors.Cursor(""), true, 0
		proxy.CutAfter(bytes)
		for more {
			batch, err := source.Read(b.ctx, cursor, 7)
			if err != nil {
				b.wantKind(err, fault.Unavailable)
				if faults++; faults > 1 {
					b.Fatalf("cut after %d bytes: the connection does not heal: %v", bytes, err)
				}
				proxy.Heal()
				continue
			}
			got, cursor, more = append(got, batch.Records...), batch.Next, batch.More
			proxy.CutAfter(bytes)
			faults = 0
		}
		b.wantKeys(fmt.Sprintf("cut after %d bytes", bytes), got, keys)
	}
}
