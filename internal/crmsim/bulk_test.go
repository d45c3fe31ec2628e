package crmsim

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bulkOrg is an org with contacts that have external ids E0, E1, … and scores, and one deleted contact.
func bulkOrg(t testing.TB, contacts int) (o *org, ids []string, gone string) {
	o = newOrg(t, Options{Fields: map[string][]Field{
		"Contact": {
			{Name: "Ext__c", Type: Text, Length: 40, ExternalID: true, Unique: true},
			{Name: "Twin__c", Type: Text, Length: 40, ExternalID: true},
			{Name: "Energy_Score__c", Label: "Energy Score", Type: Number, Precision: 18, Scale: 4},
		},
		"Account": {{Name: "Code__c", Type: Text, Length: 40, ExternalID: true, Unique: true}},
	}})
	for i := range contacts {
		ids = append(ids, o.insert("Contact", map[string]any{"LastName": fmt.Sprint("N", i), "Ext__c": fmt.Sprint("E", i), "Energy_Score__c": 0.5}))
	}
	gone = o.insert("Contact", map[string]any{"LastName": "Gone"})
	if err := o.Delete("Contact", gone); err != nil {
		t.Fatal(err)
	}
	return o, ids, gone
}

// job posts options, and gives the path of the new job.
func (o *org) job(kind string, options map[string]any) string {
	o.t.Helper()
	a := o.send("POST", api+"/jobs/"+kind, marshal(o.t, options))
	if a.status != 200 {
		o.t.Fatalf("no job: %d %s", a.status, a.body)
	}
	return api + "/jobs/" + kind + "/" + a.object()["id"].(string)
}

// finish polls a job to its end.
func (o *org) finish(job string) map[string]any {
	o.t.Helper()
	for range 100 {
		info := o.send("GET", job, "").object()
		if s := info["state"]; s == "JobComplete" || s == "Failed" || s == "Aborted" {
			return info
		}
	}
	o.t.Fatal("the job does not end")
	return nil
}

func (o *org) put(job, file string) {
	o.t.Helper()
	if a := o.send("PUT", job+"/batches", file, "Content-Type", "text/csv"); a.status != 201 || a.body != "" {
		o.t.Fatalf("upload: %d %s", a.status, a.body)
	}
}

func (o *org) closeJob(job string) {
	o.t.Helper()
	if a := o.send("PATCH", job, `{"state":"UploadComplete"}`); a.status != 200 || a.object()["state"] != "UploadComplete" {
		o.t.Fatalf("close: %d %s", a.status, a.body)
	}
}

// ingestFile carries out a job of one file.
func (o *org) ingestFile(options map[string]any, file string) (job string, info map[string]any) {
	o.t.Helper()
	job = o.job("ingest", options)
	o.put(job, file)
	o.closeJob(job)
	return job, o.finish(job)
}

