package mapping

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"energyd/engine"
)

// moment is what a text says of when: a date, a time of day, or both, and a zone if it names one.
type moment struct {
	year, month, day          int
	hour, minute, second      int
	nano                      int
	offset                    int // seconds east of UTC, when hasZone
	hasDate, hasTime, hasZone bool
	yearless                  bool // of a date only the month and the day are said, or with month 0 the day
	minutes                   int  // to the end that a time has, as 14:30〜15:00
	hasEnd                    bool
}

// parseMoment reads dates and times as people and systems write them:
//
//	2026/09/30  2026-9-30  2026.9.30  20260930  2026年9月30日  R8.9.30  令和8年9月30日  (weekday in brackets allowed)
//	08:30  8:30:15.25  8時30分  14時半  午後2時  2:30 PM  正午  10時頃  14:30〜15:00 (the beginning counts)
//	a date and a time with a blank or T between them, and then Z, +09:00, +0900, JST
//
// in full or half width. A year of an era that went on under another name is
// taken for what was meant: 平成35年 is 2023. The error says what is wrong in a phrase.
func parseMoment(text string) (moment, error) {
	m, err := parsePartial(text)
	if err == nil && m.yearless {
		return moment{}, fmt.Errorf("%q %w", short(text), errYearless)
	}
	return m, err
}

// moments remembers what short texts mean: reports have few days and times of
// day. Longer ones hold seconds and zones, and seldom come again.
var moments cache[moment]

const shortMoment = 17 // bytes: 2026年12月31日 just fits

// parsePartial is parseMoment that takes dates without a year, too: 3/1, 3月1日, 1日.
func parsePartial(text string) (moment, error) {
	if len(text) > shortMoment {
		return scanMoment(text)
	}
	m, known := moments.get(text)
	if known {
		return m, nil
	}
	m, err := scanMoment(text)
	if err == nil {
		moments.put(text, m)
	}
	return m, err
}

func scanMoment(text string) (moment, error) {
	p := scanner{s: text}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			p.s = norm.NFKC.String(text) // full-width digits, ideographic space
			break
		}
	}
	m, err := p.moment()
	if err != nil {
		return moment{}, fmt.Errorf("%q %w", short(text), err)
	}
	return m, nil
}

var (
	errNoDate   = fmt.Errorf("is no date or time; known are 2026-09-30, 2026/9/30, 2026年9月30日, R8.9.30, 08:30, 8時30分 and RFC 3339")
	errTime     = fmt.Errorf("has no such time of day")
	errYearless = fmt.Errorf("has no year; give date() what says it, as date(column, _period)")
)

// scanner walks over a text; its methods take what they name and tell whether it was there.
type scanner struct {
	s string
	i int
}

func (p *scanner) blanks() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t') {
		p.i++
	}
}

func (p *scanner) take(word string) bool {
	if strings.HasPrefix(p.s[p.i:], word) {
		p.i += len(word)
		return true
	}
	return false
}

// takeFold is take without regard to ASCII case.
func (p *scanner) takeFold(word string) bool {
	if n := p.i + len(word); n <= len(p.s) && strings.EqualFold(p.s[p.i:n], word) {
		p.i = n
		return true
	}
	return false
}

// digits reads up to limit digits and gives how many there were.
func (p *scanner) digits(limit int) (value, n int) {
	for n < limit && p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		value = value*10 + int(p.s[p.i]-'0')
		p.i++
		n++
	}
	return value, n
}

func (p *scanner) moment() (moment, error) {
	var m moment
	p.blanks()
	if err := p.date(&m); err != nil {
		return m, err
	}
	if m.hasDate {
		p.weekday()
		if !p.take("T") && !p.take("t") {
			p.blanks()
		}
	}
	if p.i < len(p.s) {
		iso := p.i > 0 && p.s[p.i-1]|0x20 == 't'
		if err := p.clock(&m, iso); err != nil {
			return m, err
		}
	}
	p.blanks()
	if p.i < len(p.s) || !m.hasDate && !m.hasTime {
		return m, errNoDate
	}
	return m, nil
}

// eras are the Japanese eras with their first day; a date before it does not exist in the era.
var eras = []struct {
	names []string
	from  engine.Date
	year  int // of the era's first year
}{
	{[]string{"令和", "R", "r"}, engine.DateOf(2019, 5, 1), 2019},
	{[]string{"平成", "H", "h"}, engine.DateOf(1989, 1, 8), 1989},
	{[]string{"昭和", "S", "s"}, engine.DateOf(1926, 12, 25), 1926},
}

