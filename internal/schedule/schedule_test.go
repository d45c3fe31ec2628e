package schedule

import (
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
)

func TestParse(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 11, 21, 18, 30, 0, 0, time.UTC) // 03:30 on the 22nd in Tokyo
	for text, want := range map[string]string{
		"0 2 * * *":                       "2026-11-23T02:00:00+09:00",
		"@daily":                          "2026-11-23T00:00:00+09:00",
		"@every 30m":                      "2026-11-22T04:00:00+09:00",
		"0 0 29 2 *":                      "2028-02-29T00:00:00+09:00",
		"15 9 * * MON":                    "2026-11-23T09:15:00+09:00",
		"every 15m":                       "2026-11-22T03:45:00+09:00",
		"after tasks":                     "0001-01-01T00:00:00Z",
		"watch":                           "0001-01-01T00:00:00Z",
		"CRON_TZ=Europe/Berlin 0 2 * * *": "2026-11-22T02:00:00+01:00",
	} {
		s, err := Parse(text, tokyo)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := s.Next(from).Format(time.RFC3339); got != want {
			t.Errorf("%q: next after %s is %s, want %s", text, from, got, want)
		}
	}
	for text, say := range map[string]string{
		"":                        "is empty",
		"0 0 31 2 *":              "never comes",
		"TZ=Europe/Berlin":        "names a zone and no time",
		"CRON_TZ=Asia/Tokyo ":     "names a zone and no time",
		"TZ=Asia/Tokio 0 2 * * *": "unknown time zone",
		"@every -5m":              "below one minute",
		"@every soon":             "not a duration",
		"every":                   "not a duration",
		"after":                   "names no source",
		"after a b":               "names no source",
		"watch mail":              "schedule",
		"at night":                "schedule",
		"61 * * * *":              "schedule",
	} {
		_, err := Parse(text, tokyo)
		if err == nil || !strings.Contains(err.Error(), say) || fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
			t.Errorf("%q: error %v does not say %q with a hint", text, err, say)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0 2 * * *", "@every 1h", "TZ=", "*/0 * * * *", "@", "1-5/2,7 * * * *", "after x", "watch", "CRON_TZ=Africa/Cairo 0 0 * * *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, time.UTC)
		if err == nil && s.Next(time.Unix(0, 0)).IsZero() != (s.OnNews() || s.After() != "") {
			t.Errorf("%q is accepted but never fires", text)
		}
	})
}
