package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
)

// Reject is a source record that could not be read or mapped.
type Reject struct {
	Source string
	connectors.Reject
	Run      string    // that saw it last
	Seen     time.Time // when it was read, UTC
	Attempts int       // how often it was rejected
	Again    bool      // somebody wants it to be tried again at the next pull
	Dropped  bool      // somebody dropped it, until its record is another one
	Until    time.Time // or until then, with Dropped, UTC; zero = not by the time
}

// RejectCount counts the rejects of a source by their code.
type RejectCount struct {
	Source string `json:"source"`
	Code   string `json:"code"`
	Count  int    `json:"count"`
}

// saveRejects keeps the batch's rejects, and takes back those whose record came through.
func saveRejects(ctx context.Context, tx *sqlx.Tx, b Batch) error {
	if err := takeBack(ctx, tx, b); err != nil {
		return err
	}
	if err := stillDropped(ctx, tx, b); err != nil || len(b.Rejects) == 0 {
		return err
	}
	insert, err := tx.PreparexContext(ctx, tx.Rebind(`INSERT INTO reject (source, key, origin, code, reason, fields, run, attempts, waits, changed_us, seen_us, revision, whole)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT (source, key) DO UPDATE SET origin = excluded.origin, code = excluded.code,
		reason = excluded.reason, fields = excluded.fields, run = excluded.run, attempts = reject.attempts + 1,
		waits = excluded.waits, changed_us = excluded.changed_us, seen_us = excluded.seen_us, tried = 0, revision = excluded.revision,
		whole = excluded.whole, dropped = 0`))
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range b.Rejects {
		changed := sql.NullInt64{Int64: r.ChangedAt.UnixMicro(), Valid: !r.ChangedAt.IsZero()}
		_, err := insert.ExecContext(ctx, b.Source, plain(r.Key), plain(r.Origin), plain(r.Code), plain(r.Reason), fieldsJSON(r.Fields), b.Run,
			bit(r.Waits), changed, b.At.UnixMicro(), b.Revision, bit(r.Whole))
		if err != nil {
			return err
		}
	}
	return nil
}

// takeBack forgets the rejects whose record came through. Where more are kept
// than came through, as when a mapping lacks a word, they are not all read for each batch.
func takeBack(ctx context.Context, tx *sqlx.Tx, b Batch) error {
	var known []string
	err := tx.SelectContext(ctx, &known, tx.Rebind("SELECT key FROM reject WHERE source = ? LIMIT ?"), b.Source, len(b.Through))
	if err != nil || len(known) == 0 {
		return err
	}
	through := b.Through
	if len(known) < len(b.Through) {
		kept := make(map[string]bool, len(known))
		for _, key := range known {
			kept[key] = true
		}
		through = nil
		for _, key := range b.Through {
			if kept[plain(key)] {
				through = append(through, key)
			}
		}
	}
	for keys := range slices.Chunk(through, 500) {
		args := []any{b.Source}
		for _, key := range keys {
			args = append(args, plain(key))
		}
		_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM reject WHERE source = ? AND key IN (?"+strings.Repeat(", ?", len(keys)-1)+")"), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// FieldsJSON gives a reject's fields as they are kept.
func FieldsJSON(fields map[string]any) json.RawMessage { return json.RawMessage(fieldsJSON(fields)) }

// fieldsJSON gives fields as a JSON object that keeps their types: whole
// numbers have no point and others do, a time is {"time": …}, and an object
// that looks like one of these is {"object": …}. A value that JSON cannot hold (NaN) becomes text.
func fieldsJSON(fields map[string]any) string {
	text, err := json.Marshal(typed(fields))
	if err != nil {
		return noFields
	}
	return strings.ReplaceAll(string(text), `\u0000`, `\ufffd`)
}

func typed(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Sprint(v)
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return json.RawMessage(text)
	case time.Time:
		return map[string]string{"time": v.Format(time.RFC3339Nano)}
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = typed(e)
		}
		return list
	case map[string]any:
		if v == nil {
			return nil
		}
		object := make(map[string]any, len(v))
		for name, e := range v {
			object[name] = typed(e)
		}
		if _, is := marked(v); is {
			return map[string]any{"object": object}
		}
		return object
	}
	return v
}

// marked gives the only name of an object when it is one that says what type its value has.
func marked(object map[string]any) (name string, ok bool) {
	for name := range object {
		return name, len(object) == 1 && (name == "time" || name == "object")
	}
	return "", false
}

