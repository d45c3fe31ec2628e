package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/xuri/excelize/v2"

	"energyd/engine"
	"energyd/internal/demo"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/web/signon"
)

// scorer is the points table as the store's ledger needs it.
type scorer struct{ *engine.Points }

func (s scorer) Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	return s.Evaluate(kind, cells, asOf).Due
}

// hostile is a customer's name as somebody would have it who means harm.
const hostile = `=HYPERLINK("https://evil.example","<script>alert(1)</script>")`

// seeded is the demo's configuration over a store with so many customers, five contacts each: of
// 50 owners, 3 segments, every tenth without a contact.
func seeded(t testing.TB, customers int) (file string) {
	t.Helper()
	w, err := demo.Start(t.Context(), t.TempDir(), demoDay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	p := open(t, w.Config)
	var profiles []engine.Profile
	for i := range 50 {
		profiles = append(profiles, engine.Profile{Entity: engine.Entity{Kind: engine.Rep, ID: rep(i)}, Source: "crm", Version: 1, Name: fmt.Sprintf("営業 %d", i)})
	}
	keep(t, p, profiles, nil)
	const batch = 5000
	for from := 0; from < customers; from += batch {
		keep(t, p, accounts(from, min(customers, from+batch)), contacts(p.AsOf(), from, min(customers, from+batch)))
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return w.Config
}

func rep(i int) string        { return fmt.Sprintf("005%015d", i%50) }
func customerID(i int) string { return fmt.Sprintf("001%015d", i) }

func accounts(from, to int) (profiles []engine.Profile) {
	for i := from; i < to; i++ {
		name := fmt.Sprintf("株式会社サンプル%06d", i)
		if i == 0 {
			name = hostile
		}
		profiles = append(profiles, engine.Profile{Entity: engine.Entity{Kind: engine.Account, ID: customerID(i)}, Source: "crm", Version: 1, Name: name, Owner: rep(i),
			Facts: engine.Facts{"segment": []string{"製造", "物流", "金融"}[i%3], "important": fmt.Sprint(i%7 == 0)}})
	}
	return profiles
}

func contacts(asOf engine.Date, from, to int) (acts []engine.Activity) {
	kinds, ranks := []string{"visit", "phone", "mail", "web_meeting"}, []string{"staff", "section_manager", "department_manager", "executive"}
	for i := from; i < to; i++ {
		for k := range 5 {
			if i%10 == 9 {
				continue
			}
			acts = append(acts, engine.Activity{Source: "nippo", ID: fmt.Sprint(i, ".", k), Version: 1, Date: asOf - engine.Date((i*7+k*61)%330), Kind: kinds[(i+k)%4], Direction: engine.Inbound,
				Account: customerID(i), People: []engine.Participant{{Contact: fmt.Sprint(customerID(i), k%2), Rank: ranks[(i/3+k)%4]}}, Reps: []engine.Share{{ID: rep(i)}}})
		}
	}
	return acts
}

// keep puts into the store what a pull would.
func keep(t testing.TB, p *pipeline.Pipeline, profiles []engine.Profile, acts []engine.Activity) {
	t.Helper()
	cursor, err := p.Store().Cursor(t.Context(), "seed")
	if err != nil {
		t.Fatal(err)
	}
	b := store.Batch{Run: "seed", Source: "seed", After: cursor, Next: cursor + "x", Read: len(profiles) + len(acts), Profiles: profiles, Activities: acts}
	if err := p.Store().SaveBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Store().Fold(t.Context(), scorer{p.Points()}, p.AsOf()); err != nil {
		t.Fatal(err)
	}
}

// tableAt is the JSON twin of a table.
func tableAt(t *testing.T, d http.Handler, address string) (got table) {
	t.Helper()
	w := get(t, d, api+address, "ja")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %v\n%s", address, w.Code, err, w.Body)
	}
	return got
}

// TestTable_Pages: every row is on exactly one page, in the report's order, and the total is that of all pages.
func TestTable_Pages(t *testing.T) {
	d := dashboard(t, seeded(t, 2*rowsShown+7))
	first := tableAt(t, d, "/months")
	if first.Count != 2*rowsShown+7 || first.All != first.Count || first.Pages != 3 || len(first.Rows) != rowsShown {
		t.Fatalf("%d of %d rows on %d pages, %d on the first", first.Count, first.All, first.Pages, len(first.Rows))
	}
	seen := map[string]bool{}
	sum, last := 0., 0.
	for n := 1; n <= 3; n++ {
		for i, row := range tableAt(t, d, fmt.Sprintf("/months?page=%d", n)).Rows {
			if seen[row.Account] {
				t.Errorf("%s is there twice", row.Account)
			}
			seen[row.Account] = true
			total := row.Cells[len(row.Cells)-1].(float64)
			if (n > 1 || i > 0) && total > last {
				t.Errorf("%v comes after %v", total, last)
			}
			sum, last = sum+total, total
		}
	}
	if len(seen) != first.Count {
		t.Errorf("%d customers on all pages", len(seen))
	}
	if got := first.Totals[len(first.Totals)-1].(float64); got-sum > .001 || sum-got > .001 {
		t.Errorf("the total is %v, that of the rows %v", got, sum)
	}
	if got := tableAt(t, d, "/months?page=99"); got.Page != 3 {
		t.Errorf("beyond the last page is page %d", got.Page)
	}
	page := get(t, d, "/months", "en").Body.String()
	if !strings.Contains(page, `rel="next" href="?page=2"`) || strings.Contains(page, `rel="prev"`) {
		t.Error("the first page leads not to the second alone")
	}
}

// TestTable_Choose: filters narrow the rows, their totals and the download alike.
func TestTable_Choose(t *testing.T) {
	d := dashboard(t, seeded(t, 100))
	whole := tableAt(t, d, "/months")
	for _, f := range whole.Filters {
		for _, o := range f.Options {
			if got := tableAt(t, d, "/months?"+f.Name+"="+o.Value); got.Count != o.Rows || got.All != whole.All {
				t.Errorf("%s = %s: %d of %d rows, and %d are told", f.Name, o.Value, got.Count, got.All, o.Rows)
			}
		}
	}
	for _, m := range whole.Marks {
		if got := tableAt(t, d, "/months?only="+m.Value); got.Count != m.Rows || got.Count == whole.Count {
			t.Errorf("only %s: %d rows of %d, and %d are told", m.Value, got.Count, whole.Count, m.Rows)
		}
	}
	if len(whole.Filters) != 3 || len(whole.Marks) != 3 {
		t.Errorf("filters %+v, marks %+v", whole.Filters, whole.Marks)
	}
	address := "/months?segment=物流&only=important&sort=account&order=desc"
	got := tableAt(t, d, address)
	if got.Count != 5 || !slices.IsSortedFunc(got.Rows, func(a, b tableRow) int { return -cmp.Compare(a.Cells[0].(string), b.Cells[0].(string)) }) {
		t.Errorf("%d rows: %+v", got.Count, got.Rows)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(get(t, d, address+"&format=csv", "ja").Body.Bytes(), []byte("\uFEFF")))).ReadAll()
	if err != nil || len(rows) != 1+got.Count || rows[1][0] != got.Rows[0].Cells[0] {
		t.Errorf("the download has other rows (%v): %q", err, rows)
	}
	empty := get(t, d, "/months?owner=nobody", "en")
	if empty.Code != http.StatusOK || !strings.Contains(empty.Body.String(), "Clear the filter") {
		t.Errorf("%d\n%s", empty.Code, empty.Body)
	}
	wellFormed(t, empty.Body.String(), "en")
}

