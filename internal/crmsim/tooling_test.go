package crmsim

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const newNumber = `{"FullName":"Contact.Probe__c","Metadata":{"type":"Number","label":"Probe","precision":18,"scale":4,"required":false,"description":"d","inlineHelpText":"h"}}`

// describes tells what describe shows of a field, nil when it does not show it.
func (o *org) describes(object, field string) map[string]any {
	o.t.Helper()
	for _, f := range o.send("GET", api+"/sobjects/"+object+"/describe", "").object()["fields"].([]any) {
		if f := f.(map[string]any); f["name"] == field {
			return f
		}
	}
	return nil
}

func (o *org) create(object, body string) string {
	o.t.Helper()
	id, _ := o.send("POST", api+"/sobjects/"+object, body).object()["id"].(string)
	if id == "" {
		o.t.Fatalf("no %s was made of %s", object, body)
	}
	return id
}

func TestS112_S113_a_new_field_shows_once_it_is_granted(t *testing.T) {
	o := newOrg(t, Options{})
	made := o.send("POST", api+"/tooling/sobjects/CustomField", newNumber)
	if a := made.object(); made.status != 201 || a["success"] != true || !strings.HasPrefix(a["id"].(string), "00N") || a["warnings"] == nil || a["infos"] == nil {
		t.Fatalf("S112: %d %s", made.status, made.body)
	}
	o.send("POST", api+"/tooling/sobjects/CustomField", newNumber).refused(400, "DUPLICATE_DEVELOPER_NAME")
	contact := o.insert("Contact", map[string]any{"LastName": "x"})
	hidden := func(when string) {
		t.Helper()
		if f := o.describes("Contact", "Probe__c"); f != nil {
			t.Errorf("%s describe shows it: %v", when, f)
		}
		o.query("SELECT Probe__c FROM Contact").refused(400, "INVALID_FIELD")
		o.send("PATCH", api+"/sobjects/Contact/"+contact, `{"Probe__c":1}`).refused(400, "INVALID_FIELD")
	}
	hidden("before the grant")
	set := o.create("PermissionSet", `{"Name":"Energy","Label":"Energy"}`)
	grant := o.create("FieldPermissions", `{"ParentId":"`+set+`","SobjectType":"Contact","Field":"Contact.Probe__c","PermissionsRead":true,"PermissionsEdit":false}`)
	hidden("before the assignment")
	assignment := o.create("PermissionSetAssignment", `{"AssigneeId":"`+o.runAs+`","PermissionSetId":"`+set+`"}`)
	if f := o.describes("Contact", "Probe__c"); f == nil || f["updateable"] != false || f["precision"] != 18.0 || f["inlineHelpText"] != "h" {
		t.Errorf("with the right to read describe shows %v", f)
	}
	o.send("PATCH", api+"/sobjects/Contact/"+contact, `{"Probe__c":1}`).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE")
	o.send("PATCH", api+"/sobjects/FieldPermissions/"+grant, `{"PermissionsEdit":true}`)
	if f := o.describes("Contact", "Probe__c"); f == nil || f["updateable"] != true {
		t.Errorf("with the right to edit describe shows %v", f)
	}
	if a := o.send("PATCH", api+"/sobjects/Contact/"+contact, `{"Probe__c":1}`); a.status != 204 {
		t.Errorf("writing it: %d %s", a.status, a.body)
	}
	o.send("DELETE", api+"/sobjects/PermissionSetAssignment/"+assignment, "")
	hidden("after the assignment was taken back")
}

func TestS113_describe_may_show_a_grant_late(t *testing.T) {
	o := newOrg(t, Options{})
	o.inject(Fault{Name: "fls", DelayMS: 3000})
	o.send("POST", api+"/tooling/sobjects/CustomField", newNumber)
	o.create("FieldPermissions", `{"ParentId":"`+o.profileSet()+`","SobjectType":"Contact","Field":"Contact.Probe__c","PermissionsRead":true,"PermissionsEdit":true}`)
	if o.describes("Contact", "Probe__c") != nil {
		t.Error("it shows at once")
	}
	*o.clock = o.clock.Add(3 * time.Second)
	if o.describes("Contact", "Probe__c") == nil {
		t.Error("it does not show when its time has come")
	}
}

