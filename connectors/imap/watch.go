package imap

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	imap "github.com/emersion/go-imap/v2"

	"energyd/connectors"
	"energyd/internal/fault"
)

// Watch tells of new mails until ctx ends [39]. Each mailbox has one connection
// for it, beside those that read. On servers with IDLE it hears of new mails in
// INBOX at once; that is renewed at each poll, when it looks at the other
// folders by one command. Without IDLE it looks at all of them then [69].
func (c *conn) Watch(ctx context.Context, streams []connectors.Config, news func()) error {
	var wanted []*Stream
	for _, cfg := range streams {
		if s, ok := cfg.(*Stream); ok {
			wanted = append(wanted, s)
		}
	}
	var wait sync.WaitGroup
	for _, b := range c.boxes {
		wait.Go(func() { c.watchBox(ctx, b, wanted, news) })
	}
	wait.Wait()
	return ctx.Err()
}

// watchBox watches one mailbox, on one connection after the other.
func (c *conn) watchBox(ctx context.Context, b *box, streams []*Stream, news func()) {
	for failures := 0; ; failures++ {
		err := c.watchOnce(ctx, b, streams, func() {
			failures = 0
			news()
		})
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errUnreadable) && b.badNames.CompareAndSwap(false, true) {
			continue
		}
		wait := growing(failures, err)
		if !fault.Retryable(fault.KindOf(err)) {
			wait = refusalHolds
		}
		c.env.Log.Warn("A mailbox is not watched for now.", "mailbox", b.User, "again_in", wait.Round(time.Second), "error", err)
		if c.clock.sleep(ctx, wait) != nil {
			return
		}
	}
}

// watchOnce watches a mailbox until its connection ends. It calls news when it
// has begun, since mails may have come before.
func (c *conn) watchOnce(ctx context.Context, b *box, streams []*Stream, news func()) error {
	s, err := c.dial(ctx, b, c.tls)
	if err != nil {
		return err
	}
	defer s.close()
	stop := context.AfterFunc(ctx, s.wire.kill)
	defer stop()
	return c.fault(ctx, b, s.wire, c.watchOn(ctx, s, streams, news))
}

// watchOn watches a mailbox on a connection, until that fails or ctx ends.
func (c *conn) watchOn(ctx context.Context, s *session, streams []*Stream, news func()) error {
	w := watching{session: s, streams: streams}
	if _, err := w.moved(); err != nil {
		return err
	}
	if s.caps.Has(imap.CapIdle) {
		if err := w.open(); err != nil {
			return err
		}
	}
	news()
	for {
		if err := w.rest(ctx, news); err != nil {
			return err
		}
		moved, err := w.moved()
		if err != nil {
			return err
		}
		if moved {
			news()
		}
	}
}

// watching is what is known of a mailbox that is watched.
type watching struct {
	*session
	streams []*Stream
	idle    string            // the folder that IDLE tells of; "" = none
	stand   map[string]folder // of the folders that are read, but for idle
}

// open opens the folder that IDLE shall tell of.
func (w *watching) open() error {
	names := slices.Sorted(maps.Keys(w.stand))
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, "INBOX") }); i > 0 {
		names[0], names[i] = names[i], names[0]
	}
	if len(names) == 0 {
		return nil
	}
	f := w.stand[names[0]]
	there, err := w.examine(&f)
	if err != nil || !there {
		return err
	}
	w.idle = f.name
	delete(w.stand, f.name)
	return nil
}

// rest waits until it is time to look again, and tells of what it hears meanwhile.
func (w *watching) rest(ctx context.Context, news func()) (err error) {
	poll := time.Duration(w.conn.cfg.Poll)
	if w.idle != "" {
		idle, err := w.client.Idle()
		if err != nil {
			return err
		}
		defer func() {
			if closed := idle.Close(); err == nil {
				err = closed
			}
			if ended := idle.Wait(); err == nil {
				err = ended
			}
		}()
	}
	w.wire.allow(poll + w.wire.timeout) // silence means nothing now
	defer w.wire.allow(0)
	tick := w.conn.clock.after(poll)
	for {
		select {
		case <-w.heard:
			news()
		case <-tick:
			return nil
		case <-w.client.Closed():
			return io.ErrUnexpectedEOF
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// moved looks where the folders stand, and tells whether one of them does not
// stand where it stood.
func (w *watching) moved() (bool, error) {
	if w.stand != nil && len(w.stand) == 0 && w.idle != "" {
		return false, nil // IDLE tells all
	}
	now := map[string]folder{}
	if w.stand == nil || w.caps.Has(imap.CapListStatus) {
		all, err := w.folders()
		if err != nil {
			return false, err
		}
		for _, s := range w.streams {
			for _, f := range choose(all, w.box.wanted(s), s.SkipFolders) {
				now[f.name] = f
			}
		}
		delete(now, w.idle)
	} else {
		maps.Copy(now, w.stand)
	}
	if !w.caps.Has(imap.CapListStatus) {
		there, _, err := w.status(slices.Collect(maps.Values(now)))
		if err != nil {
			return false, err
		}
		clear(now)
		for _, f := range there {
			now[f.name] = f
		}
	}
	moved := w.stand == nil
	for name, f := range now {
		was := w.stand[name]
		moved = moved || f.next == 0 || f.validity != was.validity || f.next > max(was.next, 1)
	}
	w.stand = now
	return moved, nil
}