// TestTable_Sort: by numbers, texts and days, in both directions; rows without a value come last in both.
func TestTable_Sort(t *testing.T) {
	d := dashboard(t, company(t))
	for _, address := range []string{"/months", "/ranks", "/attention", "/past", "/deals", "/rankings"} {
		whole := tableAt(t, d, address)
		for i, c := range whole.Columns {
			for _, order := range []string{ascending, descending} {
				got := tableAt(t, d, address+"?sort="+c.Key+"&order="+order)
				values := make([]any, 0, len(got.Rows))
				for _, row := range got.Rows {
					values = append(values, row.Cells[i])
				}
				if len(values) != len(whole.Rows) || !inOrder(values, order == descending) {
					t.Errorf("%s by %s %s: %v", address, c.Key, order, values)
				}
			}
		}
	}
}

// inOrder tells whether values ascend, or descend, those that are none last.
func inOrder(values []any, down bool) bool {
	none := func(v any) bool { return v == nil || v == "n/a" }
	for i := 1; i < len(values); i++ {
		a, b := values[i-1], values[i]
		if none(a) && !none(b) {
			return false
		}
		if none(a) || none(b) {
			continue
		}
		order := 0
		switch a := a.(type) {
		case float64:
			order = cmp.Compare(a, b.(float64))
		case string:
			order = cmp.Compare(a, b.(string))
		}
		if down && order < 0 || !down && order > 0 {
			return false
		}
	}
	return true
}

