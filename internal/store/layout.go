package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/jmoiron/sqlx"

	"energyd/internal/fault"
)

// relation is a table of the store and its columns, in the order in which the migrations made them.
type relation struct {
	Name    string
	columns []column
}

// column is one of a table. A text may stand in SQLite as bytes, which PostgreSQL would not take.
type column struct {
	Name string
	text bool
}

func (r relation) names() []string {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.Name
	}
	return names
}

// layout gives all tables as this program's migrations make them, in order of names: a database may also hold others' tables.
func layout(ctx context.Context) ([]relation, error) {
	db, err := sqlx.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	empty := &Store{read: db, write: db}
	tables, err := empty.layout(ctx)
	return tables, errors.Join(err, db.Close())
}

func (s *Store) layout(ctx context.Context) ([]relation, error) {
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	var rows []struct{ Table, Name, Type string }
	err := s.read.SelectContext(ctx, &rows, `SELECT m.name AS "table", c.name AS name, c.type AS type
		FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%' ORDER BY m.name, c.cid`)
	if err != nil {
		return nil, err
	}
	var tables []relation
	for _, r := range rows {
		if len(tables) == 0 || tables[len(tables)-1].Name != r.Table {
			tables = append(tables, relation{Name: r.Table})
		}
		t := &tables[len(tables)-1]
		t.columns = append(t.columns, column{r.Name, r.Type == "TEXT"})
	}
	return tables, nil
}

// TableSum tells what a table holds. Two tables with the same rows have the
// same sums, in whichever order the rows lie and in both kinds of database.
type TableSum struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Hash  string `json:"hash"` // of all rows
}

// Sums tells what each table holds, at one moment. It reads all of the store.
func (s *Store) Sums(ctx context.Context) ([]TableSum, error) {
	tables, err := layout(ctx)
	if err != nil {
		return nil, storeError("read the store", err)
	}
	var sums []TableSum
	err = s.snapshot(ctx, "read the store", func(tx *sqlx.Tx) error {
		for _, t := range tables {
			sum, err := t.read(ctx, tx, nil)
			if err != nil {
				return err
			}
			sums = append(sums, sum)
		}
		return nil
	})
	return sums, err
}

// read goes through all rows of a table, hands each to use (which may be nil), and sums them up.
// The row is good until use returns.
func (r relation) read(ctx context.Context, q sqlx.QueryerContext, use func(row []any) error) (TableSum, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+quoted(r.names())+" FROM "+quoted([]string{r.Name}))
	if err != nil {
		return TableSum{}, err
	}
	defer rows.Close()
	var all rowSum
	row, into := make([]any, len(r.columns)), make([]any, len(r.columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return TableSum{}, err
		}
		for i, c := range r.columns {
			if data, ok := row[i].([]byte); ok && c.text {
				row[i] = string(data)
			} else if ok && data == nil {
				row[i] = []byte{} // SQLite's driver gives nothing for empty bytes
			}
		}
		if err := all.add(row); err != nil {
			return TableSum{}, fmt.Errorf("table %s: %w", r.Name, err)
		}
		if use != nil {
			if err := use(row); err != nil {
				return TableSum{}, err
			}
		}
	}
	return TableSum{r.Name, all.rows, all.String()}, rows.Err()
}

// rowSum adds up the hashes of rows, so that their order does not matter.
type rowSum struct {
	rows  int64
	lanes [sha256.Size / 8]uint64
	buf   []byte
}

func (t *rowSum) add(row []any) error {
	t.buf = t.buf[:0]
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			t.buf = append(t.buf, 0)
		case int64:
			t.buf = binary.BigEndian.AppendUint64(append(t.buf, 1), uint64(v))
		case float64:
			t.buf = binary.BigEndian.AppendUint64(append(t.buf, 2), math.Float64bits(v))
		case string:
			t.buf = append(binary.BigEndian.AppendUint64(append(t.buf, 3), uint64(len(v))), v...)
		case []byte:
			t.buf = append(binary.BigEndian.AppendUint64(append(t.buf, 4), uint64(len(v))), v...)
		default:
			return fmt.Errorf("a value of type %T cannot be copied", v)
		}
	}
	sum := sha256.Sum256(t.buf)
	for i := range t.lanes {
		t.lanes[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	t.rows++
	return nil
}

func (t *rowSum) String() string {
	var s strings.Builder
	for _, lane := range t.lanes[:2] { // 128 bits tell tables apart
		fmt.Fprintf(&s, "%016x", lane)
	}
	return s.String()
}

// quoted lists names for SQL; some of ours are words of PostgreSQL.
func quoted(names []string) string {
	return `"` + strings.Join(names, `", "`) + `"`
}

// differing names the first relation of which two stores hold something else.
func differing(a, b []TableSum) error {
	for i := range a {
		if a[i] != b[i] {
			return fault.New(fault.Internal, "", fmt.Sprintf("the table %s holds %d rows, and its copy %d, or they differ", a[i].Table, a[i].Rows, b[i].Rows),
				"nothing was kept of the copy; report this", nil)
		}
	}
	return nil
}
