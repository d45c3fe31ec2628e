package mapping

import (
	"time"

	"energyd/engine"
	"energyd/internal/expression"
)

type sameRule struct{ call, event, start, record *field }

func (c *compiler) same(s *SameRule) *sameRule {
	if s == nil {
		return nil
	}
	if s.Start != "" && s.Event == "" {
		c.problems.Add("activity.same.start", "a start without event; start tells which meeting of the appointment event is meant")
	}
	return &sameRule{
		call:   c.id("activity.same.call", s.Call),
		event:  c.id("activity.same.event", s.Event),
		start:  c.field("activity.same.start", s.Start, expression.Text|expression.Date|expression.Time, "time", nil),
		record: c.id("activity.same.record", s.Record),
	}
}

// same gives what other sources' records may name too; nil when the record names nothing.
func (m *Mapping) same(w *run, rule *sameRule) (*engine.Same, error) {
	if rule == nil {
		return nil, nil
	}
	var s engine.Same
	for _, t := range [...]struct {
		to *string
		f  *field
	}{{&s.Call, rule.call}, {&s.Event, rule.event}, {&s.Record, rule.record}} {
		var err error
		if *t.to, err = t.f.text(w); err != nil {
			return nil, err
		}
	}
	if s == (engine.Same{}) {
		return nil, nil
	}
	if s.Event == "" || rule.start == nil {
		return &s, nil
	}
	v, err := m.moment(w, rule.start)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case time.Time:
		s.Start = engine.StartOf(v)
	case expression.Day:
		s.Start = engine.StartOn(engine.Date(v))
	}
	return &s, nil
}
