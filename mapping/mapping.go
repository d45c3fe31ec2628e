// Package mapping turns a source's records into activities and directory
// entries by a mapping file. The file is compiled once (Compile) and then
// applied to each record; it knows records and activities, and nothing of wires.
//
//   - config.go is the file as users write it, compile.go checks it, field.go runs one expression of it;
//   - mapping.go applies it to a record, activity.go makes the activity;
//   - functions.go holds the words of the language beyond expression's own:
//     date, datetime, lookup, find …; match.go is the word match; dates.go reads dates and times as people write them;
//   - lists.go walks through lists, parts.go makes several activities of one record;
//   - titles.go ranks job titles; phrases.go reads free text by the words of package freetext;
//   - testing.go runs the test cases that live in mapping files.
package mapping

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/expression"
	"energyd/mapping/freetext"
	"energyd/mapping/matching"
)

// Env is what a mapping is compiled against.
type Env struct {
	File   string // as messages and Activity.Mapping name it: "mappings/daily_report.yaml"
	Source string // name in energyd.yaml, for Activity.Source and Profile.Source
	Titles *Titles
	// Phrases are the words by which free text is read; nil reads none.
	Phrases *freetext.Reader
	// Words of the points table, for checks and suggestions; nil means not checked.
	Kinds, Ranks, Cues []string
	// Keys by which entities can be found: those that all mappings of the configuration give. nil means not checked.
	Keys map[engine.EntityKind][]string
}

// Directory finds CRM ids by other keys. ok is false when there is none.
type Directory interface {
	Find(kind engine.EntityKind, key, value string) (id string, ok bool)
	// Contact tells what the CRM says now of a contact that was found: the CRM
	// id of its account and its job title, "" where there is none.
	Contact(id string) (account, title string)
	// MatchAccount and MatchContact find by all that a record says of an entity.
	MatchAccount(want matching.Account) matching.Match
	MatchContact(want matching.Person) matching.Match
}

// Dated is a Directory that knows what contacts were before.
type Dated interface {
	// ContactAt tells what Contact told just before a time.
	ContactAt(id string, before time.Time) (account, title string)
}

// Result is what became of one record: an activity, several (Parts), a profile or a skip.
type Result struct {
	Activity     *engine.Activity // of a skip: the tombstone of the activity that the record may have been before
	Parts        *Parts           // instead of Activity, where a record becomes several: all of what the record is now, also beside an error
	Profile      *engine.Profile
	Skip         string // the reason of the skip rule
	UnknownTitle string // a title of this record that is not understood, for counting; "" when all are
	// Unfound is the first contact, deal or rep that the directory lacks and that is left out, as "contact T0999" or
	// "contact @cust.example"; of a skip, what its rule did not find. "" when all were found.
	Unfound string
	// Asked is what match left for a person to decide: of a reject "match" its account, else contacts that were left out.
	Asked []Asked
}

// RejectError says why this one record cannot be mapped; the others go on.
type RejectError struct {
	Code   string // "kind", "date", "account", "match", "encoding", "column", "lookup", "no_key", "value"
	Reason string // what is wrong and what to do
	Waits  bool   // what it names may come into the directory later: the record as it is may come through then
	// Columns are those that the failing expression reads, so that the reject can name their cells; nil when none did.
	Columns []string
	// Culprit is the one value at fault where Columns name several; nil when that is not known.
	Culprit any
}

// Cells are the columns of the record at fault: Columns, or those of them that hold the Culprit.
func (e *RejectError) Cells(value func(column string) any) []string {
	if e.Culprit == nil {
		return e.Columns
	}
	var guilty []string
	for _, c := range e.Columns {
		if reflect.DeepEqual(value(c), e.Culprit) {
			guilty = append(guilty, c)
		}
	}
	if guilty == nil { // it was computed from them
		return e.Columns
	}
	return guilty
}

func (e *RejectError) Error() string { return e.Reason }

// Mapping is a compiled mapping file. It may be used from several goroutines.
type Mapping struct {
	env         Env
	zone        *time.Location
	kinds       map[string]bool // of the points table; nil = not checked
	tests       []Test
	fingerprint string
	finds       bool                           // some entity by a key
	matches     map[engine.EntityKind]bool     // by all that a record says
	elements    map[string]*expression.Element // of the list columns
	columns     []string                       // of the expressions, in slot order
	skip        []skipRule
	activity    *activityRule
	profile     *profileRule

	bound atomic.Pointer[binding] // of the columns seen last
	runs  sync.Pool               // of *run
}

type skipRule struct {
	when   *field
	reason string
}

type activityRule struct {
	origin                                   string // Activity.Mapping
	each                                     *list  // the record becomes an activity for each element; nil = it is one
	when                                     *field // which elements
	ownID                                    bool   // id is that of the element's activity, not of the record
	id, version, at, kind, direction, status *field
	account                                  *field
	message, thread, answers                 *field
	product, segment                         *field
	same                                     *sameRule
	deals, reps                              []shareRule
	participants                             []participantRule
	cues                                     []cueRule
}

