package crmsim

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestIDs(t *testing.T) {
	// The pair is the documentation's own example of both forms.
	if got, ok := normalID("0034C00000VaYfK"); !ok || got != "0034C00000VaYfKQAV" {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", "003", "0034C00000VaYfKQAW", "0034C00000VaY-K", "0034c00000VaYfKQAV", "０034C00000VaYfK"} {
		if got, ok := normalID(bad); ok {
			t.Errorf("%q was taken as %s", bad, got)
		}
	}
	last := ""
	for n := range uint64(5000) {
		id := newID("003", n)
		if _, ok := normalID(id); !ok || len(id) != 18 || id <= last {
			t.Fatalf("number %d: %s after %s", n, id, last)
		}
		last = id
	}
}

// S25, S26: versions; and what is below one.
func TestS25_S26_versions(t *testing.T) {
	o := newOrg(t, Options{})
	if r := o.send("GET", api, "").object(); r["sobjects"] != api+"/sobjects" || !strings.HasSuffix(r["identity"].(string), o.runAs) {
		t.Errorf("resources: %v", r)
	}
	o.send("GET", "/services/data/v1.0/sobjects", "").refused(404, "NOT_FOUND")
	o.token = ""
	list := o.send("GET", "/services/data", "").array()
	if !slices.ContainsFunc(list, func(v map[string]any) bool {
		return v["version"] == "66.0" && v["url"] == api && v["label"] == "Spring '26"
	}) {
		t.Errorf("S25: %v", list)
	}
}

const objectKeys = `activateable associateEntityType associateParentEntity createable custom customSetting deepCloneable deletable deprecatedAndHidden
feedEnabled hasSubtypes isInterface isSubtype keyPrefix label labelPlural layoutable mergeable mruEnabled name queryable replicateable retrieveable
searchable triggerable undeletable updateable urls`

const fieldKeys = `aggregatable autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive compoundFieldName controllerName
createable custom defaultValue defaultValueFormula defaultedOnCreate dependentPicklist deprecatedAndHidden digits
displayLocationInDecimal encrypted externalId extraTypeInfo filterable filteredLookupInfo formulaTreatNullNumberAsZero groupable
highScaleNumber htmlFormatted idLookup inlineHelpText label length mask maskType name nameField namePointing nillable
permissionable picklistValues polymorphicForeignKey precision queryByDistance referenceTargetField referenceTo relationshipName
relationshipOrder restrictedDelete restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable
writeRequiresMasterRead`

func lacks(m map[string]any, keys string) (missing []string) {
	for _, key := range strings.Fields(keys) {
		if _, there := m[key]; !there {
			missing = append(missing, key)
		}
	}
	return missing
}

