package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
)

// Reject is a source record that could not be read or mapped.
type Reject struct {
	Source string
	connectors.Reject
	Run      string // that saw it last
	Attempts int    // how often it was rejected
}

// RejectCount counts the rejects of a source by their code.
type RejectCount struct {
	Source string `json:"source"`
	Code   string `json:"code"`
	Count  int    `json:"count"`
}

// saveRejects keeps the batch's rejects, and takes back those whose record came through.
func saveRejects(ctx context.Context, tx *sqlx.Tx, b Batch) error {
	var known []string
	if err := tx.SelectContext(ctx, &known, tx.Rebind("SELECT key FROM reject WHERE source = ?"), b.Source); err != nil {
		return err
	}
	if len(known) > 0 {
		kept := make(map[string]bool, len(known))
		for _, key := range known {
			kept[key] = true
		}
		for _, key := range b.Through {
			if !kept[key] {
				continue
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM reject WHERE source = ? AND key = ?"), b.Source, key); err != nil {
				return err
			}
		}
	}
	if len(b.Rejects) == 0 {
		return nil
	}
	insert, err := tx.PreparexContext(ctx, tx.Rebind(`INSERT INTO reject (source, key, origin, code, reason, fields, run, attempts)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (source, key) DO UPDATE SET origin = excluded.origin, code = excluded.code,
		reason = excluded.reason, fields = excluded.fields, run = excluded.run, attempts = reject.attempts + 1`))
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range b.Rejects {
		_, err := insert.ExecContext(ctx, b.Source, plain(r.Key), plain(r.Origin), plain(r.Code), plain(r.Reason), fieldsJSON(r.Fields), b.Run)
		if err != nil {
			return err
		}
	}
	return nil
}

// fieldsJSON gives fields as a JSON object. A value that JSON cannot hold (NaN) becomes text.
func fieldsJSON(fields map[string]any) string {
	text, err := json.Marshal(fields)
	if err != nil {
		said := make(map[string]any, len(fields))
		for name, value := range fields {
			if _, err := json.Marshal(value); err != nil {
				value = fmt.Sprint(value)
			}
			said[name] = value
		}
		if text, err = json.Marshal(said); err != nil {
			return "null"
		}
	}
	return strings.ReplaceAll(string(text), `\u0000`, `\ufffd`)
}

// Rejects gives the rejects of a source, or of all for "", by source and key.
func (s *Store) Rejects(ctx context.Context, source string) iter.Seq2[Reject, error] {
	return func(yield func(Reject, error) bool) {
		rows, err := s.read.QueryxContext(ctx, s.read.Rebind(`SELECT source, key, origin, code, reason, fields, run, attempts
			FROM reject WHERE source = ? OR ? = '' ORDER BY source, key`), source, source)
		if err != nil {
			yield(Reject{}, storeError("read rejects", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var r Reject
			var fields []byte
			err := rows.Scan(&r.Source, &r.Key, &r.Origin, &r.Code, &r.Reason, &fields, &r.Run, &r.Attempts)
			if err == nil {
				err = json.Unmarshal(fields, &r.Fields)
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

// RejectCounts counts all rejects, by source and code.
func (s *Store) RejectCounts(ctx context.Context) ([]RejectCount, error) {
	var counts []RejectCount
	err := s.read.SelectContext(ctx, &counts, "SELECT source, code, COUNT(*) AS count FROM reject GROUP BY source, code ORDER BY source, code")
	return counts, storeError("count rejects", err)
}
