package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

// mail is a mail of a day at an hour of UTC; link is its own id, its thread, what it answers.
func mail(d string, hour int, direction engine.Direction, link engine.Link, options ...func(*engine.Activity)) engine.Activity {
	a := visit(d, append([]func(*engine.Activity){kind("mail", direction), id(link.Message)}, options...)...)
	a.At, a.Date, a.Link = date(d).Time().Add(time.Duration(hour)*time.Hour), 0, &link
	return a
}

func bounced(d, message string, who engine.Participant) engine.Activity {
	return mail(d, 8, engine.Inbound, engine.Link{Message: "report on " + message, Answers: message}, kind("bounce", engine.Inbound), people(who))
}

// TestConversations: mails of one conversation, kind, direction and day are one
// contact (energy-model 4.3), whatever the order and in how many mailboxes they lie.
func TestConversations(t *testing.T) {
	const in, out = engine.Inbound, engine.Outbound
	p := table(t)
	one, two := person("C1", "staff"), person("C2", "staff")
	root, answer := engine.Link{Message: "m1", Thread: "m1"}, engine.Link{Message: "m2", Thread: "m1", Answers: "m1"}
	for _, test := range []struct {
		name string
		acts []engine.Activity
		want int64 // of the account
	}{
		{"one mail", []engine.Activity{mail("2026-03-02", 1, in, root)}, 3000},
		{"two of a day", []engine.Activity{mail("2026-03-02", 1, in, root), mail("2026-03-02", 2, in, answer)}, 3000},
		{"on two days", []engine.Activity{mail("2026-03-02", 1, in, root), mail("2026-03-03", 1, in, answer)}, 6000},
		{"a day ends at midnight in Japan", []engine.Activity{mail("2026-03-02", 14, in, root), mail("2026-03-02", 15, in, answer)}, 6000},
		{"theirs and ours", []engine.Activity{mail("2026-03-02", 1, in, root), mail("2026-03-02", 2, out, answer)}, 4000},
		{"two conversations", []engine.Activity{mail("2026-03-02", 1, in, root), mail("2026-03-02", 2, in, engine.Link{Message: "m9", Thread: "m9"})}, 6000},
		{"copies of one mail", []engine.Activity{mail("2026-03-02", 1, in, root, id("m1/R1")), mail("2026-03-02", 1, in, root, id("m1/R2"))}, 3000},
		{"a question in the first stands", []engine.Activity{mail("2026-03-02", 1, in, root, cues("question")), mail("2026-03-02", 2, in, answer)}, 3600},
		{"a question counts once", []engine.Activity{mail("2026-03-02", 1, in, root, cues("question")), mail("2026-03-02", 2, in, answer, cues("question"))}, 3600},
		{"two people wrote", []engine.Activity{mail("2026-03-02", 1, in, root, people(one)), mail("2026-03-02", 2, in, answer, people(two))}, 3750},
		{"a stranger wrote twice", []engine.Activity{mail("2026-03-02", 1, in, root, people(person("", ""))), mail("2026-03-02", 2, in, answer, people(person("", "")))}, 3000},
		{"joined by a mail in between", []engine.Activity{
			mail("2026-03-02", 1, in, root), mail("2026-03-02", 3, in, engine.Link{Message: "m3", Thread: "m2", Answers: "m2"}), mail("2026-03-01", 2, out, answer)}, 4000},
		{"joined by the first mail, which nobody has", []engine.Activity{
			mail("2026-03-02", 1, in, engine.Link{Message: "m2", Thread: "m1", Answers: "m1"}), mail("2026-03-02", 3, in, engine.Link{Message: "m4", Thread: "m1", Answers: "m3"})}, 3000},
		{"a loop", []engine.Activity{
			mail("2026-03-02", 1, in, engine.Link{Message: "m1", Thread: "m2", Answers: "m2"}), mail("2026-03-02", 3, in, engine.Link{Message: "m2", Thread: "m1", Answers: "m1"})}, 3000},
		{"a deleted mail joins nothing", []engine.Activity{mail("2026-03-02", 1, in, root), func() engine.Activity {
			a := mail("2026-03-02", 2, in, engine.Link{Message: "m2", Thread: "m1", Answers: "m9"})
			a.Deleted = true
			return a
		}(), mail("2026-03-02", 2, in, engine.Link{Message: "m9", Thread: "m9"})}, 6000},
		{"our mail came back", []engine.Activity{mail("2026-03-02", 1, out, root, people(one)), bounced("2026-03-02", "m1", one)}, 0},
		{"it came back from one of two", []engine.Activity{mail("2026-03-02", 1, out, root, people(one, two)), bounced("2026-03-04", "m1", two)}, 1000},
		{"it came back, and went out again", []engine.Activity{mail("2026-03-02", 1, out, root, people(one)), bounced("2026-03-02", "m1", one), mail("2026-03-02", 2, out, answer, people(one))}, 1000},
		{"another mail came back", []engine.Activity{mail("2026-03-02", 1, out, root, people(one)), bounced("2026-03-02", "m5", one)}, 1000},
		{"a report takes nothing from the customer's own mail", []engine.Activity{mail("2026-03-02", 1, in, root, people(one)), bounced("2026-03-02", "m1", one)}, 3000},
		{"a mail to nobody known came back", []engine.Activity{mail("2026-03-02", 1, out, root, people()), bounced("2026-03-02", "m1", person("", ""))}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, "account", ledgerOf(p, test.acts...).total(engine.Account, "A"), test.want)
			slices.Reverse(test.acts)
			same(t, "reversed", ledgerOf(p, test.acts...).total(engine.Account, "A"), test.want)
		})
	}
}

