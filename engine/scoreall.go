package engine

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// EntityScore is the score of one entity.
type EntityScore struct {
	Entity
	Score
}

// ScoreAll is the whole engine in one go: of each (Source, ID) the version
// that stands, contributions account by account, and the score on asOf of
// every entity that earned anything, sorted by kind and id. acts may come in
// any order.
func (p *Points) ScoreAll(acts []Activity, asOf Date) []EntityScore {
	acts = Current(acts)
	slices.SortFunc(acts, func(a, b Activity) int { return cmp.Compare(a.Account, b.Account) })
	ledger := newLedger()
	for len(acts) > 0 {
		n := 1
		for n < len(acts) && acts[n].Account == acts[0].Account {
			n++
		}
		p.Contributions(acts[:n], ledger.add)
		acts = acts[n:]
	}
	return ledger.scores(p, asOf)
}

// Current keeps of each (Source, ID) the activity that stands, in the order of first appearance; deleted ones too.
func Current(acts []Activity) []Activity {
	type key struct{ source, id string }
	at := make(map[key]int32, len(acts))
	current := make([]Activity, 0, len(acts))
	for i := range acts {
		k := key{acts[i].Source, acts[i].ID}
		if j, ok := at[k]; !ok {
			at[k] = int32(len(current))
			current = append(current, acts[i])
		} else if Supersedes(&acts[i], &current[j]) {
			current[j] = acts[i]
		}
	}
	return current
}

// Supersedes tells whether a stands rather than b, two versions of one
// activity. The higher Version does. Between equal ones a deletion does, then
// the one whose JSON line is greater: senseless, but the same whatever came first.
func Supersedes(a, b *Activity) bool {
	if a.Version != b.Version {
		return a.Version > b.Version
	}
	if a.Deleted != b.Deleted {
		return a.Deleted
	}
	return bytes.Compare(AppendActivity(nil, *a), AppendActivity(nil, *b)) > 0
}

// ledger collects contributions by entity.
type ledger struct {
	number   map[Entity]int32
	entities []Entity
	entries  []entry
}

type entry struct {
	entity int32
	Cell
}

func newLedger() *ledger { return &ledger{number: make(map[Entity]int32)} }

func (l *ledger) add(_ int, c Contribution) {
	n, ok := l.number[c.Entity]
	if !ok {
		n = int32(len(l.entities))
		l.number[c.Entity] = n
		l.entities = append(l.entities, c.Entity)
	}
	l.entries = append(l.entries, entry{n, c.Cell})
}

// scores evaluates every entity. It sorts the entries by counting, which is
// linear, and cuts the entities' cells out of one array.
func (l *ledger) scores(p *Points, asOf Date) []EntityScore {
	ends := make([]int, len(l.entities)+1)
	for _, e := range l.entries {
		ends[e.entity+1]++
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	cells := make([]Cell, len(l.entries))
	starts := slices.Clone(ends)
	for _, e := range l.entries {
		cells[starts[e.entity]] = e.Cell
		starts[e.entity]++
	}
	scores := make([]EntityScore, len(l.entities))
	for i, e := range l.entities {
		scores[i] = EntityScore{e, p.Evaluate(e.Kind, SortCells(cells[ends[i]:ends[i+1]:ends[i+1]]), asOf)}
	}
	slices.SortFunc(scores, func(a, b EntityScore) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return scores
}

// byAccount groups the indexes of activities by account, accounts sorted.
func byAccount(acts []Activity) [][]int {
	groups := make(map[string][]int)
	for i := range acts {
		groups[acts[i].Account] = append(groups[acts[i].Account], i)
	}
	sorted := make([][]int, 0, len(groups))
	for _, account := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, groups[account])
	}
	return sorted
}

func compareIdentity(a, b *Activity) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
}

// Unmapped is a value that activities use and the points table lacks.
type Unmapped struct {
	Field string // "kind", "rank" or "cue"
	Value string // of a rank, "" = not known
	Count int    // activities, or participants
}

// Unmapped counts kinds, ranks and cues of counted activities that the table
// does not have, and participants without a rank; most frequent first.
func (p *Points) Unmapped(acts []Activity) []Unmapped {
	counts := make(map[Unmapped]int)
	for i := range acts {
		a := &acts[i]
		if !a.counts() {
			continue
		}
		if _, ok := p.kinds[a.Kind]; !ok {
			counts[Unmapped{Field: "kind", Value: a.Kind}]++
		}
		for _, who := range a.People {
			if _, ok := p.config.Ranks[who.Rank]; !ok {
				counts[Unmapped{Field: "rank", Value: who.Rank}]++
			}
		}
		for _, name := range a.Cues {
			if _, ok := p.cues[name]; !ok {
				counts[Unmapped{Field: "cue", Value: name}]++
			}
		}
	}
	list := make([]Unmapped, 0, len(counts))
	for u, n := range counts {
		u.Count = n
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b Unmapped) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Value, b.Value))
	})
	return list
}
