package message

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// DateState says what the Date header is worth.
type DateState string

// The states of a Date header. Of a Nonstandard one the instant is known all
// the same; of those below it, it is not, or not to be believed.
const (
	DateValid       DateState = "valid"
	DateNonstandard DateState = "nonstandard"    // a zone's name, another order, a missing part
	DateTwoDigits   DateState = "two-digit-year" // the instant is known
	DateMissing     DateState = "missing"
	DateUnparsed    DateState = "unparsed"
	DateInvalid     DateState = "invalid"      // 31 February, 25 o'clock
	DateOutOfRange  DateState = "out-of-range" // before 1980, or more than a day after the mail arrived
	DateDuplicate   DateState = "duplicate"    // two headers; the instant is known when they agree
)

// zones are the names that mails carry instead of an offset, in minutes east of
// UTC. Go's own reading of names depends on the machine's zone, and takes those
// that it does not know for UTC.
var zones = map[string]int{
	"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "MET": 60, "MEZ": 60, "CEST": 120, "MEST": 120, "MESZ": 120,
	"EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "IST": 330, "ICT": 420, "WIB": 420, "HKT": 480, "SGT": 480, "PHT": 480, "AWST": 480,
	"JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
	"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "BRT": -180, "ART": -180,
}

var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}

// parseDate reads a Date header. The state is DateValid, DateNonstandard,
// DateTwoDigits, DateUnparsed or DateInvalid.
func parseDate(text string) (t time.Time, state DateState) {
	if t, ok := standardDate(text); ok {
		return t, DateValid
	}
	return looseDate(text)
}

// looseDate reads a date in whatever form people's programs write it.
func looseDate(text string) (t time.Time, state DateState) {
	plain, _ := takeComments(text)
	if weekday, rest, ok := strings.Cut(plain, ","); ok && len(strings.Fields(weekday)) == 1 && !strings.ContainsAny(weekday, "0123456789") {
		plain = rest // "Mar, 3 Nov": in French a Tuesday
	}
	plain = dateMarks.Replace(plain)
	state = DateValid
	var day, year, zone = -1, -1, noZone
	var month time.Month
	var clock []int
	half := 0 // of the day: 1 before noon, 2 after it
	odd := func() {
		if state == DateValid {
			state = DateNonstandard
		}
	}
	for i, w := range strings.Fields(plain) {
		lower := strings.ToLower(w)
		switch {
		case day < 0 && isoDay.MatchString(w):
			odd()
			iso := isoDay.FindStringSubmatch(w)
			year, month, day = number(iso[1]), time.Month(number(iso[2])), number(iso[3])
			if iso[4] != "" {
				var ok bool
				if clock, zone, ok = clockOf(iso[4], zone); !ok {
					return time.Time{}, DateUnparsed
				}
			}
		case clock == nil && strings.Count(w, ":") >= 1 && digit(w[0]):
			var ok bool
			if clock, zone, ok = clockOf(w, zone); !ok {
				return time.Time{}, DateUnparsed
			}
		case strings.Count(lower, "-") == 2 && digit(lower[0]): // 2-Nov-2026
			odd()
			parts := strings.Split(lower, "-")
			day, month, year = number(parts[0]), monthOf(parts[1]), number(parts[2])
			if len(parts[2]) == 2 {
				state, year = DateTwoDigits, century(year)
			}
		case zone == noZone && clock != nil && (w[0] == '+' || w[0] == '-') && len(w) > 1:
			minutes, standard, ok := offset(w)
			if !ok {
				return time.Time{}, DateUnparsed
			}
			if zone = minutes; !standard {
				odd()
			}
		case lower == "am" || lower == "午前":
			odd()
			half = 1
		case lower == "pm" || lower == "午後":
			odd()
			half = 2
		case monthOf(lower) > 0 && month == 0:
			if len(lower) > 3 {
				odd()
			}
			month = monthOf(lower)
		case allDigits(w):
			n := number(w)
			switch {
			case day < 0 && len(w) <= 2:
				day = n
			case year < 0 && (len(w) == 4 || len(w) == 2 || len(w) == 3):
				if year = n; len(w) < 4 {
					state, year = DateTwoDigits, century(n)
				}
			default:
				return time.Time{}, DateUnparsed
			}
		case clock != nil && zone == noZone && named(w) != noZone:
			zone = named(w)
			if upper := strings.ToUpper(w); upper != "GMT" && upper != "UT" && upper != "Z" {
				odd()
			}
		case i == 0: // the day of the week, in whatever language
		case clock != nil && zone != noZone: // a zone's name behind its offset
		case day < 0:
			odd() // a word before the day
		default:
			odd()
		}
	}
	// Without a zone the instant is not known; the server's own stamp is better than a guess.
	if day < 0 || year < 0 || month == 0 || clock == nil || zone == noZone {
		return time.Time{}, DateUnparsed
	}
	if half > 0 && clock[0] <= 12 {
		clock[0] = clock[0]%12 + 12*(half-1)
	}
	t = time.Date(year, month, day, clock[0], clock[1], min(clock[2], 59), 0, time.FixedZone("", zone*60))
	if t.Day() != day || t.Month() != month || clock[0] > 23 || clock[1] > 59 || clock[2] > 60 || zone < -24*60 || zone > 24*60 {
		return time.Time{}, DateInvalid
	}
	return t.UTC(), state
}

