package pipeline

import (
	"context"
	"fmt"
	"strings"

	"energyd/internal/store"
)

// SourceQuality is how good one source's records are: what energyd quality shows and what metrics tell.
type SourceQuality struct {
	store.Quality
	Measures []Measure      `json:"measures"`         // none before the first measuring
	Before   *store.Quality `json:"before,omitempty"` // what the measuring before it found
	Words    []Unknown      `json:"unmapped_words,omitempty"`
	Titles   []Unknown      `json:"unknown_titles,omitempty"`
}

// Unknown is a word that nobody mapped or ranked.
type Unknown struct {
	Word    string `json:"word"` // a title; of kinds and lists what the mapping said of it
	Records int    `json:"records"`
	Example string `json:"example,omitempty"` // key of a record that has it
}

// Quality gives the quality of the configured sources, or of one; without those of which nothing was measured or counted yet.
func (p *Pipeline) Quality(ctx context.Context, only string) ([]SourceQuality, error) {
	reasons, err := p.store.RejectReasons(ctx, "kind", "lookup")
	if err != nil {
		return nil, err
	}
	unfound, err := p.store.Unfound(ctx)
	if err != nil {
		return nil, err
	}
	var list []SourceQuality
	for _, src := range p.cfg.Sources {
		if only != "" && src.Name != only {
			continue
		}
		var q SourceQuality
		kept, err := p.store.Quality(ctx, src.Name)
		if err != nil {
			return nil, err
		}
		if len(kept) > 0 {
			q.Quality, q.Measures = kept[0], Measures(kept[0])
		}
		if len(kept) > 1 {
			q.Before = &kept[1]
		}
		q.Source = src.Name
		for _, r := range reasons {
			if r.Source == src.Name {
				what, _, _ := strings.Cut(r.Reason, ";") // behind it stands what to do
				q.Words = append(q.Words, Unknown{what, r.Count, r.Key})
			}
		}
		for _, u := range unfound {
			if title, ok := strings.CutPrefix(u.What, titleWord); ok && u.Source == src.Name {
				q.Titles = append(q.Titles, Unknown{title, u.Records, q.Examples[title]})
			}
		}
		if q.Measures != nil || q.Words != nil || q.Titles != nil {
			list = append(list, q)
		}
	}
	return list, nil
}

// Line says in a few words what is to be looked at.
func (q *SourceQuality) Line() string {
	var said []string
	for _, m := range q.Measures {
		if m.Warn {
			said = append(said, fmt.Sprintf("%.0f %% %s", 100*m.Share, m.Label.En))
		}
	}
	if len(q.Words) > 0 {
		said = append(said, fmt.Sprintf("words not in the mapping: %d", len(q.Words)))
	}
	if len(q.Titles) > 0 {
		said = append(said, fmt.Sprintf("titles without a rank: %d", len(q.Titles)))
	}
	if len(said) == 0 {
		return fmt.Sprintf("%s: nothing to mend in %d activities", q.Source, q.Activities)
	}
	return fmt.Sprintf("%s: %s; energyd quality %[1]s shows more", q.Source, strings.Join(said, ", "))
}

// qualityLines has a line for each source that was measured.
func (p *Pipeline) qualityLines(ctx context.Context) ([]string, error) {
	list, err := p.Quality(ctx, "")
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].Line()
	}
	return lines, err
}

// titleWord begins what is not known when it is a title.
const titleWord = "title "
