package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"energyd/internal/fault"
	"energyd/internal/wholefile"
)

// Backup writes all that the store holds at one moment into a new file, a
// SQLite store that only its owner may read, of either kind of store. Runs may
// go on meanwhile. The file is there whole or not at all.
// Faults: config (the file exists, or cannot be made), unavailable.
func (s *Store) Backup(ctx context.Context, file string) error {
	const op = "back up the store"
	if _, err := os.Lstat(file); err == nil {
		return fault.New(fault.Config, op, "there is a file "+file+" already", "name one that is not there yet, such as one with the date", nil)
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.New(fault.Config, op, "cannot make the file "+part, "its folder must exist, and whoever runs this must be allowed to write there", err)
	}
	defer os.Remove(part) // when it has become the file, there is none
	if s.postgres {
		err = s.backUpInto(ctx, part)
	} else {
		_, err = s.write.ExecContext(ctx, "VACUUM INTO ?", part)
		err = storeError(op, err)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fault.New(fault.Unavailable, op, "the backup cannot be written", "look for a full or broken disk", err)
	}
	if _, err := Inspect(ctx, part); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return storeError(op, err)
	}
	return storeError(op, wholefile.SyncDir(filepath.Dir(file)))
}

func (s *Store) backUpInto(ctx context.Context, file string) error {
	to, err := Open(ctx, "sqlite:"+file)
	if err != nil {
		return err
	}
	defer os.Remove(file + ".lock")
	_, err = s.CopyTo(ctx, to)
	return errors.Join(err, to.Close())
}

// Held tells what a backup holds.
type Held struct {
	Version int64 `json:"version"` // of its tables
	LastRun Run   `json:"last_run,omitzero"`
}

// Inspect looks whether a file is a whole backup of a store, of this energyd or an older one, and changes nothing of it.
// Faults: config.
func Inspect(ctx context.Context, file string) (Held, error) {
	refuse := func(msg, hint string, err error) (Held, error) {
		return Held{}, fault.New(fault.Config, "", file+" "+msg, hint, err)
	}
	const again = "make one with energyd store backup"
	if info, err := os.Stat(file); err != nil {
		return refuse("cannot be read", "look at its name and rights", err)
	} else if !info.Mode().IsRegular() {
		return refuse("is no file", again, nil)
	}
	if log, err := os.Stat(file + "-wal"); err == nil && log.Size() > 0 {
		return refuse("is a store in use, with a part of what it holds in "+filepath.Base(file)+"-wal", again, nil)
	}
	db, err := sqlx.Open("sqlite", readOnly(file))
	if err != nil {
		return refuse("cannot be opened", again, err)
	}
	defer db.Close()
	var state string
	var held Held
	if err := db.GetContext(ctx, &held.Version, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied"); err != nil {
		var lite *sqlite.Error
		if errors.As(err, &lite) && lite.Code()&0xff == 11 { // SQLITE_CORRUPT, where its version stands
			return refuse("is damaged", "take an older backup", err)
		}
		return refuse("is no store of energyd", again, err)
	}
	if err := db.GetContext(ctx, &state, "PRAGMA quick_check(1)"); err != nil || state != "ok" {
		return refuse("is damaged", "take an older backup", errors.Join(err, errors.New(state)))
	}
	all, err := steps("migrations/sqlite")
	if err != nil {
		return Held{}, storeError("", err)
	}
	if ours := all[len(all)-1].Version; held.Version > ours {
		return Held{}, tooNew(file+" has", held.Version, ours)
	}
	runs, err := (&Store{read: db}).Runs(ctx, 1)
	if err != nil {
		return refuse("cannot be read", again, err)
	}
	if len(runs) > 0 {
		held.LastRun = runs[0]
	}
	return held, nil
}

// tooNew is the fault of tables that a newer energyd made.
func tooNew(what string, theirs, ours int64) error {
	return fault.New(fault.Config, "", fmt.Sprintf("%s tables of version %d; this energyd knows versions up to %d", what, theirs, ours),
		"install the energyd that wrote it last, or a newer one", nil)
}

// readOnly is a url by which SQLite reads a file that nobody writes, and makes none beside it.
func readOnly(file string) string { return "file:" + escaped(file) + "?mode=ro&immutable=1" }

func escaped(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// Restore lets the store at an address hold what a backup holds, and nothing
// else. A SQLite store is replaced in one transaction, while nobody else has it
// open; PostgreSQL takes a backup into an empty database.
// Faults: config (the backup is none, damaged, or of a newer energyd; the database is not empty), conflict (somebody uses the store), unavailable.
func Restore(ctx context.Context, address, file string) error {
	if _, err := Inspect(ctx, file); err != nil {
		return err
	}
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return restoreSQLite(ctx, path, file)
	}
	return restoreElsewhere(ctx, address, file)
}

// restoreElsewhere copies a backup. One that an older energyd made is brought up to date first, in a copy of the file.
func restoreElsewhere(ctx context.Context, address, file string) (err error) {
	to, err := Open(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	dir, err := os.MkdirTemp("", "energyd-restore-")
	if err != nil {
		return storeError("restore the store", err)
	}
	defer os.RemoveAll(dir)
	current := filepath.Join(dir, "store.db")
	if err := restoreSQLite(ctx, current, file); err != nil {
		return err
	}
	from, err := Open(ctx, "sqlite:"+current)
	if err != nil {
		return err
	}
	_, err = from.CopyTo(ctx, to)
	return errors.Join(err, from.Close())
}

func restoreSQLite(ctx context.Context, path, file string) (err error) {
	s, err := openSQLite(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	hold, err := s.Lock(ctx, Scores)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hold.Leave()) }()
	return storeError("restore the store", s.replace(ctx, file))
}

// replace takes the place of all that the file holds. Every process that has a store open keeps it from
// leaving the log, so that leaving it tells whether there is one.
func (s *Store) replace(ctx context.Context, file string) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return damagedHere(err)
	}
	defer conn.Close()
	for _, pragma := range []string{"busy_timeout = 500", "locking_mode = EXCLUSIVE", "journal_mode = DELETE"} {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); busy(err) {
			return fault.New(fault.Conflict, "", "the store is in use", "stop energyd first (systemctl stop energyd), and end every command that uses the store; nothing was changed", err)
		} else if err != nil {
			return damagedHere(err)
		}
	}
	return conn.Raw(func(driver any) error {
		backup, err := driver.(interface {
			NewRestore(string) (*sqlite.Backup, error)
		}).NewRestore(readOnly(file))
		if err != nil {
			return err
		}
		_, err = backup.Step(-1)
		return errors.Join(err, backup.Finish())
	})
}

// damagedHere tells that the file that stands in the way is no store any more.
func damagedHere(err error) error {
	var lite *sqlite.Error
	if errors.As(err, &lite) && (lite.Code()&0xff == 11 || lite.Code()&0xff == 26) { // SQLITE_CORRUPT, SQLITE_NOTADB
		return fault.New(fault.Config, "", "the store's file is damaged", "move it away, with those of its name that end in -wal and -shm, and restore again", err)
	}
	return err
}
