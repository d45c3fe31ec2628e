package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"energyd/engine"
	"energyd/internal/expression"
	"energyd/internal/fault"
	"energyd/mapping/matching"
)

// compiler gathers the problems of one mapping file.
type compiler struct {
	cfg      *Config
	env      Env
	zone     *time.Location
	scope    expression.Scope
	lists    map[string]*wordList
	problems fault.Problems
	checked  map[string]bool // "list what" pairs that were checked already

	// of the field being compiled: what it gives, the words it may give (nil = any), the lists it uses
	what  string
	words []string
	used  []string
	// so far, in the whole file: whether it finds and reads free text, and the list columns that it walks through
	finds    bool
	matches  map[engine.EntityKind]bool
	reads    bool // free text
	names    bool // brings names into one form
	elements map[string]*expression.Element
	// what the file's tests have for elements, for the names of fields of lists in lists
	elementsAt map[*expression.Element][]any
	wrong      map[wrong]bool // findings so far: those in a snippet come with each of its uses
}

// wrong is a finding at its place.
type wrong struct {
	path, msg string
	offset    int
}

// fingerprint is the mapping's without what changes no result: its tests and the lines of its rules.
func (c *compiler) fingerprint() string {
	cfg := *c.cfg
	cfg.Tests = nil
	if cfg.Activity != nil {
		rule := *cfg.Activity
		rule.Line = 0
		cfg.Activity = &rule
	}
	all := fingerprint(cfg)
	if c.env.Titles != nil {
		all = sha256.Sum256(append(all[:], c.env.Titles.fingerprint[:]...))
	}
	if c.reads && c.env.Phrases != nil {
		phrases := c.env.Phrases.Fingerprint()
		all = sha256.Sum256(append(all[:], phrases[:]...))
	}
	if c.names || len(c.matches) > 0 { // what names are brought into is found by what they were brought into
		all = sha256.Sum256(append(all[:], matching.Revision))
	}
	if cfg.Activity != nil && c.env.Kinds != nil { // a kind that is new was a reject before
		kinds := fingerprint(slices.Sorted(slices.Values(c.env.Kinds)))
		all = sha256.Sum256(append(all[:], kinds[:]...))
	}
	return hex.EncodeToString(all[:])
}

// setOf makes a set of words; nil of nil.
func setOf(words []string) map[string]bool {
	if words == nil {
		return nil
	}
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

// Compile checks cfg and makes a Mapping of it. The error is fault.Problems, all of them at once.
func Compile(cfg *Config, env Env) (*Mapping, error) {
	c := &compiler{cfg: cfg, env: env, zone: time.UTC, lists: map[string]*wordList{}, matches: map[engine.EntityKind]bool{}, checked: map[string]bool{}, elements: map[string]*expression.Element{},
		elementsAt: map[*expression.Element][]any{}, wrong: map[wrong]bool{}}
	if cfg.Timezone != "" {
		zone, err := time.LoadLocation(cfg.Timezone)
		if err != nil {
			c.problems.Add("timezone", "%q is not a time zone as Asia/Tokyo", cfg.Timezone)
		} else {
			c.zone = zone
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Lookups)) {
		c.lists[name] = newWordList("lookups."+name, name, cfg.Lookups[name], &c.problems)
	}
	c.scope = expression.Scope{Columns: c.columns(), Functions: append(c.functions(), c.textFunctions()...), Snippets: cfg.Snippets}
	if c.scope.Columns != nil && len(cfg.Columns) == 0 {
		c.scope.Known = "; the file has no list columns:, so only those in its tests' records are known"
	}
	c.snippets()
	m := &Mapping{env: env, zone: c.zone, kinds: setOf(env.Kinds), tests: cfg.Tests}
	for i, s := range cfg.Skip {
		path := at("skip", i)
		c.require(path+".when", s.When)
		c.require(path+".reason", s.Reason)
		m.skip = append(m.skip, skipRule{c.condition(path+".when", s.When), s.Reason})
	}
	switch {
	case cfg.Activity == nil && cfg.Profile == nil:
		c.problems.Add("", "the mapping says neither what the activity is nor what the profile is; add activity: or profile:")
	case cfg.Activity != nil && cfg.Profile != nil:
		c.problems = append(c.problems, fault.Problem{Path: "profile", Key: true,
			Msg: "a mapping makes activities or profiles, not both; map the source twice, with a file each"})
	case cfg.Activity != nil:
		m.activity = c.activity(cfg.Activity)
	default:
		m.profile = c.profile(cfg.Profile)
	}
	c.tests()
	m.columns, m.finds, m.elements, m.fingerprint = c.scope.Used(), c.finds, c.elements, c.fingerprint()
	m.matches = c.matches
	m.runs.New = func() any {
		r := &run{}
		r.Env = r
		return r
	}
	if err := c.problems.Or(); err != nil {
		return nil, err
	}
	return m, nil
}

// columns are the known columns; nil when the file tells none.
func (c *compiler) columns() []string {
	if len(c.cfg.Columns) > 0 {
		return c.cfg.Columns
	}
	known := map[string]bool{}
	for _, t := range c.cfg.Tests {
		for name := range t.Record {
			known[name] = true
		}
	}
	if len(known) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(known))
}

