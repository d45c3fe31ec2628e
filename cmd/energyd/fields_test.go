package main

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/internal/crmsim"
	"energyd/internal/crmsim/conformance"
)

// TestC68_PackageIsReadBySalesforcesOwnLibrary writes the starter's package in
// both languages, with the energy of reps switched on, and has it resolved and
// converted by what Salesforce's command line deploys with.
func TestC68_PackageIsReadBySalesforcesOwnLibrary(t *testing.T) {
	crm, err := crmsim.New(crmsim.Options{ClientID: "your-client-id", ClientSecret: "planted-secret"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(crm)
	defer server.Close()
	t.Setenv("CRM_CLIENT_SECRET", "planted-secret")
	for _, language := range []string{"ja", "en"} {
		t.Run(language, func(t *testing.T) {
			dir := t.TempDir()
			mustRun(t, exitDone, "init", "--crm-url", server.URL, "--reports", "sqlite", dir)
			config, folder := filepath.Join(dir, "energyd.yaml"), filepath.Join(dir, "package")
			edit(t, config, "language: ja", "language: "+language)
			rep := "  # - connection: crm\n  #   object: User\n  #   entity: rep\n  #   fields:\n  #     energy_now: Energy__c\n  #     energy_as_of: Energy_As_Of__c\n"
			edit(t, config, rep, strings.ReplaceAll(rep, "  # ", "  "))
			mustRun(t, exitDone, "fields", "plan", "--package", folder, "--config", config)

			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			p, err := conformance.CheckPackage(ctx, folder, "")
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
		})
	}
}
