package sqltable

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"time"

	ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/network"

	"energyd/internal/fault"
)

// oracle is Oracle Database 12.1 or newer. The pages of the manual that its
// statements rest on are listed in decision 0042.
type oracle struct{}

func (d oracle) open(cfg *Config, dir string) (*sql.DB, error) {
	options := map[string]string{
		"PROGRAM":       "energyd",
		"PREFETCH_ROWS": "1000",
		// Of each piece of an answer: go-ora heeds the context while a statement begins, not while rows come.
		"TIMEOUT": strconv.Itoa(int(time.Duration(cfg.StatementTimeout).Seconds())),
	}
	switch cfg.TLS {
	case tlsOff:
	case tlsEncrypt: // Oracle's own encryption, on the usual port, which knows no certificates
		options["ENCRYPTION"], options["DATA INTEGRITY"] = "REQUIRED", "REQUIRED"
	default:
		options["SSL"], options["SSL VERIFY"] = "TRUE", "TRUE"
	}
	dsn := ora.BuildUrl(cfg.Host, cfg.port(), cfg.Database, cfg.User, cfg.Password.Reveal(), options)
	if _, err := ora.ParseConfig(dsn); err != nil {
		return nil, unquoted(err)
	}
	var certificates *tls.Config
	if cfg.TLS == tlsVerify {
		var err error
		if certificates, err = tlsConfig(cfg, below(dir, cfg.CAFile)); err != nil {
			return nil, err
		}
	}
	connect := func(ctx context.Context, d *signOn) (driver.Conn, error) {
		c := ora.NewConnector(dsn).(*ora.OracleConnector)
		if certificates != nil {
			c.WithTLSConfig(certificates.Clone()) // go-ora writes into it
		}
		c.Dialer(d)
		return c.Connect(ctx)
	}
	return sql.OpenDB(setUp{signingOn{ora.NewDriver(), connect}, []string{oracleSession}}), nil
}

// oracleSession lets text, numbers and times go to and fro in one form, and be compared as they are sorted, whatever the server's settings.
const oracleSession = "ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY NLS_NUMERIC_CHARACTERS = '.,' TIME_ZONE = '+00:00'"

func (oracle) port(cfg *Config) int {
	if cfg.TLS == tlsVerify {
		return 2484
	}
	return 1521
}

func (oracle) placeholder() string { return ":" }

func (oracle) quote(identifier string) string { return quoteWith(`"`, identifier) }

func (oracle) clock() string {
	return "SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL"
}

func (oracle) tables() string {
	return `SELECT CASE WHEN owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN object_name ELSE owner || '.' || object_name END
		FROM all_objects WHERE object_type IN ('TABLE', 'VIEW') AND oracle_maintained = 'N'`
}

func (oracle) items() string {
	return `SELECT CASE WHEN o.owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN o.object_name ELSE o.owner || '.' || o.object_name END AS "name",
			LOWER(o.object_type) AS "kind", NVL(t.num_rows, -1) AS "rows"
		FROM all_objects o LEFT JOIN all_tables t ON t.owner = o.owner AND t.table_name = o.object_name
		WHERE o.object_type IN ('TABLE', 'VIEW') AND o.oracle_maintained = 'N'`
}

// sample has no word for the whole table.
func (oracle) sample(from string, percent float64) string {
	if percent >= 100 {
		return ""
	}
	return from + " SAMPLE BLOCK (" + strconv.FormatFloat(min(max(percent, 0.000001), 99), 'f', 6, 64) + ") SEED (1)"
}

func (oracle) rowNumber() string { return "" }

// columns counts on ” being NULL.
func (oracle) columns() string {
	return `SELECT c.column_name AS "name", CASE c.nullable WHEN 'N' THEN 1 ELSE 0 END AS "not_null", NVL(k.position, 0) AS "key_position"
		FROM all_tab_columns c
		LEFT JOIN all_constraints p ON p.owner = c.owner AND p.table_name = c.table_name AND p.constraint_type = 'P'
		LEFT JOIN all_cons_columns k ON k.owner = p.owner AND k.constraint_name = p.constraint_name AND k.column_name = c.column_name
		WHERE c.owner = NVL(?, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND c.table_name = ?
		ORDER BY c.column_id`
}

func (oracle) uniques() string {
	return `SELECT i.owner || '.' || i.index_name AS "index_name", k.column_name AS "column_name"
		FROM all_indexes i JOIN all_ind_columns k ON k.index_owner = i.owner AND k.index_name = i.index_name
		WHERE i.uniqueness = 'UNIQUE' AND i.table_owner = NVL(?, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND i.table_name = ?`
}