// results are the three files of a job.
func (o *org) results(job string) (ok, bad, rest string) {
	o.t.Helper()
	for name, to := range map[string]*string{"successfulResults": &ok, "failedResults": &bad, "unprocessedrecords": &rest} {
		a := o.send("GET", job+"/"+name, "")
		if a.status != 200 || a.header.Get("Content-Type") != "text/csv" {
			o.t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		*to = a.body
	}
	return ok, bad, rest
}

// S82 to S87, S90: one job from its creation to its three files.
func TestS82_to_S87_S90_ingest(t *testing.T) {
	o, ids, gone := bulkOrg(t, 3)
	made := o.send("POST", api+"/jobs/ingest", `{"object":"contact","operation":"update"}`)
	info := made.object()
	if missing := lacks(info, `id operation object createdById createdDate systemModstamp state concurrencyMode contentType apiVersion contentUrl
		lineEnding columnDelimiter externalIdFieldName assignmentRuleId jobType numberRecordsProcessed numberRecordsFailed retries
		totalProcessingTime apiActiveProcessingTime apexProcessingTime`); missing != nil || made.status != 200 {
		t.Errorf("S82: %d, without %v", made.status, missing)
	}
	id := info["id"].(string)
	want := map[string]any{"state": "Open", "object": "Contact", "apiVersion": 66.0, "lineEnding": "LF", "columnDelimiter": "COMMA", "jobType": "V2Ingest",
		"concurrencyMode": "Parallel", "contentUrl": "services/data/v66.0/jobs/ingest/" + id + "/batches", "createdDate": "2026-04-01T09:00:00.000+0000"}
	for key, v := range want {
		if info[key] != v {
			t.Errorf("S82: %s is %v, want %v", key, info[key], v)
		}
	}
	job := api + "/jobs/ingest/" + id
	o.send("PATCH", job, `{"state":"UploadComplete"}`).refused(400, "INVALIDJOBSTATE")
	file := fmt.Sprintf("Id,Energy_Score__c,Description\n%s,0.11,d\n%s,#N/A,\n%s,,e\n%s,0.5,\n", ids[0], ids[1], ids[2], gone)
	o.put(job, file)
	o.send("PUT", job+"/batches", file, "Content-Type", "text/csv").refused(400, "INVALIDJOBSTATE") // S83
	for _, name := range []string{"successfulResults", "failedResults", "unprocessedrecords"} {
		o.send("GET", job+"/"+name, "").refused(400, "INVALIDJOBSTATE")
	}
	o.closeJob(job)
	o.send("PUT", job+"/batches", file, "Content-Type", "text/csv").refused(400, "INVALIDJOBSTATE")
	states := []any{o.send("GET", job, "").object()["state"]}
	done := o.finish(job)
	if states[0] != "InProgress" || done["state"] != "JobComplete" {
		t.Errorf("S84: states %v, %v", states, done["state"])
	}
	if done["numberRecordsProcessed"] != 4.0 || done["numberRecordsFailed"] != 1.0 {
		t.Errorf("S90: %v", done)
	}
	ok, bad, rest := o.results(job)
	wantOK := fmt.Sprintf("\"sf__Id\",\"sf__Created\",\"Id\",\"Energy_Score__c\",\"Description\"\n\"%[1]s\",\"false\",\"%[1]s\",\"0.11\",\"d\"\n"+
		"\"%[2]s\",\"false\",\"%[2]s\",\"#N/A\",\"\"\n\"%[3]s\",\"false\",\"%[3]s\",\"\",\"e\"\n", ids[0], ids[1], ids[2])
	wantBad := fmt.Sprintf("\"sf__Id\",\"sf__Error\",\"Id\",\"Energy_Score__c\",\"Description\"\n\"%[1]s\",\"ENTITY_IS_DELETED:entity is deleted:--\",\"%[1]s\",\"0.5\",\"\"\n", gone)
	if diff := cmp.Diff([]string{wantOK, wantBad, "\"Id\",\"Energy_Score__c\",\"Description\"\n"}, []string{ok, bad, rest}); diff != "" {
		t.Errorf("S85, S86: %s", diff)
	}
	if got := []any{o.value("Contact", ids[0], "Energy_Score__c"), o.value("Contact", ids[1], "Energy_Score__c"), o.value("Contact", ids[2], "Energy_Score__c"),
		o.value("Contact", ids[2], "Description")}; !slices.Equal(got, []any{0.11, nil, 0.5, "e"}) {
		t.Errorf("S87: %v", got)
	}
	if by := o.value("Contact", ids[0], "LastModifiedById"); by != o.runAs {
		t.Errorf("the rows were written by %v", by)
	}
}

// S03, S04: an upload in chunks, without a length, and zipped.
func TestS03_S04_S83_uploads(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	job := o.job("ingest", map[string]any{"object": "Contact", "operation": "update"})
	zipped := string(zipped([]byte("Id,Energy_Score__c\n" + ids[0] + ",7\n")))
	if a := o.send("PUT", job+"/batches", zipped, "Content-Type", "text/csv; charset=UTF-8", "Content-Encoding", "gzip"); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	o.closeJob(job)
	if info := o.finish(job); info["numberRecordsFailed"] != 0.0 || o.value("Contact", ids[0], "Energy_Score__c") != 7.0 {
		t.Errorf("%v", info)
	}
	other := o.job("ingest", map[string]any{"object": "Contact", "operation": "update"})
	o.send("PUT", other+"/batches", "Id\n", "Content-Type", "application/json").refused(415, "UNSUPPORTED_MEDIA_TYPE")
	pieces := io.MultiReader(strings.NewReader("Id,Energy_Score__c\n"), strings.NewReader(ids[0]+",8\n")) // of unknown length
	r, err := http.NewRequest("PUT", o.url+other+"/batches", pieces)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + o.token}, "Content-Type": {"text/csv"}}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	o.closeJob(other)
	if info := o.finish(other); res.StatusCode != 201 || info["numberRecordsFailed"] != 0.0 || o.value("Contact", ids[0], "Energy_Score__c") != 8.0 {
		t.Errorf("in pieces: %d %v", res.StatusCode, info)
	}
	for _, line := range o.Log() {
		if line.Method == "PUT" && line.Status == 201 && (line.Head != "Id,Energy_Score__c" || line.Sent != len("Id,Energy_Score__c\n")+len(ids[0])+len(",7\n")) {
			t.Errorf("the log: %+v", line)
		}
	}
}

