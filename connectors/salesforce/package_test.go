package salesforce

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/fault"
)

// wanted is a set-up with everything that a package can hold, and texts that need escaping.
func wanted() connectors.SetUp {
	number := connectors.NewField{Object: "Account", Name: "Energy__c", Type: connectors.Number, Precision: 12, Scale: 3, Label: "温度", Help: "接触 & 商談 <いま>"}
	band := connectors.NewField{Object: "Account", Name: "Energy_Band__c", Type: connectors.Text, Length: 40, Label: "温度帯", Help: `"熱" など`}
	until := connectors.NewField{Object: "Account", Name: "Energy_Band_Until__c", Type: connectors.Day, Label: "温度帯の期限", Help: "この日に下がる"}
	contact, rep := number, number
	contact.Object, rep.Object, rep.Confidential = "Contact", "User", true
	columns := []string{"Energy__c", "Energy_Band__c", "Energy_Band_Until__c"}
	return connectors.SetUp{Language: "ja", Fields: []connectors.NewField{number, band, until, contact, rep},
		Lists: []connectors.NewList{
			{Object: "Account", Name: "Energyd_Hot", Label: "温度の高い取引先", Columns: columns, Field: "Energy_Band__c", Equals: "熱"},
			{Object: "Account", Name: "Energyd_Cooling", Label: "冷めてきた取引先", Columns: columns, Field: "Energy_Band_Until__c", WithinDays: 14},
		},
		Reports: []connectors.NewReport{
			{Object: "Account", Name: "Energyd_Account", Label: "温度帯別の取引先", Help: "R&D", Columns: columns, Group: "Energy_Band__c", Sort: "Energy__c"},
			{Object: "Contact", Name: "Energyd_Contact", Label: "温度順の取引先責任者", Columns: []string{"Energy__c"}, Sort: "Energy__c"},
		}}
}

// standings gives a plan in which every wanted field has this standing.
func standings(want connectors.SetUp, s connectors.FieldStanding) connectors.FieldPlan {
	var p connectors.FieldPlan
	for _, f := range want.Fields {
		p.Fields = append(p.Fields, connectors.FieldState{NewField: f, Standing: s})
	}
	return p
}

func packager() *Conn { return newConn(*config("127.0.0.1:1"), quiet, 0) }

// packaged writes a package and gives its files' contents.
func packaged(t *testing.T, dir string, want connectors.SetUp, found connectors.FieldPlan) map[string]string {
	t.Helper()
	named, err := packager().PackageFields(dir, want, found)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(file)
		name, _ := filepath.Rel(dir, file)
		files[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if !slices.Contains(named, name) {
			t.Errorf("%s is in the folder, but was not named", name)
		}
	}
	if len(named) != len(files) {
		t.Errorf("%d files named, %d written", len(named), len(files))
	}
	return files
}

