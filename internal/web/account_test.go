package web

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/fault"
	"energyd/internal/web/signon"
)

// told reads the JSON twin of a page.
func told[T any](t *testing.T, d http.Handler, address string) (got T) {
	t.Helper()
	w := get(t, d, api+address, "ja")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %v\n%s", address, w.Code, err, w.Body)
	}
	return got
}

// TestAccount_adds_up: for every customer of the demo the reasons add up to the temperature that is shown, the course
// meets it today and falls into the next band on the day that is told.
func TestAccount_adds_up(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	found := told[search](t, d, "/search?q=%E6%A0%AA%E5%BC%8F%E4%BC%9A%E7%A4%BE")
	for _, c := range found.Found {
		a := told[account](t, d, "/customers/"+c.ID)
		sum := int64(0)
		for _, r := range a.Reasons {
			sum += int64(math.Round(r.Share * 1000))
		}
		if shown := int64(math.Round(a.Temperature * 1000)); sum != shown || math.Abs(a.Left-a.Temperature) > 0.0005 {
			t.Errorf("%s: the reasons add up to %d thousandths and the total is %v; the temperature is %d", a.Name, sum, a.Left, shown)
		}
		if c.Temperature != a.Temperature || c.Band != a.Band {
			t.Errorf("%s is found with %v, %s and shown with %v, %s", a.Name, c.Temperature, c.Band, a.Temperature, a.Band)
		}
		for _, day := range a.Course {
			if day.Date == a.AsOf && math.Abs(day.Temperature-a.Temperature) > 0.0005 {
				t.Errorf("%s: the curve has %v today, not %v", a.Name, day.Temperature, a.Temperature)
			}
			if len(a.Steps) > 0 && day.Date == a.Steps[0].Date && math.Abs(day.Temperature-a.Steps[0].Temperature) > 0.0005 {
				t.Errorf("%s: the curve has %v on the day of the next step, not %v", a.Name, day.Temperature, a.Steps[0].Temperature)
			}
		}
		if n := len(a.Months); n == 0 || math.Abs(a.Months[n-1].Temperature-a.Temperature) > 0.0005 {
			t.Errorf("%s: the table beside the curve ends with %+v", a.Name, a.Months)
		}
	}
	if len(found.Found) < 5 {
		t.Errorf("%d customers are found", len(found.Found))
	}
}

// TestAccount_page: the page names the customer, the records of one contact, the way into the CRM and the day of the next step, and has the search on top.
func TestAccount_page(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	for _, c := range told[search](t, d, "/search?q=%E6%A0%AA%E5%BC%8F%E4%BC%9A%E7%A4%BE").Found {
		a := told[account](t, d, "/customers/"+c.ID)
		page := get(t, d, "/customers/"+c.ID+"?all=1", "ja").Body.String()
		want := []string{"<h1>" + a.Name + "</h1>", `action="/search"`, `role="img"`, a.Link, fmt.Sprintf("%.3f", a.Left)}
		for _, s := range a.Steps {
			want = append(want, ">"+s.Date+"<")
		}
		for _, r := range a.Reasons {
			for _, m := range r.Members {
				want = append(want, "<code>"+m.Source+"/"+m.Record+"</code>")
			}
		}
		for _, p := range a.People {
			want = append(want, p.Name, p.Last)
		}
		for _, w := range want {
			if w == "" || !strings.Contains(page, w) {
				t.Errorf("%s: %q is not on the page", a.Name, w)
			}
		}
		if n := strings.Count(page, `<path class="met `) - int(engine.NumClasses); n != len(a.Reasons) && n < 1 {
			t.Errorf("%s: %d contacts are drawn of %d", a.Name, n, len(a.Reasons))
		}
	}
}

