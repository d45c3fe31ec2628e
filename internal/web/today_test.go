package web

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"energyd/connectors/all"
	"energyd/internal/config"
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
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(cfg.Store, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
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