type shareRule struct {
	each     *list
	when, id *field
}

type participantRule struct {
	each                               *list
	when, contact, title, keyman, role *field
}

type cueRule struct {
	name string
	when *field
}

type profileRule struct {
	kind                                     engine.EntityKind
	id, version, name, account, title, owner *field
	parent, into                             *field
	keys                                     []keyRule
	facts                                    []factRule
}

type keyRule struct {
	name  string
	value *field
}

// run is the work on one record.
type run struct {
	expression.Run
	dir     Directory
	reading reading
	part    int                     // of the record's several, from 1
	columns []string                // in slot order
	steps   *[]Step                 // of a record that is tried
	misses  func(list, word string) // is told of words that no list knows; nil = nobody looks
	// of the text whose contacts the record becomes
	contacts []freetext.Contact
	missed   key                 // what the last find did not find
	unfound  key                 // the first missed one that left a field empty
	account  string              // of the activity, once it is known
	asked    []Asked             // by match
	proposed []matching.Proposal // for the last of them
	next     time.Time           // the end of the activity's day; zero while that is not known

	activities stock[engine.Activity]
	shares     stock[engine.Share]
	people     stock[engine.Participant]
}

// key is how a find names an entity: "account", "code", "K0001".
type key struct{ entity, name, value string }

// String is the key for counting: of an address its domain alone, since reports
// name nobody whom the CRM does not know.
func (k key) String() string {
	if k == (key{}) {
		return ""
	}
	if at := strings.LastIndexByte(k.value, '@'); at >= 0 {
		k.value = k.value[at:]
	}
	return k.entity + " " + short(k.value)
}

// contact tells what a contact was on the day of the activity.
func (w *run) contact(id string) (account, title string) {
	if dated, ok := w.dir.(Dated); ok && !w.next.IsZero() {
		return dated.ContactAt(id, w.next)
	}
	return w.dir.Contact(id)
}

// id evaluates a field that names an entity, and notes what the directory lacks.
func (w *run) id(f *field) (string, error) {
	w.missed = key{}
	id, err := f.text(w)
	if id == "" && w.unfound == (key{}) {
		w.unfound = w.missed
	}
	return id, err
}

// binding says where the mapping's columns stand in records with these Columns.
type binding struct {
	columns *connectors.Columns
	index   []int // by slot; -1 = the records have no such column
}

// MakesProfiles tells that records become directory entries, which other mappings look up.
func (m *Mapping) MakesProfiles() bool { return m.profile != nil }

// Keys are the names of the keys that a profile mapping gives its entities, sorted.
func (m *Mapping) Keys() (kind engine.EntityKind, names []string) {
	if m.profile == nil {
		return 0, nil
	}
	for _, k := range m.profile.keys {
		names = append(names, k.name)
	}
	return m.profile.kind, names
}

// Finds tells that records name entities by keys of the directory, so that what becomes of them depends on it.
func (m *Mapping) Finds() bool { return m.finds }

// TellsTitles tells that records give titles of contacts, as they were on their day.
func (m *Mapping) TellsTitles() bool {
	return m.activity != nil && slices.ContainsFunc(m.activity.participants, func(p participantRule) bool { return p.contact != nil && p.title != nil })
}

// Fingerprint changes whenever the mapping, the titles that it ranks by or the
// kinds of the points table may make something else of a record. Tests,
// comments and layout do not count.
func (m *Mapping) Fingerprint() string { return m.fingerprint }

// fingerprint hashes what a configuration says.
func fingerprint(cfg any) [sha256.Size]byte {
	text, err := json.Marshal(cfg) // keys of maps are sorted
	if err != nil {
		panic(err) // texts, numbers and lists of them: there is nothing that JSON cannot hold
	}
	return sha256.Sum256(text)
}

// Columns are the source's columns that the mapping uses, sorted.
func (m *Mapping) Columns() []string { return slices.Sorted(slices.Values(m.columns)) }

// Fields gives a record as it is kept when it was rejected. Lists hold people
// whom the mapping may leave out, with their addresses: of their elements only
// the fields that the mapping reads are kept.
func (m *Mapping) Fields(r connectors.Record) map[string]any {
	fields := r.Fields()
	for column, element := range m.elements {
		elements, ok := fields[column].([]any)
		if !ok {
			continue
		}
		kept := make([]any, len(elements))
		for i, e := range elements {
			kept[i] = e
			if object, ok := e.(map[string]any); ok {
				read := make(map[string]any, len(element.Used))
				for name := range element.Used {
					if v, has := object[name]; has {
						read[name] = v
					}
				}
				kept[i] = read
			}
		}
		fields[column] = kept
	}
	return fields
}

