package engine

import (
	"cmp"
	"slices"
)

// Placement says which company an account stands under from a date on.
type Placement struct {
	Account string
	Since   Date   // of an account's first link nothing is older: it holds before, too
	Parent  string // "" = none
}

// Hierarchy knows under which companies accounts stood on a date: a site under
// its company, the company under its group. What an account earns on a date
// counts once for each company above it on that date, and for itself, when it is such a company:
// these are the entities of the kind CompanyGroup, by the accounts' ids (§4.2). It is
// safe for concurrent use. A nil Hierarchy has no groups.
type Hierarchy struct {
	links  map[string][]Placement // by account, oldest first
	groups map[string]bool        // accounts under which others ever stood
	today  bool
}

// NewHierarchy makes a hierarchy of links in any order. today lets each
// account's last link hold for all dates.
func NewHierarchy(links []Placement, today bool) *Hierarchy {
	h := &Hierarchy{links: map[string][]Placement{}, groups: map[string]bool{}, today: today}
	for _, l := range links {
		h.links[l.Account] = append(h.links[l.Account], l)
		if l.Parent != "" {
			h.groups[l.Parent] = true
		}
	}
	for _, of := range h.links {
		slices.SortStableFunc(of, func(a, b Placement) int { return cmp.Compare(a.Since, b.Since) })
	}
	return h
}

// Groups appends the groups for which an account's activities of a date count,
// the nearest first. Accounts that stand under each other in a circle stand under nobody.
func (h *Hierarchy) Groups(groups []string, account string, d Date) []string {
	if h == nil || len(h.groups) == 0 {
		return groups
	}
	if h.groups[account] {
		groups = append(groups, account)
	}
	first := len(groups)
	for at := h.parent(account, d); at != ""; at = h.parent(at, d) {
		if at == account {
			return groups[:first] // the account itself is in the circle
		}
		if i := slices.Index(groups[first:], at); i >= 0 {
			return groups[:first+i+1] // those above are a circle, which begins with this one
		}
		groups = append(groups, at)
	}
	return groups
}

// Below gives the accounts that on some date may have counted for a group, itself first.
func (h *Hierarchy) Below(group string) []string {
	all := []string{group}
	if h == nil {
		return all
	}
	below := map[string][]string{}
	for account, links := range h.links {
		for _, l := range links {
			below[l.Parent] = append(below[l.Parent], account)
		}
	}
	seen := map[string]bool{group: true}
	for i := 0; i < len(all); i++ {
		next := below[all[i]]
		slices.Sort(next)
		for _, account := range next {
			if !seen[account] {
				seen[account] = true
				all = append(all, account)
			}
		}
	}
	return all
}

func (h *Hierarchy) parent(account string, d Date) string {
	links := h.links[account]
	if len(links) == 0 {
		return ""
	}
	n := len(links)
	for n > 1 && !h.today && links[n-1].Since > d {
		n--
	}
	return links[n-1].Parent
}

// Circles gives the accounts that stand under themselves by their last links, sorted.
func (h *Hierarchy) Circles() []string {
	if h == nil {
		return nil
	}
	last := Hierarchy{links: h.links, today: true}
	var circles []string
	for account := range h.links {
		at := last.parent(account, 0)
		for range h.links {
			if at == "" || at == account {
				break
			}
			at = last.parent(at, 0)
		}
		if at == account {
			circles = append(circles, account)
		}
	}
	slices.Sort(circles)
	return circles
}

// RollUp gives what an account's contributions give to its groups beside it.
func (h *Hierarchy) RollUp(c Contribution, emit func(Contribution)) {
	if h == nil || c.Entity.Kind != Account || c.Group == Booked { // groups raise no alarms, which alone ask for that
		return
	}
	var room [8]string
	for _, group := range h.Groups(room[:0], c.Entity.ID, c.Date) {
		emit(Contribution{Entity{CompanyGroup, group}, c.Cell})
	}
}
