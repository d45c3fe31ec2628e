package crmsim

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// page reads one page of a query job's results.
func (o *org) page(job, query string) got {
	o.t.Helper()
	a := o.send("GET", job+"/results"+query, "")
	if a.status != 200 || a.header.Get("Content-Type") != "text/csv" {
		o.t.Fatalf("results%s: %d %s", query, a.status, a.body)
	}
	return a
}

// S97 to S102: a query from its creation to its last page.
func TestS97_to_S102_S106_pages(t *testing.T) {
	o, ids, _ := bulkOrg(t, 25)
	made := o.send("POST", api+"/jobs/query", `{"operation":"query","query":"SELECT Id, LastName FROM contact ORDER BY Id"}`)
	info := made.object()
	if missing := lacks(info, `id operation object createdById createdDate systemModstamp state concurrencyMode contentType apiVersion
		lineEnding columnDelimiter jobType retries totalProcessingTime numberRecordsProcessed`); missing != nil || made.status != 200 {
		t.Errorf("S97: %d, without %v", made.status, missing)
	}
	if info["state"] != "UploadComplete" || info["object"] != "Contact" || info["apiVersion"] != 66.0 || info["jobType"] != "V2Query" {
		t.Errorf("S97: %v", info)
	}
	job := api + "/jobs/query/" + info["id"].(string)
	o.send("GET", job+"/results", "").refused(412, "JOB_NOT_COMPLETE")
	if state := o.send("GET", job, "").object()["state"]; state != "InProgress" {
		t.Errorf("S97: %v at the first poll", state)
	}
	early := o.send("GET", job+"/results", "")
	early.refused(412, "JOB_NOT_COMPLETE")
	if !strings.Contains(early.body, "Current status: IN_PROGRESS") {
		t.Errorf("S98: %s", early.body)
	}
	if done := o.finish(job); done["numberRecordsProcessed"] != 25.0 {
		t.Errorf("S97: %v", done)
	}
	var seen []string
	locator, pages := "", []got(nil)
	for locator != "null" {
		query := "?maxRecords=10"
		if locator != "" {
			query += "&locator=" + locator
		}
		a := o.page(job, query)
		if !strings.HasPrefix(a.body, "\"Id\",\"LastName\"\n") {
			t.Errorf("S99: page %d begins with %.30q", len(pages), a.body)
		}
		rows := csvColumn(t, a.body, "Id")
		if a.header.Get("Sforce-NumberOfRecords") != fmt.Sprint(len(rows)) {
			t.Errorf("S100: %s rows announced, %d there", a.header.Get("Sforce-NumberOfRecords"), len(rows))
		}
		again := o.page(job, query)
		if again.body != a.body || again.header.Get("Sforce-Locator") != a.header.Get("Sforce-Locator") {
			t.Errorf("S101: page %d reads differently", len(pages))
		}
		seen, pages, locator = append(seen, rows...), append(pages, a), a.header.Get("Sforce-Locator")
		if len(pages) > 5 {
			t.Fatal("no end")
		}
	}
	if len(pages) != 3 || !slices.Equal(seen, ids) {
		t.Errorf("S101: %d pages with %d rows", len(pages), len(seen))
	}
	if one := o.page(job, ""); len(csvColumn(t, one.body, "Id")) != 25 || one.header.Get("Sforce-Locator") != "null" {
		t.Errorf("S101: without maxRecords: %s", one.body)
	}
	o.send("GET", job+"/results?locator=bm9uc2Vuc2U", "").refused(400, "INVALIDLOCATOR")
	o.send("GET", job+"/results?maxRecords=0", "").refused(400, "INVALIDJOB")
	o.send("GET", strings.Replace(job, "v66.0", "v65.0", 1)+"/results", "").refused(409, "VERSION_MISMATCH") // S102
	if list := o.send("GET", api+"/jobs/query", "").records(); len(list) != 1 {
		t.Errorf("list: %v", list)
	}
	if a := o.send("DELETE", job, ""); a.status != 204 {
		t.Errorf("S106: %d %s", a.status, a.body)
	}
	o.send("GET", job, "").refused(404, "NOT_FOUND")
	o.send("GET", job+"/results", "").refused(404, "NOT_FOUND")
}

