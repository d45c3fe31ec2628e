package pipeline

import (
	"cmp"
	"context"
	"slices"
	"unsafe"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/sink"
)

// BandChange is a customer whose temperature is in another band than the CRM had.
type BandChange struct {
	ID       string
	Name     string
	Rep      string   // CRM id of the owner
	From, To int      // bands: engine.Points.Band
	Was, Is  *float64 // temperature, points; nil where the CRM is not given it
}

// Warmer tells that the band rose.
func (c BandChange) Warmer() bool { return c.To > c.From }

// BandChanges are those of one plan, the largest first. They are not changed after they were made.
type BandChanges []BandChange

// Size is how many bytes they take, about.
func (l BandChanges) Size() int {
	size := 0
	for _, c := range l {
		size += int(unsafe.Sizeof(c)) + 2*int(unsafe.Sizeof(0.0)) + len(c.ID) + len(c.Name) + len(c.Rep)
	}
	return size
}

// BandChanges gives the customers whose band a plan moves, from what the CRM had. Customers that it
// had no band of are not among them, nor those whose band somebody wrote over in other words.
func (p *Pipeline) BandChanges(ctx context.Context, sum sink.Summary) (BandChanges, error) {
	bands := map[string]int{}
	for i := range p.points.Bands() {
		label := p.points.Band(i).Label
		bands[label.Ja], bands[label.En] = i, i
	}
	list := BandChanges{}
	for _, w := range p.cfg.Write {
		if w.Entity != engine.Account || w.Fields["band"] == "" {
			continue
		}
		const some = 5000
		for after := int64(-1); ; {
			changes, err := p.store.Changes(ctx, sum.Run, w.Name(), after, some)
			if err != nil {
				return nil, err
			}
			for _, c := range changes {
				after = c.Seq
				if b, ok := bandChange(c, w, bands); ok {
					list = append(list, b)
				}
			}
			if len(changes) < some {
				break
			}
		}
	}
	for i := range list {
		profile, _, err := p.store.Profile(ctx, engine.Entity{Kind: engine.Account, ID: list[i].ID})
		if err != nil {
			return nil, err
		}
		list[i].Rep = profile.Owner
	}
	slices.SortStableFunc(list, func(a, b BandChange) int {
		return cmp.Or(cmp.Compare(max(b.To-b.From, b.From-b.To), max(a.To-a.From, a.From-a.To)), cmp.Compare(b.by(), a.by()), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// bandChange reads a change of a record for what it does to its band.
func bandChange(c sink.Change, w config.Write, bands map[string]int) (b BandChange, ok bool) {
	b = BandChange{ID: c.ID, Name: c.Name}
	for _, d := range c.Fields {
		switch d.Field {
		case w.Fields["band"]:
			was, _ := d.Old.(string)
			is, _ := d.New.(string)
			from, known := bands[was]
			to, knows := bands[is]
			b.From, b.To, ok = from, to, known && knows && from != to
		case w.Fields["energy_now"]:
			was, before := d.Old.(float64)
			is, now := d.New.(float64)
			if before && now {
				b.Was, b.Is = &was, &is
			}
		}
	}
	return b, ok
}

// by is how far the temperature moves, up or down.
func (c BandChange) by() float64 {
	if c.Was == nil {
		return 0
	}
	return max(*c.Is-*c.Was, *c.Was-*c.Is)
}
