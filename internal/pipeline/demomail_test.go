package pipeline_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/demo"
	"energyd/internal/pipeline"
)

// TestDemo_mailboxes: the demo's mails move scores, show each kind that is left
// out, and are no news when the demo is opened again.
func TestDemo_mailboxes(t *testing.T) {
	dir := t.TempDir()
	opened := func(look func(p *pipeline.Pipeline, mail pipeline.SourceReport)) {
		t.Helper()
		w, err := demo.Start(t.Context(), dir, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		p := open(t, w.Config, engine.NoDate)
		r, err := p.Pull(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, s := range r.Sources {
			if s.Source == "mail" {
				look(p, s)
			}
		}
		if err := errors.Join(p.Close(), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	opened(func(p *pipeline.Pipeline, mail pipeline.SourceReport) {
		if mail.Error != "" || mail.Read < 40 || mail.Rejected > 0 {
			t.Errorf("%+v", mail)
		}
		if diff := cmp.Diff(map[string]int{"auto_reply": 1, "automatic": 1, "list": 3, "unknown_person": 4}, mail.Skips); diff != "" {
			t.Errorf("skips (-want +got):\n%s", diff)
		}
		if mail.Unfound["account parts-supply.example"] != 2 {
			t.Errorf("not known: %v", mail.Unfound)
		}
		unknown, err := p.Store().Unfound(t.Context())
		if err != nil || len(unknown) != len(mail.Unfound) || unknown[0].What != "account parts-supply.example" || unknown[0].Records != 2 {
			t.Errorf("kept as not known: %v, %v", unknown, err)
		}
		e, err := p.Explain(t.Context(), "K0001")
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, part := range e.Parts {
			if part.Source == "mail" {
				kinds[part.Kind]++
			}
		}
		// Of six mails, most of them in two mailboxes, two of the customer's are of one conversation and day.
		if diff := cmp.Diff(map[string]int{"メール（先方から）": 2, "メール（当社から）": 3}, kinds); diff != "" {
			t.Errorf("contacts by mail (-want +got):\n%s", diff)
		}
		undelivered := 0
		for _, err := range p.Undelivered(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			undelivered++
		}
		if undelivered != 1 {
			t.Errorf("%d people's mails came back", undelivered)
		}
	})
	opened(func(_ *pipeline.Pipeline, mail pipeline.SourceReport) {
		if mail.Error != "" || mail.Read != 0 {
			t.Errorf("opened again: %+v", mail)
		}
	})
}
