package review

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"

	"energyd/engine"
)

// Deal is an opportunity with its outcome.
type Deal struct {
	ID, Account string
	Name        string // for people; "" = the id
	Opened      engine.Date
	Closed      engine.Date // the day it was won or lost; NoDate = still open
	Won         bool
	Amount      float64 // in the currency of the CRM; 0 = not told. For the comparison with RFM alone
}

// Sample is what a review looks at: deals, and the contacts that belong to each.
// Add contacts in any order, then give it to Run.
type Sample struct {
	table     *Table
	deals     []Deal
	byID      map[string]int32
	byAccount map[string][]int32
	touches   []touch // sorted by deal and day once it is prepared
	from      []int32 // index of the first touch of each deal, and the end
	end       engine.Date
	began     engine.Date // day of the first contact
	days      []int32     // each day from began to end on the table's clock
	late      int         // contacts with a deal after its close
	lateDeals map[int32]bool
	alone     int // contacts that belong to no deal
	twice     []string
	backward  []string        // deals closed before they were opened
	unknown   map[string]int  // contacts of kinds that the table does not have
	seen      map[uint64]bool // hashes of the contacts' keys
	again     int             // contacts whose key stood before
	scratch   []person
	distinct  bool   // no contact comes twice, so that keys need not be remembered
	watch     *watch // successes of accounts; nil = deals are won
}

// Table is the points table in use, as the sample sees it.
func (s *Sample) Table() *Table { return s.table }

// Distinct promises that no contact is added twice: keys of ten million take 300 MB to remember.
func (s *Sample) Distinct() *Sample {
	s.distinct = true
	return s
}

// touch is one person's part in one contact with one deal. Ten million of them are 160 MB.
type touch struct {
	deal   int32
	day    engine.Date
	how    uint16
	rank   uint16  // the highest bit is first
	weight float32 // what it counts before points: cues, keyman, further participants, deals
}

// other marks those who do not stand for the contact in a plain count: all but the first.
const other = 1 << 15

func (t *touch) first() bool { return t.rank&other == 0 }

func (t *touch) who() int { return int(t.rank &^ other) }

type person struct {
	rank   int
	weight float64
}

// NewSample makes a sample of deals under the points table in use.
func NewSample(table *Table, deals []Deal) *Sample {
	s := &Sample{table: table, byID: map[string]int32{}, byAccount: map[string][]int32{}, end: engine.NoDate, lateDeals: map[int32]bool{}, unknown: map[string]int{}, seen: map[uint64]bool{}}
	for _, d := range deals {
		if _, ok := s.byID[d.ID]; ok {
			s.twice = append(s.twice, d.ID)
			continue
		}
		if d.Closed != engine.NoDate && d.Closed < d.Opened {
			s.backward = append(s.backward, d.ID)
		}
		n := int32(len(s.deals))
		s.byID[d.ID] = n
		s.byAccount[d.Account] = append(s.byAccount[d.Account], n)
		s.deals = append(s.deals, d)
		if d.Closed != engine.NoDate {
			s.end = max(s.end, d.Closed)
		}
		s.end = max(s.end, d.Opened)
	}
	return s
}

// Add adds a contact. One that names no deal belongs in equal parts to the
// customer's deals that are open on its day; planned and cancelled ones, and
// those of kinds that the table does not know, are left out.
func (s *Sample) Add(a *engine.Activity) {
	if a.Status != engine.Held || a.Deleted {
		return
	}
	how, ok := s.table.how(a)
	if !ok {
		s.unknown[a.Kind]++
		return
	}
	if !s.distinct {
		h := fnv.New64a()
		h.Write([]byte(a.Source + "\x00" + a.ID))
		id := h.Sum64()
		if s.seen[id] {
			s.again++
			return
		}
		s.seen[id] = true
	}
	day := s.table.points.DateOf(a)
	s.end = max(s.end, day)
	deals, total := s.dealsOf(a, day)
	if len(deals) == 0 {
		s.alone++
		return
	}
	people := s.people(a)
	factor := s.table.factor(a)
	for _, d := range deals {
		deal := &s.deals[d.deal]
		if deal.Closed != engine.NoDate && day > deal.Closed {
			s.late++
			s.lateDeals[d.deal] = true
		}
		share := factor * d.weight / total
		for i, p := range people {
			t := touch{deal: d.deal, day: day, how: uint16(how), rank: uint16(p.rank), weight: float32(share * p.weight)}
			if i > 0 {
				t.rank |= other
			}
			s.touches = append(s.touches, t)
		}
	}
}

