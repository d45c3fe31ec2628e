package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/mapping"
)

// Erasing is what erasing a person comes to. It names the person: it is for
// whoever asked, and is kept nowhere.
type Erasing struct {
	Done      bool     `json:"erased"` // false: only counted
	Contacts  []string `json:"contacts,omitempty"`
	Names     []string `json:"names,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	// SharedKeys are addresses and codes that other contacts have too: they stay theirs, and are not kept from coming back.
	SharedKeys []string `json:"shared_keys,omitempty"`
	store.Erasure
	// ReadAgain are the sources whose next pull is a complete reading: it takes back what they gave of the
	// person under no id of the CRM, and brings what the person's records hid of others.
	ReadAgain []string `json:"read_again,omitempty"`
	// Records of the CRM whose fields still show the person's last energy: energyd writes them no more.
	Records []string `json:"crm_records,omitempty"`
}

// Erase takes a person of a customer out of everything that is stored, and
// keeps the person from coming back from any source. who is a mail address, or
// a contact's id, code or name. Without really it only counts.
// Faults: config (not found, ambiguous, one of our own people), conflict (another run is at work, or one was interrupted while it wrote).
func (p *Pipeline) Erase(ctx context.Context, who string, really bool) (r Report, e Erasing, err error) {
	person, e, err := p.person(ctx, who)
	if err != nil {
		return r, e, err
	}
	if !really {
		hold, err := p.lock(ctx, p.everything())
		if err != nil {
			return r, e, err
		}
		return r, e, errors.Join(p.erase(ctx, "", person, &e), hold.Leave())
	}
	r, err = p.run(ctx, "erase", p.everything(), func(ctx context.Context, r *Report) error {
		if err := p.erase(ctx, r.Run, person, &e); err != nil {
			return err
		}
		e.Done = true
		if err := p.journal(ctx, store.Forgot, r.Run, "", ""); err != nil { // it does not say whom
			return err
		}
		r.Notes = append(r.Notes, fmt.Sprintf("one person: %d activities removed, %d kept without the person, %d directory entries, %d scores, %d rejects, %d journal entries, %d written values, %d texts",
			e.Activities, e.Shared, e.Profiles, e.Scores, e.Rejects, e.Changes, e.Written, e.Texts))
		if err := p.store.ReadAgainErased(ctx, e.ReadAgain); err != nil {
			return err
		}
		return p.store.Purge(ctx)
	})
	return r, e, err
}

func (p *Pipeline) erase(ctx context.Context, run string, person store.Person, e *Erasing) error {
	// What waits to be folded may hold the person, and the scores have to fit the activities before something is taken off both.
	_, err := p.fold(ctx)
	if err != nil {
		return err
	}
	if e.Erasure, err = p.store.Erase(ctx, run, person, p.scorer(), p.AsOf()); err != nil {
		return err
	}
	for _, s := range p.cfg.Sources {
		m, err := config.LoadMapping(s.Mapping, mapping.Env{})
		if err != nil || m.Finds() || slices.Contains(e.Sources, s.Name) {
			e.ReadAgain = append(e.ReadAgain, s.Name)
		}
	}
	return nil
}

// purge finishes what erasures left to do: one that was killed, or what complete
// readings found of a person. That it cannot stops no run.
func (p *Pipeline) purge(ctx context.Context) {
	err := p.store.DropErased(ctx)
	due := false
	if err == nil {
		due, err = p.store.PurgeDue(ctx)
	}
	if err == nil && due {
		err = p.store.Purge(ctx)
	}
	if err != nil {
		p.log.Warn("The store's files may still hold what was erased; the next run tries again.", "error", err)
	}
}

// person gathers all by which the store may know somebody.
func (p *Pipeline) person(ctx context.Context, who string) (person store.Person, e Erasing, err error) {
	who = strings.TrimPrefix(strings.TrimSpace(who), "contact:")
	isAddress := strings.Contains(who, "@")
	if err := p.notOurs(ctx, who); err != nil {
		return person, e, err
	}
	all, err := p.contacts(ctx)
	if err != nil {
		return person, e, err
	}
	roots := map[string]bool{} // what the contacts that fit went into by merges
	for _, c := range all.profiles {
		if isAddress && hasAddress(c, who) || !isAddress && fits(c, who) {
			roots[all.root(c.ID)] = true
		}
	}
	if len(roots) > 1 && !isAddress {
		return person, e, p.ambiguous(ctx, who, all, roots)
	}
	if len(roots) == 0 && !isAddress {
		known, err := p.knownID(ctx, who)
		if err != nil {
			return person, e, err
		}
		if !known {
			return person, e, fault.New(fault.Config, "erase", fmt.Sprintf("there is no contact %q", who),
				"give a mail address, or the id, code or name of a contact; energyd explain finds names", nil)
		}
		person.Contacts = []string{who}
	}
	if isAddress {
		person.Addresses = []string{strings.ToLower(who)}
	}
	person.Keys = map[string][]string{}
	for _, c := range all.profiles {
		if !roots[all.root(c.ID)] {
			continue
		}
		person.Contacts = append(person.Contacts, c.ID)
		if c.Name != "" {
			person.Names = append(person.Names, c.Name)
		}
		for _, key := range slices.Sorted(maps.Keys(c.Keys)) {
			value := c.Keys[key]
			switch {
			case all.others(key, value, roots):
				e.SharedKeys = append(e.SharedKeys, value)
			case strings.Contains(value, "@"):
				person.Addresses = append(person.Addresses, strings.ToLower(value))
			case value != "":
				person.Keys[key] = append(person.Keys[key], value)
			}
		}
	}
	if person.Writings, err = p.contactWritings(ctx); err != nil {
		return person, e, err
	}
	for _, list := range []*[]string{&person.Contacts, &person.Addresses, &person.Names, &e.SharedKeys} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	e.Contacts, e.Names, e.Addresses = person.Contacts, person.Names, person.Addresses
	for _, w := range p.cfg.Write {
		if w.Entity == engine.Contact {
			for _, id := range person.Contacts {
				e.Records = append(e.Records, w.Name()+" "+id)
			}
		}
	}
	return person, e, nil
}

// people are all contacts that the directory knows, deleted ones too.
type people struct {
	profiles []engine.Profile
	into     map[string]string
}

func (p *Pipeline) contacts(ctx context.Context) (all people, err error) {
	all.into = map[string]string{}
	for c, err := range p.store.Profiles(ctx, engine.Contact) {
		if err != nil {
			return all, err
		}
		all.profiles = append(all.profiles, c)
		if c.Into != "" {
			all.into[c.ID] = c.Into
		}
	}
	return all, nil
}

// root follows merges to their end.
func (all people) root(id string) string {
	for range 100 { // merges that go in a circle lead nowhere
		next, merged := all.into[id]
		if !merged {
			break
		}
		id = next
	}
	return id
}

// others tells whether a contact that is not of these has the key's value too.
func (all people) others(key, value string, roots map[string]bool) bool {
	return slices.ContainsFunc(all.profiles, func(c engine.Profile) bool {
		if c.Deleted || roots[all.root(c.ID)] {
			return false
		}
		return strings.Contains(value, "@") && hasAddress(c, value) || c.Keys[key] == value
	})
}

func hasAddress(c engine.Profile, address string) bool {
	for _, value := range c.Keys {
		if strings.EqualFold(value, address) {
			return true
		}
	}
	return false
}

// notOurs refuses an address, id or name of our own people.
func (p *Pipeline) notOurs(ctx context.Context, who string) error {
	for rep, err := range p.store.Profiles(ctx, engine.Rep) {
		if err != nil {
			return err
		}
		if rep.ID == who || strings.Contains(who, "@") && hasAddress(rep, who) {
			return fault.New(fault.Config, "erase", fmt.Sprintf("%q is one of your own people (rep %s)", who, rep.ID),
				"erase takes people of customers; of your own people energyd keeps what the CRM says of its users", nil)
		}
	}
	return nil
}

// knownID tells whether somebody is known by the id alone: the directory never told of the contact, or it was erased before.
func (p *Pipeline) knownID(ctx context.Context, id string) (bool, error) {
	_, ok, err := p.store.LedgerEntry(ctx, engine.Entity{Kind: engine.Contact, ID: id})
	if err != nil || ok {
		return ok, err
	}
	erased, err := p.store.Erased(ctx)
	return erased.Has(store.IDKey, id), err
}

func (p *Pipeline) ambiguous(ctx context.Context, who string, all people, roots map[string]bool) error {
	list, err := p.toldAll(ctx, slices.DeleteFunc(all.profiles, func(c engine.Profile) bool { return !roots[c.ID] }))
	if err != nil {
		return err
	}
	return fault.New(fault.Config, "erase", fmt.Sprintf("%q fits %d contacts", who, len(roots)), "name one of "+list, nil)
}

// contactWritings names where contacts are written to, or were by an earlier configuration.
func (p *Pipeline) contactWritings(ctx context.Context) ([]string, error) {
	names, err := p.store.Writings(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(p.cfg.Write, func(w config.Write) bool { return w.Name() == name && w.Entity != engine.Contact })
	}), nil
}
