package crmsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What people and jobs of the org do to many rows at once: merges, lead
// conversion, archiving. They act as the administrator.

// together runs changes of several rows as one batch: all of it or nothing.
func (s *Server) together(write func(b *batch) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commitDue()
	b := batch{s: s, by: s.adminRights()}
	if err := write(&b); err != nil {
		s.undo(b.changes)
		return err
	}
	return s.keep(b.changes)
}

// batch collects what was changed together.
type batch struct {
	s       *Server
	by      rights
	changes []change
}

func (b *batch) took(c change, err error) (*record, error) {
	if err == nil {
		b.changes = append(b.changes, c)
	}
	return c.row, err
}

// live finds a row that can be written.
func (b *batch) live(o *object, id string) (*record, error) {
	r, refused := b.s.target(o, id)
	if refused == nil && r.deleted() {
		refused = refuse("ENTITY_IS_DELETED", nil, "entity is deleted")
	}
	if refused == nil {
		refused = r.openElsewhere()
	}
	if refused != nil {
		return nil, refused
	}
	return r, nil
}

// liveOr finds a row by id; without an id it makes one.
func (b *batch) liveOr(object, id string, values map[string]any) (*record, error) {
	o := b.s.objects[object]
	if id != "" {
		return b.live(o, id)
	}
	return b.took(b.s.insert(o, values, b.by))
}

// Merge makes one row of several accounts, contacts or leads. The losers go
// into the bin with MasterRecordId, without what belonged to them: that belongs
// to the master now, with a new stamp.
func (s *Server) Merge(object, master string, losers ...string) error {
	return s.together(func(b *batch) error {
		o, err := s.object(object)
		if err != nil {
			return err
		}
		column, f := o.field("MasterRecordId")
		if f == nil {
			return fmt.Errorf("%s rows cannot be merged", o.name)
		}
		kept, err := b.live(o, master)
		if err != nil {
			return err
		}
		for _, id := range losers {
			lost, err := b.live(o, id)
			if err != nil {
				return err
			}
			if lost == kept {
				return fmt.Errorf("%s cannot be merged into itself", id)
			}
			row := lost.copy()
			row[colDeleted], row[column] = true, kept.id()
			s.touch(row, b.by)
			b.changes = append(b.changes, s.putRow(lost, row))
			if err := b.redirect(lost, kept, s.outcome("S120") == "moves"); err != nil {
				return err
			}
		}
		b.changes = append(b.changes, s.move(kept, b.by))
		return nil
	})
}

// redirect makes everything that refers to one row refer to another one, as
// far as it may. What a lead remembers of its conversion stays.
func (b *batch) redirect(from, to *record, moves bool) error {
	id := from.id()
	for _, o := range b.s.order {
		var columns []int
		for i, f := range o.fields {
			if i > colStamp && slices.Contains(f.ReferenceTo, from.obj.name) && slices.Contains(f.ReferenceTo, to.obj.name) &&
				!strings.HasPrefix(f.Name, "Converted") {
				columns = append(columns, i)
			}
		}
		for _, r := range slices.Clone(o.rows) { // an activity's relation may go, and be gone from here
			if r.deleted() || r == to || !slices.ContainsFunc(columns, func(i int) bool { return r.value(i) == id }) {
				continue
			}
			if refused := r.openElsewhere(); refused != nil {
				return refused
			}
			b.lead(r, columns, id, to, moves)
		}
	}
	return nil
}

// lead makes columns of one row that hold an id refer to another row. A
// relation that is there already is not needed twice.
func (b *batch) lead(r *record, columns []int, id string, to *record, moves bool) {
	row := r.copy()
	for _, i := range columns {
		if row[i] == id {
			row[i] = to.id()
		}
	}
	if r.twin(row) {
		owner := r.owner()
		b.changes = append(b.changes, b.s.drop(r))
		if relation(r.obj) {
			b.changes = append(b.changes, b.s.recount(owner, r.obj))
		}
		return
	}
	b.s.derive(r.obj, row, r.copy())
	if moves {
		b.s.touch(row, b.by)
	}
	b.changes = append(b.changes, b.s.putRow(r, row))
}

