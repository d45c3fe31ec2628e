package sqltable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"energyd/internal/fault"
)

type postgres struct{}

func (postgres) open(cfg *Config, dir string) (*sql.DB, error) {
	c := pq.Config{
		Host: cfg.Host, Port: uint16(cfg.port()), Database: cfg.Database,
		User: cfg.User, Password: cfg.Password.Reveal(),
		ApplicationName: "energyd", ConnectTimeout: connectTimeout,
		ClientEncoding: "UTF8", Datestyle: "ISO, MDY", SSLSNI: true,
		BinaryParameters: true, // one round trip for each query
		Runtime: map[string]string{
			"default_transaction_read_only": "on",
			"timezone":                      "UTC",
			"statement_timeout":             strconv.FormatInt(time.Duration(cfg.StatementTimeout).Milliseconds(), 10),
		},
	}
	switch cfg.TLS {
	case tlsOff:
		c.SSLMode = pq.SSLModeDisable
	case tlsEncrypt:
		c.SSLMode = pq.SSLModeRequire
	default:
		c.SSLMode, c.SSLRootCert = pq.SSLModeVerifyFull, "system"
		if cfg.CAFile != "" {
			c.SSLRootCert = below(dir, cfg.CAFile)
		}
	}
	return sql.OpenDB(signingOn{&pq.Driver{}, func(ctx context.Context, d *signOn) (driver.Conn, error) {
		connector, err := pq.NewConnectorConfig(c)
		if err != nil {
			return nil, err
		}
		connector.Dialer(d)
		return connector.Connect(ctx)
	}}), nil
}

// below resolves a path relative to the folder of energyd.yaml.
func below(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func (postgres) port(*Config) int { return 5432 }

func (postgres) placeholder() string { return "$" }

func (postgres) quote(identifier string) string { return quoteWith(`"`, identifier) }

func (postgres) clock() string {
	return `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`
}

func (postgres) tables() string {
	return `SELECT CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`
}

// items adds up what a partitioned table's parts hold. A table that was never analysed has -1.
func (postgres) items() string {
	return `SELECT CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END AS name,
			CASE WHEN c.relkind IN ('r', 'm', 'p') THEN 'table' ELSE 'view' END AS kind,
			CAST(CASE c.relkind WHEN 'p' THEN (SELECT COALESCE(sum(greatest(p.reltuples, 0)), -1) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = c.oid)
				WHEN 'v' THEN -1 WHEN 'f' THEN -1 ELSE CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE -1 END END AS bigint) AS rows
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
			AND has_schema_privilege(n.oid, 'USAGE') AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))`
}

// sample gives the same rows each time, as long as the table stands still.
func (postgres) sample(from string, percent float64) string {
	return from + " TABLESAMPLE SYSTEM (" + strconv.FormatFloat(percent, 'f', -1, 64) + ") REPEATABLE (1)"
}

func (postgres) rowNumber() string { return "" }

// columns reads pg_index, for the information schema hides the keys of tables that one may only SELECT.
func (postgres) columns() string {
	return `WITH t AS (SELECT to_regclass(concat_ws('.', quote_ident(nullif(CAST(? AS text), '')), quote_ident(CAST(? AS text)))) AS oid)
		SELECT a.attname AS name, a.attnotnull AS not_null,
			COALESCE(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0) AS key_position
		FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
		ORDER BY a.attnum`
}

func (postgres) uniques() string {
	return `SELECT CAST(i.indexrelid AS text) AS index_name, COALESCE(a.attname, '') AS column_name
		FROM pg_index i CROSS JOIN unnest(CAST(i.indkey AS int2[])) AS k(attnum)
		LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = to_regclass(concat_ws('.', quote_ident(nullif(CAST(? AS text), '')), quote_ident(CAST(? AS text))))
			AND i.indisunique AND i.indisvalid AND i.indpred IS NULL`
}

func (postgres) comments() string {
	return `WITH t AS (SELECT to_regclass(concat_ws('.', quote_ident(nullif(CAST(? AS text), '')), quote_ident(CAST(? AS text)))) AS oid)
		SELECT a.attname AS name, d.description AS comment
		FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_description d ON d.classoid = CAST('pg_class' AS regclass) AND d.objoid = t.oid AND d.objsubid = a.attnum`
}

func (postgres) references() string {
	return `WITH t AS (SELECT to_regclass(concat_ws('.', quote_ident(nullif(CAST(? AS text), '')), quote_ident(CAST(? AS text)))) AS oid)
		SELECT a.attname AS name, CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END AS target, b.attname AS target_column
		FROM t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' AND cardinality(k.conkey) = 1
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
		JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]`
}

func (postgres) session() string { return "SHOW server_encoding" }

func (postgres) kindOf(t sqlType) kind {
	switch t.name {
	case "INT2", "INT4", "INT8":
		return integer
	case "NUMERIC":
		return decimal
	case "FLOAT4":
		return single
	case "FLOAT8":
		return float
	case "BOOL":
		return boolean
	case "DATE":
		return day
	case "TIMESTAMP":
		return wall
	case "TIMESTAMPTZ":
		return instant
	case "BYTEA":
		return binary
	}
	return text
}

// raw is the server's encoding, from which and to which nothing is converted.
func (postgres) raw(c *column, encoding string) string {
	if c.kind == text {
		return encoding
	}
	return ""
}

// selects reads text as text, so that lib/pq makes a string at once.
func (postgres) selects(name string, c *column) string {
	switch {
	case c.raw != "":
		return "convert_to(CAST(" + name + " AS text), '" + c.raw + "')"
	case (c.kind == text || c.kind == day) && c.key: // by its own name, ORDER BY would mean the text
		return "CAST(" + name + " AS text) AS " + quoteWith(`"`, c.name+" as text")
	case c.kind == text || c.kind == day:
		return "CAST(" + name + " AS text)"
	}
	return name
}

func (postgres) compares(operand string, c *column) string {
	if c.raw != "" && operand == "?" {
		return "convert_from(CAST(? AS bytea), '" + c.raw + "')"
	}
	return operand
}

func (postgres) bytes() bool { return true }

func (postgres) limit(n, skip int) string { return limitOffset(n, skip) }

func (postgres) first(list, from string, n int) string { return firstLimit(list, from, n) }

func (postgres) rows() bool { return true }

func (postgres) grace() time.Duration { return 5 * time.Second }

func (postgres) explain(err error, user string) (fault.Kind, string, string) {
	var e *pq.Error
	if !errors.As(err, &e) {
		return unsent(err)
	}
	switch code := string(e.Code); {
	case strings.HasPrefix(code, "28"):
		if strings.Contains(e.Message, "no encryption") {
			return fault.Config, msgNoTLS, "the server takes this user only with TLS: set tls to verify or encrypt"
		}
		return fault.Auth, msgLogin, hintLogin
	case code == "42501":
		return fault.Auth, msgRights, "GRANT SELECT on the table, and USAGE on its schema, to " + strconv.Quote(user)
	case code == "3D000":
		return fault.Config, "there is no such database", "check database of the connection"
	case code == "57014":
		return fault.Unavailable, "the statement took too long", hintTimeout
	case strings.HasPrefix(code, "42"), strings.HasPrefix(code, "22"):
		return fault.Config, msgQuery, hintQuery
	}
	return fault.Unavailable, msgBusy, hintAway
}
