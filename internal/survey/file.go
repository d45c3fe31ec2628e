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
		"各行の後ろは確からしさと理由。80%未満の行から確認し、energyd check を実行する。"))
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
	case []connectors.Option:
		parts := make([]string, len(v))
		for i, inner := range v {
			parts[i] = inner.Name + ": " + optionText(inner)
		}
		return "{" + strings.Join(parts, ", ") + "}"
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
var plainScalar = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_./*\-]*( [\p{L}\p{N}_./\-]+)*$`)

var yamlWords = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)

// scalar writes a text as YAML, inside brackets too.
func scalar(s string) string {
	if plainScalar.MatchString(s) && !yamlWords.MatchString(s) {
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

// day is a date for people.
func day(t time.Time) string { return t.Format(time.DateOnly) }
