package adversity

import (
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"energyd/connectors"
	"energyd/connectors/all"
	"energyd/connectors/salesforce"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/crmsim"
	"energyd/internal/demo"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(kept.dir)
		os.Exit(code)
	}))
}

// The stages of a night, each the name of a folder in which it stands still.
const (
	fresh   = "fresh" // nothing was read yet
	pulled  = "pulled"
	planned = "planned"
	applied = "applied"
)

// kept are the stages of a night in which nothing goes wrong, made once for all tests.
var kept struct {
	sync.Once
	dir   string
	asOf  engine.Date
	calm  state                     // after it
	bare  map[string]map[string]any // what the CRM holds before anything is written
	wrote string                    // the run that planned
}

// calmNight makes the stages.
func calmNight(t *testing.T) {
	t.Helper()
	kept.Do(func() {
		dir, err := os.MkdirTemp("", "energyd-adversity-")
		if err != nil {
			t.Fatal(err)
		}
		kept.dir = dir
		for _, step := range []struct {
			stage string
			take  func(*company)
		}{
			{fresh, func(c *company) { kept.asOf, kept.bare = c.AsOf(), c.crm() }},
			{pulled, func(c *company) { c.mustEnd(c.Pull(c.Context())) }},
			{planned, func(c *company) {
				r, _, err := c.Plan(c.Context())
				c.mustEnd(r, err)
				kept.wrote = r.Run
			}},
			{applied, func(c *company) {
				r, _, err := c.Apply(c.Context(), "")
				c.mustEnd(r, err)
				kept.calm = c.state()
			}},
		} {
			c := &company{T: t, dir: filepath.Join(dir, step.stage)}
			if step.stage != fresh {
				c.copyOf(before(step.stage))
			}
			c.wake(pipeline.Options{AsOf: engine.NoDate})
			step.take(c)
			c.sleep()
		}
		if len(kept.calm.Activities) < 100 || len(kept.calm.CRM) < 50 {
			t.Fatalf("the company is too small to prove anything: %d activities, %d records", len(kept.calm.Activities), len(kept.calm.CRM))
		}
	})
	if kept.wrote == "" {
		t.Fatal("there was no calm night; the first test that asked for it says why")
	}
}

func before(stage string) string {
	all := []string{fresh, pulled, planned, applied}
	return all[slices.Index(all, stage)-1]
}

// company is the demo's company and energyd over it.
type company struct {
	*testing.T
	*pipeline.Pipeline
	dir   string
	world *demo.World
	read  func() // told after each batch that was read; may be nil
}

// standing gives a company of its own as it is after a stage, asleep.
func standing(t *testing.T, stage string) *company {
	t.Helper()
	calmNight(t)
	c := &company{T: t, dir: t.TempDir()}
	c.copyOf(stage)
	t.Cleanup(c.sleep)
	return c
}

func (c *company) copyOf(stage string) {
	c.Helper()
	if err := os.CopyFS(c.dir, os.DirFS(filepath.Join(kept.dir, stage))); err != nil {
		c.Fatal(err)
	}
}

// start wakes the company's systems, with no fault.
func (c *company) start() {
	c.Helper()
	var err error
	if c.world, err = demo.Start(c.Context(), c.dir, time.Now); err != nil {
		c.Fatal(err)
	}
}

// edit is a place of the configuration, as it is and as it shall be.
type edit [2]string

func (c *company) write(file, text string) {
	c.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, file), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
}

// account gives the CRM's id of the account with this number.
func (c *company) account(number string) string {
	c.Helper()
	rows, err := c.world.CRM().Rows("Account")
	if err != nil {
		c.Fatal(err)
	}
	at := slices.IndexFunc(rows, func(r map[string]any) bool { return r["AccountNumber"] == number })
	if at < 0 {
		c.Fatalf("no account %s", number)
	}
	return fmt.Sprint(rows[at]["Id"])
}

// configure edits the configuration.
func (c *company) configure(edits ...edit) {
	c.Helper()
	text, err := os.ReadFile(c.world.Config)
	if err != nil {
		c.Fatal(err)
	}
	for _, e := range edits {
		if !strings.Contains(string(text), e[0]) {
			c.Fatalf("the configuration does not hold %q", e[0])
		}
		text = []byte(strings.Replace(string(text), e[0], e[1], 1))
	}
	c.write(filepath.Base(c.world.Config), string(text))
}

// open opens energyd over the systems, with an edited configuration.
func (c *company) open(opt pipeline.Options, edits ...edit) {
	c.Helper()
	c.configure(edits...)
	cfg, err := config.Load(c.world.Config, impatient())
	if err != nil {
		c.Fatal(err)
	}
	opt.Log, opt.Now = slog.New(slog.DiscardHandler), time.Now
	opt.Progress = func(string, int) {
		if c.read != nil {
			c.read()
		}
	}
	if c.Pipeline, err = pipeline.Open(c.Context(), cfg, opt); err != nil {
		c.Fatal(err)
	}
}

