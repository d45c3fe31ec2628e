// Package config reads energyd's YAML files: energyd.yaml, the points table,
// the titles and the mappings. It is strict, reports all problems of a file at
// once with file, line, column and an excerpt (Errors), and resolves
// references to secrets.
//
// config.go loads energyd.yaml and files.go the files that it names; document.go holds the tree and finds places in it, decode.go fills Go values
// from it, references.go resolves ${env:…} and ${file:…}, errors.go prints.
package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/notice"
	"energyd/internal/report"
	"energyd/internal/review"
	"energyd/internal/schedule"
	"energyd/internal/telemetry"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// Config is energyd.yaml, read and checked.
type Config struct {
	File     string // as given
	Dir      string // folder of File; relative paths in the file are below it
	Store    string // "sqlite:PATH" (absolute or as seen from here) or "postgres://…"; may hold a password
	Language string // of texts written into the CRM and printed: "ja" or "en"
	Points   string // path of the points table
	Titles   string // path of the titles; "" = the built-in ones
	Phrases  string // path of the phrases; "" = the built-in ones
	Schedule string // cron text; "" = only by hand
	Zone     string // of Schedule, as "Asia/Tokyo"; "" = UTC

	Jobs []schedule.Job // what a daemon starts: the sync, then the sources with schedules of their own

	Connections []Connection // as written
	Sources     []Source     // as written
	Write       []Write
	Reports     report.Settings
	Review      review.Settings
	JournalDays int // how long the journal's entries are kept; 0 = for ever
	// RecountRecords is how many records a night reads again at most to see that none is missing; 0 = none are counted.
	RecountRecords int
	Brakes         sink.Brakes
	Plans          sink.Plans
	HTTP           telemetry.HTTP // of energyd run
	Dashboard      signon.Settings
	Traces         telemetry.Traces
	Lineage        telemetry.Lineage
	Notices        notice.Settings
	Tasks          sink.AlarmTasks // alarms that become to-dos in the CRM
	Warnings       []string        // findings that do not stop: "FILE:LINE:COLUMN: …"

	doc *document
}

// Connection is one system.
type Connection struct {
	Name      string
	Connector connectors.Connector
	Config    connectors.Config
}

// Source is one stream of a connection and its mapping.
type Source struct {
	Name       string
	Connection string
	Mapping    string        // path
	Schedule   string        // "" = the common one
	Reread     time.Duration // how often all of it is read again, to find what vanished without a trace; 0 = never
	Stream     connectors.Config

	missed string
}

// Write says which values of which entities go into which fields of the CRM.
type Write struct {
	Connection string
	Object     string
	Entity     engine.EntityKind
	Fields     map[string]string // value ("energy_now") → field of the CRM ("Energy__c")
}

// Name is what plans and journals call it: "crm.Account", and "crm.Account as group"
// for groups, which are records of the same object.
func (w Write) Name() string {
	if w.Entity == engine.CompanyGroup {
		return w.Connection + "." + w.Object + " as group"
	}
	return w.Connection + "." + w.Object
}

// Place gives problems that others found in energyd.yaml ("schedule",
// "write[0].fields.band") with their places in it, as Errors; nil for none.
func (c *Config) Place(ps fault.Problems) error {
	d := &document{file: c.doc.file, lines: c.doc.lines, root: c.doc.root}
	d.place(ps)
	return sorted(d.problems)
}

// Files are all files of the configuration as they were found: energyd.yaml, points, titles, phrases, mappings.
func (c *Config) Files() []string {
	files := []string{c.File, c.Points, c.Titles, c.Phrases}
	for _, s := range c.Sources {
		files = append(files, s.Mapping)
	}
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(file string) bool { return file == "" })
}

// top is energyd.yaml as written.
type top struct {
	Store       string            `yaml:"store"`
	Language    string            `yaml:"language"`
	Points      string            `yaml:"points"`
	Titles      string            `yaml:"titles"`
	Phrases     string            `yaml:"phrases"`
	Schedule    string            `yaml:"schedule"`
	Timezone    string            `yaml:"timezone"`
	Missed      string            `yaml:"missed"`
	Connections section           `yaml:"connections"`
	Sources     section           `yaml:"sources"`
	Write       []writeTop        `yaml:"write"`
	Reports     report.Settings   `yaml:"reports"`
	Review      review.Settings   `yaml:"review"`
	JournalDays int               `yaml:"journal_days"`
	Brakes      sink.Brakes       `yaml:"brakes"`
	Plans       sink.Plans        `yaml:"plans"`
	HTTP        telemetry.HTTP    `yaml:"http"`
	Traces      telemetry.Traces  `yaml:"traces"`
	Lineage     telemetry.Lineage `yaml:"lineage"`
	Notices     notice.Settings   `yaml:"notices"`
	Dashboard   signon.Settings   `yaml:"dashboard"`
	Alarms      alarmsTop         `yaml:"alarms"`
	Recount     int               `yaml:"recount_records"`
}