func (c *compiler) require(path, value string) {
	if strings.TrimSpace(value) == "" {
		c.problems.Add(path, "%s is required", path)
	}
}

// field compiles the expression at path. words are what it may give, nil for anything.
func (c *compiler) field(path, text string, want expression.Type, what string, words []string) *field {
	text, lead := strings.TrimSpace(text), len(text)-len(strings.TrimLeft(text, " \t\n"))
	if text == "" {
		return nil
	}
	c.what, c.words, c.used = what, words, nil
	source := text
	if isName(text) && !slices.Contains(c.scope.Columns, text) && c.cfg.Snippets[text] == "" && words != nil {
		switch {
		case slices.Contains(words, text):
			source = strconv.Quote(text)
		case c.scope.Columns != nil && (fault.Nearest(text, words) != "" || fault.Nearest(text, c.scope.Columns) == ""):
			c.place(path, lead, unknownWord(what, text, words))
			return nil
		}
	}
	program, err := expression.Compile(source, &c.scope, want)
	var findings expression.Findings
	if errors.As(err, &findings) {
		c.findings(path, lead, findings)
		return nil
	}
	if words != nil {
		for _, r := range program.Results() {
			if !slices.Contains(words, r.Text) {
				c.place(path, lead+r.Offset, unknownWord(what, r.Text, words))
			}
		}
		c.checkLists()
	}
	return &field{path, text, program}
}

func (c *compiler) place(path string, offset int, msg string) {
	if w := (wrong{path, msg, offset}); c.wrong[w] {
		return
	} else {
		c.wrong[w] = true
	}
	c.problems = append(c.problems, fault.Problem{Path: path, Offset: offset, Msg: msg})
}

// checkLists finds meanings in the lists just used that the field cannot take.
func (c *compiler) checkLists() {
	for _, name := range c.used {
		if pair := name + " " + c.what; c.checked[pair] {
			continue
		} else {
			c.checked[pair] = true
		}
		list := c.cfg.Lookups[name]
		for _, word := range slices.Sorted(maps.Keys(list)) {
			if meaning := list[word]; meaning != "" && !slices.Contains(c.words, meaning) {
				c.problems.Add("lookups."+name+"."+word, "%s", unknownWord(c.what, meaning, c.words))
			}
		}
	}
}

// isName tells that s is a single word, in whatever script.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != "" && s != "true" && s != "false" && s != "nil" && s != "null"
}

const idType = expression.Text | expression.Number

func (c *compiler) condition(path, text string) *field {
	return c.field(path, text, expression.Bool, "condition", nil)
}

func (c *compiler) id(path, text string) *field { return c.field(path, text, idType, "id", nil) }

func (c *compiler) version(path, text string) *field {
	return c.field(path, text, expression.Text|expression.Number|expression.Date|expression.Time, "version", nil)
}

