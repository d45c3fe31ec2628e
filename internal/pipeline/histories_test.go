package pipeline_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/testdb"
)

// row is a record of a played source.
type row struct {
	changed time.Time
	deleted bool
	seq     int  // grows with each change of the source
	merged  bool // it went into another one, if only for a while
	values  map[string]any
}

// table is a played source: complete readings give its rows by key, later ones what changed since.
type table struct {
	columns *connectors.Columns
	rows    map[string]*row
	seq     int
	fail    int        // reads until one fails; 0 = none
	kind    fault.Kind // of that failure; unavailable unless set
	silent  bool       // it tells no change times
	world   *history
}

// Validate and the others make a table a stream, a connection and a source.
func (*memory) Validate() error { return nil }

type memory struct {
	Object string `yaml:"object"`
}

type memoryConn struct{ *history }

func (memoryConn) Check(context.Context) error { return nil }
func (memoryConn) Close() error                { return nil }
func (c memoryConn) Source(_ context.Context, cfg connectors.Config) (connectors.Source, error) {
	return c.tables[cfg.(*memory).Object], nil
}

func (*table) Close() error { return nil }

// Read gives few rows at a time, so that a run can be stopped between them. The
// cursor is "all SEQ KEY" in a complete reading that began at SEQ and came to KEY, and "since SEQ" after it.
func (t *table) Read(ctx context.Context, after connectors.Cursor, _ int) (connectors.Batch, error) {
	if t.fail--; t.fail == 0 {
		return connectors.Batch{}, fault.New(cmp.Or(t.kind, fault.Unavailable), "", "played", "", nil)
	}
	const most = 3
	var b connectors.Batch
	add := func(key string) {
		r := t.rows[key]
		rec := connectors.Record{Key: key, ChangedAt: r.changed, Deleted: r.deleted, Columns: t.columns}
		if t.silent {
			rec.ChangedAt = time.Time{}
		}
		for _, c := range t.columns.Names {
			rec.Values = append(rec.Values, r.values[c])
		}
		b.Records = append(b.Records, rec)
	}
	if text, ok := strings.CutPrefix(string(after), "since "); ok {
		since, err := strconv.Atoi(text)
		if err != nil {
			return b, err
		}
		keys := slices.SortedFunc(maps.Keys(t.rows), func(a, b string) int { return cmp.Compare(t.rows[a].seq, t.rows[b].seq) })
		keys = slices.DeleteFunc(keys, func(key string) bool { return t.rows[key].seq <= since })
		for _, key := range keys[:min(most, len(keys))] {
			add(key)
			since = t.rows[key].seq
		}
		b.Next, b.More = connectors.Cursor(fmt.Sprint("since ", since)), len(keys) > most
		return b, nil
	}
	began, from := t.seq, ""
	if after != "" {
		if _, err := fmt.Sscanf(string(after), "all %d %s", &began, &from); err != nil {
			return b, err
		}
	}
	keys := slices.Sorted(maps.Keys(t.rows))
	keys = slices.DeleteFunc(keys, func(key string) bool { return key <= from })
	for _, key := range keys[:min(most, len(keys))] {
		add(key)
		from = key
	}
	if b.More = len(keys) > most; b.More {
		b.Next = connectors.Cursor(fmt.Sprintf("all %d %s", began, from))
	} else {
		b.Next = connectors.Cursor(fmt.Sprint("since ", began))
	}
	return b, nil
}

// set makes or changes a row.
func (t *table) set(key string, values map[string]any) {
	r := t.rows[key]
	if r == nil {
		r = &row{values: map[string]any{}}
		t.rows[key] = r
	}
	maps.Copy(r.values, values)
	r.deleted = false
	t.touch(r)
}

func (t *table) touch(r *row) {
	t.seq++
	t.world.tick++
	r.seq, r.changed = t.seq, t.world.clock.Add(time.Duration(t.world.tick)*time.Microsecond)
}

// history is a made-up company whose records change from night to night.
type history struct {
	*testing.T
	*rand.Rand
	dir    string
	clock  time.Time
	tick   int
	tables map[string]*table
	told   []string // what happened, for the reader of a failure
	file   string

	// traceless says that something happened that leaves no trace for readings by
	// change, or that decisions 0006 and 0007 leave to the next complete reading. In a calm history nothing does.
	traceless, calm bool
}