type dealShare struct {
	deal   int32
	weight float64
}

func (s *Sample) dealsOf(a *engine.Activity, day engine.Date) (list []dealShare, total float64) {
	if s.watch != nil {
		n := s.account(a.Account)
		if s.watch.is(s.table, a) {
			s.watch.events[n] = append(s.watch.events[n], day)
		}
		return []dealShare{{n, 1}}, 1
	}
	if len(a.Deals) == 0 {
		for _, n := range s.byAccount[a.Account] {
			if d := &s.deals[n]; d.Opened <= day && (d.Closed == engine.NoDate || day <= d.Closed) {
				list = append(list, dealShare{n, 1})
			}
		}
		return list, float64(len(list))
	}
	weighted := slices.ContainsFunc(a.Deals, func(d engine.Share) bool { return d.Weight != 0 })
	for _, d := range a.Deals {
		w := d.Weight
		if !weighted {
			w = 1
		}
		total += w
		if n, ok := s.byID[d.ID]; ok && w > 0 {
			list = append(list, dealShare{n, w})
		}
	}
	if s.table.fullDeals {
		for i := range list {
			list[i].weight = 1
		}
		total = 1
	}
	return list, total
}

// people gives who took part with what each counts: the best by the table in use in full, the others by its
// rule for additional participants. A contact with nobody counts as one of unknown rank.
func (s *Sample) people(a *engine.Activity) []person {
	t := s.table
	list := s.scratch[:0]
	for i := range a.People {
		if w := t.role(&a.People[i]); w > 0 {
			list = append(list, person{t.rank(a.People[i].Rank), w})
		}
	}
	if len(a.People) == 0 {
		list = append(list, person{t.rank(engine.UnknownRank), 1})
	}
	s.scratch = list
	if len(list) < 2 {
		return list
	}
	worth := func(p person) float64 { return p.weight * t.Ranks[p.rank].Points }
	slices.SortStableFunc(list, func(a, b person) int {
		return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a.rank, b.rank))
	})
	rest := 0.0
	for _, p := range list[1:] {
		rest += worth(p)
	}
	share := t.additional.Share
	if limit := t.additional.Limit; limit > 0 && share*rest > (limit-1)*worth(list[0]) {
		share = (limit - 1) * worth(list[0]) / rest
	}
	for i := range list[1:] {
		list[i+1].weight *= share
	}
	return list
}

// prepare sorts the touches by deal and day.
func (s *Sample) prepare() {
	slices.SortFunc(s.touches, func(a, b touch) int {
		return cmp.Or(cmp.Compare(a.deal, b.deal), cmp.Compare(a.day, b.day), cmp.Compare(a.how, b.how), cmp.Compare(a.rank, b.rank), cmp.Compare(a.weight, b.weight))
	})
	s.keepClock()
	s.from = make([]int32, len(s.deals)+1)
	for _, t := range s.touches {
		s.from[t.deal+1]++
	}
	for i := range s.deals {
		s.from[i+1] += s.from[i]
	}
}

// keepClock reads the table's clock once for each day.
func (s *Sample) keepClock() {
	if len(s.touches) == 0 {
		return
	}
	s.began = s.end
	for i := range s.touches {
		s.began = min(s.began, s.touches[i].day)
	}
	s.days = make([]int32, s.end-s.began+1)
	for i := range s.days {
		s.days[i] = int32(s.table.points.Clock(s.began + engine.Date(i)))
	}
}

// clock gives a day between the first contact and the end on the table's clock.
func (s *Sample) clock(d engine.Date) int32 { return s.days[d-s.began] }

func (s *Sample) of(deal int32) []touch { return s.touches[s.from[deal]:s.from[deal+1]] }

// forget is the factor that is left after so many days of the clock; halfLife +Inf = nothing is lost.
func forget(days int32, halfLife float64) float64 { return math.Exp2(-float64(days) / halfLife) }