func TestS112_fields_need_their_attributes(t *testing.T) {
	o := newOrg(t, Options{})
	for metadata, code := range map[string]string{
		`{"type":"Number","label":"x","precision":18,"scale":4}`:                                                     "",
		`{"type":"Number","label":"x","precision":18}`:                                                               "REQUIRED_FIELD_MISSING",
		`{"type":"Number","label":"x","precision":19,"scale":0}`:                                                     "FIELD_INTEGRITY_EXCEPTION",
		`{"type":"Text","label":"x"}`:                                                                                "REQUIRED_FIELD_MISSING",
		`{"type":"Text","label":"x","length":255}`:                                                                   "",
		`{"type":"Text","label":"x","length":256}`:                                                                   "FIELD_INTEGRITY_EXCEPTION",
		`{"type":"Text","length":25}`:                                                                                "REQUIRED_FIELD_MISSING",
		`{"type":"LongTextArea","label":"x","length":32768}`:                                                         "REQUIRED_FIELD_MISSING",
		`{"type":"LongTextArea","label":"x","length":32768,"visibleLines":4}`:                                        "",
		`{"type":"Checkbox","label":"x"}`:                                                                            "REQUIRED_FIELD_MISSING",
		`{"type":"Checkbox","label":"x","defaultValue":false}`:                                                       "",
		`{"type":"Checkbox","label":"x","defaultValue":"false"}`:                                                     "",
		`{"type":"Date","label":"x"}`:                                                                                "",
		`{"type":"DateTime","label":"x"}`:                                                                            "",
		`{"type":"Percent","label":"x","precision":5,"scale":2}`:                                                     "",
		`{"type":"Picklist","label":"x"}`:                                                                            "REQUIRED_FIELD_MISSING",
		`{"type":"Picklist","label":"x","valueSet":{"valueSetDefinition":{"value":[]}}}`:                             "FIELD_INTEGRITY_EXCEPTION",
		`{"type":"Picklist","label":"x","valueSet":{"valueSetDefinition":{"value":[{"fullName":"a","label":"a"}]}}}`: "",
		`{"type":"Hologram","label":"x"}`:                                                                            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
	} {
		if err := o.Reset(""); err != nil {
			t.Fatal(err)
		}
		o.signOn()
		a := o.send("POST", api+"/tooling/sobjects/CustomField", `{"FullName":"Account.X__c","Metadata":`+metadata+`}`)
		if code != "" {
			a.refused(400, code)
		} else if a.status != 201 {
			t.Errorf("%s: %d %s", metadata, a.status, a.body)
		}
	}
	for name, code := range map[string]string{"Account.X": "INVALID_FULLNAME", "X__c": "INVALID_FULLNAME", "Nope.X__c": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"} {
		o.send("POST", api+"/tooling/sobjects/CustomField", `{"FullName":"`+name+`","Metadata":{"type":"Date","label":"x"}}`).refused(400, code)
	}
}

func (o *org) toolingQuery(soql string) got {
	o.t.Helper()
	return o.send("GET", api+"/tooling/query?q="+url.QueryEscape(soql), "")
}

func TestS114_tooling_finds_custom_fields(t *testing.T) {
	o := newOrg(t, Options{Fields: map[string][]Field{"Account": {{Name: "Energy__c", Type: Number, Precision: 18, Scale: 4}, {Name: "Band__c", Type: Text, Length: 20}}}})
	o.send("POST", api+"/tooling/sobjects/CustomField", newNumber)
	found := o.toolingQuery("SELECT Id, DeveloperName, TableEnumOrId, Metadata, FullName FROM CustomField WHERE DeveloperName = 'Probe' AND TableEnumOrId = 'Contact'").records()
	if len(found) != 1 || found[0]["FullName"] != "Contact.Probe__c" || found[0]["Metadata"].(map[string]any)["scale"] != 4.0 {
		t.Fatalf("got %v", found)
	}
	if all := o.toolingQuery("SELECT Id FROM CustomField WHERE TableEnumOrId IN ('Account','Contact')").records(); len(all) != 3 {
		t.Errorf("got %v", all)
	}
	o.toolingQuery("SELECT Metadata FROM CustomField").refused(400, "MALFORMED_QUERY")
	o.query("SELECT Id FROM CustomField").refused(400, "INVALID_TYPE")
	id := found[0]["Id"].(string)
	path := api + "/tooling/sobjects/CustomField/" + id
	if r := o.send("GET", path, "").object(); r["DeveloperName"] != "Probe" || r["Metadata"].(map[string]any)["type"] != "Number" {
		t.Errorf("read back: %v", r)
	}
	if a := o.send("PATCH", path, `{"Metadata":{"type":"Number","label":"Energy","precision":18,"scale":4,"inlineHelpText":"new"}}`); a.status != 204 {
		t.Errorf("change: %d %s", a.status, a.body)
	}
	if r := o.send("GET", path, "").object(); r["Metadata"].(map[string]any)["label"] != "Energy" || r["InlineHelpText"] != "new" {
		t.Errorf("after the change: %v", r)
	}
	o.send("PATCH", path, `{"Metadata":{"type":"Number","label":"Energy","precision":18,"scale":2}}`).refused(400, "FIELD_INTEGRITY_EXCEPTION")
	o.send("PATCH", path, `{"Metadata":{"type":"Date","label":"Energy"}}`).refused(400, "FIELD_INTEGRITY_EXCEPTION")
	if d := o.send("GET", api+"/tooling/sobjects/CustomField/describe", "").object(); d["keyPrefix"] != "00N" {
		t.Errorf("describe: %v", d["name"])
	}
	o.send("GET", api+"/tooling/sobjects/Nope/describe", "").refused(404, "NOT_FOUND")
}

