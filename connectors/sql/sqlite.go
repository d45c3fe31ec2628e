package sqltable

import (
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"

	"energyd/internal/fault"
)

type sqliteDialect struct{}

func (sqliteDialect) open(cfg *Config, dir string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(below(dir, cfg.File)), RawQuery: url.Values{
		"mode":    {"ro"},
		"_pragma": {"query_only(1)", "busy_timeout(10000)"},
	}.Encode()}
	return sql.Open("sqlite", u.String())
}

func (sqliteDialect) port(*Config) int { return 0 }

func (sqliteDialect) placeholder() string { return "" }

func (sqliteDialect) quote(identifier string) string { return quoteWith(`"`, identifier) }

func (sqliteDialect) clock() string { return "SELECT " + sqliteTime("'now'") }

func (sqliteDialect) tables() string {
	return "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
}

// items knows no rows: to count them reads the table. A sample tells the range of row numbers.
func (sqliteDialect) items() string {
	return `SELECT name AS name, type AS kind, -1 AS "rows" FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'`
}

func (sqliteDialect) sample(string, float64) string { return "" }

func (sqliteDialect) rowNumber() string { return "_rowid_" }

// columns trusts a primary key to be there only where it is the rowid: SQLite lets others be NULL.
func (sqliteDialect) columns() string {
	return `SELECT name, "notnull" OR (pk = 1 AND upper(type) = 'INTEGER') AS not_null, pk AS key_position
		FROM (SELECT COALESCE(NULLIF(?, ''), 'main') AS of), pragma_table_info(?, of)`
}

// uniques lists the primary key apart: as the rowid it is no index.
func (sqliteDialect) uniques() string {
	return `WITH t AS (SELECT COALESCE(NULLIF(?, ''), 'main') AS of, ? AS name)
		SELECT l.name AS index_name, COALESCE(i.name, '') AS column_name
		FROM t, pragma_index_list(t.name, t.of) l, pragma_index_info(l.name, t.of) i WHERE l."unique" AND NOT l.partial
		UNION ALL SELECT 'primary key', p.name FROM t, pragma_table_info(t.name, t.of) p WHERE p.pk > 0`
}

func (sqliteDialect) comments() string { return "" } // it has none

func (sqliteDialect) references() string {
	return `SELECT "from" AS name, "table" AS target, COALESCE("to", '') AS target_column
		FROM (SELECT COALESCE(NULLIF(?, ''), 'main') AS of, ? AS name) t, pragma_foreign_key_list(t.name, t.of) GROUP BY id HAVING COUNT(*) = 1`
}

func (sqliteDialect) session() string { return "" }

// kindOf goes by SQLite's rules of affinity (sqlite.org/datatype3.html, 3.1), with dates before them.
func (sqliteDialect) kindOf(t sqlType) kind {
	has := func(part string) bool { return strings.Contains(strings.ToUpper(t.name), part) }
	switch {
	case has("DATETIME"), has("TIMESTAMP"):
		return wall
	case has("DATE"):
		return day
	case has("INT"):
		return integer
	case has("REAL"), has("FLOA"), has("DOUB"), has("NUM"), has("DEC"):
		return float
	case has("BOOL"):
		return boolean
	case has("BLOB"):
		return binary
	}
	return text
}

func (sqliteDialect) raw(*column, string) string { return "" } // text comes as the bytes that it is

// selects hides the declared type, by which the driver would make times of text and lose what it cannot parse.
func (sqliteDialect) selects(name string, _ *column) string { return "+" + name }

// compares brings all of SQLite's spellings of a change time into one order. A key
// is compared as it is: two spellings of one time are two keys.
func (sqliteDialect) compares(operand string, c *column) string {
	if c.kind == wall && c.changed {
		return sqliteTime(operand)
	}
	return operand
}

func sqliteTime(operand string) string { return "strftime('%Y-%m-%d %H:%M:%f', " + operand + ")" }

func (sqliteDialect) bytes() bool { return true }

func (sqliteDialect) limit(n, skip int) string { return limitOffset(n, skip) }

func (sqliteDialect) first(list, from string, n int) string { return firstLimit(list, from, n) }

func (sqliteDialect) rows() bool { return true }

func (sqliteDialect) grace() time.Duration { return 0 }

// explain goes by the primary result codes (sqlite.org/rescode.html).
func (sqliteDialect) explain(err error, _ string) (fault.Kind, string, string) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return unsent(err)
	}
	const (
		general, perm, busy, locked, readonly, ioerr, cantopen, auth, notadb = 1, 3, 5, 6, 8, 10, 14, 23, 26
	)
	switch e.Code() & 0xff {
	case cantopen:
		return fault.Config, "the file cannot be opened", "check file of the connection, and that the user energyd runs under may read it and its folder"
	case notadb:
		return fault.Config, "the file is not an SQLite database", "check file of the connection"
	case perm, auth, readonly:
		return fault.Auth, msgRights, "let the user energyd runs under read the file"
	case busy, locked, ioerr:
		return fault.Unavailable, msgBusy, "it is tried again at the next run"
	case general:
		return fault.Config, msgQuery, hintQuery
	}
	return fault.Unavailable, msgBusy, "check the file with the SQLite tool: PRAGMA integrity_check"
}
