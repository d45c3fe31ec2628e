package survey_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/pipeline"
)

// company is a firm with a CRM's master data and one table for each layout.
type company struct {
	t        testing.TB
	dir      string
	contacts []contact
}

const baseConfig = `language: en
timezone: Asia/Tokyo
points: points.yaml
titles: titles.yaml
connections:
  crm: {type: sql, driver: sqlite, file: crm.db}
  reports: {type: sql, driver: sqlite, file: reports.db}
sources:
  reps:     {connection: crm, table: rep, mapping: rep.yaml}
  accounts: {connection: crm, table: account, mapping: account.yaml}
  people:   {connection: crm, table: person, mapping: person.yaml}
  deals:    {connection: crm, table: deal, mapping: deal.yaml}
`

func newCompany(t testing.TB) *company {
	c := &company{t: t, dir: t.TempDir(), contacts: history(300, 5)}
	for _, f := range []string{"points.yaml", "titles.yaml"} {
		text, err := os.ReadFile(filepath.Join("../../configs", f))
		if err != nil {
			t.Fatal(err)
		}
		c.write(f, string(text))
	}
	c.write("energyd.yaml", baseConfig)
	c.write("account.yaml", "profile: {kind: account, id: id, name: name, keys: {code: code, number: number, name: company(name)}}\n")
	c.write("person.yaml", "profile: {kind: contact, id: id, name: name, account: account, title: title, keys: {code: code, email: mail}}\n")
	c.write("rep.yaml", "profile: {kind: rep, id: id, name: name, keys: {code: code, number: number, email: mail, name: person(name)}}\n")
	c.write("deal.yaml", "profile: {kind: deal, id: id, keys: {code: code}}\n")
	crm := c.open("crm.db")
	defer crm.Close()
	c.exec(crm, "CREATE TABLE account (id text PRIMARY KEY, code text, number integer, name text)")
	c.exec(crm, "CREATE TABLE person (id text PRIMARY KEY, code text, name text, title text, account text, mail text)")
	c.exec(crm, "CREATE TABLE rep (id text PRIMARY KEY, code text, number integer, name text, mail text)")
	c.exec(crm, "CREATE TABLE deal (id text PRIMARY KEY, code text)")
	for n := range 60 {
		c.exec(crm, "INSERT INTO account VALUES (?, ?, ?, ?), (?, NULL, NULL, ?)", fmt.Sprint("A", n), fmt.Sprintf("K%04d", n), 10000+n, "株式会社"+firmName(n),
			fmt.Sprint("B", n), firmNameEn(n)) // the subsidiary abroad, which has no code
		for p := n * 4; p < n*4+4; p++ {
			c.exec(crm, "INSERT INTO person VALUES (?, ?, '', '', ?, ?)", fmt.Sprint("P", p), fmt.Sprintf("P%05d", p), fmt.Sprint("A", n), fmt.Sprintf("p%d@customer%d.example", p, n))
		}
		for d := n * 2; d < n*2+2; d++ {
			c.exec(crm, "INSERT INTO deal VALUES (?, ?)", fmt.Sprint("D", d), fmt.Sprintf("D%05d", d))
		}
	}
	for n := range 9 {
		c.exec(crm, "INSERT INTO rep VALUES (?, ?, ?, ?, ?)", fmt.Sprint("R", n), fmt.Sprintf("E%03d", n), 100+n, family[n]+" "+given[n], fmt.Sprintf("rep%d@our.example", n))
	}
	reports := c.open("reports.db")
	defer reports.Close()
	for _, l := range layouts {
		c.table(reports, l)
	}
	return c
}

