package pipeline

import (
	"context"
	"time"

	"energyd/engine"
)

// Arrival is a person with energy who left one customer and is at another one
// now. The energy of before stays with the old customer; the new one begins
// with an acquaintance (energy-model §4.10).
type Arrival struct {
	Contact  string  `json:"contact"` // CRM id
	Name     string  `json:"name"`
	From     string  `json:"from"` // account
	FromName string  `json:"from_name"`
	To       string  `json:"to"`
	ToName   string  `json:"to_name"`
	On       string  `json:"on"`     // date
	Earned   float64 `json:"earned"` // points of the person, of all times
}

// arrivedWithin is how long an arrival is news.
const arrivedWithin = 30 * 24 * time.Hour

// Arrivals lists the known people who arrived at other accounts lately, by contact and day.
func (p *Pipeline) Arrivals(ctx context.Context) ([]Arrival, error) {
	moves, err := p.store.Moves(ctx, p.opt.Now().Add(-arrivedWithin))
	if err != nil {
		return nil, err
	}
	var arrivals []Arrival
	for _, m := range moves {
		a := Arrival{On: p.points.BusinessDate(m.At).String()}
		for _, e := range [...]struct {
			kind     engine.EntityKind
			told     string
			id, name *string
		}{{engine.Contact, m.Contact, &a.Contact, &a.Name}, {engine.Account, m.From, &a.From, &a.FromName}, {engine.Account, m.To, &a.To, &a.ToName}} {
			now, err := p.present(ctx, engine.Entity{Kind: e.kind, ID: e.told})
			if err != nil {
				return nil, err
			}
			profile, _, err := p.store.Profile(ctx, now)
			if err != nil {
				return nil, err
			}
			*e.id, *e.name = now.ID, profile.Name
		}
		entry, _, err := p.store.LedgerEntry(ctx, engine.Entity{Kind: engine.Contact, ID: a.Contact})
		if err != nil {
			return nil, err
		}
		earned := int64(0)
		for _, cell := range entry.Cells {
			earned += cell.Milli
		}
		if a.Earned = float64(earned) / 1000; earned > 0 && a.From != a.To { // accounts that were merged are one
			arrivals = append(arrivals, a)
		}
	}
	return arrivals, nil
}
