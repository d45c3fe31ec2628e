package conformance

import (
	"archive/zip"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/internal/crmsim"
)

// longest is how long a client may take; it takes seconds.
const longest = 5 * time.Minute

// scripts are what a client runs, each on an org of its own, and what it says at the end.
var scripts = []struct{ file, last string }{
	{"conformance.mjs", "33/33"}, // conformance.md section 6
	{"setup.mjs", "6/6"},
}

// A client that we did not write finds what it expects, in two versions.
func TestJsforce(t *testing.T) {
	for _, client := range []struct {
		name string
		node func() (string, error)
	}{
		{"jsforce-a", node},
		{"jsforce-b", node22},
	} {
		for _, s := range scripts {
			t.Run(client.name+"/"+s.file, func(t *testing.T) {
				path, err := client.node()
				if err != nil {
					t.Fatal(err)
				}
				sim, err := crmsim.New(crmsim.Options{RefreshToken: "RT", User: "integration@crm.example", Password: "PW"})
				if err != nil {
					t.Fatal(err)
				}
				if err := sim.Seed("conformance"); err != nil {
					t.Fatal(err)
				}
				web := httptest.NewServer(sim)
				defer web.Close()
				ctx, cancel := context.WithTimeout(t.Context(), longest)
				defer cancel()
				cmd := script(ctx, path, s.file, []string{"SIM_URL=" + web.URL, "CID=CID", "SEC=SEC", "RT=RT", "API=66.0", "JSFORCE=" + client.name,
					"USERNAME=integration@crm.example", "PASSWORD=PW", "ZIP=" + archive(t)})
				out, err := cmd.CombinedOutput()
				lines := strings.Split(strings.TrimSpace(string(out)), "\n")
				if last := lines[len(lines)-1]; err != nil || last != s.last {
					t.Errorf("%s: %v", last, err)
					for _, line := range lines {
						if !strings.HasPrefix(line, "ok ") {
							t.Log(line)
						}
					}
				}
			})
		}
	}
}

// archive is a small package in metadata format.
func archive(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "package.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	for name, text := range map[string]string{
		"package.xml": `<Package metadata><types><members>Account.Deployed__c</members><name>CustomField</name></types>
			<types><members>Deployed</members><name>PermissionSet</name></types><version>66.0</version></Package>`,
		"objects/Account.object": `<CustomObject metadata><fields><fullName>Deployed__c</fullName><label>Deployed</label><type>Date</type></fields></CustomObject>`,
		"permissionsets/Deployed.permissionset": `<PermissionSet metadata><label>Deployed</label><fieldPermissions><editable>true</editable>
			<field>Account.Deployed__c</field><readable>true</readable></fieldPermissions></PermissionSet>`,
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(withNamespace(text)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func withNamespace(text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + strings.Replace(text, " metadata>", ` xmlns="http://soap.sforce.com/2006/04/metadata">`, 1)
}

// A package that is right, as files; metadata stands for the name space.
var right = map[string]string{
	"sfdx-project.json": `{"packageDirectories":[{"path":"force-app","default":true}],"sourceApiVersion":"66.0"}`,
	"force-app/main/default/objects/Contact/fields/Energy_Score__c.field-meta.xml": `<CustomField metadata><fullName>Energy_Score__c</fullName><label>Energy Score</label>
		<precision>18</precision><scale>4</scale><type>Number</type></CustomField>`,
	"force-app/main/default/permissionsets/Energy_Integration.permissionset-meta.xml": `<PermissionSet metadata><label>Energy</label></PermissionSet>`,
	"force-app/main/default/reports/Energy.reportFolder-meta.xml":                     `<ReportFolder metadata><name>Energy</name></ReportFolder>`,
	"force-app/main/default/reports/Energy/By_Energy.report-meta.xml":                 `<Report metadata><format>Tabular</format><name>By Energy</name><reportType>ContactList</reportType></Report>`,
	"force-app/main/default/lwc/energy/energy.js":                                     `export default class Energy {}`,
	"force-app/main/default/lwc/energy/energy.html":                                   `<template></template>`,
	"force-app/main/default/lwc/energy/energy.js-meta.xml":                            `<LightningComponentBundle metadata><apiVersion>66.0</apiVersion></LightningComponentBundle>`,
	"manifest/package.xml": `<Package metadata><types><members>Contact.Energy_Score__c</members><name>CustomField</name></types>
		<types><members>energy</members><name>LightningComponentBundle</name></types>
		<types><members>Energy_Integration</members><name>PermissionSet</name></types>
		<types><members>Energy</members><members>Energy/By_Energy</members><name>Report</name></types><version>66.0</version></Package>`,
}

func checked(t *testing.T, changed map[string]string) Package {
	t.Helper()
	dir := t.TempDir()
	for _, files := range []map[string]string{right, changed} {
		for name, text := range files {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".xml") {
				text = withNamespace(text)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	p, err := CheckPackage(ctx, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheckPackage_a_right_one(t *testing.T) {
	p := checked(t, nil)
	if len(p.Problems) > 0 {
		t.Errorf("problems: %q", p.Problems)
	}
	var names []string
	for _, c := range p.Components {
		names = append(names, c.Type+" "+c.FullName)
	}
	want := []string{"CustomField Contact.Energy_Score__c", "LightningComponentBundle energy", "PermissionSet Energy_Integration", "Report Energy/By_Energy", "ReportFolder Energy"}
	if !slices.Equal(names, want) {
		t.Errorf("components %q, want %q", names, want)
	}
	for _, file := range []string{"package.xml", "objects/Contact.object", "permissionsets/Energy_Integration.permissionset", "reports/Energy/By_Energy.report", "lwc/energy/energy.js"} {
		if !slices.Contains(p.Converted, file) {
			t.Errorf("the metadata format lacks %s: %q", file, p.Converted)
		}
	}
}

func TestCheckPackage_tells_what_is_wrong(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"XML that is not well-formed":    {"force-app/main/default/permissionsets/Energy_Integration.permissionset-meta.xml", `<PermissionSet metadata><label>Energy</PermissionSet>`, "line 1"},
		"a file of no known kind":        {"force-app/main/default/notes.txt", "x", "force-app/main/default/notes.txt"},
		"a misspelt suffix":              {"force-app/main/default/objects/Contact/fields/Other__c.fields-meta.xml", `<CustomField metadata><fullName>Other__c</fullName></CustomField>`, "Other__c.fields-meta.xml"},
		"a component beside the list":    {"force-app/main/default/objects/Contact/fields/Other__c.field-meta.xml", `<CustomField metadata><fullName>Other__c</fullName></CustomField>`, "does not list CustomField Contact.Other__c"},
		"a listed component that is not": {"manifest/package.xml", strings.Replace(right["manifest/package.xml"], "Energy_Integration", "Energy_Reader", 1), "lists PermissionSet Energy_Reader"},
		"another version in the list":    {"manifest/package.xml", strings.Replace(right["manifest/package.xml"], "66.0", "65.0", 1), "version 65.0"},
		"an unknown type in the list":    {"manifest/package.xml", strings.Replace(right["manifest/package.xml"], "PermissionSet<", "PermissionSetx<", 1), "manifest/package.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			p := checked(t, map[string]string{c.file: c.text})
			if !slices.ContainsFunc(p.Problems, func(problem string) bool { return strings.Contains(problem, c.want) }) {
				t.Errorf("problems %q, want one with %q", p.Problems, c.want)
			}
		})
	}
}
