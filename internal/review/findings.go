package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"energyd/engine"
)

// Least is how many won, and how many lost deals a review needs.
const Least = 40

// Finding is what is wrong with the data, in plain words, and what would be needed.
type Finding struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Need   string `json:"need"`
	Refuse bool   `json:"refuse"` // there is no review until it is mended
}

func (s *Sample) findings() []Finding {
	list := []Finding{} // an empty list in JSON, not null
	add := func(refuse bool, code, need, format string, args ...any) {
		list = append(list, Finding{code, fmt.Sprintf(format, args...), need, refuse})
	}
	won, lost := 0, 0
	for _, d := range s.deals {
		switch {
		case d.Closed == engine.NoDate:
		case d.Won:
			won++
		default:
			lost++
		}
	}
	switch {
	case won+lost == 0:
		add(true, "no_outcome", fmt.Sprintf("%d won and %d lost deals with the day they were closed", Least, Least), "no deal has an outcome")
	case won == 0 || lost == 0:
		name, other := "won", "lost"
		if won == 0 {
			name, other = other, name
		}
		add(true, "one_outcome", fmt.Sprintf("%d deals that were %s; often they are in the CRM, but were filtered out", Least, other),
			"all %d closed deals were %s: without the other outcome nothing can be compared", won+lost, name)
	case won < Least:
		add(true, "few_won", fmt.Sprintf("%d more won %s, or a longer period", Least-won, plural(Least-won, "deal")),
			"%d won and %d lost deals; a review needs %d of each", won, lost, Least)
	case lost < Least:
		add(true, "few_lost", fmt.Sprintf("%d more lost %s, or a longer period; often lost deals are deleted, or left open", Least-lost, plural(Least-lost, "deal")),
			"%d won and %d lost deals; a review needs %d of each", won, lost, Least)
	}
	if n := len(s.twice); n > 0 {
		add(false, "deal_twice", "one line for each deal", "%d %s more than once (%s); the first line was taken", n, plural2(n, "deal stands", "deals stand"), some(s.twice))
	}
	if n := len(s.backward); n > 0 {
		add(false, "closed_before_opened", "the day each deal was opened, and the later day it was closed",
			"%d %s closed before the day of opening (%s) and left out", n, plural2(n, "deal was", "deals were"), some(s.backward))
	}
	var early []string
	for i, d := range s.deals {
		if t := s.of(int32(i)); d.Closed != engine.NoDate && len(t) > 0 && t[0].day > d.Closed {
			early = append(early, d.ID)
		}
	}
	if n := len(early); n > 0 {
		add(false, "closed_before_contacts", "check that the day of closing is the day of the decision, in the same calendar as the contacts",
			"%d %s an outcome dated before the first contact (%s); these contacts say nothing and were not counted", n, plural2(n, "deal has", "deals have"), some(early))
	}
	if s.late > 0 {
		add(false, "contacts_after_close", "contacts entered by the day they took place; if they are typed in after the close, the review sees too little",
			"%d contacts are dated after the close of their deal (%d deals); they were not counted", s.late, len(s.lateDeals))
	}
	if s.again > 0 {
		add(false, "contact_twice", "each contact once, by its source and id", "%d %s more than once; the first was taken", s.again, plural2(s.again, "contact stands", "contacts stand"))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.unknown)) {
		add(false, "unknown_kind", "a line for it under kinds in the points table, or its right name in the file",
			"the kind %q is not in the points table; %d contacts were left out", kind, s.unknown[kind])
	}
	if s.alone > 0 {
		add(false, "no_deal", "nothing, where customers also have contacts outside deals", "%d contacts belong to no open deal of their customer; they were left out", s.alone)
	}
	if len(s.touches) == 0 {
		add(true, "no_contacts", "contacts that name the deal (deal_id), or customers by the same ids as the deals (account_id)", "no contact belongs to any of these deals")
	}
	return list
}

// onlyWon are kinds that appear in won deals alone: they may be written down because a deal was won. Such a kind is not fitted.
func (s *Sample) onlyWon(rows []row, f *features) (only []bool, list []Finding) {
	type seen struct{ won, lost map[int32]bool }
	found := make([]seen, len(s.table.How))
	for i, r := range rows {
		for _, c := range f.of(i) {
			k := &found[c.how]
			if k.won == nil {
				k.won, k.lost = map[int32]bool{}, map[int32]bool{}
			}
			if r.won {
				k.won[r.deal] = true
			} else {
				k.lost[r.deal] = true
			}
		}
	}
	only = make([]bool, len(found))
	for k, n := range found {
		if len(n.won) >= 5 && len(n.lost) == 0 {
			only[k] = true
			list = append(list, Finding{
				Code: "only_in_won", Need: "see when it is written down: before the customer decided, or because of the order? Leave it out of the table, or give it 0 points, in the second case",
				Text: fmt.Sprintf("%s appears in %d won deals and in no lost one; it may be a consequence of winning, so its points were not fitted", s.table.How[k].name(), len(n.won)),
			})
		}
	}
	return only, list
}

func (h How) name() string {
	if h.Direction == engine.Mutual {
		return h.Kind
	}
	return h.Kind + " (" + h.Direction.String() + ")"
}

func plural(n int, word string) string { return plural2(n, word, word+"s") }

func plural2(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func some(ids []string) string {
	ids = slices.Clone(ids)
	if len(ids) > 3 {
		return strings.Join(ids[:3], ", ") + " …"
	}
	return strings.Join(ids, ", ")
}
