package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
)

const (
	// recountWindows is how many windows a night counts: each costs a call of a CRM.
	recountWindows = 12
	// recountMonths is how many months a window each is; what is older begins as one window.
	recountMonths = 24
	// recountEvery is a night: a sync each hour counts once.
	recountEvery = 20 * time.Hour
)

// Recounted is a window of a source's change times that was counted: how many
// records the source has in it, and what came of that.
type Recounted struct {
	Source  string        `json:"source"`
	From    time.Time     `json:"from,omitzero"` // zero: all before To
	To      time.Time     `json:"to"`
	Counted int           `json:"counted"`
	Known   int           `json:"known"` // at the last look; -1: it is the first
	Read    int           `json:"read"`  // again
	State   RecountResult `json:"state"`
}

// RecountResult says what a count came to.
type RecountResult string

// The results.
const (
	Verified RecountResult = "verified" // not more than were known, or all were read again
	Short    RecountResult = "short"    // the source gives fewer records than it counts
	Later    RecountResult = "later"    // too many to be read in this run
)

// Recount holds what the sources count, window by window, against what was read
// of them, and reads again where they have more; those that were looked at
// longest ago first, within a night's limits or all. A source that cannot be counted
// fails the run and does not stop the others.
// Faults: config (no such source), conflict (another run is at work).
func (p *Pipeline) Recount(ctx context.Context, all bool, names ...string) (r Report, done []Recounted, err error) {
	sources, err := p.sources(names)
	if err != nil {
		return r, nil, err
	}
	r, err = p.run(ctx, "recount", p.everything(), func(ctx context.Context, r *Report) (err error) {
		defer p.countCalls(ctx)
		how := byHand
		if all {
			how = everything
		}
		done, err = p.recount(ctx, r, sources, how)
		return err
	})
	return r, done, err
}

// recountNightly is the recount of a sync. It comes last, and nothing of it
// fails the run: what is to be written is written by then.
func (p *Pipeline) recountNightly(ctx context.Context, r *Report) error {
	last, err := p.store.Recounted(ctx)
	if err != nil || p.cfg.RecountRecords == 0 || p.opt.Now().Sub(last).Abs() < recountEvery {
		return err
	}
	defer p.countCalls(ctx)
	if _, err := p.recount(ctx, r, p.free(&Report{}, p.cfg.Sources), nightly); err != nil {
		return err
	}
	return p.store.SetRecounted(ctx, p.opt.Now())
}

// recounter counts and reads windows within limits.
type recounter struct {
	*Pipeline
	report *Report
	recountKind
	queue  []windowOf
	counts int // windows that may be counted yet
	left   int // records that may be read yet
	most   int // a window that has more is split
	open   map[string]*countable
	broken map[string]bool // sources that failed
	done   []Recounted
}

// recountKind says how far a recount goes.
type recountKind struct {
	nightly bool // not what was read completely the night before
	all     bool // without limits
}

var (
	nightly    = recountKind{nightly: true}
	byHand     = recountKind{}
	everything = recountKind{all: true}
)

type windowOf struct {
	source config.Source
	store.Counted
}

// countable is an opened source that can count.
type countable struct {
	connectors.Source
	connectors.Counter
	mapper *mapper
}

