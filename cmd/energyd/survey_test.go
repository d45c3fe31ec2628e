package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// init --survey needs nothing but the database of the reports, and writes a mapping for its table.
func TestInit_Survey(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "reports.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`CREATE TABLE "営業日報" ("番号" integer PRIMARY KEY, "訪問日" text, "顧客コード" text, "役職" text, "区分" text, "内容" text, "更新日時" datetime)`,
		`INSERT INTO "営業日報" VALUES (1, '2026-09-30', 'K0001', '部長', '訪問', '見積を持参した。', '2026-09-30 18:03:11'), (2, '2026-09-30', 'K0002', '課長', '電話', '納期の相談。', '2026-09-30 18:05:42')`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	var out, problems bytes.Buffer
	if code := run(t.Context(), []string{"init", dir, "--reports", "sqlite", "--reports-file", "reports.db", "--survey"}, &out, &problems); code != exitDone {
		t.Fatalf("exit %d: %s", code, problems.String())
	}
	for _, want := range []string{"table: 営業日報", "changed: 更新日時", "mapping: mappings/reports.yaml"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	mapping, err := os.ReadFile(filepath.Join(dir, "mappings", "reports.yaml"))
	if err != nil || !strings.Contains(string(mapping), "訪問: visit # 1") {
		t.Errorf("the mapping is %s, %v", mapping, err)
	}
}

// With the configuration that init writes, and the CRM read, codes are compared with the CRM's customers,
// what init maps already is named with that mapping, and nothing of it is told twice.
func TestSurvey_AfterThePull(t *testing.T) {
	_, config := world(t)
	mustRun(t, exitPartial, "pull", "--config", config)
	for _, c := range []struct {
		connection string
		say, not   []string
	}{
		{"reports", []string{"%がCRMに取引先のcodeとしてある", "更新日時", "--write mappings/daily_report.yaml"}, []string{"BADINDEX", "CRMにあるのは0", "毎回全件"}},
		{"crm", []string{"mappings/crm_account.yaml", "mappings/crm_task.yaml"}, []string{"PermissionsApiEnabled", "CreatedById", "見つからなかった"}},
		{"mailboxes", []string{"mappings/mail.yaml"}, []string{"calendar_uid", "見つからなかった", "not looked at"}},
	} {
		out := mustRun(t, exitDone, "survey", c.connection, "--config", config)
		for _, want := range c.say {
			if !strings.Contains(out, want) {
				t.Errorf("survey %s does not say %q:\n%s", c.connection, want, out)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(out, bad) {
				t.Errorf("survey %s says %q:\n%s", c.connection, bad, out)
			}
		}
	}
}