func TestC68_package_is_well_formed_and_whole(t *testing.T) {
	want := wanted()
	files := packaged(t, t.TempDir(), want, standings(want, connectors.FieldMissing))
	for name, text := range files {
		if !strings.HasSuffix(name, ".xml") {
			continue
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Space != namespace {
				t.Fatalf("%s: <%s> is in namespace %q", name, e.Name.Local, e.Name.Space)
			}
		}
	}

	// The manifest names what the files hold, by the folders and endings of salesforce.md section 17.
	var manifest struct {
		Types []struct {
			Members []string `xml:"members"`
			Name    string   `xml:"name"`
		} `xml:"types"`
		Version string `xml:"version"`
	}
	if err := xml.Unmarshal([]byte(files["manifest/package.xml"]), &manifest); err != nil {
		t.Fatal(err)
	}
	var listed, held []string
	for _, m := range manifest.Types {
		for _, name := range m.Members {
			listed = append(listed, m.Name+" "+name)
		}
	}
	for name := range files {
		parts := strings.Split(strings.TrimPrefix(name, "force-app/main/default/"), "/")
		last := parts[len(parts)-1]
		base, _, _ := strings.Cut(last, ".")
		switch {
		case strings.HasSuffix(last, ".field-meta.xml"):
			held = append(held, "CustomField "+parts[1]+"."+base)
		case strings.HasSuffix(last, ".listView-meta.xml"):
			held = append(held, "ListView "+parts[1]+"."+base)
		case strings.HasSuffix(last, ".permissionset-meta.xml"):
			held = append(held, "PermissionSet "+base)
		case strings.HasSuffix(last, ".report-meta.xml"):
			held = append(held, "Report "+parts[1]+"/"+base)
		case strings.HasSuffix(last, ".reportFolder-meta.xml"):
			held = append(held, "Report "+base)
		case strings.HasSuffix(last, ".js-meta.xml"):
			held = append(held, "LightningComponentBundle "+base)
		case !strings.HasPrefix(name, "force-app/main/default/lwc/") && !slices.Contains([]string{"README.md", "sfdx-project.json", "manifest/package.xml"}, name):
			t.Errorf("%s is of no known kind", name)
		}
	}
	slices.Sort(listed)
	slices.Sort(held)
	if diff := cmp.Diff(held, listed); diff != "" {
		t.Errorf("the manifest (+) is not what the files hold (-):\n%s", diff)
	}
	if manifest.Version != "66.0" {
		t.Errorf("version %q", manifest.Version)
	}

	for set, editable := range map[string]bool{integrationSet: true, readerSet: false} {
		var held struct {
			Permissions []struct {
				Editable bool   `xml:"editable"`
				Field    string `xml:"field"`
				Readable bool   `xml:"readable"`
			} `xml:"fieldPermissions"`
		}
		if err := xml.Unmarshal([]byte(files[metadataRoot+"permissionsets/"+set+".permissionset-meta.xml"]), &held); err != nil {
			t.Fatal(err)
		}
		granted := map[string]bool{}
		for _, p := range held.Permissions {
			granted[p.Field] = p.Readable && p.Editable == editable
		}
		for _, f := range want.Fields {
			if granted[f.Object+"."+f.Name] == (f.Confidential && set == readerSet) {
				t.Errorf("%s does not grant %s.%s as it should", set, f.Object, f.Name)
			}
		}
	}
	for name, part := range map[string]string{
		metadataRoot + "objects/Account/fields/Energy__c.field-meta.xml":             "<inlineHelpText>接触 &amp; 商談 &lt;いま&gt;</inlineHelpText>",
		metadataRoot + "objects/Account/listViews/Energyd_Cooling.listView-meta.xml": "<value>NEXT_N_DAYS:14</value>",
		metadataRoot + "reports/Energyd/Energyd_Account.report-meta.xml":             "<field>Account.Energy_Band__c</field>",
		metadataRoot + "lwc/energydRecord/energydRecord.html":                        `<lightning-output-field field-name="Energy_Band__c">`,
		"README.md": "sf project deploy start --manifest manifest/package.xml",
	} {
		if !strings.Contains(files[name], part) {
			t.Errorf("%s lacks %s:\n%s", name, part, files[name])
		}
	}
	if strings.Contains(files[metadataRoot+"lwc/energydRecord/energydRecord.js-meta.xml"], "User") {
		t.Error("people's own energy is offered as a section of their pages")
	}
}

func TestC68_package_is_the_same_each_time_and_replaces_an_older_one(t *testing.T) {
	dir, want := t.TempDir(), wanted()
	first := packaged(t, dir, want, standings(want, connectors.FieldMissing))
	if diff := cmp.Diff(first, packaged(t, dir, want, standings(want, connectors.FieldMissing))); diff != "" {
		t.Errorf("the second package differs:\n%s", diff)
	}
	// What the org has already is not deployed again: that would change its label and size.
	second := packaged(t, dir, want, standings(want, connectors.FieldRight))
	for name := range second {
		if strings.Contains(name, "/fields/") {
			t.Errorf("%s is packaged, though the org has the field", name)
		}
	}
	if text := second[metadataRoot+"permissionsets/Energyd_Reader.permissionset-meta.xml"]; !strings.Contains(text, "Account.Energy__c") {
		t.Errorf("a field that is there is no longer granted:\n%s", text)
	}
}

func TestPackage_takes_no_folder_of_others(t *testing.T) {
	dir, want := t.TempDir(), wanted()
	kept := filepath.Join(dir, "force-app", "theirs.txt")
	if err := errors.Join(os.Mkdir(filepath.Dir(kept), 0o700), os.WriteFile(kept, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := packager().PackageFields(dir, want, standings(want, connectors.FieldMissing))
	if fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
		t.Errorf("a folder with other files: %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	// A field that is there with another type: deploying would change it.
	if _, err := packager().PackageFields(t.TempDir(), want, standings(want, connectors.FieldUnfit)); fault.KindOf(err) != fault.Config {
		t.Errorf("fields that cannot be used: %v", err)
	}
}