// twin tells whether another relation already says what r would say with these values.
func (r *record) twin(row []any) bool {
	if !relation(r.obj) && r.obj.name != "AccountContactRelation" {
		return false
	}
	owner := r.obj.find(row[r.obj.owner].(string))
	if owner == nil {
		return false
	}
	return slices.ContainsFunc(owner.owned, func(other *record) bool {
		if other == r || other.obj != r.obj || other.deleted() {
			return false
		}
		for i, f := range r.obj.fields {
			if required := f.Required && f.Type == Reference; required && other.value(i) != row[i] {
				return false
			}
		}
		return true
	})
}

// Conversion says what a lead becomes. Convert makes the rows whose ids are
// empty, and gives the ids of all.
type Conversion struct {
	Account, Contact, Opportunity string
	NoOpportunity                 bool // make none
}

// Convert makes an account, a contact and a deal of a lead, or adds it to
// existing ones. The lead keeps their ids; its activities are the contact's
// now, with new stamps.
func (s *Server) Convert(lead string, into Conversion) (Conversion, error) {
	err := s.together(func(b *batch) error {
		r, err := b.live(s.objects["lead"], lead)
		if err != nil {
			return err
		}
		if r.latest("IsConverted") == true {
			return refuse("CANNOT_UPDATE_CONVERTED_LEAD", nil, "cannot reference converted lead")
		}
		of := func(values map[string]any, names ...string) map[string]any {
			for _, name := range names {
				values[name] = r.latest(name)
			}
			values["OwnerId"] = r.latest("OwnerId")
			return values
		}
		account, err := b.liveOr("account", into.Account, of(map[string]any{"Name": r.latest("Company")}, "Phone"))
		if err != nil {
			return err
		}
		contact, err := b.liveOr("contact", into.Contact, of(map[string]any{"AccountId": account.id()},
			"LastName", "FirstName", "Title", "Email", "Phone", "MobilePhone", "LeadSource", "Description"))
		if err != nil {
			return err
		}
		done := map[string]any{"IsConverted": true, "Status": "Closed", "ConvertedDate": s.now(),
			"ConvertedAccountId": account.id(), "ConvertedContactId": contact.id()}
		into.Account, into.Contact = account.id(), contact.id()
		if into.Opportunity != "" || !into.NoOpportunity {
			deal, err := b.liveOr("opportunity", into.Opportunity, of(map[string]any{"AccountId": account.id(), "Name": account.latest("Name"),
				"StageName": "Prospecting", "CloseDate": s.now().AddDate(0, 3, 0)}, "LeadSource"))
			if err != nil {
				return err
			}
			into.Opportunity, done["ConvertedOpportunityId"] = deal.id(), deal.id()
		}
		if err := b.redirect(r, contact, true); err != nil {
			return err
		}
		_, err = b.took(s.update(r.obj, r.id(), done, b.by))
		return err
	})
	return into, err
}

// archiveAge is how old an activity is when the job takes it.
const archiveAge = 365 * 24 * time.Hour

// Archive is the job of the org that puts old activities away: closed tasks
// and events of more than a year ago, by their day or, without one, by the day
// they were made. No stamp moves. It gives how many it took.
func (s *Server) Archive() (n int, err error) {
	err = s.together(func(b *batch) error {
		before := s.now().Add(-archiveAge)
		for _, name := range []string{"task", "event"} {
			o := s.objects[name]
			archived, _ := o.field("IsArchived")
			for _, r := range o.rows {
				if r.deleted() || r.late != nil || r.value(archived) == true || name == "task" && r.latest("IsClosed") != true {
					continue
				}
				day := r.latestText("ActivityDate")
				if day == "" {
					day = stamp(r.value(colCreated).(int64))[:len(time.DateOnly)]
				}
				if day <= before.Format(time.DateOnly) {
					b.changes = append(b.changes, s.put(r, map[string]any{"IsArchived": true}))
					n++
				}
			}
		}
		return nil
	})
	return n, err
}
