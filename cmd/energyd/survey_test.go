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