const historyMapping = `columns: [Id, Code, Account, Contact, Kind, Draft]
lookups: {kinds: {訪問: visit, 電話: phone}}
skip: [{when: Draft == "yes", reason: draft}]
activity:
  id: 'IDRULE'
  at: date("2026-09-30")
  kind: lookup("kinds", Kind)
  account: ACCOUNT
  participants:
    - contact: CONTACT
      title: '"営業部長"'
`

// daysMapping makes an activity of each contact of a day.
const daysMapping = `columns: [Id, Contacts]
lookups: {kinds: {訪問: visit, 電話: phone}}
activity:
  each: Contacts
  when: item.Draft == null
  id: Id
  at: date("2026-09-30")
  kind: lookup("kinds", item.Kind)
  account: find("account", "code", item.Code)
  participants: [{title: '"部長"'}]
`

func (h *history) write(name, text string) {
	h.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
}

func (h *history) remap(prefix string) {
	h.write("reports.yaml", strings.NewReplacer("IDRULE", `"`+prefix+`" + Id`, "ACCOUNT", `find("account", "code", Code)`, "CONTACT", `find("contact", "code", Contact)`).Replace(historyMapping))
}

func newHistory(t *testing.T, seed uint64, url string) *history {
	h := &history{T: t, Rand: rand.New(rand.NewPCG(seed, 7)), dir: t.TempDir(), clock: time.Date(2026, 10, 1, 2, 0, 0, 0, time.UTC), tables: map[string]*table{}}
	for name, columns := range map[string][]string{"accounts": {"Id", "Code", "Into"}, "contacts": {"Id", "Code", "Account", "Into"},
		"tasks": {"Id", "Account", "Contact", "Kind", "Draft", "Code"}, "reports": {"Id", "Code", "Account", "Contact", "Kind", "Draft"}, "days": {"Id", "Contacts"}} {
		h.tables[name] = &table{columns: connectors.NewColumns(columns), rows: map[string]*row{}, world: h}
	}
	h.tables["reports"].silent, h.calm = seed%4 == 3, seed%2 == 0
	h.write("accounts.yaml", "profile: {kind: account, id: Id, name: Id, into: Into, keys: {code: Code}}\n")
	h.write("contacts.yaml", "profile: {kind: contact, id: Id, name: Id, account: Account, into: Into, keys: {code: Code}}\n")
	h.write("tasks.yaml", strings.NewReplacer("IDRULE", "Id", "ACCOUNT", "Account", "CONTACT", "Contact").Replace(historyMapping))
	h.write("days.yaml", daysMapping)
	h.remap("")
	h.file = h.config("energyd.yaml", url)
	return h
}

// config writes a configuration with a store of its own.
func (h *history) config(name, url string) string {
	h.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		h.Fatal(err)
	}
	text := fmt.Sprintf("language: en\nstore: %q\npoints: %s/configs/points.yaml\ntitles: %s/configs/titles.yaml\nconnections: {all: {type: memory}}\nsources:\n", url, root, root)
	for _, s := range []string{"accounts", "contacts", "tasks", "reports", "days"} {
		text += fmt.Sprintf("  %s: {connection: all, object: %s, mapping: %s.yaml}\n", s, s, s)
	}
	h.write(name, text)
	return filepath.Join(h.dir, name)
}

