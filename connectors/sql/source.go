package sqltable

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/internal/fault"
)

// source reads one stream.
type source struct {
	*conn
	*table
	cfg         *Stream
	log         *slog.Logger
	op          string
	quoted      []string // the columns' names
	nullKeys    []string // quoted names of key columns that may be NULL
	list        string   // of SELECT: the columns, then deleted
	names       *connectors.Columns
	prefix      string // of every Origin
	fingerprint string
}

func (c *conn) Source(ctx context.Context, cfg connectors.Config) (connectors.Source, error) {
	stream, ok := cfg.(*Stream)
	if !ok {
		return nil, fault.New(fault.Internal, c.env.Name, fmt.Sprintf("configuration of type %T", cfg), "", nil)
	}
	ctx, cancel := c.limit(ctx)
	defer cancel()
	t, err := c.resolve(ctx, stream)
	if err != nil {
		return nil, err
	}
	s := &source{conn: c, table: t, cfg: stream, log: c.env.Log, op: c.env.Name + ": " + stream.name(), prefix: stream.name() + "/"}
	var list, names []string
	for _, col := range t.columns {
		quoted := c.dialect.quote(col.name)
		s.quoted = append(s.quoted, quoted)
		names = append(names, col.name)
		list = append(list, c.dialect.selects(quoted, col.kind, t.session))
	}
	if t.deleted != "" {
		list = append(list, "CASE WHEN "+t.deleted+" THEN 1 ELSE 0 END")
	}
	var key []string
	for _, i := range t.key {
		key = append(key, names[i])
		if !t.columns[i].notNull {
			s.nullKeys = append(s.nullKeys, s.quoted[i])
		}
	}
	s.list, s.names = strings.Join(list, ", "), connectors.NewColumns(names)
	s.fingerprint = strconv.FormatUint(xxhash.Sum64String(fmt.Sprintf("%q", []any{t.from, key, stream.Changed, stream.Deleted, stream.Timezone})), 16)
	return s, nil
}

func (s *source) Close() error { return nil }

// Read gives the next rows of the window that the cursor is in, or opens the next one.
func (s *source) Read(ctx context.Context, after connectors.Cursor, limit int) (connectors.Batch, error) {
	c := s.parse(after)
	ctx, cancel := s.limit(ctx)
	defer cancel()
	if !c.Open {
		if err := s.openWindow(ctx, &c); err != nil {
			return connectors.Batch{}, s.conn.fault(ctx, s.cfg.name(), err)
		}
	}
	b := connectors.Batch{More: true}
	for {
		left := max(limit, 1) - len(b.Records) - len(b.Rejects)
		if left == 0 {
			break
		}
		n, err := s.page(ctx, &c, left, &b)
		if err != nil {
			return connectors.Batch{}, err
		}
		if n < left && !s.next(&c) {
			b.More, b.Interval = false, s.interval(c)
			c = cursor{Version: cursorVersion, Stream: s.fingerprint, Done: c.To}
			break
		}
	}
	b.Next = c.text()
	return b, nil
}

// chunk is how many rows share one backing array of values.
const chunk = 1024

