// Package sqltable reads tables of a customer's own database: PostgreSQL,
// MySQL or MariaDB, SQLite, SQL Server, Oracle. It only reads, in a session
// that is read-only where the database knows such sessions.
//
// A stream is a table, or a SELECT of the admin's. It is read in windows of
// change times, [last window's end − lookback, the database's clock − lag), and
// a window in pages by keyset (changed, key…), so that no transaction stays
// open and a run may stop after any page. Decision 0040 says why.
//
//	config.go    what the admin writes
//	catalog.go   names, types and keys, by the database's own catalogue
//	window.go    cursors, windows and their phases
//	source.go    reading a page
//	value.go     database values → record values
//	survey.go    what there is to read, by a sample
//	dialect.go, postgres.go, mysql.go, sqlite.go, sqlserver.go, oracle.go   what differs between databases
package sqltable

import (
	"context"
	_ "embed" // for the sample
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/internal/fault"
)

//go:embed sample.yaml
var sample []byte

// Connector is the registry's entry.
var Connector = connectors.Connector{
	Name:   "sql",
	Title:  "SQL table (PostgreSQL, MySQL, MariaDB, SQLite, SQL Server, Oracle)",
	Sample: sample,
	NewConfig: func() connectors.Config {
		return &Config{TLS: tlsVerify, StatementTimeout: connectors.Duration(5 * time.Minute), MaxConnections: 2}
	},
	NewStream: func() connectors.Config {
		return &Stream{Lookback: connectors.Duration(10 * time.Minute), LookbackNumbers: 1000, Lag: connectors.Duration(time.Minute)}
	},
	Open:  open,
	Reads: true,
}

// conn is a pool of connections to one database.
type conn struct {
	cfg     *Config
	env     connectors.Env
	dialect dialect
	db      *sqlx.DB

	encodings sync.Map // name of a survey's item → the encoding that its sample looked like, for Stream
}

func open(_ context.Context, c connectors.Config, env connectors.Env) (connectors.Conn, error) {
	cfg, ok := c.(*Config)
	if !ok {
		return nil, fault.New(fault.Internal, env.Name, fmt.Sprintf("configuration of type %T", c), "", nil)
	}
	d := dialects[cfg.Driver]
	db, err := d.open(cfg, env.Dir)
	if err != nil {
		return nil, fault.New(fault.Config, env.Name, "cannot use the connection's settings", "check host, port and ca_file", err)
	}
	db.SetMaxOpenConns(cfg.MaxConnections)
	db.SetMaxIdleConns(cfg.MaxConnections)
	return &conn{cfg: cfg, env: env, dialect: d, db: sqlx.NewDb(db, cfg.Driver)}, nil
}

// Check signs on and reads the catalogue.
func (c *conn) Check(ctx context.Context) error {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	if _, err := c.clock(ctx); err != nil {
		return c.fault(ctx, "", err)
	}
	if _, err := c.tables(ctx); err != nil {
		return c.fault(ctx, "", err)
	}
	return nil
}

// Close never fails: a connection that cannot say goodbye any more is closed too.
func (c *conn) Close() error {
	_ = c.db.Close()
	return nil
}

// limit ends a statement that the server itself does not end, because it or the network is gone.
func (c *conn) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(c.cfg.StatementTimeout)+c.dialect.grace())
}

// clock gives the database's own time, UTC.
func (c *conn) clock(ctx context.Context) (time.Time, error) {
	var text string
	if err := c.db.GetContext(ctx, &text, c.dialect.clock()); err != nil {
		return time.Time{}, err
	}
	return time.ParseInLocation(wallLayout, text, time.UTC)
}

// fault turns a driver's error into one for people. table may be "".
func (c *conn) fault(ctx context.Context, table string, err error) error {
	if f := new(fault.Error); errors.As(err, &f) {
		return err
	}
	op := c.env.Name
	if table != "" {
		op += ": " + table
	}
	where := c.cfg.where()
	if ctx.Err() != nil {
		return fault.New(fault.Unavailable, op, "gave up waiting for "+where,
			"if the database was at work, make an index on the changed and key columns, or raise statement_timeout", ctx.Err())
	}
	kind, msg, hint := c.dialect.explain(err, c.cfg.User)
	return fault.New(kind, op, msg+" at "+where, hint, err)
}