func (h *history) open(file string, opt pipeline.Options) *pipeline.Pipeline {
	h.Helper()
	cfg, err := config.Load(file, connectors.Registry{{Name: "memory", Title: "played", Reads: true,
		NewConfig: func() connectors.Config { return &memory{} }, NewStream: func() connectors.Config { return &memory{} },
		Open: func(context.Context, connectors.Config, connectors.Env) (connectors.Conn, error) {
			return memoryConn{h}, nil
		}}})
	if err != nil {
		h.Fatal(err)
	}
	opt.Log, opt.Now, opt.AsOf = slog.New(slog.DiscardHandler), func() time.Time { return h.clock }, engine.NoDate
	p, err := pipeline.Open(context.Background(), cfg, opt)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

// night pulls; stop > 0 stops it after so many batches.
func (h *history) night(stop int, gone bool) pipeline.Report {
	h.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := h.open(h.file, pipeline.Options{Gone: gone, Progress: func(string, int) {
		if stop--; stop == 0 {
			cancel()
		}
	}})
	defer func() {
		if err := p.Close(); err != nil {
			h.Error(err)
		}
	}()
	r, err := p.Pull(ctx)
	if err != nil && ctx.Err() == nil {
		h.Fatalf("%v\n%s", err, h.story())
	}
	for _, s := range r.Sources {
		if err == nil && s.Read != s.Stored+s.Unchanged+s.Skipped+s.Rejected {
			h.Errorf("the sums do not balance: %+v\n%s", s, h.story())
		}
	}
	return r
}

func (h *history) story() string { return strings.Join(h.told, "\n") }

func (h *history) tell(format string, args ...any) {
	h.told = append(h.told, fmt.Sprintf(format, args...))
}

// any gives a row of a table that is there, or not; "" when there is none.
func (h *history) any(table string, deleted bool) string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(h.tables[table].rows)) {
		if h.tables[table].rows[key].deleted == deleted {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return keys[h.IntN(len(keys))]
}

// contacts gives a day's list: those that stay, and some more.
func (h *history) contacts(stay []any, more int) []any {
	list := slices.Clone(stay)
	for range more {
		var draft any
		if h.IntN(5) == 0 {
			draft = "yes"
		}
		list = append(list, map[string]any{"Code": fmt.Sprint("K", h.IntN(8)), "Kind": []string{"訪問", "電話"}[h.IntN(2)], "Draft": draft})
	}
	return list
}

// holders are the rows of a table that name something in a column.
func (h *history) holders(table, column, value string) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(h.tables[table].rows)) {
		if r := h.tables[table].rows[key]; !r.deleted && r.values[column] == value {
			keys = append(keys, key)
		}
	}
	return keys
}