// An upload of more than 100 MB is refused, however small it is on the wire.
func TestS83_upload_too_large(t *testing.T) {
	o, _, _ := bulkOrg(t, 0)
	job := o.job("ingest", map[string]any{"object": "Contact", "operation": "update"})
	o.send("PUT", job+"/batches", string(zipped(make([]byte, maxBody+1))), "Content-Type", "text/csv", "Content-Encoding", "gzip").refused(413, "REQUEST_TOO_LARGE")
	o.put(job, "Id\n")
}

// S50: the rows of one chunk share a stamp, however long it takes to write them.
func TestS50_one_stamp_per_chunk(t *testing.T) {
	var calls atomic.Int64
	o := newOrg(t, Options{Now: func() time.Time { return time.Date(2026, 4, 1, 9, 0, int(calls.Add(1)), 0, time.UTC) }})
	stamps := func() (n int) {
		seen := map[any]bool{}
		for _, r := range must(t)(o.Rows("Lead")) {
			seen[r["SystemModstamp"]], seen[r["LastModifiedDate"]] = true, true
		}
		return len(seen)
	}
	rows := make([]map[string]any, 200)
	for i := range rows {
		rows[i] = row("Lead", "", "LastName", "x", "Company", "y")
	}
	made := o.send("POST", api+"/composite/sobjects", marshal(t, map[string]any{"records": rows}))
	if n := stamps(); n != 1 {
		t.Errorf("a collection: %d stamps", n)
	}
	file := "Id,Title\n"
	for _, r := range made.array() {
		file += r["id"].(string) + ",x\n"
	}
	o.ingestFile(map[string]any{"object": "Lead", "operation": "update"}, file)
	if n := stamps(); n != 1 {
		t.Errorf("a chunk of a job: %d stamps", n)
	}
	if n := len(must(t)(o.Rows("Lead"))); n != 200 {
		t.Errorf("%d rows", n)
	}
}

// S88, S89: files that fail as a whole write nothing.
func TestS88_S89_files_refused(t *testing.T) {
	for name, c := range map[string]struct {
		options map[string]any
		file    string
		want    string
	}{
		"unknown column":        {nil, "Id,Nope__c\nID,1\n", `^InvalidBatch : Field name not found : Nope__c$`},
		"hidden column":         {nil, "Id,Phone\nID,1\n", `^InvalidBatch : Field name not found : Phone$`},
		"unknown relationship":  {nil, "Id,Nope.Code__c\nID,1\n", `^InvalidBatch : Field name not found : Nope.Code__c$`},
		"twice the same column": {nil, "Id,Title,title\nID,1,2\n", `^InvalidBatch : Duplicate field name found : title$`},
		"byte-order mark":       {nil, "\ufeffId,Title\nID,1\n", "^InvalidBatch : Field name not found : \ufeffId$"},
		"CRLF instead of LF":    {nil, "Id,Title\r\nID,1\r\n", `^ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF$`},
		"CRLF inside a cell":    {nil, "Id,Title\nID,\"a\r\nb\"\n", `^ClientInputError : LineEnding is invalid`},
		"LF instead of CRLF":    {map[string]any{"lineEnding": "CRLF"}, "Id,Title\nID,1\n", `Current LineEnding setting is CRLF$`},
		"LF inside a CRLF cell": {map[string]any{"lineEnding": "CRLF"}, "Id,Title\r\nID,\"a\nb\"\r\n", `Current LineEnding setting is CRLF$`},
		"another delimiter":     {nil, "Id;Title\nID;1\n", `^InvalidBatch : Field name not found : Id;Title$`},
		"delimiter not used":    {map[string]any{"columnDelimiter": "TAB"}, "Id,Title\nID,1\n", `^InvalidBatch : Field name not found : Id,Title$`},
		"a cell too many":       {nil, "Id,Title\nID,1,2\n", `^ClientInputError : row 1 has 3 fields, the header has 2$`},
		"an open quote":         {nil, "Id,Title\nID,\"1\n", `^ClientInputError : row 1: a quoted field has no end$`},
		"text after a quote":    {nil, "Id,Title\nID,\"1\" \n", `^ClientInputError : row 1: a quoted field is followed by`},
		"a cell too long":       {nil, "Id,Title\nID," + strings.Repeat("x", 32_001) + "\n", `^ClientInputError : row 1: maximum field length is 32000 characters$`},
		"too many columns":      {nil, strings.Repeat("Id,", 5000) + "Id\nID\n", `^ClientInputError : maximum number of fields is 5000$`},
		"empty":                 {nil, "", `^InvalidBatch : Field name not found : $`},
	} {
		t.Run(name, func(t *testing.T) {
			o, ids, _ := bulkOrg(t, 1)
			if err := o.HideField("Contact", "Phone"); err != nil {
				t.Fatal(err)
			}
			options := map[string]any{"object": "Contact", "operation": "update"}
			for k, v := range c.options {
				options[k] = v
			}
			before, _ := o.Get("Contact", ids[0])
			job, info := o.ingestFile(options, strings.ReplaceAll(c.file, "ID", ids[0]))
			message, _ := info["errorMessage"].(string)
			if info["state"] != "Failed" || !regexp.MustCompile(c.want).MatchString(message) || info["numberRecordsProcessed"] != 0.0 {
				t.Errorf("%v", info)
			}
			if after, _ := o.Get("Contact", ids[0]); !cmp.Equal(before, after) {
				t.Error("the row was written")
			}
			o.results(job)
		})
	}
}

