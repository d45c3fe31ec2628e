package pipeline

import (
	"context"
	"fmt"
	"slices"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/store"
	"energyd/mapping"
)

// Fate is what a pull would do with a record.
type Fate string

// The fates. Only what is New or Changed, and a Rejected or Skipped record's
// remains, would be written; of an Unchanged one the store holds the same already.
const (
	New        Fate = "new"
	Changed    Fate = "changed"
	Unchanged  Fate = "unchanged"
	Older      Fate = "older"      // the store holds a newer version, which stays
	Superseded Fate = "superseded" // another record of this pull gives a newer version of the same
	Skipped    Fate = "skipped"
	Rejected   Fate = "rejected"
)

// Shown is one record of a dry run, and what would be kept of it: one of
// Activity, Profile and Reject, or nothing. Of a skipped record that has an id
// the Activity is a tombstone: the id, in case that it was a contact before.
type Shown struct {
	Source, Key, Origin string
	Fate                Fate
	Reason              string // of a skip
	Activity            *engine.Activity
	Profile             *engine.Profile
	Reject              *connectors.Reject
}

// DryRunOptions say what a dry run reads.
type DryRunOptions struct {
	FromBeginning bool // and not from where the last pull ended
	Limit         int  // records of each source; 0 = all
}

// DryRunSource is what a dry run of one source came to.
type DryRunSource struct {
	Source  string         `json:"source"`
	Read    int            `json:"read"`
	Fates   map[Fate]int   `json:"fates"`
	Skips   map[string]int `json:"skips,omitempty"`
	Unfound map[string]int `json:"unfound,omitempty"`
	Again   store.Again    `json:"reread,omitempty"` // why a pull would read everything again
	More    bool           `json:"more,omitempty"`   // there are further records after Limit
	Error   string         `json:"error,omitempty"`
}

