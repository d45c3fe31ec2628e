package sqltable

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
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
	rowSize     int // bytes of text in a row of the last page, in the mean; 0 = not known yet
}

func (c *conn) Source(ctx context.Context, cfg connectors.Config) (connectors.Source, error) {
	stream, ok := cfg.(*Stream)
	if !ok {
		return nil, fault.New(fault.Internal, c.env.Name, fmt.Sprintf("configuration of type %T", cfg), "", nil)
	}
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
		list = append(list, c.dialect.selects(quoted, &col))
	}
	if t.deleted != "" {
		list = append(list, "CASE WHEN "+t.deleted+" THEN 1 ELSE 0 END")
	}
	var key []string // its columns' names
	for _, i := range t.key {
		key = append(key, names[i])
		if !t.columns[i].notNull {
			s.nullKeys = append(s.nullKeys, s.quoted[i])
		}
	}
	s.list, s.names = strings.Join(list, ", "), connectors.NewColumns(names)
	s.names.UTF8 = true // see value
	reads := []any{t.from, key, stream.Changed, stream.Deleted, stream.Timezone}
	if stream.Encoding != "" {
		reads = append(reads, stream.Encoding)
	}
	s.fingerprint = strconv.FormatUint(xxhash.Sum64String(fmt.Sprintf("%q", reads)), 16)
	if err := s.checkKey(ctx, key); err != nil {
		return nil, err
	}
	if err := s.checkClock(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// checkKey refuses a key that several rows have: pages end between keys, so that
// of such rows some would be passed over.
func (s *source) checkKey(ctx context.Context, key []string) error {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	if unique, err := s.unique(ctx, s.cfg, key); unique || err != nil {
		return err
	}
	var where string
	if len(s.nullKeys) > 0 {
		where = " WHERE " + strings.Join(s.nullKeys, " IS NOT NULL AND ") + " IS NOT NULL"
	}
	columns := make([]string, len(s.key))
	for i, k := range s.key {
		columns[i], _ = s.operands(k)
	}
	by := strings.Join(columns, ", ")
	doubles := where + " GROUP BY " + by + " HAVING count(*) > 1"
	var found int
	switch err := s.db.GetContext(ctx, &found, s.dialect.first("1", s.from+doubles, 1)); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return s.conn.fault(ctx, s.cfg.name(), err)
	}
	return fault.New(fault.Config, s.op, "several rows have the same key ("+strings.Join(key, ", ")+")",
		"name more columns in key, or remove the doubles, which this shows: SELECT "+by+", count(*) FROM "+s.from+doubles, nil)
}

// checkClock warns of change times that the database's clock has not reached by
// far: the rows wait until it has, and nobody would know why.
func (s *source) checkClock(ctx context.Context) error {
	if !s.isTime() {
		return nil
	}
	ctx, cancel := s.limit(ctx)
	defer cancel()
	now, err := s.clock(ctx)
	if err != nil {
		return s.conn.fault(ctx, s.cfg.name(), err)
	}
	_, soon, err := s.bounds(cursor{To: now.Add(5 * time.Minute).Format(wallLayout)})
	if err != nil {
		return err
	}
	changed, param := s.operands(s.changed)
	var rows int
	if err := s.db.GetContext(ctx, &rows, "SELECT count(*) FROM "+s.from+bind(s.dialect, " WHERE "+changed+" > "+param), soon); err != nil {
		return s.conn.fault(ctx, s.cfg.name(), err)
	}
	if rows == 0 {
		return nil
	}
	s.log.Warn("Change times lie in the future; such rows are read only when the database's clock has reached them. "+
		"Check the source's timezone, and the clocks of the database and of what writes to it.",
		"stream", s.cfg.name(), "changed", s.cfg.Changed, "rows", rows)
	return nil
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
	for room := batchSize; room > 0; {
		left := max(limit, 1) - len(b.Records) - len(b.Rejects)
		if left == 0 {
			break
		}
		done, err := s.page(ctx, &c, s.ask(left, room), &room, &b)
		if err != nil {
			return connectors.Batch{}, err
		}
		if done && !s.next(&c) {
			b.More, b.Interval = false, s.interval(c)
			c = cursor{Version: cursorVersion, Stream: s.fingerprint, Done: c.To}
			break
		}
	}
	b.Next = c.text()
	return b, nil
}

