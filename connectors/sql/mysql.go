package sqltable

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"energyd/internal/fault"
)

type mysqlDialect struct{}

func (mysqlDialect) open(cfg *Config, dir string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", cfg.address()
	if strings.HasPrefix(cfg.Host, "/") {
		c.Net = "unix"
	}
	c.DBName, c.User, c.Passwd = cfg.Database, cfg.User, cfg.Password.Reveal()
	c.Timeout = connectTimeout
	c.ConnectionAttributes = "program_name:energyd"
	c.Logger = &mysql.NopLogger{} // what it would print comes back as an error too
	var err error
	if c.TLS, err = tlsConfig(cfg, below(dir, cfg.CAFile)); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	// MariaDB runs what stands in /*M!, and no comments of versions 5.7; MySQL the other way round.
	timeout := time.Duration(cfg.StatementTimeout)
	return sql.OpenDB(setUp{connector, []string{
		fmt.Sprintf("SET SESSION time_zone = '+00:00' /*M! , max_statement_time = %d */ /*!50708 , max_execution_time = %d */",
			int(timeout.Seconds()), timeout.Milliseconds()),
		"SET SESSION TRANSACTION READ ONLY",
	}}), nil
}

func (mysqlDialect) port(*Config) int { return 3306 }

func (mysqlDialect) placeholder() string { return "" }

func (mysqlDialect) quote(identifier string) string { return quoteWith("`", identifier) }

func (mysqlDialect) clock() string { return "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)" }

func (mysqlDialect) tables() string {
	return "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
}

func (mysqlDialect) items() string {
	return "SELECT table_name AS name, CASE WHEN table_type LIKE '%VIEW%' THEN 'view' ELSE 'table' END AS kind, " +
		"COALESCE(CAST(table_rows AS SIGNED), -1) AS `rows` FROM information_schema.tables WHERE table_schema = database()"
}

func (mysqlDialect) sample(string, float64) string { return "" }

func (mysqlDialect) rowNumber() string { return "" }

func (mysqlDialect) columns() string {
	return `SELECT c.column_name AS name, c.is_nullable = 'NO' AS not_null, COALESCE(s.seq_in_index, 0) AS key_position
		FROM information_schema.columns c LEFT JOIN information_schema.statistics s
			ON s.index_name = 'PRIMARY' AND s.table_schema = c.table_schema AND s.table_name = c.table_name AND s.column_name = c.column_name
		WHERE c.table_schema = COALESCE(NULLIF(?, ''), database()) AND c.table_name = ?
		ORDER BY c.ordinal_position`
}

func (mysqlDialect) uniques() string {
	return `SELECT index_name AS index_name, COALESCE(column_name, '') AS column_name FROM information_schema.statistics
		WHERE non_unique = 0 AND table_schema = COALESCE(NULLIF(?, ''), database()) AND table_name = ?`
}

func (mysqlDialect) comments() string {
	return `SELECT column_name AS name, column_comment AS comment FROM information_schema.columns
		WHERE column_comment <> '' AND table_schema = COALESCE(NULLIF(?, ''), database()) AND table_name = ?`
}

func (mysqlDialect) references() string {
	return `SELECT MAX(column_name) AS name, MAX(referenced_column_name) AS target_column,
			MAX(CASE WHEN referenced_table_schema = database() THEN referenced_table_name ELSE CONCAT(referenced_table_schema, '.', referenced_table_name) END) AS target
		FROM information_schema.key_column_usage
		WHERE referenced_table_name IS NOT NULL AND table_schema = COALESCE(NULLIF(?, ''), database()) AND table_name = ?
		GROUP BY constraint_name HAVING COUNT(*) = 1`
}

func (mysqlDialect) session() string { return "" }

func (mysqlDialect) kindOf(t sqlType) kind {
	switch strings.TrimPrefix(t.name, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR", "BIT":
		return integer
	case "DECIMAL":
		return decimal
	case "FLOAT":
		return single
	case "DOUBLE":
		return float
	case "DATE":
		return day
	case "DATETIME":
		return wall
	case "TIMESTAMP":
		return instant
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY":
		return binary
	}
	return text
}

// raw is of text columns alone: JSON and times are in the connection's charset whatever their table's is.
func (mysqlDialect) raw(c *column, _ string) string {
	switch c.typ.name {
	case "CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "ENUM", "SET":
		return "binary"
	}
	return ""
}

// selects reads FLOAT as DOUBLE: as itself, MySQL shows it with six digits, and a position would lie beside its row.
func (mysqlDialect) selects(name string, c *column) string {
	switch {
	case c.raw != "":
		return "CAST(" + name + " AS BINARY)"
	case c.kind == single:
		return name + " + 0e0"
	case c.typ.name == "BIT": // a flag as a rule; as itself it is bytes
		return name + " + 0"
	}
	return name
}

// compares compares bytes as bytes, and keeps long decimals exact: against a string, MySQL compares them as floating point.
func (mysqlDialect) compares(operand string, c *column) string {
	switch {
	case c.raw != "":
		return "CAST(" + operand + " AS BINARY)"
	case c.typ.name == "ENUM" || c.typ.name == "SET": // sorted by number, compared by text
		return "CAST(" + operand + " AS CHAR)"
	case c.kind == decimal && operand == "?":
		return "CAST(? AS DECIMAL(65,30))"
	}
	return operand
}

func (mysqlDialect) bytes() bool { return true }

func (mysqlDialect) limit(n, skip int) string { return limitOffset(n, skip) }

func (mysqlDialect) first(list, from string, n int) string { return firstLimit(list, from, n) }

func (mysqlDialect) rows() bool { return false }

func (mysqlDialect) grace() time.Duration { return 5 * time.Second }

// explain goes by the server's error numbers (MySQL 8.4 and MariaDB 10.11, error reference).
func (mysqlDialect) explain(err error, user string) (fault.Kind, string, string) {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return unsent(err)
	}
	switch e.Number {
	case 1045, 1698, 1862, 3118, 3159:
		return fault.Auth, msgLogin, hintLogin
	case 1044, 1142, 1143, 1227, 1370:
		return fault.Auth, msgRights, fmt.Sprintf("GRANT SELECT on the table to %q", user)
	case 1049:
		return fault.Config, "there is no such database", "check database of the connection"
	case 1969, 3024:
		return fault.Unavailable, "the statement took too long", hintTimeout
	case 1040, 1053, 1129, 1203, 1205, 1213, 1317, 1927:
		return fault.Unavailable, msgBusy, hintAway
	}
	return fault.Config, msgQuery, hintQuery
}
