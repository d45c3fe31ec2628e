package pipeline_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// kept is all that a store keeps of records, by its kind and key.
type kept map[string]string

func profileLine(p engine.Profile) string { return fmt.Sprintf("%+v", p) }

func rejectLine(origin, code, reason string, fields map[string]any) string {
	return origin + " " + code + " " + reason + " " + string(store.FieldsJSON(fields))
}

// activityLine leaves out the ranks of the day: a pull may learn more of them
// from the very records that it reads (decisions/0077).
func activityLine(a engine.Activity) string {
	a.People = slices.Clone(a.People)
	for i := range a.People {
		if p := &a.People[i]; p.Contact != "" && p.Title == "" {
			p.Rank = ""
		}
	}
	return string(engine.AppendActivity(nil, a))
}

// kept reads it from the store.
func (n nights) kept(p *pipeline.Pipeline) kept {
	n.Helper()
	k := kept{}
	for a, err := range p.Store().Activities(n.Context()) {
		if err != nil {
			n.Fatal(err)
		}
		k["activity "+a.Source+" "+a.ID] = activityLine(a)
	}
	for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep, engine.Stage} {
		for profile, err := range p.Store().Profiles(n.Context(), kind) {
			if err != nil {
				n.Fatal(err)
			}
			k[fmt.Sprint("profile ", kind, " ", profile.ID)] = profileLine(profile)
		}
	}
	for r, err := range p.Store().Rejects(n.Context(), "") {
		if err != nil {
			n.Fatal(err)
		}
		k["reject "+r.Source+" "+r.Key] = rejectLine(r.Origin, r.Code, r.Reason, r.Fields)
	}
	return k
}

// show applies to k what a dry run shows.
func (k kept) show(s pipeline.Shown) error {
	if s.Fate != pipeline.Rejected {
		delete(k, "reject "+s.Source+" "+s.Key)
	}
	if a := s.Activity; a != nil {
		k["activity "+a.Source+" "+a.ID] = activityLine(*a)
	}
	if p := s.Profile; p != nil {
		k[fmt.Sprint("profile ", p.Kind, " ", p.ID)] = profileLine(*p)
	}
	if r := s.Reject; r != nil {
		k["reject "+s.Source+" "+r.Key] = rejectLine(r.Origin, r.Code, r.Reason, r.Fields)
	}
	return nil
}

// TestDryRun_ShowsExactlyWhatIsKept: on a fresh store and night after night, what
// a dry run of all connectors shows is what the store holds after the pull; nothing
// else and nothing less. The dry run itself stores nothing.
func TestDryRun_ShowsExactlyWhatIsKept(t *testing.T) {
	url := testdb.Postgres(t) // whose tables can be compared whole
	n, canary, server := withMail(t, url)
	db := func() []byte { return dump(t, url, "api_call", "api_usage") }
	want := kept{}
	for night, happens := range []func(){
		func() {},
		func() {
			n.update("Contact", canary, map[string]any{"Title": "会長"})
			if err := n.world.CRM().Delete("Contact", n.crm("Contact", map[string]any{"LastName": "去る", "AccountId": n.account("K0002")["Id"]})); err != nil {
				t.Fatal(err)
			}
			n.report("K0001")
			n.report("K9999")
			for i := range 2 { // the same mail twice
				server.Save("rep1", []string{"INBOX", "INBOX"}[i], []byte("From: "+canaryAddress+"\r\nTo: r001@energyd.example\r\nSubject: new\r\nDate: "+
					n.now().Format(time.RFC1123Z)+"\r\nMessage-ID: <new@host.example>\r\n\r\nx\r\n"))
			}
		},
		func() { n.crm("Account", map[string]any{"Name": "新しい客", "AccountNumber": "K9999"}) }, // whom a reject waits for
		func() {},
	} {
		happens()
		n.later(day)
		p := n.open()
		before := db()
		fates := map[pipeline.Fate]int{}
		sums, errs, err := p.DryRun(t.Context(), pipeline.DryRunOptions{}, func(s pipeline.Shown) error {
			fates[s.Fate]++
			return want.show(s)
		})
		if err != nil || len(errs) > 0 {
			t.Fatal(err, errs)
		}
		if !bytes.Equal(before, db()) {
			t.Fatal("the dry run has stored something")
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		report, sources := n.night()
		p = n.open()
		if diff := cmp.Diff(n.kept(p), want); diff != "" {
			t.Fatalf("night %d: what is kept and what was shown differ (-kept +shown)\n%s", night, diff)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		for _, sum := range sums {
			got := sources[sum.Source]
			if sum.Read != got.Read || sum.Fates[pipeline.Skipped] != got.Skipped || sum.Fates[pipeline.Rejected] != got.Rejected {
				t.Errorf("night %d: %s: shown %+v, pulled %+v, %v", night, sum.Source, sum, got.RunSource, report.Notes)
			}
			if !cmp.Equal(sum.Skips, got.Skips) {
				t.Errorf("night %d: %s: skips %v, pulled %v", night, sum.Source, sum.Skips, got.Skips)
			}
		}
		if night == 0 && (fates[pipeline.New] < 200 || fates[pipeline.Skipped] == 0 || fates[pipeline.Rejected] == 0) {
			t.Errorf("too little happened: %v", fates)
		}
	}
}