// untyped gives what typed was made of.
func untyped(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // typed wrote it
		return f
	case []any:
		for i, e := range v {
			v[i] = untyped(e)
		}
	case map[string]any:
		name, ok := marked(v)
		if text, is := v["time"].(string); ok && is {
			if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
				return t
			}
		}
		if object, is := v["object"].(map[string]any); ok && name == "object" && is {
			v = object
		}
		for name, e := range v {
			v[name] = untyped(e)
		}
		return v
	}
	return v
}

// ParseFields reads a record's fields as FieldsJSON writes them; plain JSON is read as it is.
func ParseFields(text []byte) (map[string]any, error) { return fieldsOf(text) }

func fieldsOf(text []byte) (map[string]any, error) {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, err
	}
	fields, _ = untyped(fields).(map[string]any)
	return fields, nil
}

// Waiting gives the rejects of a source's reading that wait for the directory
// and were tried last before its change, by key. Those of earlier readings may be gone from the source.
func (s *Store) Waiting(ctx context.Context, source string, revision uint32, change int64) iter.Seq2[Reject, error] {
	return s.rejects(ctx, "source = ? AND revision = ? AND waits = 1 AND tried < ?", source, revision, change)
}

// Tried notes that all rejects of a source that wait were tried at a change of the directory.
func (s *Store) Tried(ctx context.Context, source string, change int64) error {
	return s.tx(ctx, "try rejects again", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE reject SET tried = ? WHERE source = ? AND waits = 1 AND tried < ?"), change, source, change)
		return err
	})
}

// Rejects gives the rejects of a source, or of all for "", by source and key; without those that somebody dropped.
func (s *Store) Rejects(ctx context.Context, source string) iter.Seq2[Reject, error] {
	return s.rejects(ctx, "(source = ? OR ? = '') AND dropped = 0", source, source)
}

func (s *Store) rejects(ctx context.Context, which string, args ...any) iter.Seq2[Reject, error] {
	return func(yield func(Reject, error) bool) {
		rows, err := s.read.QueryxContext(ctx, s.read.Rebind(`SELECT source, key, origin, code, reason, fields, run, attempts, waits, changed_us, seen_us, tried, dropped, whole, until_us
			FROM reject WHERE `+which+" ORDER BY source, key"), args...)
		if err != nil {
			yield(Reject{}, storeError("read rejects", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var r Reject
			var fields []byte
			var waits, dropped, whole int
			var changed sql.NullInt64
			var seen, tried, until int64
			err := rows.Scan(&r.Source, &r.Key, &r.Origin, &r.Code, &r.Reason, &fields, &r.Run, &r.Attempts, &waits, &changed, &seen, &tried, &dropped, &whole, &until)
			if err == nil {
				r.Fields, err = fieldsOf(fields)
			}
			r.Waits, r.Seen = waits != 0, time.UnixMicro(seen).UTC()
			r.Until = micros(until)
			r.Again, r.Dropped, r.Whole = tried == tryAgain, dropped != 0, whole != 0
			if changed.Valid {
				r.ChangedAt = time.UnixMicro(changed.Int64).UTC()
			}
			if !yield(r, storeError("read rejects", err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Reject{}, storeError("read rejects", err))
		}
	}
}

// RejectCounts counts all rejects but dropped ones, by source and code.
func (s *Store) RejectCounts(ctx context.Context) ([]RejectCount, error) {
	var counts []RejectCount
	err := s.read.SelectContext(ctx, &counts, "SELECT source, code, COUNT(*) AS count FROM reject WHERE dropped = 0 GROUP BY source, code ORDER BY source, code")
	return counts, storeError("count rejects", err)
}

// RejectReason counts the rejects of a source that have the same reason.
type RejectReason struct {
	Source, Reason string
	Count          int
	Key            string // of one of them
}

// RejectReasons counts the rejects of some codes, by source the most frequent reasons first.
func (s *Store) RejectReasons(ctx context.Context, codes ...string) ([]RejectReason, error) {
	query, args, err := sqlx.In(`SELECT source, reason, COUNT(*) AS count, MIN(key) AS key FROM reject WHERE code IN (?) AND dropped = 0
		GROUP BY source, reason ORDER BY source, count DESC, reason`, codes)
	if err != nil {
		return nil, err
	}
	var reasons []RejectReason
	err = s.read.SelectContext(ctx, &reasons, s.read.Rebind(query), args...)
	return reasons, storeError("count rejects", err)
}

// bit is a yes or no as both databases keep it.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
