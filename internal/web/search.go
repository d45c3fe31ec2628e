package web

import (
	"context"

	"energyd/engine"
	"energyd/internal/pipeline"
)

// search is what a reader looked for by name.
type search struct {
	Query string          `json:"query"`
	All   int             `json:"all"` // that fit
	Found []foundCustomer `json:"found"`
}

// foundCustomer is a customer that fits, with how warm it is.
type foundCustomer struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Code        string  `json:"code,omitempty"`
	Owner       string  `json:"owner,omitempty"`
	Temperature float64 `json:"temperature"` // points
	Band        string  `json:"band"`
	Last        string  `json:"last_contact,omitempty"`
}

// mostFound is how many customers are listed: who looks for one among more types more of its name.
const mostFound = 50

func (v *visit) names(ctx context.Context) (*pipeline.Names, error) {
	return hold(ctx, v, "names", func(ctx context.Context, p *pipeline.Pipeline) (*pipeline.Names, error) { return p.Names(ctx) })
}

func viewSearch(ctx context.Context, v *visit) (*search, error) {
	s := &search{Query: v.query.Get("q"), Found: []foundCustomer{}}
	names, err := v.names(ctx)
	if err != nil {
		return nil, err
	}
	found, all := names.Find(s.Query, mostFound, func(c pipeline.Named) bool { return v.reader.MaySee(c.Owner) })
	s.All = all
	owners := make([]string, len(found))
	for i, c := range found {
		owners[i] = c.Owner
	}
	reps, err := v.store().ProfilesOf(ctx, engine.Rep, owners)
	if err != nil {
		return nil, err
	}
	for _, c := range found {
		entry, _, err := v.store().LedgerEntry(ctx, engine.Entity{Kind: engine.Account, ID: c.ID})
		if err != nil {
			return nil, err
		}
		score := v.p.Points().Evaluate(engine.Account, entry.Cells, v.today())
		s.Found = append(s.Found, foundCustomer{ID: c.ID, Name: c.Name, Code: c.Code, Owner: reps[c.Owner].Name,
			Temperature: score.Temperature, Band: v.p.Points().Band(score.Band).Label.In(v.language), Last: score.Last.String()})
	}
	return s, nil
}
