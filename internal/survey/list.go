package survey

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// people is a column that holds a list of the people of each contact, as JSON does.
type people struct {
	column      int
	title, mail string  // names of the elements' fields; "" = they have none
	share       float64 // of the elements, with a title or an address
}

// readLists finds the column that holds lists of people: objects of which a field holds titles or addresses.
func (s *surveyor) readLists() *people {
	var best *people
	for i, v := range s.values {
		if v.types["list"] == 0 {
			continue
		}
		elements := 0
		titles, mails := map[string]int{}, map[string]int{}
		for _, row := range s.sample.Rows {
			list, _ := row[i].([]any)
			for _, e := range list {
				object, _ := e.(map[string]any)
				elements++
				for field, x := range object {
					text := norm.NFKC.String(textOf(x))
					if rank, ok := s.titles.Rank(text); ok && rank != "" {
						titles[field]++
					}
					if mailForm.MatchString(text) {
						mails[field]++
					}
				}
			}
		}
		p := &people{column: i}
		take := func(counts map[string]int) string {
			for _, field := range slices.Sorted(maps.Keys(counts)) {
				if share := float64(counts[field]) / float64(elements); share > 0.4 && plainName.MatchString(field) && !slices.Contains(reserved, field) {
					p.share = max(p.share, share)
					return field
				}
			}
			return ""
		}
		if p.title, p.mail = take(titles), take(mails); p.share > 0 && (best == nil || p.share > best.share) {
			best = p
		}
	}
	if best != nil {
		s.item.Columns[best.column].Guess = &Guess{Role: ContactName, Confidence: min(0.9, 0.3+0.6*best.share),
			Reason: s.text.f("a list of people; %s of them have %s", "人の一覧。%sに%sがある", s.text.percent(best.share), strings.Trim(best.title+", "+best.mail, ", "))}
	}
	return best
}

// peopleOfList are the people of a column that lists them.
func (p *proposing) peopleOfList() {
	list := p.list
	g := p.guessed(list.column)
	p.ref(list.column)
	add := func(field, expression string) {
		p.people = append(p.people, fmt.Sprintf("%s: %s %s", field, scalar(expression), p.because(g.Confidence, g.Reason)))
		p.out.Lines = append(p.out.Lines, Line{"activity.participants." + field, expression, g.Confidence, g.Reason})
	}
	add("each", p.name(list.column))
	if list.mail != "" {
		add("contact", `find("contact", "email", lower(item.`+list.mail+"))")
	}
	if list.title != "" {
		add("title", "item."+list.title)
	}
}