// S103: values, in the order of SELECT and as they were when the job ran.
func TestS103_values(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	account := o.insert("Account", map[string]any{"Name": `"港" & Söhne`, "AnnualRevenue": 1_000_000, "NumberOfEmployees": 12})
	if err := o.Update("Contact", ids[0], map[string]any{"AccountId": account, "Description": "a\nb", "Energy_Score__c": 0.25, "Title": "N/A", "DoNotCall": true}); err != nil {
		t.Fatal(err)
	}
	job := o.job("query", map[string]any{"operation": "query", "query": "SELECT account.name, Id, Description, email, Account.AnnualRevenue, Account.NumberOfEmployees, " +
		"Owner.Name, Energy_Score__c, DoNotCall, HasOptedOutOfEmail, SystemModstamp, Title FROM Contact"})
	if err := o.Update("Contact", ids[0], map[string]any{"Title": "later"}); err != nil {
		t.Fatal(err)
	}
	o.finish(job)
	want := `"Account.Name","Id","Description","Email","Account.AnnualRevenue","Account.NumberOfEmployees","Owner.Name","Energy_Score__c","DoNotCall","HasOptedOutOfEmail","SystemModstamp","Title"` +
		"\n" + `"""港"" & Söhne","` + ids[0] + "\",\"a\nb\",\"\",\"1000000.0\",\"12\",\"System Administrator\",\"0.25\",\"true\",\"false\",\"2026-04-01T09:00:00.000Z\",\"N/A\"\n"
	if got := o.page(job, "").body; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	empty := o.job("query", map[string]any{"operation": "query", "query": "SELECT Id FROM Lead"})
	o.finish(empty)
	if a := o.page(empty, "?maxRecords=5"); a.body != "\"Id\"\n" || a.header.Get("Sforce-Locator") != "null" || a.header.Get("Sforce-NumberOfRecords") != "0" {
		t.Errorf("no rows: %v %q", a.header, a.body)
	}
}

// S99, S101: a page is made in pieces, which nobody sees: all pages together are
// the one page without maxRecords, also while others write.
func TestS99_S101_pages_and_pieces(t *testing.T) {
	o, ids, _ := bulkOrg(t, 4000)
	account := o.insert("Account", map[string]any{"Name": strings.Repeat("港", 30)})
	for _, id := range ids {
		if err := o.Update("Contact", id, map[string]any{"AccountId": account}); err != nil {
			t.Fatal(err)
		}
	}
	job := o.job("query", map[string]any{"operation": "query", "query": "SELECT Id, LastName, Account.Name, Ext__c FROM Contact"})
	o.finish(job)
	stop, writer := make(chan struct{}), sync.WaitGroup{}
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := o.Update("Contact", ids[i%len(ids)], map[string]any{"LastName": fmt.Sprint("Later", i)}); err != nil {
					t.Error(err)
				}
			}
		}
	})
	defer func() { close(stop); writer.Wait() }()
	whole := o.page(job, "").body
	head, rest, _ := strings.Cut(whole, "\n")
	if len(whole) < 3*csvPiece || len(csvColumn(t, whole, "Id")) != len(ids) || strings.Contains(whole, "Later") {
		t.Errorf("%d bytes, %d rows", len(whole), len(csvColumn(t, whole, "Id")))
	}
	var together strings.Builder
	for locator, pages := "", 0; locator != "null"; pages++ {
		if pages == 3 {
			t.Fatal("4000 rows have more than 3 pages of 1500")
		}
		query := "?maxRecords=1500"
		if locator != "" {
			query += "&locator=" + locator
		}
		a := o.page(job, query)
		rows, ok := strings.CutPrefix(a.body, head+"\n")
		if !ok {
			t.Fatalf("no header row: %.100s", a.body)
		}
		together.WriteString(rows)
		locator = a.header.Get("Sforce-Locator")
	}
	if together.String() != rest {
		t.Error("the pages together are not the whole")
	}
}

// All standard fields at once are the one list of fields that Bulk allows.
func TestS104_fields(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	job := o.job("query", map[string]any{"operation": "query", "query": "SELECT FIELDS(STANDARD) FROM Contact"})
	o.finish(job)
	body := o.page(job, "").body
	if got := csvColumn(t, body, "Id"); !slices.Equal(got, ids) || csvColumn(t, body, "LastName")[0] != "N0" || strings.Contains(body, "Ext__c") {
		t.Errorf("%s", body)
	}
}

