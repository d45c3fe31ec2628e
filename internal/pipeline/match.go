package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// lookup is a directory that knows keys alone.
type lookup interface {
	Find(kind engine.EntityKind, key, value string) (id string, ok bool)
	Contact(id string) (account, title string)
	ContactAt(id string, before time.Time) (account, title string)
}

// directory finds by keys and by all that a record says.
type directory struct {
	lookup
	*matching.Matcher
}

// builtMatcher is a matcher with what it was built from.
type builtMatcher struct {
	*matching.Matcher
	change, decisions int64
	kinds             [2]bool // accounts, contacts
}

// matching gives the directory that a mapping asks: with an index of the accounts and contacts when it matches them.
// change is that of the directory.
func (p *Pipeline) matching(ctx context.Context, m *mapping.Mapping, known lookup,
	profiles func(context.Context, engine.EntityKind) iter.Seq2[engine.Profile, error], change int64) (mapping.Directory, error) {
	kinds := [2]bool{m.Matches(engine.Account), m.Matches(engine.Contact)}
	if kinds == [2]bool{} {
		return directory{known, nil}, nil
	}
	decisions, decided, err := p.store.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	if b := p.matcher; b != nil && b.change == change && b.decisions == decided && b.kinds == kinds {
		return directory{known, b.Matcher}, nil
	}
	p.matcher = nil // before the next one: two would need the memory twice
	b, err := p.newMatcher(ctx, known, profiles, decisions, kinds)
	if err != nil {
		return nil, err
	}
	p.matcher = &builtMatcher{b, change, decided, kinds}
	return directory{known, b}, nil
}

func (p *Pipeline) newMatcher(ctx context.Context, known lookup, profiles func(context.Context, engine.EntityKind) iter.Seq2[engine.Profile, error],
	decisions []store.Decision, kinds [2]bool) (*matching.Matcher, error) {
	var accounts []matching.Account
	var people []matching.Person
	for i, kind := range [...]engine.EntityKind{engine.Account, engine.Contact} {
		if !kinds[i] {
			continue
		}
		for profile, err := range profiles(ctx, kind) {
			if err != nil {
				return nil, err
			}
			id, there := known.Find(kind, "id", profile.ID) // of one that was merged: what it went into
			switch {
			case !there:
			case kind == engine.Account:
				accounts = append(accounts, mapping.MatchedAccount(id, profile.Name, profile.Keys))
			default:
				account, _ := known.Contact(id)
				people = append(people, mapping.MatchedContact(id, account, profile.Name, profile.Keys))
			}
		}
	}
	made := make([]matching.Decision, len(decisions))
	for i, d := range decisions {
		made[i] = matching.Decision{Key: d.Key, ID: d.ID, Not: d.Not}
	}
	present := func(person bool, id string) (string, bool) { return known.Find(kindOf(person), "id", id) }
	return matching.NewMatcher(accounts, people, made, p.region(), present), nil
}

// region is where phone numbers without a country code are of; "ZZ" is nowhere.
func (p *Pipeline) region() string {
	if p.cfg.Language == "ja" || p.cfg.Zone == "Asia/Tokyo" {
		return "JP"
	}
	return "ZZ"
}

func kindOf(person bool) engine.EntityKind {
	if person {
		return engine.Contact
	}
	return engine.Account
}

// maxAsked is how many different questions of a source are kept from one pull.
const maxAsked = 10_000

// ask counts what a record put before a person.
func (m *mapper) ask(asked []mapping.Asked) {
	for _, a := range asked {
		m.report.addAsked(map[string]store.Asked{a.Key: {Written: a.Written, Records: 1}})
	}
}

func (r *SourceReport) addAsked(asked map[string]store.Asked) {
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		a, known := r.asked[key]
		if !known && len(r.asked) >= maxAsked {
			continue
		}
		if r.asked == nil {
			r.asked = map[string]store.Asked{}
		}
		a.Records += asked[key].Records
		a.Written = cmp.Or(a.Written, asked[key].Written)
		r.asked[key] = a
	}
}

