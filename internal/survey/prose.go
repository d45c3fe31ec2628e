package survey

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/mapping/freetext"
)

// prose is what the texts of a column tell, read by the words of phrases.yaml. Shares are of the rows with a text.
type prose struct {
	column  int
	rows    int
	kind    float64                   // tell a kind of a contact that was held
	several float64                   // tell of several such contacts
	unheld  float64                   // tell of contacts that are all planned or called off
	acted   float64                   // tell whose act it was
	timed   float64                   // tell a time of day
	titled  float64                   // name somebody with a title
	firm    float64                   // name a company
	kinds   map[string]int            // kind of the first contact → texts
	cues    map[string]int            // cue → texts
	words   map[string]map[string]int // list of phrases.yaml → word → texts
}

// What the texts have to tell for the mapping to go by them.
const (
	textsTellKinds  = 0.3
	textsTellMore   = 0.1  // several contacts in one row; titles; companies of others
	textsTellTimes  = 0.2  //
	textsTellCues   = 0.01 //
	leastTextLength = 6    // characters in the mean: shorter values are words, not texts
)

// readProse finds the column whose texts tell most of contacts; nil when none tells anything.
func (s *surveyor) readProse() *prose {
	if s.env.Texts == nil {
		return nil
	}
	var best *prose
	for i, v := range s.values {
		if g := s.item.Columns[i].Guess; g != nil && g.Role != Memo && g.Role != Subject && g.Role != Result && g.Role != None ||
			v.types["text"] == 0 || v.types["list"] > 0 || v.length < leastTextLength || v.date+v.both+v.clock > 0.3 || v.mail > 0.3 || v.code > 0.5 {
			continue
		}
		p := s.readColumn(i)
		if g := s.item.Columns[i].Guess; g != nil && g.Role == Memo {
			p.kind += 0.05 // of two that tell as much, the report's text
		}
		if best == nil || p.kind > best.kind {
			best = p
		}
	}
	if i, ok := s.role[Memo]; ok && best != nil {
		if best.column == i {
			best.kind -= 0.05
		}
	}
	if best == nil || best.kind+best.titled == 0 && len(best.cues) == 0 {
		return nil
	}
	return best
}

// readColumn reads the texts of column i.
func (s *surveyor) readColumn(i int) *prose {
	p := &prose{column: i, kinds: map[string]int{}, cues: map[string]int{}, words: map[string]map[string]int{}}
	var kind, several, unheld, acted, timed, titled, firm int
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	for _, row := range s.sample.Rows {
		text := textOf(row[i])
		if text == "" {
			continue
		}
		p.rows++
		var held []freetext.Contact
		told := 0
		for _, c := range s.env.Texts.Read(text) {
			if c.Kind != "" {
				told++
			}
			if c.Status == freetext.Held {
				held = append(held, c)
			}
		}
		is := func(yes func(freetext.Contact) bool) bool { return slices.ContainsFunc(held, yes) }
		kinded := slices.DeleteFunc(slices.Clone(held), func(c freetext.Contact) bool { return c.Kind == "" })
		count(&kind, len(kinded) > 0)
		count(&several, len(kinded) > 1)
		count(&unheld, told > 0 && len(kinded) == 0)
		count(&acted, is(func(c freetext.Contact) bool { return c.Direction != "" }))
		count(&timed, is(func(c freetext.Contact) bool { return c.Time != "" }))
		count(&firm, is(func(c freetext.Contact) bool { return c.Company != "" }))
		count(&titled, is(func(c freetext.Contact) bool {
			return slices.ContainsFunc(c.People, func(p freetext.Person) bool { return p.Title != "" })
		}))
		if len(kinded) > 0 {
			p.kinds[kinded[0].Kind]++
		}
		p.note(held)
	}
	share := func(n int) float64 { return float64(n) / float64(max(p.rows, 1)) }
	p.kind, p.several, p.unheld, p.acted = share(kind), share(several), share(unheld), share(acted)
	p.timed, p.titled, p.firm = share(timed), share(titled), share(firm)
	return p
}

