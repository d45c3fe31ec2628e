package mapping

import (
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/expression"
)

// TestDatetime_times_of_day_as_columns_hold_them: what Excel and Access make of a time, and what people write for none.
func TestDatetime_times_of_day_as_columns_hold_them(t *testing.T) {
	day := expression.Day(engine.DateOf(2026, 3, 2))
	at := func(hour, minute int) any { return time.Date(2026, 3, 2, hour, minute, 0, 0, tokyo).UTC() }
	for _, tt := range []struct {
		on, clock any
		want      any    // nil: a reject
		why       string // in its reason
	}{
		{"46083", "14時半", at(14, 30), ""},
		{"４６０８３", "14:30", at(14, 30), ""},
		{int64(46083), 0.604166666666667, at(14, 30), ""},
		{"2026/3/2", "0.604166666666667", at(14, 30), ""},
		{"2026/3/2", 46083.604166666664, at(14, 30), ""},
		{"2026/3/2", int64(0), at(0, 0), ""},
		{"2026/3/2", 0.999999, time.Date(2026, 3, 2, 23, 59, 59, 0, tokyo).UTC(), ""},
		{"2026/3/2", "1430", at(14, 30), ""},
		{"2026/3/2", "０９３０", at(9, 30), ""},
		{"2026/3/2", int64(1430), at(14, 30), ""},
		{"2026/3/2 0:00:00", "1899/12/30 14:30:00", at(14, 30), ""},
		{"2026-03-02", "1899-12-30 14:30:00", at(14, 30), ""},
		{"2026/3/2", "1900/1/0 9:00", at(9, 0), ""},
		{"2026/3/2", "終日", day, ""},
		{"2026/3/2", "夕方", day, ""},
		{"2026/3/2", "ー", day, ""},
		{"2026/3/2", " － ", day, ""},
		{"2026/3/2", int64(1475), nil, "1475 is no time of day"},
		{"2026/3/2", "14.30", nil, "14.3 is no time of day"},
		{"2026/3/2", int64(14), nil, "14 is no time of day"},
		{"2026/3/2", "1.2.3", nil, `"1.2.3" is no time of day`},
		{"2026/3/2", "15日", nil, "is no time of day"},
	} {
		got, err := datetime(tokyo, []any{tt.on, tt.clock})
		if got != tt.want || (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("datetime(%v, %v) = %v, %v; want %v %s", tt.on, tt.clock, got, err, tt.want, tt.why)
		}
	}
	for value, want := range map[any]any{
		46083.604166666664: at(14, 30), "46083.604166666664": at(14, 30), int64(46083): day, "46083": day, int64(20260302): day,
	} {
		if got, err := datetime(tokyo, []any{value}); got != want || err != nil {
			t.Errorf("datetime(%v) = %v, %v; want %v", value, got, err, want)
		}
	}
}

// TestDate_fiscal_year: in files of 2026年度, January lies in 2027.
func TestDate_fiscal_year(t *testing.T) {
	for text, want := range map[string]engine.Date{
		"4/1": engine.DateOf(2026, 4, 1), "12月28日": engine.DateOf(2026, 12, 28), "1/15": engine.DateOf(2027, 1, 15), "3/31": engine.DateOf(2027, 3, 31), "2026/1/15": engine.DateOf(2026, 1, 15),
	} {
		if got, err := date(tokyo, []any{text, "2026年度"}); got != expression.Day(want) || err != nil {
			t.Errorf("date(%s, 2026年度) = %v, %v; want %v", text, got, err, want)
		}
	}
	if got, err := date(tokyo, []any{"15日", "2026年度"}); err == nil || !strings.Contains(err.Error(), "has no month") {
		t.Errorf("a day of a fiscal year is %v, %v", got, err)
	}
}
