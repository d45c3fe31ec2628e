package pipeline_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"energyd/configs"
	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/testmail"
)

// office is a sales team with three mailboxes on a real mail server, and a CRM
// that knows one customer, 山田製作所 (yamada.example), with its people 太郎 and
// 花子 (who writes from a free-mail address).
type office struct {
	*testing.T
	mail   *testmail.Server
	config string
	now    time.Time
	ids    map[string]string // CRM ids by name
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, mail: testmail.Start(t, testmail.Options{Sent: true}), now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), ids: map[string]string{}}
	dir := t.TempDir()
	o.config = filepath.Join(dir, "energyd.yaml")
	clock := o.now.AddDate(0, 0, -1)
	crm, err := crmsim.New(crmsim.Options{ClientID: "energyd", ClientSecret: "s", DailyCalls: 100_000, Now: func() time.Time { return clock },
		Fields: map[string][]crmsim.Field{"Contact": {{Name: "Contact_Code__c", Label: "code", Type: crmsim.Text, Length: 20, ExternalID: true, Unique: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { crm.Close() })
	insert := func(name, object string, values map[string]any) {
		if o.ids[name], err = crm.Insert(object, values); err != nil {
			t.Fatal(err)
		}
	}
	for _, rep := range []string{"rep1", "rep2"} {
		insert(rep, "User", map[string]any{"LastName": rep, "IsActive": true, "UserType": "Standard", "Username": rep + "@our.example", "Email": rep + "@our.example", "Alias": rep, "TimeZoneSidKey": "Asia/Tokyo"})
	}
	insert("山田製作所", "Account", map[string]any{"Name": "株式会社山田製作所", "AccountNumber": "K1", "Website": "https://www.yamada.example/", "OwnerId": o.ids["rep1"]})
	insert("太郎", "Contact", map[string]any{"LastName": "山田", "FirstName": "太郎", "Title": "購買部長", "Email": "Taro@yamada.example", "AccountId": o.ids["山田製作所"]})
	insert("花子", "Contact", map[string]any{"LastName": "山田", "FirstName": "花子", "Title": "担当", "Email": "hanako@gmail.com", "AccountId": o.ids["山田製作所"]})
	clock = o.now
	web := httptest.NewServer(crm)
	t.Cleanup(web.Close)
	if err := configs.Write(dir, configs.Starter{CRMURL: web.URL, ClientID: "energyd", ClientSecret: "${file:secret}", Driver: "sqlite", File: "none"}); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(o.mail.TLSAddr())
	boxes := ""
	for _, user := range []string{"rep1", "rep2", "shared"} {
		o.write(filepath.Join(dir, user), testmail.Passwords[user])
		boxes += fmt.Sprintf("      - {user: %s, password: \"${file:%[1]s}\", owner: %[1]s@our.example}\n", user)
	}
	o.write(filepath.Join(dir, "secret"), "s")
	o.write(o.config, fmt.Sprintf(`language: en
store: sqlite:energyd.db
points: points.yaml
titles: titles.yaml
timezone: Asia/Tokyo
connections:
  crm: {type: salesforce, url: %s, client_id: energyd, client_secret: "${file:secret}"}
  mailboxes:
    type: imap
    host: %s
    port: %s
    ca_file: %s
    internal_domains: [our.example]
    mailboxes:
%ssources:
  users: {connection: crm, object: User, mapping: mappings/crm_user.yaml}
  accounts: {connection: crm, object: Account, mapping: mappings/crm_account.yaml}
  contacts: {connection: crm, object: Contact, mapping: mappings/crm_contact.yaml}
  mail: {connection: mailboxes, mapping: mappings/mail.yaml}
`, web.URL, host, port, o.mail.CAFile, boxes))
	return o
}

func (o *office) write(file, text string) {
	o.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		o.Fatal(err)
	}
}

// with runs something with a pipeline of its own, as each night does.
func (o *office) with(do func(p *pipeline.Pipeline), change ...func(*pipeline.Options)) {
	o.Helper()
	cfg, err := config.Load(o.config, all.Connectors)
	if err != nil {
		o.Fatal(err)
	}
	opt := pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return o.now }, AsOf: engine.NoDate}
	for _, c := range change {
		c(&opt)
	}
	p, err := pipeline.Open(o.Context(), cfg, opt)
	if err != nil {
		o.Fatal(err)
	}
	do(p)
	if err := p.Close(); err != nil {
		o.Error(err)
	}
}