func (c *compiler) shares(path string, rules []ShareRule) []shareRule {
	var out []shareRule
	for i, r := range rules {
		path := at(path, i)
		if r.Each == "" && r.When == "" { // written as its id alone
			c.require(path, r.ID)
			if id := c.id(path, r.ID); id != nil {
				out = append(out, shareRule{id: id})
			}
			continue
		}
		each, end := c.each(path, r.Each)
		if strings.TrimSpace(r.ID) == "" {
			c.problems.Add(path, "%s.id is required", path)
		}
		out = append(out, shareRule{each, c.condition(path+".when", r.When), c.id(path+".id", r.ID)})
		end()
	}
	return out
}

func (c *compiler) activity(a *ActivityRule) *activityRule {
	for _, required := range [...]struct{ name, value string }{{"at", a.At}, {"kind", a.Kind}, {"account", a.Account}} {
		if strings.TrimSpace(required.value) == "" {
			c.problems.Add("activity", "activity.%s is required", required.name)
		}
	}
	version := c.version("activity.version", a.Version) // of the record, so it knows no item
	each, end := c.each("activity", a.Each)
	defer end()
	if a.Each == "" && a.When != "" {
		c.problems = append(c.problems, fault.Problem{Path: "activity.when", Key: true, Msg: "when chooses among the elements of each, and there is no each; leave records out by a skip rule"})
	}
	rule := &activityRule{
		origin:    c.env.File + ":" + strconv.Itoa(a.Line),
		version:   version,
		each:      each,
		when:      c.condition("activity.when", a.When),
		id:        c.id("activity.id", a.ID),
		at:        c.field("activity.at", a.At, expression.Text|expression.Date|expression.Time, "time", nil),
		kind:      c.field("activity.kind", a.Kind, expression.Text, "kind", c.env.Kinds),
		direction: c.field("activity.direction", a.Direction, expression.Text, "direction", directions.words()),
		status:    c.field("activity.status", a.Status, expression.Text, "status", statuses.words()),
		account:   c.id("activity.account", a.Account),
		message:   c.id("activity.message", a.Message),
		thread:    c.id("activity.thread", a.Thread),
		answers:   c.id("activity.answers", a.Answers),
		product:   c.id("activity.product", a.Product),
		segment:   c.id("activity.segment", a.Segment),
		same:      c.same(a.Same),
		deals:     c.shares("activity.deals", a.Deals),
		reps:      c.shares("activity.reps", a.Reps),
	}
	rule.ownID = each != nil && rule.id != nil && len(rule.id.program.Fields()) > 0
	for i, p := range a.Participants {
		path := at("activity.participants", i)
		if p.Contact == "" && p.Title == "" {
			c.problems.Add(path, "a participant needs contact or title")
		}
		each, end := c.each(path, p.Each)
		rule.participants = append(rule.participants, participantRule{
			each:    each,
			when:    c.condition(path+".when", p.When),
			contact: c.id(path+".contact", p.Contact),
			title:   c.field(path+".title", p.Title, expression.Text, "title", nil),
			keyman:  c.condition(path+".keyman", p.Keyman),
			role:    c.field(path+".role", p.Role, expression.Text, "role", roles.words()),
		})
		end()
	}
	for _, cue := range slices.Sorted(maps.Keys(a.Cues)) {
		path := "activity.cues." + cue
		if c.env.Cues != nil && !slices.Contains(c.env.Cues, cue) {
			c.problems = append(c.problems, fault.Problem{Path: path, Key: true, Msg: unknownWord("cue", cue, c.env.Cues)})
		}
		c.require(path, a.Cues[cue])
		if f := c.condition(path, a.Cues[cue]); f != nil {
			rule.cues = append(rule.cues, cueRule{cue, f})
		}
	}
	return rule
}

