package mapping

import (
	"strings"
	"testing"
	"time"
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
	for text, want := range map[string][2]int{"08:30": {8, 30}, "8時30分": {8, 30}, "14時半": {14, 30}, "午後2時": {14, 0}, "８：３０": {8, 30}, "9時": {9, 0}} {
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
		"9/30":             "is no date or time",
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

func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{"2026/09/30", "R8.9.30", "令和元年5月1日", "午後2時半", "2026-09-30T08:30:00.000+0000", "２０２６（水)", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMoment(text)
		if err != nil {
			return
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
