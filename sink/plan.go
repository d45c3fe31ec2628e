// Package sink brings scores into the CRM: it compares what energyd wants with
// what the CRM holds and with what energyd last wrote there, keeps the
// differences as a plan, and sends exactly that plan. It knows Targets, not
// wires, and updates only its own fields of existing records.
package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// Writing is one entry of "write:" in the configuration: a kind of entity whose
// measures go to fields of one CRM object.
type Writing struct {
	Name   string // "crm.Account", for plans and journals
	Object string
	Kind   engine.EntityKind
	Target connectors.Target
	Fields []FieldOf
	// Once is of to-dos: what was written once is never written again, and an undo takes back all of one or nothing.
	Once bool
}

// FieldOf says that a measure goes to a CRM field.
type FieldOf struct{ Measure, Field string }

// Wanted is what energyd wants one CRM record to hold, by measure name.
type Wanted struct {
	ID     string
	Name   string
	Parent string // the record that the CRM locks too while it saves this one; "" when there is none
	Values map[string]any
}

// Want takes the catalogue's measures of a subject.
func Want(id, name, parent string, s Subject) Wanted {
	w := Wanted{ID: id, Name: name, Parent: parent, Values: make(map[string]any, len(Measures))}
	for _, m := range Measures {
		w.Values[m.Name] = m.of(s)
	}
	return w
}

// Delta is one field's planned change. Values are string, float64, bool or nil.
type Delta struct {
	Field string `json:"field"`
	Old   any    `json:"old"`
	New   any    `json:"new"`
}

// Change is the planned change of one record.
type Change struct {
	Seq     int64       `json:"-"` // place in its plan
	Writing string      `json:"writing"`
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Fields  []Delta     `json:"fields"` // in the order of the field catalogue
	State   ChangeState `json:"state,omitempty"`
	Error   string      `json:"error,omitempty"`
	Refusal
}

// Refusal says more of a change that the CRM refused.
type Refusal struct {
	Class connectors.Class `json:"class,omitempty"` // with Error, of what the CRM said
	Hint  string           `json:"hint,omitempty"`  // what to do about just this, "" = see the class
	// Said is what a person decided of it: "" until then.
	Said Said `json:"said,omitempty"`
	// Until is when Waive ends, UTC; zero = not by the time.
	Until time.Time `json:"until,omitzero"`
	// Attempts is how often the CRM refused these values, one after the other, and Tried when it did last, UTC.
	Attempts int       `json:"attempts,omitempty"`
	Tried    time.Time `json:"tried,omitzero"`
}

// Said is a person's word on a refused change (docs/rejects.md).
type Said string

// The words. Both hold until the record's values are others.
const (
	SendAgain Said = "retry"  // the next plan has it again
	Waive     Said = "waived" // it is not sent, and nobody is told of it any more
)

// ChangeState follows a change through apply.
type ChangeState string

// The states of a change. Sending means that the CRM may or may not have it: a
// kill came between sending and keeping the answer. Edited means that somebody
// changed the record after the plan was made, so nothing was sent.
const (
	Planned  ChangeState = "planned"
	Sending  ChangeState = "sending"
	Written  ChangeState = "written"
	Rejected ChangeState = "rejected"
	Deferred ChangeState = "deferred" // the CRM asked to try again later
	Edited   ChangeState = "edited"
	Refused  ChangeState = "refused" // not sent: the CRM refused these values before
	Dropped  ChangeState = "dropped" // superseded by a newer plan before it was sent
)

