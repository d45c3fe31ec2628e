package review

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"energyd/engine"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		change func(*Settings)
		path   string
	}{
		{func(s *Settings) {}, ""},
		{func(s *Settings) { s.Outcome = "meting" }, "review.outcome"},
		{func(s *Settings) { s.HorizonDays = -1 }, "review.horizon_days"},
		{func(s *Settings) { s.Cuts = "daily" }, "review.cuts"},
		{func(s *Settings) { s.Cuts = "age:30d" }, ""},
		{func(s *Settings) { s.Kinds = []string{"visit"} }, "review.kinds"},
		{func(s *Settings) { s.Class = "executive" }, "review.class"},
		{func(s *Settings) { s.Outcome, s.Class = OutcomeMeeting, "boss" }, "review.class"},
		{func(s *Settings) { s.EveryMonths = 0 }, "review.every_months"},
	} {
		s := DefaultSettings()
		c.change(&s)
		ps := s.Problems()
		if c.path == "" && len(ps) > 0 || c.path != "" && (len(ps) != 1 || ps[0].Path != c.path) {
			t.Errorf("%+v: %v", s, ps)
		}
	}
}

// watched gives the rows of one account: the cut, and whether the success came.
func watched(t *testing.T, settings Settings, bought []engine.Date, acts ...engine.Activity) string {
	t.Helper()
	c := madeTable(30)
	visit := c.Kinds["visit"]
	visit.Meeting = true
	c.Kinds["visit"] = visit
	c.Ranks["president"] = engine.RankConfig{Points: c.Ranks["president"].Points, Class: "executive"}
	table, _ := NewTable(c, compiled(t, c))
	s, err := NewWatch(table, &settings, map[string][]engine.Date{"A": bought})
	if err != nil {
		t.Fatal(err)
	}
	for i := range acts {
		acts[i].ID, acts[i].Account = fmt.Sprint(i), "A"
		s.Add(&acts[i])
	}
	s.Add(&engine.Activity{ID: "end", Account: "B", Kind: "visit", Date: engine.DateOf(2026, 12, 31)})
	s.prepare()
	rows, _ := s.rows(Cuts{}, settings.Horizon())
	var b strings.Builder
	for _, r := range rows {
		if s.deals[r.deal].ID == "A" {
			fmt.Fprintf(&b, "%s %v ", r.cut.String()[5:7], r.won)
		}
	}
	return b.String()
}

// Customers are looked at on the first day of each month while somebody is in touch, and a success counts from the day after.
func TestWatch(t *testing.T) {
	on := func(month time.Month, day int) engine.Date { return engine.DateOf(2025, month, day) }
	president := []engine.Participant{{Rank: "president"}}
	mail := func(d engine.Date, direction engine.Direction) engine.Activity {
		return engine.Activity{Kind: "mail_sent", Date: d, Direction: direction}
	}
	meeting := DefaultSettings()
	meeting.Outcome, meeting.HorizonDays = OutcomeMeeting, 60
	reply := DefaultSettings()
	reply.Outcome, reply.Kinds = OutcomeReply, []string{"mail_sent"}
	renewal := DefaultSettings()
	renewal.Outcome, renewal.HorizonDays = OutcomeRenewal, 90
	for _, c := range []struct {
		name, want string
		settings   Settings
		bought     []engine.Date
		acts       []engine.Activity
	}{
		{"an executive is met", "02 false 03 true 04 true 05 false 06 false 07 false 08 false 09 false 10 false ", meeting, nil, []engine.Activity{
			mail(on(1, 10), engine.Outbound), {Kind: "visit", Date: on(2, 20)}, {Kind: "visit", Date: on(4, 20), People: president},
		}},
		{"declined is not met", "02 false 03 false 04 false 05 false 06 false 07 false ", meeting, nil, []engine.Activity{
			mail(on(1, 10), engine.Outbound), {Kind: "visit", Date: on(1, 20), People: president, Status: engine.Cancelled},
			{Kind: "visit", Date: on(1, 20), People: []engine.Participant{{Rank: "president", Role: engine.Declined}}},
		}},
		{"the customer writes", "02 true 03 false 04 false 05 false 06 false 07 false 08 false ", reply, nil, []engine.Activity{
			mail(on(1, 10), engine.Outbound), mail(on(2, 10), engine.Inbound), mail(on(2, 12), engine.Outbound),
		}},
		{"who bought buys again", "03 true 04 true 05 true 06 false 07 false 08 false ", renewal, []engine.Date{on(2, 10), on(5, 20)}, []engine.Activity{
			mail(on(1, 10), engine.Outbound), mail(on(2, 10), engine.Outbound),
		}},
	} {
		if got := watched(t, c.settings, c.bought, c.acts...); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	wrong := meeting
	wrong.Kinds = []string{"visits"}
	c := madeTable(30)
	table, _ := NewTable(c, compiled(t, c))
	if _, err := NewWatch(table, &wrong, nil); err == nil || !strings.Contains(err.Error(), `did you mean "visit"`) {
		t.Errorf("a kind that there is not: %v", err)
	}
}
