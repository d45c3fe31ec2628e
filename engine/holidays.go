package engine

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"
)

//go:embed holidays_jp.txt
var holidayText string

// calendar is Japan's national holidays: the Cabinet Office's list, and after its end what the law says.
type calendar struct {
	days map[Date]bool
	end  Date // last day of the list
}

// holidays reads the embedded list once, and computes the years after it up to 2099.
var holidays = sync.OnceValue(func() calendar {
	c := calendar{days: make(map[Date]bool), end: NoDate}
	for line := range strings.Lines(holidayText) {
		if day, _, ok := strings.Cut(strings.TrimSpace(line), " "); ok && day != "#" {
			d, err := ParseDate(day)
			if err != nil {
				panic(fmt.Sprintf("holidays_jp.txt: %v", err)) // our own file; a test reads it
			}
			c.days[d] = true
			c.end = max(c.end, DateOf(d.Time().Year(), time.December, 31))
		}
	}
	for year := c.end.Time().Year() + 1; year <= 2099; year++ {
		for d := range holidaysByLaw(year) {
			c.days[d] = true
		}
	}
	return c
})

// holidaysByLaw computes the holidays of a year from the holiday law (国民の祝日に関する法律)
// as it stands since 2020, with 振替休日 and 国民の休日. Where Parliament moved a
// day, as in 2020 and 2021, only the list knows. The formula of the equinoxes holds from 1980 to 2099.
func holidaysByLaw(year int) map[Date]bool {
	monday := func(m time.Month, n int) Date { // the nth of the month
		first := DateOf(year, m, 1)
		return first + Date((8-int(first.Time().Weekday()))%7+7*(n-1))
	}
	equinox := func(m time.Month, of1980 float64) Date {
		n := year - 1980
		return DateOf(year, m, int(of1980+0.242194*float64(n))-n/4)
	}
	proper := []Date{
		DateOf(year, time.January, 1), monday(time.January, 2), DateOf(year, time.February, 11), DateOf(year, time.February, 23),
		equinox(time.March, 20.8431), DateOf(year, time.April, 29), DateOf(year, time.May, 3), DateOf(year, time.May, 4), DateOf(year, time.May, 5),
		monday(time.July, 3), DateOf(year, time.August, 11), monday(time.September, 3), equinox(time.September, 23.2488),
		monday(time.October, 2), DateOf(year, time.November, 3), DateOf(year, time.November, 23),
	}
	days := make(map[Date]bool, len(proper)+3)
	for _, d := range proper {
		days[d] = true
	}
	for _, d := range proper {
		if d.Time().Weekday() == time.Sunday { // 振替休日: the next day that is none
			for days[d] {
				d++
			}
			days[d] = true
		}
	}
	for i, d := range proper[1:] {
		if between := d - 1; between == proper[i]+1 && between.Time().Weekday() != time.Sunday { // 国民の休日
			days[between] = true
		}
	}
	return days
}

// holiday tells that d is one of Japan's national holidays.
func (d Date) holiday() bool { return holidays().days[d] }
