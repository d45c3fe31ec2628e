package engine_test

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"
	"pgregory.net/rapid"

	"energyd/engine"
)

// The embedded holidays are the Cabinet Office's, day by day, and the
// business clock stands still on them, on weekends and on no other day.
func TestBusinessClockAgainstCabinetOffice(t *testing.T) {
	raw, err := os.ReadFile("../../shared/data/holidays/syukujitsu.csv")
	if err != nil {
		t.Fatal(err)
	}
	text, err := japanese.ShiftJIS.NewDecoder().Bytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	official := make(map[engine.Date]bool)
	for _, line := range strings.Split(strings.TrimSpace(string(bytes.ReplaceAll(text, []byte("\r"), nil))), "\n")[1:] {
		day, _, _ := strings.Cut(line, ",")
		d, err := time.Parse("2006/1/2", day)
		if err != nil {
			t.Fatal(err)
		}
		official[engine.DateOf(d.Date())] = true
	}
	if len(official) < 1000 {
		t.Fatalf("only %d holidays in the official list", len(official))
	}
	p := table(t, businessClock(40))
	for d := date("1950-01-01"); d < date("2028-01-01"); d++ {
		weekday := d.Time().Weekday()
		works := weekday != time.Saturday && weekday != time.Sunday && !official[d]
		if ticks := p.Clock(d) - p.Clock(d-1); (ticks == 1) != works {
			t.Errorf("%v: the clock ticks %d, business day: %v", d, ticks, works)
		}
	}
}

func TestShutdownDays(t *testing.T) {
	p := table(t, businessClock(40), func(c *engine.PointsConfig) { c.ShutdownDays = []string{"2026-08-13", "12-29", "12-30"} })
	for _, test := range []struct {
		from, to string
		want     int
	}{
		{"2026-08-12", "2026-08-14", 1}, // the 13th is closed in 2026
		{"2025-08-12", "2025-08-14", 2}, // not the year before
		{"2026-12-28", "2026-12-31", 1}, // every year
		{"2027-12-28", "2027-12-31", 1},
		{"2101-01-02", "2101-01-04", 2}, // beyond the table weekdays count
		{"2100-12-31", "2101-01-07", 5},
	} {
		same(t, test.from+" to "+test.to, p.Clock(date(test.to))-p.Clock(date(test.from)), test.want)
	}
}

// Business dates agree with the standard library in zones with and without clock changes, at all times.
func TestBusinessDate(t *testing.T) {
	for _, name := range []string{"Asia/Tokyo", "America/Los_Angeles", "Australia/Lord_Howe", "America/Scoresbysund"} {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			p := table(t, func(c *engine.PointsConfig) { c.Timezone = name })
			rapid.Check(t, func(t *rapid.T) {
				at := time.Unix(rapid.Int64Range(-4e9, 6e9).Draw(t, "at"), 0)
				if got, want := p.BusinessDate(at), engine.DateOf(at.In(loc).Date()); got != want {
					t.Fatalf("%v is on %v, want %v", at.UTC(), got, want)
				}
			})
		})
	}
	p := table(t)
	same(t, "end of time", p.BusinessDate(time.Unix(1<<60, 0)).String(), "9999-12-31")
	same(t, "beginning of time", p.BusinessDate(time.Unix(-1<<60, 0)).String(), "0001-01-01")
}

// The engine's days are counted from 1970-01-01; contacts of before are contacts as well.
func TestContactsBefore1970(t *testing.T) {
	for _, g := range []engine.GroupConfig{{HalfLifeDays: 60}, {Decay: "grace_exp", GraceDays: 30, HalfLifeDays: 60},
		{Decay: "step", StepPoints: 15, StepDays: 60}, {Decay: "linear", FadeDays: 120}, {Decay: "none"}} {
		p := table(t, oneGroup(g), func(c *engine.PointsConfig) { c.Clock = "calendar" })
		now := map[string]float64{"": 15, "grace_exp": 30 * math.Exp2(-0.5), "step": 15, "linear": 15, "none": 30}[g.Decay]
		for _, day := range []string{"0001-01-01", "1965-06-01", "1969-12-31", "2026-01-01"} {
			cells := []engine.Cell{{Date: date(day), Milli: 30_000, Count: 1}}
			near(t, g.Decay+" "+day, temperature(p, cells, date(day)), 30)
			near(t, g.Decay+" 60 days after "+day, temperature(p, cells, date(day)+60), now)
		}
	}
}

// Who looks on the calendar's last day gets an answer, also where business days count.
func TestTheLastDayThereIs(t *testing.T) {
	for _, clock := range []string{"calendar", "business"} {
		p := watching(t, func(c *engine.PointsConfig) { c.Clock, c.HalfLifeDays = clock, 36_500 })
		s := p.Evaluate(engine.Account, []engine.Cell{{Date: date("9999-12-01"), Milli: 100_000, Count: 1}}, date("9999-12-31"))
		same(t, clock+" due", s.Due, engine.NoDate)
		same(t, clock+" band until", s.BandUntil, engine.NoDate)
	}
}
