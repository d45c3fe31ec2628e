package file

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// period is a year, or a month of one when month is above 0.
type period struct {
	year, month int
	fiscal      bool // the year begins in April
}

// String is "2026-03", "2026" or "2026年度"; "" of no period.
func (p period) String() string {
	switch {
	case p.year == 0:
		return ""
	case p.month == 0 && p.fiscal:
		return fmt.Sprintf("%04d年度", p.year)
	case p.month == 0:
		return fmt.Sprintf("%04d", p.year)
	}
	return fmt.Sprintf("%04d-%02d", p.year, p.month)
}

const fiscal = "年度"

// eras are the years before the first one of each era.
var eras = []struct {
	name string
	year int
}{{"令和", 2018}, {"平成", 1988}, {"昭和", 1925}, {"R", 2018}, {"H", 1988}, {"S", 1925}}

// in is a month of the year.
func (p period) in(month int) period {
	if p.fiscal && month < 4 {
		return period{year: p.year + 1, month: month}
	}
	return period{year: p.year, month: month}
}

// near is the month that lies next to the period, as the mapping's date() takes it.
func (p period) near(month int) period {
	found := p.in(month)
	switch {
	case p.month > 0 && month-p.month > 6:
		found.year--
	case p.month > 0 && p.month-month > 6:
		found.year++
	}
	return found
}

// monthOf reads the month that a cell's date lies in: of a text that begins with
// year and month, as 2026/3/1, 20260301, 2026年3月, 令和8年3月1日, R8.3.1, in any
// width; of 3/1 and 3月1日 by the file's period; of a number that Excel counts days
// by. What follows the month is the mapping's to judge.
func monthOf(v any, of period) (period, bool) {
	switch v := v.(type) {
	case time.Time:
		return period{year: v.Year(), month: int(v.Month())}, true
	case int64:
		return monthOf(strconv.FormatInt(v, 10), of)
	case float64:
		return monthOf(strconv.FormatFloat(v, 'f', -1, 64), of)
	case string:
		text := normal(v)
		if whole, _, _ := strings.Cut(text, "."); len(whole) == 5 && strings.Trim(text, ".0123456789") == "" {
			n, err := strconv.ParseFloat(text, 64)
			if day, ok := moment(n, false); ok && err == nil && n >= 20_000 && n < 80_000 { // the days that date() takes
				text = day
			}
		}
		if p, _, ok := periodAt(text, 0); ok {
			return p, p.month > 0
		}
		digits, month := number(text)
		rest := strings.TrimLeft(text[digits:], " ")
		if of.year > 0 && digits >= 1 && digits <= 2 && month >= 1 && month <= 12 && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "月")) {
			return of.near(month), true
		}
	}
	return period{}, false
}

// periodIn finds the first year and month in a text, else the first year:
// "日報_2026年3月.xlsx", "令和8年3月度", "202603", "2026年度_4月".
func periodIn(text string) period {
	month, year := periodsIn(text)
	if month.month > 0 {
		return month
	}
	if m := monthIn(text); m > 0 && year.year > 0 {
		return year.in(m)
	}
	return year
}

// periodsIn finds the first year with its month, and the first year.
func periodsIn(text string) (month, year period) {
	text = normal(text)
	for i := 0; i < len(text); {
		p, n, ok := periodAt(text, i)
		if ok && year.year == 0 {
			year = period{year: p.year, fiscal: p.fiscal}
		}
		if ok && p.month > 0 {
			return p, year
		}
		i += max(n, 1)
	}
	return period{}, year
}

// monthIn finds the first month in a text that stands without a year: 4月.
func monthIn(text string) int {
	text = normal(text)
	for i := 0; i < len(text); {
		digits, value := number(text[i:])
		if digits >= 1 && digits <= 2 && value >= 1 && value <= 12 && strings.HasPrefix(strings.TrimLeft(text[i+digits:], " "), "月") {
			return value
		}
		i += max(digits, 1)
	}
	return 0
}

// periodBy is the period in a sheet's name or a title; what has no year takes it from the file's name.
func periodBy(text, file string) period {
	p := periodIn(text)
	if p.year > 0 {
		return p
	}
	_, year := periodsIn(file)
	if m := monthIn(text); m > 0 && year.year > 0 {
		return year.in(m)
	}
	return periodIn(file)
}

func normal(s string) string { return strings.TrimSpace(norm.NFKC.String(s)) }

// periodAt reads a year and a month that begin at i, and gives how many bytes it looked at.
func periodAt(s string, i int) (p period, n int, ok bool) {
	begin, base := i, 0
	for _, e := range eras {
		if strings.HasPrefix(s[i:], e.name) && (len(e.name) > 1 || i == 0 || !letter(s[i-1])) {
			i, base = i+len(e.name), e.year
			break
		}
	}
	digits, value := number(s[i:])
	if base > 0 && digits == 0 && strings.HasPrefix(s[i:], "元") {
		i, digits, value = i+len("元"), 1, 1
	} else {
		i += digits
	}
	n = i - begin
	switch {
	case base > 0 && digits >= 1 && digits <= 2 && value > 0:
		p.year = base + value
	case base == 0 && (digits == 6 || digits == 8):
		if digits == 8 {
			value /= 100
		}
		p = period{year: value / 100, month: value % 100}
		return p, n, plausible(p) && p.month > 0
	case base == 0 && digits == 4:
		p.year = value
	default:
		return period{}, n, false
	}
	rest := strings.TrimLeft(s[i:], " ")
	marked := strings.HasPrefix(rest, "年")
	for _, sep := range []string{fiscal, "年", "-", "/", ".", "_"} {
		if after, found := strings.CutPrefix(rest, sep); found {
			after = strings.TrimLeft(after, " ")
			if digits, value := number(after); digits >= 1 && digits <= 2 && sep != fiscal {
				if with := (period{year: p.year, month: value}); plausible(with) && value > 0 {
					return with, n + len(s[i:]) - len(after) + digits, true
				}
			}
			p.fiscal = sep == fiscal
			break
		}
	}
	return p, n, plausible(p) && (base == 0 || marked)
}

func plausible(p period) bool { return p.year >= 1926 && p.year <= 2199 && p.month <= 12 }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// number reads the digits that a text begins with.
func number(s string) (digits, value int) {
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		if digits < 9 {
			value = value*10 + int(s[digits]-'0')
		}
		digits++
	}
	return digits, value
}
