package pipeline

import (
	"context"
	"errors"
	"fmt"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/fault"
)

// Finding is one thing that check looked at.
type Finding struct {
	What string `json:"what"` // "connection crm", "source daily_report", "mapping mappings/daily_report.yaml"
	Note string `json:"note,omitempty"`
	Err  error  `json:"-"`
}

// Check proves the configuration against the systems that it names: the
// mappings' own tests, each connection's sign-on, each source's table and
// columns, each CRM field's existence, type and right. It reads at most one
// record of each source and writes nothing.
func (p *Pipeline) Check(ctx context.Context) []Finding {
	var fs []Finding
	add := func(what, note string, err error) { fs = append(fs, Finding{what, note, err}) }

	add("points "+p.relative(p.cfg.Points), fmt.Sprintf("version %s, %d kinds, %d ranks", p.points.Version(), len(p.points.Kinds()), len(p.points.Ranks())), nil)
	for _, w := range p.points.Warnings() {
		add("points "+p.relative(p.cfg.Points), "warning: "+w, nil)
	}
	if w := p.points.CalendarWarning(p.AsOf()); w != "" {
		add("points "+p.relative(p.cfg.Points), "warning: "+w, nil)
	}
	strange, err := config.StrangeSources(p.cfg.Points, p.sourceNames())
	for _, problem := range strange {
		add("points "+p.relative(p.cfg.Points), fmt.Sprintf("warning: line %d: %s", problem.Line, problem.Msg), nil)
	}
	if err != nil {
		add("points "+p.relative(p.cfg.Points), "", err)
	}
	for _, s := range p.cfg.Sources {
		note, err := p.checkMapping(s.Name)
		add("mapping "+p.relative(s.Mapping), note, err)
	}
	for _, j := range p.cfg.Jobs {
		if next := j.Schedule.Next(p.opt.Now()); j.Source == "" {
			add("schedule", "next run "+next.Format("2006-01-02 15:04 MST"), nil)
		}
	}
	if len(p.cfg.Write) > 0 {
		add("brakes", p.cfg.Brakes.String(), nil)
	}
	down := map[string]bool{}
	for _, c := range p.cfg.Connections {
		conn, err := p.conn(ctx, c.Name)
		if err == nil {
			err = conn.Check(ctx)
		}
		down[c.Name] = err != nil
		add("connection "+c.Name, c.Connector.Title, err)
		if a, ok := c.Config.(connectors.Advisor); ok && a.Advice() != "" {
			add("connection "+c.Name, "advice: "+a.Advice(), nil)
		}
	}
	for _, s := range p.cfg.Sources {
		if down[s.Connection] {
			continue // its connection's finding says it all
		}
		add("source "+s.Name, "", p.checkSource(ctx, s.Connection, s.Stream))
	}
	return append(fs, p.checkWrite(ctx, down)...)
}

func (p *Pipeline) sourceNames() []string {
	names := make([]string, len(p.cfg.Sources))
	for i, s := range p.cfg.Sources {
		names[i] = s.Name
	}
	return names
}

func (p *Pipeline) checkMapping(source string) (string, error) {
	results := p.mappings[source].RunTests()
	for _, t := range results {
		if t.Err != nil {
			return "", fmt.Errorf("line %d: test %q: %w", t.Line, t.Name, t.Err)
		}
	}
	if len(results) == 0 {
		return "no tests of its own", nil
	}
	if len(results) == 1 {
		return "its test passes", nil
	}
	return fmt.Sprintf("%d tests pass", len(results)), nil
}

func (p *Pipeline) checkSource(ctx context.Context, connection string, stream connectors.Config) error {
	conn, err := p.conn(ctx, connection)
	if err != nil {
		return err
	}
	source, err := conn.Source(ctx, stream)
	if err != nil {
		return err
	}
	defer source.Close()
	_, err = source.Read(ctx, "", 1)
	return err
}

func (p *Pipeline) checkWrite(ctx context.Context, down map[string]bool) []Finding {
	var fs []Finding
	for i, w := range p.cfg.Write {
		if down[w.Connection] {
			continue
		}
		f := Finding{What: "write to " + w.Name()}
		s, err := p.sink(ctx)
		var narrow []string
		if err == nil {
			f.Note = fmt.Sprintf("%d fields", len(w.Fields))
			problems, less, checkErr := s.Writings[i].Check(ctx)
			narrow = less
			var placed fault.Problems
			placed.Under(fmt.Sprintf("write[%d].fields", i), problems)
			err = errors.Join(checkErr, p.cfg.Place(placed))
		}
		f.Err = err
		fs = append(fs, f)
		for _, n := range narrow {
			fs = append(fs, Finding{What: f.What, Note: "warning: " + n})
		}
	}
	if c := p.cfg.Tasks.Connection; c != "" && !down[c] {
		fs = append(fs, p.checkTasks(ctx))
	}
	return fs
}