var dateMarks = strings.NewReplacer(",", " ", "年", "/", "月", "/", "日", " ")

// standardDate reads the form that nearly all mails have, "Mon, 2 Nov 2026 10:15:30 +0900"
// with or without the zone's name behind it, as parseDate does more slowly.
func standardDate(s string) (t time.Time, ok bool) {
	if end := strings.IndexByte(s, '('); end > 0 && s[len(s)-1] == ')' && !strings.ContainsAny(s[end+1:len(s)-1], `()\"`) {
		s = strings.TrimRight(s[:end], " ")
	}
	layout := "2 Jan 2006 15:04:05 -0700"
	if len(s) > 3 && s[3] == ',' {
		layout = "Mon, 2 Jan 2006 15:04:05 -0700"
	}
	if n := len(s) - len(layout); n < 0 || n > 1 || s[len(s)-2] > '5' || strings.ContainsAny(s[4:], ".,") {
		return t, false
	}
	t, err := time.Parse(layout, s)
	return t.UTC(), err == nil
}

const noZone = 1 << 20

// isoDay is 2026-11-02, 2026/11/2 or 2026-11-02T10:15:30+09:00.
var isoDay = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})/?(?:[Tt](.+))?$`)

// clockOf reads 10:15, 10:15:30, 10:15:30.5, 10:15:30+09:00 and 10:15:30Z.
func clockOf(w string, zone int) (clock []int, z int, ok bool) {
	end := strings.IndexFunc(w, func(r rune) bool { return r != ':' && r != '.' && (r < '0' || r > '9') })
	tail := ""
	if end >= 0 {
		w, tail = w[:end], w[end:]
	}
	w, _, _ = strings.Cut(w, ".")
	parts := strings.Split(w, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return nil, zone, false
	}
	for _, p := range parts {
		if !allDigits(p) || len(p) > 2 {
			return nil, zone, false
		}
		clock = append(clock, number(p))
	}
	if len(clock) == 2 {
		clock = append(clock, 0)
	}
	switch {
	case tail == "":
		return clock, zone, true
	case tail[0] == '+' || tail[0] == '-':
		minutes, _, ok := offset(tail)
		return clock, minutes, ok
	}
	if z := named(tail); z != noZone {
		return clock, z, true
	}
	return clock, zone, false
}

// offset reads +0900, and as people write it +09:00, +9, +900.
func offset(w string) (minutes int, standard, ok bool) {
	digits := strings.ReplaceAll(w[1:], ":", "")
	if !allDigits(digits) || len(digits) > 4 {
		return 0, false, false
	}
	n := number(digits)
	if len(digits) <= 2 {
		n *= 100
	}
	if minutes = n/100*60 + n%100; w[0] == '-' {
		minutes = -minutes
	}
	return minutes, len(w) == 5 && n%100 < 60, true
}

// named gives the offset of a zone's name, also as GMT+9; noZone when it is none.
func named(w string) int {
	w = strings.ToUpper(strings.Trim(w, `"'`))
	if minutes, ok := zones[w]; ok {
		return minutes
	}
	for _, utc := range []string{"GMT", "UTC"} {
		if rest, ok := strings.CutPrefix(w, utc); ok && len(rest) > 1 && (rest[0] == '+' || rest[0] == '-') {
			if minutes, _, ok := offset(rest); ok {
				return minutes
			}
		}
	}
	if len(w) == 1 && w[0] >= 'A' && w[0] <= 'Y' {
		return 0 // military zones were defined the wrong way round; RFC 5322 counts them as unknown
	}
	return noZone
}

func monthOf(w string) time.Month {
	if len(w) < 3 {
		return 0
	}
	m := months[strings.ToLower(w[:3])]
	if m > 0 && len(w) > 3 && !strings.HasPrefix(strings.ToLower(m.String()), strings.TrimSuffix(strings.ToLower(w), ".")) && strings.ToLower(w) != "sept" {
		return 0
	}
	return m
}

// century follows RFC 5322: 00 to 49 are of this one, the rest of the last; three digits count from 1900.
func century(n int) int {
	if n < 50 {
		return 2000 + n
	}
	return 1900 + n
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