// happens lets one thing happen in the company.
func (h *history) happens() {
	accounts, contacts, tasks, reports := h.tables["accounts"], h.tables["contacts"], h.tables["tasks"], h.tables["reports"]
	code := func() string { return fmt.Sprint("K", h.IntN(8)) }
	kind := func() string { return []string{"訪問", "訪問", "電話"}[h.IntN(3)] }
	draft := func() string { return []string{"", "", "", "yes"}[h.IntN(4)] }
	n := h.IntN(27)
	if instead, ok := map[int]int{14: 12, 15: 12, 17: 13}[n]; ok && h.calm {
		n = instead
	}
	switch n {
	case 0, 1: // an account, with a code that nobody has
		c := code()
		if len(h.holders("accounts", "Code", c)) > 0 {
			return
		}
		for _, r := range accounts.rows {
			if r.values["Code"] == c { // of one that is merged or deleted
				return
			}
		}
		id := fmt.Sprint("a", len(accounts.rows))
		accounts.set(id, map[string]any{"Id": id, "Code": c, "Into": nil})
		h.tell("account %s with %s", id, c)
	case 2: // a contact
		id, account, c := fmt.Sprint("c", len(contacts.rows)), h.any("accounts", false), fmt.Sprint("P", len(contacts.rows))
		known := slices.ContainsFunc(slices.Collect(maps.Values(reports.rows)), func(r *row) bool { return r.values["Contact"] == c })
		if account == "" || known && h.calm {
			return
		}
		contacts.set(id, map[string]any{"Id": id, "Code": c, "Account": account, "Into": nil})
		h.tell("contact %s of %s", id, account)
		h.traceless = h.traceless || known // who was left out of an activity comes in with the next complete reading
	case 3, 4: // a task
		id, account, contact := fmt.Sprint("t", len(tasks.rows)), h.any("accounts", false), h.any("contacts", false)
		if account == "" {
			return
		}
		tasks.set(id, map[string]any{"Id": id, "Account": account, "Contact": contact, "Kind": kind(), "Draft": draft()})
		h.tell("task %s: %v", id, tasks.rows[id].values)
	case 5, 6, 7: // a report, perhaps of a customer or a contact to come
		id := fmt.Sprint("r", len(reports.rows))
		reports.set(id, map[string]any{"Id": id, "Code": code(), "Contact": fmt.Sprint("P", h.IntN(len(contacts.rows)+2)), "Kind": kind(), "Draft": draft()})
		h.tell("report %s: %v", id, reports.rows[id].values)
	case 8, 9: // a record changes
		name := []string{"tasks", "reports"}[n-8]
		if id := h.any(name, false); id != "" {
			values := map[string]any{"Kind": kind(), "Draft": draft()}
			if name == "reports" && !h.calm && h.IntN(2) == 0 {
				values["Code"] = code()
				h.traceless = true // when the new one waits, the old activity stands until the next complete reading
			}
			h.tables[name].set(id, values)
			h.tell("%s changes: %v", id, values)
		}
	case 10, 11: // deleted, and taken back
		name, back := []string{"tasks", "reports"}[n-10], h.IntN(2) == 0
		if id := h.any(name, back); id != "" {
			r := h.tables[name].rows[id]
			r.deleted = !back
			h.tables[name].touch(r)
			h.tell("%s deleted: %v", id, r.deleted)
		}
	case 12: // a merge of accounts
		loser, master := h.any("accounts", false), h.any("accounts", false)
		if loser == master {
			return
		}
		r := accounts.rows[loser]
		r.merged, r.deleted, r.values["Into"] = true, true, master
		accounts.touch(r)
		for _, id := range h.holders("contacts", "Account", loser) {
			contacts.set(id, map[string]any{"Account": master})
		}
		for _, id := range h.holders("tasks", "Account", loser) {
			tasks.set(id, map[string]any{"Account": master})
		}
		h.tell("account %s goes into %s", loser, master)
	case 13: // a merge of contacts
		loser, master := h.any("contacts", false), h.any("contacts", false)
		if loser == master {
			return
		}
		r := contacts.rows[loser]
		r.merged, r.deleted, r.values["Into"] = true, true, master
		contacts.touch(r)
		for _, id := range h.holders("tasks", "Contact", loser) {
			tasks.set(id, map[string]any{"Contact": master})
		}
		h.tell("contact %s goes into %s", loser, master)
	case 14: // gone without a trace
		name := []string{"accounts", "contacts", "tasks", "reports", "days"}[h.IntN(5)]
		if id := h.any(name, h.IntN(2) == 0); id != "" && !h.tables[name].rows[id].merged { // what was merged leads on, for ever
			delete(h.tables[name].rows, id)
			h.traceless = true
			h.tell("%s is gone", id)
		}
	case 15: // a customer is deleted, or taken back, perhaps out of a merge
		back := h.IntN(2) == 0
		if id := h.any("accounts", back); id != "" {
			r := accounts.rows[id]
			r.deleted, r.values["Into"], h.traceless = !back, nil, true
			accounts.touch(r)
			h.tell("%s deleted: %v", id, r.deleted)
		}
	case 17: // a record as it was long ago, out of a backup
		if id := h.any("tasks", false); id != "" {
			tasks.set(id, map[string]any{"Kind": kind(), "Draft": draft()})
			tasks.rows[id].changed, h.traceless = h.clock.Add(-300*day), true
			h.tell("%s of old: %v", id, tasks.rows[id].values)
		}
	case 18, 19: // a day of several contacts, perhaps with customers to come
		id := fmt.Sprint("d", len(h.tables["days"].rows))
		h.tables["days"].set(id, map[string]any{"Id": id, "Contacts": h.contacts(nil, 1+h.IntN(4))})
		h.tell("day %s: %v", id, h.tables["days"].rows[id].values)
	case 20, 21: // a day has other contacts, more or fewer
		if id := h.any("days", false); id != "" {
			was := h.tables["days"].rows[id].values["Contacts"].([]any)
			keep := was[:h.IntN(len(was)+1)]
			if !h.calm && h.IntN(2) == 0 {
				keep = nil
				h.traceless = true // where the new one waits, the old activity stands until the next complete reading
			}
			h.tables["days"].set(id, map[string]any{"Contacts": h.contacts(keep, h.IntN(3))})
			h.tell("day %s: %v", id, h.tables["days"].rows[id].values)
		}
	case 22: // a day is deleted, or taken back
		back := h.IntN(2) == 0
		if id := h.any("days", back); id != "" {
			r := h.tables["days"].rows[id]
			r.deleted = !back
			h.tables["days"].touch(r)
			h.tell("%s deleted: %v", id, r.deleted)
		}
	case 16:
		if h.IntN(3) == 0 {
			prefix := []string{"", "x/", "y/"}[h.IntN(3)]
			h.remap(prefix)
			h.tell("another mapping: %q", prefix)
		}
	default: // a night
		stop := 0
		switch h.IntN(4) {
		case 0:
			stop = 1 + h.IntN(8)
		case 1:
			for _, name := range []string{"accounts", "contacts", "tasks", "reports", "days"} {
				if h.IntN(3) == 0 {
					h.tables[name].fail = 1 + h.IntN(3)
				}
			}
		}
		h.clock = h.clock.Add([]time.Duration{day, day, 5 * day}[h.IntN(3)])
		h.tell("night %s, stopped after %d", h.clock.Format(time.DateOnly), stop)
		h.night(stop, false)
		for _, t := range h.tables {
			t.fail = 0
		}
	}
}

