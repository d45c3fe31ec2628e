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

// rankedBy is what the ranks of activities depend on.
func (r *ranks) rankedBy(directory *store.Directory) string {
	return fmt.Sprint(directory.Careers(), " ", r.today, " ", r.titles.Fingerprint())
}

// toLearn prepares to learn what dated reports say of contacts' titles; nil
// when nothing may have changed. What reports said is looked at only after much.
func (p *Pipeline) toLearn(ctx context.Context, r *Report, much bool) (*told, error) {
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return nil, err
	}
	ranked, err := p.store.Ranked(ctx)
	if err != nil {
		return nil, err
	}
	ranks := p.ranks(directory)
	news := much && slices.ContainsFunc(r.Sources, func(s SourceReport) bool {
		m := p.mappings[s.Source]
		return m != nil && m.TellsTitles() && s.Stored+s.Skipped+s.Withdrawn > 0
	})
	if ranked == ranks.rankedBy(directory) && !news {
		return nil, nil
	}
	return &told{ranks: ranks, contacts: map[string]*career{}, texts: map[string]string{}}, nil
}

// rerank keeps what reports said of contacts' titles, and gives all activities
// the ranks that follow from what is known now, if these changed.
func (p *Pipeline) rerank(ctx context.Context, r *Report, told *told) error {
	said, err := told.all(p.store.Activities(ctx))
	if err != nil {
		return err
	}
	if err := p.store.ReportTitles(ctx, said); err != nil {
		return err
	}
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return err
	}
	ranked, err := p.store.Ranked(ctx)
	if err != nil {
		return err
	}
	ranks := p.ranks(directory)
	by := ranks.rankedBy(directory)
	if ranked == by {
		return nil
	}
	changed, err := p.store.Rerank(ctx, p.scorer(), p.AsOf(), by, ranks.again)
	if changed > 0 {
		p.log.Info("contacts' ranks are known better now", "activities", changed)
	}
	return err
}
