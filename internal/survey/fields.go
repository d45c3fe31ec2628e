package survey

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/mapping"
)

// statuses leaves out drafts and what is deleted, and tells what did not happen (yet).
func (p *proposing) statuses() {
	if i, ok := p.has(Deleted); ok {
		if condition := p.yes(i); condition != "" {
			p.skip = append(p.skip, fmt.Sprintf("  - {when: %s, reason: deleted} %s", scalar(condition), p.because(p.guessed(i).Confidence, p.guessed(i).Reason)))
			p.out.Lines = append(p.out.Lines, Line{"skip", condition, p.guessed(i).Confidence, p.guessed(i).Reason})
		}
	}
	i, ok := p.has(Status)
	if !ok || len(p.values[i].order) > 30 {
		return
	}
	g := p.guessed(i)
	var drafts, states []string
	for _, word := range commonest(p.values[i].counts, mostWords) {
		switch meaning, _, _ := p.lexicon.statuses.of(p.values[i].says(word)); meaning {
		case "draft":
			drafts = append(drafts, p.literal(i, word))
		case "planned", "cancelled":
			states = append(states, fmt.Sprintf("    %s: %s # %d", key(word), meaning, p.values[i].counts[word]))
		}
	}
	if len(drafts) > 0 {
		condition := p.ref(i) + " in [" + strings.Join(drafts, ", ") + "]"
		p.skip = append(p.skip, fmt.Sprintf("  - {when: %s, reason: draft} %s", scalar(condition), p.because(g.Confidence, g.Reason)))
		p.out.Lines = append(p.out.Lines, Line{"skip", condition, g.Confidence, g.Reason})
	}
	if p.states = states; len(states) > 0 {
		p.set("status", `lookup("statuses", `+p.ref(i)+`, "held")`, g.Confidence, g.Reason)
	}
}

// literal is how an expression writes a value of column i.
func (p *proposing) literal(i int, value string) string {
	if p.values[i].types["number"] > 0 {
		return value
	}
	return quoted(value)
}