// kinds are the words for the kinds of directory entries, entities those of what has scores, in the order of engine.EntityKind.
var (
	kinds    = []string{"account", "contact", "deal", "rep"}
	entities = append(slices.Clone(kinds), "group")
)

// journalDays is how long the journal is kept when the configuration does not say.
const journalDays = 3 * 365

type writeTop struct {
	Connection string            `yaml:"connection"`
	Object     string            `yaml:"object"`
	Entity     string            `yaml:"entity"`
	Fields     map[string]string `yaml:"fields"`
}

type alarmsTop struct {
	Tasks sink.AlarmTasks `yaml:"tasks"`
}

type connectionTop struct {
	Type string `yaml:"type"`
}

type sourceTop struct {
	Connection string        `yaml:"connection"`
	Mapping    string        `yaml:"mapping"`
	Schedule   string        `yaml:"schedule"`
	Missed     string        `yaml:"missed"`
	Reread     time.Duration `yaml:"reread"`
}

// reread is how often a source is read completely when it says nothing: once a week.
const reread = 7 * 24 * time.Hour

// Load reads energyd.yaml. The error is Errors.
func Load(file string, reg connectors.Registry) (*Config, error) { return load(file, reg, false) }

// LoadAtRest reads energyd.yaml for who looks only at what is stored: the
// connections' references need not resolve and their options are not checked,
// so none of them may be opened. The error is Errors.
func LoadAtRest(file string, reg connectors.Registry) (*Config, error) { return load(file, reg, true) }

// LoadConnection reads energyd.yaml for who uses one connection and what is
// stored: of the others neither references nor options need be right, and the
// sources may still be missing, or name mappings that are not written yet. The error is Errors.
func LoadConnection(file string, reg connectors.Registry, connection string) (*Config, error) {
	return loadAs(file, reg, loader{atRest: true, only: connection})
}

func load(file string, reg connectors.Registry, atRest bool) (*Config, error) {
	return loadAs(file, reg, loader{atRest: atRest})
}

func loadAs(file string, reg connectors.Registry, l loader) (*Config, error) {
	return loadDocument(open(file), file, reg, l)
}

func loadDocument(doc *document, file string, reg connectors.Registry, l loader) (*Config, error) {
	if doc.root == nil || !doc.isMapping() {
		return nil, sorted(doc.problems)
	}
	l.decoder = decoder{doc: doc, dir: filepath.Dir(file), references: true}
	l.config = &Config{File: file, Dir: filepath.Dir(file), doc: doc}
	l.reg, l.types, l.written = reg, map[string]string{}, map[string]string{}
	l.load()
	if err := sorted(doc.problems); err != nil {
		return nil, err
	}
	l.config.Warnings = doc.warnings
	return l.config, nil
}

// loader reads one energyd.yaml.
type loader struct {
	decoder
	config   *Config
	reg      connectors.Registry
	atRest   bool   // no connection will be opened
	only     string // but for this one, while the configuration is being made
	problems fault.Problems
	types    map[string]string // connection → connector, of those whose type is known
	names    []string          // of all connections
	written  map[string]string // entity, object or field in lower case → what writes it
}

