package sqltable

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var errEncoding = errors.New("not UTF-8")

// value turns what the driver gave for a column into a record's value: string,
// int64, float64, bool, time.Time (UTC) or nil. What does not look like its
// column's type ("infinity") stays the text it is.
func value(v any, c *column, loc *time.Location) (any, error) {
	switch x := v.(type) {
	case string:
		if c.kind == text {
			if c.charset != nil {
				return decoded(x, c)
			}
			if !c.checked && !utf8.ValidString(x) {
				return nil, errEncoding
			}
			return v, nil // v, not x: a new interface would be an allocation for each cell
		}
		return fromText(x, c, loc)
	case []byte:
		if c.charset != nil {
			return decoded(string(x), c)
		}
		return fromText(string(x), c, loc)
	case int64:
		if c.kind == boolean {
			return x != 0, nil
		}
	case time.Time:
		switch c.kind {
		case day:
			return x.Format(time.DateOnly), nil
		case clock:
			return x.Format("15:04:05.999999999"), nil
		case wall: // the driver took the wall clock for UTC
			x = time.Date(x.Year(), x.Month(), x.Day(), x.Hour(), x.Minute(), x.Second(), x.Nanosecond(), loc)
		case instant:
			if x.Location() == time.UTC {
				return v, nil // as it is: no allocation
			}
		}
		return x.UTC(), nil
	case uint64:
		return fromText(strconv.FormatUint(x, 10), c, loc)
	case float32:
		return value(float64(x), c, loc)
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) { // no number that anybody could count with
			return strconv.FormatFloat(x, 'g', -1, 64), nil
		}
		if c.kind == single { // as the database shows it: 0.1, not 0.10000000149011612
			return strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64)
		}
	}
	return v, nil
}

// decoded makes UTF-8 of text in the stream's encoding.
func decoded(s string, c *column) (any, error) {
	out, err := c.charset.NewDecoder().String(s)
	if err != nil || strings.ContainsRune(out, utf8.RuneError) { // which is in none of the charsets
		return nil, errEncoding
	}
	return out, nil
}

func fromText(s string, c *column, loc *time.Location) (any, error) {
	if !utf8.ValidString(s) {
		return nil, errEncoding
	}
	switch c.kind {
	case integer:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
	case decimal:
		if !c.key { // "007.10" may be a key
			return number(s), nil
		}
	case day:
		if len(s) > 10 && s[4] == '-' && !strings.HasSuffix(s, " BC") {
			return s[:10], nil
		}
	case instant, wall:
		if t, ok := moment(s, loc, c.kind); ok {
			return t, nil
		}
	}
	if strings.HasPrefix(s, "0000-00-00") { // MySQL's way to say none
		return nil, nil
	}
	return s, nil
}

// number gives a decimal as float64, which holds 15 digits exactly, or as its text.
func number(s string) any {
	digits := 0
	for _, r := range strings.TrimLeft(s, "-0.") {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && digits > 0 && digits <= 15 {
		return f
	} else if err == nil && f == 0 {
		return 0.0
	}
	return s
}

// layouts are all spellings of a date with a time that SQLite's strftime
// compares (sqlite.org/lang_datefunc.html, 2); the other databases' are among them.
var layouts = []string{
	time.DateTime, "2006-01-02T15:04:05", time.RFC3339, "2006-01-02 15:04:05Z07:00", time.DateOnly,
	"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04Z07:00", "2006-01-02T15:04Z07:00",
}

// moment reads a time as databases write it. Only SQLite holds times with an
// offset in a column without a zone; they mean what they say.
func moment(s string, loc *time.Location, k kind) (time.Time, bool) {
	if k == instant {
		loc = time.UTC
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// hasOffset tells whether a text time carries its own zone.
func hasOffset(v any) bool {
	s, ok := v.(string)
	return ok && len(s) > 10 && (strings.HasSuffix(s, "Z") || strings.ContainsAny(s[10:], "+-"))
}
