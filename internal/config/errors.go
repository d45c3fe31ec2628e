package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"energyd/internal/fault"
)

// Problem is one finding at its place in a file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`   // from 1; 0 = the whole file
	Column  int    `json:"column,omitempty"` // from 1, in characters
	Msg     string `json:"message"`
	Hint    string `json:"what_to_do,omitempty"`
	Excerpt string `json:"-"` // the line and a caret under the place; "" without a line
}

// String gives "FILE:LINE:COLUMN: message" and the excerpt below.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": " + p.Msg)
	if p.Excerpt != "" {
		b.WriteString("\n" + p.Excerpt)
	}
	if p.Hint != "" {
		b.WriteString("\n  what to do: " + p.Hint)
	}
	return b.String()
}

// Errors are all problems of one load, in the order of the file.
type Errors []Problem

func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, p := range es {
		texts[i] = p.String()
	}
	return strings.Join(texts, "\n")
}

// Unwrap lets fault.KindOf see a configuration fault.
func (es Errors) Unwrap() error {
	return fault.New(fault.Config, "", "the configuration has problems", "", nil)
}

// sorted gives the problems in the order of the file, or nil when there are none.
func sorted(es Errors) error {
	if len(es) == 0 {
		return nil
	}
	slices.SortStableFunc(es, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return es
}

const (
	maxExcerpt = 120  // width of an excerpt's text on the terminal
	maxLine    = 4096 // bytes; a longer line is not looked through for secrets, and so not shown
)

// excerpt shows a line with carets under width characters from column on. Wide
// characters count two places, tabs stay tabs so that both lines move alike.
// What looks like a secret is not shown; "" when the place is inside or behind it.
func excerpt(text string, line, column, width int) string {
	if len(text) > maxLine {
		return ""
	}
	if shown := conceal(text); shown != text {
		same := commonPrefix([]rune(text), []rune(shown))
		if column > same+1 {
			return ""
		}
		text, width = shown, min(width, same+1-column)
	}
	runes := []rune(text)
	column = max(1, min(column, len(runes)+1))
	end := min(column-1+min(max(width, 1), maxExcerpt/2), len(runes))
	from := 0 // of a long line, a part around the place is shown
	if end > maxExcerpt || runewidth.StringWidth(string(runes[:end])) > maxExcerpt {
		from = max(0, column-1-maxExcerpt/4)
	}
	prefix, cut := "", runes[from:min(len(runes), from+2*maxExcerpt)]
	if from > 0 {
		prefix = "…"
	}
	var pad strings.Builder
	pad.WriteString(strings.Repeat(" ", runewidth.StringWidth(prefix)))
	for _, r := range runes[from : column-1] {
		if r == '\t' {
			pad.WriteByte('\t')
		} else {
			pad.WriteString(strings.Repeat(" ", runewidth.RuneWidth(r)))
		}
	}
	carets := 1
	if column-1 < end {
		carets = max(1, runewidth.StringWidth(string(runes[column-1:end])))
	}
	shown := prefix + runewidth.Truncate(string(cut), maxExcerpt, "…")
	return fmt.Sprintf("%5d | %s\n      | %s%s", line, strings.TrimRight(shown, " \t"), pad.String(), strings.Repeat("^", carets))
}

func commonPrefix(a, b []rune) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

var (
	secretKey   = regexp.MustCompile(`(?i)(?:pass|pasw|pwd|\bpw|_pw|secret|token|credential|authorization|(?:private|api|client|access)[_-]?key|パスワード|暗証)[\w.-]*["']?\s*[:=]\s*`)
	onlyRef     = regexp.MustCompile(`^["']?\$\{[^}]*\}["']?\s*(?:[,}#]|$)`)
	urlPassword = regexp.MustCompile(`(://[^/\s:]*:)(.+)@`)
)

// secretAt tells where in a line something begins that looks like a secret by
// its key, or -1: at the line's end when it stands below. References are none:
// they say where to look.
func secretAt(line string) int {
	at := 0
	for {
		key := secretKey.FindStringIndex(line[at:])
		if key == nil {
			return -1
		}
		at += key[1]
		ref := onlyRef.FindString(line[at:])
		if ref == "" {
			return at
		}
		at += len(ref)
	}
}

// conceal hides what looks like a secret written out, so that an excerpt can
// be shown to anybody. Where a secret ends only its owner knows, so it is
// hidden to the end of the line, and in a URL to the last @.
func conceal(line string) string {
	if at := secretAt(line); at >= 0 && at < len(line) {
		line = line[:at] + "[redacted]"
	}
	return urlPassword.ReplaceAllStringFunc(line, func(s string) string {
		m := urlPassword.FindStringSubmatch(s)
		if reference.FindString(m[2]) == m[2] {
			return s
		}
		return m[1] + "[redacted]@"
	})
}
