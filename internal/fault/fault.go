// Package fault is the one error type of energyd. An Error says where, what,
// and what to do next; code decides by its Kind and people read its Msg and
// Hint. A Problem is one finding in a configuration file, placed by its YAML
// path; internal/config adds file, line and column.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind classes an error by what can be done about it.
type Kind string

// The kinds. Which of them is retried stands in Retryable.
const (
	Config      Kind = "config"       // the configuration or a mapping is wrong; a person must change it
	Auth        Kind = "auth"         // sign-on or rights refused
	RateLimited Kind = "rate_limited" // the other side asks to slow down; RetryAfter may say until when
	Quota       Kind = "quota"        // the day's budget of calls is gone; park, do not wait
	Braked      Kind = "braked"       // a plan waits for a person's word; park, do not try again
	Unavailable Kind = "unavailable"  // network, time-out, 5xx: may heal by itself
	BadRecord   Kind = "bad_record"   // one source record cannot be read or mapped; the others go on
	Rejected    Kind = "rejected"     // the CRM refused one update
	Conflict    Kind = "conflict"     // somebody else moved what we build on: a cursor, a plan
	Internal    Kind = "internal"     // a bug of ours
)

// Retryable tells whether trying the same again later can help.
func Retryable(k Kind) bool { return k == RateLimited || k == Unavailable }

// Error is an error for a person. Op says where ("pull daily_report"), Msg
// what, Hint what to do. Err is the cause, shown as details.
type Error struct {
	Kind       Kind
	Op         string
	Msg        string
	Hint       string
	RetryAfter time.Duration // zero: not told
	Err        error
}

// New makes an Error. The cause may be nil.
func New(k Kind, op, msg, hint string, cause error) *Error {
	return &Error{Kind: k, Op: op, Msg: msg, Hint: hint, Err: cause}
}

// Error gives "op: msg: cause" on one line.
func (e *Error) Error() string {
	var parts []string
	for _, s := range []string{e.Op, e.Msg} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the outermost Error in err's chain; Internal when
// there is none, "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var ps Problems
	if errors.As(err, &ps) {
		return Config
	}
	return Internal
}

// HintOf gives the first hint in err's chain, or "".
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// Problem is one finding in a configuration file.
type Problem struct {
	Path   string // YAML path as "sources.daily_report.schedule" or "tests[0].record"
	Offset int    // byte offset inside the scalar at Path (expression errors); 0 = its beginning
	Key    bool   // the key itself is wrong (unknown option), not its value
	Msg    string // "unknown option \"shedule\"; did you mean \"schedule\"?"
	Hint   string // what to do, when Msg does not say it
}

// Problems are all findings of one file, or of one configuration.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = fmt.Sprintf("%s: %s", p.Path, p.Msg)
	}
	return strings.Join(lines, "\n")
}

// Add appends a problem at path.
func (ps *Problems) Add(path, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Msg: fmt.Sprintf(format, args...)})
}

// Under appends inner, with prefix put before every path.
func (ps *Problems) Under(prefix string, inner Problems) {
	for _, p := range inner {
		switch {
		case prefix == "":
		case p.Path == "":
			p.Path = prefix
		case strings.HasPrefix(p.Path, "["):
			p.Path = prefix + p.Path
		default:
			p.Path = prefix + "." + p.Path
		}
		*ps = append(*ps, p)
	}
}

// Or gives nil for no problems, so that it can be returned as an error.
func (ps Problems) Or() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Nearest gives the candidate closest to name by edit distance, or "" when
// none is near enough to be meant. Only existing names are ever suggested.
func Nearest(name string, candidates []string) string {
	best, bestDist := "", len([]rune(name))/3+2
	for _, c := range candidates {
		d := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(c)), bestDist)
		// One slip may be in any word; of more, most of the letters still have to be right: meal is not mail.
		if d < bestDist && (d <= 1 || 2*d < max(len([]rune(name)), len([]rune(c)))) {
			best, bestDist = c, d
		}
	}
	return best
}

// DidYouMean gives `; did you mean "x"?` or "".
func DidYouMean(name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// distance is the Damerau-Levenshtein distance of neighbours, cut at limit.
func distance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	cur := make([]int, len(b)+1)
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