// TestAccount_members: a visit that two sources tell of is one contact, with both records and what it has of which.
func TestAccount_members(t *testing.T) {
	t.Parallel()
	file := company(t)
	p := open(t, file)
	id := "001000000000000001"
	day := p.AsOf() - 3
	keep(t, p, []engine.Profile{{Entity: engine.Entity{Kind: engine.Account, ID: id}, Source: "accounts", Version: 1, Name: "株式会社二重"}}, []engine.Activity{
		{Source: "events", ID: "00U1", Version: 1, Date: day, Kind: "visit", Account: id, People: []engine.Participant{{Contact: "c1"}}},
		{Source: "daily_report", ID: "42", Version: 1, Date: day, Kind: "visit", Account: id, People: []engine.Participant{{Contact: "c1", Rank: "executive"}}},
	})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	d := dashboard(t, file)
	a := told[account](t, d, "/customers/"+id)
	if len(a.Reasons) != 1 || len(a.Reasons[0].Members) != 2 || len(a.People) != 1 || a.People[0].Contacts != 1 || a.People[0].Rank != "役員" {
		t.Fatalf("%+v, %+v", a.Reasons, a.People)
	}
	page := get(t, d, "/customers/"+id, "ja").Body.String()
	for _, want := range []string{"1つの接触を伝える2件の記録", "<code>daily_report/42</code>", "<code>events/00U1</code>", "参加者", "役職"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

// TestAccount_many_reasons: a long list is cut, and what is left out is told as one sum.
func TestAccount_many_reasons(t *testing.T) {
	t.Parallel()
	a := &account{}
	for range 3 * mostReasons {
		a.Reasons = append(a.Reasons, explain.Part{Points: 0.1, Share: 0.001})
	}
	a.sums(false)
	if len(a.Shown) != mostReasons || a.Others != 2*mostReasons || a.Left != 0.12 || a.Earned != 12 || a.Rest != [2]float64{8, 0.08} {
		t.Errorf("%d shown, %d not: %v and %v of %v, %v", len(a.Shown), a.Others, a.Rest[0], a.Rest[1], a.Earned, a.Left)
	}
	a.sums(true)
	if len(a.Shown) != 3*mostReasons || a.Others != 0 || a.Rest != [2]float64{} {
		t.Errorf("%d shown where all were asked for", len(a.Shown))
	}
}

// TestAccount_strange: a customer without a contact has a page; a name is no markup, an id leads nowhere else.
func TestAccount_strange(t *testing.T) {
	t.Parallel()
	d := dashboard(t, seeded(t, 12))
	for id, want := range map[string]int{
		customerID(9): http.StatusOK, customerID(0): http.StatusOK, "nobody": http.StatusNotFound, "..%2F..%2Fetc%2Fpasswd": http.StatusNotFound, "%00": http.StatusNotFound,
	} {
		w := get(t, d, "/customers/"+id, "en")
		if w.Code != want {
			t.Errorf("%s: %d", id, w.Code)
		}
		wellFormed(t, w.Body.String(), "en")
	}
	if page := get(t, d, "/customers/"+customerID(9), "en").Body.String(); !strings.Contains(page, "No contact of this customer is stored") {
		t.Error("who has no contact is not told so")
	}
	for _, address := range []string{"/customers/" + customerID(0), "/search?q=" + url.QueryEscape(customerID(0)), "/search?q=%3Cscript%3Ealert(1)%3C/script%3E"} {
		if page := get(t, d, address, "ja").Body.String(); strings.Contains(page, "<script>") {
			t.Errorf("%s has markup of somebody else's", address)
		}
	}
}

// TestAccount_own: who may see only what is their own neither opens nor finds a customer of somebody else, and is not told whether there is one.
func TestAccount_own(t *testing.T) {
	t.Parallel()
	file := seeded(t, 60)
	p := open(t, file)
	subsidiaries := append(accounts(3, 4), accounts(53, 54)...)
	subsidiaries[0].Parent, subsidiaries[1].Parent = customerID(4), customerID(3)
	subsidiaries[0].Version, subsidiaries[1].Version = 2, 2
	keep(t, p, subsidiaries, nil)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	d := dashboard(t, file)
	own := func(address, id string) *visit {
		s, leave := d.enter()
		t.Cleanup(leave)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		r.SetPathValue("id", id)
		return &visit{site: s, p: s.p, request: r, query: r.URL.Query(), language: "en", log: func(string, ...any) {},
			reader: signon.Reader{Name: "rep", Role: signon.Manager, Rep: rep(3), OwnOnly: true}}
	}
	for id, fits := range map[string]bool{customerID(3): true, customerID(53): true, customerID(4): false} {
		if _, err := viewAccount(t.Context(), own("/customers/"+id, id)); (err == nil) != fits {
			t.Errorf("%s: %v", id, err)
		}
	}
	for id, parent := range map[string]string{customerID(3): "", customerID(53): customerID(3)} { // which is somebody else's, or their own
		a, err := viewAccount(t.Context(), own("/customers/"+id, id))
		if err != nil || a.ParentID != parent || (a.Parent == "") != (parent == "") {
			t.Errorf("%v: %s stands under %q %q", err, id, a.ParentID, a.Parent)
		}
	}
	_, other := viewAccount(t.Context(), own("/customers/x", customerID(4)))
	_, none := viewAccount(t.Context(), own("/customers/x", "001999999999999999"))
	if fault.KindOf(other) != fault.KindOf(none) || strings.ReplaceAll(other.Error(), customerID(4), "") != strings.ReplaceAll(none.Error(), "001999999999999999", "") {
		t.Errorf("somebody else's: %v; nobody's: %v", other, none)
	}
	got, err := viewSearch(t.Context(), own("/search?q=%E3%82%B5%E3%83%B3%E3%83%97%E3%83%AB", ""))
	if err != nil || got.All != 2 || got.Found[0].ID != customerID(3) || got.Found[1].ID != customerID(53) {
		t.Errorf("%v: %+v", err, got)
	}
}

// TestSearch: customers are found by what a person types, on paper's width and kana or not; more than fit on a page are counted.
func TestSearch(t *testing.T) {
	t.Parallel()
	d := dashboard(t, seeded(t, 200))
	for typed, want := range map[string]string{"サンプル000007": customerID(7), "ｻﾝﾌﾟﾙ000007": customerID(7), "さんぷる000007": customerID(7), "㈱サンプル000007": customerID(7), customerID(7): customerID(7)} {
		s := told[search](t, d, "/search?q="+url.QueryEscape(typed))
		if s.All != 1 || s.Found[0].ID != want || s.Found[0].Owner != "営業 7" || s.Found[0].Temperature == 0 {
			t.Errorf("%q finds %+v", typed, s)
		}
	}
	if s := told[search](t, d, "/search?q="+url.QueryEscape("サンプル")); s.All != 199 || len(s.Found) != mostFound {
		t.Errorf("%d of %d", len(s.Found), s.All)
	}
	if s := told[search](t, d, "/search"); s.All != 0 || len(s.Found) != 0 {
		t.Errorf("nothing finds %+v", s)
	}
}

// BenchmarkSearch measures a search among 100,000 customers, and the page of one of them.
func BenchmarkSearch(b *testing.B) {
	file := seeded(b, 100_000)
	d := dashboard(b, file)
	for name, address := range map[string]string{"search": "/search?q=" + url.QueryEscape("ｻﾝﾌﾟﾙ0777"), "customer": "/customers/" + customerID(77)} {
		b.Run(name, func(b *testing.B) {
			began := time.Now()
			get(b, d, address, "ja") // the names are read
			b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/first")
			for b.Loop() {
				if w := get(b, d, address, "ja"); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
