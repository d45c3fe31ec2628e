package crmsim

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
)

const space = ` xmlns="http://soap.sforce.com/2006/04/metadata"`

// goodPackage is a package in metadata format, as files.
func goodPackage() map[string]string {
	return map[string]string{
		"package.xml": `<Package` + space + `><types><members>Account.Energy__c</members><name>CustomField</name></types>
			<types><members>Account.Hot</members><name>ListView</name></types>
			<types><members>Energyd</members><name>PermissionSet</name></types>
			<types><members>Energy</members><members>Energy/Hot</members><name>Report</name></types><version>66.0</version></Package>`,
		"objects/Account.object": `<CustomObject` + space + `><fields><fullName>Energy__c</fullName><label>Energy</label><type>Number</type>
			<precision>18</precision><scale>2</scale></fields><listViews><fullName>Hot</fullName><label>Hot</label></listViews></CustomObject>`,
		"permissionsets/Energyd.permissionset": `<PermissionSet` + space + `><label>energyd</label><fieldPermissions><editable>true</editable><field>Account.Energy__c</field>
			<readable>true</readable></fieldPermissions><objectPermissions><allowEdit>true</allowEdit><allowRead>true</allowRead><object>Account</object></objectPermissions>
			<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions></PermissionSet>`,
		"reports/Energy-meta.xml":   `<ReportFolder` + space + `><name>Energy</name></ReportFolder>`,
		"reports/Energy/Hot.report": `<Report` + space + `><name>Hot</name></Report>`,
	}
}

