package sqltable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"energyd/internal/fault"
)

// sqlServer is SQL Server 2012 or newer, and Azure SQL. The pages of the manual
// that its statements rest on are listed in decision 0042.
type sqlServer struct{}

func (d sqlServer) open(cfg *Config, dir string) (*sql.DB, error) {
	options := url.Values{
		"database": {cfg.Database}, "app name": {"energyd"},
		"ApplicationIntent": {"ReadOnly"}, // a readable copy of an availability group takes us, where there is one
		"dial timeout":      {strconv.Itoa(int(connectTimeout.Seconds()))},
		"tlsmin":            {"1.2"},
	}
	switch cfg.TLS {
	case tlsOff:
		options.Set("encrypt", "disable")
	case tlsEncrypt:
		options.Set("encrypt", "true")
		options.Set("TrustServerCertificate", "true")
	default:
		options.Set("encrypt", "true")
		options.Set("TrustServerCertificate", "false")
		if cfg.CAFile != "" {
			options.Set("certificate", below(dir, cfg.CAFile))
		}
	}
	dsn := url.URL{
		Scheme: "sqlserver", User: url.UserPassword(cfg.User, cfg.Password.Reveal()),
		Host: net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.port())), RawQuery: options.Encode(),
	}
	c, err := msdsn.Parse(dsn.String())
	if err != nil {
		return nil, unquoted(err)
	}
	return sql.OpenDB(signingOn{&mssql.Driver{}, func(ctx context.Context, d *signOn) (driver.Conn, error) {
		connector := mssql.NewConnectorConfig(c)
		connector.Dialer, connector.SessionInitSQL = d, sqlserverSession(time.Duration(cfg.StatementTimeout))
		return connector.Connect(ctx)
	}}), nil
}

// sqlserverSession is sent each time the pool gives out a connection. A writer that waits for us never is the victim.
func sqlserverSession(patience time.Duration) string {
	return "SET DEADLOCK_PRIORITY LOW; SET LOCK_TIMEOUT " + strconv.FormatInt(patience.Milliseconds(), 10)
}

