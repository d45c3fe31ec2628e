package store

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"energyd/internal/fault"
)

// Lanes that are no connections'. A connection's lane has its name, which holds no blank.
const (
	// Scores is the lane of what changes scores, plans, or the CRM: folds and plans are made one at a time.
	Scores = "the scores"
	// Syncs is the lane of syncs.
	Syncs = "the sync"
)

// Hold is what a run has of the store's lanes. Nobody else has them until Leave,
// or until the process dies: in PostgreSQL they are a session's advisory locks,
// beside a SQLite file open transactions on small files, one for each lane.
type Hold struct {
	store *Store
	mu    sync.Mutex          // of conn: an answer must be read before the next statement
	conn  *sqlx.Conn          // PostgreSQL's session
	files map[string]*sqlx.DB // SQLite's, by lane
	lanes []string            // in the order in which they were taken
	lost  chan struct{}       // closed when the session broke
	end   context.CancelFunc  // of the watch over it
	over  chan struct{}       // closed when the watch has ended
}

// Lock takes lanes for a run, all of them or none. Faults: conflict (another run
// has one), unavailable.
func (s *Store) Lock(ctx context.Context, lanes ...string) (*Hold, error) {
	h := &Hold{store: s, files: map[string]*sqlx.DB{}, lost: make(chan struct{})}
	if s.postgres {
		if err := h.begin(ctx); err != nil {
			return nil, storeError("lock", err)
		}
	}
	for _, lane := range lanes {
		taken, err := h.Try(ctx, lane)
		if err == nil && !taken {
			err = s.occupied(ctx, lane)
		}
		if err != nil {
			return nil, errors.Join(err, h.Leave())
		}
	}
	return h, nil
}

// Lanes are those that are held.
func (h *Hold) Lanes() []string { return slices.Clone(h.lanes) }

// Try takes another lane, unless somebody else has it.
func (h *Hold) Try(ctx context.Context, lane string) (taken bool, err error) {
	if slices.Contains(h.lanes, lane) {
		return true, nil
	}
	if h.store.postgres {
		// A statement that is broken off would break the session, and with it all that is held.
		asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		h.mu.Lock()
		err = h.conn.GetContext(asked, &taken, "SELECT pg_try_advisory_lock($1)", advisory(lane))
		h.mu.Unlock()
	} else {
		taken, err = h.file(ctx, lane)
	}
	if taken {
		h.lanes = append(h.lanes, lane)
	}
	return taken, storeError("lock", err)
}