// S91, S92: a job that fails in the middle, with its rows in another order.
func TestS91_S92_failed_in_the_middle(t *testing.T) {
	o, ids, gone := bulkOrg(t, 500)
	o.inject(Fault{Name: "bulk", Rows: 450, Message: "InternalServerError : Try again", Flaws: []string{"shuffle"}})
	var file strings.Builder
	file.WriteString("Id,Energy_Score__c\n" + gone + ",2\n")
	for _, id := range ids {
		file.WriteString(id + ",2\n")
	}
	job, info := o.ingestFile(map[string]any{"object": "Contact", "operation": "update"}, file.String())
	if info["state"] != "Failed" || info["errorMessage"] != "InternalServerError : Try again" || info["numberRecordsProcessed"] != 450.0 || info["numberRecordsFailed"] != 1.0 {
		t.Errorf("S91: %v", info)
	}
	ok, bad, rest := o.results(job)
	okIDs, restIDs := csvColumn(t, ok, "sf__Id"), slices.Sorted(slices.Values(csvColumn(t, rest, "Id")))
	if len(okIDs) != 449 || len(csvColumn(t, bad, "sf__Error")) != 1 || !slices.Equal(restIDs, ids[449:]) {
		t.Errorf("S91: %d succeeded, %d unprocessed; failed: %s", len(okIDs), len(restIDs), bad)
	}
	if slices.Equal(okIDs, ids[:449]) {
		t.Error("S92: the rows have the order of the upload")
	}
	slices.Sort(okIDs)
	if !slices.Equal(okIDs, ids[:449]) {
		t.Error("S92: not the rows of the upload")
	}
	for i, want := range map[int]float64{0: 2, 448: 2, 449: 0.5, 499: 0.5} {
		if got := o.value("Contact", ids[i], "Energy_Score__c"); got != want {
			t.Errorf("S91: contact %d has %v", i, got)
		}
	}
}

// csvColumn gives one column of a CSV file.
func csvColumn(t testing.TB, file, name string) (cells []string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.Index(rows[0], name)
	if i < 0 {
		t.Fatalf("no column %s in %v", name, rows[0])
	}
	for _, r := range rows[1:] {
		cells = append(cells, r[i])
	}
	return cells
}