// DryRun reads and maps as Pull does, and gives what would be kept of each
// record in the order in which they were read. It stores nothing: no record, no
// reject, no cursor and no run; only the calls that it makes to the systems count.
// Sources of the directory that are read before others are known to these.
// A source that fails does not stop the others. Faults: config (no such source), and what the store gives.
func (p *Pipeline) DryRun(ctx context.Context, opt DryRunOptions, show func(Shown) error, names ...string) (sums []DryRunSource, errs []error, err error) {
	sources, err := p.sources(names)
	if err != nil {
		return nil, nil, err
	}
	sketch, err := p.store.Sketch(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer p.countCalls(ctx)
	for _, src := range sources {
		d := dryRun{pipeline: p, opt: opt, sketch: sketch, sum: DryRunSource{Source: src.Name, Fates: map[Fate]int{}}}
		err := d.read(ctx, src)
		if ctx.Err() != nil {
			return sums, errs, ctx.Err()
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", src.Name, err)
			d.sum.Error = err.Error()
			errs = append(errs, err)
		}
		sums = append(sums, d.sum)
		for _, s := range d.shown {
			if err := show(s); err != nil {
				return sums, errs, err
			}
		}
	}
	return sums, errs, nil
}

// dryRun is the dry run of one source.
type dryRun struct {
	pipeline *Pipeline
	opt      DryRunOptions
	sketch   *store.Sketch
	sum      DryRunSource
	shown    []Shown
	rejects  map[string]int        // by key, which of shown would stand
	holds    map[string]int        // by activity's id, which of shown would stand
	profiles map[engine.Entity]int // by entity, which of shown would stand
}

func (d *dryRun) read(ctx context.Context, src config.Source) error {
	p := d.pipeline
	conn, err := p.conn(ctx, src.Connection)
	if err != nil {
		return err
	}
	source, err := conn.Source(ctx, src.Stream)
	if err != nil {
		return err
	}
	defer source.Close()
	sr := SourceReport{Skips: map[string]int{}, Unfound: map[string]int{}}
	m := &mapper{Mapping: p.mappings[src.Name], source: src.Name, at: p.opt.Now(), report: &sr, titles: map[string]int{}, ranks: p.ranks(d.sketch)}
	d.sum.Skips, d.sum.Unfound = sr.Skips, sr.Unfound
	d.rejects, d.holds, d.profiles = map[string]int{}, map[string]int{}, map[engine.Entity]int{}
	reading, after, err := p.store.NextReading(ctx, src.Name, m.Fingerprint(), m.at, src.Reread)
	if err != nil {
		return err
	}
	m.revision, d.sum.Again = reading.Revision, reading.Again
	if m.directory, err = p.matching(ctx, m.Mapping, d.sketch, d.sketch.Profiles, d.sketch.Change()); err != nil {
		return err
	}
	if m.erased, err = p.store.Erased(ctx); err != nil {
		return err
	}
	if m.erasing, err = p.store.Erasing(ctx, src.Name, reading.Revision); err != nil {
		return err
	}
	if d.opt.FromBeginning {
		after = ""
	}
	if reading.Again == "" {
		if err := d.waiting(ctx, m); err != nil {
			return err
		}
	}
	for {
		n := batchSize
		if d.opt.Limit > 0 {
			n = min(n, d.opt.Limit-d.sum.Read)
		}
		b, err := source.Read(ctx, after, n)
		if err != nil {
			return err
		}
		if err := d.batch(ctx, m, b); err != nil {
			return err
		}
		if after = b.Next; !b.More {
			return nil
		}
		if d.full() {
			d.sum.More = true
			return nil
		}
	}
}

func (d *dryRun) full() bool { return d.opt.Limit > 0 && d.sum.Read >= d.opt.Limit }

func (d *dryRun) batch(ctx context.Context, m *mapper, b connectors.Batch) error {
	for reason, n := range b.Skipped {
		d.sum.Read += n
		d.sum.Fates[Skipped] += n
		m.report.Skips[reason] += n
	}
	out := store.Batch{Rejects: b.Rejects}
	m.withoutErased(&out)
	d.sum.Read += out.Skipped
	d.sum.Fates[Skipped] += out.Skipped
	for _, r := range out.Rejects {
		d.sum.Read++
		d.keep(Shown{Source: m.source, Key: r.Key, Origin: r.Origin, Fate: Rejected, Reject: &r})
	}
	for _, rec := range b.Records {
		if d.full() {
			d.sum.More = true
			return nil
		}
		d.sum.Read++
		res, reject := m.record(rec, m.at)
		if err := d.became(ctx, m, rec, res, reject); err != nil {
			return err
		}
	}
	return nil
}

// waiting tries the rejects again that a pull would try, and shows those that come through.
func (d *dryRun) waiting(ctx context.Context, m *mapper) error {
	for w, err := range d.pipeline.store.Waiting(ctx, m.source, m.revision, d.sketch.Change()) {
		if err != nil {
			return err
		}
		rec := waitingRecord(w, nil)
		res, reject := m.record(rec, w.Seen)
		if reject != nil && reject.Waits {
			continue
		}
		d.sum.Read++
		if err := d.became(ctx, m, rec, res, reject); err != nil {
			return err
		}
	}
	return nil
}

// became notes what a record would become.
func (d *dryRun) became(ctx context.Context, m *mapper, rec connectors.Record, res mapping.Result, reject *connectors.Reject) error {
	if res.Parts != nil {
		if err := d.parts(ctx, m, rec, res, reject); err != nil || reject == nil && res.Skip == "" {
			count(m.report.Unfound, res.Unfound)
			return err
		}
	}
	s := Shown{Source: m.source, Key: rec.Key, Origin: rec.Origin, Reject: reject, Activity: res.Activity, Profile: res.Profile}
	if reject != nil {
		s.Fate, s.Activity, s.Profile = Rejected, nil, nil
		d.keep(s)
		return nil
	}
	count(m.report.Unfound, res.Unfound)
	if res.Skip != "" {
		s.Fate, s.Reason = Skipped, res.Skip
		m.report.Skips[res.Skip]++
	}
	var err error
	switch {
	case s.Profile != nil:
		err = d.profile(ctx, m, &s)
	case s.Activity != nil:
		err = d.activity(ctx, &s)
	}
	d.keep(s)
	return err
}

// parts notes the contacts that a record would become, and those that it would be no more.
func (d *dryRun) parts(ctx context.Context, m *mapper, rec connectors.Record, res mapping.Result, reject *connectors.Reject) error {
	parts := m.parts(rec, res, reject != nil)
	gone, err := d.pipeline.store.Gone(ctx, m.source, m.revision, parts)
	if err != nil {
		return err
	}
	for _, a := range append(slices.Clone(parts.Activities), gone...) {
		s := Shown{Source: m.source, Key: rec.Key, Origin: rec.Origin, Activity: &a}
		if err := d.activity(ctx, &s); err != nil {
			return err
		}
		d.keep(s)
	}
	return nil
}

func (d *dryRun) keep(s Shown) {
	if s.Reject != nil { // one is kept of each key
		if earlier, again := d.rejects[s.Reject.Key]; again {
			d.lost(earlier)
		}
		d.rejects[s.Reject.Key] = len(d.shown)
	}
	d.sum.Fates[s.Fate]++
	d.shown = append(d.shown, s)
}

// lost notes that an earlier record of this dry run gives way.
func (d *dryRun) lost(i int) {
	s := &d.shown[i]
	s.Activity, s.Profile, s.Reject = nil, nil, nil
	if s.Fate != Skipped {
		d.sum.Fates[s.Fate]--
		d.sum.Fates[Superseded]++
		s.Fate = Superseded
	}
}

func (d *dryRun) profile(ctx context.Context, m *mapper, s *Shown) error {
	kept, stored, err := d.sketch.Put(ctx, *s.Profile, m.revision)
	if err != nil {
		return err
	}
	e := s.Profile.Entity
	earlier, again := d.profiles[e]
	switch {
	case !stored:
		s.Fate, s.Profile = Unchanged, nil
		return nil
	case again:
		s.Fate = d.shown[earlier].Fate
		d.lost(earlier)
	default:
		_, known, err := d.pipeline.store.Profile(ctx, e)
		if err != nil {
			return err
		}
		s.Fate = New
		if known {
			s.Fate = Changed
		}
	}
	s.Profile = &kept
	d.profiles[e] = len(d.shown)
	return nil
}

// activity compares with what stands and with what came before in this dry run.
func (d *dryRun) activity(ctx context.Context, s *Shown) error {
	fate := New
	was, known, err := d.pipeline.store.Activity(ctx, s.Source, s.Activity.ID)
	if err != nil {
		return err
	}
	switch {
	case known && engine.Supersedes(&was, s.Activity):
		fate = Older
	case known && store.SaysTheSame(&was, s.Activity):
		fate = Unchanged
	case known:
		fate = Changed
	}
	earlier, again := d.holds[s.Activity.ID]
	switch {
	case fate == Older:
	case again && !engine.Supersedes(s.Activity, d.shown[earlier].Activity):
		fate = Superseded
	case again:
		d.lost(earlier)
		fallthrough
	default:
		d.holds[s.Activity.ID] = len(d.shown)
	}
	if fate == Older || fate == Superseded {
		s.Activity = nil
	}
	if s.Fate == "" {
		s.Fate = fate
	}
	return nil
}

// Personal names the parts of what is kept that tell of a person, as the JSON of a dry run names them.
func (s Shown) Personal() []string {
	var parts []string
	add := func(there bool, names ...string) {
		if there {
			parts = append(parts, names...)
		}
	}
	if a := s.Activity; a != nil {
		add(len(a.People) > 0, "participants")
		add(len(a.Reps) > 0, "reps")
		if a.Link != nil {
			add(true, "id") // the mail's own
			add(a.Link.Message != "", "message")
			add(a.Link.Thread != "", "thread")
			add(a.Link.Answers != "", "answers")
		}
	}
	if p := s.Profile; p != nil {
		isPerson := p.Kind == engine.Contact || p.Kind == engine.Rep
		add(isPerson, "id")
		add(isPerson && p.Name != "", "name")
		add(isPerson && p.Title != "", "title")
		add(isPerson && len(p.Keys) > 0, "keys")
		add(p.Owner != "", "owner")
	}
	if s.Reject != nil { // nobody knows what it holds
		add(true, "key")
		add(s.Reject.Origin != "", "origin")
		add(true, "reason")
		add(len(s.Reject.Fields) > 0, "fields")
	}
	return parts
}

// Sorted gives the fates that there were, in the order in which they are explained.
func (s DryRunSource) Sorted() []Fate {
	order := []Fate{New, Changed, Unchanged, Older, Superseded, Skipped, Rejected}
	return slices.DeleteFunc(order, func(f Fate) bool { return s.Fates[f] == 0 })
}