// arrived is a mail in somebody's mailbox.
type arrived struct {
	box, folder string // "" = INBOX
	mail        []byte
}

// lines is a mail. It is of noon in Japan unless it tells another date.
func lines(head ...string) []byte {
	text := strings.Join(head, "\r\n") + "\r\n"
	if !strings.Contains(text, "Date: ") {
		text = "Date: Mon, 2 Nov 2026 12:00:00 +0900\r\n" + text
	}
	if !strings.Contains(text, "\r\n\r\n") {
		text += "\r\nnothing\r\n"
	}
	return []byte(text)
}

// came is what the mails that arrived came to.
type came struct {
	Points      map[string]float64 // earned, by name
	Contacts    int                // that the account's energy comes from
	Kinds       []string           // of them, with direction
	Skips       map[string]int
	Unfound     map[string]int
	Undelivered []string
	Cues        bool
}

// after delivers mails and reads them, either all in one run or one in each.
func (o *office) after(mails []arrived, oneByOne bool) came {
	o.Helper()
	c := came{Points: map[string]float64{}, Skips: map[string]int{}, Unfound: map[string]int{}}
	pull := func() {
		o.with(func(p *pipeline.Pipeline) {
			r, err := p.Pull(o.Context())
			if err != nil {
				o.Fatal(err)
			}
			for _, s := range r.Sources {
				if s.Error != "" || s.Rejected > 0 {
					o.Fatalf("%+v", s)
				}
				if s.Source != "mail" {
					continue
				}
				for reason, n := range s.Skips {
					c.Skips[reason] += n
				}
				for word, n := range s.Unfound {
					c.Unfound[word] += n
				}
			}
		})
	}
	for _, m := range mails {
		folder := m.folder
		if folder == "" {
			folder = "INBOX"
		}
		o.mail.Save(m.box, folder, m.mail)
		if oneByOne {
			pull()
		}
	}
	if !oneByOne {
		pull()
	}
	o.with(func(p *pipeline.Pipeline) {
		for _, name := range []string{"山田製作所", "太郎", "花子", "rep1", "rep2"} {
			kind := map[string]string{"山田製作所": "account", "rep1": "rep", "rep2": "rep"}[name]
			if kind == "" {
				kind = "contact"
			}
			e, err := p.Explain(o.Context(), kind+":"+o.ids[name])
			if fault.KindOf(err) == fault.Config { // it has no energy
				continue
			}
			if err != nil {
				o.Fatal(err)
			}
			for _, part := range e.Parts {
				c.Points[name] += part.Points
				if kind == "account" {
					c.Contacts++
					c.Kinds = append(c.Kinds, part.Kind)
					c.Cues = c.Cues || strings.Contains(part.Rule, "question")
				}
			}
		}
		for u, err := range p.Undelivered(o.Context()) {
			if err != nil {
				o.Fatal(err)
			}
			c.Undelivered = append(c.Undelivered, u.Date+" "+u.AccountName+" "+u.Name)
		}
	})
	slices.Sort(c.Kinds)
	return c
}

// expect holds what mails come to: all in one run, and one by one from the last to the first.
func expect(t *testing.T, want came, mails ...arrived) {
	t.Helper()
	check := func(mails []arrived, oneByOne bool) func(t *testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(want, newOffice(t).after(mails, oneByOne), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
	t.Run("at once", check(mails, false))
	if len(mails) > 1 {
		reversed := slices.Clone(mails)
		slices.Reverse(reversed)
		t.Run("one by one, the last first", check(reversed, true))
	}
}

// earned are points by name: of the account, its people, our people.
func earned(points ...any) map[string]float64 {
	m := map[string]float64{}
	for i := 0; i < len(points); i += 2 {
		m[points[i].(string)] = points[i+1].(float64)
	}
	return m
}
