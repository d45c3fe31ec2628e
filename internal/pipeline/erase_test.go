package pipeline_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/testdb"
	"energyd/internal/testmail"
)

// The canary is a person whose name and address must be found nowhere.
const (
	canaryName    = "金糸雀 すずめ"
	canaryAddress = "suzume.canary@yamada-ss.example"
	canaryBody    = "what a mail says stays in the mailbox"
	canarySecond  = "Suzume.Kanaria@Gmail.example" // known to mails only
)

// withMail is the demo's company with a mailbox and a contact whose mails are in it.
func withMail(t *testing.T, store string) (n nights, canary string, server *testmail.Server) {
	t.Helper()
	n = newNights(t)
	server = testmail.Start(t, testmail.Options{})
	n.configure("  mail:        {connection: mailboxes, ", "  mail:        {connection: dovecot, ")
	n.configure("  reports:\n    type: sql", fmt.Sprintf(`  dovecot:
    type: imap
    host: %s
    port: %d
    security: plain
    mailboxes: [{user: rep1, password: "${file:mail-secret}", owner: r001@energyd.example}]
    internal_domains: [energyd.example]
  reports:
    type: sql`, server.Host, server.Port))
	if err := os.WriteFile(filepath.Join(n.dir, "mail-secret"), []byte(testmail.Passwords["rep1"]), 0o600); err != nil {
		t.Fatal(err)
	}
	if store != "" {
		n.configure("store: sqlite:energyd.db", "store: "+store)
	}
	account := n.account("K0001")["Id"].(string)
	n.update("Account", account, map[string]any{"Website": "https://www.yamada-ss.example/"})
	rows, err := n.world.CRM().Rows("Contact")
	if err != nil {
		t.Fatal(err)
	}
	var people []string
	for _, row := range rows {
		if row["AccountId"] == account {
			people = append(people, row["Id"].(string))
		}
	}
	canary = people[0]
	family, given, _ := strings.Cut(canaryName, " ")
	n.update("Contact", canary, map[string]any{"LastName": family, "FirstName": given, "Email": canaryAddress})
	n.update("Contact", people[1], map[string]any{"LastName": "白鳥", "FirstName": "学", "Email": "manabu@yamada-ss.example"})
	for i, m := range []struct{ from, to, cc, more string }{
		{from: canaryAddress, to: "r001@energyd.example"},
		{from: "manabu@yamada-ss.example", to: "r001@energyd.example", cc: canaryAddress, more: "In-Reply-To: <m0@host.example>\r\nReferences: <m0@host.example>\r\n"},
		{from: "r001@energyd.example", to: canaryAddress + ", manabu@yamada-ss.example"},
		{from: canarySecond, to: "r001@energyd.example"},
		{from: "stranger@yamada-ss.example", to: "r001@energyd.example"},
		{from: "SUZUME.two@yamada-ss.example", to: "r001@energyd.example"},
		// Kept as a reject, with what was read of it: the mapping lacks the word.
		{from: canaryAddress, to: "r001@energyd.example", more: "Content-Type: text/calendar; method=REQUEST\r\n"},
	} {
		text := fmt.Sprintf("From: %q <%s>\r\nTo: %s\r\nSubject: canary %s\r\nDate: %s\r\nMessage-ID: <m%d@host.example>\r\n",
			canaryName, m.from, m.to, canaryName, n.now().Add(-36*time.Hour).Format("Mon, 02 Jan 2006 15:04:05 -0700"), i)
		if m.cc != "" {
			text += "Cc: " + m.cc + "\r\n"
		}
		text += m.more + "\r\n" + canaryBody + "ますか？\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:" + canaryBody + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		server.Save("rep1", "INBOX", []byte(text))
	}
	mapping := filepath.Join(n.dir, "mappings", "mail.yaml")
	text, err := os.ReadFile(mapping)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(text, []byte("    invitation: mail "), []byte("    not_there: mail "), 1)
	if bytes.Equal(text, other) {
		t.Fatal("the mapping has another form than this test thinks")
	}
	if err := os.WriteFile(mapping, other, 0o600); err != nil {
		t.Fatal(err)
	}
	n.later(day)
	return n, canary, server
}