// Tail gives what the lag held back of the reading that ended there. Numbers know no lag.
func (s *source) Tail(ctx context.Context, ended connectors.Cursor, limit int, give func(connectors.Batch) error) error {
	c := s.parse(ended)
	if c.Open || c.Done == "" || !s.isTime() {
		return nil
	}
	now, err := s.clock(ctx)
	if err != nil {
		return s.conn.fault(ctx, s.cfg.name(), err)
	}
	// A column of whole seconds may round up.
	c.Open, c.Phase, c.From, c.To = true, timed, c.Done, now.Add(time.Second).Format(wallLayout)
	for done := false; !done; {
		var b connectors.Batch
		if done, err = s.tailPage(ctx, &c, limit, &b); err != nil {
			return err
		}
		if len(b.Records)+len(b.Rejects) == 0 {
			continue
		}
		if err := give(b); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) tailPage(ctx context.Context, c *cursor, limit int, b *connectors.Batch) (done bool, err error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	room := batchSize
	return s.page(ctx, c, s.ask(limit, room), &room, b)
}

const (
	chunk     = 1024     // rows that share one backing array of values
	batchSize = 16 << 20 // bytes of text after which a batch ends: the caller holds several
)

// ask is how many rows the next page asks for, of the left ones: some more than
// fill room, since drivers read to its end what was asked for and is not used.
func (s *source) ask(left, room int) int {
	if s.rowSize == 0 {
		return min(left, chunk)
	}
	return min(left, 1+room/s.rowSize*5/4)
}

// page reads up to limit rows of the cursor's phase into b, until room (bytes)
// is used up, and moves the cursor behind the last one. done: the phase has no more.
func (s *source) page(ctx context.Context, c *cursor, limit int, room *int, b *connectors.Batch) (done bool, err error) {
	query, args, err := s.statement(*c, limit)
	if err != nil {
		return false, s.conn.fault(ctx, s.cfg.name(), err)
	}
	rows, err := s.db.QueryxContext(ctx, query, args...)
	if err != nil {
		return false, s.conn.fault(ctx, s.cfg.name(), err)
	}
	defer rows.Close()
	b.Records = slices.Grow(b.Records, limit)
	n := 0
	r := reader{source: s, phase: c.Phase, skip: c.Skip, batch: b, order: s.order(c.Phase)}
	for r.size < *room && rows.Next() {
		if err := r.row(rows, limit-n); err != nil {
			return false, s.conn.fault(ctx, s.cfg.name(), err)
		}
		if r.misplaced {
			return false, fault.New(fault.Config, s.op, fmt.Sprintf("the times in %q carry a zone of their own", s.cfg.Changed),
				"set timezone to UTC", nil)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return false, s.conn.fault(ctx, s.cfg.name(), err)
	}
	done = n < limit && r.size < *room
	*room -= r.size
	if n > 0 {
		s.rowSize = max(r.size/n, 1)
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
	return done, nil
}

// reader turns rows into records. It is the hot path: one allocation for the
// key, and those of the driver for the values; nothing else per row.
type reader struct {
	*source
	phase     phase
	order     []int
	skip      int
	batch     *connectors.Batch
	size      int   // bytes of text so far
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
		if text, ok := v.(string); ok {
			r.size += len(text)
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
		reject.Reason = fmt.Sprintf("the column %q holds bytes that are not %s; set encoding in the source, or repair the row in the database",
			bad, cmp.Or(r.cfg.Encoding, "utf-8"))
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
