package engine

import (
	"bytes"
	"cmp"
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
	ledger := newLedger()
	var own []Activity // of one account; copied, because an index per activity is cheaper to sort than activities
	for _, indexes := range byAccount(acts, standing(acts)) {
		own = own[:0]
		for _, i := range indexes {
			own = append(own, acts[i])
		}
		p.Contributions(own, ledger.add)
	}
	return ledger.scores(p, asOf)
}

// standing gives the indexes of the activities that stand, of each (Source, ID) one, deleted ones too.
func standing(acts []Activity) []int32 {
	type key struct{ source, id string }
	at := make(map[key]int32, len(acts))
	indexes := make([]int32, 0, len(acts))
	for i := range acts {
		k := key{acts[i].Source, acts[i].ID}
		if j, ok := at[k]; !ok {
			at[k] = int32(len(indexes))
			indexes = append(indexes, int32(i))
		} else if Supersedes(&acts[i], &acts[indexes[j]]) {
			indexes[j] = int32(i)
		}
	}
	return indexes
}

// Supersedes tells whether a stands rather than b, two versions of one
// activity. That of the higher Revision does, since all of its source was read
// anew for it; between equal ones the higher Version. Then a deletion does,
// then the one whose JSON line is greater: senseless, but the same whatever came first.
func Supersedes(a, b *Activity) bool {
	if a.Revision != b.Revision {
		return a.Revision > b.Revision
	}
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
	cells    []Cell
	of       []int32 // number of the entity of each cell
}

func newLedger() *ledger { return &ledger{number: make(map[Entity]int32)} }

func (l *ledger) add(_ int, c Contribution) {
	n, ok := l.number[c.Entity]
	if !ok {
		n = int32(len(l.entities))
		l.number[c.Entity] = n
		l.entities = append(l.entities, c.Entity)
	}
	l.cells, l.of = append(l.cells, c.Cell), append(l.of, n)
}

// scores evaluates every entity.
func (l *ledger) scores(p *Points, asOf Date) []EntityScore {
	scores := make([]EntityScore, len(l.entities))
	for n, cells := range scatter(l.cells, l.of, len(l.entities)) {
		e := l.entities[n]
		scores[n] = EntityScore{e, p.Evaluate(e.Kind, SortCells(cells), asOf)}
	}
	slices.SortFunc(scores, func(a, b EntityScore) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return scores
}

// byAccount groups indexes of activities by account, accounts in order of first appearance.
func byAccount(acts []Activity, indexes []int32) [][]int32 {
	number := make(map[string]int32)
	groups := make([]int32, len(indexes))
	for i, at := range indexes {
		n, ok := number[acts[at].Account]
		if !ok {
			n = int32(len(number))
			number[acts[at].Account] = n
		}
		groups[i] = n
	}
	return scatter(indexes, groups, len(number))
}

// scatter sorts items into n groups, linear in time; group[i] is the group of items[i].
func scatter[T any](items []T, group []int32, n int) [][]T {
	sizes := make([]int, n)
	for _, g := range group {
		sizes[g]++
	}
	all := make([]T, len(items))
	groups := make([][]T, n)
	for g, size := range sizes {
		groups[g], all = all[:0:size], all[size:]
	}
	for i, g := range group {
		groups[g] = append(groups[g], items[i])
	}
	return groups
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
		r := p.rulesOf(a, p.DateOf(a))
		if _, ok := r.kinds[a.Kind]; !ok {
			counts[Unmapped{Field: "kind", Value: a.Kind}]++
		}
		for _, who := range a.People {
			if _, ok := p.config.Ranks[who.Rank]; !ok {
				counts[Unmapped{Field: "rank", Value: who.Rank}]++
			}
		}
		for _, name := range a.Cues {
			if _, ok := r.cues[name]; !ok {
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
