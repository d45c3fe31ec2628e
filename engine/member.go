package engine

import "slices"

// Member is one record of a contact that several records tell of.
type Member struct {
	Activity int // index into the activities given
	Gave     []Given
}

// Given is what a contact has of one of its records.
type Given string

// What a record may give.
const (
	GaveKind   Given = "kind"   // with the direction
	GaveTime   Given = "time"   // or the day
	GavePeople Given = "people" // who took part
	GaveRank   Given = "rank"   // of somebody whose rank the one that gave the people did not know
	GaveKeyman Given = "keyman"
	GaveCues   Given = "cues"
	GaveDeals  Given = "deals"
	GaveReps   Given = "reps"
)

// members lists the records of the contacts that have several, by the record that stands for each.
func (s *scratch) members(p *Points, acts []Activity) map[int32][]Member {
	all := map[int32][]Member{}
	c := &s.clusters
	for at, members := range c.members {
		records := c.records(acts, &s.conversations, members)
		list := p.gave(records, c.united[at])
		for k := range list {
			list[k].Activity = int(members[k])
		}
		all[at] = list
	}
	return all
}

// gave says which of the records of a contact, sorted by key, gave what.
func (p *Points) gave(records []*Activity, contact *Activity) []Member {
	t := p.told(records)
	list := make([]Member, len(records))
	for i, a := range records {
		gave := func(is bool, what Given) {
			if is {
				list[i].Gave = append(list[i].Gave, what)
			}
		}
		gave(i == t.kind, GaveKind)
		gave(i == t.time, GaveTime)
		gave(i == t.people && len(a.People) > 0, GavePeople)
		people := records[t.people].People
		gave(slices.ContainsFunc(contact.People, func(w Participant) bool {
			lacked := slices.ContainsFunc(people, func(v Participant) bool { return v.Contact == w.Contact && v.Rank != w.Rank })
			return lacked && w.Contact != "" && slices.ContainsFunc(a.People, func(v Participant) bool { return v.Contact == w.Contact && v.Rank == w.Rank })
		}), GaveRank)
		gave(slices.ContainsFunc(contact.People, func(w Participant) bool {
			return w.Keyman && slices.ContainsFunc(a.People, func(v Participant) bool { return v.Contact == w.Contact && v.Keyman })
		}), GaveKeyman)
		gave(len(a.Cues) > 0, GaveCues)
		gave(len(a.Deals) > 0, GaveDeals)
		gave(len(a.Reps) > 0, GaveReps)
	}
	return list
}
