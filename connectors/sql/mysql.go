package sqltable

import (
	"context"
	"database/sql"
	"database/sql/driver"
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
	return sql.OpenDB(mysqlConnector{connector, []string{
		fmt.Sprintf("SET SESSION time_zone = '+00:00' /*M! , max_statement_time = %d */ /*!50708 , max_execution_time = %d */",
			int(timeout.Seconds()), timeout.Milliseconds()),
		"SET SESSION TRANSACTION READ ONLY",
	}}), nil
}

// mysqlConnector runs statements at the beginning of each session.
type mysqlConnector struct {
	driver.Connector
	setup []string
}

func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, statement := range c.setup {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

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

func (mysqlDialect) session() string { return "" }

func (mysqlDialect) kindOf(typeName string) kind {
	switch strings.TrimPrefix(typeName, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR":
		return integer
	case "DECIMAL":
		return decimal
	case "FLOAT", "DOUBLE":
		return float
	case "DATE":
		return day
	case "DATETIME":
		return wall
	case "TIMESTAMP":
		return instant
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BIT", "GEOMETRY":
		return binary
	}
	return text
}

func (mysqlDialect) selects(name string, _ kind, _ string) string { return name }

// compares keeps long decimals exact: against a string, MySQL compares them as floating point.
func (mysqlDialect) compares(operand string, k kind) string {
	if k == decimal && operand == "?" {
		return "CAST(? AS DECIMAL(65,30))"
	}
	return operand
}

func (mysqlDialect) rows() bool { return false }

func (mysqlDialect) grace() time.Duration { return 5 * time.Second }

// explain goes by the server's error numbers (MySQL 8.4 and MariaDB 10.11, error reference).
func (mysqlDialect) explain(err error, user string) (fault.Kind, string, string) {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return network(err)
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
