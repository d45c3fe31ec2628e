package engine

import "slices"

// Independent tells that no cue looks at earlier activities. What an activity
// gives depends then on those of other sources on the same business date and
// nothing else, unless one of the account has a Link or names something by Same.
func (p *Points) Independent() bool { return p.derives == 0 && !p.perDay }

// Contributions computes what each activity gives to its account, contacts,
// deals and reps, as cells by rank class. acts are all activities of one
// account, in any order, because the cue "repeat" looks at earlier meetings, a
// message is one contact with others of its conversation, and several sources may tell of one
// contact; the order changes nothing but the order of the calls of emit. Activities
// that are deleted, planned or cancelled give nothing; future ones are
// emitted with their date. i is the index in acts.
func (p *Points) Contributions(acts []Activity, emit func(i int, c Contribution)) {
	p.contributions(acts, allKinds, emit)
}

// kindsOf is a set of kinds of entity.
type kindsOf uint8

const allKinds kindsOf = 1<<Account | 1<<Contact | 1<<Deal | 1<<Rep

func (k kindsOf) has(kind EntityKind) bool { return k&(1<<kind) != 0 }

// contributions is Contributions to some kinds of entity alone.
func (p *Points) contributions(acts []Activity, of kindsOf, emit func(i int, c Contribution)) {
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	s.look(p, acts)
	for i := range acts {
		a := s.contact(acts, i)
		if a == nil || !a.counts() {
			p.book(i, &acts[i], emit)
			continue
		}
		date := p.DateOf(a)
		total := s.weigh(p, a, date, s.trust(p, acts, i))
		if total == 0 || s.daily.over[i] {
			continue
		}
		cell := Cell{Date: date, Group: s.group, Direction: p.kinds[a.Kind].whose(a.Direction)}
		put := func(e Entity, c Class, milli int64, count int32) {
			if (milli != 0 || count != 0) && e.ID != "" {
				cell.Class, cell.Milli, cell.Count = c, milli, count
				emit(i, Contribution{e, cell})
			}
		}
		if of.has(Account) {
			s.putByClass(Entity{Account, a.Account}, total, true, put)
		}
		if of.has(Contact) {
			for j := range a.People {
				if e := s.people[j]; e.milli != 0 {
					put(Entity{Contact, a.People[j].Contact}, e.class, e.milli, 1)
				}
			}
		}
		switch {
		case !of.has(Deal):
		case p.config.Deals.Split == "full":
			for j, d := range a.Deals {
				s.putByClass(Entity{Deal, d.ID}, total, !listed(a.Deals[:j], d.ID), put)
			}
		default:
			s.putShares(Deal, a.Deals, total, put)
		}
		if of.has(Rep) {
			s.putShares(Rep, a.Reps, total, put)
		}
	}
}

// counts tells whether an activity took place, as far as is known.
func (a *Activity) counts() bool { return a.Status == Held && !a.Deleted }

// scratch is the working memory of one call of Contributions.
type scratch struct {
	signs         signs
	conversations conversations
	clusters      clusters
	daily         daily
	people        []earner // of the activity at hand, as Activity.People
	byClass       [NumClasses]int64
	best          Class // of the one who earned most
	oneClass      bool  // all who earned are of it
	group         Group
	weights       []int64
	parts         []int64
	rest          []uint64
}

// earner is what one participant earns.
type earner struct {
	class Class
	milli int64
}

