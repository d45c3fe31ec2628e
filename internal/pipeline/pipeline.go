// Package pipeline is one run: read, map, save, score, plan, send. It is the
// only place that knows all parts; each part knows only its neighbours.
//
//   - run.go wraps what a run does in its record and its lanes;
//   - pull.go reads sources into the store, source.go one of them; retry.go, merges.go and withdraw.go
//     do what a new reading brings about: rejects that come through, entities that became one, records that are gone;
//   - scores.go turns ledger entries into what the CRM shall hold, and explains them;
//   - write.go plans and applies, undo.go takes back what was applied;
//   - fields.go prepares the CRM for what is written;
//   - check.go proves a configuration against the systems that it names.
package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/explain"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/mapping"
	"energyd/sink"
)

// Options are a pipeline's surroundings.
type Options struct {
	Log *slog.Logger
	Now func() time.Time
	// AtRest is for looking at what is stored: mappings are not compiled, and nothing may be pulled or written.
	AtRest bool
	// AsOf fixes the date of scores; NoDate means today in the points table's zone.
	AsOf engine.Date
	// Gone says that records which complete readings did not find again are gone, however many they are.
	Gone bool
	// Who is the operating system's user, for the journal.
	Who string
	// Resend plans also what the CRM refused before, though its values have not moved.
	Resend bool
	// Override is why a plan is applied although brakes hold it; "" = it waits.
	Override string
	// Version is the program's, for traces.
	Version string
	// Progress is told after each saved batch; nil means nobody looks.
	Progress func(source string, read int)
}

// Pipeline runs one configuration. Its methods are not for concurrent use; Beside and ForRun give one for use at the same time.
type Pipeline struct {
	cfg      *config.Config
	opt      Options
	store    *store.Store
	tracer   *telemetry.Tracer
	points   *engine.Points
	table    *engine.PointsConfig
	titles   *mapping.Titles
	mappings map[string]*mapping.Mapping // by source name
	conns    map[string]connectors.Conn  // opened when first needed
	matcher  *builtMatcher               // made when first needed
	groups   *engine.Hierarchy           // as of the last fold
	rolledBy string                      // tells its links
	log      *slog.Logger                // of the run at work
	watching bool                        // pulls follow each other with every mail
	counted  map[string]int              // of the connections' calls, how many are in the store
	hold     *store.Hold                 // of the run at work
	done     func(store.LastStarts) bool // of ForRun
	errand   int64                       // what the run is done for; 0 = for none
}

// Open compiles the configuration's points table and mappings and opens the store. It does not touch any source or CRM.
func Open(ctx context.Context, cfg *config.Config, opt Options) (*Pipeline, error) {
	p := &Pipeline{cfg: cfg, opt: opt, mappings: map[string]*mapping.Mapping{}, conns: map[string]connectors.Conn{}, counted: map[string]int{}, log: opt.Log}
	if err := p.compile(); err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, cfg.Store)
	if err != nil {
		return nil, err
	}
	p.store = st
	if !opt.AtRest {
		if p.tracer, err = telemetry.NewTracer(ctx, cfg.Traces, opt.Version, opt.Log); err != nil {
			return nil, errors.Join(err, st.Close())
		}
	}
	return p, nil
}