// S27 to S30: describe.
func TestS27_to_S30_describe(t *testing.T) {
	o, live, _, _ := scored(t)
	global := o.send("GET", api+"/sobjects", "").object()
	if global["maxBatchSize"] != 200.0 || global["encoding"] != "UTF-8" {
		t.Errorf("S27: %v", global["maxBatchSize"])
	}
	for _, obj := range global["sobjects"].([]any) {
		info := obj.(map[string]any)
		if missing := lacks(info, objectKeys); missing != nil {
			t.Errorf("S27: %s lacks %v", info["name"], missing)
		}
		detail := o.send("GET", api+"/sobjects/"+info["name"].(string)+"/describe", "").object()
		if missing := lacks(detail, objectKeys+" fields childRelationships recordTypeInfos actionOverrides namedLayoutInfos supportedScopes"); missing != nil {
			t.Errorf("S28: %s lacks %v", info["name"], missing)
		}
		for _, f := range detail["fields"].([]any) {
			if missing := lacks(f.(map[string]any), fieldKeys); missing != nil {
				t.Errorf("S28: %s.%s lacks %v", info["name"], f.(map[string]any)["name"], missing)
			}
		}
	}
	field := func(name string) map[string]any {
		for _, f := range o.send("GET", api+"/sobjects/account/describe", "").object()["fields"].([]any) {
			if f := f.(map[string]any); f["name"] == name {
				return f
			}
		}
		return nil
	}
	for name, want := range map[string]map[string]any{
		"Energy__c":      {"type": "double", "precision": 6.0, "scale": 2.0, "updateable": true, "createable": true, "custom": true, "soapType": "xsd:double", "label": "獲得エネルギー", "length": 0.0, "nillable": true, "calculated": false},
		"Reason__c":      {"type": "string", "length": 10.0, "byteLength": 30.0},
		"Alarm__c":       {"type": "boolean", "nillable": false, "defaultedOnCreate": true},
		"Twice__c":       {"calculated": true, "updateable": false},
		"SystemModstamp": {"type": "datetime", "updateable": false, "sortable": true},
		"Id":             {"type": "id", "length": 18.0, "updateable": false},
		"OwnerId":        {"type": "reference", "relationshipName": "Owner"},
		"Description":    {"type": "textarea", "filterable": false, "sortable": false},
	} {
		f := field(name)
		for key, v := range want {
			if f[key] != v {
				t.Errorf("S29: %s.%s is %v, want %v", name, key, f[key], v)
			}
		}
	}
	if values := field("Band__c")["picklistValues"].([]any); len(values) != 2 || values[0].(map[string]any)["value"] != "高" {
		t.Errorf("picklist: %v", values)
	}
	if err := o.ReadOnlyField("Account", "Energy__c"); err != nil {
		t.Fatal(err)
	}
	if f := field("Energy__c"); f["updateable"] != false {
		t.Error("S30: a read-only field is updateable")
	}
	o.inject(Fault{Name: "fls", Object: "Account", Field: "Energy__c", Access: "hidden"})
	if field("Energy__c") != nil {
		t.Error("S30: a hidden field is described")
	}
	o.query("SELECT Energy__c FROM Account").refused(400, "INVALID_FIELD")
	if _, there := o.send("GET", api+"/sobjects/Account/"+live, "").object()["Energy__c"]; there {
		t.Error("S30: a hidden field is read")
	}
	if err := o.GrantField("Account", "Energy__c"); err != nil || field("Energy__c")["updateable"] != true {
		t.Errorf("granted again: %v", err)
	}
}

// S32: describe tells when nothing changed.
func TestS32_if_modified_since(t *testing.T) {
	o, _, _, _ := scored(t)
	since := o.send("GET", api+"/sobjects/Account/describe", "").header.Get("Last-Modified")
	if a := o.send("GET", api+"/sobjects/Account/describe", "", "If-Modified-Since", since); a.status != 304 || a.body != "" {
		t.Errorf("unchanged: %d", a.status)
	}
	*o.clock = o.clock.Add(time.Minute)
	if err := o.AddField("Account", Field{Name: "New__c", Type: Date}); err != nil {
		t.Fatal(err)
	}
	if a := o.send("GET", api+"/sobjects/Account/describe", "", "If-Modified-Since", since); a.status != 200 {
		t.Errorf("changed: %d", a.status)
	}
}

