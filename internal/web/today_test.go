package web

import (
	"testing"

	"energyd/internal/web/signon"
)

// TestToday_own: who sees only his own customers is told of no alarm of another's.
func TestToday_own(t *testing.T) {
	d := dashboard(t, company(t))
	see := func(reader signon.Reader) *today {
		shown, err := viewToday(t.Context(), visitOf(t, d, "/today", reader))
		if err != nil {
			t.Fatal(err)
		}
		return shown
	}
	all := see(signon.Reader{Role: signon.Manager})
	rep := all.Alarms[0].Rep
	own := see(signon.Reader{Name: "own", Role: signon.Viewer, Rep: rep, OwnOnly: true})
	if len(own.Alarms) == 0 || own.AllAlarms == all.AllAlarms {
		t.Errorf("%d of %d alarms are shown", own.AllAlarms, all.AllAlarms)
	}
	for _, a := range own.Alarms {
		if a.Rep != rep {
			t.Errorf("an alarm of %s is shown to %s", a.Rep, rep)
		}
	}
}

// TestStartRow_Words: a time of every day is said in words, what is rarer as it is configured.
func TestStartRow_Words(t *testing.T) {
	for schedule, want := range map[string]text{
		"0 2 * * *":    {Ja: "毎日 02:00", En: "every day at 02:00"},
		"30 21 * * *":  {Ja: "毎日 21:30", En: "every day at 21:30"},
		"*/15 * * * *": {Ja: "*/15 * * * *", En: "*/15 * * * *"},
		"0 25 * * *":   {Ja: "0 25 * * *", En: "0 25 * * *"},
		"@hourly":      {Ja: "@hourly", En: "@hourly"},
	} {
		if got := (startRow{Schedule: schedule}).Words(); got != want {
			t.Errorf("%s: %v", schedule, got)
		}
	}
}