func (l *loader) load() {
	t := top{
		Store: "sqlite:energyd.db", Language: "ja", Points: "points.yaml", Reports: report.Defaults(), Review: review.DefaultSettings(), JournalDays: journalDays, Recount: 50_000,
		HTTP: telemetry.HTTPDefaults(), Lineage: telemetry.LineageDefaults(), Notices: notice.Defaults(), Dashboard: signon.Defaults(), Alarms: alarmsTop{sink.DefaultAlarmTasks()}, Brakes: sink.DefaultBrakes(), Plans: sink.DefaultPlans(),
	}
	l.structs(l.doc.root, reflect.ValueOf(&t).Elem())
	c := l.config
	c.Language, c.Schedule, c.Zone = t.Language, t.Schedule, t.Timezone
	c.Store = l.store(t.Store)
	if _, err := time.LoadLocation(t.Timezone); err != nil || t.Timezone == "Local" {
		l.problems = append(l.problems, fault.Problem{Path: "timezone", Msg: fmt.Sprintf("unknown time zone %q", t.Timezone), Hint: "write an IANA name as Asia/Tokyo, or UTC"})
	}
	if t.Language != "ja" && t.Language != "en" {
		l.problems.Add("language", "unknown language %q; known are ja and en", t.Language)
	}
	c.Points, c.Titles, c.Phrases = l.path("points", t.Points), l.path("titles", t.Titles), l.path("phrases", t.Phrases)
	for _, e := range t.Connections {
		l.names = append(l.names, e.name)
		l.connection(e)
	}
	if len(t.Connections) == 0 {
		l.problems.Add("connections", "connections is required: the systems to read from and to write to")
	}
	for _, e := range t.Sources {
		l.source(e)
	}
	if len(t.Sources) == 0 && l.only == "" {
		l.problems.Add("sources", "sources is required: what is read, in this order")
	}
	l.jobs(t)
	l.http(t.HTTP)
	l.problems = append(append(l.problems, t.Traces.Problems()...), t.Lineage.Problems()...)
	c.Traces, c.Lineage = t.Traces, t.Lineage
	l.notices(t.Notices)
	c.Dashboard = t.Dashboard
	c.Reports = t.Reports
	if c.RecountRecords = t.Recount; t.Recount < 0 {
		l.problems.Add("recount_records", "takes 0 or more")
	}
	if c.JournalDays = t.JournalDays; t.JournalDays != 0 && t.JournalDays < 30 {
		l.problems.Add("journal_days", "keeps the journal for 30 days at least, so that what a run wrote can be told; 0 keeps it for ever")
	}
	c.Review, c.Brakes, c.Plans = t.Review, t.Brakes, t.Plans
	l.problems = slices.Concat(l.problems, c.Dashboard.Problems(), c.Reports.Problems(), c.Review.Problems(), c.Brakes.Problems(), c.Plans.Problems())
	for i, w := range t.Write {
		l.write(fmt.Sprintf("write[%d]", i), w)
	}
	l.tasks(t.Alarms.Tasks)
	l.doc.place(l.problems)
}

func (l *loader) store(store string) string {
	path, sqlite := strings.CutPrefix(store, "sqlite:")
	switch {
	case sqlite && path == "":
		l.problems.Add("store", "name the file, as in sqlite:energyd.db")
	case sqlite:
		return "sqlite:" + under(l.dir, path)
	case !strings.HasPrefix(store, "postgres://") && !strings.HasPrefix(store, "postgresql://"):
		l.problems.Add("store", "needs sqlite:FILE or postgres://USER@HOST/DATABASE")
	}
	return store
}

// path gives a file named in energyd.yaml as seen from here, and checks that it is there.
func (l *loader) path(path, name string) string {
	if name == "" {
		return ""
	}
	file := under(l.dir, name)
	if info, err := os.Stat(file); err != nil {
		l.problems.Add(path, "the file %s: %s", name, reason(err))
	} else if info.IsDir() {
		l.problems.Add(path, "%s is a folder, not a file", name)
	}
	return file
}

func (l *loader) connection(e entry) {
	path := "connections." + e.name
	var common connectionTop
	common.Type = option(e.value, "type") // it decides which options there are
	if common.Type == "" {
		l.problems.Add(path, "%s.type is required: %s", path, strings.Join(l.reg.Names(), ", "))
		return
	}
	connector, ok := l.reg.Find(common.Type)
	if !ok {
		l.problems.Add(path+".type", "unknown type %q%s", common.Type, suggest(common.Type, l.reg.Names()))
		return
	}
	l.types[e.name] = connector.Name
	cfg := connector.NewConfig()
	rest := l.atRest && e.name != l.only
	l.unresolved = rest
	l.structs(e.value, reflect.ValueOf(&common).Elem(), reflect.ValueOf(cfg).Elem())
	l.unresolved = false
	if !rest {
		l.validate(path, cfg)
	}
	l.config.Connections = append(l.config.Connections, Connection{e.name, connector, cfg})
}