func (p *Pipeline) recount(ctx context.Context, r *Report, sources []config.Source, kind recountKind) ([]Recounted, error) {
	c := recounter{Pipeline: p, report: r, recountKind: kind, counts: recountWindows, left: p.cfg.RecountRecords, most: max(1, p.cfg.RecountRecords),
		open: map[string]*countable{}, broken: map[string]bool{}}
	defer func() {
		for _, o := range c.open {
			_ = o.Close() // it only read
		}
	}()
	for _, src := range sources {
		if err := c.windows(ctx, src); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(c.queue, func(x, y windowOf) int { return cmp.Or(x.At.Compare(y.At), x.To.Compare(y.To)) })
	before, err := p.store.Run(ctx, r.Run)
	if err != nil {
		return nil, err
	}
	for (c.counts > 0 || c.all) && len(c.queue) > 0 {
		w := c.queue[0]
		c.queue = c.queue[1:]
		if c.broken[w.source.Name] {
			continue
		}
		c.counts--
		if c.all {
			c.left = c.most
		}
		err := c.look(ctx, w)
		switch {
		case ctx.Err() != nil:
			return c.done, ctx.Err()
		case err != nil && !kind.nightly: // a person waits for the count that this run was for
			r.Errors = append(r.Errors, fmt.Errorf("%s: %w", w.source.Name, err))
			if c.broken[w.source.Name] = true; parks(err) {
				return c.done, c.fold(ctx, before)
			}
		case fault.KindOf(err) == fault.Quota:
			p.log.Info("the calls are used up; the recount goes on in the next night", "error", err)
			return c.done, c.fold(ctx, before)
		case err != nil:
			c.broken[w.source.Name] = true
			r.Notes = append(r.Notes, fmt.Sprintf("%s could not be counted: %s", w.source.Name, said(err)))
		}
	}
	return c.done, c.fold(ctx, before)
}

// windows puts the windows of a source into the queue, those too that have closed since the last time.
func (c *recounter) windows(ctx context.Context, src config.Source) error {
	until, err := c.readUntil(ctx, src.Name)
	if err != nil || until.IsZero() { // what tells no change times, as files and mailboxes, is read completely each week instead
		return err
	}
	revision, began, err := c.store.ReadToEnd(ctx, src.Name)
	if err != nil || revision == 0 || c.nightly && c.opt.Now().Sub(began) < recountEvery { // all of it was just read
		return err
	}
	have, err := c.store.CountedWindows(ctx, src.Name)
	if err != nil {
		return err
	}
	month := time.Date(until.Year(), until.Month(), 1, 0, 0, 0, 0, time.UTC)
	var new []connectors.Interval
	from := month.AddDate(0, -recountMonths, 0)
	if len(have) > 0 {
		from = have[len(have)-1].To
	} else {
		new = append(new, connectors.Interval{To: from})
	}
	for from.Before(month) {
		to := time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		new = append(new, connectors.Interval{From: from, To: to})
		from = to
	}
	if len(new) > 0 {
		if err := c.store.SplitCounted(ctx, src.Name, store.Counted{}, new); err != nil {
			return err
		}
	}
	for _, i := range new {
		have = append(have, store.Counted{Interval: i})
	}
	for _, w := range have {
		c.queue = append(c.queue, windowOf{src, w})
	}
	return nil
}

// readUntil gives the time of change up to which a source was read; zero when it tells none.
func (p *Pipeline) readUntil(ctx context.Context, source string) (until time.Time, err error) {
	intervals, err := p.store.Intervals(ctx, source)
	for _, i := range intervals {
		if i.To.After(until) {
			until = i.To
		}
	}
	return until, err
}

// look counts one window. Fewer records than at the last look are no news: who
// changes a record takes it into the window of today, and deletions are read by
// themselves. More are records that reading by change times has missed.
func (c *recounter) look(ctx context.Context, w windowOf) error {
	o, err := c.opened(ctx, w.source)
	if err != nil || o == nil {
		return err
	}
	n, err := o.Count(ctx, w.Interval)
	if err != nil {
		return err
	}
	res := Recounted{Source: w.source.Name, From: w.From, To: w.To, Counted: n, Known: w.Records, State: Verified}
	if w.At.IsZero() {
		res.Known = -1
	}
	if n > res.Known && n > 0 {
		halves := w.halves()
		switch {
		case n > c.most && halves != nil:
			if err := c.store.SplitCounted(ctx, w.source.Name, w.Counted, halves); err != nil {
				return err
			}
			c.queue = slices.Insert(c.queue, 0, windowOf{w.source, store.Counted{Interval: halves[0]}}, windowOf{w.source, store.Counted{Interval: halves[1]}})
			return nil
		case n > c.left && c.left < c.most: // more than is left of this night, and it can wait
			res.State = Later
			c.done = append(c.done, res)
			return nil
		}
		if res.Read, err = c.readAgain(ctx, o, w.Interval); err != nil {
			return err
		}
		c.left -= res.Read
		if res.Read < n { // some may have been changed meanwhile
			if n, err = o.Count(ctx, w.Interval); err != nil {
				return err
			}
		}
		if res.Read < n {
			res.State = Short
			c.report.partial("%s: it counts %d records that were changed %s, and gives %d of them; see that no right or filter hides the others",
				w.source.Name, n, span(w.Interval), res.Read)
		}
	}
	c.done = append(c.done, res)
	w.Records, w.At = n, c.opt.Now()
	if res.State == Short {
		w.At = time.Time{}
	}
	return c.store.SetCounted(ctx, w.source.Name, w.Counted)
}

// opened opens a source once; nil when it cannot count.
func (c *recounter) opened(ctx context.Context, src config.Source) (*countable, error) {
	if o := c.open[src.Name]; o != nil {
		return o, nil
	}
	conn, err := c.conn(ctx, src.Connection)
	if err != nil {
		return nil, err
	}
	source, err := conn.Source(ctx, src.Stream)
	if err != nil {
		return nil, err
	}
	counter, ok := source.(connectors.Counter)
	if !ok || !counter.Counts() {
		c.broken[src.Name] = true
		return nil, source.Close()
	}
	o := &countable{Source: source, Counter: counter}
	c.open[src.Name] = o
	revision, _, err := c.store.ReadToEnd(ctx, src.Name)
	if err != nil {
		return nil, err
	}
	sr := SourceReport{Skips: map[string]int{}, Unfound: map[string]int{}} // nobody reads it: the pull has told of these records
	o.mapper = &mapper{Mapping: c.mappings[src.Name], source: src.Name, run: c.report.Run, at: c.opt.Now(), report: &sr, titles: map[string]int{}, revision: revision}
	_, err = c.informed(ctx, o.mapper)
	return o, err
}

// readAgain reads a window as a pull would, but for the cursor, which stays.
func (c *recounter) readAgain(ctx context.Context, o *countable, window connectors.Interval) (read int, err error) {
	for after := o.Window(window); ; {
		b, err := o.Read(ctx, after, batchSize)
		if err != nil {
			return read, err
		}
		out := o.mapper.batch(b)
		out.Retried, out.Interval = true, connectors.Interval{}
		if err := c.store.SaveBatch(ctx, out); err != nil {
			return read, err
		}
		read += out.Read
		if after = b.Next; !b.More {
			return read, nil
		}
	}
}

// fold merges what was read again, and tells what of it had been missing.
func (c *recounter) fold(ctx context.Context, before store.Run) error {
	if !slices.ContainsFunc(c.done, func(r Recounted) bool { return r.Read > 0 }) {
		return nil
	}
	if _, err := c.Pipeline.fold(ctx); err != nil {
		return err
	}
	after, err := c.store.Run(ctx, c.report.Run)
	if err != nil {
		return err
	}
	stored := map[string]int{}
	for _, s := range before.Sources {
		stored[s.Source] -= s.Stored
	}
	for _, s := range after.Sources {
		if !s.Balanced() {
			return fault.New(fault.Internal, s.Source, "the sums of the recount do not balance", "report this", nil)
		}
		stored[s.Source] += s.Stored
	}
	for _, source := range slices.Sorted(maps.Keys(stored)) {
		if n := stored[source]; n > 0 {
			c.report.Notes = append(c.report.Notes, fmt.Sprintf("%s: %d records had been missing, or were known otherwise; the recount brought them", source, n))
		}
	}
	return nil
}

// oldest is about when the oldest records of any system were changed.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// halves cuts a window in two; nil when it is as short as an hour.
func (w windowOf) halves() []connectors.Interval {
	from := w.From
	if from.IsZero() && w.To.After(oldest) {
		from = oldest
	}
	half := w.To.Sub(from) / 2
	if half < time.Hour {
		return nil
	}
	middle := from.Add(half).Truncate(time.Hour)
	return []connectors.Interval{{From: w.From, To: middle}, {From: middle, To: w.To}}
}

// span says when records of a window were changed.
func span(i connectors.Interval) string {
	if i.From.IsZero() {
		return "before " + i.To.Format(time.DateOnly)
	}
	if i.To.Equal(i.From.AddDate(0, 1, 0)) {
		return "in " + i.From.Format("2006-01")
	}
	return "from " + i.From.Format(time.DateTime) + " to " + i.To.Format(time.DateTime)
}

// verified gives the end of the windows, from the first, in which a source was
// found to have no more records than were read, and when the one that was looked at longest ago was.
func (p *Pipeline) verified(ctx context.Context, source string) (until, checked time.Time, err error) {
	windows, err := p.store.CountedWindows(ctx, source)
	for _, w := range windows {
		if w.At.IsZero() {
			break
		}
		until = w.To
		if checked.IsZero() || w.At.Before(checked) {
			checked = w.At
		}
	}
	return until, checked, err
}
