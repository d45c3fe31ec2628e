package mapping

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"energyd/internal/expression"
)

// maxExtract bounds the text that a pattern is sought in, in bytes. The time
// that a search takes grows with it and with nothing else (RE2).
const maxExtract = 64 << 10

// bindExtract binds extract: the part of a text that a pattern's first group
// matches, or the whole match of a pattern without groups; null when nothing does.
func bindExtract(consts []any) (expression.Call, error) {
	pattern, ok := consts[1].(string)
	if !ok {
		return nil, &expression.ArgumentError{Arg: 1, Msg: `the pattern is a constant, as in extract(memo, "注文番号[:：](\\d+)")`}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, &expression.ArgumentError{Arg: 1, Msg: strings.Replace(err.Error(), "error parsing regexp", "not a pattern", 1)}
	}
	group := 0
	switch n := re.NumSubexp(); {
	case n > 1:
		return nil, &expression.ArgumentError{Arg: 1, Msg: "the pattern has several groups (…); write the one that is meant, and (?:…) for the others"}
	case n == 1:
		group = 1
	}
	return func(_ any, args []any) (any, error) {
		text, _ := args[0].(string)
		if len(text) > maxExtract {
			text = text[:maxExtract]
			for !utf8.ValidString(text) { // cut between characters
				text = text[:len(text)-1]
			}
		}
		match := re.FindStringSubmatch(text)
		if match == nil {
			return nil, nil
		}
		return orNull(match[group]), nil
	}, nil
}

// zones remembers time zones by name; nil = there is none of that name.
var zones cache[*time.Location]

func zoneOf(name string) (*time.Location, bool) {
	name = strings.TrimSpace(name)
	zone, ok := zones.get(name)
	if !ok {
		if name != "" && name != "Local" { // the machine's own zone is nobody's
			zone, _ = time.LoadLocation(name) // nil when there is none
		}
		zones.put(name, zone)
	}
	return zone, zone != nil
}

// bindDatetime binds datetime, whose third argument is the zone of this date and time, where it is not the file's.
func (c *compiler) bindDatetime(consts []any) (expression.Call, error) {
	if len(consts) < 3 {
		return c.plain(datetime)(consts)
	}
	const as = " is not a time zone as Asia/Tokyo"
	if name, ok := consts[2].(string); ok {
		if _, ok := zoneOf(name); !ok {
			return nil, &expression.ArgumentError{Arg: 2, Msg: quote(name) + as}
		}
	}
	return func(_ any, args []any) (any, error) {
		zone := c.zone
		if name, _ := args[2].(string); strings.TrimSpace(name) != "" {
			var ok bool
			if zone, ok = zoneOf(name); !ok {
				return nil, &RejectError{Code: "date", Reason: quote(short(name)) + as}
			}
		}
		return datetime(zone, args[:2])
	}, nil
}
