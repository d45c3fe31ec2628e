// Package store keeps what energyd knows, in one SQLite file or one PostgreSQL
// database: activities and the ledger as packed, clustered blocks, everything
// else as plain rows. The packed layout is described in
// docs/decisions/0002-packed-store.md, and byte by byte at its codecs:
//
//   - block.go: clustered tables, the frame of a block
//   - codec.go: activity blocks; ledger.go: ledger blocks; keys.go: key blocks
//   - save.go, arrival.go: what a pull saves; fold.go, contest.go, tally.go, rebuild.go: how arrivals become activities and ledger
//   - share.go: large folds that several processes do together
//   - copy.go: all of it into another store; backup.go: into a file and back; layout.go: what all of it is
//   - directory.go: profiles and finding them; run.go: runs; reject.go: rejects; calls.go: calls to systems that count them
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"iter"
	"math"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"energyd/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// Store is the open store. It is safe for concurrent use, also by several processes.
type Store struct {
	read, write *sqlx.DB // the same for PostgreSQL; SQLite writes over one connection
	postgres    bool
	sessions    *sqlx.DB      // PostgreSQL's of Lock: apart, so that who waits for a lock keeps nobody's work waiting
	lockFile    string        // of Lock, a SQLite url
	watchEvery  time.Duration // tests look oftener
	by          string        // this machine and process, for the runs
	sessionFile string        // beside SQLite's

	door     sync.Mutex
	signedOn *sqlx.DB // of sessionFile; nil until somebody is looked for

	mu        sync.Mutex
	directory *Directory
	slice     slice // of a fold; tests make it small

	folding sync.Mutex // this process folds, or helps somebody with it: what that takes is in memory once
}

// Open opens the store at an address, "sqlite:/path/energyd.db" or "postgres://…",
// makes it when there is none (a SQLite file only its owner may read), and
// brings its tables up to date. The data of one store may be used by a daemon
// and commands at the same time.
// Faults: config (bad url, tables of a newer energyd), unavailable.
func Open(ctx context.Context, address string) (*Store, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	var s *Store
	var err error
	switch scheme {
	case "sqlite":
		s, err = openSQLite(rest)
	case "postgres", "postgresql":
		s, err = openPostgres(address)
	default:
		return nil, fault.New(fault.Config, "open store", "the store's url is neither sqlite:… nor postgres://…",
			"for example sqlite:/var/lib/energyd/energyd.db", nil)
	}
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown machine"
	}
	s.by = fmt.Sprintf("%s (process %d)", host, os.Getpid())
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// longestBusy is how long SQLite waits for another process that writes; for as long as who asks has, where that is less.
const longestBusy = time.Minute

func openSQLite(path string) (*Store, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" {
		return nil, fault.New(fault.Config, "open store", "sqlite: names no file", "for example sqlite:/var/lib/energyd/energyd.db", nil)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.New(fault.Config, "open store", "cannot open the store's file", "its folder must exist; "+hintWritable, err)
	}
	_ = f.Close()
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, storeError("open store", err)
	}
	file := "file:" + escaped(absolute)
	// An 8 KB page holds about one block. A fold writes much at once: copying it from
	// the log into the file every 1,000 pages, as SQLite does by itself, costs a third more.
	dsn := file + fmt.Sprintf("?_pragma=busy_timeout(%d)", longestBusy.Milliseconds()) + "&_pragma=page_size(8192)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(8192)"
	write, err := sqlx.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, storeError("open store", err)
	}
	write.SetMaxOpenConns(1) // SQLite has one writer; waiting here is fairer than waiting for its lock
	read, err := sqlx.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(storeError("open store", err), write.Close())
	}
	return &Store{slice: wholeSlice, read: read, write: write, lockFile: file + ".lock", sessionFile: absolute + ".sessions"}, nil
}