// weigh fills people and byClass for an activity, and gives the account's
// milli-points: the best participant's, and a limited share of the others'.
func (s *scratch) weigh(p *Points, a *Activity, date Date, trust float64) int64 {
	s.people, s.byClass = s.people[:0], [NumClasses]int64{}
	r := p.rulesOf(a, date)
	base, ok := r.rule(a, trust)
	if !ok {
		return 0
	}
	s.group = r.kinds[a.Kind].group
	people := a.People
	if len(people) == 0 {
		people = nobody
	}
	for i := range people {
		f, class := r.factors(base, a, &people[i], s.signs.of(p, a, people[i].Contact, date))
		e := earner{class, f.milli(r.mode)}
		// Somebody who is listed twice was met once: the better entry stands.
		for j := range s.people {
			if people[i].Contact != "" && people[j].Contact == people[i].Contact {
				if worse := &s.people[j]; worse.milli < e.milli {
					worse.milli = 0
				} else {
					e.milli = 0
				}
			}
		}
		s.people = append(s.people, e)
	}
	var best, sum int64
	for _, e := range s.people {
		if e.milli > best {
			best, s.best = e.milli, e.class
		}
		sum += e.milli
		s.byClass[e.class] += e.milli
	}
	s.oneClass = s.byClass[s.best] == sum
	return best + r.additionally(best, sum-best)
}

// nobody stands for the people of an activity that names none: one person of unknown rank.
var nobody = []Participant{{}}

// additionally gives what the people beside the best one add to the account.
func (r *rules) additionally(best, others int64) int64 {
	rule := r.additional
	extra := round(rule.Share * float64(others))
	if rule.Limit != 0 {
		extra = min(extra, round((rule.Limit-1)*float64(best)))
	}
	return extra
}

// put takes milli-points, and contacts, of an entity in a class.
type put = func(e Entity, c Class, milli int64, count int32)

// putByClass shares total out over the rank classes that earned the activity.
// It is one contact, of the class whose participant earned most, unless it was counted already.
func (s *scratch) putByClass(e Entity, total int64, counts bool, put put) {
	if s.oneClass { // as nearly always
		var count int32
		if counts && total != 0 {
			count = 1
		}
		put(e, s.best, total, count)
		return
	}
	var parts [NumClasses]int64
	s.split(total, s.byClass[:], parts[:])
	for c, milli := range parts {
		var count int32
		if counts && Class(c) == s.best && total != 0 {
			count = 1
		}
		put(e, Class(c), milli, count)
	}
}

// putShares shares total out over deals or reps.
func (s *scratch) putShares(kind EntityKind, shares []Share, total int64, put put) {
	if len(shares) == 1 {
		s.putByClass(Entity{kind, shares[0].ID}, total, true, put)
		return
	}
	s.weights = appendWeights(s.weights[:0], shares)
	s.parts = slices.Grow(s.parts[:0], len(shares))[:len(shares)]
	s.split(total, s.weights, s.parts)
	for i, part := range s.parts {
		s.putByClass(Entity{kind, shares[i].ID}, part, !listed(shares[:i], shares[i].ID), put)
	}
}

// listed tells that a deal or rep stands in shares. Who is listed twice has both parts, of one contact.
func listed(shares []Share, id string) bool {
	return slices.ContainsFunc(shares, func(s Share) bool { return s.ID == id })
}

// appendWeights turns shares into whole weights, the largest being 1e9.
// Without any usable weight all are equal.
func appendWeights(dst []int64, shares []Share) []int64 {
	var largest float64
	for _, s := range shares {
		largest = max(largest, s.usable())
	}
	for _, s := range shares {
		if largest == 0 {
			dst = append(dst, 1)
		} else {
			dst = append(dst, round(s.usable()/largest*1e9))
		}
	}
	return dst
}

// look finds what depends on all activities of an account: which messages and
// which records of several sources are one contact, and second meetings, if the table has an interest in them.
func (s *scratch) look(p *Points, acts []Activity) {
	s.conversations.find(p, acts)
	s.clusters.find(p, acts, &s.conversations)
	s.signs.reset()
	if p.derives != 0 {
		s.signs.find(p, acts, s)
	}
	s.daily.reset()
	if p.perDay {
		s.daily.find(p, acts, s)
	}
}

// contact gives the contact that activity i stands for; nil = another one stands for it, or it is none.
func (s *scratch) contact(acts []Activity, i int) *Activity {
	return s.clusters.contact(acts, &s.conversations, i)
}