// Kept is a field that somebody else changed in the CRM: theirs stays.
type Kept struct {
	Writing string `json:"writing"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Field   string `json:"field"`
	Theirs  any    `json:"theirs"`
	Ours    any    `json:"ours"`
	Later   bool   `json:"later,omitempty"` // not undone: theirs is what a later run of ours wrote
}

// Summary is what a plan comes to.
type Summary struct {
	Plan      string    `json:"plan"` // hash; what apply takes
	Run       string    `json:"run"`
	AsOf      string    `json:"as_of"`
	Created   time.Time `json:"created"`
	State     PlanState `json:"state"`
	Records   int       `json:"records"`            // to be changed
	Fields    int       `json:"fields"`             // of them
	Unchanged int       `json:"unchanged"`          // records compared and found right
	Missing   int       `json:"missing"`            // records that are scored, but that the CRM does not show
	Unfit     int       `json:"unfit"`              // values that their field cannot hold
	Refused   int       `json:"refused"`            // records not planned: the CRM refused the same values before
	Waived    int       `json:"waived,omitempty"`   // records not planned: somebody dropped the change that the CRM refused
	Steps     []Step    `json:"steps,omitempty"`    // what plan and apply cost
	Calls     int       `json:"calls"`              // API calls that apply will need, about: the sum of its steps
	Limit     int       `json:"limit,omitempty"`    // calls that the CRM allows all programs in 24 hours; 0: not told, or several CRMs
	Left      int       `json:"left,omitempty"`     // how many of them energyd may still make, with Limit
	KeptCount int       `json:"kept_count"`         // fields that somebody else changed
	Kept      []Kept    `json:"kept,omitempty"`     // the first of them
	Problems  []string  `json:"problems,omitempty"` // why values do not fit, the first
	Narrow    []string  `json:"narrow,omitempty"`   // fields that hold less than their measures may have, and what to do
	// HeldCount records keep what an undo restored, since their score gives the same values still; Held are the first of them.
	HeldCount int        `json:"held_count,omitempty"`
	Held      []HeldBack `json:"held,omitempty"`
	Undoes    string     `json:"undoes,omitempty"` // the run whose plan this one takes back
	Brakes    []Brake    `json:"brakes,omitempty"` // why it waits for a person; none when it may be sent as it is
	// ReadAt is when a Writing's current values began to be read, by the CRM's clock.
	ReadAt map[string]time.Time `json:"read_at,omitempty"`
}

// Counts is the summary without the records that it names.
func (s Summary) Counts() Summary {
	s.Kept, s.Held, s.Problems = nil, nil, nil
	return s
}

// keep counts a field that somebody else changed.
func (s *Summary) keep(k Kept) {
	s.KeptCount++
	if len(s.Kept) < listed {
		s.Kept = append(s.Kept, k)
	}
}

// readFrom notes when a Writing's current values begin to be read.
func (s *Summary) readFrom(ctx context.Context, w Writing) error {
	reader, ok := w.Target.(connectors.Clock)
	if !ok {
		return nil
	}
	at, err := reader.Clock(ctx)
	if err != nil {
		return err
	}
	if s.ReadAt == nil {
		s.ReadAt = map[string]time.Time{}
	}
	s.ReadAt[w.Name] = at.UTC()
	return nil
}

// Step is a part of a plan's cost.
type Step struct {
	Name  string `json:"name"`
	Calls int    `json:"calls"`
	Spent bool   `json:"spent,omitempty"` // by the plan; all else is apply's
}

// spend adds calls to the step of that name.
func (s *Summary) spend(name string, calls int, spent bool) {
	if calls == 0 {
		return
	}
	if !spent {
		s.Calls += calls
	}
	for i := range s.Steps {
		if s.Steps[i].Name == name {
			s.Steps[i].Calls += calls
			return
		}
	}
	s.Steps = append(s.Steps, Step{name, calls, spent})
}

// PlanState follows a plan.
type PlanState string

// The states of a plan.
const (
	Computing  PlanState = "computing"
	Open       PlanState = "open"
	Applying   PlanState = "applying"
	Done       PlanState = "done"
	Superseded PlanState = "superseded"
)

// Accepted says what the CRM is known to hold of ours in one record.
type Accepted struct {
	Writing string
	Entity  engine.Entity
	Values  map[string]any // by field; nil keeps what is stored
	// Settled records are as we want them, and need not be looked at until their score moves.
	Settled bool
	Undone  *Undone // what is held back from now on; nil keeps what is stored
}

// Store is what the sink keeps between runs.
type Store interface {
	// LastWritten gives the values that the CRM last accepted from us, by record id and field.
	LastWritten(ctx context.Context, writing string, ids []string) (map[string]map[string]any, error)
	// Undone gives what undos took out of these records, of those that hold something back.
	Undone(ctx context.Context, writing string, ids []string) (map[string]Undone, error)
	// CountWritten counts the records of a Writing that hold values of ours, about.
	CountWritten(ctx context.Context, writing string) (int, error)
	// EverWrote tells whether the CRM took any change of a Writing whose journal is still kept.
	EverWrote(ctx context.Context, writing string) (bool, error)
	// HeldBack counts the records of a Writing that hold something back and are not in a run's plan, and gives the first.
	HeldBack(ctx context.Context, run, writing string, limit int) (int, []HeldBack, error)
	// BeginPlan drops unsent changes of older plans and opens one under the run's id.
	BeginPlan(ctx context.Context, run string) error
	// AddChanges appends to the run's plan, and accepts records, in one transaction.
	AddChanges(ctx context.Context, run string, changes []Change, accepted []Accepted) error
	// EndPlan keeps the summary; from then on the plan can be applied by its hash.
	EndPlan(ctx context.Context, s Summary) error
	// Plan finds a plan by hash; "" is the latest that was finished.
	Plan(ctx context.Context, hash string) (Summary, bool, error)
	// Changes gives up to limit changes of a plan in these states (none named: all), after place
	// seq, in order; of one Writing, or of all for "".
	Changes(ctx context.Context, run, writing string, after int64, limit int, states ...ChangeState) ([]Change, error)
	// Sent gives up to limit changes of a plan that the CRM took, or may have taken, after
	// place seq, in order; of one record, or of all for "".
	Sent(ctx context.Context, run, record string, after int64, limit int) ([]Change, error)
	// IsUndo tells whether a run's plan takes back another.
	IsUndo(ctx context.Context, run string) (bool, error)
	// ChangesOf gives those changes of one Writing that wait to be sent and are for these records.
	ChangesOf(ctx context.Context, run, writing string, ids []string) ([]Change, error)
	// RefusedBefore gives those changes of these records that the CRM refused in the last plan before run.
	RefusedBefore(ctx context.Context, run, writing string, ids []string) (map[string]Change, error)
	// CountChanges counts a plan's changes by state; of one Writing, or of all for "".
	CountChanges(ctx context.Context, run, writing string) (map[ChangeState]int, error)
	// MarkSending journals that these changes are about to be sent.
	MarkSending(ctx context.Context, run string, seqs []int64) error
	// Keep stores the answers to changes, and accepts the written ones, in one transaction.
	Keep(ctx context.Context, run string, answered []Change, accepted []Accepted) error
	// SetPlanState moves a plan on.
	SetPlanState(ctx context.Context, run string, state PlanState) error
	// Unanswered gives up to limit changes of one plan that were being sent when a run was
	// killed, and that plan's run.
	Unanswered(ctx context.Context, limit int) (run string, changes []Change, err error)

	// BeginJob journals that a job is about to be opened.
	BeginJob(ctx context.Context, job Job) error
	// SendJob journals the id that the job got, and that all changes of its Writing in these
	// states are about to be sent with it; it gives their number.
	SendJob(ctx context.Context, job Job, states ...ChangeState) (int, error)
	// SetJobAnswered journals that all answers of the job are kept.
	SetJobAnswered(ctx context.Context, job Job) error
	// DropJob forgets a job that the CRM no longer holds.
	DropJob(ctx context.Context, job Job) error
	// Jobs gives the jobs that the CRM may hold, the oldest first.
	Jobs(ctx context.Context) ([]Job, error)
}

// Sink plans and applies for one configuration.
type Sink struct {
	Store    Store
	Writings []Writing
	// Resend plans also what the CRM refused before, though its values have not moved.
	Resend bool
	Plans  Plans
	Brakes Brakes
	Unread []Brake // that hold because of how sources were read: see Brakes.OfSource
	Word   Word    // of who applies

	now time.Time // of the plan or apply at work
}

// Entries gives the wanted records of a Writing that may have changed.
type Entries func(ctx context.Context, w Writing) iter.Seq2[Wanted, error]

// chunk is how many records are compared at once: it bounds memory, and one
// call to read current values carries about as many.
const chunk = 2000

// Plan compares and keeps the changes under a hash. It writes nothing to the
// CRM. What Check finds comes as fault.Problems below "write[i].fields", and
// leaves an older plan as it is.
func (s *Sink) Plan(ctx context.Context, run string, asOf engine.Date, now time.Time, entries Entries) (Summary, error) {
	sum := Summary{Run: run, AsOf: asOf.String(), Created: now.UTC(), State: Open}
	s.now = now.UTC()
	fields := make([]map[string]connectors.Field, len(s.Writings))
	var problems fault.Problems
	for i, w := range s.Writings {
		d, err := w.describe(ctx)
		if err != nil {
			return sum, err
		}
		path := fmt.Sprintf("write[%d].fields", i)
		if w.Once {
			path = "alarms.tasks"
		}
		problems.Under(path, d.problems)
		fields[i], sum.Narrow = d.fields, append(sum.Narrow, d.narrow...)
	}
	if len(problems) > 0 {
		return sum, problems
	}
	if err := s.recover(ctx); err != nil {
		return sum, err
	}
	if err := s.Store.BeginPlan(ctx, run); err != nil {
		return sum, err
	}
	h := sha256.New()
	fmt.Fprintln(h, asOf)
	for i, w := range s.Writings {
		sum.spend("describe", 1, true)
		if err := sum.readFrom(ctx, w); err != nil {
			return sum, err
		}
		p := planner{sink: s, run: run, w: w, at: i, fields: fields[i], sum: &sum, hash: h}
		before := sum.Records
		if err := p.all(ctx, entries(ctx, w)); err != nil {
			return sum, err
		}
		w.cost(&sum, sum.Records-before)
		if err := s.brake(ctx, w, p.moves, &sum); err != nil {
			return sum, err
		}
		n, some, err := s.Store.HeldBack(ctx, run, w.Name, listed)
		if err != nil {
			return sum, err
		}
		sum.HeldCount += n
		sum.Held = append(sum.Held, some[:max(0, min(len(some), listed-len(sum.Held)))]...)
	}
	sum.Limit, sum.Left = s.budget()
	sum.Plan = hex.EncodeToString(h.Sum(nil))[:12]
	if sum.Records == 0 {
		sum.State = Done
	} else {
		sum.Brakes = append(sum.Brakes, s.Unread...)
	}
	return sum, s.Store.EndPlan(ctx, sum)
}

// brake notes the brakes that hold because of what is planned of a Writing.
func (s *Sink) brake(ctx context.Context, w Writing, m moves, sum *Summary) error {
	if m.records == 0 || s.Brakes == (Brakes{}) {
		return nil
	}
	held, err := s.Store.CountWritten(ctx, w.Name)
	if err != nil {
		return err
	}
	wrote, err := s.Store.EverWrote(ctx, w.Name)
	if err != nil {
		return err
	}
	sum.Brakes = append(sum.Brakes, s.Brakes.ofPlan(w, m, held, !wrote)...)
	return nil
}

// calls is how many calls of so many records each n records take.
func calls(n, size int) int { return (n + size - 1) / size }

// budget gives the limit of calls and what is left of it, when all Writings go to one CRM.
func (s *Sink) budget() (limit, left int) {
	for i, w := range s.Writings {
		b, ok := w.Target.(connectors.Budgeter)
		if !ok || i > 0 && w.Target != s.Writings[0].Target {
			return 0, 0
		}
		u := b.Usage()
		limit, left = u.Limit, u.Left
	}
	return limit, left
}

// cost adds what applying n changes will take.
func (w Writing) cost(sum *Summary, n int) {
	if n == 0 {
		return
	}
	if w.checksAtOnce(n) {
		sum.spend("check for edits", 1, false)
	} else {
		sum.spend("check for edits", calls(n, chunk), false)
	}
	if limits, ok := w.jobLimits(n); ok {
		sum.spend("send job", limits.Send, false)
		sum.spend("wait for job", limits.Wait, false)
		sum.spend("read results", limits.Results, false)
		return
	}
	sum.spend("write", calls(n, w.Target.WriteSize()), false)
}

// checksAtOnce tells whether n records are cheaper checked by asking the CRM
// what was changed since the plan was made than by reading each.
func (w Writing) checksAtOnce(n int) bool {
	_, ok := w.Target.(connectors.ChangeReader)
	return ok && n > chunk
}

// jobLimits gives the Target's when n changes of this Writing go as a job.
func (w Writing) jobLimits(n int) (connectors.JobLimits, bool) {
	target, ok := w.Target.(connectors.JobTarget)
	if !ok {
		return connectors.JobLimits{}, false
	}
	limits := target.JobLimits()
	return limits, limits.From > 0 && n > limits.From
}

// listed is how long lists for people get; the counts stay exact.
const listed = 20

// limited gives as many of more as a list for people has room for.
func limited(have, more []string) []string {
	return more[:max(0, min(len(more), listed-len(have)))]
}