func openPostgres(address string) (*Store, error) {
	if _, err := url.Parse(address); err != nil {
		// The cause repeats the whole url, with its password.
		return nil, fault.New(fault.Config, "open store", "the store's postgres:// url cannot be read",
			"it looks like postgres://user@host:5432/database?sslmode=verify-full", nil)
	}
	db, err := sqlx.Open("postgres", address)
	if err != nil {
		return nil, fault.New(fault.Config, "open store", "the store's postgres:// url has a wrong option", "see the documentation of lib/pq", nil)
	}
	db.SetMaxOpenConns(8)
	sessions, err := sqlx.Open("postgres", address)
	if err != nil {
		return nil, errors.Join(storeError("open store", err), db.Close())
	}
	return &Store{slice: wholeSlice, read: db, write: db, sessions: sessions, watchEvery: watchEvery, postgres: true}, nil
}

// Close ends all connections.
func (s *Store) Close() error {
	if s.postgres {
		// A server that is gone cannot be told; what counts was committed before.
		_, _ = s.write.Close(), s.sessions.Close()
		return nil
	}
	err := errors.Join(s.read.Close(), s.write.Close())
	s.door.Lock()
	defer s.door.Unlock()
	if s.signedOn != nil {
		err = errors.Join(err, s.signedOn.Close())
	}
	return err
}

// lockMigration, lockLedger and lockRun are PostgreSQL advisory locks of one database.
// SQLite's single writer needs none.
const (
	lockMigration = 0x656e65726779 // "energy"
	lockLedger    = lockMigration + 1
	lockRun       = lockMigration + 2
)

func (s *Store) migrate(ctx context.Context) error { return s.migrateTo(ctx, math.MaxInt64) }

// migrateTo makes the tables of a version, as the energyd of that time did.
func (s *Store) migrateTo(ctx context.Context, last int64) error {
	dialect, dir := goose.DialectSQLite3, "migrations/sqlite"
	if s.postgres {
		dialect, dir = goose.DialectPostgres, "migrations/postgres"
		// Two processes that start together must not both make the tables.
		lock, err := s.write.Connx(ctx)
		if err != nil {
			return storeError("open store", err)
		}
		defer lock.Close()
		if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockMigration); err != nil {
			return storeError("open store", err)
		}
		defer func() {
			_, _ = lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockMigration)
		}()
	}
	all, err := steps(dir)
	if err != nil {
		return storeError("open store", err)
	}
	all = slices.DeleteFunc(all, func(m *goose.Migration) bool { return m.Version > last })
	p, err := goose.NewProvider(dialect, s.write.DB, nil, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(all...))
	if err != nil {
		return storeError("open store", err)
	}
	current, ours, err := p.GetVersions(ctx)
	if err != nil {
		return storeError("open store", err)
	}
	if current > ours {
		return tooNew("the store has", current, ours)
	}
	if _, err := p.Up(ctx); err != nil {
		// Another process may have been faster with the same SQLite file.
		if pending, e := p.HasPending(ctx); e != nil || pending {
			return storeError("open store", err)
		}
	}
	return nil
}

// steps gives the migrations of a folder. Each is sent in one piece: goose's reader of SQL
// files takes them apart, with megabytes of buffers, and the database does that anyway.
func steps(dir string) (all []*goose.Migration, err error) {
	files, err := migrations.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file.Name())
		if err != nil {
			return nil, err
		}
		text, err := migrations.ReadFile(path.Join(dir, file.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, string(text))
			return err
		}}, nil))
	}
	return all, nil
}

// tx runs f in one writing transaction. What f returns decides whether it counts.
func (s *Store) tx(ctx context.Context, op string, f func(*sqlx.Tx) error) error {
	conn, err := s.write.Connx(ctx)
	if err != nil {
		return storeError(op, err)
	}
	defer conn.Close()
	if until, bounded := ctx.Deadline(); bounded && !s.postgres { // which SQLite does not look at while it waits for its lock
		wait := func(d time.Duration) error {
			_, err := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", max(0, d.Milliseconds())))
			return err
		}
		if err := wait(min(longestBusy, time.Until(until)-time.Second)); err != nil {
			return storeError(op, err)
		}
		defer func() { _ = wait(longestBusy) }() // a connection that is broken is not used again
	}
	tx, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return storeError(op, err)
	}
	if err := f(tx); err != nil {
		if ctx.Err() != nil { // which database/sql reports as all sorts of errors
			err = fmt.Errorf("%s: %w: %w", op, ctx.Err(), err)
		}
		return storeError(op, errors.Join(err, rollback(tx)))
	}
	return storeError(op, tx.Commit())
}

