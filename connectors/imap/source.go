package imap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	imap "github.com/emersion/go-imap/v2"

	"energyd/connectors"
	"energyd/internal/fault"
)

// source reads the mails of all mailboxes.
type source struct {
	*conn
	cfg    *Stream
	log    *slog.Logger
	print  string
	since  time.Time
	aimed  bool          // this reading has goals in all mailboxes
	failed map[*box]bool // not read any more in this reading
	bad    troubles      // of failed ones
	left   leftOut
	listed map[*box]*list
}

func (c *conn) Source(_ context.Context, cfg connectors.Config) (connectors.Source, error) {
	stream, ok := cfg.(*Stream)
	if !ok {
		return nil, fault.New(fault.Internal, c.env.Name, fmt.Sprintf("configuration of type %T", cfg), "", nil)
	}
	since, err := stream.since()
	if err != nil {
		return nil, fault.New(fault.Config, c.env.Name, "since is not a date", "write it as 2026-01-01", nil)
	}
	c.outage.forget()
	s := &source{
		conn: c, cfg: stream, log: c.env.Log, since: since, failed: map[*box]bool{},
		print:  fingerprint(stream.Since, stream.Kinds, c.cfg.InternalDomains, c.cfg.TaggedDomains),
		listed: map[*box]*list{},
	}
	for _, b := range c.boxes {
		s.listed[b] = &list{}
	}
	return s, nil
}

func (s *source) Close() error {
	s.pool.rest()
	return nil
}

func (s *source) boxOf(user string) *box {
	for _, b := range s.boxes {
		if b.User == user {
			return b
		}
	}
	return nil
}

// Read goes on with the folders that have not reached their goals, several
// mailboxes at a time, or looks where all folders stand now. A mailbox that
// cannot be read stops no other; when all others are through, it is the error.
func (s *source) Read(ctx context.Context, after connectors.Cursor, limit int) (connectors.Batch, error) {
	c := s.parse(after)
	if !s.aimed || !s.pending(&c) && len(s.failed) == 0 {
		if err := s.aim(ctx, &c); err != nil {
			return connectors.Batch{}, err
		}
		s.aimed = true
	}
	turns := s.turns(&c, min(max(limit, 1), maxRead))
	if len(turns) == 0 && len(s.failed) > 0 {
		return connectors.Batch{}, s.trouble()
	}
	s.each(boxesOf(turns), func(b *box) {
		t := turns[slices.IndexFunc(turns, func(t *turn) bool { return t.box == b })]
		t.err = t.read(ctx)
	})
	batch := connectors.Batch{}
	progress := false
	for _, t := range turns {
		if t.err != nil {
			if ctx.Err() != nil {
				return connectors.Batch{}, t.err
			}
			s.fail(t.box, t.err)
			continue
		}
		progress = true
		*c.box(t.box) = t.at
		batch.Records = append(batch.Records, t.records...)
		batch.Rejects = append(batch.Rejects, t.rejects...)
		s.left.add(&t.left)
	}
	if !progress && len(turns) > 0 && !s.pending(&c) {
		return connectors.Batch{}, s.trouble()
	}
	batch.Next = c.text()
	batch.More = s.pending(&c) || len(s.failed) > 0
	if !batch.More {
		s.aimed = false
		s.pool.rest()
		s.left.log(s.log)
		s.left = leftOut{}
	}
	return batch, nil
}

// pending tells whether a mailbox has not reached its goals, but for those that failed.
func (s *source) pending(c *cursor) bool {
	return slices.ContainsFunc(s.boxes, func(b *box) bool { return !s.failed[b] && c.box(b).pending() })
}

func (s *source) fail(b *box, err error) {
	s.failed[b] = true
	s.bad.add(b, err)
	s.log.Warn("A mailbox cannot be read; the others go on.", "mailbox", b.User, "error", err)
}

// trouble gives what failed, once: after it, all mailboxes are tried again.
func (s *source) trouble() error {
	err := s.bad.err(s.env.Name, len(s.boxes))
	if len(s.failed) < len(s.boxes) {
		err = &connectors.PartError{Err: err}
	}
	clear(s.failed)
	s.bad, s.aimed = troubles{}, false
	return err
}

// aim looks where the folders stand of all mailboxes that have reached their
// goals; what moved is read then. Nothing else is asked of a folder without news [23].
func (s *source) aim(ctx context.Context, c *cursor) error {
	found := make([][]folder, len(s.boxes))
	errs := make([]error, len(s.boxes))
	var idle []*box
	for i, b := range s.boxes {
		if c.box(b).pending() {
			errs[i] = errPending
		} else {
			idle = append(idle, b)
		}
	}
	s.each(idle, func(b *box) {
		i := slices.Index(s.boxes, b)
		look := func(session *session) (err error) {
			found[i], err = s.look(ctx, session)
			return err
		}
		if errs[i] = s.with(ctx, b, look); errors.Is(errs[i], errUnreadable) && b.badNames.CompareAndSwap(false, true) {
			errs[i] = s.with(ctx, b, look)
		}
	})
	if ctx.Err() != nil {
		return s.fault(ctx, nil, nil, ctx.Err())
	}
	if err := s.unknownFolders(found, errs); err != nil {
		return err
	}
	for i, b := range s.boxes {
		at := c.box(b)
		switch {
		case errors.Is(errs[i], errPending):
			continue
		case errs[i] != nil:
			s.fail(b, errs[i])
			continue
		}
		at.aim(found[i], func(msg, folder string) { s.log.Warn(msg, "mailbox", b.User, "folder", folder) })
	}
	return nil
}

// errPending stands for a mailbox that has goals already.
var errPending = errors.New("goals are set")

