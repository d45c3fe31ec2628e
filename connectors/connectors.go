// Package connectors is the contract between energyd and the systems around
// it. A connector is one folder below this one: it knows the wire of its
// system (HTTP, SQL, IMAP) and nothing of energy. One system is one
// connection, and the same connection serves reading (Source) and writing
// (Target), so that sign-on and call budget are shared.
package connectors

import (
	"context"
	"iter"
	"strings"
	"time"

	"energyd/internal/fault"
)

// Conn is one open connection to a system. A Conn that takes values back
// implements Target too. Its methods may be called from several goroutines.
type Conn interface {
	// Check proves address, sign-on and rights, and reads no data. Faults: auth, unavailable, config.
	Check(ctx context.Context) error
	// Source opens the stream that cfg describes; cfg comes from the connector's NewStream.
	// Faults: config (no such table, unknown column), auth, unavailable.
	Source(ctx context.Context, cfg Config) (Source, error)
	Close() error
}

// Source reads one stream of records (a table, a CRM object, a folder).
// Calls come one at a time.
type Source interface {
	// Read returns up to limit records after the cursor, oldest change first (or as
	// they come, of a window that is read as one file); "" is the beginning. Same
	// cursor, same answer while the source is unchanged: a run may stop anywhere and
	// go on from any Batch.Next. The caller reads one batch ahead: when Read is asked
	// for what follows a batch, only the batches before that one are saved.
	// Re-reading what was read before (lookback) is normal and harmless.
	// An error means that nothing of this call counts: the caller keeps its cursor.
	// A PartError comes when all that could be read was given by calls before.
	// Faults: auth, unavailable, rate_limited, quota, config.
	Read(ctx context.Context, after Cursor, limit int) (Batch, error)
	Close() error
}

// PartError is a Read's last error when parts of a stream could not be read (one
// mailbox of several) and all the rest was. The next reading tries them again;
// until then nothing that did not come counts as gone.
type PartError struct{ Err error }

func (e *PartError) Error() string { return e.Err.Error() }

func (e *PartError) Unwrap() error { return e.Err }

// Cursor says how far a stream was read. It is opaque to all but its
// connector (versioned JSON); "" is the beginning. One that a source cannot use,
// since it is damaged or of a stream that was configured otherwise, is the
// beginning too, with a warning in the log.
type Cursor string

// Batch is what one Read gave.
type Batch struct {
	Records []Record
	Rejects []Reject       // rows that could not even be read; the others go on
	Skipped map[string]int // rows that are no records, such as totals, by the reason why they are left out; nil = none
	Next    Cursor         // saved in the transaction that saves this batch
	More    bool           // false: the stream is at its end for now
	// Interval is the window of change times [From, To) that this batch finished
	// reading, UTC; zero when it finished none. It is what was really read, so To
	// is the source's own clock minus a lag, never the largest value seen.
	Interval Interval
}

// Interval is a half-open window of change times, UTC.
type Interval struct{ From, To time.Time }

// IsZero reports that there is no interval.
func (i Interval) IsZero() bool { return i.From.IsZero() && i.To.IsZero() }

// Record is one source record: a row, an object, a message.
type Record struct {
	Key       string    // stable in its source: "4711", "00T5g00000AbCdE"
	ChangedAt time.Time // UTC; zero when the source does not tell
	Deleted   bool      // the source says that this record is gone
	Columns   *Columns  // names of Values; shared by all records of a batch
	// Values are string, int64, float64, bool, time.Time or nil; JSON sources
	// may also give []any and map[string]any.
	Values []any
	Origin string // where an admin finds it: "daily_reports/4711", "3月.xlsx, sheet 日報, row 17"
}

// Columns are the column names of records, in the order of Record.Values.
type Columns struct {
	Names []string
	// Cell names the cell of a column in the record of that Origin, as an admin finds it:
	// "3月.xlsx 日報!D17". nil where records have no cells.
	Cell func(origin string, column int) string
	// UTF8 says that the connector has looked: no text of the records is anything else.
	UTF8  bool
	index map[string]int
}

