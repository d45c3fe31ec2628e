package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"energyd/engine"
	"energyd/internal/store"
)

// manyRejects is one in how many records: more than that are no odd ones, but something that is set up wrong.
const manyRejects = 20

// rejectAdvice says of which sources many records are kept back, and the next step.
func (p *Pipeline) rejectAdvice(ctx context.Context) ([]string, error) {
	counts, err := p.store.RejectCounts(ctx)
	if err != nil {
		return nil, err
	}
	largest, err := p.store.LargestReadings(ctx)
	if err != nil {
		return nil, err
	}
	var advice []string
	for _, src := range p.cfg.Sources {
		kept := 0
		var most store.RejectCount
		for _, c := range counts {
			if c.Source != src.Name {
				continue
			}
			kept += c.Count
			if c.Count > most.Count {
				most = c
			}
		}
		if kept >= 5 && kept*manyRejects > largest[src.Name] { // some records of a small table prove nothing
			advice = append(advice, fmt.Sprintf("%s: %d of about %d records are kept back, %d of them by the code %s: %s; energyd rejects list shows each",
				src.Name, kept, max(kept, largest[src.Name]), most.Count, most.Code, nextStep(most.Code)))
		}
	}
	return advice, nil
}

// nextStep says what to do when many records are rejected by a code.
func nextStep(code string) string {
	switch code {
	case "account":
		return "look whether the CRM holds these customers, and whether find() in the mapping names the key that has their codes"
	case "kind", "lookup":
		return "add the missing words to the mapping's lookups, or a skip rule for such records"
	case "date":
		return "look at the column of the date, and at activity.at in the mapping"
	case "column":
		return "look whether the source still has the columns that the mapping uses"
	}
	return "look at their reasons"
}

// tableAdvice says that the points table scores otherwise than it did under
// this version's name: explanations name the version, and would not fit older ones.
func (p *Pipeline) tableAdvice(ctx context.Context) ([]string, error) {
	version, fingerprint := p.points.Version(), p.points.Fingerprint()
	first, err := p.store.FirstTable(ctx, version, fingerprint)
	if err != nil || first == fingerprint {
		return nil, err
	}
	return []string{fmt.Sprintf("%s scores otherwise than when version %q was first used; give the changed table a version of its own, since explanations name it",
		p.relative(p.cfg.Points), version)}, nil
}

// advise adds to a report what an admin should know before sending a plan.
func (p *Pipeline) advise(ctx context.Context, r *Report) error {
	table, err := p.tableAdvice(ctx)
	if err != nil {
		return err
	}
	rejects, err := p.rejectAdvice(ctx)
	r.Warnings = slices.Concat(r.Warnings, table, rejects)
	return err
}

// noCustomers says that a source of accounts was read and the directory holds none. Right after a CRM was
// set up that is nothing but its clock: connectors read up to some minutes ago.
func (p *Pipeline) noCustomers(ctx context.Context, r *Report) error {
	for _, sr := range r.Sources {
		m := p.mappings[sr.Source]
		if kind, _ := m.Keys(); !m.MakesProfiles() || kind != engine.Account || sr.Error != "" || sr.Rejected > 0 {
			continue
		}
		for _, err := range p.store.Profiles(ctx, engine.Account) {
			return err // there is one
		}
		stood, err := p.readAsOf(ctx, sr.Source)
		if err != nil {
			return err
		}
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s: no customer is known yet, so no contact can be given to one.%s Else look at the source's object and filter, "+
			"and at what the user that energyd signs on as may see", sr.Source, stood))
		return nil
	}
	return nil
}

// readAsOf tells up to when a source was read, as the beginning of a warning; "" when it tells no change times.
func (p *Pipeline) readAsOf(ctx context.Context, source string) (string, error) {
	read, err := p.store.Intervals(ctx, source)
	if err != nil || len(read) == 0 {
		return "", err
	}
	return fmt.Sprintf(" It was read as it stood at %s %s: what was saved later comes with a later pull.", read[len(read)-1].To.In(p.Zone()).Format(time.DateTime), p.cfg.Zone), nil
}