func TestS115_grants_that_an_org_refuses(t *testing.T) {
	o := newOrg(t, Options{Fields: map[string][]Field{"Account": {{Name: "Must__c", Type: Text, Length: 5, Required: true}, {Name: "May__c", Type: Date}}}})
	set := o.create("PermissionSet", `{"Name":"Energy","Label":"Energy"}`)
	o.send("POST", api+"/sobjects/PermissionSet", `{"Name":"energy","Label":"Energy"}`).refused(400, "DUPLICATE_DEVELOPER_NAME")
	grant := func(object, field, boxes string) got {
		return o.send("POST", api+"/sobjects/FieldPermissions", `{"ParentId":"`+set+`","SobjectType":"`+object+`","Field":"`+field+`",`+boxes+`}`)
	}
	both := `"PermissionsRead":true,"PermissionsEdit":true`
	for _, bad := range []struct{ object, field, boxes, code string }{
		{"Account", "Account.Must__c", both, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"Account", "Account.Name", both, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"Account", "Account.SystemModstamp", both, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"Account", "Account.Nope__c", both, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"Contact", "Account.May__c", both, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"Account", "Account.May__c", `"PermissionsRead":false,"PermissionsEdit":true`, "FIELD_INTEGRITY_EXCEPTION"},
	} {
		grant(bad.object, bad.field, bad.boxes).refused(400, bad.code)
	}
	if a := grant("Account", "Account.May__c", both); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	grant("Account", "Account.May__c", both).refused(400, "DUPLICATE_VALUE")
	assign := `{"AssigneeId":"` + o.runAs + `","PermissionSetId":"` + set + `"}`
	o.create("PermissionSetAssignment", assign)
	o.send("POST", api+"/sobjects/PermissionSetAssignment", assign).refused(400, "DUPLICATE_VALUE")
	o.send("POST", api+"/sobjects/PermissionSetAssignment", strings.Replace(assign, set, o.profileSet(), 1)).refused(404, "INVALID_CROSS_REFERENCE_KEY")
	rows := o.query("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true AND Profile.Name = 'System Administrator'").records()
	if len(rows) != 1 || rows[0]["Id"] != o.profileSet() {
		t.Errorf("the profile's set: %v", rows)
	}
}