// followDecisions lets the sources be read again whose activities a decision may have moved.
func (p *Pipeline) followDecisions(ctx context.Context) error {
	accounts, err := p.store.Recheck(ctx)
	if err != nil || len(accounts) == 0 {
		return err
	}
	if _, err := p.fold(ctx); err != nil { // what a run that was killed left
		return err
	}
	again := map[string]bool{}
	for _, account := range accounts {
		activities, err := p.store.AccountActivities(ctx, account)
		if err != nil {
			return err
		}
		for _, a := range activities {
			if m := p.mappings[a.Source]; m != nil && !a.Deleted && (m.Matches(engine.Account) || m.Matches(engine.Contact)) {
				again[a.Source] = true
			}
		}
	}
	for _, source := range slices.Sorted(maps.Keys(again)) {
		p.log.Info("read again: a decision may move its activities", "source", source)
		if err := p.store.ReadAgain(ctx, source); err != nil {
			return err
		}
	}
	return p.store.Rechecked(ctx, accounts)
}

// Question is what waits for a decision: a name, and whom it may mean.
type Question struct {
	Key        string      `json:"key"`
	Written    string      `json:"written"` // the name as a record has it
	Records    int         `json:"records"` // that say so
	Candidates []Candidate `json:"candidates"`
}

// Candidate is whom a name may mean.
type Candidate struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Questions lists what waits for a decision, most records first, as the directory and the decisions are now.
func (p *Pipeline) Questions(ctx context.Context) ([]Question, error) {
	asked, err := p.store.Asked(ctx)
	if err != nil || len(asked) == 0 {
		return nil, err
	}
	m, err := p.whole(ctx)
	if err != nil {
		return nil, err
	}
	var questions []Question
	for _, a := range asked {
		match := m.MatchKey(a.Key)
		if match.Outcome != matching.Proposed {
			continue // decided, or settled by what the CRM knows now
		}
		q := Question{Key: a.Key, Written: a.Written, Records: a.Records}
		for _, c := range match.Proposals {
			profile, _, err := p.store.Profile(ctx, engine.Entity{Kind: kindOf(matching.IsPersonKey(a.Key)), ID: c.ID})
			if err != nil {
				return nil, err
			}
			q.Candidates = append(q.Candidates, Candidate{c.ID, profile.Name, c.Reason})
		}
		questions = append(questions, q)
	}
	return questions, nil
}

// whole is a matcher of all accounts and contacts.
func (p *Pipeline) whole(ctx context.Context) (*matching.Matcher, error) {
	known, err := p.store.Directory(ctx)
	if err != nil {
		return nil, err
	}
	decisions, _, err := p.store.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	return p.newMatcher(ctx, known, p.store.Profiles, decisions, [2]bool{true, true})
}

// Decide keeps a person's decision: records that say what the key says mean the
// account or contact with this id, or do not. The next pull follows it. It gives
// the decision as it is kept. Faults: config (no such key or id).
func (p *Pipeline) Decide(ctx context.Context, key, id string, not bool) (store.Decision, error) {
	d := store.Decision{Not: not, At: p.opt.Now()}
	var err error
	if d.Key, err = p.matchKey(key); err != nil {
		return d, err
	}
	known, err := p.store.Directory(ctx)
	if err != nil {
		return d, err
	}
	kind, there := kindOf(matching.IsPersonKey(d.Key)), false
	if d.ID, there = known.Find(kind, "id", id); !there {
		return d, fault.New(fault.Config, "match", fmt.Sprintf("there is no %s with the id %q", kind, id),
			fmt.Sprintf("name the CRM id of one that energyd match list shows, or of another %s that was pulled", kind), nil)
	}
	recheck, err := p.moves(ctx, d.Key, d)
	if err != nil {
		return d, err
	}
	if err := p.store.Decide(ctx, d.At, []store.Decision{d}, recheck...); err != nil {
		return d, err
	}
	is := " is "
	if not {
		is = " is not "
	}
	return d, p.journal(ctx, store.Matched, "", d.Key+is+d.ID, "")
}

