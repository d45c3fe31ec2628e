package salesforce

import (
	"context"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// source reads one object by change time: salesforce.md section 7. A round of
// reading goes through windows (cursor.go), each by pages of REST (rest.go) or
// by a bulk job (bulk.go); the people of activities come after (people.go).
type source struct {
	conn        *Conn
	object      string
	stamp       string // SystemModstamp, or what the object has instead
	deletable   bool   // the object has IsDeleted
	withDeleted bool
	where       string
	shape       string // of the object: drift.go

	// A row holds one value for each of columns: those that were asked for, in
	// that order, and behind them those that reading itself needs.
	columns                 []column
	names                   *connectors.Columns // of the asked ones
	selected                []int               // the columns of the statement: each but once, and those that the org has
	twins                   [][2]int            // columns that are another's copy: to, from
	idAt, stampAt, deleteAt int                 // positions; deleteAt is -1 where nothing is deleted
	people                  *people             // nil: the stream has no Participants

	parts  [][]int // selected, as far as one address of REST can name it
	byBulk bool    // a bulk file can hold all columns

	held held
	file *file // the bulk results that are being read
}

// Source opens the stream of an object. The columns of its records have the
// names of the stream's fields.
func (c *Conn) Source(ctx context.Context, cfg connectors.Config) (connectors.Source, error) {
	stream := cfg.(*Stream)
	look := c.look(stream.Object)
	o, err := look.object(ctx, stream.Object)
	if err != nil {
		return nil, err
	}
	s := &source{conn: c, object: o.Name, withDeleted: stream.IncludeDeleted, where: stream.Where, shape: o.shape()}
	// SystemModstamp also moves when the system changes a row; history objects lack it or both.
	for _, name := range []string{"SystemModstamp", "LastModifiedDate", "CreatedDate"} {
		if _, ok := o.field(name); ok {
			s.stamp = name
			break
		}
	}
	if s.stamp == "" {
		return nil, fault.New(fault.Config, "describe "+o.Name, "the object has no change time that the run-as user sees",
			"read another object, or grant field-level security for SystemModstamp", nil)
	}
	asked := stream.Fields
	if len(asked) == 0 {
		asked = o.readable()
	}
	withPeople := -1
	if _, ok := activities[o.Name]; ok {
		if len(stream.Fields) == 0 && stream.Participants {
			asked = append(asked, participants)
		}
		withPeople = slices.IndexFunc(asked, func(name string) bool { return strings.EqualFold(name, participants) })
	}
	if s.columns, err = look.columns(ctx, o, asked); err != nil {
		return nil, err
	}
	s.names = connectors.NewColumns(asked)
	for i := range s.columns {
		if i != withPeople {
			s.sel(i)
		}
	}
	s.idAt, s.stampAt, s.deleteAt = s.need(o, "Id"), s.need(o, s.stamp), s.need(o, "IsDeleted")
	s.deletable = s.deleteAt >= 0
	if withPeople >= 0 {
		if s.people, err = newPeople(ctx, s, o, look, withPeople, stream.Participants); err != nil {
			return nil, err
		}
	}
	s.byBulk = !slices.ContainsFunc(s.selected, func(i int) bool { return !s.columns[i].inBulk() })
	s.warnOfFormulas(o, stream)
	return s, s.split()
}

// sel puts a column into the statement, unless it is there already: the org refuses doubles.
func (s *source) sel(i int) {
	for _, have := range s.selected {
		if strings.EqualFold(s.columns[have].soql(), s.columns[i].soql()) {
			s.twins = append(s.twins, [2]int{i, have})
			return
		}
	}
	s.selected = append(s.selected, i)
}

// need gives the position of a column that reading itself needs; -1 when the
// object has none. Of a parent ("Who.Name") the relation's field must be there.
func (s *source) need(o *sobject, name string) int {
	for _, i := range s.selected {
		if strings.EqualFold(s.columns[i].soql(), name) {
			return i
		}
	}
	col := column{asked: name, path: strings.Split(name, ".")}
	if len(col.path) > 1 {
		if _, ok := o.relation(col.path[0]); !ok {
			return -1
		}
	} else {
		f, ok := o.field(name)
		if !ok {
			return -1
		}
		col.typ = f.Type
	}
	s.columns = append(s.columns, col)
	s.sel(len(s.columns) - 1)
	return len(s.columns) - 1
}

func (s *source) Close() error {
	s.file.stop()
	return nil
}

// Read gives one page at most, or a part of a bulk file. The bound of what is
// read is the org's clock, never ours, and never the largest stamp seen: rows
// that are saved late carry an older stamp.
func (s *source) Read(ctx context.Context, after connectors.Cursor, limit int) (connectors.Batch, error) {
	cur := s.parse(after)
	if cur.Open == nil {
		_, now, err := s.conn.versions(ctx)
		if err != nil {
			return connectors.Batch{}, err
		}
		until := now.Add(-time.Duration(s.conn.cfg.Lag)).Truncate(time.Second)
		if !cur.begin(until, time.Duration(s.conn.cfg.Lookback)) {
			return connectors.Batch{Next: after}, nil
		}
		s.noteDrift(cur.Fields)
		cur.Fields = s.shape
	}
	return s.step(ctx, &cur, after, limit)
}

// step reads on in the open window of cur.
func (s *source) step(ctx context.Context, cur *cursor, after connectors.Cursor, limit int) (connectors.Batch, error) {
	r := reading{source: s, after: after, limit: limit, cur: cur}
	var err error
	switch w := cur.Open; {
	case w.Relations:
		err = r.readRelations(ctx)
	case w.Job != nil:
		err = r.readFile(ctx)
	default:
		err = r.readPage(ctx)
	}
	if err != nil {
		return connectors.Batch{}, err
	}
	return r.batch, nil
}

// Tail gives what the lag held back of the reading that ended there.
func (s *source) Tail(ctx context.Context, ended connectors.Cursor, limit int, give func(connectors.Batch) error) error {
	cur := s.parse(ended)
	if cur.Open != nil || cur.Read.IsZero() {
		return nil
	}
	_, now, err := s.conn.versions(ctx)
	if err != nil {
		return err
	}
	now = now.Truncate(time.Second).Add(time.Second) // with the present second
	// Without Since the relations are not gone through once more: they come with the activities.
	cur.Open = &window{Since: theBeginning, From: cur.Read, To: now, Until: now}
	for after := ended; cur.Open != nil; after = cur.text() {
		b, err := s.step(ctx, &cur, after, limit)
		if err != nil {
			return err
		}
		b.Next, b.Interval = "", connectors.Interval{}
		if len(b.Records)+len(b.Rejects) == 0 {
			continue
		}
		if err := give(b); err != nil {
			return err
		}
	}
	return nil
}

// reading is one call of Read.
type reading struct {
	*source
	after connectors.Cursor
	limit int
	cur   *cursor
	batch connectors.Batch
	rows  [][]any // of the records in batch, where people are to come
}

// done writes down how far it came.
func (r *reading) done(ctx context.Context) error {
	if r.people != nil {
		if err := r.people.join(ctx, r.batch.Records, r.rows); err != nil {
			return err
		}
	}
	r.batch.Next, r.batch.More = r.cur.text(), r.cur.Open != nil
	return nil
}

// finish closes the open window.
func (r *reading) finish() {
	r.batch.Interval = r.cur.finish(r.people.follow())
}

// give adds the record of a row, unless it belongs to the next round: what is
// read is not a snapshot, and a row that changed meanwhile comes with its new stamp.
func (r *reading) give(row []any) error {
	record, err := r.record(row)
	if err != nil || !record.ChangedAt.Before(r.cur.Open.To) {
		return err
	}
	r.batch.Records = append(r.batch.Records, record)
	if r.people != nil {
		r.rows = append(r.rows, row)
	}
	return nil
}

// record makes a record of a row.
func (s *source) record(row []any) (connectors.Record, error) {
	for _, twin := range s.twins {
		row[twin[0]] = row[twin[1]]
	}
	id, _ := row[s.idAt].(string)
	changed, ok := row[s.stampAt].(time.Time)
	if id == "" || !ok {
		return connectors.Record{}, nameless(s.object)
	}
	deleted := false
	if s.deletable {
		deleted, _ = row[s.deleteAt].(bool)
	}
	asked := len(s.names.Names)
	return connectors.Record{
		Key: id, ChangedAt: changed, Deleted: deleted,
		Columns: s.names, Values: row[:asked:asked], Origin: s.object + "/" + id,
	}, nil
}

func nameless(object string) error {
	return fault.New(fault.Unavailable, "read "+object, "the org sent a row without id or change time", "", nil)
}
