package crmsim

import "slices"

// The recycle bin. A deleted row takes along what belongs to it, and brings
// that back when it is undeleted; an org that was opened from its file again
// has forgotten what came with what, and brings back single rows.

// belongings are the references, beside that to its owner, by which a row goes into the bin with another one.
var belongings = []struct{ object, field string }{
	{"Contact", "AccountId"}, {"Opportunity", "AccountId"},
	{"AccountContactRelation", "AccountId"}, {"OpportunityContactRole", "ContactId"},
	{"TaskRelation", "RelationId"}, {"EventRelation", "RelationId"},
}

// setDeleted puts a row into the bin or takes it out, with all that belongs to it.
func (s *Server) setDeleted(o *object, id string, deleted bool, by rights) (change, error) {
	r, refused := s.target(o, id)
	if refused != nil {
		return change{}, refused
	}
	if refused := s.forbidden(o, by); refused != nil {
		return change{}, refused
	}
	switch {
	case o.writes != "" && deleted:
		c := s.drop(r)
		for _, part := range slices.Clone(r.owned) {
			c.also = append(c.also, s.drop(part))
		}
		return c, nil
	case o.fields[colDeleted].absent:
		return change{}, refuse("INSUFFICIENT_ACCESS_OR_READONLY", nil, "%s rows cannot be deleted", o.name)
	case r.deleted() && deleted:
		return change{}, refuse("ENTITY_IS_DELETED", nil, "entity is deleted")
	case r.deleted() == deleted:
		return change{}, refuse("UNDELETE_FAILED", nil, "Entity is not in the recycle bin")
	}
	if relation(o) && deleted {
		return s.unrelate(r, by), nil
	}
	with := s.bins[r]
	if deleted {
		with = s.belongingTo(r)
	}
	for _, each := range append([]*record{r}, with...) {
		if refused := each.openElsewhere(); refused != nil {
			return change{}, refused
		}
	}
	c := s.mark(r, deleted, by)
	for _, each := range with {
		if each.deleted() != deleted {
			c.also = append(c.also, s.mark(each, deleted, by))
		}
	}
	delete(s.bins, r)
	if deleted && len(with) > 0 {
		s.bins[r] = with
	}
	for _, each := range append([]*record{r}, with...) {
		c.also = append(c.also, s.followDelete(each)...)
	}
	return c, nil
}

// mark moves one row into the bin or out of it.
func (s *Server) mark(r *record, deleted bool, by rights) change {
	row := slices.Clone(r.values)
	row[colDeleted] = deleted
	if deleted || s.outcome("S121") == "moves" {
		s.touch(row, by)
	}
	if i, f := r.obj.field("MasterRecordId"); f != nil && i < len(row) && !deleted {
		row[i] = nil // no longer the loser of a merge
	}
	c := change{row: r, before: r.values}
	s.set(r, row)
	return c
}

// touch gives a row the stamps of a write.
func (s *Server) touch(row []any, by rights) {
	now := s.moment()
	row[colModified], row[colStamp], row[colModifiedBy] = now, now, by.user
}

// belongingTo gives the live rows that go into the bin with r, each once.
func (s *Server) belongingTo(r *record) []*record {
	var all []*record
	seen := map[*record]bool{r: true}
	for queue := []*record{r}; len(queue) > 0; queue = queue[1:] {
		for _, child := range s.childrenOf(queue[0]) {
			if !seen[child] {
				seen[child] = true
				all, queue = append(all, child), append(queue, child)
			}
		}
	}
	return all
}

// childrenOf gives the live rows that belong to r itself. An activity belongs
// to what it is about, and to who it is with when it is about nothing else.
func (s *Server) childrenOf(r *record) []*record {
	var children []*record
	for _, child := range r.owned {
		if !child.deleted() {
			children = append(children, child)
		}
	}
	id := r.id()
	for _, b := range belongings {
		o := s.objects[lower(b.object)]
		if o == nil {
			continue
		}
		column, f := o.field(b.field)
		if f == nil || !slices.Contains(f.ReferenceTo, r.obj.name) {
			continue
		}
		for _, child := range o.rows {
			if child.value(column) == id && !child.deleted() {
				children = append(children, child)
			}
		}
	}
	for _, name := range []string{"task", "event"} {
		o := s.objects[name]
		who, f := o.field("WhoId")
		what, g := o.field("WhatId")
		if !slices.Contains(f.ReferenceTo, r.obj.name) && !slices.Contains(g.ReferenceTo, r.obj.name) {
			continue
		}
		for _, child := range o.rows {
			about := child.value(what)
			if !child.deleted() && (about == id || about == nil && child.value(who) == id) {
				children = append(children, child)
			}
		}
	}
	return children
}

// HardDelete removes a row, and what goes with it, so that no query shows it
// any more. Until PurgeDeleteLog the feed of deleted rows still tells.
func (s *Server) HardDelete(object, id string) error {
	return s.change(func() (change, error) {
		o, err := s.object(object)
		if err != nil {
			return change{}, err
		}
		r, refused := s.target(o, id)
		if refused != nil {
			return change{}, refused
		}
		with := s.bins[r]
		if !r.deleted() {
			with = s.belongingTo(r)
		}
		delete(s.bins, r)
		c := s.drop(r)
		for _, each := range with {
			c.also = append(c.also, s.drop(each))
		}
		return c, nil
	})
}

// drop removes one row for good; its object's feed keeps the id.
func (s *Server) drop(r *record) change {
	c := change{row: r, before: r.values, removed: true}
	if r.late != nil {
		s.takeBack(r)
	}
	r.obj.remove(r)
	r.obj.gone = append(r.obj.gone, removal{r.id(), s.now().Unix()})
	return c
}

// PurgeDeleteLog is the job that cuts the log of deleted rows: those removed
// for good appear in no feed any more.
func (s *Server) PurgeDeleteLog() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.order {
		o.gone = nil
	}
	if s.journal == nil {
		return nil
	}
	return s.compact()
}
