package explain_test

import (
	"testing"

	"energyd/engine"
	"energyd/internal/explain"
)

func TestAlarmSentences(t *testing.T) {
	day := engine.DateOf(2026, 5, 10)
	year := engine.Period(2026 * 12)
	p := shipped(t)
	for _, test := range []struct {
		alarm  engine.Alarm
		ja, en string
	}{
		{engine.Alarm{Kind: engine.Surge, Days: 14, Contacts: 5, Usual: 0.4148, P: 0.000321},
			"14日間でお客様から5回、ふだんは0.4回。偶然なら3,100回に1回",
			"5 contacts by the customer in 14 days, usual 0.4, 1 in 3,100 by chance"},
		{engine.Alarm{Kind: engine.Cooling, From: 2, To: 1, Since: day, Last: day - 40},
			"温度帯が「温」から「ぬるい」に下がりました（2026-05-10、最後の接触は2026-03-31）",
			"fell from warm to lukewarm on 2026-05-10, the last contact was on 2026-03-31"},
		{engine.Alarm{Kind: engine.Silence, Days: 59, Usual: 17.3, P: 0.0489, Last: day, Booked: engine.NoDate},
			"2026-05-10 の接触から59日以上たちました。ふだんは17日に1回。偶然なら20回に1回",
			"no contact for 59 days since 2026-05-10, usually one in 17 days, 1 in 20 by chance"},
		{engine.Alarm{Kind: engine.Silence, Days: 59, Usual: 17.3, P: 0.0489, Last: day, Booked: day + 70},
			"2026-05-10 の接触から59日以上たちました。ふだんは17日に1回。偶然なら20回に1回（2026-07-19 に予定あり）",
			"no contact for 59 days since 2026-05-10, usually one in 17 days, 1 in 20 by chance; booked on 2026-07-19"},
		{engine.Alarm{Kind: engine.Leaving, Last: day, Contacts: 21, Alive: 0.497},
			"最後の購入は 2026-05-10（購入 21回）。取引が続いている見込みは50%",
			"last bought on 2026-05-10 (21 purchases), still a customer with a probability of 50%"},
		{engine.Alarm{Kind: engine.Low, Days: 3, Milli: 8500, Limit: 10000},
			"直近3か月の獲得は8.5点（10点以下）", "earned 8.5 points in the last 3 months (10 or less)"},
		{engine.Alarm{Kind: engine.Halved, Days: 1, Back: 3, Milli: 8000, Before: 20000, Period: year + 3},
			"2026-04 の獲得は8点で、2026-01 の20点の40%", "earned 8 points in 2026-04, 40% of the 20 points in 2026-01"},
		{engine.Alarm{Kind: engine.Halved, Days: 3, Back: 3, Milli: 0, Before: 20000, Period: year + 5},
			"2026-04〜2026-06 の獲得は0点で、2026-01〜2026-03 の20点の0%", "earned 0 points in 2026-04–2026-06, 0% of the 20 points in 2026-01–2026-03"},
	} {
		for language, want := range map[string]string{"ja": test.ja, "en": test.en} {
			x := explain.Explainer{Points: p, Language: language}
			if got := x.Alarm(test.alarm); got != want {
				t.Errorf("%s: %q\nwant %q", language, got, want)
			}
		}
	}
}
