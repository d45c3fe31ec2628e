package crmsim

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/crmsim/soql"
)

// people is an org with a few rows that every kind of condition tells apart.
func people(t testing.TB) *org {
	o := newOrg(t, Options{Fields: map[string][]Field{"Contact": {
		{Name: "Score__c", Label: "Score", Type: Number, Precision: 18, Scale: 4},
		{Name: "Code__c", Label: "Code", Type: Text, Length: 20, ExternalID: true, Unique: true},
		{Name: "Met__c", Label: "Met", Type: Date},
		{Name: "Notes__c", Label: "Notes", Type: LongTextArea, Length: 1000},
	}}})
	day := func(d int) time.Time { return time.Date(2026, 3, d, 8, 30, 0, 0, time.UTC) }
	tokai := o.insert("Account", map[string]any{"Name": "東海精密", "AccountNumber": "C1"})
	minato := o.insert("Account", map[string]any{"Name": "Minato Foods", "AccountNumber": "C2"})
	for i, c := range []map[string]any{
		{"LastName": "田中", "FirstName": "一郎", "Title": "部長", "AccountId": tokai, "Score__c": 1.5, "Code__c": "K1", "Met__c": "2026-01-31"},
		{"LastName": "O'Neil \\ \"x\"", "Title": "100% owner_1", "AccountId": minato, "Score__c": -2, "Code__c": "K2"},
		{"LastName": "Baker", "Title": "buyer", "AccountId": minato, "DoNotCall": true, "Code__c": "k3", "Met__c": "2026-02-01"},
		{"LastName": "abe", "Score__c": 10, "Code__c": "K4"},
	} {
		c["SystemModstamp"] = day(1 + i)
		o.insert("Contact", c)
	}
	gone := o.insert("Contact", map[string]any{"LastName": "Gone", "SystemModstamp": day(9)})
	if err := o.Delete("Contact", gone); err != nil {
		t.Fatal(err)
	}
	return o
}

// S38 to S41: conditions, each with the last names that it leaves.
func TestS38_to_S41_conditions(t *testing.T) {
	o := people(t)
	tokai := newID("001", 1)
	for _, tc := range []struct{ where, want string }{
		{"LastName = '田中'", "田中"},
		{"LastName = 'BAKER'", "Baker"},
		{`LastName = 'O\'Neil \\ \"x\"'`, `O'Neil \ "x"`},
		{"LastName != 'Baker'", `田中,O'Neil \ "x",abe`},
		{"Title != 'buyer'", `田中,O'Neil \ "x",abe`}, // null is not 'buyer'
		{"Title = null", "abe"},
		{"Title != null", `田中,O'Neil \ "x",Baker`},
		{"Score__c > 1.5", "abe"},
		{"Score__c >= 1.5", "田中,abe"},
		{"Score__c < 0", `O'Neil \ "x"`},
		{"Score__c <= -2", `O'Neil \ "x"`},
		{"Score__c = null", "Baker"},
		{"DoNotCall = true", "Baker"},
		{"DoNotCall != true", `田中,O'Neil \ "x",abe`},
		{"Met__c >= 2026-02-01", "Baker"},
		{"SystemModstamp >= 2026-03-02T08:30:00Z AND SystemModstamp < 2026-03-04T08:30:00.000Z", `O'Neil \ "x",Baker`},
		{"SystemModstamp = 2026-03-01T17:30:00+09:00", "田中"},
		{"SystemModstamp = 2026-03-01T08:30:00.000+0000", "田中"},
		{"LastName IN ('baker', 'ABE', 'nobody')", "Baker,abe"},
		{"LastName NOT IN ('baker', '田中')", `O'Neil \ "x",abe`},
		{"Score__c IN (1.5, null)", "田中,Baker"},
		{"Title LIKE '%長'", "田中"},
		{"Title LIKE 'BUY__'", "Baker"},
		{`Title LIKE '100\% owner\_%'`, `O'Neil \ "x"`},
		{"Title LIKE '%%%'", `田中,O'Neil \ "x",Baker`},
		{"Account.Name = 'minato foods'", `O'Neil \ "x",Baker`},
		{"Account.AccountNumber = null", "abe"},
		{"AccountId = '" + tokai + "'", "田中"},
		{"AccountId = '" + tokai[:15] + "'", "田中"},
		{"Id IN ('" + newID("003", 3) + "', '" + newID("003", 1)[:15] + "')", "田中,Baker"},
		{"Id = '" + newID("003", 5) + "'", ""}, // deleted
		{"Id > '" + newID("003", 2) + "'", "Baker,abe"},
		{"(Score__c > 0 AND Met__c != null) OR LastName = 'Baker'", "田中,Baker"},
		{"NOT (Score__c > 0)", `O'Neil \ "x",Baker`},
		{"Score__c > 0 AND (NOT LastName = 'abe')", "田中"},
		{"Contact.LastName = 'abe'", "abe"},
		{"IsDeleted = true", ""},
	} {
		a := o.query("SELECT LastName FROM Contact WHERE " + tc.where + " ORDER BY Id")
		if a.status != 200 {
			t.Errorf("%s: %s", tc.where, a.body)
			continue
		}
		var names []string
		for _, r := range a.records() {
			names = append(names, r["LastName"].(string))
		}
		if got := strings.Join(names, ","); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.where, got, tc.want)
		}
	}
}

