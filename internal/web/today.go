package web

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// today is what changed overnight and what asks for somebody.
type today struct {
	Alarms    []pipeline.Raised  `json:"alarms"`               // the least likely first, mostAlarms at most
	AllAlarms int                `json:"all_alarms"`           // that stand and that people are told of
	New       int                `json:"new_alarms"`           // of them, decided on the last day on which any was
	Arrivals  []pipeline.Arrival `json:"arrivals,omitempty"`   // people who are at another customer now
	Plan      *sink.Summary      `json:"plan,omitempty"`       // open, parked or being applied
	Applied   *applied           `json:"applied,omitempty"`    // what the last night wrote
	Bands     *bandChanges       `json:"bands,omitempty"`      // which customers the latest plan moves into another band; nil where the CRM is given none
	Runs      []runRow           `json:"runs"`                 // the latest first
	Sources   []sourceRow        `json:"sources"`              // in the configuration's order
	Budgets   []store.SeenUsage  `json:"budgets,omitempty"`    // of connections that count their calls
	Starts    []startRow         `json:"starts,omitempty"`     // what runs next
	Advice    []string           `json:"advice,omitempty"`     // what to do about what is not as it should be
	ReviewDue string             `json:"review_due,omitempty"` // since when the points table should be reviewed

	Operates bool `json:"-"` // the reader may see what operations show
}

// applied is a plan that was sent.
type applied struct {
	Plan    string `json:"plan"`
	Run     string `json:"run"`
	AsOf    string `json:"as_of"`
	Records int    `json:"records"` // of the CRM
	Fields  int    `json:"fields"`  // in them
}

// bandChanges are the customers who are in another band since the CRM was written to before.
type bandChanges struct {
	AsOf   string    `json:"as_of"`
	Warmer int       `json:"warmer"`
	Colder int       `json:"colder"`
	Top    []bandRow `json:"customers"` // mostBands of the warmer ones, then of the colder ones, the largest changes first
}

// More tells that not all are named.
func (b *bandChanges) More() bool { return b.Warmer+b.Colder > len(b.Top) }

// bandRow is one of them.
type bandRow struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Warmer bool     `json:"warmer"`
	From   string   `json:"from"` // bands in the reader's language
	To     string   `json:"to"`
	Was    *float64 `json:"was,omitempty"` // temperatures, points
	Is     *float64 `json:"is,omitempty"`
}

// runRow is a run with its sums (rule 1).
type runRow struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	State    string          `json:"state"` // ok, partial, parked, failed, running, interrupted
	Started  time.Time       `json:"started"`
	Took     time.Duration   `json:"took_ns,omitempty"`
	Message  string          `json:"message,omitempty"`
	Sum      store.RunSource `json:"sum"` // over all sources
	Balanced bool            `json:"balanced"`
}

// sourceRow is how fresh and how complete a source is.
type sourceRow struct {
	Name     string    `json:"source"`
	Read     bool      `json:"read"`                    // at least once
	Until    time.Time `json:"read_up_to,omitzero"`     // changes before this were read
	Verified time.Time `json:"verified_up_to,omitzero"` // up to this the source was counted, and nothing was missing
	Rejects  int       `json:"rejects"`
}

// startRow is a job that starts next.
type startRow struct {
	Source   string    `json:"source,omitempty"` // "" = the whole sync
	Schedule string    `json:"schedule"`
	At       time.Time `json:"at,omitzero"`
	After    string    `json:"after,omitempty"` // of another source
	News     bool      `json:"on_news,omitempty"`
	Missed   bool      `json:"missed,omitempty"`
}

// daily is a schedule of one time of every day: "0 2 * * *".
var daily = regexp.MustCompile(`^([0-5]?[0-9]) ([01]?[0-9]|2[0-3]) \* \* \*$`)

// Words tells the schedule as people say it, where that is short.
func (r startRow) Words() text {
	at := daily.FindStringSubmatch(r.Schedule)
	if at == nil {
		return text{Ja: r.Schedule, En: r.Schedule}
	}
	clock := fmt.Sprintf("%02s:%02s", at[2], at[1])
	return text{Ja: "毎日 " + clock, En: "every day at " + clock}
}

// RejectsPath is the page of what is kept back of the source.
func (r sourceRow) RejectsPath() string { return "/rejects?" + chosen{Source: r.Name}.Query() }

// Kept is how many records of all sources are kept back.
func (t *today) Kept() (n int) {
	for _, s := range t.Sources {
		n += s.Rejects
	}
	return n
}

// ReadSources is how many sources were read at least once.
func (t *today) ReadSources() (n int) {
	for _, s := range t.Sources {
		if s.Read {
			n++
		}
	}
	return n
}

