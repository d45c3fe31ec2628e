package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"energyd/internal/expression"
)

// timeless are what people write where a time of day belongs and none is to be had. The date stands alone then.
var timeless = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields("- ー ― — – ~ 終日 未定 不明 なし 無し 午前 午前中 午後 朝 昼 夕方 夜") {
		words[norm.NFKC.String(w)] = true
	}
	return words
}()

// zeroDays stand before a time that a program exported as a date: Access, Excel and their libraries.
var zeroDays = []string{"1899/12/30 ", "1899-12-30 ", "1899/12/31 ", "1899-12-31 ", "1900/1/0 ", "1900/01/00 ", "1900-01-00 "}

// clocks remembers what cells say of the time of day.
var clocks cache[moment]

// timeOfDay reads the time of day in a cell, perhaps with its day; what it gives
// has no time where the cell says in words that there is none.
func timeOfDay(text string) (m moment, err error) {
	m, known := clocks.get(text)
	if known {
		return m, nil
	}
	clock := clockText(text)
	switch {
	case timeless[clock]:
	case clock != "" && strings.Trim(clock, ".0123456789") == "":
		n, err := strconv.ParseFloat(clock, 64)
		if err != nil {
			return m, fmt.Errorf("%q is no time of day", short(clock))
		}
		if m, err = clockNumber(n); err != nil {
			return m, err
		}
	default:
		if m, err = parsePartial(clock); err == nil && !m.hasTime {
			err = fmt.Errorf("%q is no time of day", short(clock))
		}
		if err != nil {
			return m, err
		}
	}
	if len(text) <= shortMoment {
		clocks.put(text, m)
	}
	return m, nil
}

// clockText is the time of day in a cell.
func clockText(text string) string {
	text = strings.TrimSpace(norm.NFKC.String(text))
	for _, day := range zeroDays {
		if rest, found := strings.CutPrefix(text, day); found {
			return strings.TrimSpace(rest)
		}
	}
	return text
}

// clockNumber reads a time of day that came as a number: 0.604, which a cell of Excel
// without a time's format holds, alone or behind its day (46082.604), or 1430.
func clockNumber(v float64) (moment, error) {
	m := moment{hasTime: true}
	switch n := int(v); {
	case v >= 100 && v < 2400 && v == math.Trunc(v) && n%100 < 60:
		m.hour, m.minute = n/100, n%100
	case v >= 0 && v < 1, v >= firstSerial && v < lastSerial:
		seconds := min(int(math.Round((v-math.Floor(v))*86400)), 86399)
		m.hour, m.minute, m.second = seconds/3600, seconds/60%60, seconds%60
	default:
		return m, fmt.Errorf("%v is no time of day; known are 14:30, 14時半, 1430 and 0.604, as Excel counts", v)
	}
	return m, nil
}

// serialTime reads a moment that came as a number of Excel's days; whole ones are dates.
func serialTime(zone *time.Location, v float64) (any, error) {
	day, err := dayNumber(v, nil)
	if err != nil || v == math.Trunc(v) {
		return day, err
	}
	m, err := clockNumber(v)
	if err != nil {
		return nil, dateError(err)
	}
	m.year, m.month, m.day = civil(day.(expression.Day))
	return m.in(zone), nil
}