// NewColumns makes Columns of names; the slice is kept.
func NewColumns(names []string) *Columns {
	c := &Columns{Names: names, index: make(map[string]int, len(names))}
	for i, n := range names {
		c.index[n] = i
	}
	return c
}

// Index gives the position of a column, or -1.
func (c *Columns) Index(name string) int {
	if i, ok := c.index[name]; ok {
		return i
	}
	return -1
}

// Value gives the named column's value; nil when there is no such column.
func (r Record) Value(name string) any {
	if i := r.Columns.Index(name); i >= 0 {
		return r.Values[i]
	}
	return nil
}

// Where names the cells of columns, as an admin finds them, joined with commas:
// "3月.xlsx 日報!D17"; those that hold something, unless none does. It is the
// record's Origin when it has no such cells, or more than three.
func (r Record) Where(columns []string) string {
	if r.Columns == nil || r.Columns.Cell == nil || len(columns) > 3 {
		return r.Origin
	}
	var filled, empty []string
	for _, name := range columns {
		i := r.Columns.Index(name)
		if i < 0 {
			continue
		}
		switch cell := r.Columns.Cell(r.Origin, i); {
		case cell == r.Origin:
		case r.Values[i] == nil || r.Values[i] == "":
			empty = append(empty, cell)
		default:
			filled = append(filled, cell)
		}
	}
	switch {
	case filled != nil:
		return strings.Join(filled, ", ")
	case empty != nil:
		return strings.Join(empty, ", ")
	}
	return r.Origin
}

// Fields gives the record as a map, for rejects, logs and tests. It is not for the hot path.
func (r Record) Fields() map[string]any {
	m := make(map[string]any, len(r.Values))
	if r.Columns != nil {
		for i, n := range r.Columns.Names {
			m[n] = r.Values[i]
		}
	}
	return m
}

// Reject is a source record that could not be read or mapped. It is kept with its reason, and can be replayed.
type Reject struct {
	Key    string         // as Record.Key; never empty (a row without a usable key gets one of its position)
	Origin string         // as Record.Origin
	Code   string         // a short class: "encoding", "no_key", "kind", "date", "account" …
	Reason string         // one sentence: what is wrong, and what to do
	Fields map[string]any // what was read of it; nil when nothing could be
	// ChangedAt is as Record.ChangedAt, of a record whose Waits is set.
	ChangedAt time.Time
	// Waits says that the record may come through later as it is, since it names
	// what the CRM does not know yet. Fields hold all of it then.
	Waits bool
	// Whole says that Fields hold all of the record, so that it can be mapped again without being read.
	Whole bool
}

// Target is a CRM that takes values back. It updates existing records only:
// it never creates, deletes or merges any.
type Target interface {
	// Describe lists the fields of an object as the signed-on user sees them.
	// Faults: config (no such object), auth, unavailable.
	Describe(ctx context.Context, object string) ([]Field, error)
	// Current reads what the CRM holds now in fields of the records ids. The rows
	// come in the order of ids; a record that is gone has Missing set. Never a guess.
	Current(ctx context.Context, object string, ids, fields []string) ([]Row, error)
	// Write sends updates and returns one Result per update, in the same order.
	// A non-nil error means that nothing is known of any of them: all are sent
	// again, so writing twice must be harmless.
	Write(ctx context.Context, object string, updates []Update) ([]Result, error)
	// WriteSize is how many updates one call of the CRM carries, so that a plan can tell what it costs.
	WriteSize() int
}

// Field is one field of a CRM object, by the CRM's own description.
type Field struct {
	Name, Label string
	Type        FieldType
	Length      int // of text, in characters; 0 = no limit told
	Precision   int // digits in all, of numbers
	Scale       int // digits after the point
	Updateable  bool
	Custom      bool
	Restricted  bool // a picklist that takes only its own values
}

// FieldType is what kind of value a field holds, the same for all CRMs.
type FieldType string

// The field types. Other is whatever energyd cannot write.
const (
	Text     FieldType = "text"
	Number   FieldType = "number"
	Boolean  FieldType = "boolean"
	Day      FieldType = "date"
	Datetime FieldType = "datetime"
	Picklist FieldType = "picklist"
	Other    FieldType = "other"
)