func TestAddField(t *testing.T) {
	o, live, _, _ := scored(t)
	if err := o.AddField("Account", Field{Name: "Late__c", Type: Checkbox}); err != nil {
		t.Fatal(err)
	}
	if r := o.query("SELECT Late__c FROM Account WHERE Late__c = false AND Id = '" + live + "'").records(); len(r) != 1 || r[0]["Late__c"] != false {
		t.Errorf("a row from before: %v", r)
	}
	if err := o.AddField("Account", Field{Name: "Late__c", Type: Checkbox}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for _, f := range []Field{{Name: "Late__c", Type: Date}, {Name: "Late", Type: Date}, {Name: "A__c", Type: Text}, {Name: "A__c", Type: Number, Precision: 19}, {Name: "A__c", Type: "magic"}, {Name: "A__c", Type: Picklist}} {
		if err := o.AddField("Account", f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	for spec, want := range map[string]Field{
		"Account.E__c=Number(18,4) 獲得 エネルギー": {Name: "E__c", Label: "獲得 エネルギー", Type: Number, Precision: 18, Scale: 4},
		"Account.E__c=Picklist(高, 低)":        {Name: "E__c", Type: Picklist, Length: 255, Values: []string{"高", "低"}},
		"Account.E__c=Text(40) x":            {Name: "E__c", Label: "x", Type: Text, Length: 40},
	} {
		if object, f, err := ParseField(spec); err != nil || object != "Account" || !cmp.Equal(f, want, cmp.AllowUnexported(Field{})) {
			t.Errorf("%s: %+v %v", spec, f, err)
		}
	}
	for _, spec := range []string{"", "Account.E__c", "Account.E__c=Number", "Account.E=Date", "Account.E__c=Magic", "E__c=Date"} {
		if _, _, err := ParseField(spec); err == nil {
			t.Errorf("%s was taken", spec)
		}
	}
}

func TestFile_reopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "org.jsonl")
	opt := Options{File: path, Fields: map[string][]Field{"Contact": {{Name: "Code__c", Type: Text, Length: 9, Unique: true}}}}
	o := newOrg(t, opt)
	if err := o.AddField("Account", Field{Name: "Energy__c", Type: Number, Precision: 9, Scale: 2}); err != nil {
		t.Fatal(err)
	}
	if err := o.Seed("small"); err != nil {
		t.Fatal(err)
	}
	first := newID("001", 1)
	o.patch(false, row("Account", first, "Energy__c", 4.25), row("Contact", newID("003", 1), "Code__c", "K1"))
	if err := o.Delete("Account", newID("001", 2)); err != nil {
		t.Fatal(err)
	}
	dump := func(s *Server) (all []map[string]any) {
		for _, name := range []string{"Account", "Contact", "Opportunity", "Task", "Event", "User"} {
			rows, err := s.Rows(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rows...)
		}
		return all
	}
	want := dump(o.Server)

	// Killed in the middle of writing a batch: the torn line is dropped.
	journal, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.WriteString(`{"rows":[{"Id":"` + first + `","Name":"torn`); err != nil {
		t.Fatal(err)
	}
	journal.Close()
	again := newOrg(t, opt)
	if diff := cmp.Diff(want, dump(again.Server)); diff != "" {
		t.Fatal(diff)
	}
	if got := again.patch(false, row("Contact", newID("003", 2), "Code__c", "k1")).rowCodes(); got != "DUPLICATE_VALUE" {
		t.Errorf("unique after reopening: %s", got)
	}
	if id := again.insert("Account", map[string]any{"Name": "新規"}); id != newID("001", uint64(len(smallCompanies))+1) {
		t.Errorf("the next id is %s", id)
	}
	want = dump(again.Server)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, dump(newOrg(t, opt).Server)); diff != "" {
		t.Errorf("after Close: %s", diff)
	}
	if err := os.WriteFile(path, []byte("not an org\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(opt); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken file: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.tmp")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// S12: 50 connections at once, reading, writing and turning faults.
func TestS12_parallel(t *testing.T) {
	o := newOrg(t, Options{DailyCalls: 1 << 30, Control: true})
	if err := o.Seed("small"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			id := newID("001", uint64(n%len(smallCompanies))+1)
			for i := range 10 {
				for _, call := range [][3]string{
					{"PATCH", api + "/composite/sobjects", fmt.Sprintf(`{"records":[{"attributes":{"type":"Account"},"id":"%s","NumberOfEmployees":%d}]}`, id, i)},
					{"GET", api + "/query?q=SELECT+Id,Account.Name+FROM+Contact+WHERE+Account.NumberOfEmployees+>+3", ""},
					{"GET", api + "/sobjects/Account/describe", ""},
					{"POST", "/__sim/fault", `{"name":"page_max","rows":7}`},
					{"GET", "/accounts/" + id, ""},
				} {
					if a, err := o.try(call[0], call[1], call[2]); err != nil || a.status != 200 {
						t.Errorf("%s %s: %d %v", call[0], call[1], a.status, err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if got := len(o.Log()); got != 1+50*10*3 {
		t.Errorf("the log has %d requests", got)
	}
}

// A large org is loaded and read in pages in time that grows with its size only.
func TestLargeOrg(t *testing.T) {
	const n = 100_000
	o := newOrg(t, Options{})
	start := time.Now()
	for i := range n {
		o.insert("Account", map[string]any{"Name": fmt.Sprintf("会社%06d", i), "AccountNumber": fmt.Sprintf("C%06d", i)})
	}
	loaded := time.Since(start)
	next, rows := api+"/query?q=SELECT+Id,Name,SystemModstamp+FROM+Account+ORDER+BY+SystemModstamp,Id", 0
	for next != "" {
		var page struct {
			Next    string `json:"nextRecordsUrl"`
			Records []json.RawMessage
		}
		o.send("GET", next, "").decode(&page)
		next, rows = page.Next, rows+len(page.Records)
	}
	t.Logf("%d rows loaded in %v, read in %v", n, loaded, time.Since(start)-loaded)
	if rows != n {
		t.Errorf("read %d rows", rows)
	}
}
