package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"hash"
	"hash/fnv"
	"iter"

	"energyd/connectors"
	"energyd/engine"
)

// planner plans one Writing.
type planner struct {
	sink   *Sink
	run    string
	w      Writing
	at     int // of the Writing in the configuration
	fields map[string]connectors.Field
	sum    *Summary
	hash   hash.Hash
	moves  moves
}

func (p *planner) all(ctx context.Context, entries iter.Seq2[Wanted, error]) error {
	var wanted []Wanted
	for w, err := range entries {
		if err != nil {
			return err
		}
		if wanted = append(wanted, w); len(wanted) == chunk {
			if err := p.some(ctx, wanted); err != nil {
				return err
			}
			wanted = wanted[:0]
		}
	}
	return p.some(ctx, wanted)
}

func (p *planner) some(ctx context.Context, wanted []Wanted) error {
	if len(wanted) == 0 {
		return nil
	}
	ids := make([]string, len(wanted))
	for i, w := range wanted {
		ids[i] = w.ID
	}
	last, err := p.sink.Store.LastWritten(ctx, p.w.Name, ids)
	if err != nil {
		return err
	}
	undone, err := p.sink.Store.Undone(ctx, p.w.Name, ids)
	if err != nil {
		return err
	}
	names := make([]string, len(p.w.Fields))
	for i, f := range p.w.Fields {
		names[i] = f.Field
	}
	// Only records whose own values moved are worth asking the CRM for.
	var ask []string
	moved := make([]map[string]any, len(wanted)) // wanted values by field; nil: nothing moved
	var accepted []Accepted
	for i, w := range wanted {
		values, unfit := p.fit(w)
		p.sum.Unfit += len(unfit)
		p.sum.Problems = append(p.sum.Problems, limited(p.sum.Problems, unfit)...)
		if written, ok := last[w.ID]; ok && (p.w.Once || !p.w.noticeable(values, undone[w.ID].over(written), p.sink.Plans.Smallest)) {
			p.sum.Unchanged++
			accepted = append(accepted, p.accept(w.ID, nil, len(unfit) == 0))
			continue
		}
		moved[i] = values
		ask = append(ask, w.ID)
	}
	current := make(map[string]connectors.Row, len(ask))
	if len(ask) > 0 {
		p.sum.spend("read current values", 1, true)
		rows, err := p.w.Target.Current(ctx, p.w.Object, ask, names)
		if err != nil {
			return err
		}
		for _, r := range rows {
			current[r.ID] = r
		}
	}
	refused, err := p.sink.Store.RefusedBefore(ctx, p.run, p.w.Name, ask)
	if err != nil {
		return err
	}
	var changes []Change
	for i, w := range wanted {
		if moved[i] == nil {
			continue
		}
		row, ok := current[w.ID]
		if !ok || row.Missing {
			p.sum.Missing++ // not settled: it may only be hidden from us today
			continue
		}
		c := p.compare(w, moved[i], row, last[w.ID])
		right := len(c.Fields) == 0
		fits := len(moved[i]) == len(p.w.Fields)
		accepted = append(accepted, p.accept(w.ID, held(moved[i], row, last[w.ID]), right && fits))
		if right {
			if _, held := undone[w.ID]; held { // somebody else wrote what is wanted
				accepted[len(accepted)-1].Undone = &Undone{}
			}
			p.sum.Unchanged++
			continue
		}
		// What the CRM refused goes from plan to plan until its values move (C42).
		before, again := refused[w.ID]
		again = again && !p.w.noticeable(c.update().Values, before.update().Values, p.sink.Plans.Smallest)
		before.Refusal = before.Awake(p.sink.now)
		if again && (before.Said == Waive || !p.sink.Resend && !before.dueAgain(p.sink.now)) {
			if before.Said == Waive {
				p.sum.Waived++
			} else {
				p.sum.Refused++
			}
			before.Seq, before.State = place(p.at, w.Parent, 1<<31+p.sum.Refused+p.sum.Waived), Refused
			changes = append(changes, before)
			continue
		}
		if again {
			c.Refusal = Refusal{Class: before.Class, Hint: before.Hint, Attempts: before.Attempts, Tried: before.Tried}
		}
		p.sum.Records++
		p.sum.Fields += len(c.Fields)
		p.moves.add(p.w, c, p.sink.Plans.Smallest)
		c.Seq, c.State = place(p.at, w.Parent, p.sum.Records), Planned
		line, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("plan %s %s: %w", p.w.Name, w.ID, err)
		}
		p.hash.Write(append(line, '\n'))
		changes = append(changes, c)
	}
	return p.sink.Store.AddChanges(ctx, p.run, changes, accepted)
}