func (p *Pipeline) compile() error {
	var err error
	if p.table, err = config.LoadPoints(p.cfg.Points); err != nil {
		return err
	}
	if p.points, err = engine.Compile(p.table); err != nil {
		return fmt.Errorf("%s: %w", p.cfg.Points, err)
	}
	if p.opt.AtRest {
		return nil
	}
	env, err := p.environment()
	if err != nil {
		return err
	}
	// All mappings' problems at once: a person mends them in one go.
	var all config.Errors
	for _, s := range p.cfg.Sources {
		env.File, env.Source = p.relative(s.Mapping), s.Name
		m, err := config.LoadMapping(s.Mapping, env)
		var problems config.Errors
		if errors.As(err, &problems) {
			all = append(all, problems...)
			continue
		}
		if err != nil {
			return err
		}
		p.mappings[s.Name] = m
		if c, ok := s.Stream.(connectors.ColumnSelector); ok {
			c.SelectColumns(m.Columns())
		}
		if c, ok := s.Stream.(connectors.RereadSetter); ok {
			c.SetReread(s.Reread)
		}
	}
	var problems config.Errors
	if errors.As(p.cfg.Place(p.writeProblems()), &problems) {
		all = append(all, problems...)
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

// environment is what mappings are compiled against.
func (p *Pipeline) environment() (mapping.Env, error) {
	titles, err := config.LoadTitles(p.cfg.Titles, p.points.Ranks())
	if err != nil {
		return mapping.Env{}, err
	}
	p.titles = titles
	phrases, err := config.LoadPhrases(p.cfg.Phrases, p.points.Kinds(), p.points.Cues())
	if err != nil {
		return mapping.Env{}, err
	}
	return mapping.Env{Titles: titles, Phrases: phrases, Kinds: p.points.Kinds(), Ranks: p.points.Ranks(), Cues: p.points.Cues(), Keys: p.keys()}, nil
}

// keys are the names of the keys that the mappings give their entities; nil
// when not all mappings can be read, whose own problems come first.
func (p *Pipeline) keys() map[engine.EntityKind][]string {
	keys := map[engine.EntityKind][]string{}
	for _, s := range p.cfg.Sources {
		entity, names, err := config.LoadKeys(s.Mapping)
		if err != nil {
			return nil
		}
		for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep} {
			if kind.String() == entity {
				keys[kind] = append(keys[kind], names...)
			}
		}
	}
	return keys
}

// writeProblems finds what is wrong in the write section by itself. One entity
// goes to one object: an entity is settled when its record is as we want it.
func (p *Pipeline) writeProblems() fault.Problems {
	var ps fault.Problems
	entities := map[engine.EntityKind]bool{}
	for i, w := range p.cfg.Write {
		at := fmt.Sprintf("write[%d]", i)
		if entities[w.Entity] {
			ps.Add(at+".entity", "%s is written above already; put all its fields into one entry", w.Entity)
		}
		entities[w.Entity] = true
		taken := map[string]string{} // field to measure
		for _, name := range slices.Sorted(maps.Keys(w.Fields)) {
			path, field := at+".fields."+name, w.Fields[name]
			if err := sink.CheckMeasure(name); err != nil {
				ps = append(ps, fault.Problem{Path: path, Key: true, Msg: err.Error()})
			}
			if other, ok := taken[field]; ok {
				ps.Add(path, "%s goes to %s already", field, other)
			}
			taken[field] = name
		}
	}
	return ps
}

// relative names a file as the configuration does: below its own folder.
func (p *Pipeline) relative(file string) string {
	if r, err := filepath.Rel(p.cfg.Dir, file); err == nil {
		return filepath.ToSlash(r)
	}
	return file
}

// Close ends all connections and the store.
func (p *Pipeline) Close() error {
	p.tracer.Close()
	return errors.Join(p.Disconnect(), p.store.Close())
}

// Disconnect closes the connections until the next run, as who stays between runs
// does: what a run may use of a budget is counted by connection.
func (p *Pipeline) Disconnect() error {
	p.countCalls(context.Background())
	var errs []error
	for _, c := range p.conns {
		errs = append(errs, c.Close())
	}
	clear(p.conns)
	clear(p.counted)
	return errors.Join(errs...)
}

// In is this pipeline with its texts in another language, for looking alone: what the CRM is given is in the tenant's.
func (p *Pipeline) In(language string) *Pipeline {
	q, cfg := *p, *p.cfg
	cfg.Language = language
	q.cfg = &cfg
	return &q
}

// Beside gives a pipeline over the same configuration and store for somebody who looks, or decides, at the
// same time; who stands in the journal. It opens connections of its own, which Disconnect closes; Close is the first one's.
func (p *Pipeline) Beside(who string) *Pipeline {
	q := *p
	q.opt.Who = who
	q.conns, q.counted, q.matcher = map[string]connectors.Conn{}, map[string]int{}, nil
	return &q
}

// Now is the time.
func (p *Pipeline) Now() time.Time { return p.opt.Now() }

// Store gives what is stored, for status and export.
func (p *Pipeline) Store() *store.Store { return p.store }

// Points gives the compiled points table.
func (p *Pipeline) Points() *engine.Points { return p.points }

// Zone is the configuration's.
func (p *Pipeline) Zone() *time.Location {
	zone, err := time.LoadLocation(p.cfg.Zone)
	if err != nil { // the configuration was checked
		return time.UTC
	}
	return zone
}

// Table is the points table in use, as its owner wrote it. It must not be changed.
func (p *Pipeline) Table() *engine.PointsConfig { return p.table }

// ParsePoints reads a points table that somebody typed or sent. As its earlier edition it may name the one in use, or one before that.
func (p *Pipeline) ParsePoints(name, text string) (*engine.PointsConfig, error) {
	editions := map[string]*engine.PointsConfig{}
	file := p.cfg.Points
	for t := p.table; t != nil; file, t = t.Earlier, t.EarlierEdition {
		editions[filepath.Base(file)] = t
	}
	return config.ParsePoints(name, []byte(text), editions)
}

// Config gives the configuration.
func (p *Pipeline) Config() *config.Config { return p.cfg }

// AsOf is the date of scores.
func (p *Pipeline) AsOf() engine.Date {
	if p.opt.AsOf != engine.NoDate {
		return p.opt.AsOf
	}
	return p.today()
}

func (p *Pipeline) today() engine.Date { return p.points.BusinessDate(p.opt.Now()) }

// conn opens a connection when it is first needed.
func (p *Pipeline) conn(ctx context.Context, name string) (connectors.Conn, error) {
	if c, ok := p.conns[name]; ok {
		return c, nil
	}
	log := p.log
	if p.watching { // it stays open for other runs
		log = p.opt.Log
	}
	conn, err := p.dial(ctx, name, log)
	if err == nil {
		p.conns[name] = conn
	}
	return conn, err
}

// dial opens a connection that its caller closes.
func (p *Pipeline) dial(ctx context.Context, name string, log *slog.Logger) (conn connectors.Conn, err error) {
	for _, c := range p.cfg.Connections {
		if c.Name != name {
			continue
		}
		calls, err := p.store.Calls(ctx, name, p.opt.Now().Add(-24*time.Hour))
		if err != nil {
			return nil, err
		}
		if conn, err = c.Connector.Open(ctx, c.Config, connectors.Env{
			Log: log.With("connection", name), Name: name, Dir: p.cfg.Dir, Language: p.cfg.Language, Calls: calls,
		}); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return conn, nil
	}
	return nil, fault.New(fault.Internal, "", fmt.Sprintf("no connection %q", name), "report this", nil)
}

// countCalls keeps the calls that the connections made since it was last called,
// so that a day's budget survives a restart. It is called after each step, and
// also when a run was told to stop; that a number is missing stops nobody.
func (p *Pipeline) countCalls(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for name, conn := range p.conns {
		b, ok := conn.(connectors.Budgeter)
		if !ok {
			continue
		}
		u := b.Usage()
		if u.Run == p.counted[name] {
			continue
		}
		if err := p.store.AddCalls(ctx, name, p.opt.Now(), u.Run-p.counted[name], u); err != nil {
			p.log.Warn("the calls of a connection could not be counted", "connection", name, "error", err)
			continue
		}
		p.counted[name] = u.Run
	}
}

// sink makes the sink of the configuration's write section.
func (p *Pipeline) sink(ctx context.Context) (*sink.Sink, error) {
	s := &sink.Sink{Store: p.store, Resend: p.opt.Resend, Plans: p.cfg.Plans, Brakes: p.cfg.Brakes}
	for _, w := range p.cfg.Write {
		conn, err := p.conn(ctx, w.Connection)
		if err != nil {
			return nil, err
		}
		target, ok := conn.(connectors.Target)
		if !ok {
			return nil, fault.New(fault.Config, w.Connection, "this kind of connection takes no values back", "write to a CRM connection", nil)
		}
		s.Writings = append(s.Writings, sink.Writing{Name: w.Name(), Object: w.Object, Kind: w.Entity, Target: target, Fields: fieldsOf(w)})
	}
	tasks, err := p.taskWriting(ctx)
	if tasks != nil {
		s.Writings = append(s.Writings, *tasks)
	}
	return s, err
}

// explainer explains with this configuration's table and language, and the directory's names.
func (p *Pipeline) explainer(ctx context.Context) *explain.Explainer {
	return &explain.Explainer{Points: p.points, HalfLife: p.table.HalfLifeDays, Language: p.cfg.Language, Groups: p.groups,
		Names: func(e engine.Entity) (string, error) {
			profile, _, err := p.store.Profile(ctx, e)
			return profile.Name, err
		}}
}

// scorer is the engine as the store's ledger needs it.
type scorer struct {
	*engine.Points
	groups *engine.Hierarchy
	shown  string // what else the CRM's values depend on
	rolled string // tells the groups
}

// scorer makes the ledger look at everything anew when the points table
// changes, and also when only what is shown of a score does: fields, language, labels.
func (p *Pipeline) scorer() scorer {
	h := sha256.New()
	fmt.Fprintln(h, p.cfg.Language, p.points.Version(), p.cfg.Write)
	if slices.ContainsFunc(p.cfg.Write, func(w config.Write) bool { return w.Fields["coverage"] != "" }) {
		fmt.Fprintln(h, p.cfg.Reports.Coverage.ClassPoints)
	}
	for i := range p.points.Bands() {
		fmt.Fprintln(h, p.points.Band(i))
	}
	for _, k := range p.points.Kinds() {
		fmt.Fprintln(h, p.points.KindLabel(k))
	}
	for _, r := range p.points.Ranks() {
		fmt.Fprintln(h, p.points.RankLabel(r))
	}
	return scorer{p.points, p.groups, hex.EncodeToString(h.Sum(nil)), p.rolledBy}
}

// Contributions are those of the points table, and what they give to groups.
func (s scorer) Contributions(acts []engine.Activity, emit func(i int, c engine.Contribution)) {
	s.Points.Contributions(acts, func(i int, c engine.Contribution) {
		emit(i, c)
		s.groups.RollUp(c, func(c engine.Contribution) { emit(i, c) })
	})
}

func (s scorer) Fingerprint() string { return s.Points.Fingerprint() + " " + s.shown }

// Alike is the same of scorers in several processes that may share a fold.
func (s scorer) Alike() string { return s.Fingerprint() + " " + s.rolled }

func (s scorer) Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	return s.Evaluate(kind, cells, asOf).Due
}