// Row is what a CRM record holds now. Values: string, float64, bool, nil; dates are "2006-01-02" text.
type Row struct {
	ID      string
	Missing bool
	Values  map[string]any
}

// Update sets fields of one existing record; a nil value clears a field, an absent one keeps it.
type Update struct {
	ID     string
	Values map[string]any
}

// Result is the CRM's answer to one Update.
type Result struct {
	Outcome Outcome
	Err     error // set unless Written or Unsent: the CRM's own words, as *fault.Error
	Class   Class // of the obstacle; "" = as the kind of Err says
}

// Obstacle is what keeps the update back; "" when nothing does.
func (r Result) Obstacle() Class {
	switch kind := fault.KindOf(r.Err); {
	case r.Class != "" || r.Err == nil:
		return r.Class
	case kind == fault.Auth:
		return NoRight
	case kind == fault.Quota:
		return NoQuota
	case fault.Retryable(kind):
		return Locked
	}
	return BadData
}

// Outcome of one Update.
type Outcome string

// The outcomes. Rejected is final until the data change; Deferred may be sent
// again later. A Deferred with a fault of kind auth, config or quota tells what
// every other record would meet too, so the caller stops. Unsent never reached
// the CRM and never will by itself; only jobs give it.
const (
	Written  Outcome = "written"
	Rejected Outcome = "rejected"
	Deferred Outcome = "deferred"
	Unsent   Outcome = "unsent"
)

// Class says what kind of obstacle keeps a record back, by who can remove it.
type Class string

// The classes.
const (
	BadData    Class = "data"       // its values: something has to be corrected in the record, the mapping or a rule
	Locked     Class = "lock"       // somebody else holds it, or the CRM was busy: it heals by itself
	NoQuota    Class = "quota"      // calls or storage of the CRM are used up
	NoRight    Class = "permission" // a right of the run-as user is missing
	GoneRecord Class = "gone"       // what it names is not there, or not any more
	Ambiguous  Class = "ambiguous"  // several records could be meant, or are too much alike
)

// Classes are all of them.
var Classes = []Class{BadData, Locked, NoQuota, NoRight, GoneRecord, Ambiguous}

// ColumnSelector is an optional ability of a stream's Config: to read only the
// columns that a mapping uses. It is called before Conn.Source; columns that
// the configuration names itself stay.
type ColumnSelector interface{ SelectColumns(names []string) }

// RereadSetter is an optional ability of a stream's Config: to be told how often
// all of the stream is read again besides; 0 is never. It is called before Conn.Source.
type RereadSetter interface{ SetReread(every time.Duration) }

// Vanishing is a stream whose records go while what they told stays true: people
// delete mails, and the contact took place all the same. What a complete reading
// does not find again is not taken back, unless somebody says that it is gone.
type Vanishing interface{ Vanishes() bool }

// TailReader is an optional ability of a Source that reads up to some moments ago (a lag): a complete
// reading of it passes by what was saved just now, and must not take that for gone.
type TailReader interface {
	// Tail gives what changed since the reading that came to its end with the cursor ended, up to the
	// system's own clock, in batches of up to limit records. It moves nothing: the next reading gives
	// these records again, so the batches' Next and Interval are empty. Faults as Read.
	Tail(ctx context.Context, ended Cursor, limit int, give func(Batch) error) error
}

// Preparer is an optional ability of a Conn: to look at all streams of a run at
// fewer calls than one by one. It is called before a run's first Conn.Source; what
// it found out, the Source of each of the streams uses once. What it did not find
// out, that asks for itself, and so tells what is wrong.
type Preparer interface {
	Prepare(ctx context.Context, streams []Config)
}

// Counter is an optional ability of a Source: to count its records by the time of
// their last change, and to read those of one window again.
type Counter interface {
	// Counts tells whether it can: the stream's records have times of their last change.
	Counts() bool
	// Count gives how many records, deleted ones that Read gives too, were last changed in a window that
	// lies before what was read; From zero = all before To. At one call, or none where calls cost nothing.
	// Faults: as of Read.
	Count(ctx context.Context, window Interval) (int, error)
	// Window gives a cursor from which Read gives the records of a window, and then ends.
	// What it gives at the end is no cursor to go on from.
	Window(window Interval) Cursor
}

