package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/survey"
)

// SurveyOptions bound a survey.
type SurveyOptions struct {
	Items []string      // names; nil = those with the most rows
	Rows  int           // looked at of each item, about
	Limit time.Duration // of each item
	Words string        // file of further words; "" = the built-in ones alone
}

// Survey is what a connection offers.
type Survey struct {
	Connection string            `json:"connection"`
	Type       string            `json:"type"`     // "sql"
	Language   string            `json:"language"` // of all texts
	On         time.Time         `json:"on"`
	Directory  bool              `json:"directory"` // the CRM's records were there to compare with
	Items      []*survey.Item    `json:"items"`
	Others     []connectors.Item `json:"others"` // listed, not looked at
	Calls      int               `json:"calls"`  // of the source's budget
}

// mostItems are looked at when none is named.
const mostItems = 40

// Survey looks at what a connection offers and proposes mappings. It reads
// little of the source and changes nothing. An item that cannot be looked at
// in its time is told, and the others go on.
func (p *Pipeline) Survey(ctx context.Context, connection string, opt SurveyOptions) (*Survey, error) {
	env, err := p.surveyEnv(ctx, opt.Words)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(p.cfg.Connections, func(c config.Connection) bool { return c.Name == connection })
	if i < 0 {
		names := make([]string, len(p.cfg.Connections))
		for i, c := range p.cfg.Connections {
			names[i] = c.Name
		}
		return nil, fault.New(fault.Config, "survey", fmt.Sprintf("there is no connection %q%s", connection, fault.DidYouMean(connection, names)),
			"the connections of energyd.yaml are "+strings.Join(names, ", "), nil)
	}
	conn, err := p.conn(ctx, connection)
	if err != nil {
		return nil, err
	}
	defer p.countCalls(ctx)
	surveyor, ok := conn.(connectors.Surveyor)
	if !ok {
		return nil, fault.New(fault.Config, connection, "connections of type "+p.cfg.Connections[i].Connector.Name+" cannot be surveyed", "", nil)
	}
	items, err := surveyor.Items(ctx)
	if err != nil {
		return nil, err
	}
	out := &Survey{Connection: connection, Type: p.cfg.Connections[i].Connector.Name, Language: env.Language, On: p.opt.Now(), Directory: env.Find != nil, Items: []*survey.Item{}}
	chosen, others, err := choose(connection, items, opt.Items)
	if err != nil {
		return nil, err
	}
	out.Others = others
	from := survey.Source{Connection: connection, Surveyor: surveyor, Same: func(item connectors.Item) string { return p.reads(connection, item) }}
	for _, s := range p.cfg.Sources {
		from.Taken = append(from.Taken, s.Name)
	}
	for _, item := range chosen {
		found, err := lookAt(ctx, env, from, item, opt)
		if err != nil {
			return nil, err
		}
		if found.Proposal != nil {
			from.Taken = append(from.Taken, found.Proposal.Name)
		}
		out.Items = append(out.Items, found)
	}
	if b, ok := conn.(connectors.Budgeter); ok {
		out.Calls = b.Usage().Run
	}
	// Contacts first: they are what is looked for.
	slices.SortStableFunc(out.Items, func(a, b *survey.Item) int {
		if a.Purpose != b.Purpose && (a.Purpose == survey.Contacts || b.Purpose == survey.Contacts) {
			if a.Purpose == survey.Contacts {
				return -1
			}
			return 1
		}
		if a.Purpose == survey.Contacts {
			return cmp.Compare(b.Weight(), a.Weight())
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out, nil
}

// reads names the source of the configuration that reads an item of the connection; "" when none does.
func (p *Pipeline) reads(connection string, item connectors.Item) string {
	for _, s := range p.cfg.Sources {
		if r, ok := s.Stream.(interface{ Reads(connectors.Item) bool }); ok && s.Connection == connection && r.Reads(item) {
			return s.Name
		}
	}
	return ""
}

// choose gives the items to look at, in the order in which they are named.
func choose(connection string, items []connectors.Item, named []string) (chosen, others []connectors.Item, err error) {
	others = []connectors.Item{}
	if len(named) > 0 {
		names := make([]string, len(items))
		for i, item := range items {
			names[i] = item.Name
		}
		for _, name := range named {
			i := slices.IndexFunc(items, func(item connectors.Item) bool { return item.Name == name })
			if i < 0 {
				i = slices.IndexFunc(items, func(item connectors.Item) bool { return strings.EqualFold(item.Name, name) })
			}
			if i < 0 {
				return nil, nil, fault.New(fault.Config, connection, fmt.Sprintf("it has nothing named %q, or no right to it%s", name, fault.DidYouMean(name, names)),
					"energyd survey "+connection+" lists what there is", nil)
			}
			chosen = append(chosen, items[i])
		}
		return chosen, others, nil
	}
	for _, item := range items {
		if item.Rows == 0 && !item.Estimated {
			others = append(others, item)
			continue
		}
		chosen = append(chosen, item)
	}
	slices.SortStableFunc(chosen, func(a, b connectors.Item) int { return cmp.Compare(b.Rows, a.Rows) })
	if len(chosen) > mostItems {
		others = append(others, chosen[mostItems:]...)
		chosen = chosen[:mostItems]
	}
	return chosen, others, nil
}

// lookAt samples one item within its time. What goes wrong with it alone is told in it.
func lookAt(ctx context.Context, env *survey.Env, from survey.Source, item connectors.Item, opt SurveyOptions) (*survey.Item, error) {
	limited, cancel := context.WithTimeout(ctx, opt.Limit)
	defer cancel()
	sample, err := from.Surveyor.Sample(limited, item, opt.Rows)
	switch {
	case err == nil:
		return survey.Look(env, from, &sample), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("no answer within %s: %w", opt.Limit, err)
	case fault.KindOf(err) == fault.Quota || fault.KindOf(err) == fault.RateLimited:
		return nil, err
	}
	text := err.Error()
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		text += "; " + f.Hint
	}
	return &survey.Item{Item: item, Purpose: survey.Other, Columns: []survey.Column{}, Advice: []survey.Advice{}, Err: text}, nil
}

// surveyEnv is what the configuration and the store know that helps.
func (p *Pipeline) surveyEnv(ctx context.Context, words string) (*survey.Env, error) {
	lexicon, err := config.LoadSurveyWords(words)
	if err != nil {
		return nil, err
	}
	titles, err := config.LoadTitles(p.cfg.Titles, p.points.Ranks())
	if err != nil {
		return nil, err
	}
	phrases, err := config.LoadPhrases(p.cfg.Phrases, p.points.Kinds(), p.points.Cues())
	if err != nil {
		return nil, err
	}
	env := &survey.Env{Lexicon: lexicon, Titles: titles, Texts: phrases, Kinds: p.points.Kinds(), Language: p.cfg.Language,
		Zone: cmp.Or(p.cfg.Zone, p.table.Timezone, "UTC"), Today: p.opt.Now(), Keys: p.keys()}
	directory, err := p.store.Directory(ctx)
	if err != nil {
		return nil, err
	}
	if directory.Change() > 0 {
		env.Find = func(kind engine.EntityKind, key, value string) bool {
			_, ok := directory.Find(kind, key, value)
			return ok
		}
	}
	return env, nil
}