// Forget takes back all decisions of a key. Faults: config (there are none).
func (p *Pipeline) Forget(ctx context.Context, key string) (string, error) {
	key, err := p.matchKey(key)
	if err != nil {
		return "", err
	}
	recheck, err := p.moves(ctx, key, store.Decision{})
	if err != nil {
		return key, err
	}
	decisions, _, err := p.store.Decisions(ctx)
	if err != nil {
		return key, err
	}
	n := 0
	for _, d := range decisions { // one may be kept under the form that names had once
		if matching.ParseKey(d.Key, p.region()) != key {
			continue
		}
		gone, err := p.store.Forget(ctx, p.opt.Now(), d.Key, recheck...)
		if err != nil {
			return key, err
		}
		n += gone
	}
	if n == 0 {
		return key, fault.New(fault.Config, "match", fmt.Sprintf("nothing was decided of %q", key), "energyd match export lists the decisions", nil)
	}
	return key, p.journal(ctx, store.Matched, "", key+" is forgotten", "")
}

// ImportDecisions keeps decisions that were exported, here or elsewhere: ids are
// taken as they are, since the directory may come later. Faults: config (a key that says nothing).
func (p *Pipeline) ImportDecisions(ctx context.Context, decisions []store.Decision) error {
	var recheck []string
	for i := range decisions {
		d := &decisions[i]
		if d.At.IsZero() {
			d.At = p.opt.Now()
		}
		var err error
		if d.Key, err = p.matchKey(d.Key); err != nil {
			return fmt.Errorf("decision %d: %w", i+1, err)
		}
		if d.ID == "" {
			return fault.New(fault.Config, "match", fmt.Sprintf("decision %d has no id", i+1), "give the CRM id of an account or contact", nil)
		}
	}
	m, err := p.whole(ctx)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		recheck = append(recheck, moved(m, d.Key, d)...)
	}
	if err := p.store.Decide(ctx, p.opt.Now(), decisions, recheck...); err != nil {
		return err
	}
	return p.journal(ctx, store.Matched, "", fmt.Sprintf("%d imported", len(decisions)), "")
}

// matchKey is a key as it is kept, of one as people type it.
func (p *Pipeline) matchKey(text string) (string, error) {
	key := matching.ParseKey(text, p.region())
	if key == "" {
		return "", fault.New(fault.Config, "match", fmt.Sprintf("%q names nobody", text),
			`copy the KEY that energyd match list shows, as "株式会社青葉製作所 @aoba.example", or ACCOUNT/NAME for a person`, nil)
	}
	return key, nil
}

// moves gives the accounts whose activities a decision may move.
func (p *Pipeline) moves(ctx context.Context, key string, d store.Decision) ([]string, error) {
	m, err := p.whole(ctx)
	if err != nil {
		return nil, err
	}
	return moved(m, key, d), nil
}

// moved gives the account of a person's records; of an account's, the one that they were linked to till now.
func moved(m *matching.Matcher, key string, d store.Decision) []string {
	if matching.IsPersonKey(key) {
		return []string{m.AccountOf(key)}
	}
	if now := m.MatchKey(key); now.Outcome == matching.Linked && (now.ID != d.ID || d.Not) {
		return []string{now.ID}
	}
	return nil
}

// StoredDirectory is the directory as it is stored, for a look at single
// records: an index of all accounts and contacts is made for it.
func StoredDirectory(ctx context.Context, cfg *config.Config, st *store.Store) (mapping.Directory, error) {
	p := &Pipeline{cfg: cfg, store: st}
	known, err := st.Directory(ctx)
	if err != nil {
		return nil, err
	}
	m, err := p.whole(ctx)
	return directory{known, m}, err
}