// look gives the folders to read of a session's mailbox, with their state.
func (s *source) look(ctx context.Context, session *session) ([]folder, error) {
	all, err := session.list(ctx)
	if err != nil {
		return nil, err
	}
	chosen := choose(all, session.box.wanted(s.cfg), s.cfg.SkipFolders)
	told := slices.DeleteFunc(slices.Clone(chosen), func(f folder) bool { return f.next == 0 })
	chosen = slices.DeleteFunc(chosen, func(f folder) bool { return f.next != 0 })
	there, gone, err := session.status(chosen)
	for _, name := range gone {
		s.log.Warn("A folder vanished while it was looked at.", "mailbox", session.box.User, "folder", name)
	}
	return slices.Concat(told, there), err
}

// wanted are the admin's words for the folders that a stream reads of a mailbox.
func (b *box) wanted(s *Stream) []string {
	if len(b.Folders) > 0 {
		return b.Folders
	}
	return s.Folders
}

// unknownFolders refuses a word in folders that means none in any mailbox.
func (s *source) unknownFolders(found [][]folder, errs []error) error {
	for _, rule := range s.cfg.Folders {
		meant, asked := false, 0
		for i, b := range s.boxes {
			if errs[i] != nil {
				meant = true // nobody knows
			}
			if len(b.Folders) > 0 {
				continue
			}
			asked++
			meant = meant || slices.ContainsFunc(found[i], func(f folder) bool { return f.fits(rule) })
		}
		if !meant && asked > 0 && !strings.HasSuffix(rule, "/*") {
			return s.fault(context.Background(), nil, nil, nowhere(rule))
		}
	}
	return nil
}

// turn is one mailbox's share of a Read.
type turn struct {
	*source
	box     *box
	quota   int // mails
	at      boxCursor
	records []connectors.Record
	rejects []connectors.Reject
	left    leftOut
	err     error
}

// turns gives the mailboxes whose turn it is, each with its share of limit. It
// depends on the cursor alone, so that the same cursor gives the same answer.
func (s *source) turns(c *cursor, limit int) []*turn {
	var turns []*turn
	for _, b := range s.boxes {
		if len(turns) < min(s.conn.cfg.Connections, limit) && !s.failed[b] && c.box(b).pending() {
			at := *c.box(b)
			at.Places = slices.Clone(at.Places)
			turns = append(turns, &turn{source: s, box: b, at: at})
		}
	}
	for i, t := range turns {
		t.quota = limit / len(turns)
		if i < limit%len(turns) {
			t.quota++
		}
	}
	return turns
}

func boxesOf(turns []*turn) []*box {
	boxes := make([]*box, len(turns))
	for i, t := range turns {
		boxes[i] = t.box
	}
	return boxes
}

// each does something for every mailbox. The pool bounds the connections, so that
// one which waits for its server keeps no other from its turn.
func (c *conn) each(boxes []*box, do func(*box)) {
	var wait sync.WaitGroup
	for _, b := range boxes {
		wait.Go(func() { do(b) })
	}
	wait.Wait()
}

// read goes through the mailbox's folders until the quota is used up.
func (t *turn) read(ctx context.Context) error {
	for i := range t.at.Places {
		p := &t.at.Places[i]
		for p.pending() && t.quota > 0 {
			if err := t.folder(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// folder reads the next mails of one folder, and moves p behind them.
func (t *turn) folder(ctx context.Context, p *place) error {
	f := folder{name: p.Folder, validity: p.Validity}
	known := t.listed[t.box]
	if known.of(p) {
		return t.next(ctx, p, &f, known)
	}
	var uids []imap.UID
	var gone bool
	err := t.with(ctx, t.box, func(s *session) error {
		there, err := s.enter(&f)
		if gone = !there; err != nil || gone {
			return err
		}
		if f.validity != p.Validity {
			t.log.Warn("A folder was numbered anew by its server (UIDVALIDITY); it is read again, and mails that are known count once.",
				"mailbox", t.box.User, "folder", p.Folder)
			if *p = (place{Folder: p.Folder, Validity: f.validity, Next: 1, Goal: f.next}); f.next == 0 {
				p.Goal = farthest
			}
		}
		if !p.pending() {
			return nil
		}
		uids, err = s.search(p.Next, p.Goal-1, t.since)
		return err
	})
	if err != nil {
		return err
	}
	if gone {
		t.log.Warn("A folder vanished before it was read.", "mailbox", t.box.User, "folder", p.Folder)
		p.Goal = 0
		return nil
	}
	*known = list{p.Folder, p.Validity, p.Next, p.Goal, uids}
	return t.next(ctx, p, &f, known)
}

// troubles are the faults of mailboxes.
type troubles struct {
	mu    sync.Mutex
	users []string
	first error
	kinds map[fault.Kind]int
}

func (t *troubles) add(b *box, err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kinds == nil {
		t.kinds = map[fault.Kind]int{}
	}
	t.kinds[fault.KindOf(err)]++
	t.users = append(t.users, b.User)
	if t.first == nil || worse(err, t.first) {
		t.first = err
	}
}

// worse tells whether err is more for a person to see to than other.
func worse(err, other error) bool {
	return !fault.Retryable(fault.KindOf(err)) && fault.Retryable(fault.KindOf(other))
}

// err is the one fault as it is, or one that names all mailboxes.
func (t *troubles) err(op string, boxes int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.users) <= 1 {
		return t.first
	}
	slices.Sort(t.users)
	var f *fault.Error
	errors.As(t.first, &f)
	return fault.New(fault.KindOf(t.first), op, fmt.Sprintf("%d of %d mailboxes cannot be read: %s", len(t.users), boxes, strings.Join(t.users, ", ")),
		fault.HintOf(t.first), t.first)
}
