package pipeline_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/configs"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

const matchConfig = `language: ja
store: sqlite:energyd.db
points: points.yaml
titles: titles.yaml
schedule: "0 2 * * *"
timezone: Asia/Tokyo
connections:
  files: {type: file, dir: files}
sources:
  accounts: {connection: files, files: accounts.csv, key: [id], replaces: none, mapping: mappings/accounts.yaml}
  contacts: {connection: files, files: contacts.csv, key: [id], replaces: none, mapping: mappings/contacts.yaml}
  reports: {connection: files, files: reports.csv, key: [no], replaces: none, mapping: mappings/reports.yaml}
`

const (
	matchAccounts = `columns: [id, name, domain, phone, into]
profile: {kind: account, id: id, name: name, into: into, keys: {domain: domain, phone: phone}}
`
	matchContacts = `columns: [id, account, name, email, into]
profile: {kind: contact, id: id, name: name, account: account, into: into, keys: {email: email}}
`
	matchReports = `columns: [no, day, customer, tel, person]
activity:
  at: date(day)
  kind: '"visit"'
  account: match("account", "name", customer, "phone", tel)
  participants:
    - {contact: 'match("contact", "name", person)', title: '"部長"'}
`
)

// meetings is a company whose reports know customers and people by their names alone.
type meetings struct {
	files
}

func newMeetings(t *testing.T) *meetings {
	m := &meetings{files: files{t: t, dir: t.TempDir(), now: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}}
	if err := configs.Write(m.dir, configs.Starter{CRMURL: "https://crm.example", ClientID: "x", ClientSecret: "${env:X}", Driver: "sqlite", File: "x.db"}); err != nil {
		t.Fatal(err)
	}
	m.write("energyd.yaml", matchConfig)
	m.write("mappings/accounts.yaml", matchAccounts)
	m.write("mappings/contacts.yaml", matchContacts)
	m.write("mappings/reports.yaml", matchReports)
	m.write("files/accounts.csv", accountsHead+aobaAccounts)
	m.write("files/contacts.csv", contactsHead+aobaContacts)
	return m
}

const (
	accountsHead = "id,name,domain,phone,into\n"
	aobaAccounts = "A1,株式会社青葉製作所,aoba.example,03-3234-5678,\nA2,青葉製作所株式会社,,,\nA3,若松商店株式会社,,,\n"
	contactsHead = "id,account,name,email,into\n"
	aobaContacts = "P1,A1,山田 太郎,taro@aoba.example,\nP2,A1,山田 花子,,\n"
	reportsHead  = "no,day,customer,tel,person\n"
)

// with opens the pipeline.
func (m *meetings) with(do func(ctx context.Context, p *pipeline.Pipeline)) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	m.now = m.now.Add(time.Hour)
	now := m.now
	p := openWith(m.t, filepath.Join(m.dir, "energyd.yaml"), pipeline.Options{Now: func() time.Time { return now }, AsOf: engine.NoDate})
	defer func() {
		if err := p.Close(); err != nil {
			m.t.Error(err)
		}
	}()
	do(ctx, p)
}

// stands pulls, and compares what stands then: activities as "day account contact", rejects as "key code".
func (m *meetings) stands(step string, want ...string) {
	m.t.Helper()
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		m.t.Helper()
		r, err := p.Pull(ctx)
		if err != nil || len(r.Errors) > 0 {
			m.t.Fatalf("%s: %v %v", step, err, r.Errors)
		}
		var got []string
		for _, account := range []string{"A1", "A2", "A3", "A4"} {
			acts, err := p.Store().AccountActivities(ctx, account)
			if err != nil {
				m.t.Fatal(err)
			}
			for _, a := range acts {
				if !a.Deleted {
					got = append(got, strings.TrimSpace(a.ID+" "+a.Account+" "+a.People[0].Contact))
				}
			}
		}
		for r, err := range p.Store().Rejects(ctx, "reports") {
			if err != nil {
				m.t.Fatal(err)
			}
			got = append(got, r.Key+" "+r.Code)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			m.t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	})
}

func (m *meetings) asks(step string, want ...string) {
	m.t.Helper()
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		m.t.Helper()
		questions, err := p.Questions(ctx)
		if err != nil {
			m.t.Fatal(err)
		}
		var got []string
		for _, q := range questions {
			ids := ""
			for _, c := range q.Candidates {
				ids += " " + c.ID
				if c.Name == "" || c.Reason == "" {
					m.t.Errorf("%s: %+v", step, c)
				}
			}
			got = append(got, q.Key+":"+ids)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			m.t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	})
}

func (m *meetings) decide(key, id string, not bool) {
	m.t.Helper()
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		m.t.Helper()
		if _, err := p.Decide(ctx, key, id, not); err != nil {
			m.t.Fatal(err)
		}
	})
}

func (m *meetings) forget(key string) {
	m.t.Helper()
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		m.t.Helper()
		if _, err := p.Forget(ctx, key); err != nil {
			m.t.Fatal(err)
		}
	})
}