// page reads up to limit rows of the cursor's phase into b, moves the cursor
// behind the last one and tells how many there were.
func (s *source) page(ctx context.Context, c *cursor, limit int, b *connectors.Batch) (n int, err error) {
	query, args, err := s.statement(*c, limit)
	if err != nil {
		return 0, s.conn.fault(ctx, s.cfg.name(), err)
	}
	rows, err := s.db.QueryxContext(ctx, query, args...)
	if err != nil {
		return 0, s.conn.fault(ctx, s.cfg.name(), err)
	}
	defer rows.Close()
	r := reader{source: s, phase: c.Phase, skip: c.Skip, batch: b, order: s.order(c.Phase)}
	for rows.Next() {
		if err := r.row(rows, limit-n); err != nil {
			return 0, s.conn.fault(ctx, s.cfg.name(), err)
		}
		if r.misplaced {
			return 0, fault.New(fault.Config, s.op, fmt.Sprintf("the times in %q carry a zone of their own", s.cfg.Changed),
				"set timezone to UTC", nil)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return 0, s.conn.fault(ctx, s.cfg.name(), err)
	}
	switch {
	case n == 0:
	case c.Phase == keyless:
		c.Skip += n
	default:
		c.At = c.At[:0]
		for _, v := range r.last {
			c.At = append(c.At, encode(v))
		}
	}
	return n, nil
}

// reader turns rows into records. It is the hot path: one allocation for the
// key, and those of the driver for the values; nothing else per row.
type reader struct {
	*source
	phase     phase
	order     []int
	skip      int
	batch     *connectors.Batch
	free      []any // rest of the backing array
	dest      []any
	last      []any // the row's position, as the driver gave it
	origin    []byte
	prev      string // key of the row before
	deleted   int64
	misplaced bool // a change time carries another zone than the stream's: windows would miss it
}

func (r *reader) row(rows *sqlx.Rows, left int) error {
	n := len(r.columns)
	if len(r.free) < n {
		r.free = make([]any, n*min(left, chunk))
	}
	values := r.free[:n:n]
	r.free = r.free[n:]
	r.dest = r.dest[:0]
	for i := range values {
		r.dest = append(r.dest, &values[i])
	}
	if r.table.deleted != "" {
		r.dest = append(r.dest, &r.deleted)
	}
	if err := rows.Scan(r.dest...); err != nil {
		return err
	}
	r.last = r.last[:0]
	for _, i := range r.order {
		r.last = append(r.last, values[i])
	}
	if r.isTime() && hasOffset(values[r.changed]) && r.loc != time.UTC {
		r.misplaced = true
		return nil
	}
	bad := ""
	for i := range values {
		v, err := value(values[i], &r.columns[i], r.loc)
		if err != nil {
			bad, v = r.columns[i].name, nil
		}
		values[i] = v
	}
	r.add(values, bad)
	return nil
}

// add makes a record of values, or a reject; bad names a column that cannot be read.
func (r *reader) add(values []any, bad string) {
	rec := connectors.Record{Deleted: r.deleted != 0, Columns: r.names, Values: values}
	r.origin = append(r.origin[:0], r.prefix...)
	for i, k := range r.key {
		if i > 0 {
			r.origin = append(r.origin, '/')
		}
		r.origin = appendKey(r.origin, values[k], len(r.key) > 1)
	}
	rec.Origin = string(r.origin)
	rec.Key = rec.Origin[len(r.prefix):]
	if r.isTime() {
		rec.ChangedAt, _ = values[r.changed].(time.Time)
	}
	reject := connectors.Reject{Key: rec.Key}
	switch {
	case r.phase == keyless:
		r.skip++
		reject.Key = fmt.Sprintf("no key, row %d", r.skip)
		reject.Code, reject.Reason = "no_key", noKey
	case bad != "":
		reject.Code = "encoding"
		reject.Reason = fmt.Sprintf("the column %q holds bytes that are not UTF-8; repair the row in the database", bad)
		if slices.Contains(r.key, r.names.Index(bad)) {
			reject.Key = r.position()
		}
	case rec.Key == "":
		reject.Key = r.position()
		reject.Code, reject.Reason = "no_key", noKey
	case rec.Key == r.prev:
		reject.Code, reject.Reason = "key_twice", "another row has the same key; name more columns in key"
	default:
		r.prev = rec.Key
		r.batch.Records = append(r.batch.Records, rec)
		return
	}
	reject.Origin = r.prefix + reject.Key
	reject.Fields = rec.Fields()
	r.batch.Rejects = append(r.batch.Rejects, reject)
}

const noKey = "the row has no value in its key columns; fill them in the database, or name others in key"

// position stands for a key that a row does not have: its change time or number,
// and what its key columns hold; quoted where that is nothing or no text.
func (r *reader) position() string {
	parts := make([]string, len(r.last))
	for i, v := range r.last {
		switch v := v.(type) {
		case []byte:
			parts[i] = string(v)
		case time.Time:
			parts[i] = v.UTC().Format(wallLayout)
		default:
			parts[i] = fmt.Sprint(v)
		}
		if parts[i] == "" || !utf8.ValidString(parts[i]) {
			parts[i] = strconv.Quote(parts[i])
		}
	}
	return strings.Join(parts, "/")
}

// appendKey writes one part of a key. In a key of several, a slash inside a part is escaped.
func appendKey(b []byte, v any, several bool) []byte {
	switch v := v.(type) {
	case nil:
		return b
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case time.Time:
		return v.AppendFormat(b, time.RFC3339Nano)
	case string:
		if several {
			v = slashes.Replace(v)
		}
		return append(b, v...)
	}
	return fmt.Append(b, v)
}

var slashes = strings.NewReplacer("%", "%25", "/", "%2F")
