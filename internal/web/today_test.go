package web

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/pipeline"
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

// TestToday_bands: after a second night, two months later, the page names who is in another band than the CRM had;
// after the first, when the CRM had none, nobody; and a rep's page his own customers alone.
func TestToday_bands(t *testing.T) {
	file := company(t)
	see := func(reader signon.Reader) *bandChanges {
		t.Helper()
		shown, err := viewToday(t.Context(), visitOf(t, dashboard(t, file), "/today", reader))
		if err != nil {
			t.Fatal(err)
		}
		return shown.Bands
	}
	if first := see(signon.Reader{Role: signon.Manager}); first.Warmer+first.Colder+len(first.Top) != 0 {
		t.Errorf("after the first night: %+v", first)
	}
	p := openOn(t, file, func() time.Time { return demoDay().AddDate(0, 2, 0) })
	defer p.Close()
	if _, _, _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	everybody := see(signon.Reader{Role: signon.Manager})
	if everybody.Warmer != 0 || everybody.Colder <= mostBands || len(everybody.Top) != mostBands || !everybody.More() {
		t.Fatalf("two months without a contact: %+v", everybody)
	}
	for _, c := range everybody.Top {
		if c.Warmer || c.From == c.To || *c.Is >= *c.Was || c.Name == "" {
			t.Errorf("%+v", c)
		}
		customer, err := p.In("ja").Customer(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(customer.Score.Temperature-*c.Is) > 0.001 {
			t.Errorf("%s is at %v by its own page, at %v here", c.Name, customer.Score.Temperature, *c.Is)
		}
	}
	profile, _, err := p.Store().Profile(t.Context(), engine.Entity{Kind: engine.Account, ID: everybody.Top[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	own := see(signon.Reader{Name: "own", Role: signon.Viewer, Rep: profile.Owner, OwnOnly: true})
	if own.Colder == 0 || own.Colder >= everybody.Colder || own.Top[0].ID != everybody.Top[0].ID {
		t.Errorf("%d of %d are his: %+v", own.Colder, everybody.Colder, own.Top)
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

// TestToday_plan: the records that an open plan names are shown to those who may see its page.
func TestToday_plan(t *testing.T) {
	file := companyAfter(t, nil, func(p *pipeline.Pipeline) error {
		if _, err := p.Pull(t.Context()); err != nil {
			return err
		}
		_, _, err := p.Plan(t.Context())
		return err
	})
	db := database(t, file)
	if _, err := db.ExecContext(t.Context(), `UPDATE plan SET summary = json_set(summary, '$.kept', json('[{"name": "見せない商事"}]'), '$.problems', json('["見せない商事"]'))`); err != nil {
		t.Fatal(err)
	}
	d := dashboard(t, file)
	for role, want := range map[signon.Role]bool{signon.Viewer: false, signon.Manager: true} {
		shown, err := viewToday(t.Context(), visitOf(t, d, "/today", signon.Reader{Role: role}))
		if err != nil || shown.Plan == nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(shown)
		if err != nil || strings.Contains(string(text), "見せない") != want {
			t.Errorf("a %s: %v\n%s", role, err, text)
		}
	}
}
