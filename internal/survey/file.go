package survey

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"energyd/connectors"
)

// file is the mapping file's text.
func (p *proposing) file() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s", p.text.f("Proposed by energyd survey of %s: %s, from %s.", "energyd survey による提案: 接続 %s の %s、%s から。",
		p.out.connection, oneLine(p.item.Name), p.seen()))
	line("# %s", p.text.of("Behind each line: how sure it is, and why. Look at those below 80 % first, then run energyd check.",
		"各行の後ろは確からしさと理由。80 %未満の行から確認し、energyd check を実行する。"))
	line("timezone: %s # %s", scalar(p.env.Zone), p.text.of("of dates and times that carry none", "時差のない日時の時間帯"))
	line("")
	line("columns: [%s]", strings.Join(each(p.columns, scalar), ", "))
	if len(p.words)+len(p.acts)+len(p.states) > 0 {
		line("\nlookups:")
		list := func(name, about string, lines []string) {
			if len(lines) > 0 {
				line("  %s: # %s", name, about)
				line("%s", strings.Join(lines, "\n"))
			}
		}
		list("kinds", p.text.of("word → kind of points.yaml, and how often it came", "語 → points.yaml の接触方法、件数"), p.words)
		list("directions", p.text.of("word → whose act it was; other words say that both sides took part", "語 → どちらからか。他の語は双方とみなす"), p.acts)
		list("statuses", p.text.of("only what was held counts", "実施されたものだけが数えられる"), p.states)
	}
	if len(p.skip) > 0 {
		line("\nskip:\n%s", strings.Join(p.skip, "\n"))
	}
	line("\nactivity:\n%s", strings.Join(p.fields, "\n"))
	if len(p.people) > 0 {
		line("  participants:")
		for i, l := range p.people {
			mark := "      "
			if i == 0 {
				mark = "    - "
			}
			line("%s%s", mark, l)
		}
	}
	if t := p.example(); t != "" {
		line("\ntests:\n%s", t)
	}
	return b.String()
}

// seen says how much was looked at.
func (s *surveyor) seen() string {
	if s.item.Whole {
		return s.text.f("all %d rows", "全%d行", s.item.Looked)
	}
	if s.item.Rows >= 0 {
		return s.text.f("a sample of %d of about %d rows", "約%[2]d行中%[1]d行の標本", s.item.Looked, s.item.Rows)
	}
	return s.text.f("a sample of %d rows", "%d行の標本", s.item.Looked)
}

// Source is the source's block for energyd.yaml, with the mapping in file.
func (p *Proposal) Source(file string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:\n    connection: %s\n", key(p.Name), scalar(p.connection))
	for _, o := range p.Options {
		b.WriteString("    " + o.Name + ": " + optionText(o))
		if o.Reason != "" {
			b.WriteString(" # " + oneLine(o.Reason))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "    mapping: %s\n", scalar(file))
	return b.String()
}

func optionText(o connectors.Option) string {
	switch v := o.Value.(type) {
	case string:
		return scalar(v)
	case []string:
		return "[" + strings.Join(each(v, scalar), ", ") + "]"
	}
	return fmt.Sprint(o.Value)
}

func each(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

// plainScalar is what YAML reads as a text without quotes, whatever its version.
var plainScalar = regexp.MustCompile(`^[\p{L}_(][\p{L}\p{N}_./()"=?:|<>!+\-]*( [\p{L}\p{N}_.()"=?|<>!+\-]+)*$`)

var yamlWords = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)

// scalar writes a text as YAML, inside brackets too.
func scalar(s string) string {
	if plainScalar.MatchString(s) && !yamlWords.MatchString(s) && !strings.HasSuffix(s, ":") {
		return s
	}
	if strings.ContainsAny(s, "'\n\r\t\\") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
		return quoted(s)
	}
	return "'" + s + "'"
}

// key writes a text as a key.
func key(s string) string {
	if regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`).MatchString(s) && !yamlWords.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted writes a text in double quotes, as YAML, JSON and the expressions read it.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(strings.ToValidUTF8(s, "�")) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// example is a test case of the mapping with made-up values: one row as the survey understood it.
func (p *proposing) example() string {
	date, ok := p.has(Date)
	if !ok || p.out.missing {
		return ""
	}
	record := map[string]string{}
	for _, name := range p.columns {
		record[name] = "null"
	}
	moment := "2026-09-30"
	if p.values[date].types["time"] > 0 || p.values[date].both > 0.5 {
		moment = "2026-09-30T01:00:00Z"
	}
	if p.values[date].types["number"] > 0 {
		moment = "20260930"
	}
	record[p.name(date)] = quoted(moment)
	var expect []string
	for _, l := range p.out.Lines {
		if l.Field == "activity.at" && strings.HasPrefix(l.Expression, "datetime(") && strings.Contains(l.Expression, ", ") {
			if t, ok := p.has(Time); ok {
				record[p.name(t)] = `"10:00"`
			}
		} else if l.Field == "activity.at" && !strings.Contains(l.Expression, p.ref(date)) {
			t, _ := p.has(Time)
			record[p.name(t)] = `"2026-09-30T01:00:00Z"`
		}
	}
	expect = append(expect, "date: 2026-09-30")
	if i, ok := p.has(Kind); ok && len(p.out.Words) > 0 {
		for _, w := range p.out.Words {
			if w.Kind != "" {
				record[p.name(i)] = quoted(w.Word)
				expect = append(expect, "kind: "+w.Kind)
				break
			}
		}
	}
	var directory string
	for _, r := range []Role{AccountCode, AccountName, ContactMail} {
		i, ok := p.has(r)
		if !ok || !p.used[p.name(i)] {
			continue
		}
		value, entity, keys := "K0001", "account", "code"
		for _, l := range p.out.Lines {
			if l.Field != "activity.account" {
				continue
			}
			switch {
			case strings.Contains(l.Expression, `"id", `+p.ref(i)):
				keys = "id"
			case r == AccountName:
				value, keys = "山田製作所", "name"
			case r == ContactMail:
				value, entity, keys = "taro@customer.example", "contact", "email"
			}
		}
		record[p.name(i)] = quoted(value)
		switch {
		case keys == "id":
			directory = fmt.Sprintf("{kind: account, id: %s}", value)
			expect = append(expect, "account: "+value)
		case entity == "contact":
			directory = fmt.Sprintf(`{kind: contact, id: "003", account: "001", keys: {%s: %s}}`, keys, value)
			expect = append(expect, `account: "001"`)
			directory = `{kind: account, id: "001", keys: {}}, ` + directory
		default:
			directory = fmt.Sprintf(`{kind: account, id: "001", keys: {%s: %s}}`, keys, value)
			expect = append(expect, `account: "001"`)
		}
		break
	}
	fields := make([]string, len(p.columns))
	for i, name := range p.columns {
		fields[i] = key(name) + ": " + record[name]
	}
	return fmt.Sprintf("  - name: %s\n    record: {%s}\n    directory: [%s]\n    expect: {%s}",
		scalar(p.text.of("a row as the survey understood it, with made-up values", "調査で理解した行の例（値は架空）")), strings.Join(fields, ", "), directory, strings.Join(expect, ", "))
}

// day is a date for people.
func day(t time.Time) string { return t.Format(time.DateOnly) }