// unquoted takes the address, and with it the password, out of an error of url.Parse.
func unquoted(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (sqlServer) port(*Config) int { return 1433 }

func (sqlServer) placeholder() string { return "@p" }

func (sqlServer) quote(identifier string) string {
	return "[" + strings.ReplaceAll(identifier, "]", "]]") + "]"
}

func (sqlServer) clock() string { return "SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121)" }

func (sqlServer) tables() string {
	return `SELECT CASE WHEN s.name = SCHEMA_NAME() THEN o.name ELSE s.name + N'.' + o.name END
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V')`
}

func (sqlServer) items() string {
	return `SELECT CASE WHEN s.name = SCHEMA_NAME() THEN o.name ELSE s.name + N'.' + o.name END AS name,
			CASE o.type WHEN 'V' THEN 'view' ELSE 'table' END AS kind,
			COALESCE((SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)), -1) AS [rows]
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V')`
}

func (sqlServer) sample(from string, percent float64) string {
	return from + " TABLESAMPLE SYSTEM (" + strconv.FormatFloat(percent, 'f', -1, 64) + " PERCENT) REPEATABLE (1)"
}

func (sqlServer) rowNumber() string { return "" }

func (sqlServer) columns() string {
	return `SELECT c.name AS name, CASE WHEN c.is_nullable = 0 THEN 1 ELSE 0 END AS not_null, COALESCE(k.key_ordinal, 0) AS key_position
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id JOIN sys.columns c ON c.object_id = o.object_id
		LEFT JOIN sys.indexes i ON i.object_id = o.object_id AND i.is_primary_key = 1
		LEFT JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.column_id = c.column_id
		WHERE s.name = COALESCE(NULLIF(?, N''), SCHEMA_NAME()) AND o.name = ? AND o.type IN ('U', 'V')
		ORDER BY c.column_id`
}

func (sqlServer) uniques() string {
	return `SELECT i.name AS index_name, c.name AS column_name
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
		JOIN sys.indexes i ON i.object_id = o.object_id AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
		JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.is_included_column = 0
		JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
		WHERE s.name = COALESCE(NULLIF(?, N''), SCHEMA_NAME()) AND o.name = ? AND o.type IN ('U', 'V')`
}

// comments and references are not asked: the survey works without, and no server was there to try them on.
func (sqlServer) comments() string { return "" }

func (sqlServer) references() string { return "" }

func (sqlServer) session() string { return "" }

func (sqlServer) kindOf(t sqlType) kind {
	switch t.name {
	case "TINYINT", "SMALLINT", "INT", "BIGINT":
		return integer
	case "DECIMAL", "MONEY", "SMALLMONEY":
		return decimal
	case "FLOAT":
		return float
	case "REAL":
		return single
	case "BIT":
		return boolean
	case "DATE":
		return day
	case "TIME":
		return clock
	case "DATETIME", "SMALLDATETIME", "DATETIME2":
		return wall
	case "DATETIMEOFFSET":
		return instant
	case "CHAR", "VARCHAR", "NCHAR", "NVARCHAR", "TEXT", "NTEXT", "XML", "UNIQUEIDENTIFIER":
		return text
	}
	return binary // rowversion, varbinary, image, geography, sql_variant …
}

func (sqlServer) raw(*column, string) string { return "" }

// selects lets the server write a uniqueidentifier, whose bytes stand in another order than its text.
func (sqlServer) selects(name string, c *column) string {
	if c.typ.name == "UNIQUEIDENTIFIER" {
		return "CONVERT(char(36), " + name + ")"
	}
	return name
}

// compares gives a parameter its column's own type. As it comes, it would be nvarchar: then
// the column is converted instead, which uses no index, and sorts varchar in another order.
func (sqlServer) compares(operand string, c *column) string {
	if operand != "?" {
		return operand
	}
	const t = "CONVERT(datetime2(7), ?, 121)" // style 121 does not hang on the session's language
	switch c.typ.name {
	case "DECIMAL":
		return fmt.Sprintf("CAST(? AS decimal(%d, %d))", c.typ.precision, c.typ.scale)
	case "MONEY", "SMALLMONEY":
		return "CAST(? AS money)"
	case "DATE":
		return "CONVERT(date, " + t + ")"
	case "TIME":
		return "CONVERT(time(7), " + t + ")"
	case "DATETIME", "SMALLDATETIME": // the driver gives datetime's 1/300 s as milliseconds
		return "CONVERT(datetime, CONVERT(datetime2(3), ?, 121))"
	case "DATETIME2":
		return t
	case "DATETIMEOFFSET":
		return "TODATETIMEOFFSET(" + t + ", 0)"
	case "CHAR", "VARCHAR":
		return "CAST(? AS varchar(8000))"
	case "UNIQUEIDENTIFIER":
		return "CAST(? AS uniqueidentifier)"
	}
	return operand
}

func (sqlServer) bytes() bool { return false }

func (sqlServer) limit(n, skip int) string { return offsetFetch(n, skip) }

func (sqlServer) first(list, from string, n int) string {
	return fmt.Sprintf("SELECT TOP (%d) %s FROM %s", n, list, from)
}

func (sqlServer) rows() bool { return false }

func (sqlServer) grace() time.Duration { return 0 }

// explain goes by the server's error numbers ("Database engine events and errors").
func (sqlServer) explain(err error, user string) (fault.Kind, string, string) {
	var e mssql.Error
	if !errors.As(err, &e) {
		return unsent(err)
	}
	switch e.Number {
	case 18456, 18452, 18470, 18486, 18487, 18488:
		return fault.Auth, msgLogin, hintLogin
	case 229, 230, 297, 300, 916:
		return fault.Auth, msgRights, fmt.Sprintf("GRANT SELECT on the table, in its database, to %q", user)
	case 4060:
		return fault.Config, "there is no such database, or no right to it", "check database of the connection, and make the user in that database"
	case 1222:
		return fault.Unavailable, "another session holds a lock on the table for too long",
			"let the database read old row versions: ALTER DATABASE … SET READ_COMMITTED_SNAPSHOT ON"
	case 1205, 3960, 8645, 8651, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920, 17142, 18401, 701, 233:
		return fault.Unavailable, msgBusy, hintAway
	}
	return fault.Config, msgQuery, hintQuery
}