// A decision heals the records that waited for it, stays through complete
// readings, moves what was linked before, and can be taken back.
func TestMatch_DecisionsAreFollowed(t *testing.T) {
	m := newMeetings(t)
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,㈱青葉製作所,,山田太郎様\n2,2026-03-02,青葉製作所,,\n3,2026-03-03,青葉製作所 御中,,\n4,2026-03-04,ソラリス,,\n")
	m.stands("undecided", "1 A1 P1", "2 match", "3 match", "4 account")
	m.asks("undecided", "青葉製作所: A1 A2")
	m.stands("nothing happened", "1 A1 P1", "2 match", "3 match", "4 account")
	m.decide("青葉製作所", "A2", false)
	m.asks("decided")
	m.stands("decided", "1 A1 P1", "2 A2", "3 A2", "4 account")
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,㈱青葉製作所,,山田太郎様\n2,2026-03-02,青葉製作所,,\n3,2026-03-03,青葉製作所 御中,,\n4,2026-03-04,ソラリス,,\n5,2026-03-05,青葉製作所,,\n")
	m.stands("read again", "1 A1 P1", "2 A2", "3 A2", "5 A2", "4 account")
	m.decide("青葉製作所", "A1", false)
	m.stands("decided otherwise", "1 A1 P1", "2 A1", "3 A1", "5 A1", "4 account")
	m.forget("青葉製作所")
	m.stands("forgotten", "1 A1 P1", "2 match", "3 match", "4 account", "5 match")
	m.decide("青葉製作所", "A1", true)
	m.asks("one ruled out", "青葉製作所: A2")
	m.decide("青葉製作所", "A2", true)
	m.stands("all ruled out", "1 A1 P1", "2 account", "3 account", "4 account", "5 account")
}

// What was linked by itself goes where a person says.
func TestMatch_ADecisionMovesWhatWasLinked(t *testing.T) {
	m := newMeetings(t)
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,㈱青葉製作所,,\n")
	m.stands("linked", "1 A1")
	m.decide("㈱青葉製作所", "A3", false)
	m.stands("moved", "1 A3")
	m.forget("株式会社青葉製作所")
	m.stands("and back", "1 A1")
}

// A contact that may be two is left out until it is decided; the meeting counts all the while.
func TestMatch_ContactsAreLeftOutUntilDecided(t *testing.T) {
	m := newMeetings(t)
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,㈱青葉製作所,,山田部長\n")
	m.stands("undecided", "1 A1")
	m.asks("undecided", "A1/山田: P1 P2")
	m.decide("A1/山田", "P2", false)
	m.stands("decided", "1 A1 P2")
	m.asks("decided")
	m.forget("A1/山田")
	m.stands("forgotten", "1 A1")
	m.asks("forgotten", "A1/山田: P1 P2")
}

// Merges, conversions and people who move to another account are followed.
func TestMatch_FollowsTheCRM(t *testing.T) {
	m := newMeetings(t)
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,青葉製作所㈱,,山田太郎\n2,2026-03-02,若松商店㈱,,山田太郎\n")
	m.stands("at first", "1 A2", "2 A3")
	m.write("files/accounts.csv", accountsHead+strings.Replace(aobaAccounts, "A2,青葉製作所株式会社,,,", "A2,青葉製作所株式会社,,,A1", 1))
	m.stands("A2 went into A1", "1 A1 P1", "2 A3")
	m.write("files/contacts.csv", contactsHead+strings.Replace(aobaContacts, "P1,A1", "P1,A3", 1))
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,青葉製作所㈱,,山田太郎\n2,2026-03-02,若松商店㈱,,山田太郎\n3,2026-03-03,若松商店㈱,,山田太郎\n")
	// What was is left as it was (energy model, 4.10): who moves keeps past contacts with the old account.
	m.stands("P1 moved to A3", "1 A1 P1", "2 A3", "3 A3 P1")
	m.write("files/contacts.csv", contactsHead+strings.Replace(aobaContacts, "P1,A1,山田 太郎,taro@aoba.example,", "P1,,山田 太郎,,P9", 1)+"P9,A3,山田 太郎,,\n")
	m.stands("P1, a lead, became P9", "1 A1", "2 A3 P9", "3 A3 P9")
}

func TestMatch_WrongDecisionsAreRefused(t *testing.T) {
	m := newMeetings(t)
	m.write("files/reports.csv", reportsHead+"1,2026-03-01,㈱青葉製作所,,\n")
	m.stands("linked", "1 A1")
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		for _, wrong := range []func() error{
			func() error { _, err := p.Decide(ctx, "青葉製作所", "A9", false); return err },
			func() error { _, err := p.Decide(ctx, "青葉製作所", "P1", false); return err },
			func() error { _, err := p.Decide(ctx, " ", "A1", false); return err },
			func() error { _, err := p.Forget(ctx, "青葉製作所"); return err },
		} {
			if err := wrong(); fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
				t.Errorf("%v", err)
			}
		}
	})
}
