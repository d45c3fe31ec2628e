package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// batchSize is how many records are read, mapped and saved at once. It bounds memory.
const batchSize = 20_000

// Report is what a run came to.
type Report struct {
	Run     string           `json:"run"`
	State   store.RunState   `json:"state"`
	Notes   []string         `json:"notes,omitempty"` // why it is not ok, kept with the run
	Sources []SourceReport   `json:"sources,omitempty"`
	Fold    *store.FoldStats `json:"fold,omitempty"`
	Titles  map[string]int   `json:"unknown_titles,omitempty"` // titles without a rank, with how often they were met
	// Warnings are what an admin should know before a plan is sent; they stop nothing.
	Warnings []string `json:"warnings,omitempty"`
	Errors   []error  `json:"-"` // of sources that failed; the others went on
}

// partial notes why a run that finished is not ok.
func (r *Report) partial(format string, args ...any) {
	if r.State == store.Running || r.State == store.OK {
		r.State = store.Partial
	}
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// SourceReport is what one source gave: Read = Stored + Unchanged + Skipped + Rejected.
type SourceReport struct {
	store.RunSource
	Skips     map[string]int `json:"skips,omitempty"`     // skipped records by reason
	Unfound   map[string]int `json:"unfound,omitempty"`   // contacts, deals and reps that the CRM does not know, left out of activities
	Reread    store.Again    `json:"reread,omitempty"`    // why everything was read again; "" when it was not
	Withdrawn int            `json:"withdrawn,omitempty"` // activities, and entries of the directory, that a complete reading did not find again
	Kept      string         `json:"kept,omitempty"`      // why what it did not find again stays, and what to do; "" when nothing does
	Retried   int            `json:"retried,omitempty"`   // records that were rejected in earlier runs and came through now; Read counts them
	Undecided int            `json:"undecided,omitempty"` // names that may mean several accounts or contacts; a person decides (energyd match)
	Error     string         `json:"error,omitempty"`

	asked    map[string]store.Asked // by key
	revision uint32                 // of the reading; 0 when the source was not read
}

// Pull reads new and changed records of the named sources (all when none is
// named) into the store and folds them into the scores. A source that fails
// does not stop the others. Faults: config (no such source), and what the store gives.
func (p *Pipeline) Pull(ctx context.Context, names ...string) (Report, error) {
	sources, err := p.sources(names)
	if err != nil {
		return Report{}, err
	}
	return p.run(ctx, "pull", p.PullLanes(names...), func(ctx context.Context, r *Report) error {
		if err := p.pull(ctx, sources, r); err != nil {
			return err
		}
		return p.settle(ctx, r)
	})
}

// settle marks what falls due by the date alone, and searches for alarms: the end of a run without a plan.
func (p *Pipeline) settle(ctx context.Context, r *Report) error {
	if _, err := p.store.MarkDue(ctx, p.scorer(), p.AsOf()); err != nil {
		return err
	}
	return p.raise(ctx, r)
}

// run wraps a run's steps in its record and its lanes: whatever happens, it ends
// with a state. Faults: conflict (another run is at work, or has done it meanwhile).
func (p *Pipeline) run(ctx context.Context, kind string, lanes Lanes, steps func(context.Context, *Report) error) (r Report, err error) {
	if p.AsOf() > p.today() {
		return r, fault.New(fault.Config, kind, fmt.Sprintf("%s lies in the future", p.AsOf()),
			"leave --as-of out; explain, export and score can look ahead", nil)
	}
	if p.hold, err = p.lock(ctx, lanes); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.hold.Leave()) }()
	ctx, cancel := p.hold.While(ctx)
	defer cancel()
	if err := p.stillToDo(ctx, kind); err != nil {
		return r, err
	}
	if r.Run, err = p.store.BeginRun(ctx, kind, p.opt.Now(), p.hold.Lanes()...); err != nil {
		return r, err
	}
	if p.errand != 0 {
		if err := p.store.BeginErrand(ctx, p.errand, r.Run); err != nil {
			return r, err
		}
	}
	if slices.Contains(lanes.Must, store.Scores) {
		p.purge(ctx)
	}
	p.log = p.opt.Log.With("run", r.Run)
	defer func() { p.log = p.opt.Log }()
	p.log.Info("run begins", "kind", kind)
	ctx, told := p.observe(ctx, kind, r.Run)
	defer func() { told(&r, err) }()
	if err = p.noteConfiguration(ctx, r.Run); err == nil {
		err = p.store.WakeRejects(ctx, p.opt.Now())
	}
	if err == nil {
		err = steps(ctx, &r)
	}
	failures := r.Errors
	if err != nil {
		failures = append(failures, err)
	}
	whole := slices.DeleteFunc(slices.Clone(failures), partly)
	switch {
	case len(whole) > 0:
		r.State = store.Failed
		if !slices.ContainsFunc(whole, func(err error) bool { return !parks(err) }) {
			r.State = store.Parked
		}
	case r.State == store.Parked:
	case len(failures) > 0:
		r.State = store.Partial
	case r.State == store.Running:
		r.State = store.OK
	}
	for _, f := range failures {
		r.Notes = append(r.Notes, said(f))
	}
	if err != nil && ctx.Err() != nil {
		r.Notes = []string{store.Interrupted} // whatever else it says comes of that
		err = errors.Join(context.Cause(ctx), err)
	}
	// The run's end is kept even when the run was told to stop.
	end := context.WithoutCancel(ctx)
	if endErr := p.store.FinishRun(end, r.Run, p.opt.Now(), r.State, strings.Join(r.Notes, "\n")); endErr != nil {
		return r, errors.Join(err, endErr)
	}
	p.tellSources(&r)
	p.log.Info("run ends", "state", string(r.State))
	return r, err
}