// state is what a store gives its readers.
type state struct {
	Activities map[string]engine.Activity
	Scores     map[engine.Entity]engine.Score
	Found      map[string]string // by code
	Rejects    []string
}

func (h *history) state(p *pipeline.Pipeline) state {
	h.Helper()
	ctx := context.Background()
	s := state{map[string]engine.Activity{}, map[engine.Entity]engine.Score{}, map[string]string{}, nil}
	for a, err := range p.Store().Activities(ctx) {
		if err != nil {
			h.Fatal(err)
		}
		if a.Deleted {
			continue
		}
		a.Revision = 0
		if h.tables["reports"].silent && a.Source == "reports" {
			a.Version = 0
		}
		s.Activities[a.Source+" "+a.ID] = a
	}
	for kind := engine.Account; kind <= engine.Rep; kind++ {
		for e, err := range p.Scores(ctx, kind) {
			if err != nil {
				h.Fatal(err)
			}
			if e.Score.Temperature != 0 {
				s.Scores[e.Entity] = e.Score
			}
		}
	}
	d, err := p.Store().Directory(ctx)
	if err != nil {
		h.Fatal(err)
	}
	for i := range 10 {
		for kind, key := range map[engine.EntityKind]string{engine.Account: fmt.Sprint("K", i), engine.Contact: fmt.Sprint("P", i)} {
			if id, ok := d.Find(kind, "code", key); ok {
				s.Found[key] = id
			}
		}
	}
	for r, err := range p.Store().Rejects(ctx, "") {
		if err != nil {
			h.Fatal(err)
		}
		s.Rejects = append(s.Rejects, r.Source+" "+r.Key+" "+r.Code)
	}
	return s
}

// settled runs quiet nights and compares with a store that had everything from the start.
func (h *history) settled(fresh string) {
	h.Helper()
	if h.traceless {
		h.clock = h.clock.Add(8 * day)
		h.tell("a week later")
	}
	for range 3 { // a reading that was stopped ends, then what was merged meanwhile is read again
		h.clock = h.clock.Add(time.Minute)
		h.night(0, h.traceless)
	}
	h.traceless = false
	file, other := h.config("fresh.yaml", fresh), h.file
	h.file = file
	for range 2 { // the second tries what waits
		h.night(0, false)
	}
	h.file = other
	one, two := h.open(h.file, pipeline.Options{}), h.open(file, pipeline.Options{})
	defer func() {
		if err := cmp.Or(one.Close(), two.Close()); err != nil {
			h.Error(err)
		}
	}()
	if diff := gocmp.Diff(h.state(two), h.state(one)); diff != "" {
		h.Fatalf("a fresh store and this one differ (-fresh +this)\n%s\n%s", diff, h.story())
	}
	h.tell("as a fresh store")
}

// TestHistories: whatever happened from night to night, however often a run
// was stopped or a source failed, quiet nights end with what a store holds that read everything once.
func TestHistories(t *testing.T) {
	histories := 4 // more by HISTORIES=150, when something in here changes
	if s := os.Getenv("HISTORIES"); s != "" {
		var err error
		if histories, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	sqlite := func(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "energyd.db") }
	for name, fresh := range map[string]func(testing.TB) string{"sqlite": sqlite, "postgres": testdb.Postgres} {
		for seed := range histories {
			if name == "postgres" && seed%6 > 0 {
				continue
			}
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				h := newHistory(t, uint64(seed), fresh(t))
				for i := range 4 {
					id := fmt.Sprint("a", i)
					h.tables["accounts"].set(id, map[string]any{"Id": id, "Code": fmt.Sprint("K", i)})
				}
				for range 3 {
					for range 15 + h.IntN(20) {
						h.happens()
					}
					h.settled(fresh(t))
				}
			})
		}
	}
}

