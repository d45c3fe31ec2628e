package crmsim

import (
	"slices"
	"strings"
	"time"
)

// lateWrite is a write whose transaction is still open: it has its stamp, but
// nobody sees it before it is due. The fault commit_delay makes writes so.
type lateWrite struct {
	row    *record
	values []any
	began  int64 // Unix seconds
	due    time.Time
}

// set gives a row its new values, now or when its transaction ends. A new row
// joins its object then. The caller holds s.mu.
func (s *Server) set(r *record, values []any) {
	isNew := r.values == nil
	delay := time.Duration(s.commitDelay.Load())
	if delay == 0 {
		r.replace(values)
		if isNew {
			r.obj.insert(r)
		}
		return
	}
	now := s.now()
	r.late = &lateWrite{r, values, now.Unix(), now.Add(delay)}
	if isNew {
		r.values = values // so that it has an id; nobody finds it yet
	}
	at, _ := slices.BinarySearchFunc(s.late, r.late, func(a, b *lateWrite) int {
		if a.due.After(b.due) {
			return 1
		}
		return -1
	})
	s.late = slices.Insert(s.late, at, r.late)
	s.setNextLate()
}

// written are the values that a row has, or will have when its transaction ends.
func (r *record) written() []any {
	if r.late != nil {
		return r.late.values
	}
	return r.values
}

// openElsewhere refuses a write to a row that an open transaction holds.
func (r *record) openElsewhere() *Error {
	if r.late == nil {
		return nil
	}
	return refuse("UNABLE_TO_LOCK_ROW", nil, "unable to obtain exclusive access to this record or 1 records: %s", r.id())
}

// unseen finds a new row whose transaction is open, for those who know its id.
func (s *Server) unseen(id string) *record {
	for _, w := range s.late {
		if w.row.id() == id {
			return w.row
		}
	}
	return nil
}

// takeBack drops a late write, as if it had never been.
func (s *Server) takeBack(r *record) {
	s.late = slices.DeleteFunc(s.late, func(w *lateWrite) bool { return w == r.late })
	r.late = nil
	s.setNextLate()
}

func (s *Server) setNextLate() {
	next := int64(0)
	if len(s.late) > 0 {
		next = s.late[0].due.UnixNano()
	}
	for _, g := range s.granting {
		if due := g.due.UnixNano(); next == 0 || due < next {
			next = due
		}
	}
	s.nextLate.Store(next)
}

// settle ends the transactions that are due by the org's clock.
func (s *Server) settle() {
	next := s.nextLate.Load()
	if next == 0 || s.now().UnixNano() < next {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commitDue()
}

// commitDue is settle for who holds s.mu.
func (s *Server) commitDue() {
	now := s.now()
	s.grantDue(now)
	for len(s.late) > 0 && !now.Before(s.late[0].due) {
		w := s.late[0]
		s.late = s.late[1:]
		w.row.late = nil
		isNew := w.row.obj.byID[w.row.id()] == nil
		w.row.replace(w.values)
		if isNew {
			w.row.obj.insert(w.row)
		}
	}
	s.setNextLate()
}

// openSince is when the oldest open transaction began; ok is false without one. The caller holds s.mu.
func (s *Server) openSince() (unix int64, ok bool) {
	for _, w := range s.late {
		if !ok || w.began < unix {
			unix, ok = w.began, true
		}
	}
	return unix, ok
}

// insert puts a row among the others, which stand in the order of their ids.
func (o *object) insert(r *record) {
	o.byID[r.id()] = r
	r.join(r.owner())
	if n := len(o.rows); n == 0 || o.rows[n-1].id() < r.id() {
		o.rows = append(o.rows, r)
	} else {
		o.rows = slices.Insert(o.rows, o.position(r.id()), r)
	}
	if o.changes != nil {
		o.changes()
	}
}

// remove takes a row away, as if it had never been.
func (o *object) remove(r *record) {
	for column, index := range o.unique {
		if text, ok := r.value(column).(string); ok && index[lower(text)] == r {
			delete(index, lower(text))
		}
	}
	delete(o.byID, r.id())
	r.leave(r.owner())
	if at := o.position(r.id()); at < len(o.rows) && o.rows[at] == r {
		o.rows = slices.Delete(o.rows, at, at+1)
	}
	if o.changes != nil {
		o.changes()
	}
}

func (o *object) position(id string) int {
	at, _ := slices.BinarySearchFunc(o.rows, id, func(r *record, id string) int { return strings.Compare(r.id(), id) })
	return at
}
