package store

import (
	"context"
	"encoding/json"
	"iter"
)

// Counts tells how many rows each table has.
func (s *Store) Counts(ctx context.Context) (map[string]int64, error) {
	tables, err := layout(ctx)
	if err != nil {
		return nil, storeError("count rows", err)
	}
	counts := make(map[string]int64, len(tables))
	for _, t := range tables {
		var n int64
		if err := s.read.GetContext(ctx, &n, "SELECT COUNT(*) FROM "+quoted([]string{t.Name})); err != nil {
			return nil, storeError("count rows", err)
		}
		counts[t.Name] = n
	}
	return counts, nil
}

// Version is the version of the store's tables, and Kind the database that holds them.
func (s *Store) Version(ctx context.Context) (version int64, kind string, err error) {
	kind = "sqlite"
	if s.postgres {
		kind = "postgres"
	}
	err = s.read.GetContext(ctx, &version, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied")
	return version, kind, storeError("read the store's version", err)
}

// Names gives all texts by which the store knows people, companies and deals: names, addresses and
// other keys, also of those that nobody found. Some come several times.
func (s *Store) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, query := range []string{
			"SELECT name, keys FROM entity", "SELECT name, '' FROM plan_change", "SELECT key, '' FROM decision", "SELECT what, '' FROM unfound", "SELECT '', fields FROM reject",
		} {
			for name, err := range s.named(ctx, query) {
				if !yield(name, err) || err != nil {
					return
				}
			}
		}
	}
}

// named gives a query's first column, and the values of the JSON object in its second one.
func (s *Store) named(ctx context.Context, query string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		rows, err := s.read.QueryxContext(ctx, query)
		if err != nil {
			yield("", storeError("read names", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var keys []byte
			if err := rows.Scan(&name, &keys); err != nil {
				yield("", storeError("read names", err))
				return
			}
			if name != "" && !yield(name, nil) {
				return
			}
			var values map[string]any
			_ = json.Unmarshal(keys, &values) // "" has none
			for _, v := range values {
				if text, ok := v.(string); ok && text != "" && !yield(text, nil) {
					return
				}
			}
		}
		if err := rows.Err(); err != nil {
			yield("", storeError("read names", err))
		}
	}
}