// note counts a text's cues, and the words that it goes by.
func (p *prose) note(held []freetext.Contact) {
	cues, words := map[string]bool{}, map[freetext.Hit]bool{}
	for _, c := range held {
		for _, cue := range c.Cues {
			cues[cue] = true
		}
		for _, h := range c.Hits {
			words[h] = true
		}
	}
	for cue := range cues {
		p.cues[cue]++
	}
	for h := range words {
		if p.words[h.List] == nil {
			p.words[h.List] = map[string]int{}
		}
		p.words[h.List][h.Word]++
	}
}

// commonest gives the words of the lists that begin with prefix, and how many texts have them: "訪問 41, 電話 12".
func (p *prose) commonest(prefix string) string {
	counts := map[string]int{}
	for list, words := range p.words {
		if strings.HasPrefix(list, prefix) {
			for w, n := range words {
				counts[w] += n
			}
		}
	}
	var out []string
	for _, w := range commonest(counts, 4) {
		out = append(out, fmt.Sprint(w, " ", counts[w]))
	}
	return strings.Join(out, ", ")
}

// byText tells that the mapping goes by the texts for how the customer was met, since no column of its own says it.
func (s *surveyor) byText() bool {
	i, ok := s.role[Kind]
	return s.prose != nil && s.prose.kind >= textsTellKinds && (!ok || len(s.values[i].order) > mostWords)
}

// told is how an expression has what the text tells: kind_in(memo), or item.kind of one of several contacts.
func (p *proposing) told(what string) string {
	if p.each {
		return "item." + what
	}
	return what + "_in(" + p.ref(p.prose.column) + ")"
}

// listed is a list that the text gives. Lists name their column as it is.
func (p *proposing) listed(function string) string {
	p.ref(p.prose.column)
	return function + "(" + p.name(p.prose.column) + ")"
}

// textSays is the reason of a line that goes by the texts.
func (p *proposing) textSays(share float64, words string) string {
	reason := p.text.f("%s of the texts in %s tell it", "%[2]sの文の%[1]sから読み取れる", p.text.percent(share), p.name(p.prose.column))
	if words != "" {
		reason += ": " + words
	}
	return reason
}

// sureOf is how sure a line is that goes by texts of which that share tells.
func sureOf(share float64) float64 { return min(0.85, 0.4+0.5*share) }

// contacts begins the activity of a text of several contacts, and leaves out what was not held.
func (p *proposing) contacts() {
	if !p.byText() {
		return
	}
	if p.prose.several >= textsTellMore {
		reason := p.textSays(p.prose.several, p.text.of("several contacts in one text", "1つの文に複数の接触"))
		p.set("each", p.listed("contacts_in"), sureOf(p.prose.kind), reason)
		p.set("when", `item.status == "held"`, sureOf(p.prose.kind), p.text.of("what was only planned or called off does not count", "予定や中止は数えない"))
		p.each = true
		return
	}
	if p.prose.unheld > 0 {
		condition := "status_in(" + p.ref(p.prose.column) + `) in ["planned", "cancelled"]`
		reason := p.text.f("%s of the texts tell only of what is planned or was called off", "%sの文が予定または中止だけを述べる", p.text.percent(p.prose.unheld))
		p.skip = append(p.skip, fmt.Sprintf("  - {when: %s, reason: not held} %s", scalar(condition), p.because(sureOf(p.prose.kind), reason)))
		p.out.Lines = append(p.out.Lines, Line{"skip", condition, sureOf(p.prose.kind), reason})
	}
}

