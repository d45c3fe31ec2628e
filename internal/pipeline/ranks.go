package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"energyd/engine"
	"energyd/internal/store"
	"energyd/mapping"
)

// careers know what titles contacts had.
type careers interface {
	TitleAt(contact string, before time.Time) string
}

// ranks fill in the ranks of contacts whom records name without a title: those
// of the day of the contact. With `rank: today` in the points table everybody
// whom the CRM knows has today's (decisions/0077).
type ranks struct {
	titles  *mapping.Titles
	points  *engine.Points
	careers careers
	zone    *time.Location
	today   engine.Date // NoDate: the day of the contact decides
}

func (p *Pipeline) ranks(c careers) *ranks {
	zone, err := time.LoadLocation(p.table.Timezone)
	if err != nil {
		panic(err) // the points table was compiled with it
	}
	r := &ranks{titles: p.titles, points: p.points, careers: c, zone: zone, today: engine.NoDate}
	if p.table.Rank == "today" {
		r.today = p.AsOf()
	}
	return r
}

// fill sets the ranks of an activity's people in their place.
func (r *ranks) fill(a *engine.Activity) {
	for i := range a.People {
		if p := &a.People[i]; r != nil && p.Contact != "" {
			p.Rank = r.of(a, p)
		}
	}
}

// again gives an activity with the ranks that fill would set: itself, when it has them.
func (r *ranks) again(a *engine.Activity) *engine.Activity {
	if a.Deleted || !slices.ContainsFunc(a.People, func(p engine.Participant) bool { return p.Contact != "" && p.Rank != r.of(a, &p) }) {
		return a
	}
	other := *a
	other.People = slices.Clone(a.People)
	r.fill(&other)
	return &other
}

func (r *ranks) of(a *engine.Activity, p *engine.Participant) string {
	title, date := p.Title, r.today
	if date == engine.NoDate {
		date = r.points.DateOf(a)
	}
	if title == "" || r.today != engine.NoDate {
		if told := r.careers.TitleAt(p.Contact, r.midnight(date+1)); told != "" {
			title = told
		}
	}
	rank, _ := r.titles.Rank(title)
	return rank
}

// midnight is when a date begins.
func (r *ranks) midnight(d engine.Date) time.Time {
	year, month, day := d.Time().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, r.zone)
}

// rerank learns what dated reports say of contacts' titles, and gives all
// activities the ranks that follow from what is known now. It reads all
// activities, and only when something may have changed; what reports said, only
// after much.
func (p *Pipeline) rerank(ctx context.Context, r *Report, much bool) error {
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return err
	}
	ranked, err := p.store.Ranked(ctx)
	if err != nil {
		return err
	}
	ranks := p.ranks(directory)
	by := func() string { return fmt.Sprint(directory.Careers(), " ", ranks.today, " ", p.titles.Fingerprint()) }
	told := much && slices.ContainsFunc(r.Sources, func(s SourceReport) bool {
		m := p.mappings[s.Source]
		return m != nil && m.TellsTitles() && s.Stored+s.Skipped+s.Withdrawn > 0
	})
	if ranked == by() && !told {
		return nil
	}
	said, err := p.reported(ctx, ranks)
	if err != nil {
		return err
	}
	if err := p.store.ReportTitles(ctx, said); err != nil {
		return err
	}
	if directory, err = p.store.Directory(ctx); err != nil || ranked == by() {
		return err
	}
	changed, err := p.store.Rerank(ctx, p.scorer(), p.AsOf(), by(), ranks.again)
	if changed > 0 {
		p.opt.Log.Info("contacts' ranks are known better now", "run", r.Run, "activities", changed)
	}
	return err
}

// reported gives the titles that records name of contacts with their dates:
// the first of each row of equal ones. Of several on one day the highest stands.
func (p *Pipeline) reported(ctx context.Context, r *ranks) ([]store.Told, error) {
	type statement struct {
		date  engine.Date
		title string
	}
	by := map[string][]statement{}
	for a, err := range p.store.Activities(ctx) {
		if err != nil {
			return nil, err
		}
		if a.Deleted || a.Status == engine.Cancelled {
			continue
		}
		for _, person := range a.People {
			if rank, ok := r.titles.Rank(person.Title); person.Contact != "" && ok && rank != "" {
				said := by[person.Contact]
				s := statement{p.points.DateOf(&a), person.Title}
				if len(said) == 0 || said[len(said)-1] != s {
					by[person.Contact] = append(said, s)
				}
			}
		}
	}
	var all []store.Told
	for contact, said := range by {
		slices.SortFunc(said, func(x, y statement) int {
			if x.date != y.date {
				return int(x.date) - int(y.date)
			}
			return r.titles.Compare(y.title, x.title) // the highest first
		})
		last := statement{date: engine.NoDate}
		for _, s := range said {
			if s.date != last.date && s.title != last.title {
				all = append(all, store.Told{Contact: contact, Since: r.midnight(s.date).UTC(), Title: s.title})
				last = s
			} else {
				last.date = s.date
			}
		}
	}
	return all, nil
}
