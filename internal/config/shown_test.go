package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/connectors/all"
	"energyd/internal/config"
	"energyd/internal/fault"
)

// TestText: the files of a configuration can be shown, and no other file can, nor what is secret in them.
func TestText(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DB_PASSWORD", "hunter-of-foxes")
	points, err := os.ReadFile("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("points.yaml", string(points)+"\n# the old password: swordfish\n")
	write("other.yaml", "secret: 1\n")
	write("energyd.yaml", `store: postgres://energyd:correct-horse@db.example/energyd?sslmode=require
language: ja
points: points.yaml
connections:
  reports: {type: sql, driver: postgres, host: db.example, database: reports, user: reader, password: "${env:DB_PASSWORD}"}
sources:
  reports: {connection: reports, table: daily_report, key: [id], mapping: reports.yaml}
`)
	write("reports.yaml", "kind: activity\n")
	cfg, err := config.LoadAtRest(filepath.Join(dir, "energyd.yaml"), all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	for _, name := range cfg.FileNames() {
		lines, err := cfg.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		shown += name + "\n" + strings.Join(lines, "\n")
	}
	for _, secret := range []string{"hunter-of-foxes", "correct-horse", "swordfish"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	for _, want := range []string{"energyd.yaml\n", "points.yaml\n", "reports.yaml\n", "${env:DB_PASSWORD}", "language: ja"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	for _, name := range []string{"other.yaml", "../energyd.yaml", "/etc/passwd", "", "./points.yaml"} {
		if lines, err := cfg.Text(name); fault.KindOf(err) != fault.Config {
			t.Errorf("%q: %d lines, %v", name, len(lines), err)
		}
	}
}