// S93: upsert by external id, by record id, and references by external id.
func TestS93_upsert(t *testing.T) {
	o, ids, _ := bulkOrg(t, 2)
	account := o.insert("Account", map[string]any{"Name": "港", "Code__c": "A-1"})
	o.send("POST", api+"/jobs/ingest", `{"object":"Contact","operation":"upsert"}`).refused(400, "INVALIDJOB")
	o.send("POST", api+"/jobs/ingest", `{"object":"Contact","operation":"upsert","externalIdFieldName":"LastName"}`).refused(400, "INVALIDJOB")
	options := map[string]any{"object": "Contact", "operation": "upsert", "externalIdFieldName": "ext__c"}
	job, info := o.ingestFile(options, "Ext__c,LastName,Account.Code__c\ne0,Old,a-1\nNEW,New,\n,Nobody,\nE1,,A-9\n")
	if info["externalIdFieldName"] != "Ext__c" || info["numberRecordsFailed"] != 2.0 {
		t.Errorf("%v", info)
	}
	ok, bad, _ := o.results(job)
	if got := csvColumn(t, ok, "sf__Created"); !slices.Equal(got, []string{"false", "true"}) || csvColumn(t, ok, "sf__Id")[0] != ids[0] {
		t.Errorf("S93: %s", ok)
	}
	errors := csvColumn(t, bad, "sf__Error")
	if !strings.HasPrefix(errors[0], "MISSING_ARGUMENT:Ext__c not specified:Ext__c --") || !strings.HasPrefix(errors[1], "INVALID_FIELD:Foreign key external ID: A-9 not found") {
		t.Errorf("S93: %q", errors)
	}
	if o.value("Contact", ids[0], "AccountId") != account || o.value("Contact", ids[0], "LastName") != "Old" {
		t.Error("S93: the reference by external id was not followed")
	}
	made := csvColumn(t, ok, "sf__Id")[1]
	if o.value("Contact", made, "Ext__c") != "NEW" {
		t.Error("S93: the new row lacks its external id")
	}
	byID, _ := o.ingestFile(map[string]any{"object": "Contact", "operation": "upsert", "externalIdFieldName": "Id"}, "Id,LastName\n"+ids[1]+",Again\n,Third\n")
	if ok, _, _ := o.results(byID); !slices.Equal(csvColumn(t, ok, "sf__Created"), []string{"false", "true"}) {
		t.Errorf("S93: by id: %s", ok)
	}
}

// S74 holds for the chunks of a job, too.
func TestS74_the_same_key_twice_in_a_job(t *testing.T) {
	for _, c := range []struct {
		outcome string
		failed  float64
		name    string
	}{{"last", 0, "second"}, {"refused", 1, "first"}} {
		o, ids, _ := bulkOrg(t, 1)
		o.inject(Fault{Name: "known", Line: "S74", Outcome: c.outcome})
		for options, file := range map[string]string{
			`{"object":"Contact","operation":"update"}`:                                "Id,LastName\n" + ids[0] + ",first\n" + ids[0] + ",second\n",
			`{"object":"Contact","operation":"upsert","externalIdFieldName":"Ext__c"}`: "Ext__c,LastName\nE0,first\ne0,second\n",
		} {
			var m map[string]any
			if err := json.Unmarshal([]byte(options), &m); err != nil {
				t.Fatal(err)
			}
			if _, info := o.ingestFile(m, file); info["numberRecordsFailed"] != c.failed || o.value("Contact", ids[0], "LastName") != c.name {
				t.Errorf("%s: %v, %v", c.outcome, info, o.value("Contact", ids[0], "LastName"))
			}
		}
	}
}

// References that lead to one of several objects name the one that is meant.
func TestS93_polymorphic_references(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	job, info := o.ingestFile(map[string]any{"object": "Task", "operation": "insert"}, "Subject,Who:Contact.Ext__c\nCall,E0\n")
	if info["numberRecordsFailed"] != 0.0 {
		t.Fatalf("%v", info)
	}
	ok, _, _ := o.results(job)
	if id := csvColumn(t, ok, "sf__Id")[0]; o.value("Task", id, "WhoId") != ids[0] {
		t.Error("the task has another person")
	}
	if _, info := o.ingestFile(map[string]any{"object": "Task", "operation": "insert"}, "Subject,Who.Ext__c\nCall,E0\n"); info["state"] != "Failed" {
		t.Errorf("%v", info)
	}
}

