package message

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// fieldParams reads "value; name=text; …" of Content-Type and the like: names
// in small letters, RFC 2231 pieces joined and decoded, encoded words too.
func fieldParams(text string) (value string, params map[string]string) {
	fields := splitParams(text)
	value = strings.ToLower(strings.TrimSpace(fields[0]))
	value, _, _ = strings.Cut(value, " ")
	params = map[string]string{}
	type piece struct {
		number  int
		encoded bool
		text    string
	}
	pieces := map[string][]piece{}
	for _, f := range fields[1:] {
		name, v, ok := strings.Cut(f, "=")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if v = strings.TrimSpace(v); strings.HasPrefix(v, `"`) { // a comment may follow
			if end := closingQuote(v); end > 0 {
				v = v[:end+1]
			}
		}
		v = unquotedValue(v)
		base, number, encoded := pieceOf(name)
		if base == name {
			if _, twice := params[name]; !twice {
				params[name], _ = words(v)
			}
			continue
		}
		if len(pieces[base]) < maxParts {
			pieces[base] = append(pieces[base], piece{number, encoded, v})
		}
	}
	for base, list := range pieces {
		sort.SliceStable(list, func(i, j int) bool { return list[i].number < list[j].number })
		var joined []byte
		name, percent := "", false
		for i, p := range list {
			if !p.encoded {
				joined = append(joined, p.text...)
				continue
			}
			percent = true
			t := p.text
			if i == 0 {
				if parts := strings.SplitN(t, "'", 3); len(parts) == 3 {
					name, t = parts[0], parts[2]
				}
			}
			joined = append(joined, unquote(strings.ReplaceAll(t, "%", "="))...)
		}
		if !percent { // some programs cut a name of encoded words into pieces
			params[base], _ = words(string(joined))
			continue
		}
		params[base], _ = decode(joined, name) // the better form wins over a plain one
	}
	return value, params
}

// unquotedValue takes the quotes off a value. Programs write paths with single
// backslashes, so one resolves quotes and backslashes alone.
func unquotedValue(s string) string {
	s, ok := strings.CutPrefix(s, `"`)
	if !ok {
		return unquoted(s)
	}
	return escapedMark.ReplaceAllString(strings.TrimSuffix(s, `"`), "$1")
}

var escapedMark = regexp.MustCompile(`\\(["\\])`)

// closingQuote is where the quote that s begins with ends; 0 when it does not.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return 0
}

// pieceOf takes filename*0* apart: its name, number, and whether it is percent-encoded.
func pieceOf(name string) (base string, number int, encoded bool) {
	base, rest, starred := strings.Cut(name, "*")
	if !starred {
		return name, 0, false
	}
	digits, encoded := strings.CutSuffix(rest, "*")
	if rest == "" {
		return base, 0, true
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > maxParts {
		return name, 0, false
	}
	return base, n, encoded
}

// splitParams cuts at semicolons outside quotes; there is always a first part.
func splitParams(s string) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
