package survey

import (
	"fmt"
	"slices"
	"strings"

	"energyd/mapping"
)

// kind is how the customer was met: the column's words one by one, else what the item's and the columns' names say.
func (p *proposing) kind() {
	if p.byText() {
		p.kindByText()
		return
	}
	i, ok := p.has(Kind)
	if !ok || len(p.values[i].order) > mostWords {
		p.kindByName()
		p.direction()
		return
	}
	g, v := p.guessed(i), p.values[i]
	open, openRows := 0, 0
	for _, word := range v.codes() {
		w := p.word(v, word)
		p.out.Words = append(p.out.Words, w)
		if w.Kind == "" {
			open++
			openRows += w.Count
			p.words = append(p.words, fmt.Sprintf("    # %s: TODO # %d; %s%s", key(word), w.Count, said(w.Says),
				p.text.of("which kind is it? Until a line says so, its rows are rejected", "どの接触方法か。書くまでこの語の行は保留になる")))
			continue
		}
		note := ""
		if w.Says != "" {
			note = "; " + oneLine(w.Says)
		}
		if !w.Whole {
			note = p.text.of("; guessed by a part of it", "；語の一部からの推定")
		}
		p.words = append(p.words, fmt.Sprintf("    %s: %s # %d%s", key(word), w.Kind, w.Count, note))
		if w.Act != "" {
			p.acts = append(p.acts, fmt.Sprintf("    %s: %s # %d", key(word), w.Act, w.Count))
		}
	}
	if open == len(p.out.Words) { // a list needs a line
		p.out.missing = true
		p.words = append(p.words, "    "+quoted("TODO")+": "+p.someKind()+" # "+p.text.of("an example; no row has this word", "記入例（この語の行はない）"))
	}
	reason := g.Reason
	if open > 0 {
		reason += p.text.f("; words that are not known: %d of %d, rows with them: %d", "；%d/%d語が未対応(%d行)", open, len(p.out.Words), openRows)
	}
	expression := `lookup("kinds", ` + p.ref(i) + ")"
	if r, ok := p.has(Result); ok && slices.Contains(p.env.Kinds, "attempt") && r != i {
		var nobody []string
		for _, word := range commonest(p.values[r].counts, 30) {
			if meaning, _, exact := p.lexicon.kinds.of(p.values[r].says(word)); meaning == "attempt" && exact {
				nobody = append(nobody, p.literal(r, word))
			}
		}
		if len(nobody) > 0 {
			expression = fmt.Sprintf(`%s in [%s] ? "attempt" : %s`, p.ref(r), strings.Join(nobody, ", "), expression)
			reason += p.text.f("; nobody was reached where %s says so", "；%sが不在の行は試みとする", p.name(r))
		}
	}
	p.set("kind", expression, g.Confidence, reason)
	p.direction()
}

// word tells what a value of the column of kinds means.
func (p *proposing) word(v *values, word string) Word {
	w := Word{Word: word, Count: v.counts[word]}
	if says := v.says(word); says != word {
		word, w.Says = says, says
	}
	w.Kind, _, w.Whole = p.lexicon.kinds.of(word)
	if !slices.Contains(p.env.Kinds, w.Kind) { // no kind of this points table
		w.Kind = ""
	}
	w.Act, _, _ = p.lexicon.directions.of(word)
	if w.Kind == "" || w.Act == "mutual" || w.Kind == "visit" && w.Act == "outbound" {
		w.Act = ""
	}
	return w
}

// direction is whose act it was: by a column of its own, else by the words of the kinds.
func (p *proposing) direction() {
	if i, ok := p.has(Direction); ok {
		g := p.guessed(i)
		var acts []string
		for _, word := range commonest(p.values[i].counts, 20) {
			if act, _, _ := p.lexicon.directions.of(p.values[i].says(word)); act != "" {
				acts = append(acts, fmt.Sprintf("    %s: %s # %d", key(word), act, p.values[i].counts[word]))
			}
		}
		if len(acts) > 0 {
			p.acts = acts
			p.set("direction", `lookup("directions", `+p.ref(i)+`, "mutual")`, g.Confidence, g.Reason)
			return
		}
	}
	if i, ok := p.has(Kind); ok && len(p.acts) > 0 {
		p.set("direction", `lookup("directions", `+p.ref(i)+`, "mutual")`, p.guessed(i).Confidence,
			p.text.of("some words of the kinds tell whose act it was", "接触方法の語の一部がどちらからかを表す"))
	}
}

// kindByName takes one kind for all rows, where the names of the item or of its columns say one.
func (p *proposing) kindByName() {
	if kind, name := p.kindOfNames(Date, Time, ContactName, AccountName, Memo, EndTime, Minutes, Subject); kind != "" {
		p.set("kind", quoted(kind), 0.5, p.text.f("no column tells how; the name %q does, so all rows are taken for that", "接触方法の列がない。名前「%s」から全行をこれとする", name))
		return
	}
	p.set("kind", quoted(p.someKind()), 0.2, p.text.of("TODO: no column tells how the customer was met; all rows are taken for this", "TODO: 接触方法の列がない。全行をこれとする"))
}

// kindOfNames is the kind that the name of the item or of a column says, and that name; "" when none does.
func (p *proposing) kindOfNames(columns ...Role) (kind, name string) {
	names := []string{p.item.Name, p.item.Label}
	for _, r := range columns {
		if i, ok := p.has(r); ok {
			names = append(names, p.name(i))
		}
	}
	for _, name := range names {
		for _, word := range append(pieces(name), mapping.Squeeze(name)) {
			if kind, _, exact := p.lexicon.kinds.of(word); kind != "" && (kind != "mail" || exact) && slices.Contains(p.env.Kinds, kind) {
				return kind, name
			}
		}
	}
	return "", ""
}

// someKind is the kind that daily reports mostly mean.
func (p *proposing) someKind() string {
	if slices.Contains(p.env.Kinds, "visit") || len(p.env.Kinds) == 0 {
		return "visit"
	}
	return p.env.Kinds[0]
}