// impatient are the connectors, of which Salesforce's does not wait long before it tries again.
func impatient() connectors.Registry {
	reg := slices.Clone(all.Connectors)
	for i, known := range reg {
		if known.Name == salesforce.Connector.Name {
			reg[i] = salesforce.Pausing(time.Millisecond)
		}
	}
	return reg
}

// wake is start and open.
func (c *company) wake(opt pipeline.Options) {
	c.Helper()
	c.start()
	c.open(opt)
}

// sleep ends energyd and the systems, whose faults end with them.
func (c *company) sleep() {
	c.Helper()
	if c.Pipeline != nil {
		if err := c.Pipeline.Close(); err != nil {
			c.Error(err)
		}
	}
	if c.world != nil {
		if err := c.world.Close(); err != nil {
			c.Error(err)
		}
	}
	c.Pipeline, c.world = nil, nil
}

func (c *company) inject(faults ...crmsim.Fault) {
	c.Helper()
	for _, f := range faults {
		if err := c.world.CRM().Inject(f); err != nil {
			c.Fatal(err)
		}
	}
}

// mustEnd fails unless a run came to its end.
func (c *company) mustEnd(r pipeline.Report, err error) {
	c.Helper()
	if err != nil || r.State != store.OK && r.State != store.Partial {
		c.Fatalf("the run is %s, %v: %q", r.State, err, r.Notes)
	}
}

// state is everything that nights leave behind, in the store and in the CRM.
type state struct {
	Activities, Scores, Rejects []string
	CRM                         map[string]map[string]any // our fields by record
}

func (c *company) state() state {
	c.Helper()
	s := state{Activities: lines(c, c.Store().Activities(c.Context())), CRM: c.crm()}
	for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep} {
		s.Scores = append(s.Scores, lines(c, c.Scores(c.Context(), kind))...)
	}
	for r, err := range c.Rejects(c.Context(), pipeline.RejectFilter{}) {
		if err != nil {
			c.Fatal(err)
		}
		// How often a reject was met, and by which run, differs by nature.
		s.Rejects = append(s.Rejects, fmt.Sprintf("%s %s %s %s", r.Source, r.Key, r.Code, r.Reason))
	}
	slices.Sort(s.Rejects)
	return s
}

// lines gives each item as a line, sorted.
func lines[T any](c *company, items iter.Seq2[T, error]) (out []string) {
	c.Helper()
	for item, err := range items {
		if err != nil {
			c.Fatal(err)
		}
		line, err := json.Marshal(item)
		if err != nil {
			c.Fatal(err)
		}
		out = append(out, string(line))
	}
	slices.Sort(out)
	return out
}

// crm is what the CRM holds in our fields, by record.
func (c *company) crm() map[string]map[string]any {
	c.Helper()
	records := map[string]map[string]any{}
	for _, object := range []string{"Account", "Contact", "Opportunity"} {
		rows, err := c.world.CRM().Rows(object)
		if err != nil {
			c.Fatal(err)
		}
		for _, row := range rows {
			ours := maps.Clone(row)
			maps.DeleteFunc(ours, func(field string, v any) bool { return v == nil || !strings.HasPrefix(field, "Energy") })
			records[fmt.Sprint(row["Id"])] = ours
		}
	}
	return records
}

// balanced holds the sums of every run that is kept (rule 1).
func (c *company) balanced() {
	c.Helper()
	runs, err := c.Store().Runs(c.Context(), 1000)
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range runs {
		for _, s := range r.Sources {
			if !s.Balanced() {
				c.Errorf("run %s (%s): the sums of %s do not balance: %+v", r.ID, r.Kind, s.Source, s)
			}
		}
	}
}

// endsAs takes the rest of the night, or of an undo, and holds what it leaves.
func (c *company) endsAs(want state, undone bool) {
	c.Helper()
	if undone {
		r, _, err := c.Undo(c.Context(), kept.wrote, "")
		c.mustEnd(r, err)
	} else {
		r, _, _, err := c.Sync(c.Context())
		c.mustEnd(r, err)
	}
	if diff := cmp.Diff(want, c.state()); diff != "" {
		c.Errorf("the world differs (-calm +now):\n%s", diff)
	}
	if _, sum, _, err := c.Sync(c.Context()); err != nil || sum.Records != 0 {
		c.Errorf("a further night writes %d records: %v", sum.Records, err)
	}
	c.balanced()
}