// Wait takes another lane when its turn comes; meanwhile is called again and again until then. Whoever waits must hold
// none that the other one may wait for: connections are tried, the scores are waited for.
func (h *Hold) Wait(ctx context.Context, lane string, meanwhile func(context.Context)) error {
	const between = 100 * time.Millisecond
	for ctx.Err() == nil {
		taken, err := h.Try(ctx, lane)
		if err != nil || taken {
			return err
		}
		meanwhile(ctx)
		select {
		case <-time.After(between):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// While gives a context that ends with ctx, and when the hold is lost: its session
// with the database broke, and somebody else may have the lanes.
func (h *Hold) While(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-h.lost:
			cancel(fault.New(fault.Unavailable, "", "the connection to the store's database broke, and with it the run's lock",
				"nothing is lost: the next run goes on from what was saved", nil))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// Give leaves one lane.
func (h *Hold) Give(lane string) error {
	i := slices.Index(h.lanes, lane)
	if i < 0 {
		return nil
	}
	h.lanes = slices.Delete(h.lanes, i, i+1)
	if !h.store.postgres {
		db := h.files[lane]
		delete(h.files, lane)
		return storeError("unlock", db.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.mu.Lock()
	_, err := h.conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", advisory(lane))
	h.mu.Unlock()
	return storeError("unlock", err)
}

// Leave leaves all lanes, also when the run was told to stop.
func (h *Hold) Leave() error {
	h.lanes = nil
	if !h.store.postgres {
		var errs []error
		for _, db := range h.files {
			errs = append(errs, db.Close())
		}
		clear(h.files)
		return storeError("unlock", errors.Join(errs...))
	}
	h.end()
	<-h.over
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := h.conn.ExecContext(ctx, "SELECT pg_advisory_unlock_all()"); err != nil {
		// The session ends instead, and with it the locks: nobody else may get it with them.
		_ = h.conn.Raw(func(any) error { return driver.ErrBadConn })
		return nil
	}
	return storeError("unlock", h.conn.Close())
}

// watchEvery is how often a session is asked whether it is there still.
const watchEvery = 10 * time.Second

// patience is for the answer.
const patience = 30 * time.Second

// begin begins a session that will hold advisory locks, and the watch over it.
func (h *Hold) begin(ctx context.Context) error {
	conn, err := h.store.sessions.Connx(ctx)
	if err != nil {
		return err
	}
	h.conn, h.over = conn, make(chan struct{})
	ctx, h.end = context.WithCancel(context.WithoutCancel(ctx))
	go func() { // see Try for why no statement is broken off
		defer close(h.over)
		tick := time.NewTicker(h.store.watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			h.mu.Lock()
			_, err := conn.ExecContext(asked, "SELECT 1")
			h.mu.Unlock()
			cancel()
			if err != nil && ctx.Err() == nil {
				close(h.lost)
				return
			}
		}
	}()
	return nil
}

// file takes a lane's file beside the SQLite store.
func (h *Hold) file(ctx context.Context, lane string) (taken bool, err error) {
	db, err := sqlx.Open("sqlite", h.store.laneFile(lane))
	if err != nil {
		return false, err
	}
	db.SetMaxOpenConns(1) // the transaction and its end need the same connection
	// Whoever only looks (Locked) has the file for a moment.
	if _, err = db.ExecContext(ctx, "PRAGMA busy_timeout = 200"); err == nil {
		_, err = db.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err != nil {
		if busy(err) {
			err = nil
		}
		return false, errors.Join(err, db.Close())
	}
	h.files[lane] = db
	return true, nil
}

// Locked tells whether a run has one of the lanes. It takes nothing.
func (s *Store) Locked(ctx context.Context, lanes ...string) (held bool, err error) {
	for _, lane := range lanes {
		if s.postgres {
			n := advisory(lane)
			err = s.read.GetContext(ctx, &held, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
				AND classid::bigint = $1 AND objid::bigint = $2)`, n>>32, n&math.MaxUint32)
		} else {
			held, err = s.lockedFile(ctx, lane)
		}
		if held || err != nil {
			return held, storeError("look for a run", err)
		}
	}
	return false, nil
}

func (s *Store) lockedFile(ctx context.Context, lane string) (bool, error) {
	db, err := sqlx.Open("sqlite", s.laneFile(lane))
	if err != nil {
		return false, err
	}
	var tables int
	err = db.GetContext(ctx, &tables, "SELECT COUNT(*) FROM sqlite_master")
	if busy(err) {
		return true, db.Close()
	}
	return false, errors.Join(err, db.Close())
}

// laneFile is the SQLite url of a lane's file. That of the scores has no name of its own,
// so that an energyd from before there were lanes meets it too.
func (s *Store) laneFile(lane string) string {
	if lane == Scores {
		return s.lockFile
	}
	sum := sha256.Sum256([]byte(lane)) // names may hold what a file's name may not
	return fmt.Sprintf("%s-%x", s.lockFile, sum[:4])
}

// advisory is PostgreSQL's advisory lock of a lane, below 2^63.
func advisory(lane string) int64 {
	if lane == Scores {
		return lockRun
	}
	sum := sha256.Sum256([]byte("energyd lane " + lane))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// busy tells that another process has the file.
func busy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == 5 // SQLITE_BUSY
}

// occupied names the run that has a lane.
func (s *Store) occupied(ctx context.Context, lane string) error {
	who := "another run of energyd is at work on this store"
	if runs, err := s.runs(ctx, "WHERE ended_us IS NULL ORDER BY started_us DESC LIMIT ?", 100); err == nil {
		for _, r := range runs {
			if r.holds(lane) {
				who = fmt.Sprintf("another run is at work on this store: %s %s, since %s", r.Kind, r.ID, r.Started.Local().Format("15:04:05"))
				if r.By != "" {
					who += ", by " + r.By
				}
				break
			}
		}
	}
	return fault.New(fault.Conflict, "", who, "wait until it ends; energyd status shows it", nil)
}