// S39, S40, S43, S44, S49: statements that are refused, with their codes.
func TestS39_S40_S43_S44_S49_refused(t *testing.T) {
	o := people(t)
	for _, tc := range []struct{ soql, code, message string }{
		{"SELEC Id FROM Contact", "MALFORMED_QUERY", "unexpected token: 'SELEC'"},
		{"", "MALFORMED_QUERY", ""},
		{"SELECT Id FROM Contact WHERE LastName = 'x", "MALFORMED_QUERY", ""},
		{"SELECT Id, Foo__c FROM Contact", "INVALID_FIELD", "\nSELECT Id, Foo__c FROM Contact\n           ^\nERROR at Row:1:Column:12\nNo such column 'Foo__c' on entity 'Contact'."},
		{"SELECT Id FROM Nope__c", "INVALID_TYPE", "sObject type 'Nope__c' is not supported"},
		{"SELECT Boss.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Boss'"},
		{"SELECT Account.Nope FROM Contact", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"},
		{"SELECT Id, id FROM Contact", "MALFORMED_QUERY", "duplicate field selected"},
		{"SELECT Id FROM Contact WHERE Score__c = 'x'", "INVALID_FIELD", "must be of type double and should not be enclosed in quotes"},
		{"SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"},
		{"SELECT Id FROM Contact WHERE Met__c > 2026-01-01T00:00:00Z", "INVALID_FIELD", "must be of type date"},
		{"SELECT Id FROM Contact WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD", "must be of type datetime"},
		{"SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "must be of type datetime"},
		{"SELECT Id FROM Contact WHERE DoNotCall > true", "INVALID_QUERY_FILTER_OPERATOR", ""},
		{"SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"},
		{"SELECT Id FROM Contact WHERE Score__c LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", ""},
		{"SELECT Id FROM Contact WHERE Notes__c = 'x'", "INVALID_FIELD", "can not be filtered"},
		{"SELECT Id FROM Contact ORDER BY Notes__c", "MALFORMED_QUERY", "can not be sorted"},
		{"SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", ""},
		{"SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "LIMIT of at most 200"},
		{"SELECT FIELDS(CUSTOM) FROM Contact LIMIT 201", "MALFORMED_QUERY", ""},
		{"SELECT IsDeleted FROM User", "INVALID_FIELD", ""},
	} {
		a := o.query(tc.soql)
		a.refused(400, tc.code)
		if m := a.array()[0]["message"].(string); !strings.Contains(m, tc.message) {
			t.Errorf("%s: message %q, want %q", tc.soql, m, tc.message)
		}
	}
	// A plus sign that was not encoded arrives as a blank.
	q := strings.ReplaceAll("SELECT Id FROM Contact WHERE SystemModstamp = 2026-03-01T08:30:00+00:00", " ", "%20")
	o.send("GET", api+"/query?q="+q, "").refused(400, "MALFORMED_QUERY")
}

// S33, S37, S38, S46: the answer byte by byte.
func TestS33_S37_S38_S46_shape(t *testing.T) {
	o := people(t)
	id := func(prefix string, n uint64) string { return newID(prefix, n) }
	a := o.query("select id, LASTNAME, name, account.name, Score__c, DoNotCall, Met__c, SystemModstamp, Account.Owner.Name, Account.NumberOfEmployees from contact where Code__c in ('k1', 'k4') order by id")
	want := fmt.Sprintf(`{"totalSize":2,"done":true,"records":[`+
		`{"attributes":{"type":"Contact","url":"/services/data/v66.0/sobjects/Contact/%[1]s"},"Id":"%[1]s","LastName":"田中","Name":"田中 一郎",`+
		`"Account":{"attributes":{"type":"Account","url":"/services/data/v66.0/sobjects/Account/%[2]s"},"Name":"東海精密",`+
		`"Owner":{"attributes":{"type":"User","url":"/services/data/v66.0/sobjects/User/%[3]s"},"Name":"System Administrator"},"NumberOfEmployees":null},`+
		`"Score__c":1.5,"DoNotCall":false,"Met__c":"2026-01-31","SystemModstamp":"2026-03-01T08:30:00.000+0000"},`+
		`{"attributes":{"type":"Contact","url":"/services/data/v66.0/sobjects/Contact/%[4]s"},"Id":"%[4]s","LastName":"abe","Name":"abe",`+
		`"Account":null,"Score__c":10.0,"DoNotCall":false,"Met__c":null,"SystemModstamp":"2026-03-04T08:30:00.000+0000"}]}`,
		id("003", 1), id("001", 1), id("005", 1), id("003", 4))
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	if a := o.query("SELECT Id FROM Lead"); a.body != `{"totalSize":0,"done":true,"records":[]}` {
		t.Errorf("empty: %s", a.body)
	}
}

func TestPolymorphicParents(t *testing.T) {
	o := people(t)
	who, what := newID("003", 1), newID("001", 2)
	o.insert("Task", map[string]any{"Subject": "電話", "WhoId": who, "WhatId": what, "Status": "Completed", "OwnerId": newID("005", 2)})
	a := o.query("SELECT Who.Name, Who.Type, Who.Title, Who.Email, What.Type, Account.Name, Owner.Name, IsClosed, TaskSubtype FROM Task WHERE Who.Type = 'contact' AND Who.Title LIKE '部%'")
	if a.status != 200 || len(a.records()) != 1 {
		t.Fatal(a.body)
	}
	r := a.records()[0]
	person := r["Who"].(map[string]any)
	if person["Name"] != "田中 一郎" || person["Type"] != "Contact" || person["Title"] != "部長" || person["Email"] != nil {
		t.Errorf("Who: %v", person)
	}
	if at := person["attributes"].(map[string]any); at["type"] != "Name" || at["url"] != api+"/sobjects/Contact/"+who {
		t.Errorf("Who's attributes: %v", at)
	}
	if r["What"].(map[string]any)["Type"] != "Account" || r["Account"].(map[string]any)["Name"] != "Minato Foods" {
		t.Errorf("What and the derived account: %v", r)
	}
	if r["Owner"].(map[string]any)["Name"] != "Integration User" || r["IsClosed"] != true || r["TaskSubtype"] != "Task" {
		t.Errorf("row: %v", r)
	}
	o.query("SELECT Who.AccountId FROM Task").refused(400, "INVALID_FIELD")
}

// S42: order by several keys, nulls, ties.
func TestS42_order(t *testing.T) {
	o := people(t)
	for _, tc := range []struct{ order, want string }{
		{"Score__c", "Baker,O'Neil,田中,abe"},
		{"Score__c NULLS LAST", "O'Neil,田中,abe,Baker"},
		{"Score__c DESC", "Baker,abe,田中,O'Neil"},
		{"Score__c DESC NULLS LAST", "abe,田中,O'Neil,Baker"},
		{"LastName", "abe,Baker,O'Neil,田中"},
		{"Account.Name, Id DESC", "abe,Baker,O'Neil,田中"},
		{"DoNotCall DESC, LastName ASC NULLS FIRST", "Baker,abe,O'Neil,田中"},
		{"SystemModstamp DESC, Id LIMIT 2 OFFSET 1", "Baker,O'Neil"},
	} {
		var names []string
		for _, r := range o.query("SELECT LastName FROM Contact ORDER BY " + tc.order).records() {
			names = append(names, strings.Fields(r["LastName"].(string))[0])
		}
		if got := strings.Join(names, ","); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.order, got, tc.want)
		}
	}
	order := func(by string) (ids []string) {
		for range 40 {
			o.insert("Lead", map[string]any{"LastName": "x", "Company": "y"})
		}
		for _, r := range o.query("SELECT Id FROM Lead" + by).records() {
			ids = append(ids, r["Id"].(string))
		}
		return ids[:40]
	}
	if slices.Equal(order(" ORDER BY LastName"), order(" ORDER BY LastName")) {
		t.Error("ties come in the same order twice")
	}
	if !slices.Equal(order(" ORDER BY LastName, Id"), order(" ORDER BY LastName, Id")) {
		t.Error("with Id as a key the order varies")
	}
}

// S34, S35, S36, S52: pages and locators.
func TestS34_S35_S36_S52_paging(t *testing.T) {
	o := newOrg(t, Options{})
	var ids []string
	for i := range 450 {
		ids = append(ids, o.insert("Account", map[string]any{"Name": fmt.Sprintf("会社%03d", i)}))
	}
	type page struct {
		TotalSize      int
		Done           bool
		NextRecordsURL string `json:"nextRecordsUrl"`
		Records        []struct{ ID, Name string }
	}
	read := func(a got) (p page) { t.Helper(); a.decode(&p); return p }
	first := read(o.query("SELECT Id, Name FROM Account ORDER BY Id", "Sforce-Query-Options", "batchSize=200"))
	if first.Done || first.TotalSize != 450 || len(first.Records) != 200 {
		t.Fatalf("first page: %v %d %d", first.Done, first.TotalSize, len(first.Records))
	}
	if !regexp.MustCompile(`^/services/data/v66\.0/query/01g\w{15}-200$`).MatchString(first.NextRecordsURL) {
		t.Errorf("S34: %s", first.NextRecordsURL)
	}
	if err := o.Update("Account", ids[300], map[string]any{"Name": "改名"}); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete("Account", ids[301]); err != nil {
		t.Fatal(err)
	}
	second := read(o.send("GET", first.NextRecordsURL, ""))
	if len(second.Records) != 199 || second.Records[100].Name != "改名" || second.TotalSize != 450 {
		t.Errorf("S52: %d rows", len(second.Records))
	}
	if again := read(o.send("GET", strings.Replace(first.NextRecordsURL, "/query/", "/queryAll/", 1), "")); !cmp.Equal(again, second) {
		t.Error("S34: the same page is another one under /queryAll/")
	}
	third := read(o.send("GET", second.NextRecordsURL, ""))
	if !third.Done || third.NextRecordsURL != "" || len(third.Records) != 50 || third.Records[49].ID != ids[449] {
		t.Errorf("last page: %+v", third)
	}
	if p := read(o.query("SELECT Id FROM Account", "Sforce-Query-Options", "batchSize=5")); len(p.Records) != 200 {
		t.Errorf("S35: batchSize 5 gives %d rows", len(p.Records))
	}
	next := read(o.send("GET", api+"/queryAll?q="+url.QueryEscape("SELECT Id FROM Account ORDER BY Id"), "", "Sforce-Query-Options", "batchSize=200")).NextRecordsURL
	if err := o.HardDelete("Account", ids[302]); err != nil {
		t.Fatal(err)
	}
	if p := read(o.send("GET", next, "")); len(p.Records) != 199 {
		t.Errorf("S52: %d rows after one was removed for good", len(p.Records))
	}
	o.inject(Fault{Name: "page_max", Rows: 37})
	if p := read(o.query("SELECT Id FROM Account")); len(p.Records) != 37 {
		t.Errorf("S35: page_max 37 gives %d rows", len(p.Records))
	}
	o.inject(Fault{Name: "drop_locators"})
	for _, locator := range []string{first.NextRecordsURL, api + "/query/01gxx0000000000AAA-2000", api + "/query/nonsense"} {
		o.send("GET", locator, "").refused(400, "INVALID_QUERY_LOCATOR")
	}
	last := read(o.query("SELECT Id FROM Account"))
	*o.clock = o.clock.Add(49 * time.Hour)
	o.signOn()
	o.send("GET", last.NextRecordsURL, "").refused(400, "INVALID_QUERY_LOCATOR")
}

// S45, S47: counts; deleted and archived rows.
func TestS45_S47_count_deleted_archived(t *testing.T) {
	o := people(t)
	if a := o.query("SELECT COUNT() FROM Contact WHERE Score__c != null"); a.body != `{"totalSize":3,"done":true,"records":[]}` {
		t.Errorf("S45: %s", a.body)
	}
	o.insert("Task", map[string]any{"Subject": "old", "IsArchived": true})
	for _, tc := range []struct {
		path, soql string
		want       int
	}{
		{"/query", "SELECT Id FROM Contact WHERE IsDeleted = true", 0},
		{"/queryAll", "SELECT Id FROM Contact WHERE IsDeleted = true", 1},
		{"/query", "SELECT Id FROM Task WHERE IsArchived = true", 0},
		{"/queryAll", "SELECT Id FROM Task WHERE IsArchived = true", 1},
		{"/queryAll/", "SELECT Id FROM Contact", 5},
	} {
		if got := len(o.send("GET", api+tc.path+"?q="+url.QueryEscape(tc.soql), "").records()); got != tc.want {
			t.Errorf("%s %s: %d rows, want %d", tc.path, tc.soql, got, tc.want)
		}
	}
}

// S49: FIELDS() gives what the user may see.
func TestS49_fields(t *testing.T) {
	o := people(t)
	r := o.query("SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1").records()[0]
	delete(r, "attributes")
	if keys := slices.Sorted(maps.Keys(r)); !slices.Equal(keys, []string{"Code__c", "Met__c", "Notes__c", "Score__c"}) {
		t.Errorf("%v", keys)
	}
	if r := o.query("SELECT FIELDS(ALL) FROM Contact LIMIT 200").records()[0]; r["Id"] == nil || r["LastName"] == nil {
		t.Errorf("%v", r)
	}
}

// S46: child rows come as results of their own, or as null.
func TestS46_child_rows(t *testing.T) {
	o := newOrg(t, Options{})
	a, b := o.customer("東海"), o.customer("北陸")
	o.insert("Contact", map[string]any{"LastName": "佐藤", "AccountId": a.account})
	gone := o.insert("Contact", map[string]any{"LastName": "消", "AccountId": a.account})
	for object, id := range map[string]string{"Contact": gone, "Opportunity": b.deal} {
		if err := o.Delete(object, id); err != nil {
			t.Fatal(err)
		}
	}
	got := o.query("SELECT Name, (SELECT LastName, Account.Name FROM Contacts WHERE LastName != 'x' ORDER BY Id DESC LIMIT 2), (select StageName from opportunities) FROM Account ORDER BY Id").body
	row := func(object, id, rest string) string {
		return `{"attributes":{"type":"` + object + `","url":"` + api + "/sobjects/" + object + "/" + id + `"},` + rest + "}"
	}
	parent := func(c customer, name string) string {
		return `"Account":` + row("Account", c.account, `"Name":"`+name+`"`)
	}
	list := func(rows ...string) string {
		return fmt.Sprintf(`{"totalSize":%d,"done":true,"records":[%s]}`, len(rows), strings.Join(rows, ","))
	}
	second := newID("003", 3)
	want := list(
		row("Account", a.account, `"Name":"東海","Contacts":`+
			list(row("Contact", second, `"LastName":"佐藤",`+parent(a, "東海")), row("Contact", a.contact, `"LastName":"東海",`+parent(a, "東海")))+
			`,"Opportunities":`+list(row("Opportunity", a.deal, `"StageName":"Proposal"`))),
		row("Account", b.account, `"Name":"北陸","Contacts":`+list(row("Contact", b.contact, `"LastName":"北陸",`+parent(b, "北陸")))+`,"Opportunities":null`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	o.query("SELECT Id, (SELECT Id FROM Nopes) FROM Account").refused(400, "INVALID_TYPE")
	o.query("SELECT Id, (SELECT Nope FROM Contacts) FROM Account").refused(400, "INVALID_FIELD")
	o.query("SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account").refused(400, "MALFORMED_QUERY")
}

// Whatever parses is either evaluated or refused with an Error.
func FuzzQuery(f *testing.F) {
	o := people(f)
	f.Add("SELECT Id, Account.Owner.Name FROM Contact WHERE (Score__c > 1 AND Title LIKE '%_') OR Id IN ('x', null) ORDER BY Account.Name DESC LIMIT 3")
	f.Add("SELECT FIELDS(ALL) FROM Task WHERE Who.Type != null LIMIT 9")
	f.Add("SELECT Id, (SELECT Id, Owner.Name FROM Contacts WHERE Id != null LIMIT 1) FROM Account")
	f.Fuzz(func(t *testing.T, text string) {
		o.mu.RLock()
		defer o.mu.RUnlock()
		p, err := o.compile(text)
		var e *soql.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("not an Error: %v", err)
			}
			return
		}
		rows := o.run(p, true)
		columns := o.withChildren(p.columns, rows, true)
		for _, r := range rows {
			o.appendRow(nil, api, p.obj.name, columns, r, r)
		}
	})
}