// stillToDo refuses a run that another one, which had the lanes before, has done.
func (p *Pipeline) stillToDo(ctx context.Context, kind string) error {
	done := false
	if p.done != nil {
		last, err := p.store.LastStarts(ctx)
		if err != nil {
			return err
		}
		done = p.done(last)
	}
	if p.errand != 0 && !done {
		e, ok, err := p.store.Errand(ctx, p.errand)
		if err != nil {
			return err
		}
		done = !ok || !e.Ended.IsZero()
	}
	if done {
		return fault.New(fault.Conflict, kind, "another process has done it meanwhile", "energyd status shows its run", nil)
	}
	return nil
}

// tellSources logs what became of each source.
func (p *Pipeline) tellSources(r *Report) {
	for _, s := range r.Sources {
		if log := p.log.With("source", s.Source); s.Error != "" {
			log.Warn("source failed", "error", s.Error)
		} else {
			log.Info("source read", "read", s.Read, "stored", s.Stored, "unchanged", s.Unchanged, "skipped", s.Skipped, "rejected", s.Rejected)
		}
	}
}

// parks tells an error after which a run waits: for the next day, or for a person's word.
func parks(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Quota || kind == fault.Braked
}

// partly tells an error of some parts of a source, whose rest was read.
func partly(err error) bool {
	var part *connectors.PartError
	return errors.As(err, &part)
}

// said is an error with what to do about it, as it is kept with the run.
func said(err error) string {
	if hint := fault.HintOf(err); hint != "" {
		return err.Error() + "; what to do: " + hint
	}
	return err.Error()
}

func (p *Pipeline) sources(names []string) ([]config.Source, error) {
	if len(names) == 0 {
		return p.cfg.Sources, nil
	}
	var known []string
	for _, s := range p.cfg.Sources {
		known = append(known, s.Name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fault.New(fault.Config, "", fmt.Sprintf("there is no source %q in %s%s", n, p.cfg.File, fault.DidYouMean(n, known)),
				"name one or more of "+strings.Join(known, ", ")+"; without a name all are read", nil)
		}
	}
	// In the order of the configuration: the directory's sources stand first there.
	var some []config.Source
	for _, s := range p.cfg.Sources {
		if slices.Contains(names, s.Name) {
			some = append(some, s)
		}
	}
	return some, nil
}

