package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/mapping"
)

// find gives the entity that a person means: "account:001…", an id, another
// key (a customer code), or a name, however it is typed. A name that fits
// several is refused with the list, and what tells them apart.
func (p *Pipeline) find(ctx context.Context, name string) (engine.Entity, error) {
	kinds := []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep, engine.CompanyGroup}
	if prefix, rest, ok := strings.Cut(name, ":"); ok {
		for _, k := range kinds {
			if k.String() == prefix {
				kinds, name = []engine.EntityKind{k}, rest
				break
			}
		}
	}
	for _, k := range kinds {
		e, err := p.present(ctx, engine.Entity{Kind: k, ID: name})
		if err != nil {
			return e, err
		}
		if _, ok, err := p.store.LedgerEntry(ctx, e); err != nil || ok {
			return e, err
		}
	}
	var found []engine.Profile
	var merged []engine.Entity // that fit, and went into others
	var names []string
	var near []engine.Profile // whose name holds what was typed, or the other way round
	for _, k := range kinds {
		kept := k
		if k == engine.CompanyGroup { // which is named as its account is, so that it has to be asked for
			if len(kinds) > 1 {
				continue
			}
			kept = engine.Account
		}
		for profile, err := range p.store.Profiles(ctx, kept) {
			if err != nil {
				return engine.Entity{}, err
			}
			profile.Kind = k
			switch {
			case profile.Into != "":
				if fits(profile, name) {
					merged = append(merged, profile.Entity)
				}
				continue
			case profile.Deleted:
				continue
			case fits(profile, name):
				found = append(found, profile)
			}
			if len(names) < 10_000 {
				names = append(names, profile.Name)
			}
			if len(near) < 5 && contains(profile.Name, name) {
				near = append(near, profile)
			}
		}
		if len(found) == 0 && len(merged) > 0 {
			return p.present(ctx, merged[0])
		}
		if len(found) > 0 {
			break
		}
	}
	switch {
	case len(found) == 1:
		return found[0].Entity, nil
	case len(found) > 1:
		list, err := p.toldAll(ctx, found)
		if err != nil {
			return engine.Entity{}, err
		}
		return engine.Entity{}, fault.New(fault.Config, "explain", fmt.Sprintf("%q fits %d entities", name, len(found)), "name one of "+list, nil)
	case len(near) > 0:
		list, err := p.toldAll(ctx, near)
		if err != nil {
			return engine.Entity{}, err
		}
		return engine.Entity{}, fault.New(fault.Config, "explain", fmt.Sprintf("there is no account, contact, deal, rep or group %q", name), "did you mean "+list+"?", nil)
	}
	return engine.Entity{}, fault.New(fault.Config, "explain", fmt.Sprintf("there is no account, contact, deal, rep or group %q%s", name, fault.DidYouMean(name, names)),
		"give a CRM id, a customer code or a name; energyd export scores lists them", nil)
}

// toldAll names the first of some entities, and how many more there are.
func (p *Pipeline) toldAll(ctx context.Context, some []engine.Profile) (string, error) {
	var list []string
	for _, f := range some[:min(len(some), 5)] {
		told, err := p.told(ctx, f)
		if err != nil {
			return "", err
		}
		list = append(list, told)
	}
	if more := len(some) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("or one of %d more", more))
	}
	return strings.Join(list, ", "), nil
}

// contains tells whether one of two names holds the other: a company's without its legal form.
func contains(name, typed string) bool {
	name, typed = mapping.Squeeze(name), mapping.Squeeze(typed)
	return len([]rune(typed)) >= 2 && strings.Contains(name, typed) || len([]rune(name)) >= 2 && strings.Contains(typed, name)
}

// present is the entity itself, or the one that it went into by merges.
func (p *Pipeline) present(ctx context.Context, e engine.Entity) (engine.Entity, error) {
	for range 100 {
		profile, ok, err := p.store.Profile(ctx, e)
		if err != nil || !ok || profile.Into == "" {
			return e, err
		}
		e.ID = profile.Into
	}
	return e, nil
}

// told names an entity so that a person can tell it from a namesake.
func (p *Pipeline) told(ctx context.Context, f engine.Profile) (string, error) {
	words := []string{f.Name}
	if f.Title != "" {
		words = append(words, f.Title)
	}
	if f.Account != "" {
		account, _, err := p.store.Profile(ctx, engine.Entity{Kind: engine.Account, ID: f.Account})
		if err != nil {
			return "", err
		}
		words = append(words, cmp.Or(account.Name, f.Account))
	}
	if code := f.Keys["code"]; code != "" {
		words = append(words, code)
	}
	return fmt.Sprintf("%s:%s (%s)", f.Kind, f.ID, strings.Join(words, ", ")), nil
}

// shortest is how many characters of an id are taken for it: pages of CRMs
// show ids without the check characters at their end.
const shortest = 15

func fits(p engine.Profile, name string) bool {
	if p.ID == name || len(name) >= shortest && strings.HasPrefix(p.ID, name) {
		return true
	}
	squeezed := mapping.Squeeze(name)
	if mapping.Squeeze(p.Name) == squeezed {
		return true
	}
	for _, v := range p.Keys {
		if mapping.Squeeze(v) == squeezed {
			return true
		}
	}
	return false
}