func (l *loader) source(e entry) {
	path := "sources." + e.name
	common := sourceTop{Reread: reread}
	connector, ok := l.connectionOf(path, option(e.value, "connection"))
	if !ok {
		return
	}
	if !connector.Reads {
		l.problems.Add(path+".connection", "this connection is of type %s, which cannot be read from", connector.Name)
		return
	}
	stream := connector.NewStream()
	l.structs(e.value, reflect.ValueOf(&common).Elem(), reflect.ValueOf(stream).Elem())
	l.validate(path, stream)
	if common.Reread < 0 {
		l.problems.Add(path+".reread", "needs a time as 168h, or 0 for never")
	}
	if common.Mapping == "" {
		l.problems.Add(path, "%s.mapping is required: the file that says what its records mean", path)
	}
	file := under(l.dir, common.Mapping)
	if !l.atRest {
		file = l.path(path+".mapping", common.Mapping)
	}
	l.config.Sources = append(l.config.Sources, Source{
		Name: e.name, Connection: common.Connection, Mapping: file,
		Schedule: common.Schedule, Reread: common.Reread, Stream: stream, missed: common.Missed,
	})
}

// connectionOf finds the connector of a connection that is named at path.
func (l *loader) connectionOf(path, name string) (connectors.Connector, bool) {
	if name == "" {
		l.problems.Add(path, "%s.connection is required", path)
		return connectors.Connector{}, false
	}
	if connector, ok := l.reg.Find(l.types[name]); ok {
		return connector, true
	}
	if !slices.Contains(l.names, name) { // else its own problem says it all
		l.problems.Add(path+".connection", "unknown connection %q%s", name, suggest(name, l.names))
	}
	return connectors.Connector{}, false
}

func (l *loader) write(path string, w writeTop) {
	out := Write{Connection: w.Connection, Object: w.Object, Fields: w.Fields}
	if connector, ok := l.connectionOf(path, w.Connection); ok && !connector.Writes {
		l.problems.Add(path+".connection", "the connection %q is of type %s, which cannot be written to", w.Connection, connector.Name)
	}
	if w.Object == "" {
		l.problems.Add(path, "%s.object is required: the CRM's name of the object, as Account", path)
	}
	if len(w.Fields) == 0 {
		l.problems.Add(path, "%s.fields is required: which value goes into which field", path)
	}
	switch i := slices.Index(entities, w.Entity); {
	case w.Entity == "":
		l.problems.Add(path, "%s.entity is required: account, contact, deal, rep or group", path)
	case i < 0:
		l.problems.Add(path+".entity", "unknown entity %q%s", w.Entity, suggest(w.Entity, entities))
	default:
		out.Entity = engine.EntityKind(i)
	}
	// Once each: what is settled is known by entity, and what was written by record and field (decisions 0003, 0113).
	once := func(path, what, name, under string) {
		key := strings.ToLower(what + " " + under + name)
		if first, twice := l.written[key]; twice {
			l.problems.Add(path, "the %s %s is written already by %s", what, name, first)
		} else if name != "" {
			l.written[key] = path
		}
	}
	once(path+".entity", "entity", w.Entity, "")
	for i, other := range l.config.Write {
		// A group is a record that its account is, too; each has fields of its own.
		both := [2]engine.EntityKind{min(other.Entity, out.Entity), max(other.Entity, out.Entity)} == [2]engine.EntityKind{engine.Account, engine.CompanyGroup}
		if w.Object != "" && other.Connection == w.Connection && strings.EqualFold(other.Object, w.Object) && !both {
			l.problems.Add(path+".object", "the object %s is written already by write[%d].object", w.Object, i)
			break
		}
	}
	for _, measure := range slices.Sorted(maps.Keys(w.Fields)) {
		once(path+".fields."+measure, "field", w.Fields[measure], w.Connection+"."+w.Object+".")
	}
	l.config.Write = append(l.config.Write, out)
}

// validate asks a connector's configuration for its problems.
func (l *loader) validate(path string, cfg connectors.Config) {
	switch err := cfg.Validate().(type) { // Validate's contract is Problems itself
	case nil:
	case fault.Problems:
		l.problems.Under(path, err)
	default:
		l.problems.Add(path, "%s", err)
	}
}

// option gives the text of one option of a mapping, "" when there is none.
func option(n *yaml.Node, name string) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}

func suggest(name string, known []string) string {
	if s := fault.DidYouMean(name, known); s != "" {
		return s
	}
	if len(known) == 0 {
		return ""
	}
	return "; known are " + strings.Join(known, ", ")
}

// into decodes the document into cfg and adds what check, which runs after it, finds.
func (d *document) into(cfg any, check func() error) error {
	if d.root != nil && d.isMapping() {
		dec := decoder{doc: d, dir: filepath.Dir(d.file)}
		dec.structs(d.root, reflect.ValueOf(cfg).Elem())
		switch err := check().(type) { // the checks' contract is Problems itself
		case nil:
		case fault.Problems:
			d.place(err)
		default:
			return err
		}
	}
	return sorted(d.problems)
}