// TestTable_Refused: what an address cannot mean is said, and not guessed.
func TestTable_Refused(t *testing.T) {
	d := dashboard(t, seeded(t, 3))
	for address, want := range map[string]int{
		"/months?sort=nothing": http.StatusUnprocessableEntity, "/months?months=5": http.StatusUnprocessableEntity, "/months?band=boiling": http.StatusUnprocessableEntity,
		"/months?only=rich": http.StatusUnprocessableEntity, "/months?page=-1": http.StatusUnprocessableEntity,
		"/customers/nobody/months/2026-11": http.StatusNotFound, "/customers/" + customerID(0) + "/months/1066-10": http.StatusNotFound,
	} {
		if w := get(t, d, address, "en"); w.Code != want {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
}

// TestTable_Hostile: a company's name is neither markup on the page nor a formula in a file.
func TestTable_Hostile(t *testing.T) {
	d := dashboard(t, seeded(t, 3))
	if page := get(t, d, "/months", "ja").Body.String(); strings.Contains(page, "<script>") || !strings.Contains(page, "&lt;script&gt;") {
		t.Error("a name is markup on the page")
	}
	if file := get(t, d, "/months?format=csv", "ja").Body.String(); strings.Contains(file, "\n\"=HYPER") || !strings.Contains(file, "'=HYPER") {
		t.Errorf("a name is a formula in a CSV file:\n%s", file)
	}
	f, err := excelize.OpenReader(get(t, d, "/months?format=xlsx", "ja").Body)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for row := 2; row <= 4; row++ {
		if formula, err := f.GetCellFormula("表", fmt.Sprint("A", row)); err != nil || formula != "" {
			t.Errorf("row %d has the formula %q, %v", row, formula, err)
		}
	}
}

// visitOf is a reader asking for an address.
func visitOf(t *testing.T, d *Dashboard, address string, reader signon.Reader) *visit {
	t.Helper()
	s, leave := d.enter()
	t.Cleanup(leave)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	return &visit{site: s, p: s.p, request: r, query: r.URL.Query(), language: "en", log: func(string, ...any) {}, reader: reader}
}

// TestTable_Own: who may see only what is their own sees nothing else, whatever the address asks for.
func TestTable_Own(t *testing.T) {
	d := dashboard(t, seeded(t, 100))
	get(t, d, "/months", "ja")
	reader := signon.Reader{Name: "rep", Role: signon.Manager, Rep: rep(3), OwnOnly: true}
	own := func(address string) *visit { return visitOf(t, d, address, reader) }
	for _, query := range []string{"", "?owner=" + rep(4), "?sort=account", "?only=important", "?page=2"} {
		v := own("/months" + query)
		got, err := v.table(t.Context(), "month")
		if err != nil {
			t.Fatal(err)
		}
		file, err := got.download(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		for i := range file.Count {
			if s := file.About(i); s.Owner != rep(3) {
				t.Errorf("%q shows %+v", query, s)
			}
		}
		if got.All != 2 || got.Count != file.Count || len(got.Filters) > 0 && got.Filters[0].Name == "owner" && query == "" {
			t.Errorf("%q tells of %d rows of %d: %+v", query, got.Count, got.All, got.Filters)
		}
	}
	if _, err := own("/funnel").table(t.Context(), "funnel"); fault.KindOf(err) != fault.Auth {
		t.Errorf("what is about everybody: %v", err)
	}
	for id, want := range map[string]fault.Kind{customerID(3): "", customerID(4): fault.Config} {
		v := own("/customers/" + id + "/months/2026-11")
		v.request.SetPathValue("id", id)
		v.request.SetPathValue("month", "2026-11")
		if _, err := viewMonthOf(t.Context(), v); err != nil != (want != "") || err != nil && fault.KindOf(err) != want {
			t.Errorf("the month of %s: %v", id, err)
		}
	}
}

// TestReps: single sales people are shown where that is switched on, to somebody who has a name, and each look is kept.
func TestReps(t *testing.T) {
	file := seeded(t, 10)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	manager := signon.Reader{Name: "manager", Role: signon.Manager}
	teams, err := viewReps(t.Context(), visitOf(t, dashboard(t, file), "/reps", manager))
	if err != nil || slices.ContainsFunc(teams.Columns, func(c tableColumn) bool { return c.Key == "rep" }) {
		t.Errorf("%v: sales people stand in the table of teams", err)
	}
	on := strings.Replace(string(text), "appraisal: false", "appraisal: true", 1)
	if err := os.WriteFile(file, []byte(on), 0o600); err != nil || on == string(text) {
		t.Fatal("the demo's configuration has no switch", err)
	}
	d := dashboard(t, file)
	nameless := manager
	nameless.Name = ""
	if _, err := viewReps(t.Context(), visitOf(t, d, "/reps", nameless)); fault.KindOf(err) != fault.Auth {
		t.Errorf("figures of people are shown to nobody: %v", err)
	}
	for looks := range 2 {
		v := visitOf(t, d, "/reps", manager)
		people, err := viewReps(t.Context(), v)
		if err != nil || people.Columns[0].Key != "rep" {
			t.Fatal(err)
		}
		kept, err := v.store().Looks(t.Context(), 10)
		if err != nil || len(kept) != looks+1 || kept[0].Who != "manager" {
			t.Errorf("%v: %+v is kept after %d looks", err, kept, looks+1)
		}
	}
}

// TestMonthOf: the contacts behind a cell add up to it.
func TestMonthOf(t *testing.T) {
	d := dashboard(t, company(t))
	months := tableAt(t, d, "/months")
	cells := 0
	for _, row := range months.Rows[:6] {
		for i, c := range months.Columns {
			if c.Key != "2026-06" && c.Key != "2026-10" && c.Key != "2026-11" {
				continue
			}
			var got monthOf
			if err := json.Unmarshal(get(t, d, api+"/customers/"+row.Account+"/months/"+c.Key, "ja").Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			sum := 0.
			for _, contact := range got.Contacts {
				sum += contact.Points
			}
			if earned := row.Cells[i].(float64); got.Earned != earned || sum-got.Limited-earned > .01 || earned-sum+got.Limited > .01 {
				t.Errorf("%s in %s: %v in the table, %v by itself, %v by its contacts less %v", row.Account, c.Key, earned, got.Earned, sum, got.Limited)
			}
			if got.Earned > 0 {
				cells++
			}
		}
	}
	if cells == 0 {
		t.Error("no cell has energy")
	}
}

// TestTable_Readers: a hundred readers at the same time, while the store is written, meet no error.
func TestTable_Readers(t *testing.T) {
	file := seeded(t, 100)
	d := dashboard(t, file)
	p := open(t, file)
	defer p.Close()
	get(t, d, api+"/months", "ja") // made once before all come at the same time
	get(t, d, api+"/ranks", "ja")
	var readers sync.WaitGroup
	for i := range 100 {
		readers.Go(func() {
			addresses := []string{api + "/months", api + "/ranks?sort=total&owner=" + rep(i)}
			if i%10 == 0 { // drawing takes most of the time, and every page is drawn elsewhere
				addresses = append(addresses, "/months")
			}
			for _, address := range addresses {
				if w := get(t, d, address, "ja"); w.Code != http.StatusOK {
					t.Errorf("%s: %d\n%s", address, w.Code, w.Body)
				}
			}
		})
	}
	for n := range 5 {
		keep(t, p, accounts(100+n, 101+n), contacts(p.AsOf(), 100+n, 101+n))
	}
	if _, _, _, err := p.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	readers.Wait()
}
