package pipeline_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/crmsim"
)

// TestC26_our_own_writes_move_nothing: what was written comes back with the next
// pull, since each write moves the record's stamp; it makes no activity, moves
// no score and causes no write, neither then nor the time after.
func TestC26_our_own_writes_move_nothing(t *testing.T) {
	for name, option := range map[string]string{"collections": "", "jobs": "\n    write_bulk_from: 1"} {
		t.Run(name, func(t *testing.T) {
			c := newCompanyWith(t, func(config []byte) []byte {
				return bytes.Replace(config, []byte("type: salesforce"), []byte("type: salesforce"+option), 1)
			})
			c.inject(crmsim.Fault{Name: "bulk"}) // jobs are done at the first poll
			_, _, out := c.sync()
			if out.Written < 50 || !out.Whole() {
				t.Fatalf("the write-back gives %+v", out)
			}
			activities, scores := c.lines()
			stamps := c.stamps()
			for round := range 2 {
				// What was just saved is old enough to be read.
				c.inject(crmsim.Fault{Name: "clock", AdvanceS: 1200})
				r, sum, _ := c.sync()
				if sum.Records != 0 {
					t.Errorf("an idle sync plans %d records", sum.Records)
				}
				for _, s := range r.Sources {
					if s.Source == "accounts" && round == 0 && s.Read == 0 {
						t.Error("our own changes did not come back: the test proves nothing")
					}
				}
				if diff := cmp.Diff(stamps, c.stamps()); diff != "" {
					t.Errorf("an idle sync writes:\n%s", diff)
				}
				nowActivities, nowScores := c.lines()
				if diff := cmp.Diff(activities, nowActivities) + cmp.Diff(scores, nowScores); diff != "" {
					t.Errorf("an idle sync moves something:\n%s", diff)
				}
			}
		})
	}
}

// lines gives all activities and scores.
func (c company) lines() (activities, scores []string) {
	c.Helper()
	for a, err := range c.Store().Activities(c.Context()) {
		if err != nil {
			c.Fatal(err)
		}
		activities = append(activities, string(engine.AppendActivity(nil, a)))
	}
	for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep} {
		for s, err := range c.Scores(c.Context(), kind) {
			if err != nil {
				c.Fatal(err)
			}
			scores = append(scores, fmt.Sprintf("%+v", s))
		}
	}
	return activities, scores
}

// stamps tells when each record that we write to was saved last, by anybody.
func (c company) stamps() map[string]any {
	c.Helper()
	all := map[string]any{}
	for _, object := range []string{"Account", "Contact", "Opportunity"} {
		rows, err := c.world.CRM().Rows(object)
		if err != nil {
			c.Fatal(err)
		}
		for _, r := range rows {
			all[fmt.Sprint(r["Id"])] = r["SystemModstamp"]
		}
	}
	return all
}
