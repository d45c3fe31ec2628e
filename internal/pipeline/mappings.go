package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/store"
	"energyd/mapping"
)

// Mapping compiles one mapping file as the configuration has its sources';
// cfg nil compiles it by the built-in titles and phrases, without a points table. The error is config.Errors.
func Mapping(cfg *config.Config, file string) (*mapping.Mapping, error) {
	if cfg == nil {
		titles, err := config.LoadTitles("", nil)
		if err != nil {
			return nil, err
		}
		phrases, err := config.LoadPhrases("", nil, nil)
		if err != nil {
			return nil, err
		}
		return config.LoadMapping(file, mapping.Env{Titles: titles, Phrases: phrases})
	}
	p := Pipeline{cfg: cfg}
	var err error
	if p.table, err = config.LoadPoints(cfg.Points); err != nil {
		return nil, err
	}
	if p.points, err = engine.Compile(p.table); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Points, err)
	}
	env, err := p.environment()
	if err != nil {
		return nil, err
	}
	env.File = file
	if i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return s.Mapping == file }); i >= 0 {
		env.Source = cfg.Sources[i].Name
	}
	return config.LoadMapping(file, env)
}

// Coverage is what of a source falls through its mapping.
type Coverage struct {
	Source  string                     `json:"source"`
	Read    int                        `json:"read"`
	Used    int                        `json:"used"` // records that become contacts or entries of the directory
	Skips   map[string]int             `json:"skips,omitempty"`
	Words   map[string]map[string]Seen `json:"unmapped_words,omitempty"` // by word list
	Titles  map[string]Seen            `json:"unknown_titles,omitempty"`
	Unfound map[string]int             `json:"unfound,omitempty"` // customers, people, deals and reps that the CRM does not know
	Rejects map[string]RejectedAs      `json:"rejects,omitempty"` // by code
	More    bool                       `json:"more,omitempty"`    // there are further records after the limit
}

// Seen is how often a word came, and where first.
type Seen struct {
	Records int    `json:"records"`
	Example string `json:"example"` // the record
}

// saw counts a word of a record, as long as there is room for it.
func saw(words map[string]Seen, word string, rec *connectors.Record) {
	if word == "" || words[word].Records == 0 && len(words) == most {
		return
	}
	seen := words[word]
	if seen.Records++; seen.Records == 1 {
		seen.Example = cmp.Or(rec.Origin, rec.Key)
	}
	words[word] = seen
}

// RejectedAs counts rejects of one code.
type RejectedAs struct {
	Count   int    `json:"count"`
	Example string `json:"example"` // the reason of the first
	Where   string `json:"where"`   // the record of the first
}

// Coverage reads a source from its beginning, maps its records, and tells which
// values fall through. It stores nothing. limit 0 reads all. What is looked up is
// the directory as it is stored. Faults: config (no such source), and what the source gives.
func (p *Pipeline) Coverage(ctx context.Context, name string, limit int) (c Coverage, err error) {
	sources, err := p.sources([]string{name})
	if err != nil {
		return c, err
	}
	src := sources[0]
	defer p.countCalls(ctx)
	known, err := p.store.Directory(ctx)
	if err != nil {
		return c, err
	}
	directory, err := p.matching(ctx, p.mappings[name], known, p.store.Profiles, known.Change())
	if err != nil {
		return c, err
	}
	erased, err := p.store.Erased(ctx)
	if err != nil {
		return c, err
	}
	conn, err := p.conn(ctx, src.Connection)
	if err != nil {
		return c, err
	}
	source, err := conn.Source(ctx, src.Stream)
	if err != nil {
		return c, err
	}
	defer source.Close()
	c = Coverage{Source: name, Skips: map[string]int{}, Words: map[string]map[string]Seen{}, Titles: map[string]Seen{}, Unfound: map[string]int{}, Rejects: map[string]RejectedAs{}}
	m := mapper{Mapping: p.mappings[name], source: name, at: p.opt.Now(), directory: directory, erased: erased,
		report: &SourceReport{Skips: c.Skips, Unfound: c.Unfound}}
	var rec *connectors.Record // at hand
	m.misses = func(list, word string) {
		if c.Words[list] == nil {
			c.Words[list] = map[string]Seen{}
		}
		saw(c.Words[list], cmp.Or(word, `""`), rec)
	}
	for after := connectors.Cursor(""); ; {
		n := batchSize
		if limit > 0 {
			n = min(n, limit-c.Read)
		}
		b, err := source.Read(ctx, after, n)
		if err != nil {
			return c, err
		}
		c.batch(&m, b, &rec)
		if after = b.Next; !b.More || limit > 0 && c.Read >= limit {
			c.More = b.More
			return c, nil
		}
	}
}

func (c *Coverage) batch(m *mapper, b connectors.Batch, at **connectors.Record) {
	out := store.Batch{Rejects: b.Rejects}
	m.withoutErased(&out)
	c.Read += out.Skipped
	for reason, n := range b.Skipped {
		c.Read += n
		c.Skips[reason] += n
	}
	for i := range out.Rejects {
		c.Read++
		c.reject(&out.Rejects[i])
	}
	for i := range b.Records {
		rec := &b.Records[i]
		*at = rec
		c.Read++
		res, reject := m.record(*rec, m.at)
		if reject != nil {
			c.reject(reject)
			continue
		}
		count(c.Unfound, res.Unfound)
		saw(c.Titles, res.UnknownTitle, rec)
		if res.Skip != "" {
			c.Skips[res.Skip]++
			continue
		}
		c.Used++
	}
}

func (c *Coverage) reject(r *connectors.Reject) {
	known, again := c.Rejects[r.Code]
	if !again {
		known.Example, known.Where = r.Reason, r.Origin
		if known.Where == "" {
			known.Where = r.Key
		}
	}
	known.Count++
	c.Rejects[r.Code] = known
}

// Problems joins what is wrong in several mapping files, so that a person mends them in one go; others end at once.
func Problems(errs []error) error {
	var all config.Errors
	for _, err := range errs {
		var located config.Errors
		if !errors.As(err, &located) {
			return err
		}
		for _, p := range located {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b config.Problem) int { return strings.Compare(a.File, b.File) })
	return all
}