// open opens the company's pipeline as of its clock.
func (n nights) open() *pipeline.Pipeline {
	n.Helper()
	return openWith(n.T, n.world.Config, pipeline.Options{Now: n.now, AsOf: engine.NoDate})
}

// traces tells in which files of the store, or rows of its database, any of the words stands.
func (n nights) traces(url string, words ...string) (found []string) {
	n.Helper()
	look := func(where string, data []byte) {
		for _, word := range words {
			if bytes.Contains(bytes.ToLower(data), []byte(strings.ToLower(word))) {
				found = append(found, where+" holds "+word)
			}
		}
	}
	if url != "" {
		look("the database", dump(n.T, url))
	}
	err := filepath.WalkDir(n.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "crm.data" || strings.HasPrefix(d.Name(), "daily_report.db") {
			return err // the systems that it all comes from
		}
		data, err := os.ReadFile(path)
		look(d.Name(), data)
		return err
	})
	if err != nil {
		n.Fatal(err)
	}
	return found
}

// dump gives all rows of a PostgreSQL database but those of some tables.
func dump(t *testing.T, url string, without ...string) []byte {
	t.Helper()
	db, err := sqlx.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables []string
	if err := db.Select(&tables, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	slices.Sort(tables)
	for _, table := range tables {
		if slices.Contains(without, table) {
			continue
		}
		rows, err := db.Queryx(fmt.Sprintf("SELECT * FROM %q ORDER BY 1, 2", table))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			row, err := rows.SliceScan()
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range row {
				if b, ok := v.([]byte); ok {
					all.Write(b)
				} else {
					fmt.Fprint(&all, v)
				}
				all.WriteByte('\n')
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}

// ledger gives the cells and live activities.
func (n nights) contents(p *pipeline.Pipeline) (cells map[engine.Entity][]engine.Cell, activities []engine.Activity) {
	n.Helper()
	cells = map[engine.Entity][]engine.Cell{}
	for kind := engine.Account; kind <= engine.Rep; kind++ {
		for e, err := range p.Store().Ledger(n.Context(), kind) {
			if err != nil {
				n.Fatal(err)
			}
			if len(e.Cells) > 0 {
				cells[e.Entity] = e.Cells
			}
		}
	}
	for a, err := range p.Store().Activities(n.Context()) {
		if err != nil {
			n.Fatal(err)
		}
		if !a.Deleted {
			a.Revision = 0
			activities = append(activities, a)
		}
	}
	slices.SortFunc(activities, func(a, b engine.Activity) int { return strings.Compare(a.Source+a.ID, b.Source+b.ID) })
	return cells, activities
}

// TestErase_66_forget_this_contact: events, addresses, names and thread links of
// a person are gone from all files of the store, the scores are those of the
// others, and neither a complete reading of all sources nor a new mail brings the person back.
func TestErase_66_forget_this_contact(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": testdb.Postgres} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			n, canary, server := withMail(t, at)
			n.night()
			if found := n.traces(at, canaryName, canaryAddress, canary, "m0@host.example"); len(found) < 3 {
				t.Fatalf("before, the store holds only %v: nothing is proved", found)
			}

			p := n.open()
			// People name the person where they say why: in the journal, by name and by id.
			if _, err := p.DropRejects(t.Context(), pipeline.RejectFilter{Source: "mail", Code: "kind"}, "an invitation of "+canaryName+", "+canary); err != nil {
				t.Fatal(err)
			}
			if _, _, err := p.Undo(t.Context(), n.applied(), canary); err != nil {
				t.Fatal(err)
			}
			if journal := n.journal(p, ""); len(journal) < 3 || !strings.Contains(fmt.Sprint(journal), canary) {
				t.Fatalf("the journal has only %v: nothing is proved", journal)
			}
			_, looked, err := p.Erase(t.Context(), canaryName, false)
			if err != nil {
				t.Fatal(err)
			}
			cells, activities := n.contents(p)
			r, erased, err := p.Erase(t.Context(), "contact:"+canary, true)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(looked.Erasure, erased.Erasure); diff != "" || looked.Done || !erased.Done {
				t.Errorf("shown before and done differ (-shown +done)\n%s", diff)
			}
			if erased.Activities < 2 || erased.Shared < 2 || erased.Profiles != 1 || erased.Scores != 1 || erased.Rejects < 1 || erased.Changes < 1 || erased.Written != 1 {
				t.Errorf("erased %+v", erased.Erasure)
			}
			if run, err := p.Store().Run(t.Context(), r.Run); err != nil || run.Kind != "erase" || run.State != "ok" || !strings.Contains(run.Message, "one person") {
				t.Errorf("the run is kept as %+v, %v", run, err)
			}
			if journal := n.journal(p, store.Forgot); len(journal) != 1 || journal[0].Run != r.Run {
				t.Errorf("of the erasure the journal has %v", journal)
			}
			if journal := n.journal(p, store.Waived); len(journal) != 1 || !strings.Contains(journal[0].Reason, "an invitation of [erased], [erased]") {
				t.Errorf("of the drop the journal has %v", journal)
			}
			after, left := n.contents(p)
			if len(left) != len(activities)-erased.Activities || cmp.Equal(cells, after) {
				t.Errorf("%d activities are left of %d", len(left), len(activities))
			}
			if _, there := after[engine.Entity{Kind: engine.Contact, ID: canary}]; there {
				t.Error("the person still has a score")
			}
			if err := p.Rescore(t.Context()); err != nil {
				t.Fatal(err)
			}
			if full, _ := n.contents(p); !cmp.Equal(after, full) {
				t.Errorf("a rebuild gives other cells (-erased +rebuilt)\n%s", cmp.Diff(after, full))
			}
			if at == "" { // SQLite: at once, in all files
				for _, trace := range n.traces(at, canaryName, canaryAddress, canary, "m0@host.example") {
					t.Error("after the erasure", trace)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			for _, trace := range n.traces(at, canaryName, canaryAddress, canary, "m0@host.example") {
				t.Error("afterwards", trace)
			}

			// The person stays in the CRM and in the mailbox, and writes again.
			server.Save("rep1", "INBOX", []byte("From: "+canaryAddress+"\r\nTo: r001@energyd.example\r\nSubject: again\r\nDate: "+
				n.now().Format("Mon, 02 Jan 2006 15:04:05 -0700")+"\r\nMessage-ID: <again@host.example>\r\n\r\nx\r\n"))
			n.update("Contact", canary, map[string]any{"Title": "会長"})
			for _, pause := range []int{1, 8, 8} {
				n.later(time.Duration(pause) * day)
				report, sources := n.night()
				if sources["mail"].Skips["erased"] == 0 && pause > 1 {
					t.Errorf("the mails were not recognised: %+v, %v", sources["mail"], report.Notes)
				}
				for _, trace := range n.traces(at, canaryName, canaryAddress, canary, "m0@host.example") {
					t.Errorf("after a night %s", trace)
				}
			}
			p = n.open()
			defer p.Close()
			again, acts := n.contents(p)
			if diff := cmp.Diff(left, acts); diff != "" {
				t.Errorf("complete readings give other activities (-erased +read again)\n%s", diff)
			}
			if diff := cmp.Diff(after, again); diff != "" {
				t.Errorf("complete readings give other cells (-erased +read again)\n%s", diff)
			}
			if _, _, err := p.Erase(t.Context(), canary, true); err != nil {
				t.Errorf("erasing once more: %v", err)
			}
		})
	}
}

// journal gives the journal's entries of an act.
func (n nights) journal(p *pipeline.Pipeline, act string) []store.JournalEntry {
	n.Helper()
	entries, err := p.Store().Journal(n.Context(), store.JournalFilter{Act: act})
	if err != nil {
		n.Fatal(err)
	}
	return entries
}

// applied is the run that wrote to the CRM last.
func (n nights) applied() string {
	n.Helper()
	p := n.open()
	defer p.Close()
	entries := n.journal(p, store.Applied)
	return entries[len(entries)-1].Run
}

// TestErase_AddressOfAStranger: mails of somebody whom the CRM does not know count
// for the company of the domain; an address alone is enough to take them back.
func TestErase_AddressOfAStranger(t *testing.T) {
	n, _, _ := withMail(t, "")
	n.night()
	mails := func() (ids []string) {
		p := n.open()
		defer p.Close()
		_, acts := n.contents(p)
		for _, a := range acts {
			if a.Source == "mail" {
				ids = append(ids, a.ID)
			}
		}
		return ids
	}
	before := mails()
	p := n.open()
	_, e, err := p.Erase(t.Context(), "Suzume.TWO@yamada-ss.example", true)
	if err != nil || !slices.Contains(e.ReadAgain, "mail") {
		t.Fatalf("erased %+v, %v", e, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	n.later(day)
	r, sources := n.night()
	after := mails()
	if len(after) != len(before)-1 || slices.ContainsFunc(after, func(id string) bool { return strings.Contains(id, "m5@host.example") }) {
		t.Errorf("mails before %v, after %v; %+v %v", before, after, sources["mail"], r.Notes)
	}
	if found := n.traces("", "m5@host.example"); len(found) > 0 {
		t.Errorf("its thread is still there: %v", found)
	}
}

// TestErase_Refuses: nobody is guessed, and none of our own people is erased.
func TestErase_Refuses(t *testing.T) {
	n := newNights(t)
	n.night()
	p := n.open()
	defer p.Close()
	for who, want := range map[string]string{
		"":                                "there is no contact",
		"誰でもない":                           "there is no contact",
		"R001@energyd.example":            "one of your own people",
		"株式会社山田製作所":                       "there is no contact",
		n.account("K0001")["Id"].(string): "there is no contact",
	} {
		if _, _, err := p.Erase(t.Context(), who, true); fault.KindOf(err) != fault.Config || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("erase %q gives %v, want %q", who, err, want)
		}
	}
	if _, e, err := p.Erase(t.Context(), "nobody@elsewhere.example", false); err != nil || e.Done {
		t.Errorf("looking for an address that nobody has gives %+v, %v", e, err)
	}
}

// TestPull_62_no_body_is_stored: what mails say is in no file of the store, its
// log and temporary files, while it is open and afterwards.
func TestPull_62_no_body_is_stored(t *testing.T) {
	n, _, server := withMail(t, "")
	t.Setenv("TMPDIR", filepath.Join(n.dir, "tmp"))
	t.Setenv("SQLITE_TMPDIR", filepath.Join(n.dir, "tmp"))
	if err := os.Mkdir(filepath.Join(n.dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	server.Save("rep1", "INBOX", []byte("From: manabu@yamada-ss.example\r\nTo: r001@energyd.example\r\nSubject: Re: canary\r\nDate: "+
		n.now().Add(-30*time.Hour).Format(time.RFC1123Z)+"\r\nMessage-ID: <answer@host.example>\r\nIn-Reply-To: <m2@host.example>\r\n\r\n"+canaryBody+"ますか？\r\n"))
	p := n.open()
	if _, err := p.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(n.dir, "energyd.db-wal")); err != nil || info.Size() == 0 {
		t.Fatalf("the store has no log, so nothing is proved of it: %v", err)
	}
	if log := server.Log(); !strings.Contains(log, "body_count=") || !strings.Contains(strings.ReplaceAll(log, "body_count=0", ""), "body_count=") {
		t.Fatalf("no body was read at all, so nothing is proved:\n%s", log)
	}
	for _, trace := range n.traces("", canaryBody) {
		t.Error("while the store is open", trace)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, trace := range n.traces("", canaryBody) {
		t.Error("afterwards", trace)
	}
}