// TestConversations_reps: whoever has a mail in the mailbox is noted, in one contact.
func TestConversations_reps(t *testing.T) {
	p := table(t)
	var acts []engine.Activity
	for _, rep := range []string{"R1", "R2", "R3"} {
		a := mail("2026-03-02", 1, engine.Inbound, engine.Link{Message: "m1", Thread: "m1"}, id("m1/"+rep))
		a.Reps = []engine.Share{{ID: rep}}
		acts = append(acts, a)
	}
	for range 2 {
		l := ledgerOf(p, acts...)
		for _, rep := range []string{"R1", "R2", "R3"} {
			same(t, rep, l.total(engine.Rep, rep), 1000)
		}
		parts := p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-02"))
		if len(parts) != 1 || acts[parts[0].Activity].ID != "m1/R1" || len(parts[0].Terms) != 1 {
			t.Errorf("explained by %+v", parts)
		}
		slices.Reverse(acts)
	}
	if len(acts[0].Reps) != 1 {
		t.Error("the activities themselves were changed")
	}
}

// TestUndelivered: an address that came back is marked, until somebody writes from it.
func TestUndelivered(t *testing.T) {
	p := table(t)
	one, two := person("C1", "staff"), person("C2", "staff")
	sender := one
	sender.Role = engine.Sender
	acts := []engine.Activity{
		mail("2026-03-02", 1, engine.Outbound, engine.Link{Message: "m1"}, people(one, two)),
		bounced("2026-03-02", "m1", one), bounced("2026-03-05", "m1", two), bounced("2026-03-04", "m2", two), bounced("2026-03-04", "m3", person("", "")),
		mail("2026-03-07", 1, engine.Inbound, engine.Link{Message: "m4"}, people(sender, two)),
	}
	for _, test := range []struct {
		asOf string
		want []engine.Undelivered
	}{
		{"2026-03-01", nil},
		{"2026-03-02", []engine.Undelivered{{Contact: "C1", Date: date("2026-03-02"), Activity: 1}}},
		{"2026-03-06", []engine.Undelivered{{Contact: "C2", Date: date("2026-03-05"), Activity: 2}, {Contact: "C1", Date: date("2026-03-02"), Activity: 1}}},
		{"2026-03-07", []engine.Undelivered{{Contact: "C2", Date: date("2026-03-05"), Activity: 2}}},
	} {
		if diff := cmp.Diff(test.want, p.Undelivered(acts, date(test.asOf))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.asOf, diff)
		}
	}
}

// TestShippedPoints_mails: the customer's own act is worth more than ours, and what programs send nothing.
func TestShippedPoints_mails(t *testing.T) {
	c := shipped(t)
	mail := c.Kinds["mail"]
	if !(*mail.In > *mail.Out && *mail.Out > 0) {
		t.Errorf("mail: in %v, out %v", *mail.In, *mail.Out)
	}
	if *c.Kinds["meeting_accepted"].Points <= *c.Kinds["meeting_tentative"].Points || *c.Kinds["view"].Points >= *mail.Out {
		t.Error("an answer that says more must be worth more")
	}
	for _, name := range []string{"bounce", "meeting_declined", "attempt"} {
		if k, ok := c.Kinds[name]; !ok || *k.Points != 0 {
			t.Errorf("%s: %+v", name, k)
		}
	}
	if !c.Kinds["bounce"].Undoes {
		t.Error("a bounce leaves the points of the mail that it is about")
	}
	worth := c.Kinds["bounce"]
	worth.Points = points(1)
	c.Kinds["bounce"] = worth
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "kinds.bounce.points") {
		t.Errorf("points for a bounce: %v", err)
	}
}