// kindByText is how the customer was met, and whose act it was, by the texts.
func (p *proposing) kindByText() {
	expression, reason := p.told("kind"), p.textSays(p.prose.kind, p.prose.commonest("kinds."))
	if kind, name := p.kindOfNames(Date, Time); kind != "" {
		expression += " ?? " + quoted(kind)
		reason += p.text.f("; the others are taken for what the name %q says", "；他は名前「%s」から", name)
	} else if p.prose.kind+p.prose.unheld < 1 {
		reason += p.text.of("; the others are rejected", "；他は保留になる")
	}
	p.set("kind", expression, sureOf(p.prose.kind), reason)
	if p.prose.acted > 0 {
		p.set("direction", p.told("direction"), sureOf(p.prose.kind), p.textSays(p.prose.acted, ""))
	}
}

// timeByText is the time of day that texts tell, where no column does; "" when too few do.
func (p *proposing) timeByText() string {
	if p.prose == nil || p.prose.timed < textsTellTimes {
		return ""
	}
	return p.told("time")
}

// firmByText finds the customer by the company that a text names: of several contacts each its own, with the
// row's customer for those that name none. way "" is no other way.
func (p *proposing) firmByText(way string) string {
	switch {
	case p.prose == nil || !p.hasKey(engine.Account, "name") || way != "" && (!p.each || p.prose.firm < textsTellMore) || p.prose.firm == 0:
		return way
	case way == "" && p.each:
		return `find("account", "name", company(item.company))`
	case way == "":
		return `find("account", "name", company(company_in(` + p.ref(p.prose.column) + ")))"
	}
	return `item.company == null ? (` + way + `) : find("account", "name", company(item.company))`
}

// peopleByText are the people whom the texts name with their titles, where no column tells a title.
func (p *proposing) peopleByText() {
	if p.prose == nil || p.prose.titled < textsTellMore {
		return
	}
	list := "item.people"
	if !p.each {
		list = p.listed("people_in")
	}
	reason := p.textSays(p.prose.titled, "")
	p.people = append(p.people, "each: "+scalar(list)+" "+p.because(sureOf(p.prose.titled), reason), "title: item.title")
	p.out.Lines = append(p.out.Lines, Line{"activity.participants.each", list, sureOf(p.prose.titled), reason})
}

// cues are what was said in the contact, by the texts.
func (p *proposing) cues() {
	if p.prose == nil {
		return
	}
	var lines []string
	for _, cue := range slices.Sorted(maps.Keys(p.prose.cues)) {
		n := p.prose.cues[cue]
		if share := float64(n) / float64(p.prose.rows); share >= textsTellCues {
			expression := fmt.Sprintf("cue_in(%s, %s)", quoted(cue), p.ref(p.prose.column))
			if p.each {
				expression = quoted(cue) + " in item.cues"
			}
			reason := p.textSays(share, p.prose.commonest("cues."+cue))
			lines = append(lines, fmt.Sprintf("    %s: %s %s", cue, scalar(expression), p.because(0.7, reason)))
			p.out.Lines = append(p.out.Lines, Line{"activity.cues." + cue, expression, 0.7, reason})
		}
	}
	if len(lines) > 0 {
		p.fields = append(p.fields, "  cues:")
		p.fields = append(p.fields, lines...)
	}
}

// exampleText is a made-up text that tells the commonest kind, and a company where the mapping finds the customer
// by it; "" when the words do not make one.
func (p *proposing) exampleText() (text, kind string) {
	kinds := slices.SortedFunc(maps.Keys(p.prose.kinds), func(a, b string) int {
		return cmp.Or(p.prose.kinds[b]-p.prose.kinds[a], strings.Compare(a, b))
	})
	for _, kind := range kinds {
		words := p.prose.words["kinds."+kind]
		for _, word := range commonest(words, len(words)) {
			text := strings.TrimSuffix(word, "*")
			if p.customer.text {
				text = "株式会社" + exampleFirm + " " + text
			}
			read := p.env.Texts.Read(text)
			if len(read) == 1 && read[0].Kind == kind && read[0].Status == freetext.Held && (read[0].Company != "") == p.customer.text {
				return text, kind
			}
		}
	}
	return "", ""
}
