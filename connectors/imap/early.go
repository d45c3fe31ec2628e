package imap

import (
	"slices"
	"sync"

	imap "github.com/emersion/go-imap/v2"

	"energyd/internal/fault"
)

// maxEarly bounds what is kept of headers that came before they were wanted, in bytes. What does not fit is asked for again.
const maxEarly = 8 << 20

// early are headers that were asked for before their Read, so that a far server
// need not wait for us between two of them [68]. They are kept until adopted.
type early struct {
	folder   string
	validity uint32
	streams  sync.WaitGroup

	mu   sync.Mutex
	kept [][]arrival
	size int
	look func([]arrival) // of the Read that wants them; nil as long as none does
	err  error
}

// askEarly asks for the headers that the next Read will want. One error is like another: that Read asks again.
func (s *session) askEarly(f *folder, uids []imap.UID) {
	e := &early{folder: f.name, validity: f.validity}
	s.early = e
	for chunk := range slices.Chunk(uids, headerBatch) {
		fetch := s.client.Fetch(set(chunk), headerItems)
		e.streams.Go(func() {
			if err := s.drain(fetch, expected(headerItems), e.came); err != nil {
				e.mu.Lock()
				defer e.mu.Unlock()
				e.err = err
			}
		})
	}
}

func (e *early) came(some []arrival) {
	e.mu.Lock()
	look := e.look
	if look == nil {
		for _, a := range some {
			e.size += len(a.body)
		}
		if e.size <= maxEarly {
			e.kept = append(e.kept, some)
		}
	}
	e.mu.Unlock()
	if look != nil {
		look(some)
	}
}

// underWay gives what was asked for beforehand in f, and nil when nothing was.
func (s *session) underWay(f *folder) (*early, error) {
	e := s.early
	if e == nil {
		return nil, nil
	}
	if e.folder != f.name || e.validity != f.validity {
		if err := s.settle(); err != nil {
			return nil, err
		}
		e = nil
	}
	s.early = nil
	return e, nil
}

// adopt gives look what came and what still comes, and waits for the end.
func (e *early) adopt(look func([]arrival)) error {
	e.mu.Lock()
	kept := e.kept
	e.kept, e.look = nil, look
	e.mu.Unlock()
	for _, some := range kept {
		look(some)
	}
	e.streams.Wait()
	return e.err
}

// settle waits until nothing is under way, before the session does something
// else, and forgets what failed with the connection.
func (s *session) settle() error {
	e := s.early
	if e == nil {
		return nil
	}
	e.streams.Wait()
	if e.err != nil {
		s.early = nil
		return fault.New(fault.Unavailable, "", "the connection was lost", "", e.err)
	}
	return nil
}
