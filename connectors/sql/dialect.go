package sqltable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"energyd/internal/fault"
)

// dialect is what differs between databases.
type dialect interface {
	// open makes a pool of sessions in UTC, read-only where the database knows that; it does not connect.
	open(cfg *Config, dir string) (*sql.DB, error)
	// port is the usual one.
	port(cfg *Config) int
	// placeholder is what stands before a parameter's number; "" = each is a "?".
	placeholder() string
	quote(identifier string) string
	// clock is a query for the time now, UTC, in wallLayout.
	clock() string
	// tables is a query for the names of all tables and views, as users write them in Stream.Table.
	tables() string
	// items is a query for name (as users write it), kind ("table" or "view") and
	// rows of all tables and views; rows is the database's own estimate, -1 = none.
	items() string
	// sample is a FROM that reads about so many percent of a table's pages, chosen by chance; "" where there is none such.
	sample(from string, percent float64) string
	// rowNumber is the whole number that every table has as its hidden key; "" = none.
	rowNumber() string
	// columns is a query for the name, not_null and key_position (0 = none) of a
	// table's columns; its arguments are schema ("" = the usual one) and table.
	columns() string
	// uniques is a query for index_name and column_name of a table's unique
	// indexes, without conditional ones; an expression has a name that no column
	// has. Its arguments are those of columns.
	uniques() string
	// comments is a query for name and comment of a table's columns; "" where it is not asked. Its arguments are those of columns.
	comments() string
	// references is a query for name, target (a table as users write it) and target_column ("" = its key) of the columns that
	// refer to another table, each by itself; "" where it is not asked. Its arguments are those of columns.
	references() string
	// session is a query asked once per stream whose answer raw gets; "" = none.
	session() string
	// kindOf classes a column by the driver's description of its type.
	kindOf(t sqlType) kind
	// bytes tells whether text can be read as the bytes that it is.
	bytes() bool
	// raw is column.raw of a text column whose bytes are wanted, not what the server makes of them.
	raw(c *column, session string) string
	// selects is how a column is read; its quoted name is name.
	selects(name string, c *column) string
	// compares is how a column, or a parameter ("?") for one, stands in WHERE and ORDER BY.
	compares(operand string, c *column) string
	// limit ends a statement with ORDER BY after n rows, behind the first skip ones.
	limit(n, skip int) string
	// first is a SELECT of n rows; from may go on behind the table's name.
	first(list, from string, n int) string
	// rows tells whether (a, b) > (?, ?) uses an index.
	rows() bool
	// explain classes an error of the driver, with a message and a hint; user is who signed on.
	explain(err error, user string) (k fault.Kind, msg, hint string)
	// grace is added to the statement time-out where the server keeps it itself.
	grace() time.Duration
}

var dialects = map[string]dialect{
	"postgres": postgres{}, "mysql": mysqlDialect{}, "sqlite": sqliteDialect{}, "sqlserver": sqlServer{}, "oracle": oracle{},
}

// sqlType is a column's type as the driver tells it; the numbers are 0 where it does not.
type sqlType struct {
	name             string
	precision, scale int64
}

// kind is what a column holds.
type kind int

const (
	text    kind = iota // and all that is read as text
	integer             // whole number
	decimal             // exact number: float64 when that loses nothing, else text
	float
	single // floating point of 32 bits
	boolean
	day     // "2006-01-02"; a date has no zone and gets none
	instant // time with a zone
	wall    // time without a zone; the stream's zone is meant
	clock   // time of day
	binary  // bytes, which a record cannot hold
)

// wallLayout is how times go to and come from all databases. It holds all digits that
// any of them keeps: a position that was cut would lie before the row that it is of.
const wallLayout = "2006-01-02 15:04:05.999999999"

func quoteWith(mark, identifier string) string {
	return mark + strings.ReplaceAll(identifier, mark, mark+mark) + mark
}

// bind writes the placeholders of a dialect in place of each "?" that stands outside of quotes.
func bind(d dialect, query string) string {
	prefix := d.placeholder()
	if prefix == "" {
		return query
	}
	var b strings.Builder
	n, quote := 0, byte(0)
	for i := 0; i < len(query); i++ {
		ch := query[i]
		switch {
		case quote != 0 && strings.HasPrefix(query[i:], string([]byte{quote, quote})):
			b.WriteByte(ch)
			i++
		case quote != 0 && ch == quote:
			quote = 0
		case quote != 0:
		case ch == '"' || ch == '\'':
			quote = ch
		case ch == '[':
			quote = ']'
		case ch == '?':
			n++
			fmt.Fprintf(&b, "%s%d", prefix, n)
			continue
		}
		b.WriteByte(ch)
	}
	return b.String()
}

// limitOffset is dialect.limit where LIMIT is known.
func limitOffset(n, skip int) string {
	if skip == 0 {
		return fmt.Sprintf(" LIMIT %d", n)
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", n, skip)
}

// firstLimit is dialect.first where LIMIT is known.
func firstLimit(list, from string, n int) string {
	return "SELECT " + list + " FROM " + from + limitOffset(n, 0)
}

// offsetFetch is dialect.limit of the SQL standard (2008).
func offsetFetch(n, skip int) string {
	return fmt.Sprintf(" OFFSET %d ROWS FETCH NEXT %d ROWS ONLY", skip, n)
}

// setUp runs statements at the beginning of each session.
type setUp struct {
	driver.Connector
	statements []string
}

func (c setUp) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, statement := range c.statements {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// split parts "schema.table"; schema is "" when only a table is given.
func split(table string) (schema, name string) {
	if schema, name, ok := strings.Cut(table, "."); ok {
		return schema, name
	}
	return "", table
}

// The messages and hints that the databases share; each names its own grants.
const (
	msgLogin    = "sign-on was refused"
	msgRights   = "the user may not read this"
	msgBusy     = "the database could not answer now"
	msgAway     = "no connection"
	msgNoTLS    = "no encrypted connection"
	msgQuery    = "the database refused the statement"
	hintLogin   = "check user and password of the connection"
	hintRights  = "let the database's administrator grant SELECT on the table to the user"
	hintNoTLS   = "give the server's certificate authority in ca_file, or set tls to encrypt (no check) or off"
	hintQuery   = "check table, query, key, changed, deleted and columns of the source against the database"
	hintAway    = "check host, port and firewall, and that the database runs; it is tried again at the next run"
	hintTimeout = "make an index on the changed and key columns, or raise statement_timeout"
)

// unsent explains errors that no server sent: all that is neither the file
// system's nor TLS's is the network's.
func unsent(err error) (kind fault.Kind, msg, hint string) {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Unavailable, "no answer in time", hintTimeout
	case errors.Is(err, fs.ErrNotExist) && !isNet(err):
		return fault.Config, "ca_file cannot be read", "give the path of a PEM file in ca_file"
	case isTLS(err):
		return fault.Config, msgNoTLS, hintNoTLS
	}
	return fault.Unavailable, msgAway, hintAway
}