// S48, S104: statements that Bulk refuses, when the job is made.
func TestS48_S104_refused(t *testing.T) {
	o, _, _ := bulkOrg(t, 1)
	for query, code := range map[string]string{
		"SELECT Id, MailingAddress FROM Contact":                                         "FUNCTIONALITY_NOT_ENABLED",
		"SELECT Id, Account.BillingAddress FROM Contact":                                 "FUNCTIONALITY_NOT_ENABLED",
		"SELECT Id,\n\t(SELECT Id FROM Contacts)\nFROM Account":                          "FEATURENOTENABLED",
		"SELECT Id FROM Account GROUP BY Id":                                             "MALFORMED_QUERY",
		"SELECT COUNT() FROM Contact":                                                    "FEATURENOTENABLED",
		"SELECT Id FROM Contact LIMIT 5 OFFSET 2":                                        "FEATURENOTENABLED",
		"SELECT Id FROM TaskWhoRelation":                                                 "INVALIDENTITY",
		"SELECT FIELDS(ALL) FROM Contact LIMIT 200":                                      "MALFORMED_QUERY",
		"SELECT Id FROM":                                                                 "MALFORMED_QUERY",
		"SELECT Nope__c FROM Contact":                                                    "INVALID_FIELD",
		"SELECT Id FROM Nope__c":                                                         "INVALID_TYPE",
		"SELECT Id FROM Contact WHERE LastName = '" + strings.Repeat("x", 100_000) + "'": "MALFORMED_QUERY",
	} {
		o.send("POST", api+"/jobs/query", marshal(t, map[string]string{"operation": "query", "query": query})).refused(400, code)
	}
	for _, options := range []string{`{"operation":"insert","query":"SELECT Id FROM Contact"}`, `{"operation":"query","query":"SELECT Id FROM Contact","contentType":"JSON"}`,
		`{"operation":"query","query":"SELECT Id FROM Contact","columnDelimiter":"X"}`} {
		o.send("POST", api+"/jobs/query", options).refused(400, "INVALIDJOB")
	}
	if list := o.send("GET", api+"/jobs/query", "").records(); len(list) != 0 {
		t.Errorf("jobs that were refused are there: %v", list)
	}
}

// S105: deleted rows through queryAll only.
func TestS105_query_all(t *testing.T) {
	o, ids, gone := bulkOrg(t, 2)
	for operation, want := range map[string][]string{"query": ids, "queryAll": append(slices.Clone(ids), gone)} {
		job := o.job("query", map[string]any{"operation": operation, "query": "SELECT Id FROM Contact ORDER BY Id"})
		o.finish(job)
		if got := csvColumn(t, o.page(job, "").body, "Id"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", operation, got)
		}
	}
}

// A query job that fails, or is aborted, has no results.
func TestS98_failed_query(t *testing.T) {
	o, _, _ := bulkOrg(t, 1)
	options := map[string]any{"operation": "query", "query": "SELECT Id FROM Contact"}
	o.inject(Fault{Name: "bulk", Message: "InternalServerError : Retried more than 15 times", Times: 1})
	failed := o.job("query", options)
	if info := o.finish(failed); info["state"] != "Failed" || info["errorMessage"] != "InternalServerError : Retried more than 15 times" || info["numberRecordsProcessed"] != 0.0 {
		t.Errorf("%v", info)
	}
	aborted := o.job("query", options)
	if a := o.send("PATCH", aborted, `{"state":"Aborted"}`); a.status != 200 || o.finish(aborted)["state"] != "Aborted" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, status := range []int{412, 400} {
		o.inject(Fault{Name: "known", Line: "S98", Outcome: fmt.Sprint(status)})
		for job, state := range map[string]string{failed: "FAILED", aborted: "ABORTED"} {
			a := o.send("GET", job+"/results", "")
			a.refused(status, "JOB_NOT_COMPLETE")
			if !strings.Contains(a.body, "Current status: "+state) {
				t.Errorf("%s", a.body)
			}
		}
	}
	o.send("PATCH", failed, `{"state":"UploadComplete"}`).refused(400, "INVALIDJOB")
}