// place orders a plan: Writing after Writing, and within one the children of a
// parent together, since the CRM locks the parent of each record that it saves
// and works on chunks side by side. A hash stands for the parent, so nothing
// has to be sorted; n makes it unique.
func place(writing int, parent string, n int) int64 {
	h := fnv.New32a()
	h.Write([]byte(parent))
	return int64(writing)<<placeBits | int64(h.Sum32()>>8)<<32 | int64(n)
}

// placeBits are those of a place below its Writing's number.
const placeBits = 56

// fit brings all measures into their fields' shapes.
func (p *planner) fit(w Wanted) (values map[string]any, unfit []string) {
	values = make(map[string]any, len(p.w.Fields))
	for _, m := range p.w.Fields {
		v, err := fit(w.Values[m.Measure], p.fields[m.Field])
		if err != nil {
			unfit = append(unfit, fmt.Sprintf("%s %s (%s): %v", p.w.Name, w.ID, w.Name, err))
			continue
		}
		values[m.Field] = v
	}
	return values, unfit
}

// noticeable tells whether the values moved enough from those last written to be worth a write.
func (w Writing) noticeable(values, last map[string]any, smallest Threshold) bool {
	for _, m := range w.Fields {
		v, fits := values[m.Field]
		if !fits || same(v, last[m.Field]) {
			continue
		}
		me, _ := measure(m.Measure)
		if !me.Soft {
			return true
		}
		if noticed(last[m.Field], v, smallest) {
			return true
		}
	}
	return false
}

// Moved tells whether a record that holds one set of values would be written for another one to be held.
func (w Writing) Moved(was, is Wanted, smallest Threshold) bool {
	values, last := make(map[string]any, len(w.Fields)), make(map[string]any, len(w.Fields))
	for _, m := range w.Fields {
		values[m.Field], last[m.Field] = is.Values[m.Measure], was.Values[m.Measure]
	}
	return w.noticeable(values, last, smallest)
}

// compare is the three-way compare: last written × the CRM's current × wanted.
func (p *planner) compare(w Wanted, values map[string]any, row connectors.Row, last map[string]any) Change {
	c := Change{Writing: p.w.Name, ID: w.ID, Name: w.Name}
	for _, m := range p.w.Fields {
		want, fits := values[m.Field]
		now := row.Values[m.Field]
		if !fits || same(now, want) {
			continue
		}
		if ours, wrote := last[m.Field]; wrote && !same(now, refit(ours, p.fields[m.Field])) {
			p.sum.keep(Kept{p.w.Name, w.ID, w.Name, m.Field, now, want, false})
			continue
		}
		c.Fields = append(c.Fields, Delta{m.Field, now, want})
	}
	return c
}

// held gives the values to remember of a record: ours where the CRM holds
// them already, what we last wrote elsewhere.
func held(values map[string]any, row connectors.Row, last map[string]any) map[string]any {
	m := make(map[string]any, len(values))
	for f, v := range last {
		m[f] = v
	}
	for f, v := range values {
		if same(row.Values[f], v) {
			m[f] = v
		}
	}
	return m
}

func (p *planner) accept(id string, values map[string]any, settled bool) Accepted {
	return Accepted{Writing: p.w.Name, Entity: engine.Entity{Kind: p.w.Kind, ID: id}, Values: values, Settled: settled}
}