func (c *compiler) profile(p *ProfileRule) *profileRule {
	kind, ok := entityKinds[p.Kind]
	if p.Kind == engine.Stage.String() {
		kind, ok = engine.Stage, true
	}
	words := append(slices.Clone(entityWords), engine.Stage.String())
	switch {
	case p.Kind == "":
		c.problems.Add("profile", "profile.kind is required: %s", strings.Join(words, ", "))
	case !ok:
		c.problems.Add("profile.kind", "%s", unknownWord("entity", p.Kind, words))
	}
	rule := &profileRule{
		kind:    kind,
		id:      c.id("profile.id", p.ID),
		version: c.version("profile.version", p.Version),
		name:    c.id("profile.name", p.Name),
		account: c.id("profile.account", p.Account),
		title:   c.field("profile.title", p.Title, expression.Text, "title", nil),
		owner:   c.id("profile.owner", p.Owner),
		parent:  c.id("profile.parent", p.Parent),
		into:    c.id("profile.into", p.Into),
	}
	for _, key := range slices.Sorted(maps.Keys(p.Keys)) {
		path := "profile.keys." + key
		c.require(path, p.Keys[key])
		if f := c.id(path, p.Keys[key]); f != nil {
			rule.keys = append(rule.keys, keyRule{key, f})
		}
	}
	rule.facts = c.facts(kind, p.Facts)
	return rule
}

// tests checks the test cases; running them is RunTests' job.
func (c *compiler) tests() {
	names := map[string]bool{}
	for i, t := range c.cfg.Tests {
		path := at("tests", i)
		if t.Name == "" {
			c.problems.Add(path, "%s.name is required", path)
		} else if names[t.Name] {
			c.problems.Add(path+".name", "another test has the name %q", t.Name)
		}
		names[t.Name] = true
		given := 0
		for _, is := range [...]bool{t.Expect != nil, t.Skip != "", t.Reject != ""} {
			if is {
				given++
			}
		}
		several := c.cfg.Activity != nil && c.cfg.Activity.Each != ""
		if given != 1 && !(several && given == 2 && t.Skip == "") {
			c.problems.Add(path, "a test has exactly one of expect, skip and reject; here are %d", given)
		}
		for name := range t.Record {
			if len(c.cfg.Columns) > 0 && !slices.Contains(c.cfg.Columns, name) {
				c.problems = append(c.problems, fault.Problem{Path: path + ".record." + name, Key: true,
					Msg: fmt.Sprintf("unknown column %q%s", name, fault.DidYouMean(name, c.cfg.Columns))})
			}
		}
		for j, e := range t.Directory {
			if _, ok := entityKinds[e.Kind]; !ok {
				c.problems.Add(at(path+".directory", j)+".kind", "%s", unknownWord("entity", e.Kind, entityWords))
			}
		}
		c.expected(path+".expect", t.Expect, several)
	}
}

// expected finds fields that no result has, in what a test expects.
func (c *compiler) expected(path string, expect any, several bool) {
	switch e := expect.(type) {
	case nil:
	case []any:
		if !several {
			c.problems.Add(path, "a record becomes one activity here; a list is expected where activity has each")
			return
		}
		for i, one := range e {
			if _, ok := one.(map[string]any); !ok {
				c.problems.Add(at(path, i), "needs the fields of an activity, as {kind: visit}")
				continue
			}
			c.expected(at(path, i), one, false)
		}
	case map[string]any:
		if several {
			c.problems.Add(path, "a record becomes several activities here; expect a list, as [{kind: visit}]")
			return
		}
		known := shown(Result{Activity: &engine.Activity{}})
		if c.cfg.Profile != nil {
			known = shown(Result{Profile: &engine.Profile{}})
		}
		c.testRanks(path+".participants", e["participants"])
		words := slices.Sorted(maps.Keys(known))
		for name := range e {
			if _, ok := known[name]; !ok {
				c.problems = append(c.problems, fault.Problem{Path: path + "." + name, Key: true, Msg: unknownWord("field", name, words)})
			}
		}
	default:
		c.problems.Add(path, "needs the fields that are expected, as {kind: visit}")
	}
}

// testRanks finds expected ranks that the points table does not have.
func (c *compiler) testRanks(path string, people any) {
	list, _ := people.([]any)
	for i, p := range list {
		person, _ := p.(map[string]any)
		rank, _ := person["rank"].(string)
		if rank != "" && c.env.Ranks != nil && !slices.Contains(c.env.Ranks, rank) {
			c.problems.Add(at(path, i)+".rank", "%s", unknownWord("rank", rank, c.env.Ranks))
		}
	}
}