// The fault bulk, and cuts in the middle of a page.
func TestBulkFault_results(t *testing.T) {
	o, ids, _ := bulkOrg(t, 3)
	run := func(flaws ...string) string {
		o.inject(Fault{Name: "bulk", Flaws: flaws})
		return o.job("query", map[string]any{"operation": "query", "query": "SELECT Id, LastName FROM Contact ORDER BY Id"})
	}
	if info := o.finish(run("wrong_total")); info["numberRecordsProcessed"] != 4.0 {
		t.Errorf("wrong_total: %v", info)
	}
	for flaw, check := range map[string]func(got) bool{
		"wrong_count":   func(a got) bool { return a.header.Get("Sforce-NumberOfRecords") == "4" },
		"no_locator":    func(a got) bool { return a.header.Values("Sforce-Locator") == nil },
		"empty_locator": func(a got) bool { return slices.Equal(a.header.Values("Sforce-Locator"), []string{""}) },
		"nul":           func(a got) bool { return strings.Contains(a.body, `"`+ids[1]+"\",\"N1\x00\"\n") },
	} {
		job := run(flaw)
		o.finish(job)
		if a := o.page(job, ""); !check(a) || len(csvColumn(t, a.body, "Id")) != 3 {
			t.Errorf("%s: %v %q", flaw, a.header, a.body)
		}
	}
	job := run("no_locator")
	o.finish(job)
	if a := o.page(job, "?maxRecords=2"); a.header.Get("Sforce-Locator") == "" {
		t.Error("no_locator: pages before the last one have none either")
	}
	o.inject(Fault{Name: "status", Cut: "middle", Times: 2, Match: "GET /results"})
	for _, encoding := range []string{"gzip", "identity"} {
		if a, err := o.try("GET", job+"/results", "", "Accept-Encoding", encoding); err == nil || a.status != 200 {
			t.Errorf("a page cut in the middle (%s): %d %q %v", encoding, a.status, a.body, err)
		}
	}
	if log := o.Log(); log[len(log)-1].Bytes == 0 || log[len(log)-1].Rows != 3 {
		t.Errorf("the log: %+v", log[len(log)-1])
	}
	o.inject(Fault{Name: "page_max", Rows: 2})
	if a := o.page(job, ""); len(csvColumn(t, a.body, "Id")) != 2 {
		t.Errorf("page_max: %s", a.body)
	}
	if err := o.Inject(Fault{Name: "bulk", Flaws: []string{"nonsense"}}); err == nil {
		t.Error("an unknown flaw was taken")
	}
}

func TestAppendStamp(t *testing.T) {
	for _, unix := range []int64{0, -1, 951_782_400, 1_709_164_799, 4_102_444_799, -62_135_596_800, 253_402_300_800} {
		if got, want := string(appendStamp(nil, unix)), time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// BenchmarkBulkQueryDownload reads a whole result of wide Task rows over HTTP.
func BenchmarkBulkQueryDownload(b *testing.B) {
	const rows = 100_000
	o := newOrg(b, Options{})
	account := o.insert("Account", map[string]any{"Name": "東海精密"})
	who := o.insert("Contact", map[string]any{"LastName": "田中", "AccountId": account})
	for i := range rows {
		o.insert("Task", map[string]any{"Subject": "Call " + strconv.Itoa(i), "WhoId": who, "Status": "Completed", "Priority": "Normal", "ActivityDate": "2026-03-01",
			"Description": "Talked about the offer; wants to hear from us again before the end of the quarter.", "CallDurationInSeconds": i % 600})
	}
	columns := "Id, IsDeleted, CreatedDate, CreatedById, LastModifiedDate, LastModifiedById, SystemModstamp, WhoId, WhatId, WhoCount, WhatCount, AccountId, OwnerId, Subject, " +
		"Description, ActivityDate, IsArchived, IsRecurrence, Status, IsClosed, Priority, TaskSubtype, CallType, CallDurationInSeconds, CompletedDateTime"
	job := o.job("query", map[string]any{"operation": "query", "query": "SELECT " + columns + " FROM Task ORDER BY Id"})
	o.finish(job)
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			b.ReportAllocs()
			var bytes int64
			for b.Loop() {
				r, err := http.NewRequest("GET", o.url+job+"/results", nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Header = http.Header{"Authorization": {"Bearer " + o.token}, "Accept-Encoding": {encoding}}
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err = io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
					b.Fatal(res.Status, err)
				}
				res.Body.Close()
				bytes = int64(o.Log()[len(o.Log())-1].Bytes)
			}
			b.SetBytes(bytes)
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
