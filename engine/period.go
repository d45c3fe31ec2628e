package engine

import (
	"fmt"
	"sort"
	"time"
)

// Period is a month of the tenant's reckoning: year*12 + month-1. With a
// closing day it carries the name of the month it ends in.
type Period int32

// String gives "2026-03".
func (m Period) String() string { return fmt.Sprintf("%04d-%02d", floorDiv(int64(m), 12), m.month()) }

func (m Period) month() time.Month {
	return time.Month(int64(m) - 12*floorDiv(int64(m), 12) + 1)
}

// Period gives the period that a date falls in.
func (p *Points) Period(d Date) Period {
	m, _ := p.periodOf(d)
	return m
}

// periodOf gives the period of d and that period's last date.
func (p *Points) periodOf(d Date) (Period, Date) {
	year, month, day := d.Time().Date()
	m := Period(year*12 + int(month) - 1)
	closing := p.closing(m)
	if day <= closing {
		return m, d + Date(closing-day)
	}
	return m + 1, d + Date(m.days()-day+p.closing(m+1))
}

// closing gives the closing day of a month, cut to the month's length.
func (p *Points) closing(m Period) int {
	if p.closingDay == 0 {
		return m.days()
	}
	return min(p.closingDay, m.days())
}

// days gives the length of the calendar month.
func (m Period) days() int {
	switch m.month() {
	case time.February:
		if y := floorDiv(int64(m), 12); y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	}
	return 31
}

// PeriodStart gives the first date of a period.
func (p *Points) PeriodStart(m Period) Date {
	year, month, day := floorDiv(int64(m)-1, 12), (m - 1).month(), p.closing(m-1)
	return DateOf(int(year), month, day) + 1
}

// FiscalYear gives the fiscal year of a period, named after the year it begins in.
func (p *Points) FiscalYear(m Period) int {
	return int(floorDiv(int64(m)-int64(p.fiscalStart-1), 12))
}

// Dates are kept within the years that RFC 3339 can write, so that no clock arithmetic overflows.
var (
	firstDate = DateOf(1, time.January, 1)
	lastDate  = DateOf(9999, time.December, 31)
)

// zone turns instants into local dates. It is a table of UTC offsets, because
// time.Time.In costs more than all the rest of scoring an activity.
type zone struct {
	loc     *time.Location
	starts  []int64 // Unix seconds at which offsets[i] begins, ascending
	offsets []int64 // seconds east of UTC
	end     int64   // the table holds before this
}

func newZone(loc *time.Location) zone {
	z := zone{loc: loc, end: time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()}
	for t := time.Date(1970, time.January, 1, 0, 0, 0, 0, time.UTC); t.Unix() < z.end; {
		local := t.In(loc)
		_, seconds := local.Zone()
		offset := int64(seconds)
		if n := len(z.offsets); n == 0 || z.offsets[n-1] != offset {
			z.starts, z.offsets = append(z.starts, t.Unix()), append(z.offsets, offset)
		}
		_, next := local.ZoneBounds()
		if next.IsZero() {
			break
		}
		if !next.After(t) { // so at the end of leap years after 2037, in Go 1.26
			next = t.Add(24 * time.Hour)
		}
		t = next
	}
	return z
}

// date gives the local date of t.
func (z *zone) date(t time.Time) Date {
	sec := t.Unix()
	var offset int64
	if sec >= z.starts[0] && sec < z.end {
		offset = z.offsets[sort.Search(len(z.starts), func(i int) bool { return z.starts[i] > sec })-1]
	} else {
		_, o := t.In(z.loc).Zone()
		offset = int64(o)
	}
	return Date(min(max(floorDiv(sec+offset, 86400), int64(firstDate)), int64(lastDate)))
}

// BusinessDate gives the date of an instant in the tenant's zone, cut to the years 1 to 9999.
func (p *Points) BusinessDate(t time.Time) Date { return p.zone.date(t) }

// DateOf gives the business date of an activity: that of its instant, or the date it was reported with.
func (p *Points) DateOf(a *Activity) Date {
	if a.At.IsZero() {
		return min(max(a.Date, firstDate), lastDate)
	}
	return p.zone.date(a.At)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