// mostAlarms is how many alarms the page lists: who has more looks at the list of them all.
const mostAlarms = 20

func viewToday(ctx context.Context, v *visit) (*today, error) {
	s, err := v.p.Status(ctx)
	if err != nil {
		return nil, err
	}
	alarms, err := v.p.In(v.language).Alarms(ctx, false)
	if err != nil {
		return nil, err
	}
	if v.reader.OwnOnly { // of a move two customers are told, with two owners
		alarms = slices.DeleteFunc(alarms, func(a pipeline.Raised) bool { return !v.reader.MaySee(a.Rep) })
		s.Arrivals = nil
	}
	if s.Plan != nil && v.may(signon.Manager) != nil { // the records that it names stand on its own page, which asks for a manager
		counts := s.Plan.Counts()
		s.Plan = &counts
	}
	t := &today{AllAlarms: len(alarms), Arrivals: s.Arrivals, Budgets: s.Budgets, Plan: s.Plan, Advice: s.Advice, Operates: v.may(signon.Manager) == nil}
	last := ""
	for _, a := range alarms {
		last = max(last, a.Decided)
	}
	for _, a := range alarms {
		if a.Decided == last {
			t.New++
		}
	}
	t.Alarms = alarms[:min(len(alarms), mostAlarms)]
	for _, r := range s.Runs {
		t.Runs = append(t.Runs, runOf(r, s.StateOf(r)))
	}
	for _, src := range s.Sources {
		t.Sources = append(t.Sources, sourceOf(src))
	}
	for _, b := range s.Starts {
		t.Starts = append(t.Starts, startOf(b))
	}
	if s.Review.Overdue {
		t.ReviewDue = s.Review.Due
	}
	if plan, ok, err := v.store().Plan(ctx, ""); err != nil {
		return nil, err
	} else if ok && plan.State == sink.Done {
		t.Applied = &applied{Plan: plan.Plan, Run: plan.Run, AsOf: plan.AsOf, Records: plan.Records, Fields: plan.Fields}
	}
	t.Bands, err = v.bandChanges(ctx)
	return t, err
}

// mostBands is how many customers of each direction the page names.
const mostBands = 5

// bandChanges are those of the latest plan, sent or not.
func (v *visit) bandChanges(ctx context.Context) (*bandChanges, error) {
	if !slices.ContainsFunc(v.p.Config().Write, func(w config.Write) bool { return w.Entity == engine.Account && w.Fields["band"] != "" }) {
		return nil, nil
	}
	plan, ok, err := v.store().Plan(ctx, "")
	if err != nil || !ok {
		return nil, err
	}
	all, err := hold(ctx, v, "bands "+plan.Run, func(ctx context.Context, p *pipeline.Pipeline) (pipeline.BandChanges, error) {
		return p.BandChanges(ctx, plan)
	})
	if err != nil {
		return nil, err
	}
	b := &bandChanges{AsOf: plan.AsOf, Top: []bandRow{}}
	var colder []bandRow
	for _, c := range all {
		if v.reader.OwnOnly && !v.reader.MaySee(c.Rep) {
			continue
		}
		row := bandRow{ID: c.ID, Name: c.Name, Warmer: c.Warmer(), From: v.band(c.From), To: v.band(c.To), Was: c.Was, Is: c.Is}
		if row.Warmer {
			if b.Warmer++; b.Warmer <= mostBands {
				b.Top = append(b.Top, row)
			}
		} else if b.Colder++; b.Colder <= mostBands {
			colder = append(colder, row)
		}
	}
	b.Top = append(b.Top, colder...)
	return b, nil
}

// sourceOf is a source as pages show it.
func sourceOf(s pipeline.SourceStatus) sourceRow {
	return sourceRow{Name: s.Name, Read: s.Read, Until: s.Until, Verified: s.Verified, Rejects: s.Rejects}
}

// startOf is what runs next as pages show it.
func startOf(b pipeline.Start) startRow {
	return startRow{Source: b.Source, Schedule: b.Schedule.String(), At: b.At, After: b.Schedule.After(), News: b.Schedule.OnNews(), Missed: b.Missed}
}

// runOf is a run as pages show it.
func runOf(r store.Run, state string) runRow {
	row := runRow{ID: r.ID, Kind: r.Kind, State: state, Started: r.Started, Message: r.Message, Balanced: true}
	if !r.Ended.IsZero() {
		row.Took = r.Ended.Sub(r.Started)
	}
	for _, s := range r.Sources {
		row.Sum.Read += s.Read
		row.Sum.Stored += s.Stored
		row.Sum.Unchanged += s.Unchanged
		row.Sum.Skipped += s.Skipped
		row.Sum.Rejected += s.Rejected
		row.Balanced = row.Balanced && s.Balanced()
	}
	return row
}
