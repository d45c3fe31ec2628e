package file

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/xuri/nfp"
)

// look is how a number format shows a number.
type look uint8

// The looks.
const (
	asNumber   look = iota
	asMoment        // a date, a time of day, or both: the number says which
	asDuration      // [h]:mm
)

// builtIn are the looks of the formats that have a number and no code; from 27
// to 58 are those of Japanese, Chinese and Korean Excel.
func builtIn(id int) look {
	switch {
	case id >= 14 && id <= 22, id == 45, id == 47, id >= 27 && id <= 36, id >= 50 && id <= 58:
		return asMoment
	case id == 46:
		return asDuration
	}
	return asNumber
}

// maxFormat is what Excel takes, in characters.
const maxFormat = 255

// lookOf reads a format code: "yyyy/m/d", "[$-411]ggge年m月d日;@", "[h]:mm". That of positive numbers counts.
func lookOf(code string) look {
	if utf8.RuneCountInString(code) > maxFormat {
		return asNumber
	}
	parser := nfp.NumberFormatParser()
	sections := parser.Parse(code)
	if len(sections) == 0 {
		return asNumber
	}
	for _, token := range sections[0].Items {
		switch token.TType {
		case nfp.TokenTypeElapsedDateTimes:
			return asDuration
		case nfp.TokenTypeDateTimes:
			return asMoment
		}
	}
	return asNumber
}

// maxSerial is 9999-12-31, the last day that Excel knows.
const maxSerial = 2_958_465

// moment writes an Excel number as the date, the time of day or both that it
// shows: "2026-03-01", "14:30:00", "2026-03-01 14:30:00". ok is false for a number
// that is no day. Day 60 of the epoch 1900 is the 29 February that there never was.
func moment(serial float64, epoch1904 bool) (text string, ok bool) {
	if serial < 0 || serial >= maxSerial+1 || math.IsNaN(serial) {
		return "", false
	}
	day := math.Floor(serial)
	seconds := int(math.Round((serial - day) * 86400))
	if seconds == 86400 {
		day, seconds = day+1, 0
	}
	clock := fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if day == 0 && (seconds > 0 || !epoch1904) {
		return clock, true
	}
	origin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case epoch1904:
		origin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case day == 60:
		return "", false
	case day < 60:
		origin = origin.AddDate(0, 0, 1)
	}
	date := origin.AddDate(0, 0, int(day)).Format(time.DateOnly)
	if seconds == 0 {
		return date, true
	}
	return date + " " + clock, true
}

// duration writes a number of days as hours: "26:30:00".
func duration(days float64) string {
	seconds := int64(math.Round(days * 86400))
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	return fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
}

// cellNumber reads a number as Excel shows it: to 15 digits; whole ones as int64.
func cellNumber(text string) (any, float64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) <= 15 {
		return n, float64(n), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, 0, false
	}
	f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f), f, true
	}
	return f, f, true
}