// yes is the condition that a flag is set; "" when none of its values says so.
func (p *proposing) yes(i int) string {
	v := p.values[i]
	switch {
	case v.filled == 0:
		return ""
	case v.types["bool"] > 0:
		return p.ref(i)
	case v.date+v.both > 0.5:
		return p.ref(i) + ` != ""`
	}
	var words []string
	codes := v.codes()
	for _, w := range codes[:min(len(codes), 10)] {
		if p.lexicon.yes[mapping.Squeeze(v.says(w))] {
			if v.types["number"] > 0 {
				return p.ref(i) + " == " + w
			}
			words = append(words, quoted(w))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return p.ref(i) + " in [" + strings.Join(words, ", ") + "]"
}

// when is the day, and the time of day where one is told.
func (p *proposing) when() {
	i, ok := p.has(Date)
	if !ok {
		p.out.missing = true
		p.set("at", "null", 0, p.text.of("TODO: no column tells when it was; until one is named here, every row is rejected", "TODO: いつのことか分かる列がない。ここに書くまで全行が保留になる"))
		return
	}
	g := p.guessed(i)
	if j, ok := p.has(Time); ok && j != i && p.values[j].both > 0.4 { // the start's own column holds the day too
		p.set("at", fmt.Sprintf("datetime(%s)", p.ref(j)), g.Confidence, g.Reason+"; "+p.guessed(j).Reason)
		return
	}
	if share := p.values[i].yearless; share > 0.5 || share > 0 && p.ofFiles() {
		p.yearless(i)
		return
	}
	date := p.ref(i)
	if p.values[i].types["number"] > 0 { // 20260930
		date = "text(" + date + ")"
	}
	if j, ok := p.has(Time); ok && j != i && p.values[j].clock > 0.4 {
		clock := p.ref(j)
		if p.each { // a contact's own time, else the row's
			clock = "item.time ?? " + clock
		}
		p.set("at", fmt.Sprintf("datetime(%s, %s)", date, clock), g.Confidence, g.Reason+"; "+p.guessed(j).Reason)
		return
	}
	if p.values[i].both > 0.5 && g.Role == Date && g.Confidence > enough+0.01 {
		p.dateTime = true
		p.set("at", "datetime("+date+")", g.Confidence, g.Reason)
		return
	}
	if clock := p.timeByText(); clock != "" {
		p.set("at", fmt.Sprintf("datetime(%s, %s)", date, clock), g.Confidence, g.Reason+"; "+p.textSays(p.prose.timed, p.text.of("the time", "時刻")))
		return
	}
	p.set("at", "date("+date+")", g.Confidence, g.Reason)
}

// ofFiles tells of sources that have a period, which gives days the year that they lack and changes no others.
func (p *proposing) ofFiles() bool { return strings.HasPrefix(p.item.Kind, "file") }

// yearless takes the year of 3/1 from where a file says which month it is of.
func (p *proposing) yearless(i int) {
	g := p.guessed(i)
	if !p.ofFiles() {
		p.out.missing = true
		p.set("at", "null", 0, p.text.f("TODO: %s lacks the year; until it is told here, every row is rejected", "TODO: %sに年がない。ここで補うまで全行が保留になる", p.name(i)))
		return
	}
	reason := g.Reason + p.text.of("; the year is that of the file's period", "；年はファイルの年月(period)から補う")
	day := p.ref(i)
	p.columns = append(p.columns, period)
	if j, ok := p.has(Time); ok && j != i && p.values[j].clock > 0.4 {
		p.set("at", fmt.Sprintf("datetime(date(%s, %s), %s)", day, period, p.ref(j)), g.Confidence, reason)
		return
	}
	p.set("at", fmt.Sprintf("date(%s, %s)", day, period), g.Confidence, reason)
}

// period is the column that the files' connector adds: the year and month of the file.
const period = "_period"

// account is how the customer is found: by the key that the CRM knows most of, then by the others.
func (p *proposing) account() {
	type way struct {
		expression string
		share      float64
		column     int
		key        string
	}
	var ways []way
	add := func(role Role, entity engine.EntityKind, key, more string) {
		i, ok := p.has(role)
		if !ok || !p.hasKey(entity, key) || p.values[i].filled == 0 {
			return
		}
		form := formOf(entity, key)
		share := 0.0
		for _, h := range p.values[i].found {
			if h.Kind == entity && h.Key == key {
				share = h.Share
			}
		}
		ways = append(ways, way{p.find(entity, key, form, i, more), share, i, key})
	}
	if i, ok := p.has(AccountCode); ok {
		best := "code"
		for _, h := range p.values[i].found {
			if h.Kind == engine.Account && h.Key != "name" && h.Key != "domain" {
				best = h.Key
				break
			}
		}
		add(AccountCode, engine.Account, best, "")
	}
	add(AccountName, engine.Account, "name", "")
	add(ContactMail, engine.Contact, "email", "account")
	slices.SortStableFunc(ways, func(a, b way) int { return cmp.Compare(b.share, a.share) })
	if way := p.firmByText(""); len(ways) == 0 && way != "" {
		p.customer.column, p.customer.key, p.customer.text = p.name(p.prose.column), "name", true
		p.set("account", way, sureOf(p.prose.firm), p.textSays(p.prose.firm, p.text.of("the company", "会社名")))
		return
	}
	if len(ways) == 0 {
		p.out.missing = true
		p.set("account", "null", 0, p.text.of("TODO: no column names the customer by a key that the CRM knows; until one is named here, every row is rejected",
			"TODO: CRMの取引先を特定できる列がない。ここに書くまで全行が保留になる"))
		return
	}
	p.customer.column, p.customer.key = p.name(ways[0].column), ways[0].key
	var expressions, reasons []string
	sure := 0.0
	for _, w := range ways {
		expressions = append(expressions, w.expression)
		if g := p.guessed(w.column); g != nil {
			sure = max(sure, g.Confidence)
			reasons = append(reasons, g.Reason)
		}
	}
	byColumns := strings.Join(expressions, " ?? ")
	expression := p.firmByText(byColumns)
	if expression != byColumns {
		reasons = append(reasons, p.textSays(p.prose.firm, p.text.of("the company", "会社名")))
	}
	p.set("account", expression, sure, strings.Join(reasons, "; "))
}

// find is an expression that looks column i up.
func (p *proposing) find(entity engine.EntityKind, key, form string, i int, more string) string {
	value := p.ref(i)
	if form != "" {
		if p.values[i].types["text"] == 0 {
			value = "text(" + value + ")"
		}
		value = form + "(" + value + ")"
	}
	if more != "" {
		more = ", " + quoted(more)
	}
	return fmt.Sprintf("find(%s, %s, %s%s)", quoted(entity.String()), quoted(key), value, more)
}

// bestKey is the key by which the directory knows most of column i's values, else usual.
func (p *proposing) bestKey(i int, entity engine.EntityKind, usual string) string {
	for _, h := range p.values[i].found {
		if h.Kind == entity && (h.Key == "name") == (usual == "name") && h.Share >= 0.05 {
			return h.Key
		}
	}
	return usual
}

func (p *proposing) deal() {
	if i, ok := p.has(DealCode); ok {
		p.share("deals", engine.Deal, p.bestKey(i, engine.Deal, "code"), i)
	}
}

func (p *proposing) rep() {
	for _, way := range []struct {
		role Role
		key  string
	}{{RepCode, "code"}, {RepMail, "email"}, {RepName, "name"}} {
		if i, ok := p.has(way.role); ok && p.values[i].filled > 0 {
			if p.share("reps", engine.Rep, p.bestKey(i, engine.Rep, way.key), i) {
				return
			}
		}
	}
}

// share adds a list of one deal or rep; false when no mapping gives that key.
func (p *proposing) share(field string, entity engine.EntityKind, key string, i int) bool {
	g := p.guessed(i)
	if !p.hasKey(entity, key) {
		reason := p.text.f("%s names it, but no mapping of the CRM gives a %s the key %s", "列%sにあるが、CRMのマッピングに%sのキー%sがない", p.name(i), entity, key)
		p.fields = append(p.fields, fmt.Sprintf("  # %s: %s", field, oneLine(reason)))
		p.out.Lines = append(p.out.Lines, Line{"activity." + field, "", g.Confidence, reason})
		return false
	}
	expression := p.find(entity, key, formOf(entity, key), i, "")
	p.fields = append(p.fields, "  "+field+":", fmt.Sprintf("    - %s %s", scalar(expression), p.because(g.Confidence, g.Reason)))
	p.out.Lines = append(p.out.Lines, Line{"activity." + field, expression, g.Confidence, g.Reason})
	return true
}

// participants is the person met: who, with which title.
func (p *proposing) participants() {
	add := func(field, expression string, i int) {
		g := p.guessed(i)
		p.people = append(p.people, fmt.Sprintf("%s: %s %s", field, scalar(expression), p.because(g.Confidence, g.Reason)))
		p.out.Lines = append(p.out.Lines, Line{"activity.participants." + field, expression, g.Confidence, g.Reason})
	}
	if i, ok := p.has(ContactCode); ok && p.hasKey(engine.Contact, p.bestKey(i, engine.Contact, "code")) {
		key := p.bestKey(i, engine.Contact, "code")
		add("contact", p.find(engine.Contact, key, "", i, ""), i)
	} else if i, ok := p.has(ContactMail); ok && p.hasKey(engine.Contact, "email") {
		add("contact", p.find(engine.Contact, "email", "lower", i, ""), i)
	}
	if p.list != nil && len(p.people) == 0 {
		p.peopleOfList()
		return
	}
	name, named := p.has(ContactName)
	if i, ok := p.has(Title); ok {
		add("title", p.ref(i), i)
	} else if named && p.values[name].endsInTitle > 0.1 { // 山田部長: the rank is read off the end
		add("title", p.ref(name), name)
	}
	if i, ok := p.has(Keyman); ok {
		if condition := p.yes(i); condition != "" {
			add("keyman", condition, i)
		}
	}
	if len(p.people) == 0 && (!named || p.prose != nil && p.prose.titled >= textsTellKinds) {
		p.peopleByText()
	}
	if named && len(p.people) == 0 {
		p.people = append(p.people, fmt.Sprintf("when: %s %s", scalar(p.ref(name)+` != ""`), p.because(p.guessed(name).Confidence,
			p.text.of("somebody was met, of whom only the name is told", "誰かに会ったが名前しか分からない"))))
	}
}