// comments and references are not asked: the survey works without, and no server was there to try them on.
func (oracle) comments() string { return "" }

func (oracle) references() string { return "" }

func (oracle) session() string { return "" }

// kindOf goes by go-ora's names of the types.
func (oracle) kindOf(t sqlType) kind {
	switch t.name {
	case "NUMBER":
		if t.scale == 0 && 0 < t.precision && t.precision <= 18 {
			return integer
		}
		return decimal
	case "IBFloat", "BFloat":
		return single
	case "IBDouble", "BDouble":
		return float
	case "DATE", "TIMESTAMP", "TimeStampDTY":
		return wall
	case "TIMESTAMPTZ", "TimeStampTZ", "TimeStampTZ_DTY", "TimeStampLTZ_DTY", "TimeStampeLTZ":
		return instant
	case "NCHAR", "CHAR", "VARCHAR", "LONG", "LongVarChar", "OCIClobLocator", "OCIXMLType", "XMLType", "ROWID", "UROWID", "RAW",
		"IntervalYM", "IntervalDS", "IntervalYM_DTY", "IntervalDS_DTY":
		return text
	}
	return binary
}

func (oracle) raw(*column, string) string { return "" }

const oracleTime = "'YYYY-MM-DD HH24:MI:SS.FF9'"

// selects lets the server write times, which the driver would move by the server's zone, and what no record can hold.
func (oracle) selects(name string, c *column) string {
	switch c.typ.name {
	case "DATE":
		return "TO_CHAR(" + name + ", 'YYYY-MM-DD HH24:MI:SS')"
	case "RAW":
		return "RAWTOHEX(" + name + ")"
	case "IntervalYM", "IntervalDS", "IntervalYM_DTY", "IntervalDS_DTY":
		return "TO_CHAR(" + name + ")"
	}
	switch c.kind {
	case wall:
		return "TO_CHAR(" + name + ", " + oracleTime + ")"
	case instant:
		return "TO_CHAR(SYS_EXTRACT_UTC(" + name + "), " + oracleTime + ")"
	}
	return name
}

// compares gives a parameter its column's own type, so that the column is not
// converted instead, which would use no index.
func (oracle) compares(operand string, c *column) string {
	if operand != "?" {
		return operand
	}
	const t = "TO_TIMESTAMP(?, " + oracleTime + ")"
	switch c.typ.name {
	case "DATE":
		return "CAST(" + t + " AS DATE)"
	case "RAW":
		return "HEXTORAW(?)"
	}
	switch c.kind {
	case integer, decimal:
		return "TO_NUMBER(?)"
	case wall:
		return t
	case instant:
		return "FROM_TZ(" + t + ", '+00:00')"
	}
	return operand
}

func (oracle) bytes() bool { return false }

func (oracle) limit(n, skip int) string { return offsetFetch(n, skip) }

func (oracle) first(list, from string, n int) string {
	return fmt.Sprintf("SELECT %s FROM %s FETCH FIRST %d ROWS ONLY", list, from, n)
}

func (oracle) rows() bool { return false }

func (oracle) grace() time.Duration { return 0 }

// explain goes by the server's error numbers ("Database error messages").
func (oracle) explain(err error, user string) (fault.Kind, string, string) {
	var e *network.OracleError
	if !errors.As(err, &e) {
		return unsent(err)
	}
	switch e.ErrCode {
	case 1005, 1017, 1045, 28000, 28001, 28030, 28040:
		return fault.Auth, msgLogin, hintLogin
	case 942, 1031, 41900:
		return fault.Auth, "there is no such table, or the user may not read it",
			fmt.Sprintf("write the name as the database does, mostly in capitals, with its schema; GRANT READ on it to %q", user)
	case 12505, 12514, 12504:
		return fault.Config, "the listener does not know this database", "give the service name in database (lsnrctl services shows it)"
	case 1013, 51:
		return fault.Unavailable, "the statement took too long", hintTimeout
	case 18, 20, 54, 60, 1033, 1034, 1089, 1090, 1092, 1109, 1555, 3113, 3114, 3135, 12516, 12519, 12520, 12528, 12537, 12541, 12543, 12545, 12170:
		return fault.Unavailable, msgBusy, hintAway
	}
	return fault.Config, msgQuery, hintQuery
}
