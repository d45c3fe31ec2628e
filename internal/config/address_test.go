package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/internal/fault"
)

func TestAddress(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "db"), []byte("pass:word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"postgres://energyd:${file:db}@host/energyd": "postgres://energyd:pass:word@host/energyd",
		"postgres://energyd@host/energyd":            "postgres://energyd@host/energyd",
		"sqlite:/a/b.db":                             "sqlite:/a/b.db",
		"b.db":                                       "sqlite:b.db",
	} {
		if got, err := Address(text, dir); got != want || err != nil {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	_, err := Address("postgres://energyd:${file:none}@host/${file:db}", dir)
	if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "the file none") || strings.Contains(err.Error(), "pass:word") {
		t.Errorf("it says %v", err)
	}
}