func (p *Pipeline) pull(ctx context.Context, sources []config.Source, r *Report) error {
	r.Titles = map[string]int{}
	down := map[string]string{} // what keeps a connection from being read: it is told once, not for each source
	missing := ""               // a source of the directory that could not be read
	followed := false           // merges were looked at
	prepared := map[string]bool{}
	for _, src := range sources {
		profiles := p.mappings[src.Name].MakesProfiles()
		if missing != "" && !profiles && down[src.Connection] == "" {
			// What is looked up in half a directory would be rejected, though nothing is wrong with it.
			r.Sources = append(r.Sources, SourceReport{RunSource: store.RunSource{Source: src.Name}, Error: "not read: " + missing + " could not be read, which it may look up; the next run reads it"})
			continue
		}
		if why := down[src.Connection]; why != "" {
			if profiles && missing == "" {
				missing = src.Name
			}
			r.Sources = append(r.Sources, SourceReport{RunSource: store.RunSource{Source: src.Name}, Error: "not read: " + why})
			continue
		}
		if !profiles && !followed {
			// The directory is up to date now: what follows looks things up in it.
			if followed = true; missing == "" {
				if err := p.follow(ctx); err != nil {
					return err
				}
			}
		}
		if !prepared[src.Connection] {
			prepared[src.Connection] = true
			p.prepare(ctx, src.Connection, sources)
		}
		sr, err := p.pullSource(ctx, r, src)
		p.countCalls(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			down[src.Connection] = p.broken(ctx, src.Connection, err)
			if profiles {
				missing = src.Name
			}
			sr.Error = err.Error()
			r.Errors = append(r.Errors, err)
		}
		r.Sources = append(r.Sources, sr)
	}
	if err := p.alone(ctx); err != nil {
		return err
	}
	fold, err := p.fold(ctx)
	if err != nil {
		return err
	}
	r.Fold = &fold
	p.circles(r)
	if err := p.withdraw(ctx, r); err != nil {
		return err
	}
	p.purge(ctx)
	if err := p.sums(ctx, r); err != nil {
		return err
	}
	if err := p.noCustomers(ctx, r); err != nil {
		return err
	}
	return p.review(ctx, r)
}

// prepare lets a connection look at all its streams at once. One that cannot be
// opened is left to its first source.
func (p *Pipeline) prepare(ctx context.Context, connection string, sources []config.Source) {
	conn, err := p.conn(ctx, connection)
	if err != nil {
		return
	}
	if c, ok := conn.(connectors.Preparer); ok {
		var streams []connectors.Config
		for _, s := range sources {
			if s.Connection == connection {
				streams = append(streams, s.Stream)
			}
		}
		c.Prepare(ctx, streams)
	}
}

// broken tells why the connection of a source that gave err cannot be read from any more; "" when it can.
func (p *Pipeline) broken(ctx context.Context, connection string, err error) string {
	if partly(err) {
		return ""
	}
	switch fault.KindOf(err) {
	case fault.Quota:
		return "the connection " + connection + " may make no more calls for now; the next run goes on"
	case fault.Unavailable:
		if conn, err := p.conn(ctx, connection); err == nil && conn.Check(ctx) == nil {
			return ""
		}
		fallthrough
	case fault.Auth:
		return "the connection " + connection + " does not work"
	}
	return ""
}

// follow draws the consequences of merges and decisions, alone.
func (p *Pipeline) follow(ctx context.Context) error {
	if err := p.alone(ctx); err != nil {
		return err
	}
	return errors.Join(p.followMerges(ctx), p.followDecisions(ctx), p.hold.Give(store.Scores))
}

