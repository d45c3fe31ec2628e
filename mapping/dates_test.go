package mapping

import (
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/expression"
)

var tokyo = mustLocation("Asia/Tokyo")

func mustLocation(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

func TestParseMoment(t *testing.T) {
	for text, want := range map[string]string{
		"2026/09/30":                    "2026-09-30",
		"2026-9-3":                      "2026-09-03",
		"2026.9.30":                     "2026-09-30",
		"20260930":                      "2026-09-30",
		"2026年9月30日":                    "2026-09-30",
		" 2026年 9月 3日 ":                 "2026-09-03",
		"２０２６／０９／３０":                    "2026-09-30",
		"２０２６年９月３０日":                    "2026-09-30",
		"R8.9.30":                       "2026-09-30",
		"Ｒ８．９．３０":                       "2026-09-30",
		"令和8年9月30日":                     "2026-09-30",
		"令和元年5月1日":                      "2019-05-01",
		"H31.4.30":                      "2019-04-30",
		"平成元年1月8日":                      "1989-01-08",
		"S64.1.7":                       "1989-01-07",
		"2028-02-29":                    "2028-02-29",
		"2026/09/30(水)":                 "2026-09-30",
		"2026年9月30日（水曜日）":               "2026-09-30",
		"2026/09/30 (水) 14:00":          "2026-09-30T05:00:00Z",
		"2026/09/30 08:30":              "2026-09-29T23:30:00Z",
		"2026年9月30日 8時30分":              "2026-09-29T23:30:00Z",
		"2026年9月30日　１４時半":               "2026-09-30T05:30:00Z",
		"2026-09-30T08:30:00Z":          "2026-09-30T08:30:00Z",
		"2026-09-30T08:30:00.000+0000":  "2026-09-30T08:30:00Z",
		"2026-09-30T08:30:00.25+09:00":  "2026-09-29T23:30:00.25Z",
		"2026-09-30 08:30:15 JST":       "2026-09-29T23:30:15Z",
		"2026-09-30 08:30:15.123456-08": "2026-09-30T16:30:15.123456Z",
		"2026/9/30 2:30 PM":             "2026-09-30T05:30:00Z",
		"2026/9/30 12:15 AM":            "2026-09-29T15:15:00Z",
		"2026/9/30 午後2時":                "2026-09-30T05:00:00Z",
		"2026-09-30 24:00":              "2026-09-30T15:00:00Z",
		"S63/1/7":                       "1988-01-07",
		"平成31年4月30日":                    "2019-04-30",
		"平成35年3月1日":                     "2023-03-01", // typed on forms that have 平成 printed
		"昭和64年1月8日":                     "1989-01-08",
		"㋿8.3.1":                        "2026-03-01",
		"2026年3月1日(日)14:30":             "2026-03-01T05:30:00Z",
		"2026/3/1 10:00-11:00":          "2026-03-01T01:00:00Z", // an end, not a zone
		"2026-03-01T10:00-08:00":        "2026-03-01T18:00:00Z",
		"2026/3/1 午後2時30分〜3時":           "2026-03-01T05:30:00Z",
	} {
		m, err := parseMoment(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := m.date().String()
		if m.hasTime {
			got = m.in(tokyo).Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string][2]int{"14:30〜15:00": {14, 30}, "14:30 ～ 15:00": {14, 30}, "10:00-11:00": {10, 0},
		"13:00–": {13, 0}, "9時から10時": {9, 0}, "14時30": {14, 30}, "10時頃": {10, 0}, "正午": {12, 0}, "午後2時30分": {14, 30}, "PM 2:30": {14, 30}, "08:30": {8, 30}, "8時30分": {8, 30}, "14時半": {14, 30}, "午後2時": {14, 0}, "８：３０": {8, 30}, "9時": {9, 0}} {
		m, err := parseMoment(text)
		if err != nil || m.hasDate || m.hour != want[0] || m.minute != want[1] {
			t.Errorf("%s: got %+v, %v; want %v", text, m, err, want)
		}
	}
}

func TestParseMoment_bad(t *testing.T) {
	for text, want := range map[string]string{
		"2026-02-30":       `"2026-02-30" is impossible: month 2 of 2026 has 28 days`,
		"2026年2月30日":       `month 2 of 2026 has 28 days`,
		"2026-13-01":       "has no month 13",
		"2026-00-10":       "has no month 0",
		"2026-04-00":       "month 4 of 2026 has 30 days",
		"9999-12-31":       "is in the year 9999",
		"0001-01-01":       "is in the year 1",
		"R1.4.30":          "before the first day of its era, 2019-05-01",
		"2026-09-30 25:00": "has no such time of day",
		"2026-09-30 24:01": "has no such time of day",
		"08:60":            "has no such time of day",
		"13:00 PM":         "has no such time of day",
		"":                 "is no date or time",
		"明日":               "is no date or time",
		"9/30":             "has no year",
		"9月30日":            "has no year",
		"30日":              "has no year",
		"26/9/30":          "is no date or time",
		"9/30/26":          "is no date or time",
		"令和0年1月1日":         "before the first day of its era",
		"令和元年4月30日":        "before the first day of its era",
		"2/30":             "has no year",
		"14:30〜25:00":      "has no such time of day",
		"〜15:00":           "is no date or time",
		"10時頃まで":           "is no date or time",
		"2026-09":          "is no date or time",
		"2026-09/30":       "is no date or time",
		"2026-09-30x":      "is no date or time",
		"2026年9月30":        "is no date or time",
		"T":                "is no date or time",
		"R":                "is no date or time",
	} {
		m, err := parseMoment(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v; want error %q", text, m, err, want)
		}
	}
}

// TestDate_takes_the_year_from_a_period: sheets of a month say 3/1, or the day alone.
func TestDate_takes_the_year_from_a_period(t *testing.T) {
	day := func(y, m, d int) expression.Day { return expression.Day(engine.DateOf(y, time.Month(m), d)) }
	for _, tt := range []struct {
		value, period any
		want          any    // nil: a reject
		why           string // in its reason
	}{
		{"3/1", "2026-03", day(2026, 3, 1), ""},
		{"３月１日（日）", "2026-03", day(2026, 3, 1), ""},
		{"3/1 14:30", "2026", day(2026, 3, 1), ""},
		{"12/28", "2026-01", day(2025, 12, 28), ""},
		{"1/4", "2026-12", day(2027, 1, 4), ""},
		{"7/1", "2026-01", day(2026, 7, 1), ""},
		{"8/1", "2026-01", day(2025, 8, 1), ""},
		{"6/30", "2026-12", day(2026, 6, 30), ""},
		{"5/31", "2026-12", day(2027, 5, 31), ""},
		{"15日", "2026-03", day(2026, 3, 15), ""},
		{int64(15), "2026-03", day(2026, 3, 15), ""},
		{"3/1", int64(2026), day(2026, 3, 1), ""},
		{"3/1", day(2026, 2, 28), day(2026, 3, 1), ""},
		{"3/1", "令和8年3月31日", day(2026, 3, 1), ""},
		{"2025/3/1", "2026-03", day(2025, 3, 1), ""},
		{int64(20260301), nil, day(2026, 3, 1), ""},
		{int64(46082), nil, day(2026, 3, 1), ""},
		{46082.604, nil, day(2026, 3, 1), ""},
		{"2/29", "2026-03", nil, `"2/29" is impossible: month 2 of 2026 has 28 days`},
		{"13/1", "2026-03", nil, "has no month 13"},
		{"3/1", "", nil, "has no year"},
		{"15日", "2026", nil, "has no month"},
		{"3/1", "弥生", nil, `"弥生" is no period`},
		{"3/1", "2026-13", nil, `"2026-13" is no period`},
		{"3/1", int64(26), nil, "is in the year 26"},
		{int64(15), nil, nil, "has no year"},
		{int64(20260230), nil, nil, "20260230 is impossible"},
		{1.5, "2026-03", nil, "1.5 is no date"},
	} {
		args := []any{tt.value}
		if tt.period != nil {
			args = append(args, tt.period)
		}
		got, err := date(tokyo, args)
		if got != tt.want || (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("date(%v, %v) = %v, %v; want %v %s", tt.value, tt.period, got, err, tt.want, tt.why)
		}
	}
	if got, err := datetime(tokyo, []any{day(2026, 3, 1), "3/1 14:30"}); err != nil || !asTime(got).Equal(time.Date(2026, 3, 1, 5, 30, 0, 0, time.UTC)) {
		t.Errorf("of a column with both, the clock is taken: got %v, %v", got, err)
	}
}

func TestMinutes(t *testing.T) {
	for text, want := range map[string]any{
		"14:30〜15:00": int64(30), "9時半から11時": int64(90), "23:00-1:00": int64(120), "2026/3/1 10:00-11:30": int64(90), "14:30": nil, "14:30〜": nil, "": nil,
	} {
		if got, err := minutes(tokyo, []any{text}); err != nil || got != want {
			t.Errorf("minutes(%s) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{"2026/09/30", "R8.9.30", "令和元年5月1日", "午後2時半", "2026-09-30T08:30:00.000+0000", "２０２６（水)", "\xff"} {
		f.Add(s)
	}
	for _, s := range []string{"3/1", "3月1日", "14:30〜15:00", "10:00-11:00", "10時頃", "正午"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := parsePartial(text); err == nil && m.yearless {
			if m.complete(2026, 3) == nil && (m.date().Time().Year() < 2025 || m.date().Time().Year() > 2027) {
				t.Fatalf("%q completed by 2026-03 gives %v", text, m.date())
			}
		}
		m, err := parseMoment(text)
		if err != nil {
			return
		}
		if m.hasEnd && (m.minutes < 0 || m.minutes > 24*60) {
			t.Fatalf("%q lasts %d minutes", text, m.minutes)
		}
		if m.hasDate {
			if at := m.in(tokyo); at.Year() < 1899 || at.Year() > 2200 {
				t.Fatalf("%q gives %v", text, at)
			}
			d := m.date().String()
			if back, err := parseMoment(d); err != nil || back.date() != m.date() {
				t.Fatalf("%q gives %s, which gives %v, %v", text, d, back, err)
			}
		}
	})
}