// Watcher is an optional ability of a Conn: to tell between readings that there
// is something new.
type Watcher interface {
	// Watch calls news when one of the streams may have records that were not there when they
	// were last read: when it begins, and later each time. It goes on until ctx ends, also when
	// the system cannot be reached for a while, of which the log tells. news returns at once.
	Watch(ctx context.Context, streams []Config, news func()) error
}

// Clock is the part of a Target's abilities that tells its time.
type Clock interface {
	// Clock gives the CRM's own time, UTC, at no cost of calls.
	Clock(ctx context.Context) (time.Time, error)
}

// TaskMaker is an optional ability of a Target: to give people to-dos.
type TaskMaker interface {
	// Tasks gives to-dos as a Target of their own. The id of a row is RECORD/REST: the CRM's record
	// that the to-do is about, and what makes the id unique. Its fields are the five below. One that
	// is not there holds nothing, and is never Missing. Writing values makes it, once however often they
	// are written; writing nothing into all it holds deletes it. No to-do is ever changed.
	Tasks() Target
}

// The fields of to-dos. Its state is TaskOpen until somebody works on it.
const (
	TaskSubject = "subject"
	TaskText    = "text"
	TaskDue     = "due"
	TaskOwner   = "owner"
	TaskState   = "state"
	TaskOpen    = "open"
)

// JobTarget is an optional ability of a Target: to take many updates as one
// job that the CRM works off by itself, at far fewer calls than Write needs.
// The steps are apart so that the caller can keep the job's id before anything
// is sent, and the answers before the job is removed: whoever is killed in
// between finds both again.
type JobTarget interface {
	Clock
	// JobLimits tells when a job is worth it and what one costs.
	JobLimits() JobLimits
	// OpenJob makes an empty job for updates of an object and gives its id; "" when
	// the CRM takes no jobs for this object, so that Write is the way.
	OpenJob(ctx context.Context, object string) (job string, err error)
	// RunJob sends the updates, each record once at most, and waits until the CRM has
	// worked them off. It takes as many as one job may carry, from the first; the others
	// are Unsent. updates is ranged over more than once, and gives the same each time.
	// An error means that nothing is known of any of them: SettleJob finds out.
	RunJob(ctx context.Context, job, object string, updates iter.Seq2[Update, error]) (JobResult, error)
	// SettleJob finds out what became of a job of so many updates whose sender was killed or
	// lost sight of it. One that the CRM has whole is waited for; one that it has not is given
	// up, so that it writes nothing later: its updates are Unsent. known is false when the CRM
	// has no such job (any more).
	SettleJob(ctx context.Context, job, object string, updates int) (result JobResult, known bool, err error)
	// AbandonJobs gives up empty jobs of ours for an object that were opened at or after since, by
	// the CRM's clock: whoever opened one was killed before its id came.
	AbandonJobs(ctx context.Context, object string, since time.Time) error
	// EndJob removes a job from the CRM when its answers are kept. One that is not there is no error.
	EndJob(ctx context.Context, job string) error
}

// JobLimits are the numbers by which a plan chooses between Write and a job,
// and tells what a job costs.
type JobLimits struct {
	From                int // more updates than these go as a job; 0: none do
	Send, Wait, Results int // calls of one job, about
}

// JobResult tells what became of a job's update of the record id: never a
// guess; what the CRM did not say is Deferred.
type JobResult func(id string) Result

// ChangeReader is an optional ability of a Target: to tell at a few calls which
// records of an object were changed of late, however many records there are.
type ChangeReader interface {
	Clock
	// ChangedSince gives fields of the records of object that were saved at or after since, by
	// anybody, ourselves too, in no order. since is UTC by the CRM's clock; the caller takes off
	// what saves may take. A record comes by each form of its id that a source may have given.
	// More than most records are a conflict fault at once: reading each is cheaper then.
	ChangedSince(ctx context.Context, object string, since time.Time, fields []string, most int) iter.Seq2[Row, error]
}