func rollback(tx *sqlx.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// ledgerTx is tx for what writes blocks: one at a time.
func (s *Store) ledgerTx(ctx context.Context, op string, f func(*sqlx.Tx) error) error {
	return s.tx(ctx, op, func(tx *sqlx.Tx) error {
		if s.postgres {
			if err := lockForLedger(ctx, tx); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// number reads a number of the table meta; 0 when it was never set.
func number(ctx context.Context, q sqlx.ExtContext, name string) (int64, error) {
	var n int64
	err := sqlx.GetContext(ctx, q, &n, q.Rebind("SELECT CAST(value AS BIGINT) FROM meta WHERE name = ?"), name)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// note keeps a value in the table meta.
func note(ctx context.Context, tx *sqlx.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"), name, value)
	return err
}

// increase adds one to a number of the table meta and gives the new one.
// Others who do so wait for this transaction, so that numbers come in the order of commits.
func increase(ctx context.Context, tx *sqlx.Tx, name string) (int64, error) {
	_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO meta (name, value) VALUES (?, '1') ON CONFLICT (name) "+
		"DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)"), name)
	if err != nil {
		return 0, err
	}
	return number(ctx, tx, name)
}

// scan reads the data of a packed table's rows in order, between two firsts
// inclusive, where the condition holds. It reads some rows at a time, so that
// the caller may use the connection meanwhile.
func scan(ctx context.Context, q sqlx.ExtContext, table, where string, from, to int64) iter.Seq2[[]byte, error] {
	const page = 128
	query := q.Rebind(fmt.Sprintf("SELECT first, data FROM %s WHERE first >= ? AND first <= ? AND %s ORDER BY first LIMIT %d", table, where, page))
	return func(yield func([]byte, error) bool) {
		for {
			var rows []struct {
				First int64
				Data  []byte
			}
			if err := sqlx.SelectContext(ctx, q, &rows, query, from, to); err != nil {
				yield(nil, err)
				return
			}
			for _, r := range rows {
				if !yield(r.Data, nil) {
					return
				}
			}
			if len(rows) < page || rows[len(rows)-1].First == to {
				return
			}
			from = rows[len(rows)-1].First + 1
		}
	}
}

// columns splits ", a, b" into a and b.
func columns(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// plain is text that both databases hold: valid UTF-8 without NUL.
func plain(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

const (
	hintWritable = "the file, its folder and the files beside it must belong to the user that runs energyd, on a disk that is not mounted read-only"
	hintRoom     = "make room on the disk that holds the store; if there is room, look into the system's log for a broken disk. What was saved stays, and the next run goes on from there"
)

// storeError makes a database's error one of ours. Errors that are ours already, and nil, stay.
func storeError(op string, err error) error {
	var ours *fault.Error
	if err == nil || errors.As(err, &ours) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	damaged := errors.Is(err, errCorrupt)
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
			return fault.New(fault.Unavailable, op, "the store is locked by another process", "wait for it to end; nothing was changed", err)
		case 8, 14: // SQLITE_READONLY, SQLITE_CANTOPEN
			return fault.New(fault.Config, op, "the store may not be written", hintWritable, err)
		case 10, 13: // SQLITE_IOERR, SQLITE_FULL
			return fault.New(fault.Unavailable, op, "the store cannot be written", hintRoom, err)
		case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
			damaged = true
		}
	}
	if damaged {
		return fault.New(fault.Internal, op, "the store is damaged", "restore it from a backup, or start with an empty store and pull everything again", err)
	}
	var pg *pq.Error
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) {
		return fault.New(fault.Unavailable, op, "the store's database does not answer", "look whether PostgreSQL runs and can be reached", err)
	}
	if errors.As(err, &pg) {
		switch pg.Code.Class() {
		case "08", "53", "57": // connection, resources, operator
			return fault.New(fault.Unavailable, op, "the store's database does not serve", "look into PostgreSQL's log", err)
		case "28", "3D": // authorization, no such database
			return fault.New(fault.Config, op, "the store's database cannot be used", "check user, password and database of the store's url", err)
		}
	}
	return fault.New(fault.Internal, op, "the store failed", "", err)
}
