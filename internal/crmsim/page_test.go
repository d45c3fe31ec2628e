package crmsim

import (
	"net/http"
	"strings"
	"testing"
)

// seller is an org as a sales person opens it, with values that must be escaped.
func seller(t *testing.T) (o *org, account string) {
	o = newOrg(t, Options{Fields: map[string][]Field{"Account": {
		{Name: "Energy__c", Label: "獲得エネルギー", Type: Number, Precision: 18, Scale: 2},
		{Name: "Reasons__c", Label: "理由", Type: LongTextArea, Length: 2000},
		{Name: "Empty__c", Label: "空", Type: Date},
	}}})
	account = o.insert("Account", map[string]any{"Name": `<script>alert("x")</script>商事`, "Energy__c": 1234567.5, "Reasons__c": "一行目\n<b>二行目</b>", "Industry": "Retail"})
	contact := o.insert("Contact", map[string]any{"AccountId": account, "LastName": "田中", "FirstName": "一郎", "Title": "購買部長", "Email": "t@customer.example"})
	o.insert("Opportunity", map[string]any{"AccountId": account, "Name": "進行中の案件", "StageName": "Proposal", "Amount": 5000000, "CloseDate": "2026-06-30"})
	o.insert("Opportunity", map[string]any{"AccountId": account, "Name": "終わった案件", "StageName": "Closed Lost", "CloseDate": "2026-01-30"})
	o.insert("Task", map[string]any{"WhoId": contact, "Subject": "電話", "TaskSubtype": "Call", "ActivityDate": "2026-03-20"})
	o.insert("Event", map[string]any{"WhoId": contact, "Subject": "訪問", "StartDateTime": *o.clock})
	return o, account
}

func TestAccountPage(t *testing.T) {
	o, id := seller(t)
	if err := o.HideField("Account", "Energy__c"); err != nil { // the integration user's rights are not the sales person's
		t.Fatal(err)
	}
	a := o.send("GET", "/accounts/"+id, "", "Accept-Language", "fr, ja;q=0.8, en;q=0.5")
	if a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	for _, want := range []string{`lang="ja"`, "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;商事", "獲得エネルギー", "1,234,567.50", "一行目\n&lt;b&gt;二行目",
		"田中 一郎", "購買部長", `href="mailto:t@customer.example"`, "進行中の案件", ">¥5,000,000<", "提案", "2026年6月30日", "電話", "2026年3月20日", "小売・流通"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "終わった案件", "<b>", "style=", "http://", "https://"} {
		if strings.Contains(a.body, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if strings.Index(a.body, "訪問") > strings.Index(a.body, "2026年3月20日") {
		t.Error("the newest activity is not the first")
	}
	csp := a.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	english := o.send("GET", "/accounts/"+id+"?lang=en", "").body
	for _, want := range []string{`lang="en"`, "Open opportunities", "30 Jun 2026", "/accounts?lang=en"} {
		if !strings.Contains(english, want) {
			t.Errorf("the English page lacks %q", want)
		}
	}
}

func TestListPage(t *testing.T) {
	o := newOrg(t, Options{Fields: map[string][]Field{"Account": {{Name: "Energy__c", Label: "Energy", Type: Number, Precision: 9}}}})
	for _, name := range []string{"b", "a", "c"} {
		o.insert("Account", map[string]any{"Name": name + "商店", "Energy__c": map[string]any{"a": 5, "b": nil, "c": 50}[name]})
	}
	order := func(query string) string {
		body := o.send("GET", "/accounts"+query, "").body
		got := ""
		for part := range strings.SplitSeq(body, "商店") {
			if part != "" {
				got += part[len(part)-1:]
			}
		}
		return strings.Trim(got, "\n>")
	}
	for query, want := range map[string]string{"": "abc", "?sort=-Energy__c": "cab", "?sort=Energy__c": "acb", "?q=B": "b", "?q=none": "", "?sort=nonsense&page=-7": "abc", "?page=99": ""} {
		if got := order(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for range pageRows {
		o.insert("Account", map[string]any{"Name": "x"})
	}
	if body := o.send("GET", "/accounts?lang=en", "").body; !strings.Contains(body, "1–50 of 53") || !strings.Contains(body, "page=2") {
		t.Error("the first of two pages does not say so")
	}
	if body := o.send("GET", "/accounts?lang=en&page=2", "").body; !strings.Contains(body, "51–53 of 53") || !strings.Contains(body, "page=1") {
		t.Error("the second of two pages does not say so")
	}
}

func TestOtherPages(t *testing.T) {
	o, id := seller(t)
	if err := o.Delete("Account", id); err != nil {
		t.Fatal(err)
	}
	contact := newID("003", 1)
	for _, path := range []string{"/nope", "/accounts/" + id, "/accounts/" + contact, "/accounts/", "/assets/list.html", "/templates/list.html"} {
		if a := o.send("GET", path, ""); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := o.send("GET", "/assets/crm.css", ""); a.status != 200 || a.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style sheet: %d %v", a.status, a.header)
	}
	if a := o.send("GET", "/", ""); a.status != 200 || !strings.Contains(a.body, "Accounts") {
		t.Errorf("the root: %d", a.status)
	}
	if a := o.send("POST", "/accounts", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.status)
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "-1000": "-1,000", "-100": "-100", "1234567.50": "1,234,567.50"} {
		if got := grouped(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// A meeting is one line whoever was invited, and the template of a series none.
func TestAccountPage_activities_once(t *testing.T) {
	o := newOrg(t, Options{})
	account := o.insert("Account", map[string]any{"Name": "Tokai"})
	event := o.insert("Event", map[string]any{"Subject": "Kickoff", "WhatId": account, "StartDateTime": "2026-04-01T01:00:00Z", "EndDateTime": "2026-04-01T02:00:00Z"})
	o.insert("EventRelation", map[string]any{"EventId": event, "RelationId": o.runAs})
	o.insert("Task", map[string]any{"Subject": "Weekly", "WhatId": account, "IsRecurrence": true, "RecurrenceType": "RecursDaily",
		"RecurrenceStartDateOnly": "2026-04-01", "RecurrenceEndDateOnly": "2026-04-02"})
	page, ok := o.accountView(view{}, account)
	if !ok {
		t.Fatal("no page")
	}
	subjects := map[string]int{}
	for _, a := range page.Activities {
		subjects[a.Subject]++
	}
	if subjects["Kickoff"] != 1 || subjects["Weekly"] != 2 {
		t.Errorf("the page shows %v", subjects)
	}
}
