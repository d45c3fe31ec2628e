package pipeline

import (
	"context"
	"fmt"
	"strings"

	"energyd/engine"
	"energyd/internal/fault"
)

// find gives the entity that a person means: "account:001…", an id, another
// key (a customer code), or a name. A name that fits several is refused with the list.
func (p *Pipeline) find(ctx context.Context, name string) (engine.Entity, error) {
	kinds := []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep}
	if prefix, rest, ok := strings.Cut(name, ":"); ok {
		for _, k := range kinds {
			if k.String() == prefix {
				kinds, name = []engine.EntityKind{k}, rest
				break
			}
		}
	}
	for _, k := range kinds {
		e := engine.Entity{Kind: k, ID: name}
		if _, ok, err := p.store.LedgerEntry(ctx, e); err != nil || ok {
			return e, err
		}
	}
	var found []engine.Profile
	var names []string
	for _, k := range kinds {
		for profile, err := range p.store.Profiles(ctx, k) {
			if err != nil {
				return engine.Entity{}, err
			}
			if profile.Deleted {
				continue
			}
			if fits(profile, name) {
				found = append(found, profile)
			}
			if len(names) < 10_000 {
				names = append(names, profile.Name)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	switch {
	case len(found) == 1:
		return found[0].Entity, nil
	case len(found) > 1:
		var list []string
		for _, f := range found[:min(len(found), 5)] {
			list = append(list, fmt.Sprintf("%s:%s (%s)", f.Kind, f.ID, f.Name))
		}
		return engine.Entity{}, fault.New(fault.Config, "explain", fmt.Sprintf("%q fits %d entities", name, len(found)), "name one of "+strings.Join(list, ", "), nil)
	}
	return engine.Entity{}, fault.New(fault.Config, "explain", fmt.Sprintf("there is no account, contact, deal or rep %q%s", name, fault.DidYouMean(name, names)),
		"give a CRM id, a customer code or a name; energyd export scores lists them", nil)
}

func fits(p engine.Profile, name string) bool {
	if p.ID == name || strings.EqualFold(p.Name, name) {
		return true
	}
	for _, v := range p.Keys {
		if strings.EqualFold(v, name) {
			return true
		}
	}
	return false
}
