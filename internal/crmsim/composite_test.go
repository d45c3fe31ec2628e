package crmsim

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answers are the parts of a composite's answer: "referenceId status code", with the code of a refused part.
func (g got) answers() (list []string) {
	g.t.Helper()
	var all partAnswers
	g.decode(&all)
	for _, a := range all.CompositeResponse {
		list = append(list, a.summary())
	}
	return list
}

func (a partAnswer) summary() string {
	var errors []requestError
	text := fmt.Sprint(a.Status)
	if a.ReferenceID != nil {
		text = *a.ReferenceID + " " + text
	}
	if a.Status >= 400 && json.Unmarshal(a.Body, &errors) == nil {
		text += " " + errors[0].Code
	}
	return text
}

func (o *org) composite(allOrNone bool, parts ...part) got {
	o.t.Helper()
	return o.send("POST", api+"/composite", marshal(o.t, map[string]any{"allOrNone": allOrNone, "compositeRequest": parts}))
}

func post(id, object, body string) part {
	return part{Method: "POST", URL: api + "/sobjects/" + object + "/", ReferenceID: id, Body: json.RawMessage(body)}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// S75: a collection by external id.
func TestS75_upsert_collection(t *testing.T) {
	o, ids, gone := bulkOrg(t, 3)
	for _, id := range ids[1:] {
		if err := o.Update("Contact", id, map[string]any{"Twin__c": "T"}); err != nil {
			t.Fatal(err)
		}
	}
	upsert := func(allOrNone bool, field string, rows ...map[string]any) got {
		return o.send("PATCH", api+"/composite/sobjects/contact/"+field, marshal(t, map[string]any{"allOrNone": allOrNone, "records": rows}))
	}
	a := upsert(false, "ext__c",
		row("Contact", "", "Ext__c", "NEW", "LastName", "New"),
		row("Contact", "", "LastName", "No key"),
		row("Contact", "", "ext__c", "e0", "LastName", "Old"),
		row("Contact", "", "Ext__c", nil, "LastName", "Null key"),
		row("Contact", ids[0], "Ext__c", "E0"),
		row("Contact", "", "Ext__c", "E1", "LastName", strings.Repeat("x", 81)))
	same(t, "S75", a.rowCodes(), "ok MISSING_ARGUMENT ok MISSING_ARGUMENT INVALID_FIELD_FOR_INSERT_UPDATE STRING_TOO_LONG")
	rows := a.array()
	if rows[0]["created"] != true || rows[2]["created"] != false || rows[2]["id"] != ids[0] || rows[1]["created"] != false || rows[1]["id"] != nil {
		t.Errorf("S75: %s", a.body)
	}
	if o.value("Contact", ids[0], "LastName") != "Old" || o.value("Contact", rows[0]["id"].(string), "Ext__c") != "NEW" {
		t.Error("S75: not stored")
	}
	same(t, "several matches", upsert(false, "Twin__c", row("Contact", "", "Twin__c", "t", "LastName", "x")).rowCodes(), "DUPLICATE_EXTERNAL_ID")
	same(t, "all or none", upsert(true, "Ext__c", row("Contact", "", "Ext__c", "E0", "LastName", "Never"), row("Contact", "", "Ext__c", "")).rowCodes(),
		"ALL_OR_NONE_OPERATION_ROLLED_BACK MISSING_ARGUMENT")
	if o.value("Contact", ids[0], "LastName") != "Old" {
		t.Error("a row that was taken back is stored")
	}
	twice := []map[string]any{row("Contact", "", "Ext__c", "E2", "LastName", "first"), row("Contact", "", "Ext__c", "e2", "LastName", "last")}
	same(t, "S74 last", upsert(false, "Ext__c", twice...).rowCodes(), "ok ok")
	o.inject(Fault{Name: "known", Line: "S74", Outcome: "refused"})
	same(t, "S74 refused", upsert(false, "Ext__c", twice...).rowCodes(), "ok DUPLICATE_VALUE")

	upsert(false, "LastName", row("Contact", "", "LastName", "x")).refused(404, "NOT_FOUND")
	upsert(false, "Ext__c", row("Account", "", "Ext__c", "x")).refused(400, "INVALID_TYPE")
	if err := o.HideField("Contact", "Ext__c"); err != nil {
		t.Fatal(err)
	}
	upsert(false, "Ext__c", twice...).refused(404, "NOT_FOUND")
	many := make([]map[string]any, 201)
	for i := range many {
		many[i] = row("Contact", "", "Twin__c", fmt.Sprint(i), "LastName", "x")
	}
	upsert(false, "Twin__c", many...).refused(400, "EXCEEDED_ID_LIMIT")
	_ = gone
}

// S79: one row by its external id in the URL.
func TestS79_upsert_by_url(t *testing.T) {
	o, ids, gone := bulkOrg(t, 3)
	for _, id := range ids[1:] {
		if err := o.Update("Contact", id, map[string]any{"Twin__c": "T"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Update("Contact", ids[0], map[string]any{"Ext__c": "a/b 1"}); err != nil {
		t.Fatal(err)
	}
	url := api + "/sobjects/Contact/Ext__c/"
	made := o.send("PATCH", url+"N%2F1", `{"LastName":"New"}`)
	if r := made.object(); made.status != 201 || r["created"] != true || r["success"] != true || made.header.Get("Location") != api+"/sobjects/Contact/"+r["id"].(string) {
		t.Errorf("created: %d %s %s", made.status, made.header.Get("Location"), made.body)
	} else if o.value("Contact", r["id"].(string), "Ext__c") != "N/1" {
		t.Error("the new row lacks its external id")
	}
	for _, status := range []int{200, 204} {
		outcome := fmt.Sprint(status)
		o.inject(Fault{Name: "known", Line: "S79", Outcome: outcome})
		a := o.send("PATCH", url+"a%2Fb%201", `{"LastName":"Changed `+outcome+`"}`)
		if a.status != status || o.value("Contact", ids[0], "LastName") != "Changed "+outcome {
			t.Errorf("updated (%s): %d %s", outcome, a.status, a.body)
		}
		if status == 200 && a.object()["created"] != false || status == 204 && a.body != "" {
			t.Errorf("updated (%s): %s", outcome, a.body)
		}
	}
	several := o.send("PATCH", api+"/sobjects/Contact/Twin__c/T", `{"LastName":"x"}`)
	same(t, "several matches", several.body, fmt.Sprintf(`["%[1]s/sobjects/Contact/%[2]s","%[1]s/sobjects/Contact/%[3]s"]`, api, ids[1], ids[2]))
	if several.status != 300 {
		t.Errorf("several matches: %d", several.status)
	}
	o.send("PATCH", url+"nobody?updateOnly=true", `{"LastName":"x"}`).refused(404, "NOT_FOUND")
	if a := o.send("PATCH", url+"a%2Fb%201?updateOnly=true", `{"LastName":"x"}`); a.status != 204 {
		t.Errorf("updateOnly: %d %s", a.status, a.body)
	}
	o.send("PATCH", url+"E9", `{"LastName":"x","Ext__c":"E9"}`).refused(400, "INVALID_FIELD")
	o.send("PATCH", url+"E9", `{"LastName":"x","Id":"`+ids[0]+`"}`).refused(400, "INVALID_FIELD")
	o.send("PATCH", url+"E9", `{}`).refused(400, "REQUIRED_FIELD_MISSING")
	o.send("PATCH", url+"a/b", `{"LastName":"x"}`).refused(404, "NOT_FOUND") // two segments
	o.send("PATCH", api+"/sobjects/Contact/Nope__c/1", `{}`).refused(404, "NOT_FOUND")
	if a := o.send("GET", url+"a%2Fb%201?fields=LastName", ""); a.object()["LastName"] != "x" {
		t.Errorf("read: %s", a.body)
	}
	o.send("GET", url+"nobody", "").refused(404, "NOT_FOUND")
	_ = gone
}

// S80: parts that know nothing of each other.
func TestS80_composite_batch(t *testing.T) {
	o, ids, gone := bulkOrg(t, 1)
	send := func(halt bool, parts ...part) got {
		return o.send("POST", api+"/composite/batch", marshal(t, map[string]any{"haltOnError": halt, "batchRequests": parts}))
	}
	before := o.Log()
	a := send(false,
		part{Method: "GET", URL: "v66.0/sobjects/Contact/describe"},
		part{Method: "GET", URL: "v66.0/sobjects/Nope__c/describe"},
		part{Method: "PATCH", URL: "v66.0/sobjects/Contact/" + ids[0], RichInput: json.RawMessage(`{"Title":"CEO"}`)},
		part{Method: "GET", URL: "v65.0/query?q=SELECT+Title+FROM+Contact"},
		part{Method: "PATCH", URL: "/services/data/v66.0/sobjects/Contact/" + gone, RichInput: json.RawMessage(`{"Title":"CEO"}`)},
		part{Method: "POST", URL: "v66.0/jobs/ingest", RichInput: json.RawMessage(`{}`)},
		part{Method: "GET", URL: "v9.0/limits"},
		part{Method: "PUT", URL: "v66.0/limits"})
	var all struct {
		HasErrors bool
		Results   []struct {
			StatusCode int
			Result     any
		}
	}
	a.decode(&all)
	var statuses []int
	for _, r := range all.Results {
		statuses = append(statuses, r.StatusCode)
	}
	same(t, "S80", statuses, []int{200, 404, 204, 200, 404, 400, 404, 405})
	if !all.HasErrors || all.Results[0].Result.(map[string]any)["name"] != "Contact" || all.Results[2].Result != nil {
		t.Errorf("S80: %.300s", a.body)
	}
	if r := all.Results[3].Result.(map[string]any); r["totalSize"] != 1.0 || !strings.Contains(a.body, `"url":"/services/data/v65.0/`) || !strings.Contains(a.body, `"Title":"CEO"`) {
		t.Errorf("S80: the query in a part: %v", r)
	}
	if n := len(o.Log()) - len(before); n != 1 || a.header.Get("Sforce-Limit-Info") != "api-usage=1/15000" {
		t.Errorf("S80: %d calls logged, %s", n, a.header.Get("Sforce-Limit-Info"))
	}
	send(true, part{Method: "GET", URL: "v66.0/limits"}, part{Method: "GET", URL: "v66.0/nope"}, part{Method: "GET", URL: "v66.0/limits"}).decode(&all)
	same(t, "haltOnError", []int{all.Results[0].StatusCode, all.Results[1].StatusCode, all.Results[2].StatusCode}, []int{200, 400, 412})
	if b := send(false, part{Method: "GET", URL: "v66.0/limits"}); b.object()["hasErrors"] != false {
		t.Errorf("S80: %s", b.body)
	}
	many := make([]part, 26)
	for i := range many {
		many[i] = part{Method: "GET", URL: "v66.0/limits"}
	}
	send(false, many...).refused(400, "LIMIT_EXCEEDED")
	send(false).refused(400, "INVALID_INPUT")
	o.send("POST", api+"/composite/batch", "{").refused(400, "JSON_PARSER_ERROR")
}

// S81: parts that use the answers of earlier ones.
func TestS81_composite(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	a := o.composite(false,
		post("account", "Account", `{"Name":"港 \"K\""}`),
		part{Method: "GET", URL: api + "/sobjects/Account/@{account.id}?fields=Name", ReferenceID: "read"},
		post("contact", "Contact", `{"LastName":"@{read.Name}","AccountId":"@{account.id}"}`),
		part{Method: "GET", URL: api + "/query/?q=SELECT+Id+FROM+Contact+WHERE+Ext__c='E0'", ReferenceID: "found"},
		part{Method: "PATCH", URL: api + "/sobjects/Contact/@{found.records[0].Id}", ReferenceID: "patched", Body: json.RawMessage(`{"AccountId":"@{account.id}"}`)},
		post("bad", "Contact", `{}`),
		post("orphan", "Contact", `{"LastName":"@{bad.id}"}`),
		post("last", "Lead", `{"LastName":"x","Company":"y"}`))
	same(t, "S81", a.answers(), []string{"account 201", "read 200", "contact 201", "found 200", "patched 204",
		"bad 400 REQUIRED_FIELD_MISSING", "orphan 400 PROCESSING_HALTED", "last 201"})
	var all partAnswers
	a.decode(&all)
	var made struct{ ID string }
	if err := json.Unmarshal(all.CompositeResponse[0].Body, &made); err != nil || all.CompositeResponse[0].Headers["Location"] != api+"/sobjects/Account/"+made.ID {
		t.Errorf("S81: %v %v", err, all.CompositeResponse[0].Headers)
	}
	if string(all.CompositeResponse[4].Body) != "null" || o.value("Contact", ids[0], "AccountId") != made.ID {
		t.Errorf("S81: %s", all.CompositeResponse[4].Body)
	}
	var contact struct{ ID string }
	if err := json.Unmarshal(all.CompositeResponse[2].Body, &contact); err != nil || o.value("Contact", contact.ID, "LastName") != `港 "K"` {
		t.Errorf("S81: a value with quotes: %s", all.CompositeResponse[2].Body)
	}
	limit := func(what string, want string, parts ...part) {
		t.Helper()
		if a := o.composite(false, parts...); a.status != 400 || a.answers()[0] != want {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	many, queries := make([]part, 26), make([]part, 6)
	for i := range many {
		many[i] = post(fmt.Sprint("p", i), "Lead", `{"LastName":"x","Company":"y"}`)
	}
	for i := range queries {
		queries[i] = part{Method: "GET", URL: api + "/query?q=SELECT+Id+FROM+Lead", ReferenceID: fmt.Sprint("q", i)}
	}
	limit("26 parts", "400 LIMIT_EXCEEDED", many...)
	limit("6 queries", "400 LIMIT_EXCEEDED", queries...)
	limit("a bad name", "400 INVALID_INPUT", post("a-b", "Lead", `{}`))
	limit("one name twice", "400 INVALID_INPUT", many[0], many[0])
	limit("no part", "400 INVALID_INPUT")
}

// S81: all parts or none, collections among them.
func TestS81_composite_all_or_none(t *testing.T) {
	o, ids, gone := bulkOrg(t, 2)
	contacts := len(must(t)(o.Rows("Contact")))
	collection := func(id string, rows ...map[string]any) part {
		return part{Method: "PATCH", URL: api + "/composite/sobjects", ReferenceID: id, Body: json.RawMessage(marshal(t, map[string]any{"allOrNone": false, "records": rows}))}
	}
	a := o.composite(true,
		post("first", "Contact", `{"LastName":"Never"}`),
		part{Method: "PATCH", URL: api + "/sobjects/Contact/" + ids[0], ReferenceID: "second", Body: json.RawMessage(`{"LastName":"Never"}`)},
		part{Method: "DELETE", URL: api + "/sobjects/Contact/" + ids[1], ReferenceID: "third"},
		post("guilty", "Contact", `{}`),
		post("after", "Contact", `{"LastName":"Never"}`))
	same(t, "S81", a.answers(), []string{"first 400 PROCESSING_HALTED", "second 400 PROCESSING_HALTED", "third 400 PROCESSING_HALTED",
		"guilty 400 REQUIRED_FIELD_MISSING", "after 400 PROCESSING_HALTED"})
	b := o.composite(true, post("first", "Contact", `{"LastName":"Never"}`), collection("rows", row("Contact", ids[0], "LastName", "Never"), row("Contact", gone, "LastName", "x")))
	same(t, "S81 with a collection", b.answers(), []string{"first 400 PROCESSING_HALTED", "rows 200"})
	if !strings.Contains(b.body, "ALL_OR_NONE_OPERATION_ROLLED_BACK") {
		t.Errorf("the collection did not get allOrNone: %s", b.body)
	}
	if rows := must(t)(o.Rows("Contact")); len(rows) != contacts || o.value("Contact", ids[0], "LastName") != "N0" || o.value("Contact", ids[1], "IsDeleted") != false {
		t.Errorf("S81: something stayed: %d contacts", len(rows))
	}
	good := o.composite(true, post("first", "Contact", `{"LastName":"Stays"}`), collection("rows", row("Contact", ids[0], "LastName", "Changed")),
		part{Method: "DELETE", URL: api + "/composite/sobjects?ids=" + ids[1], ReferenceID: "gone"})
	same(t, "S81 all well", good.answers(), []string{"first 201", "rows 200", "gone 200"})
	if o.value("Contact", ids[0], "LastName") != "Changed" || o.value("Contact", ids[1], "IsDeleted") != true {
		t.Error("S81: nothing stayed")
	}
}

// must gives a check of an error that leaves the value.
func must(t testing.TB) func([]map[string]any, error) []map[string]any {
	return func(rows []map[string]any, err error) []map[string]any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
}

// What was taken back does not stand in the file of the org, and what others write meanwhile is not taken back.
func TestComposite_taken_back_beside_others(t *testing.T) {
	file := filepath.Join(t.TempDir(), "org.jsonl")
	o := newOrg(t, Options{File: file})
	var others sync.WaitGroup
	for i := range 20 {
		others.Go(func() {
			if _, err := o.Insert("Lead", map[string]any{"LastName": "Stays", "Company": fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		})
		others.Go(func() { o.send("POST", api+"/sobjects/Lead", `{"LastName":"Stays","Company":"x"}`) })
		o.composite(true, post("a", "Lead", `{"LastName":"Never","Company":"x"}`), post("b", "Lead", `{"LastName":"Never","Company":"x"}`), post("c", "Lead", `{}`))
	}
	others.Wait()
	if rows := must(t)(o.Rows("Lead")); len(rows) != 40 {
		t.Errorf("%d leads, want 40", len(rows))
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), "Stays") < 40 || strings.Contains(string(text), "Never") {
		t.Errorf("the file: %d rows that stay, %d that must not be", strings.Count(string(text), "Stays"), strings.Count(string(text), "Never"))
	}
}

// S81: graphs, each all or nothing.
func TestS81_graph(t *testing.T) {
	o, _, _ := bulkOrg(t, 0)
	send := func(graphs ...graph) got {
		return o.send("POST", api+"/composite/graph", marshal(t, map[string]any{"graphs": graphs}))
	}
	good := func(id string) graph {
		return graph{id, []part{post("a", "Account", `{"Name":"`+id+`"}`), post("c", "Contact", `{"LastName":"x","AccountId":"@{a.id}"}`)}}
	}
	bad := func(id string) graph {
		return graph{id, []part{post("a", "Account", `{"Name":"Never"}`), post("c", "Contact", `{"AccountId":"@{a.id}"}`)}}
	}
	var all struct {
		Graphs []struct {
			GraphID       string
			GraphResponse partAnswers
			IsSuccessful  bool
		}
	}
	a := send(good("1"), bad("2"), good("3"))
	a.decode(&all)
	var got []string
	for _, g := range all.Graphs {
		got = append(got, fmt.Sprint(g.GraphID, " ", g.IsSuccessful))
		for _, part := range g.GraphResponse.CompositeResponse {
			got = append(got, part.summary())
		}
	}
	same(t, "S81", got, []string{"1 true", "a 201", "c 201", "2 false", "a 400 PROCESSING_HALTED", "c 400 REQUIRED_FIELD_MISSING", "3 true", "a 201", "c 201"})
	if rows := must(t)(o.Rows("Account")); len(rows) != 2 {
		t.Errorf("S81: %d accounts", len(rows))
	}
	var fifteen []graph
	for i := range 15 {
		fifteen = append(fifteen, bad(fmt.Sprint(i)))
	}
	send(append(fifteen[1:], good("after 14"))...).decode(&all)
	if !all.Graphs[14].IsSuccessful {
		t.Error("14 failed graphs halt the rest")
	}
	send(append(fifteen, good("after 15"))...).decode(&all)
	if last := all.Graphs[15]; last.IsSuccessful || last.GraphResponse.CompositeResponse[0].summary() != "a 400 PROCESSING_HALTED" {
		t.Errorf("15 failed graphs do not halt the rest: %+v", last)
	}

	lead := func(i int, body string) part { return post(fmt.Sprint("p", i), "Lead", body) }
	chain := func(n int) (g graph) {
		for i := range n {
			body := `{"LastName":"x","Company":"y"}`
			if i > 0 {
				body = fmt.Sprintf(`{"LastName":"@{p%d.id}","Company":"y"}`, i-1)
			}
			g.CompositeRequest = append(g.CompositeRequest, lead(i, body))
		}
		return g
	}
	wide := func(n int) (g graph) {
		for i := range n {
			g.CompositeRequest = append(g.CompositeRequest, lead(i, `{"LastName":"x","Company":"y"}`))
		}
		return g
	}
	kinds := func(n int) (g graph) {
		for i := range n {
			g.CompositeRequest = append(g.CompositeRequest, post(fmt.Sprint("k", i), fmt.Sprint("Kind", i, "__c"), `{}`))
		}
		return g
	}
	for _, c := range []struct {
		name   string
		graphs []graph
		want   int
	}{
		{"15 deep", []graph{chain(15)}, 200}, {"16 deep", []graph{chain(16)}, 400},
		{"500 nodes", []graph{wide(499), wide(1)}, 200}, {"501 nodes", []graph{wide(499), wide(2)}, 400},
		{"15 kinds", []graph{kinds(15)}, 200}, {"16 kinds", []graph{kinds(16)}, 400},
		{"76 graphs", make([]graph, 76), 400}, {"no graph", nil, 400},
		{"one name twice", []graph{{"1", []part{lead(1, `{}`), lead(1, `{}`)}}}, 400},
	} {
		if a := send(c.graphs...); a.status != c.want {
			t.Errorf("%s: %d %.200s", c.name, a.status, a.body)
		}
	}
	query := graph{"q", []part{{Method: "GET", URL: api + "/query?q=SELECT+Id+FROM+Lead", ReferenceID: "q"}}}
	send(query).decode(&all)
	if all.Graphs[0].GraphResponse.CompositeResponse[0].summary() != "q 400 INVALID_INPUT" {
		t.Errorf("a query in a graph: %+v", all.Graphs[0])
	}
}