func TestS30_S31_rights_that_the_user_lacks(t *testing.T) {
	o := newOrg(t, Options{})
	set := o.create("PermissionSet", `{"Name":"Energy","Label":"Energy"}`)
	access := func() map[string]any {
		return o.query("SELECT PermissionsCustomizeApplication, PermissionsViewSetup FROM UserPermissionAccess LIMIT 1").records()[0]
	}
	if access()["PermissionsCustomizeApplication"] != true {
		t.Error("the user's rights do not show")
	}
	for right, refused := range map[string]func(){
		"CustomizeApplication": func() {
			o.send("POST", api+"/tooling/sobjects/CustomField", newNumber).refused(403, "INSUFFICIENT_ACCESS")
		},
		"ManageProfilesPermissionsets": func() {
			o.send("POST", api+"/sobjects/PermissionSet", `{"Name":"B","Label":"B"}`).refused(400, "INSUFFICIENT_ACCESS_OR_READONLY")
		},
		"AssignPermissionSets": func() {
			o.send("POST", api+"/sobjects/PermissionSetAssignment", `{"AssigneeId":"`+o.runAs+`","PermissionSetId":"`+set+`"}`).refused(400, "INSUFFICIENT_ACCESS_OR_READONLY")
		},
		"ViewSetup": func() {
			o.query("SELECT Id FROM PermissionSet").refused(400, "INVALID_TYPE")
			o.toolingQuery("SELECT Id FROM CustomField").refused(400, "INVALID_TYPE")
			o.send("GET", api+"/sobjects/FieldPermissions/describe", "").refused(404, "NOT_FOUND")
		},
	} {
		o.inject(Fault{Name: "right", Field: right, Access: "none"})
		refused()
		if right == "CustomizeApplication" && access()["Permissions"+right] != false {
			t.Errorf("%s still shows", right)
		}
		o.inject(Fault{Name: "right", Field: right, Access: "granted"})
	}
	if err := o.SetRight("Nope", true); err == nil {
		t.Error("an unknown right was granted")
	}
	// An object that the profile may not edit, until a permission set grants it.
	o.inject(Fault{Name: "fls", Object: "Contact", Access: "readonly"})
	if f := o.describes("Contact", "Title"); f["updateable"] != false {
		t.Errorf("S31: %v", f)
	}
	o.create("ObjectPermissions", `{"ParentId":"`+set+`","SobjectType":"Contact","PermissionsRead":true,"PermissionsEdit":true}`)
	o.create("PermissionSetAssignment", `{"AssigneeId":"`+o.runAs+`","PermissionSetId":"`+set+`"}`)
	if f := o.describes("Contact", "Title"); f["updateable"] != true {
		t.Errorf("S31, granted: %v", f)
	}
}

func TestS30_hide_read_only_grant(t *testing.T) {
	o := newOrg(t, Options{Fields: map[string][]Field{"Account": {{Name: "Energy__c", Type: Date}}}})
	for _, field := range []string{"Energy__c", "Website"} {
		for _, step := range []struct {
			set  func(object, field string) error
			want any
		}{{o.GrantField, true}, {o.HideField, nil}, {o.ReadOnlyField, false}, {o.HideField, nil}, {o.GrantField, true}} {
			if err := step.set("Account", field); err != nil {
				t.Fatal(err)
			}
			f := o.describes("Account", field)
			if step.want == nil && f != nil || step.want != nil && f["updateable"] != step.want {
				t.Errorf("%s: %v, want %v", field, f, step.want)
			}
		}
	}
}

func TestFile_keeps_fields_and_grants(t *testing.T) {
	opt := Options{File: filepath.Join(t.TempDir(), "org"), Fields: map[string][]Field{"Account": {{Name: "Energy__c", Type: Date}}}}
	o := newOrg(t, opt)
	o.send("POST", api+"/tooling/sobjects/CustomField", newNumber)
	o.send("POST", api+"/tooling/sobjects/CustomField", strings.ReplaceAll(newNumber, "Probe", "Hidden"))
	o.send("POST", api+"/tooling/sobjects/CustomField", strings.ReplaceAll(newNumber, "Contact", "Opportunity"))
	for _, object := range []string{"Contact", "Opportunity"} {
		o.create("FieldPermissions", `{"ParentId":"`+o.profileSet()+`","SobjectType":"`+object+`","Field":"`+object+`.Probe__c","PermissionsRead":true,"PermissionsEdit":true}`)
	}
	opt.Fields["Account"] = append(opt.Fields["Account"], Field{Name: "Band__c", Type: Text, Length: 9})
	for opened := range 2 { // the second time, the file is one that opening wrote anew: object by object
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		o = newOrg(t, opt)
		for field, shows := range map[string]bool{"Contact.Probe__c": true, "Opportunity.Probe__c": true, "Contact.Hidden__c": false, "Account.Energy__c": true, "Account.Band__c": true} {
			object, name, _ := strings.Cut(field, ".")
			if f := o.describes(object, name); (f != nil) != shows {
				t.Errorf("opened %d times: %s: %v", opened+1, field, f)
			}
		}
	}
	if f := o.describes("Contact", "Probe__c"); f["inlineHelpText"] != "h" {
		t.Errorf("got %v", f)
	}
	o.send("POST", api+"/tooling/sobjects/CustomField", strings.ReplaceAll(newNumber, "Probe", "Hidden")).refused(400, "DUPLICATE_DEVELOPER_NAME")
}
