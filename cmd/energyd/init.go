package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"energyd/configs"
	"energyd/connectors/all"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

func (a *app) initCommand() *cobra.Command {
	s := configs.Starter{ClientSecret: "${env:CRM_CLIENT_SECRET}"}
	look := false
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a starter configuration, commented",
		Long:  "init writes energyd.yaml, points.yaml, titles.yaml, phrases.yaml, mappings/ and schemas/ (for editors) into DIR (default here), for a Salesforce-style CRM and a daily-report database.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("init takes one folder")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if !slices.Contains(configs.Drivers, s.Driver) {
				return usage("--reports %q is not one of %s%s", s.Driver, strings.Join(configs.Drivers, ", "), fault.DidYouMean(s.Driver, configs.Drivers))
			}
			file := filepath.Join(dir, "energyd.yaml")
			if _, err := os.Stat(file); err == nil {
				return fault.New(fault.Config, "init", file+" is there already", "name another folder, or move it away", nil)
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fault.New(fault.Config, "init", "cannot make the folder", "name a folder that you may write to", err)
			}
			if err := configs.Write(dir, s); err != nil {
				return err
			}
			if err := config.WriteSchemas(dir, all.Connectors); err != nil {
				return err
			}
			if look {
				a.config = file
				f := surveyFlags{SurveyOptions: pipeline.SurveyOptions{Rows: surveyRows, Limit: surveyLimit}, write: filepath.Join(dir, "mappings", "reports.yaml")}
				found, err := a.survey(c.Context(), "reports", &f)
				if err != nil {
					return err
				}
				return a.showSurvey(found, &f)
			}
			if a.json {
				return a.encode(map[string]string{"config": file})
			}
			fmt.Fprintf(a.out, "wrote %s, points.yaml, titles.yaml, phrases.yaml, mappings/ and schemas/ (for editors)\n", file)
			fmt.Fprintf(a.out, "next: edit the connections in %s, set CRM_CLIENT_SECRET", file)
			if s.Driver != "sqlite" {
				fmt.Fprint(a.out, " and REPORTS_PASSWORD")
			}
			fmt.Fprintf(a.out, ", then run: energyd check --config %s\n", file)
			fmt.Fprintf(a.out, "your reports look different? energyd survey reports --config %s shows what is there and proposes a mapping\n", file)
			return nil
		},
	}
	c.Flags().BoolVar(&look, "survey", false, "survey the reports' database at once and write a mapping for it (mappings/reports.yaml)")
	c.Flags().StringVar(&s.CRMURL, "crm-url", "https://example.my.salesforce.com", "the CRM's My Domain address")
	c.Flags().StringVar(&s.ClientID, "client-id", "your-client-id", "consumer key of the CRM's external client app")
	c.Flags().StringVar(&s.Driver, "reports", "postgres", "database of the daily reports: "+strings.Join(configs.Drivers, ", "))
	c.Flags().StringVar(&s.File, "reports-file", "daily_report.db", "file of a SQLite database")
	c.Flags().StringVar(&s.ContactCode, "contact-code", "", "the CRM's field with the code of a contact in other systems, such as Contact_Code__c; empty when there is none")
	c.Flags().StringVar(&s.DealCode, "deal-code", "", "the same of an opportunity, such as Deal_Code__c")
	return c
}