func (p *scanner) date(m *moment) error {
	begin := p.i
	if p.s == "" || p.i == len(p.s) {
		return errNoDate
	}
	from, base := engine.NoDate, 0
	if c := p.s[p.i]; c < '0' || c > '9' {
		for _, era := range eras {
			for _, name := range era.names {
				if base == 0 && p.take(name) {
					from, base = era.from, era.year-1
				}
			}
		}
		if base == 0 {
			return nil // 午後2時 is a time
		}
		p.blanks()
	}
	year, n := p.digits(8)
	if base != 0 && n == 0 && p.take("元") {
		year, n = 1, 1
	}
	switch {
	case base == 0 && n == 8: // 20260930
		m.year, m.month, m.day = year/10000, year/100%100, year%100
	case base == 0 && n == 4, base != 0 && n >= 1 && n <= 2:
		m.year = year + base
		separator, ok := p.separator("年")
		if !ok {
			return errNoDate
		}
		var nm, nd int
		m.month, nm = p.digits(2)
		if separator == "年" {
			ok = p.take("月")
		} else {
			ok = p.take(separator)
		}
		p.blanks()
		m.day, nd = p.digits(2)
		if !ok || nm == 0 || nd == 0 || separator == "年" && !p.take("日") {
			return errNoDate
		}
	case base == 0 && n >= 1 && n <= 2 && p.yearless(m, year):
		return nil
	default: // 08:30
		p.i = begin
		return nil
	}
	m.hasDate = true
	return m.checkDate(from)
}

// yearless reads the rest of 3/1, 3月1日, 1日 and 1 behind their first number.
func (p *scanner) yearless(m *moment, first int) bool {
	begin := p.i
	m.month, m.day = 0, first
	switch {
	case p.i == len(p.s), p.take("日"):
	case p.take("/"), p.take("月"):
		marked := p.s[p.i-1] != '/'
		p.blanks()
		day, n := p.digits(2)
		if n == 0 || marked && !p.take("日") && p.i < len(p.s) || !marked && p.i < len(p.s) && p.s[p.i] == '/' {
			p.i, m.day = begin, 0
			return false
		}
		m.month, m.day = first, day
	default:
		m.day = 0
		return false
	}
	m.hasDate, m.yearless = true, true
	return true
}

// complete gives a date without a year the one that lies next to a period: a
// year, or a month of one. In a report of January, 12/28 is of the year before.
func (m *moment) complete(year, month int) error {
	m.year = year
	switch {
	case m.month == 0 && month == 0:
		return fmt.Errorf("has no month, and the period that is given with it neither")
	case m.month == 0:
		m.month = month
	case month > 0 && m.month-month > 6:
		m.year--
	case month > 0 && month-m.month > 6:
		m.year++
	}
	m.yearless = false
	return m.checkDate(engine.NoDate)
}

func (p *scanner) separator(year string) (string, bool) {
	p.blanks()
	for _, s := range [...]string{"-", "/", ".", year} {
		if p.take(s) {
			p.blanks()
			return s, true
		}
	}
	return "", false
}

func (m *moment) checkDate(from engine.Date) error {
	switch {
	case m.month < 1 || m.month > 12:
		return fmt.Errorf("has no month %d", m.month)
	case m.day < 1 || m.day > daysIn(m.year, m.month):
		return fmt.Errorf("is impossible: month %d of %d has %d days", m.month, m.year, daysIn(m.year, m.month))
	case m.date() < from:
		return fmt.Errorf("is before the first day of its era, %s", from)
	}
	return checkYear(m.year)
}