func (c *company) write(name, text string) {
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *company) open(name string) *sql.DB {
	db, err := sql.Open("sqlite", filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func (c *company) exec(db *sql.DB, statement string, args ...any) {
	if _, err := db.Exec(statement, args...); err != nil {
		c.t.Fatalf("%s: %v", statement, err)
	}
}

func (c *company) table(db *sql.DB, l layout) {
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	sample := l.sample(c.contacts)
	var columns, marks []string
	for i, col := range sample.Columns {
		declared := quote(col.Name)
		switch sample.Rows[0][i].(type) {
		case time.Time:
			declared += " datetime"
		case int64:
			declared += " integer"
		default:
			declared += " text"
		}
		if col.Key {
			declared += " PRIMARY KEY"
		}
		columns, marks = append(columns, declared), append(marks, "?")
	}
	c.exec(db, "BEGIN")
	c.exec(db, "CREATE TABLE "+quote(l.name)+" ("+strings.Join(columns, ", ")+")")
	for _, row := range sample.Rows {
		for i, v := range row {
			if t, ok := v.(time.Time); ok {
				row[i] = t.Format("2006-01-02 15:04:05")
			}
		}
		c.exec(db, "INSERT INTO "+quote(l.name)+" VALUES ("+strings.Join(marks, ", ")+")", row...)
	}
	c.exec(db, "COMMIT")
}

// with runs f on a pipeline over the configuration as it stands.
func (c *company) with(load func(string) (*config.Config, error), atRest bool, f func(*pipeline.Pipeline)) {
	c.t.Helper()
	cfg, err := load(filepath.Join(c.dir, "energyd.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	p, err := pipeline.Open(c.t.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, AtRest: atRest, AsOf: engine.NoDate})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	f(p)
}

func whole(file string) (*config.Config, error) { return config.Load(file, all.Connectors) }
func one(file string) (*config.Config, error) {
	return config.LoadConnection(file, all.Connectors, "reports")
}

// outcome counts what became of a layout's rows by its proposed mapping.
type outcome struct{ rows, activities, kinded, kinds, dates, accounts, titled, ranks int }

func (o outcome) String() string {
	share := func(n, of int) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(max(of, 1))) }
	return fmt.Sprintf("%s of the rows became activities; of these the kind is right in %s (where one is told), the date in %s, the customer in %s; the rank in %s of those with a title",
		share(o.activities, o.rows), share(o.kinds, o.kinded), share(o.dates, o.activities), share(o.accounts, o.activities), share(o.ranks, o.titled))
}

func (o *outcome) add(p outcome) {
	o.rows += p.rows
	o.activities += p.activities
	o.kinded += p.kinded
	o.kinds += p.kinds
	o.dates += p.dates
	o.accounts += p.accounts
	o.titled += p.titled
	o.ranks += p.ranks
}

// proposed surveys all tables, takes each proposal as it is, checks it, pulls, and compares with what happened.
func proposed(t testing.TB) map[string]outcome {
	c := newCompany(t)
	c.with(whole, false, func(p *pipeline.Pipeline) {
		if _, err := p.Pull(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	sources := baseConfig
	named := map[string]string{} // source → layout
	c.with(one, true, func(p *pipeline.Pipeline) {
		s, err := p.Survey(t.Context(), "reports", pipeline.SurveyOptions{Rows: 2000, Limit: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range s.Items {
			if item.Proposal == nil {
				t.Errorf("%s: no mapping is proposed (%s %s)", item.Name, item.Purpose, item.Err)
				continue
			}
			file := fmt.Sprintf("mapping%d.yaml", len(named))
			c.write(file, item.Proposal.Mapping)
			sources += item.Proposal.Source(file)
			named[item.Proposal.Name] = item.Name
		}
	})
	c.write("energyd.yaml", sources)
	got := map[string][]engine.Activity{}
	c.with(whole, false, func(p *pipeline.Pipeline) {
		for _, f := range p.Check(t.Context()) {
			if f.Err != nil {
				t.Errorf("check: %s: %v", f.What, f.Err)
			}
		}
		if _, err := p.Pull(t.Context()); err != nil {
			t.Fatal(err)
		}
		for a, err := range p.Store().Activities(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if !a.Deleted {
				got[named[a.Source]] = append(got[named[a.Source]], a)
			}
		}
	})
	out := map[string]outcome{}
	for _, l := range layouts {
		out[l.name] = l.compare(c.contacts, got[l.name])
	}
	return out
}

// compare counts what is right. Rows are found again by their key, or their position where they have none.
func (l layout) compare(contacts []contact, got []engine.Activity) (o outcome) {
	r := rand.New(rand.NewPCG(1, 2))
	has := func(role string) string {
		for _, c := range l.columns {
			if part := strings.Split(c, "|"); part[1] == role {
				return part[2]
			}
		}
		return ""
	}
	byID := map[string]engine.Activity{}
	for _, a := range got {
		byID[a.ID] = a
	}
	for i := range contacts {
		c := &contacts[i]
		if has("status") != "" && c.draft || has("deleted") != "" && c.deleted {
			continue // left out
		}
		o.rows++
		var a engine.Activity
		var ok bool
		if form := has("key"); form != "" {
			a, ok = byID[fmt.Sprint(c.value(form, r))]
		} else { // without a key of its own: any of the same day and customer
			j := slices.IndexFunc(got, func(a engine.Activity) bool {
				return dayOf(a) == c.at.Format(time.DateOnly) && a.Account[1:] == fmt.Sprint(c.account)
			})
			if ok = j >= 0; ok {
				a = got[j]
				got = slices.Delete(got, j, j+1)
			}
		}
		if !ok {
			continue
		}
		o.activities++
		if has("kind") != "" {
			if o.kinded++; a.Kind == c.kind {
				o.kinds++
			}
		}
		if dayOf(a) == c.at.Format(time.DateOnly) {
			o.dates++
		}
		if a.Account[1:] == fmt.Sprint(c.account) {
			o.accounts++
		}
		want := c.rank
		switch {
		case has("title") == "titleen":
			want = titlesEn[c.n%len(titlesEn)][1]
		case has("title") == "title", has("contact_name") == "person役":
		default:
			continue
		}
		if o.titled++; len(a.People) > 0 && a.People[0].Rank == want {
			o.ranks++
		}
	}
	return o
}

var tokyo = time.FixedZone("JST", 9*3600)

// dayOf is an activity's day in Tokyo.
func dayOf(a engine.Activity) string {
	if a.At.IsZero() {
		return a.Date.String()
	}
	return a.At.In(tokyo).Format(time.DateOnly)
}

// A proposed mapping is taken as it is: it passes check, and what it makes of the rows is what happened.
func TestProposal_TakenAsItIs(t *testing.T) {
	var sum outcome
	for name, o := range proposed(t) {
		sum.add(o)
		if os.Getenv("SHOW") != "" {
			t.Logf("%s: %v", name, o)
		}
		if o.kinds < o.kinded*9/10 || o.dates < o.activities || o.accounts < o.activities || o.ranks < o.titled*9/10 {
			t.Errorf("%s: %v", name, o)
		}
	}
	t.Logf("%d tables: %v", len(layouts), sum)
	if sum.activities < sum.rows*9/10 {
		t.Errorf("too few rows became activities: %v", sum)
	}
}

// BenchmarkSurvey prints how well columns are recognised and what proposed mappings are worth.
//
//	go test -run '^$' -bench Survey -benchtime 1x ./internal/survey
func BenchmarkSurvey(b *testing.B) {
	for b.Loop() {
		for _, held := range []bool{false, true} {
			sum, _ := recognise(b, held, false)
			b.Logf("columns, held out %v: %v", held, sum)
			sum, _ = recognise(b, held, true)
			b.Logf("the same by their values alone, under names that say nothing: %v", sum)
		}
		var sum outcome
		for _, o := range proposed(b) {
			sum.add(o)
		}
		b.Logf("%d tables: %v", len(layouts), sum)
	}
}
