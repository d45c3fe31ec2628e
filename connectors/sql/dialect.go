package sqltable

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"time"

	"energyd/internal/fault"
)

// dialect is what differs between databases.
type dialect interface {
	// open makes a pool of read-only sessions in UTC; it does not connect.
	open(cfg *Config, dir string) (*sql.DB, error)
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
	// columns is a query for the name, not_null and key position (0 = none) of a
	// table's columns; its arguments are schema ("" = the usual one) and table.
	columns() string
	// uniques is a query for index_name and column_name of a table's unique
	// indexes, without conditional ones; an expression has a name that no column
	// has. Its arguments are those of columns.
	uniques() string
	// session is a query asked once per stream whose answer selects gets; "" = none.
	session() string
	// kindOf classes a column by the driver's name of its type.
	kindOf(typeName string) kind
	// selects is how a column is read; its quoted name is name.
	selects(name string, k kind, session string) string
	// compares is how a column or a parameter ("?") of that kind stands in WHERE and ORDER BY.
	compares(operand string, k kind) string
	// rows tells whether (a, b) > (?, ?) uses an index.
	rows() bool
	// explain classes an error of the driver, with a message and a hint; user is who signed on.
	explain(err error, user string) (k fault.Kind, msg, hint string)
	// grace is added to the statement time-out where the server keeps it itself.
	grace() time.Duration
}

var dialects = map[string]dialect{"postgres": postgres{}, "mysql": mysqlDialect{}, "sqlite": sqliteDialect{}}

// kind is what a column holds.
type kind int

const (
	text    kind = iota // and all that is read as text
	integer             // whole number
	decimal             // exact number: float64 when that loses nothing, else text
	float
	boolean
	day     // "2006-01-02"; a date has no zone and gets none
	instant // time with a zone
	wall    // time without a zone; the stream's zone is meant
	binary  // bytes, which a record cannot hold
)

// wallLayout is how times go to and come from all databases.
const wallLayout = "2006-01-02 15:04:05.999999"

func quoteWith(mark, identifier string) string {
	return mark + strings.ReplaceAll(identifier, mark, mark+mark) + mark
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

// network explains errors that no server sent: all that is neither the file
// system's nor TLS's is the network's.
func network(err error) (kind fault.Kind, msg, hint string) {
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
