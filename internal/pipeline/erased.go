package pipeline

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/store"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// erasedSkip is why records of erased people are left out.
const erasedSkip = "erased"

// erasedContact is what an erased person's keys find. It never leaves this file.
const erasedContact = "\x00erased"

// guard is the directory for one record: erased people are found in it, as
// nobody, so that a record of theirs is known from one of a stranger.
type guard struct {
	mapping.Directory
	erased *store.Erased
	hit    bool // an erased person was looked for
}

func (g *guard) Find(kind engine.EntityKind, key, value string) (string, bool) {
	if kind == engine.Contact && g.erased.Has(key, value) {
		g.hit = true
		return erasedContact, true
	}
	return g.Directory.Find(kind, key, value)
}

func (g *guard) Contact(id string) (account, title string) {
	if id == erasedContact {
		return "", ""
	}
	return g.Directory.Contact(id)
}

// ContactAt is Contact as it was just before a time.
func (g *guard) ContactAt(id string, before time.Time) (account, title string) {
	dated, ok := g.Directory.(mapping.Dated)
	if !ok || id == erasedContact {
		return g.Contact(id)
	}
	return dated.ContactAt(id, before)
}

// MatchContact finds an erased person by the mail address alone: names are shared.
func (g *guard) MatchContact(want matching.Person) matching.Match {
	if g.erased.Has("@", want.Email) {
		g.hit = true
		return matching.Match{Outcome: matching.Linked, ID: erasedContact}
	}
	return g.Directory.MatchContact(want)
}

// apply maps a record as if erased people did not exist: what is theirs alone
// is skipped, in what others took part in they are left out.
func (m *mapper) apply(rec connectors.Record) (mapping.Result, error) {
	if m.erased == nil {
		return m.Watch(rec, m.directory, m.misses)
	}
	g := guard{Directory: m.directory, erased: m.erased}
	res, err := m.Watch(rec, &g, m.misses)
	switch {
	case res.Parts != nil:
		return m.withoutErasedParts(rec, res, err, &g)
	case err != nil && (g.hit || m.holdsErased(rec.Values)):
		return m.erasedResult(rec), nil
	case err != nil:
		return res, err
	case res.Skip != "":
		if g.hit {
			res.Activity = nil
		}
	case res.Profile != nil && m.erasedProfile(res.Profile):
		return m.erasedResult(rec), nil
	case res.Activity != nil && !res.Activity.Deleted:
		if m.strip(res.Activity, g.hit) {
			return m.erasedResult(rec), nil
		}
	}
	return res, nil
}

// strip takes erased people out of an activity, and tells that it is theirs
// alone. hit says that one of them was looked for and may be why nobody is left.
func (m *mapper) strip(a *engine.Activity, hit bool) (alone bool) {
	people := len(a.People)
	a.People = slices.DeleteFunc(a.People, func(p engine.Participant) bool {
		return p.Contact == erasedContact || m.erased.Has(store.IDKey, p.Contact)
	})
	if len(a.People) == 0 && (people > 0 || hit) || strings.Contains(a.ID, erasedContact) {
		return true
	}
	a.Link = m.erased.Unlink(a.Link)
	return false
}

// withoutErasedParts leaves out the contacts of a record that are an erased
// person's alone. A reject would keep the record, which may tell of the person: it is left out too.
func (m *mapper) withoutErasedParts(rec connectors.Record, res mapping.Result, err error, g *guard) (mapping.Result, error) {
	var others []engine.Activity
	for _, a := range res.Parts.Activities {
		if !m.strip(&a, false) {
			others = append(others, a)
		}
	}
	all := len(res.Parts.Activities)
	res.Parts.Activities = others
	if g.hit && (err != nil || res.Skip != "") || err != nil && m.holdsErased(rec.Values) || all > 0 && others == nil {
		res.Skip, res.Unfound, res.UnknownTitle = erasedSkip, "", ""
		return res, nil
	}
	return res, err
}

// erasedResult is what becomes of an erased person's record. In the reading that
// follows the erasure it takes back what the record was under no id of the CRM.
func (m *mapper) erasedResult(rec connectors.Record) mapping.Result {
	none := mapping.Result{Skip: erasedSkip}
	if !m.erasing {
		return none
	}
	if was, err := m.Apply(rec, m.directory); err == nil && was.Activity != nil {
		a := was.Activity
		none.Activity = &engine.Activity{Source: a.Source, ID: a.ID, Version: a.Version, Mapping: store.ErasedMapping, Deleted: true, Date: engine.NoDate}
	}
	return none
}

func (m *mapper) erasedProfile(p *engine.Profile) bool {
	if p.Kind != engine.Contact {
		return false
	}
	if m.erased.Has(store.IDKey, p.ID) || p.Into != "" && m.erased.Has(store.IDKey, p.Into) {
		return true
	}
	for key, value := range p.Keys {
		if m.erased.Has(key, value) {
			return true
		}
	}
	return false
}

// withoutErased leaves out the rejects that a connector gave of erased people's records, and counts them as skipped.
func (m *mapper) withoutErased(out *store.Batch) {
	if m.erased == nil {
		return
	}
	before := len(out.Rejects)
	out.Rejects = slices.DeleteFunc(slices.Clone(out.Rejects), func(r connectors.Reject) bool {
		return m.holdsErased(r.Fields) || m.holdsErased([]any{r.Key, r.Origin, r.Reason})
	})
	if n := before - len(out.Rejects); n > 0 {
		out.Skipped += n
		m.report.Skips[erasedSkip] += n
	}
}

var addresses = regexp.MustCompile(`[^\s<>"'(),;:\[\]]+@[^\s<>"'(),;:\[\]]+`)

// shortestID is how long a value is at least that is taken for a CRM's id wherever it stands.
const shortestID = 15

// holdsErased tells whether an address or a CRM id of an erased person stands anywhere in a value.
func (m *mapper) holdsErased(value any) bool {
	switch v := value.(type) {
	case string:
		if len(v) >= shortestID && m.erased.Has(store.IDKey, v) {
			return true
		}
		return strings.Contains(v, "@") && slices.ContainsFunc(addresses.FindAllString(v, -1), func(a string) bool {
			return m.erased.Has("@", strings.Trim(a, "."))
		})
	case []any:
		return slices.ContainsFunc(v, m.holdsErased)
	case map[string]any:
		for _, field := range v {
			if m.holdsErased(field) {
				return true
			}
		}
	}
	return false
}