// checkYear refuses what systems write for "never" and "not known": 0001, 9999.
func checkYear(year int) error {
	if year < 1900 || year > 2199 {
		return fmt.Errorf("is in the year %d; years from 1900 to 2199 are taken", year)
	}
	return nil
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// weekday skips "(水)", "（水曜日）" (half width by now) and "(Wed)" behind a date.
func (p *scanner) weekday() {
	rest := p.s[p.i:]
	blanks := len(rest) - len(strings.TrimLeft(rest, " "))
	if rest = rest[blanks:]; strings.HasPrefix(rest, "(") {
		if end := strings.IndexByte(rest, ')'); end > 0 && end <= len("(水曜日)") {
			p.i += blanks + end + 1
		}
	}
}

// clock reads a time of day, and its end where it has one. iso: behind a T, where -08:00 is a zone.
func (p *scanner) clock(m *moment, iso bool) error {
	if err := p.time(m, iso); err != nil {
		return err
	}
	p.blanks()
	for _, about := range [...]string{"頃", "ごろ", "ころ"} {
		if p.take(about) {
			p.blanks()
			break
		}
	}
	if !p.to() {
		return nil
	}
	m.hasEnd = false
	if p.blanks(); p.i == len(p.s) { // 14:30〜
		return nil
	}
	var end moment
	if err := p.time(&end, true); err != nil {
		return err
	}
	if m.minutes = end.hour*60 + end.minute - m.hour*60 - m.minute; m.minutes < 0 {
		m.minutes += 24 * 60
	}
	m.hasEnd = true
	return nil
}

// to skips the word between a beginning and an end.
func (p *scanner) to() bool {
	for _, word := range [...]string{"~", "〜", "-", "–", "—", "―", "から"} {
		if p.take(word) {
			return true
		}
	}
	return false
}

func (p *scanner) time(m *moment, iso bool) error {
	if p.take("正午") {
		m.hour, m.hasTime = 12, true
		return nil
	}
	half := 0 // 1: before noon, 2: after noon, told by a word
	if p.take("午前") || p.takeFold("am") {
		half = 1
	} else if p.take("午後") || p.takeFold("pm") {
		half = 2
	}
	p.blanks()
	var n int
	m.hour, n = p.digits(2)
	if n == 0 {
		return errNoDate
	}
	m.hasTime = true
	switch {
	case p.take("時"):
		if p.take("半") {
			m.minute = 30
		} else if m.minute, n = p.digits(2); n > 0 && !p.take("分") { // 14時30
			break
		} else if m.second, n = p.digits(2); n > 0 && !p.take("秒") {
			return errNoDate
		}
	case p.take(":"):
		if m.minute, n = p.digits(2); n != 2 {
			return errNoDate
		}
		if p.take(":") {
			iso = true
			if m.second, n = p.digits(2); n != 2 {
				return errNoDate
			}
			if p.take(".") || p.take(",") {
				m.nano, n = p.digits(9)
				if n == 0 {
					return errNoDate
				}
				for ; n < 9; n++ {
					m.nano *= 10
				}
			}
		}
	case half == 0:
		return errNoDate
	}
	p.blanks()
	if p.takeFold("am") {
		half = 1
	} else if p.takeFold("pm") {
		half = 2
	}
	if half != 0 {
		if m.hour > 12 || m.minute > 59 {
			return errTime
		}
		if m.hour %= 12; half == 2 {
			m.hour += 12
		}
	}
	if m.hour > 24 {
		return errTime
	}
	p.blanks()
	if p.i < len(p.s) && p.s[p.i] == '-' && !iso { // 10:00-11:00
		return m.checkTime()
	}
	if err := p.zone(m); err != nil {
		return err
	}
	return m.checkTime()
}

func (m *moment) checkTime() error {
	// 24:00 ends a day; 60 is a leap second, which counts as the next one.
	if m.hour > 24 || m.hour == 24 && (m.minute > 0 || m.second > 0) || m.minute > 59 || m.second > 60 {
		return errTime
	}
	return nil
}

func (p *scanner) zone(m *moment) error {
	switch {
	case p.take("Z"), p.take("z"), p.take("UTC"), p.take("GMT"):
		m.hasZone = true
	case p.take("JST"):
		m.hasZone, m.offset = true, 9*3600
	case p.i < len(p.s) && (p.s[p.i] == '+' || p.s[p.i] == '-'):
		sign := 1
		if p.s[p.i] == '-' {
			sign = -1
		}
		p.i++
		h, n := p.digits(2)
		p.take(":")
		min, n2 := p.digits(2)
		if n != 2 || n2 == 1 || h > 14 || min > 59 {
			return errNoDate
		}
		m.hasZone, m.offset = true, sign*(h*3600+min*60)
	}
	return nil
}

func (m *moment) date() engine.Date { return engine.DateOf(m.year, time.Month(m.month), m.day) }

// in gives the moment in UTC; a text without a zone is local in loc.
func (m *moment) in(loc *time.Location) time.Time {
	if m.hasZone {
		seconds := int64(m.date())*86400 + int64(m.hour*3600+m.minute*60+m.second-m.offset)
		return time.Unix(seconds, int64(m.nano)).UTC()
	}
	return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, m.nano, loc).UTC()
}

// short cuts a value for a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