// TestReread_DoubtIsToldOnce: also of the directory's sources, which are looked at as soon as they are read.
func TestReread_DoubtIsToldOnce(t *testing.T) {
	h := newHistory(t, 0, "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	accounts := h.tables["accounts"]
	accounts.set("a0", map[string]any{"Id": "a0", "Code": "K0"})
	h.night(0, false)
	h.clock = h.clock.Add(8 * day)
	delete(accounts.rows, "a0")
	if r := h.night(0, false); len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "energyd pull --gone accounts") {
		t.Errorf("the run says %q", r.Notes)
	}
}

// TestRejects_OfAnEarlierReading: a reject whose record did not come again does
// not come back to life while the complete reading that would find it gone is under way.
func TestRejects_OfAnEarlierReading(t *testing.T) {
	h := newHistory(t, 0, "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	accounts, reports := h.tables["accounts"], h.tables["reports"]
	for i := range 8 {
		id := fmt.Sprint("r", i)
		reports.set(id, map[string]any{"Id": id, "Code": "K7", "Kind": "訪問"})
	}
	h.night(0, false)
	delete(reports.rows, "r7")
	h.clock = h.clock.Add(8 * day)
	reports.fail = 2
	h.night(0, false)
	reports.fail = 0
	accounts.set("a0", map[string]any{"Id": "a0", "Code": "K7"})
	h.clock = h.clock.Add(day)
	h.night(0, false)
	p := h.open(h.file, pipeline.Options{})
	defer p.Close()
	if s := h.state(p); len(s.Activities) != 7 || len(s.Rejects) != 0 {
		t.Errorf("%d activities and rejects %v, want 7 and none", len(s.Activities), s.Rejects)
	}
}

// TestPull_HalfADirectory: when a connection is down, the sources of the
// directory behind it are missing too, whichever source met it first.
func TestPull_HalfADirectory(t *testing.T) {
	h := newHistory(t, 0, "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	text, err := os.ReadFile(h.file)
	if err != nil {
		t.Fatal(err)
	}
	_, sources, _ := strings.Cut(string(text), "sources:\n")
	lines := strings.SplitAfter(sources, "\n")
	lines[0], lines[2] = lines[2], lines[0] // tasks first
	lines[3] = strings.Replace(lines[3], "connection: all", "connection: other", 1)
	text = []byte(strings.Replace(string(text), sources, strings.Join(lines, ""), 1))
	h.write("energyd.yaml", strings.Replace(string(text), "{all: {type: memory}}", "{all: {type: memory}, other: {type: memory}}", 1))
	h.tables["accounts"].set("a0", map[string]any{"Id": "a0", "Code": "K0"})
	h.tables["reports"].set("r0", map[string]any{"Id": "r0", "Code": "K0", "Kind": "訪問"})
	h.tables["tasks"].fail, h.tables["tasks"].kind = 1, fault.Auth
	r := h.night(0, false)
	if s := r.Sources[3]; s.Source != "reports" || s.Rejected != 0 || s.Error == "" {
		t.Errorf("reports: %+v", s)
	}
}

// TestReread_AllRejected: a mapping that makes nothing of its records any more is not told as records that are gone.
func TestReread_AllRejected(t *testing.T) {
	h := newHistory(t, 0, "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	h.tables["accounts"].set("a0", map[string]any{"Id": "a0", "Code": "K0"})
	h.tables["reports"].set("r0", map[string]any{"Id": "r0", "Code": "K0", "Kind": "訪問"})
	h.night(0, false)
	h.tables["reports"].set("r0", map[string]any{"Kind": "来訪"})
	h.clock = h.clock.Add(8 * day)
	if r := h.night(0, false); !strings.Contains(r.Notes[0], "reports: its complete reading found 0 records to use, and not the 1 others that energyd knows; they stay. "+
		"1 were rejected: look at them first (energyd rejects list)") {
		t.Errorf("the run says %q", r.Notes)
	}
}