// S94: every delimiter and line ending, with cells that contain them.
func TestS94_forms(t *testing.T) {
	for name, comma := range delimiters {
		for _, ending := range []string{"LF", "CRLF"} {
			t.Run(name+" "+ending, func(t *testing.T) {
				o, ids, _ := bulkOrg(t, 1)
				end := map[string]string{"LF": "\n", "CRLF": "\r\n"}[ending]
				text := "a" + string(comma) + `"b",` + end + "c;\td"
				file := strings.Join([]string{"Id", "Title", "Description", "Department"}, string(comma)) + end +
					strings.Join([]string{ids[0], "", `"` + strings.ReplaceAll(text, `"`, `""`) + `"`, "x"}, string(comma)) + end
				job, info := o.ingestFile(map[string]any{"object": "Contact", "operation": "update", "columnDelimiter": name, "lineEnding": ending}, file)
				if info["state"] != "JobComplete" || info["numberRecordsFailed"] != 0.0 {
					t.Fatalf("%v", info)
				}
				if got := o.value("Contact", ids[0], "Description"); got != text || o.value("Contact", ids[0], "Department") != "x" {
					t.Errorf("the row has %q", got)
				}
				ok, _, _ := o.results(job)
				quoted := `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
				want := strings.Join([]string{`"sf__Id"`, `"sf__Created"`, `"Id"`, `"Title"`, `"Description"`, `"Department"`}, string(comma)) + end +
					strings.Join([]string{`"` + ids[0] + `"`, `"false"`, `"` + ids[0] + `"`, `""`, quoted, `"x"`}, string(comma)) + end
				if ok != want {
					t.Errorf("got %q, want %q", ok, want)
				}
				query := o.job("query", map[string]any{"operation": "query", "query": "SELECT Id, Description FROM Contact", "columnDelimiter": name, "lineEnding": ending})
				o.finish(query)
				want = `"Id"` + string(comma) + `"Description"` + end + `"` + ids[0] + `"` + string(comma) + quoted + end
				if got := o.send("GET", query+"/results", "").body; got != want {
					t.Errorf("the query gives %q, want %q", got, want)
				}
			})
		}
	}
}

// S95 and other jobs that are refused.
func TestS95_jobs_refused(t *testing.T) {
	o, _, _ := bulkOrg(t, 0)
	for options, code := range map[string]string{
		`{"object":"Nope__c","operation":"insert"}`:                          "INVALIDENTITY",
		`{"object":"Contact","operation":"merge"}`:                           "INVALIDJOB",
		`{"object":"Contact"}`:                                               "INVALIDJOB",
		`{"operation":"insert"}`:                                             "INVALIDJOB",
		`{"object":"Contact","operation":"hardDelete"}`:                      "FEATURENOTENABLED",
		`{"object":"Contact","operation":"insert","contentType":"JSON"}`:     "INVALIDJOB",
		`{"object":"Contact","operation":"insert","columnDelimiter":"HASH"}`: "INVALIDJOB",
		`{"object":"Contact","operation":"insert","lineEnding":"CR"}`:        "INVALIDJOB",
		`{"object":"Contact",`:                                               "JSON_PARSER_ERROR",
	} {
		o.send("POST", api+"/jobs/ingest", options).refused(400, code)
	}
	if got := o.send("GET", api+"/jobs/ingest", "").records(); len(got) != 0 {
		t.Errorf("jobs that were refused are there: %v", got)
	}
}

// S96: abort, delete, and the list.
func TestS96_abort_delete_list(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	options := map[string]any{"object": "Contact", "operation": "delete"}
	done, _ := o.ingestFile(options, "Id\n"+ids[0]+"\n")
	open := o.job("ingest", options)
	o.put(open, "Id\n"+ids[0]+"\n")
	o.send("DELETE", open, "").refused(400, "INVALIDJOBSTATE")
	if a := o.send("PATCH", open, `{"state":"Aborted"}`); a.status != 200 || a.object()["state"] != "Aborted" {
		t.Errorf("abort: %d %s", a.status, a.body)
	}
	if _, _, rest := o.results(open); len(csvColumn(t, rest, "Id")) != 1 {
		t.Errorf("the rows of an aborted job: %s", rest)
	}
	o.send("PATCH", open, `{"state":"UploadComplete"}`).refused(400, "INVALIDJOBSTATE")
	o.send("PATCH", done, `{"state":"Aborted"}`).refused(400, "INVALIDJOBSTATE")
	o.send("PATCH", done, `{"state":"Nonsense"}`).refused(400, "INVALIDJOB")
	if list := o.send("GET", api+"/jobs/ingest", ""); len(list.records()) != 2 || list.object()["done"] != true {
		t.Errorf("list: %s", list.body)
	}
	for _, job := range []string{open, done} {
		if a := o.send("DELETE", job, ""); a.status != 204 || a.body != "" {
			t.Errorf("delete: %d %s", a.status, a.body)
		}
		o.send("GET", job, "").refused(404, "NOT_FOUND")
		o.send("GET", job+"/successfulResults", "").refused(404, "NOT_FOUND")
	}
	if row, _ := o.Get("Contact", ids[0]); row["IsDeleted"] != true {
		t.Error("the row was not deleted")
	}
}

// A job whose options and file come together needs no more calls.
func TestS82_multipart(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	body := &strings.Builder{}
	form := multipart.NewWriter(body)
	for _, part := range []struct{ name, kind, content string }{
		{"job", "application/json", `{"object":"Contact","operation":"update"}`},
		{"content", "text/csv", "Id,Title\n" + ids[0] + ",CEO\n"},
	} {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Type": {part.kind}, "Content-Disposition": {fmt.Sprintf("form-data; name=%q; filename=%q", part.name, part.name)}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, part.content)
	}
	form.Close()
	a := o.send("POST", api+"/jobs/ingest", body.String(), "Content-Type", form.FormDataContentType())
	if a.status != 200 || a.object()["state"] != "UploadComplete" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if info := o.finish(api + "/jobs/ingest/" + a.object()["id"].(string)); info["numberRecordsProcessed"] != 1.0 || o.value("Contact", ids[0], "Title") != "CEO" {
		t.Errorf("%v", info)
	}
	long := strings.Replace(body.String(), "CEO", strings.Repeat("x", maxTogether), 1)
	o.send("POST", api+"/jobs/ingest", long, "Content-Type", form.FormDataContentType()).refused(400, "INVALIDJOB")
}

// Rows of a job follow the same rules as those of collections, chunk by chunk.
func TestIngestRules(t *testing.T) {
	o, ids, _ := bulkOrg(t, 3)
	if err := o.ReadOnlyField("Contact", "Title"); err != nil {
		t.Fatal(err)
	}
	update := map[string]any{"object": "Contact", "operation": "update"}
	for _, c := range []struct {
		fault      *Fault
		file, want string
	}{
		{nil, "Id,Energy_Score__c\nA,lots\n", `INVALID_TYPE_ON_FIELD_IN_RECORD:.*:Energy_Score__c --`},
		{nil, "Id,Energy_Score__c\nA,1e20\n", `NUMBER_OUTSIDE_VALID_RANGE:.*:Energy_Score__c --`},
		{nil, "Id,LastName\nA," + strings.Repeat("x", 81) + "\n", `STRING_TOO_LONG:.*:LastName --`},
		{nil, "Id,LastName\nA,#N/A\n", `REQUIRED_FIELD_MISSING:Required fields are missing: \[LastName\]:LastName --`},
		{nil, "Id,Title\nA,x\n", `INVALID_FIELD_FOR_INSERT_UPDATE:.*:Title --`},
		{nil, "Id,Department\n\n,x\n\n", `MISSING_ARGUMENT:Id not specified in an update call:Id --`},
		{nil, "Id,Department\n003000000000000,x\n", `INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--`},
		{nil, "Id,Department\nnonsense,x\n", `MALFORMED_ID:.*:Id --`},
		{nil, "Id,Ext__c\nA,E1\n", `DUPLICATE_VALUE:.*:Ext__c --`},
		{&Fault{Name: "lock", Times: 1}, "Id,Department\nA,x\n", `UNABLE_TO_LOCK_ROW:.*:--`},
		{&Fault{Name: "validation", Object: "Contact", Field: "Energy_Score__c", Bound: 10, Message: "too hot", Times: 1}, "Id,Energy_Score__c\nA,11\n",
			`FIELD_CUSTOM_VALIDATION_EXCEPTION:too hot:Energy_Score__c --`},
	} {
		if c.fault != nil {
			o.inject(*c.fault)
		}
		job, info := o.ingestFile(update, strings.Replace(c.file, "\nA,", "\n"+ids[0]+",", 1))
		_, bad, _ := o.results(job)
		if errors := csvColumn(t, bad, "sf__Error"); len(errors) != 1 || !regexp.MustCompile("^"+c.want+"$").MatchString(errors[0]) || info["state"] != "JobComplete" {
			t.Errorf("%s: got %q, want %s", c.file, errors, c.want)
		}
	}
	if _, info := o.ingestFile(map[string]any{"object": "Contact", "operation": "update"}, "Id,HasOptedOutOfEmail,DoNotCall\n"+ids[1][:15]+",TRUE,1\n"); info["numberRecordsFailed"] != 0.0 ||
		o.value("Contact", ids[1], "HasOptedOutOfEmail") != true || o.value("Contact", ids[1], "DoNotCall") != true {
		t.Errorf("checkboxes: %v", info)
	}
}

// The fault bulk: work is done late, is seen late, and can be stopped before.
func TestBulkFault_delay(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	o.inject(Fault{Name: "bulk", DelayMS: 60_000, Polls: 2})
	options := map[string]any{"object": "Contact", "operation": "update"}
	job := o.job("ingest", options)
	o.put(job, "Id,Energy_Score__c\n"+ids[0]+",9\n")
	o.closeJob(job)
	for range 5 {
		if state := o.send("GET", job, "").object()["state"]; state != "InProgress" {
			t.Fatalf("state %v before its time", state)
		}
	}
	if o.value("Contact", ids[0], "Energy_Score__c") != 0.5 {
		t.Error("the row was written too early")
	}
	o.inject(Fault{Name: "clock", AdvanceS: 61})
	if info := o.finish(job); info["state"] != "JobComplete" || o.value("Contact", ids[0], "Energy_Score__c") != 9.0 {
		t.Errorf("%v", info)
	}
	stopped := o.job("ingest", options)
	o.put(stopped, "Id,Energy_Score__c\n"+ids[0]+",1\n")
	o.closeJob(stopped)
	o.send("PATCH", stopped, `{"state":"Aborted"}`)
	o.inject(Fault{Name: "clock", AdvanceS: 61})
	if info := o.finish(stopped); info["state"] != "Aborted" || o.value("Contact", ids[0], "Energy_Score__c") != 9.0 {
		t.Errorf("an aborted job wrote: %v", info)
	}
	o.inject(Fault{Name: "bulk"}) // takes the place of the first: at once
	at := o.job("ingest", options)
	o.put(at, "Id,Energy_Score__c\n"+ids[0]+",2\n")
	o.closeJob(at)
	if state := o.send("GET", at, "").object()["state"]; state != "JobComplete" {
		t.Errorf("state %v without delay and polls", state)
	}
}

// Jobs count against the day's limits, which the fault can declare reached.
func TestS107_bulk_limits(t *testing.T) {
	o, ids, _ := bulkOrg(t, 1)
	o.ingestFile(map[string]any{"object": "Contact", "operation": "update"}, "Id,Title\n"+ids[0]+",x\n")
	o.job("query", map[string]any{"operation": "query", "query": "SELECT Id FROM Contact"})
	o.job("query", map[string]any{"operation": "query", "query": "SELECT Id FROM Contact"})
	left := func(name string) float64 {
		var all map[string]allowance
		o.send("GET", api+"/limits", "").decode(&all)
		return float64(all[name].Max - all[name].Remaining)
	}
	if left("DailyBulkApiBatches") != 1 || left("DailyBulkV2QueryJobs") != 2 {
		t.Errorf("used: %v batches, %v query jobs", left("DailyBulkApiBatches"), left("DailyBulkV2QueryJobs"))
	}
	usage := func(path string) string { return o.send("GET", path, "").header.Get("Sforce-Limit-Info") }
	polled := o.job("query", map[string]any{"operation": "query", "query": "SELECT Id FROM Contact"})
	var before, after int
	fmt.Sscanf(usage(api+"/limits"), "api-usage=%d/", &before)
	for range 3 {
		usage(polled)
	}
	usage("/services/data")
	if fmt.Sscanf(usage(api+"/limits"), "api-usage=%d/", &after); after != before+4 {
		t.Errorf("three polls, the versions and a look cost %d calls", after-before)
	}
	o.inject(Fault{Name: "bulk", Flaws: []string{"limit_exceeded"}, Times: 1, Match: "POST /jobs/query$"})
	o.job("ingest", map[string]any{"object": "Contact", "operation": "update"})
	o.send("POST", api+"/jobs/query", `{"operation":"query","query":"SELECT Id FROM Contact"}`).refused(400, "LIMIT_EXCEEDED")
	o.job("query", map[string]any{"operation": "query", "query": "SELECT Id FROM Contact"})
	o.inject(Fault{Name: "clock", AdvanceS: 24 * 3600})
	o.signOn()
	if left("DailyBulkV2QueryJobs") != 0 {
		t.Error("the day's query jobs are not forgotten")
	}
}

// BenchmarkBulkIngest writes two columns of many contacts in one job.
func BenchmarkBulkIngest(b *testing.B) {
	const rows = 100_000
	o, ids, _ := bulkOrg(b, rows)
	var file strings.Builder
	file.WriteString("Id,Energy_Score__c,Description\n")
	for i, id := range ids {
		fmt.Fprintf(&file, "%s,0.%d,why\n", id, 1+i%9)
	}
	for b.Loop() {
		job, info := o.ingestFile(map[string]any{"object": "Contact", "operation": "update"}, file.String())
		if info["numberRecordsProcessed"] != float64(rows) || info["numberRecordsFailed"] != 0.0 {
			b.Fatal(info)
		}
		if a := o.send("GET", job+"/successfulResults", ""); len(a.body) < rows*40 {
			b.Fatal(len(a.body))
		}
		o.send("DELETE", job, "")
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
