package pipeline

import (
	"iter"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/store"
)

// told gathers the titles that records name of contacts with their dates: the
// first of each row of equal ones. Of several on one day the highest stands.
// It needs memory for the contacts, not for the records.
type told struct {
	ranks    *ranks
	contacts map[string]*career
	texts    map[string]string // titles, kept once
	tangled  bool              // of some contact records did not come by date
}

// career is what records say of one contact's titles.
type career struct {
	said    []statement // each the first of a row of equal ones, before the day at hand
	day     statement   // the highest of the latest day
	tangled bool        // records did not come by date: they are gathered again
}

type statement struct {
	date  engine.Date
	title string
}

// add looks at the next activity. Those of an account come by time, and a
// contact seldom has several accounts: so most careers are told in order.
func (t *told) add(a *engine.Activity) {
	if t == nil {
		return
	}
	t.each(a, func(contact string, s statement) {
		c := t.contacts[contact]
		if c == nil {
			c = &career{day: statement{s.date, t.text(s.title)}}
			t.contacts[strings.Clone(contact)] = c
			return
		}
		switch {
		case c.tangled:
		case s.date < c.day.date:
			c.tangled, t.tangled, c.said = true, true, nil
		default:
			t.next(c, s)
		}
	})
}

// each gives what an activity says of contacts' titles.
func (t *told) each(a *engine.Activity, do func(contact string, s statement)) {
	if a.Deleted || a.Status == engine.Cancelled {
		return
	}
	for _, person := range a.People {
		if person.Contact == "" {
			continue
		}
		if rank, ok := t.ranks.titles.Rank(person.Title); ok && rank != "" {
			do(person.Contact, statement{t.ranks.points.DateOf(a), person.Title})
		}
	}
}

// next adds a statement of the day at hand or of a later one.
func (t *told) next(c *career, s statement) {
	if s.date > c.day.date {
		c.endDay()
		c.day = statement{s.date, t.text(s.title)}
	} else if s.title != c.day.title && t.ranks.titles.Compare(s.title, c.day.title) > 0 {
		c.day.title = t.text(s.title)
	}
}

// endDay keeps what the day at hand says, if it is news.
func (c *career) endDay() {
	if n := len(c.said); n == 0 || c.said[n-1].title != c.day.title {
		c.said = append(c.said, c.day)
	}
}

// text gives a title that holds nothing else in memory.
func (t *told) text(title string) string {
	kept, ok := t.texts[title]
	if !ok {
		kept = strings.Clone(title)
		t.texts[kept] = kept
	}
	return kept
}

// all gives everything that was told. It reads the activities again when some careers are tangled.
func (t *told) all(activities iter.Seq2[engine.Activity, error]) ([]store.Told, error) {
	if err := t.untangle(activities); err != nil {
		return nil, err
	}
	list := make([]store.Told, 0, len(t.contacts))
	for contact, c := range t.contacts {
		c.endDay()
		for _, s := range c.said {
			list = append(list, store.Told{Contact: contact, Since: t.ranks.midnight(s.date).UTC(), Title: s.title})
		}
	}
	return list, nil
}

// untangle sorts the careers whose records did not come by date.
func (t *told) untangle(activities iter.Seq2[engine.Activity, error]) error {
	if !t.tangled {
		return nil
	}
	said := map[*career][]statement{}
	for a, err := range activities {
		if err != nil {
			return err
		}
		t.each(&a, func(contact string, s statement) {
			if c := t.contacts[contact]; c != nil && c.tangled {
				said[c] = append(said[c], statement{s.date, t.text(s.title)})
			}
		})
	}
	for c, list := range said {
		slices.SortStableFunc(list, func(x, y statement) int { return int(x.date) - int(y.date) })
		c.day = list[0]
		for _, s := range list[1:] {
			t.next(c, s)
		}
	}
	return nil
}
