package config

import (
	"fmt"
	"maps"
	"slices"

	"energyd/engine"
	"energyd/internal/fault"
)

// StrangeSources finds names in a points table, under sources, source_factors
// and precedence, that are no sources of energyd.yaml but look like one. A
// name that looks like none may belong to a source that is switched off. In
// precedence every name has to be a source, or what sources are. The error of a table that cannot be read is Errors.
func StrangeSources(points string, sources []string) (found Errors, err error) {
	var cfg engine.PointsConfig
	doc := open(points)
	if err := doc.into(&cfg, cfg.Validate); err != nil {
		return nil, err
	}
	var ps fault.Problems
	strange := func(path string, names []string) {
		for _, name := range names {
			var unlisted []string // a source that has its own line is not the one that was meant
			for _, s := range sources {
				if !slices.Contains(names, s) {
					unlisted = append(unlisted, s)
				}
			}
			if near := fault.DidYouMean(name, unlisted); near != "" && !slices.Contains(sources, name) {
				ps = append(ps, fault.Problem{Path: path + "." + name, Key: true, Msg: fmt.Sprintf("energyd.yaml has no source %q%s", name, near)})
			}
		}
	}
	strange("sources", slices.Sorted(maps.Keys(cfg.Sources)))
	strange("source_factors", slices.Sorted(maps.Keys(cfg.SourceFactors)))
	known := slices.Concat(engine.SourceWords(), sources, slices.Collect(maps.Keys(cfg.Sources)))
	for _, list := range []struct {
		path  string
		words []string
	}{{"precedence.kind", cfg.Precedence.Kind}, {"precedence.time", cfg.Precedence.Time}, {"precedence.people", cfg.Precedence.People}} {
		for i, word := range list.words {
			if !slices.Contains(known, word) {
				ps = append(ps, fault.Problem{Path: fmt.Sprintf("%s[%d]", list.path, i),
					Msg: fmt.Sprintf("%q is neither a source of energyd.yaml nor what sources are%s", word, suggest(word, known))})
			}
		}
	}
	doc.place(ps)
	found, _ = sorted(doc.problems).(Errors)
	return found, nil
}
