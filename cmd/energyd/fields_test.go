package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/internal/crmsim"
	"energyd/internal/crmsim/conformance"
)

// TestC68_PackageIsReadBySalesforcesOwnLibrary writes the starter's package in
// both languages, with the energy of reps switched on, has it resolved and
// converted by what Salesforce's command line deploys with, and deploys the
// result: with the permission set assigned, energyd finds all it needs.
func TestC68_PackageIsReadBySalesforcesOwnLibrary(t *testing.T) {
	t.Setenv("CRM_CLIENT_SECRET", "planted-secret")
	for _, language := range []string{"ja", "en"} {
		t.Run(language, func(t *testing.T) {
			crm, err := crmsim.New(crmsim.Options{ClientID: "your-client-id", ClientSecret: "planted-secret"})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(crm)
			defer server.Close()
			dir := t.TempDir()
			mustRun(t, exitDone, "init", "--crm-url", server.URL, "--reports", "sqlite", dir)
			config, folder, converted := filepath.Join(dir, "energyd.yaml"), filepath.Join(dir, "package"), filepath.Join(dir, "converted")
			edit(t, config, "language: ja", "language: "+language)
			rep := "  # - connection: crm\n  #   object: User\n  #   entity: rep\n  #   fields:\n  #     energy_now: Energy__c\n  #     energy_as_of: Energy_As_Of__c\n"
			edit(t, config, rep, strings.ReplaceAll(rep, "  # ", "  "))
			mustRun(t, exitDone, "fields", "plan", "--package", folder, "--config", config)

			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			p, err := conformance.CheckPackage(ctx, folder, converted)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range p.Problems {
				t.Error(problem)
			}
			var held []string
			for _, c := range p.Components {
				held = append(held, c.Type+" "+c.FullName)
			}
			for _, want := range []string{
				"CustomField Account.Energy_Reason_3__c", "CustomField Contact.Energy_Band_Until__c", "CustomField Opportunity.Energy__c", "CustomField User.Energy__c",
				"PermissionSet Energyd_Integration", "PermissionSet Energyd_Reader",
				"ListView Account.Energyd_Hot", "ListView Account.Energyd_Cooling", "ListView Contact.Energyd_Hot", "ListView Contact.Energyd_Cooling",
				"Report Energyd/Energyd_Account", "Report Energyd/Energyd_Contact", "ReportFolder Energyd", "LightningComponentBundle energydRecord",
			} {
				if !slices.Contains(held, want) {
					t.Errorf("the package does not hold %s; it holds %v", want, held)
				}
			}
			if n := len(held); n != 17+2+4+3+1 {
				t.Errorf("the package holds %d components", n)
			}
			if !slices.Contains(p.Converted, "objects/Account.object") {
				t.Errorf("converted to %v", p.Converted)
			}

			deploy(t, server.URL, converted)
			out := mustRun(t, exitDone, "fields", "plan", "--config", config)
			if !strings.Contains(out, "hidden by field-level security") || strings.Contains(out, "will be made") {
				t.Errorf("deployed, but assigned to nobody:\n%s", out)
			}
			assign(t, crm, "Energyd_Integration")
			out = mustRun(t, exitDone, "fields", "plan", "--config", config)
			if !strings.Contains(out, "all 17 fields are right; nothing to make") {
				t.Errorf("deployed and assigned:\n%s", out)
			}
		})
	}
}

// deploy sends a package in metadata format to a CRM, as an administrator's tools do.
func deploy(t *testing.T, crm, folder string) {
	t.Helper()
	var archive, body bytes.Buffer
	z := zip.NewWriter(&archive)
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "package.zip")
	if err == nil {
		err = errors.Join(z.AddFS(os.DirFS(folder)), z.Close())
	}
	if err == nil {
		_, err = file.Write(archive.Bytes())
	}
	if err := errors.Join(err, form.WriteField("json", `{"deployOptions":{"rollbackOnError":true}}`), form.Close()); err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, contentType string, body io.Reader, token string, answer any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, crm+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(answer); err != nil || response.StatusCode >= 300 {
			t.Fatalf("%s %s: %s, %v", method, path, response.Status, err)
		}
	}
	var session struct {
		Token string `json:"access_token"`
	}
	ask(http.MethodPost, "/services/oauth2/token", "application/x-www-form-urlencoded",
		strings.NewReader("grant_type=client_credentials&client_id=your-client-id&client_secret=planted-secret"), "", &session)
	var begun struct{ ID string }
	ask(http.MethodPost, "/services/data/v66.0/metadata/deployRequest", form.FormDataContentType(), &body, session.Token, &begun)
	var ended struct {
		Result struct {
			Success bool `json:"success"`
			Details struct {
				Failures []struct{ FullName, Problem string } `json:"componentFailures"`
			} `json:"details"`
		} `json:"deployResult"`
	}
	ask(http.MethodGet, "/services/data/v66.0/metadata/deployRequest/"+begun.ID+"?includeDetails=true", "", nil, session.Token, &ended)
	if !ended.Result.Success {
		t.Fatalf("the package is refused: %+v", ended.Result.Details.Failures)
	}
}

// assign gives a permission set to the run-as user.
func assign(t *testing.T, crm *crmsim.Server, name string) {
	t.Helper()
	id := func(object, field, value string) string {
		t.Helper()
		rows, err := crm.Rows(object)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(rows, func(r map[string]any) bool { return r[field] == value })
		if i < 0 {
			t.Fatalf("no %s with %s %q", object, field, value)
		}
		return rows[i]["Id"].(string)
	}
	values := map[string]any{"PermissionSetId": id("PermissionSet", "Name", name), "AssigneeId": id("User", "Username", "integration@crm.example")}
	if _, err := crm.Insert("PermissionSetAssignment", values); err != nil {
		t.Fatal(err)
	}
}
