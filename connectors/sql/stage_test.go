package sqltable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"energyd/connectors"
)

// stage is a database that notes what it is asked and answers by a script.
type stage struct {
	log    strings.Builder
	script []answer
}

// answer is what the statements get that hold a text; the first that fits serves.
type answer struct {
	to      string
	columns []staged
	rows    [][]driver.Value
}

// staged is a column as a driver describes it.
type staged struct {
	name             string
	typ              string
	precision, scale int64
}

func (s *stage) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s *stage) Driver() driver.Driver                        { return nil }
func (s *stage) Close() error                                 { return nil }
func (s *stage) Begin() (driver.Tx, error)                    { return nil, errors.New("no transactions") }
func (s *stage) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("no statements") }

func (s *stage) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	fmt.Fprintf(&s.log, "%s;\n", query)
	for _, a := range args {
		fmt.Fprintf(&s.log, "--   %d: %T %v\n", a.Ordinal, a.Value, a.Value)
	}
	for _, a := range s.script {
		if strings.Contains(query, a.to) {
			return &played{answer: a}, nil
		}
	}
	return nil, fmt.Errorf("the script has no answer to %s", query)
}

type played struct {
	answer
	at int
}

func (p *played) Columns() []string {
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = c.name
	}
	return names
}
func (p *played) Close() error                            { return nil }
func (p *played) ColumnTypeDatabaseTypeName(i int) string { return p.columns[i].typ }
func (p *played) ColumnTypePrecisionScale(i int) (int64, int64, bool) {
	return p.columns[i].precision, p.columns[i].scale, true
}

func (p *played) Next(dest []driver.Value) error {
	if p.at == len(p.rows) {
		return io.EOF
	}
	copy(dest, p.rows[p.at])
	p.at++
	return nil
}

// open gives a connection of a driver that plays the script.
func (s *stage) open(t *testing.T, driver string) *conn {
	d := dialects[driver]
	db := sqlx.NewDb(sql.OpenDB(s), driver)
	t.Cleanup(func() { db.Close() })
	return &conn{cfg: config(driver, "db.example.org:0", "sales"), env: connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"}, dialect: d, db: db}
}

func (s *stage) title(format string, args ...any) {
	fmt.Fprintf(&s.log, "\n-- "+format+"\n", args...)
}

// golden compares the log with testdata; UPDATE=1 writes it.
func (s *stage) golden(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(s.log.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), s.log.String()); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}