// followMerges lets the sources be read again whose activities name an entity
// by a key, when it has gone into another one: they mean the other one now.
// What the CRM itself holds comes again without that, because a merge changes it
// there. The same when such a one stands by itself again.
func (p *Pipeline) followMerges(ctx context.Context) error {
	merged, upTo, err := p.store.Merged(ctx)
	if err != nil {
		return err
	}
	parted, err := p.store.Parted(ctx)
	if err != nil || len(merged)+len(parted) == 0 {
		return err
	}
	for _, e := range parted { // activities name what the others had gone into
		profile, _, err := p.store.Profile(ctx, e)
		if err != nil {
			return err
		}
		profile.Entity = e
		merged = append(merged, profile)
	}
	if _, err := p.fold(ctx); err != nil { // what a run that was killed left
		return err
	}
	again := map[string]bool{}
	for _, e := range merged {
		accounts := []string{e.Account}
		if e.Kind == engine.Account {
			accounts[0] = e.ID
		} else { // a lead has no account; the contact that it became has
			now, err := p.present(ctx, e.Entity)
			if err != nil {
				return err
			}
			into, _, err := p.store.Profile(ctx, now)
			if err != nil {
				return err
			}
			accounts = append(accounts, into.Account)
		}
		for _, account := range accounts {
			activities, err := p.store.AccountActivities(ctx, account)
			if err != nil {
				return err
			}
			for _, a := range activities {
				if m := p.mappings[a.Source]; m != nil && m.Finds() && !a.Deleted && names(a, e.Entity) {
					again[a.Source] = true
				}
			}
		}
	}
	for _, source := range slices.Sorted(maps.Keys(again)) {
		p.log.Info("read again: its activities name what was merged", "source", source)
		if err := p.store.ReadAgain(ctx, source); err != nil {
			return err
		}
	}
	return p.store.Followed(ctx, upTo)
}

// names tells whether an activity names an entity.
func names(a engine.Activity, e engine.Entity) bool {
	is := func(s engine.Share) bool { return s.ID == e.ID }
	switch e.Kind {
	case engine.Account:
		return a.Account == e.ID
	case engine.Contact:
		return slices.ContainsFunc(a.People, func(p engine.Participant) bool { return p.Contact == e.ID })
	case engine.Deal:
		return slices.ContainsFunc(a.Deals, is)
	}
	return slices.ContainsFunc(a.Reps, is)
}

// withdraw takes back what complete readings did not find again.
func (p *Pipeline) withdraw(ctx context.Context, r *Report) error {
	activities := 0
	for i := range r.Sources {
		sr := &r.Sources[i]
		if sr.Error != "" || p.mappings[sr.Source].MakesProfiles() {
			continue // it was not read to its end, or is done
		}
		n, err := p.withdrawOlder(ctx, r, sr)
		if err != nil {
			return err
		}
		activities += n
	}
	if activities == 0 {
		return nil
	}
	_, err := p.fold(ctx)
	return err
}

func (p *Pipeline) withdrawOlder(ctx context.Context, r *Report, sr *SourceReport) (activities int, err error) {
	if !p.opt.Gone && p.vanishes(sr.Source) {
		return 0, p.store.EndReading(ctx, sr.Source, sr.revision)
	}
	w, err := p.store.WithdrawOlder(ctx, sr.Source, sr.revision, p.opt.Gone)
	if err != nil {
		return 0, err
	}
	sr.Withdrawn += w.Activities + w.Profiles
	if w.Kept > 0 {
		why := "A right or a filter may have changed there"
		if w.Rejected > 0 {
			why = fmt.Sprintf("%d were rejected: look at them first (energyd rejects list)", w.Rejected)
		}
		sr.Kept = fmt.Sprintf("its complete reading found %d records to use, and not the %d others that energyd knows; they stay. %s. "+
			"If they are really gone, tell so with: energyd pull --gone %s", w.Came, w.Kept, why, sr.Source)
		r.partial("%s: %s", sr.Source, sr.Kept)
	}
	return w.Activities, nil
}

// vanishes tells whether a source's records may go while what they told stays true.
func (p *Pipeline) vanishes(source string) bool {
	return slices.ContainsFunc(p.cfg.Sources, func(s config.Source) bool {
		v, ok := s.Stream.(connectors.Vanishing)
		return s.Name == source && ok && v.Vanishes()
	})
}

