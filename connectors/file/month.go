package file

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// period is a year, or a month of one when month is above 0.
type period struct{ year, month int }

// String is "2026-03" or "2026"; "" of no period.
func (p period) String() string {
	switch {
	case p.year == 0:
		return ""
	case p.month == 0:
		return fmt.Sprintf("%04d", p.year)
	}
	return fmt.Sprintf("%04d-%02d", p.year, p.month)
}

// eras are the years before the first one of each era.
var eras = []struct {
	name string
	year int
}{{"令和", 2018}, {"平成", 1988}, {"昭和", 1925}, {"R", 2018}, {"H", 1988}, {"S", 1925}}

// monthOf reads the month that a cell's date lies in: of a text that begins with
// year and month, as 2026/3/1, 20260301, 2026年3月, 令和8年3月1日, R8.3.1, in any
// width. What follows the month is the mapping's to judge.
func monthOf(v any) (period, bool) {
	switch v := v.(type) {
	case time.Time:
		return period{v.Year(), int(v.Month())}, true
	case string:
		text := normal(v)
		p, _, ok := periodAt(text, 0)
		return p, ok && p.month > 0
	}
	return period{}, false
}

// periodIn finds the first year and month in a text, else the first year: "日報_2026年3月.xlsx", "令和8年3月度", "202603".
func periodIn(text string) period {
	text = normal(text)
	var year period
	for i := 0; i < len(text); {
		p, n, ok := periodAt(text, i)
		switch {
		case ok && p.month > 0:
			return p
		case ok && year.year == 0:
			year = p
		}
		i += max(n, 1)
	}
	return year
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
		p = period{value / 100, value % 100}
		return p, n, plausible(p) && p.month > 0
	case base == 0 && digits == 4:
		p.year = value
	default:
		return period{}, n, false
	}
	rest := strings.TrimLeft(s[i:], " ")
	marked := strings.HasPrefix(rest, "年")
	for _, sep := range []string{"年度", "年", "-", "/", ".", "_"} {
		if after, found := strings.CutPrefix(rest, sep); found {
			after = strings.TrimLeft(after, " ")
			if digits, value := number(after); digits >= 1 && digits <= 2 && sep != "年度" {
				if with := (period{p.year, value}); plausible(with) && value > 0 {
					return with, n + len(s[i:]) - len(after) + digits, true
				}
			}
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