// deployed sends a package and gives the deployment's end.
func (o *org) deployed(part, options string, files map[string]string) map[string]any {
	o.t.Helper()
	var archive, body bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range files {
		w, err := z.Create("pkg/" + name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			o.t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		o.t.Fatal(err)
	}
	form := multipart.NewWriter(&body)
	for name, text := range map[string]string{"file": archive.String(), part: `{"deployOptions":` + options + `}`} {
		if err := form.WriteField(name, text); err != nil {
			o.t.Fatal(err)
		}
	}
	form.Close()
	a := o.send("POST", api+"/metadata/deployRequest", body.String(), "Content-Type", form.FormDataContentType())
	id, _ := a.object()["id"].(string)
	if a.status != 201 || !strings.HasPrefix(id, "0Af") {
		o.t.Fatalf("%d %s", a.status, a.body)
	}
	return o.send("GET", api+"/metadata/deployRequest/"+id+"?includeDetails=true", "").object()["deployResult"].(map[string]any)
}

func failures(result map[string]any) string {
	var list []string
	for _, f := range result["details"].(map[string]any)["componentFailures"].([]any) {
		f := f.(map[string]any)
		list = append(list, fmt.Sprint(f["componentType"], " ", f["fullName"], ": ", f["problem"]))
	}
	return strings.Join(list, "\n")
}

func TestS116_deploy(t *testing.T) {
	o := newOrg(t, Options{})
	there := func() bool {
		return len(o.toolingQuery("SELECT Id FROM CustomField").records()) > 0 || len(o.query("SELECT Id FROM PermissionSet WHERE Name = 'Energyd'").records()) > 0
	}
	if r := o.deployed("json", `{"checkOnly":true}`, goodPackage()); r["success"] != true || r["checkOnly"] != true || there() {
		t.Errorf("a check only: %v; made something: %v", r, there())
	}
	if r := o.deployed("entity_content", `{"checkOnly":false}`, goodPackage()); r["success"] != true || r["status"] != "Succeeded" || r["numberComponentsDeployed"] != 5.0 || !there() {
		t.Fatalf("%v", r)
	}
	if o.describes("Account", "Energy__c") != nil {
		t.Error("the field shows before the set is assigned")
	}
	set := o.query("SELECT Id FROM PermissionSet WHERE Name = 'Energyd'").records()[0]["Id"].(string)
	o.create("PermissionSetAssignment", `{"AssigneeId":"`+o.runAs+`","PermissionSetId":"`+set+`"}`)
	if f := o.describes("Account", "Energy__c"); f == nil || f["updateable"] != true {
		t.Errorf("with the set assigned: %v", f)
	}
	// Again, with a text for admins: the field is changed, and nothing is there twice.
	again := goodPackage()
	again["objects/Account.object"] = strings.Replace(again["objects/Account.object"], "<scale>2<", "<description>d</description><scale>2<", 1)
	if r := o.deployed("json", `{}`, again); r["success"] != true || len(o.query("SELECT Id FROM FieldPermissions WHERE ParentId = '"+set+"'").records()) != 1 {
		t.Errorf("a second time: %v", failures(r))
	}
	if f := o.toolingQuery("SELECT Description FROM CustomField").records(); len(f) != 1 || f[0]["Description"] != "d" {
		t.Errorf("after the second time: %v", f)
	}
	narrow := goodPackage()
	narrow["objects/Account.object"] = strings.Replace(narrow["objects/Account.object"], "<scale>2<", "<scale>4<", 1)
	if r := o.deployed("json", `{}`, narrow); r["success"] != false || !strings.Contains(failures(r), "holds less") {
		t.Errorf("a field with less room was taken: %v", r)
	}
	o.send("GET", api+"/metadata/deployRequest/0Af000000000000", "").refused(404, "NOT_FOUND")
	o.inject(Fault{Name: "right", Field: "ModifyMetadata", Access: "none"})
	o.inject(Fault{Name: "right", Field: "ModifyAllData", Access: "none"})
	o.send("POST", api+"/metadata/deployRequest", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--x--\r\n", "Content-Type", "multipart/form-data; boundary=x").
		refused(403, "INSUFFICIENT_ACCESS")
}

func TestS116_deploy_tells_what_is_wrong(t *testing.T) {
	o := newOrg(t, Options{Fields: map[string][]Field{"Account": {{Name: "Must__c", Type: Text, Length: 9, Required: true}}}})
	for name, c := range map[string]struct{ file, old, new, want string }{
		"ill-formed":             {"permissionsets/Energyd.permissionset", "</label>", "</lable>", "PermissionSet Energyd.permissionset: Error parsing file"},
		"missing component":      {"package.xml", "<members>Energyd<", "<members>Energyd</members><members>Reader<", "PermissionSet Reader: An object 'Reader' of type PermissionSet was named in package.xml, but was not found in zipped directory"},
		"unlisted component":     {"package.xml", "<members>Account.Hot</members>", "", "ListView Account.Hot: Not in package.xml"},
		"unknown folder":         {"nonsense/x.y", "", "x", "nonsense/x.y: Unknown folder: nonsense"},
		"no folder of a report":  {"reports/Energy-meta.xml", "", "-", "Report Energy/Hot: No such folder: Energy"},
		"unknown field granted":  {"permissionsets/Energyd.permissionset", "Account.Energy__c", "Account.Other__c", "no CustomField named Account.Other__c found"},
		"required field granted": {"permissionsets/Energyd.permissionset", "Account.Energy__c", "Account.Must__c", "You cannot deploy to a required field: Account.Must__c"},
		"attribute missing":      {"objects/Account.object", "<scale>2</scale>", "", "Must specify 'scale' for a CustomField of type Number"},
		"unknown type":           {"objects/Account.object", "Number", "Numbre", "bad value for restricted picklist field: Numbre"},
		"no manifest":            {"package.xml", "", "-", "No package.xml found"},
	} {
		t.Run(name, func(t *testing.T) {
			files := goodPackage()
			switch {
			case c.new == "-":
				delete(files, c.file)
			case c.old == "":
				files[c.file] = c.new
			default:
				files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
			}
			r := o.deployed("json", `{}`, files)
			if got := failures(r); r["success"] != false || r["status"] != "Failed" || !strings.Contains(got, c.want) {
				t.Errorf("%v: %s; want %s", r["status"], got, c.want)
			}
			if n := len(o.toolingQuery("SELECT Id FROM CustomField WHERE DeveloperName = 'Energy'").records()); n != 0 {
				t.Error("a package that failed left a field behind")
			}
		})
	}
}

func (o *org) metadataCall(body string) got {
	o.t.Helper()
	return o.send("POST", "/services/Soap/m/66.0", `<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
		<e:Header xmlns="http://soap.sforce.com/2006/04/metadata"><SessionHeader><sessionId>`+o.token+`</sessionId></SessionHeader></e:Header>
		<e:Body xmlns="http://soap.sforce.com/2006/04/metadata">`+body+`</e:Body></e:Envelope>`, "Content-Type", "text/xml", "SOAPAction", `""`)
}

func TestS116_soap(t *testing.T) {
	o := newOrg(t, Options{})
	field := func(call, name, more string) string {
		return `<` + call + `><metadata xsi:type="CustomField"><fullName>Contact.` + name + `</fullName><label>Energy</label><type>Number</type><precision>18</precision>` + more + `</metadata></` + call + `>`
	}
	for i, c := range []struct{ body, want string }{
		{field("createMetadata", "Energy__c", "<scale>4</scale>"), "<createMetadataResponse><result><fullName>Contact.Energy__c</fullName><success>true</success>"},
		{field("createMetadata", "Energy__c", "<scale>4</scale>"), "<statusCode>DUPLICATE_DEVELOPER_NAME</statusCode></errors><fullName>Contact.Energy__c</fullName><success>false</success>"},
		{field("createMetadata", "Other__c", ""), "<statusCode>REQUIRED_FIELD_MISSING</statusCode>"},
		{field("upsertMetadata", "Energy__c", "<scale>4</scale><inlineHelpText>h</inlineHelpText>"), "<created>false</created><fullName>Contact.Energy__c</fullName><success>true</success>"},
		{field("upsertMetadata", "Other__c", "<scale>0</scale>"), "<created>true</created>"},
		{field("updateMetadata", "Nope__c", "<scale>0</scale>"), "<statusCode>INVALID_CROSS_REFERENCE_KEY</statusCode>"},
		{`<upsertMetadata><metadata xsi:type="PermissionSet"><fullName>Energyd</fullName><label>energyd</label><fieldPermissions><editable>true</editable>
			<field>Contact.Energy__c</field><readable>true</readable></fieldPermissions></metadata></upsertMetadata>`, "<created>true</created>"},
		{`<createMetadata><metadata xsi:type="Hologram"><fullName>x</fullName></metadata></createMetadata>`, "<statusCode>INVALID_TYPE</statusCode>"},
		{`<readMetadata><type>CustomField</type><fullNames>Contact.Energy__c</fullNames></readMetadata>`, `<records xsi:type="CustomField"><fullName>Contact.Energy__c</fullName><label>Energy</label><type>Number</type><inlineHelpText>h</inlineHelpText><precision>18</precision><scale>4</scale>`},
		{`<readMetadata><type>CustomField</type><fullNames>Contact.Nope__c</fullNames></readMetadata>`, `<records xsi:nil="true">`},
	} {
		if a := o.metadataCall(c.body); a.status != 200 || !strings.Contains(a.body, c.want) {
			t.Errorf("%d: %d %s; want %s", i, a.status, a.body, c.want)
		}
	}
	fault := func(code string) {
		t.Helper()
		if a := o.metadataCall(field("createMetadata", "More__c", "<scale>4</scale>")); a.status != 500 || !strings.Contains(a.body, "<faultcode>sf:"+code) {
			t.Errorf("%d %s; want %s", a.status, a.body, code)
		}
	}
	o.inject(Fault{Name: "right", Field: "CustomizeApplication", Access: "none"})
	fault("INSUFFICIENT_ACCESS")
	o.inject(Fault{Name: "expire"})
	fault("INVALID_SESSION_ID")
}