// sums takes what became of each record from the store, where the fold has counted it.
func (p *Pipeline) sums(ctx context.Context, r *Report) error {
	run, err := p.store.Run(ctx, r.Run)
	if err != nil {
		return err
	}
	for i := range r.Sources {
		sr := &r.Sources[i]
		sr.RunSource = store.RunSource{Source: sr.Source} // nothing was saved, unless the run says so
		for _, s := range run.Sources {
			if s.Source == sr.Source {
				sr.RunSource = s
			}
		}
		if !sr.Balanced() {
			return fault.New(fault.Internal, sr.Source, fmt.Sprintf("the sums do not balance: read %d, stored %d, unchanged %d, skipped %d, rejected %d",
				sr.Read, sr.Stored, sr.Unchanged, sr.Skipped, sr.Rejected), "report this", nil)
		}
		if sr.Rejected > 0 {
			r.partial("%s: %d of %d records rejected", sr.Source, sr.Rejected, sr.Read)
		}
	}
	return nil
}

func (p *Pipeline) pullSource(ctx context.Context, r *Report, src config.Source) (sr SourceReport, err error) {
	ctx, span := telemetry.Step(ctx, "read source", "source", src.Name, "connection", src.Connection)
	defer func() { span.End(err) }()
	sr = SourceReport{RunSource: store.RunSource{Source: src.Name}, Skips: map[string]int{}, Unfound: map[string]int{}}
	fail := func(err error) (SourceReport, error) { return sr, fmt.Errorf("%s: %w", src.Name, err) }
	conn, err := p.conn(ctx, src.Connection)
	if err != nil {
		return fail(err)
	}
	source, err := conn.Source(ctx, src.Stream)
	if err != nil {
		return fail(err)
	}
	defer source.Close()
	began := p.opt.Now()
	m := mapper{Mapping: p.mappings[src.Name], source: src.Name, run: r.Run, at: began, report: &sr, titles: map[string]int{}}
	reading, err := p.store.BeginReading(ctx, src.Name, m.Fingerprint(), began, src.Reread)
	if err != nil {
		return fail(err)
	}
	m.revision, sr.revision, sr.Reread = reading.Revision, reading.Revision, reading.Again
	cursor, err := p.store.Cursor(ctx, src.Name)
	if err != nil {
		return fail(err)
	}
	change, err := p.informed(ctx, &m)
	if err != nil {
		return fail(err)
	}
	if reading.Again == "" { // else they come again anyway
		if err := p.retry(ctx, &m, change); err != nil {
			return fail(err)
		}
	}
	ahead, cancel := context.WithCancel(ctx)
	batches := readAhead(ahead, source, cursor)
	defer func() { // the source is closed only after its last Read came back
		cancel()
		for range batches {
		}
	}()
	saved := 0
	defer func() { // for a list that people look at: what a killed run found is told by the next complete reading
		add(r.Titles, m.titles)
		unknown := maps.Clone(sr.Unfound)
		for title, n := range m.titles {
			unknown[titleWord+title] = n
		}
		if countErr := p.store.AddUnfound(context.WithoutCancel(ctx), src.Name, sr.revision, unknown); countErr != nil && err == nil {
			err = countErr
		}
		sr.Undecided = len(sr.asked)
		if askErr := p.store.AddAsked(context.WithoutCancel(ctx), src.Name, sr.revision, sr.asked); askErr != nil && err == nil {
			err = askErr
		}
	}()
	save := func(batch connectors.Batch) error {
		b := m.batch(batch)
		b.After, b.Last = cursor, !batch.More
		ctx, span := telemetry.Step(ctx, "save batch", "source", src.Name)
		span.Count("read", b.Read)
		err := p.store.SaveBatch(ctx, b)
		span.End(err)
		if err != nil {
			return err
		}
		cursor = batch.Next
		saved += b.Read
		if p.opt.Progress != nil {
			p.opt.Progress(src.Name, saved)
		}
		return nil
	}
	for read := range batches {
		if read.err != nil {
			return fail(read.err)
		}
		if err := save(read.Batch); err != nil {
			return fail(err)
		}
	}
	if err := ctx.Err(); err != nil { // told to stop, the reader may have ended without a word
		return sr, err
	}
	if err := p.tail(ctx, source, src.Name, sr.revision, cursor, save); err != nil {
		return fail(err)
	}
	if m.MakesProfiles() { // before others look things up
		if _, err := p.withdrawOlder(ctx, r, &sr); err != nil {
			return fail(err)
		}
	}
	return sr, nil
}

