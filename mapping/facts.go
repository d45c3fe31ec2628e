package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"energyd/engine"
	"energyd/internal/expression"
	"energyd/internal/fault"
)

type factRule struct {
	name  string
	value *field
	kind  engine.FactType
}

// facts compiles what a profile tells for reports.
func (c *compiler) facts(of engine.EntityKind, written map[string]string) []factRule {
	known := engine.FactsOf(of)
	var rules []factRule
	for _, name := range slices.Sorted(maps.Keys(written)) {
		path := "profile.facts." + name
		c.require(path, written[name])
		kind, ok := known[name]
		if !ok {
			words := slices.Sorted(maps.Keys(known))
			msg := fmt.Sprintf("a profile of kind %s has no facts", of)
			if len(words) > 0 {
				msg = unknownWord("fact", name, words)
			}
			c.problems = append(c.problems, fault.Problem{Path: path, Key: true, Msg: msg})
			continue
		}
		want := idType
		switch kind {
		case engine.FactTruth:
			want = expression.Bool
		case engine.FactDay:
			want = expression.Text | expression.Date | expression.Time
		}
		if f := c.field(path, written[name], want, "fact", nil); f != nil {
			rules = append(rules, factRule{name, f, kind})
		}
	}
	return rules
}

// facts evaluates them; what is blank is not told.
func (m *Mapping) facts(w *run) (engine.Facts, error) {
	var facts engine.Facts
	for _, rule := range m.profile.facts {
		text, err := m.fact(w, rule)
		if err != nil {
			return nil, err
		}
		if text == "" {
			continue
		}
		if facts == nil {
			facts = make(engine.Facts, len(m.profile.facts))
		}
		facts[rule.name] = text
	}
	return facts, nil
}

func (m *Mapping) fact(w *run, rule factRule) (string, error) {
	switch rule.kind {
	case engine.FactTruth:
		b, err := rule.value.truth(w)
		return fmt.Sprint(b), err
	case engine.FactDay:
		v, err := m.moment(w, rule.value)
		if t, ok := v.(time.Time); ok {
			return t.UTC().Format(time.RFC3339), err
		}
		if d, ok := v.(expression.Day); ok {
			return engine.Date(d).String(), err
		}
		return "", err
	case engine.FactNumber:
		v, err := rule.value.eval(w)
		if err != nil || v == nil {
			return "", err
		}
		if v, err = number(m.zone, []any{v}); err != nil {
			return "", rule.value.reject(err)
		}
		return textOf(v)
	}
	text, err := rule.value.text(w)
	return strings.TrimSpace(text), err
}