// Apply maps one record; dir may be nil when the mapping has no find. The
// error is a *RejectError. A deleted record gives a tombstone.
func (m *Mapping) Apply(r connectors.Record, dir Directory) (Result, error) {
	return m.apply(r, dir, nil, nil)
}

func (m *Mapping) apply(r connectors.Record, dir Directory, steps *[]Step, misses func(list, word string)) (Result, error) {
	w := m.runs.Get().(*run)
	defer m.runs.Put(w)
	w.steps, w.misses, w.columns = steps, misses, m.columns
	w.dir, w.next, w.unfound, w.reading, w.part, w.account, w.asked = dir, time.Time{}, key{}, reading{}, 0, "", nil
	if err := m.load(w, r); err != nil {
		return Result{}, err
	}
	if !r.Deleted {
		for _, s := range m.skip {
			w.missed = key{}
			hit, err := s.when.truth(w)
			if err != nil {
				return Result{}, err
			}
			if hit {
				missed := w.missed
				res := m.leftOut(w, r, s.reason)
				res.Unfound = missed.String()
				return res, nil
			}
		}
	}
	switch {
	case m.profile != nil:
		return m.applyProfile(w, r)
	case m.activity.each != nil:
		return m.applyParts(w, r)
	}
	return m.applyActivity(w, r)
}

// leftOut is what becomes of a skipped record: a tombstone too, because it may
// have been an activity before somebody changed it.
func (m *Mapping) leftOut(w *run, r connectors.Record, reason string) Result {
	res := Result{Skip: reason}
	if m.activity == nil {
		return res
	}
	idRule := m.activity.id
	if m.activity.ownID {
		idRule = nil
	}
	id, version, err := identity(w, r, idRule, m.activity.version)
	switch {
	case err != nil:
	case m.activity.each != nil:
		res.Parts = &Parts{Version: version}
	default: // a record that cannot be named was never an activity
		res.Activity = &engine.Activity{Source: m.env.Source, ID: id, Version: version, Mapping: m.activity.origin, Deleted: true, Date: engine.NoDate}
	}
	return res
}

// load puts the record's values into the slots.
func (m *Mapping) load(w *run, r connectors.Record) error {
	b := m.bound.Load()
	if b == nil || b.columns != r.Columns {
		b = &binding{r.Columns, make([]int, len(m.columns))}
		for slot, name := range m.columns {
			b.index[slot] = -1
			if r.Columns != nil {
				b.index[slot] = r.Columns.Index(name)
			}
		}
		m.bound.Store(b)
	}
	checked := r.Columns != nil && r.Columns.UTF8
	w.Values = w.Values[:0]
	for slot, i := range b.index {
		if i < 0 || i >= len(r.Values) {
			if !r.Deleted {
				return &RejectError{Code: "column", Reason: fmt.Sprintf("the record has no column %q, which the mapping %s uses", m.columns[slot], m.env.File)}
			}
			w.Values = append(w.Values, nil) // delete feeds give little more than the key
			continue
		}
		v := r.Values[i]
		if s, ok := v.(string); ok && !checked && !utf8.ValidString(s) {
			return &RejectError{Code: "encoding", Reason: fmt.Sprintf("the column %q is not UTF-8 (%q); repair it at its source; the record is read again when it changes", m.columns[slot], short(s)), Columns: []string{m.columns[slot]}}
		}
		w.Values = append(w.Values, v)
	}
	return nil
}

func (m *Mapping) applyProfile(w *run, r connectors.Record) (Result, error) {
	rule := m.profile
	p := &engine.Profile{Entity: engine.Entity{Kind: rule.kind}, Source: m.env.Source, Deleted: r.Deleted}
	var err error
	if p.ID, p.Version, err = identity(w, r, rule.id, rule.version); err != nil {
		return Result{}, err
	}
	if p.Into, err = rule.into.text(w); err != nil {
		return Result{}, err
	}
	if r.Deleted && p.Into == "" {
		return Result{Profile: p}, nil
	}
	for _, t := range [...]struct {
		to *string
		f  *field
	}{{&p.Name, rule.name}, {&p.Account, rule.account}, {&p.Title, rule.title}, {&p.Owner, rule.owner}, {&p.Parent, rule.parent}} {
		if *t.to, err = w.id(t.f); err != nil {
			return Result{}, err
		}
	}
	for _, k := range rule.keys {
		v, err := k.value.text(w)
		if err != nil {
			return Result{}, err
		}
		if v == "" {
			continue
		}
		if p.Keys == nil {
			p.Keys = make(map[string]string, len(rule.keys))
		}
		p.Keys[k.name] = v
	}
	if p.Facts, err = m.facts(w); err != nil {
		return Result{}, err
	}
	result := Result{Profile: p, Unfound: w.unfound.String()}
	_, result.UnknownTitle = m.rank(p.Title)
	return result, nil
}