// tail reads what changed in the last moments, where the source's lag hid it from a complete reading
// that is about to say what is gone. The cursor stays: the next reading gives it again (decisions/0076).
func (p *Pipeline) tail(ctx context.Context, source connectors.Source, name string, revision uint32, ended connectors.Cursor, save func(connectors.Batch) error) error {
	t, ok := source.(connectors.TailReader)
	if !ok {
		return nil
	}
	if unsettled, err := p.store.Unsettled(ctx, name, revision); err != nil || !unsettled {
		return err
	}
	return t.Tail(ctx, ended, batchSize, func(b connectors.Batch) error {
		b.Next, b.More = ended, false
		return save(b)
	})
}

// informed tells a mapper, whose revision is set, what is known by now: the
// directory, whose change it gives, and who and what must not come back.
func (p *Pipeline) informed(ctx context.Context, m *mapper) (change int64, err error) {
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return 0, err
	}
	m.ranks = p.ranks(directory)
	if m.directory, err = p.matching(ctx, m.Mapping, directory, p.store.Profiles, directory.Change()); err != nil {
		return 0, err
	}
	if m.erased, err = p.store.Erased(ctx); err != nil {
		return 0, err
	}
	if m.erasing, err = p.store.Erasing(ctx, m.source, m.revision); err != nil {
		return 0, err
	}
	m.dropped, err = p.store.Dropped(ctx, m.source)
	return directory.Change(), err
}

// retry maps the source's rejects again that name what the CRM did not know
// then, when its directory has changed since. Those that still wait for the same are in no sums.
func (p *Pipeline) retry(ctx context.Context, m *mapper, change int64) error {
	var waiting []store.Reject
	tried := 0
	try := func() error {
		tried += len(waiting)
		out := m.empty(len(waiting))
		out.Retried = true
		var columns *connectors.Columns
		for _, w := range waiting {
			rec := waitingRecord(w, columns)
			columns = rec.Columns
			if m.one(&out, rec, w.Seen) {
				m.report.Retried++
			}
		}
		was := make(map[string]string, len(waiting))
		for _, w := range waiting {
			was[w.Key] = w.Code
		}
		out.Rejects = slices.DeleteFunc(out.Rejects, func(r connectors.Reject) bool { return r.Waits && r.Code == was[r.Key] })
		out.Read = len(out.Through) + len(out.Rejects)
		waiting = waiting[:0]
		if out.Read == 0 && len(out.Parts) == 0 { // of a record that still waits some contacts may come through
			return nil
		}
		return p.store.SaveBatch(ctx, out)
	}
	for w, err := range p.store.Waiting(ctx, m.source, m.revision, change) {
		if err != nil {
			return err
		}
		if waiting = append(waiting, w); len(waiting) == batchSize {
			if err := try(); err != nil {
				return err
			}
		}
	}
	if err := try(); err != nil || tried == 0 {
		return err
	}
	return p.store.Tried(ctx, m.source, change)
}

// waitingRecord gives the record that a reject was made of; columns are those of the one before, nil for none.
func waitingRecord(w store.Reject, columns *connectors.Columns) connectors.Record {
	names := slices.Sorted(maps.Keys(w.Fields))
	if columns == nil || !slices.Equal(columns.Names, names) {
		columns = connectors.NewColumns(names)
	}
	rec := connectors.Record{Key: w.Key, ChangedAt: w.ChangedAt, Columns: columns, Origin: w.Origin, Values: make([]any, len(names))}
	for i, name := range names {
		rec.Values[i] = w.Fields[name]
	}
	return rec
}

type read struct {
	connectors.Batch
	err error
}

// readAhead reads the next batch while the last one is mapped and saved. The
// channel ends after the last batch, or after an error. Cancel ctx to stop early.
func readAhead(ctx context.Context, source connectors.Source, cursor connectors.Cursor) <-chan read {
	out := make(chan read)
	go func() {
		defer close(out)
		for {
			b, err := source.Read(ctx, cursor, batchSize)
			select {
			case out <- read{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || !b.More {
				return
			}
			cursor = b.Next
		}
	}()
	return out
}
