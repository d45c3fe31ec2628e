package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestImpersonal: an address is the same short hash wherever it stands; what names nobody stays as it is.
func TestImpersonal(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, slog.LevelDebug, Text)
	log.Info("m", "mailbox", "Sato@example.co.jp", "folder", "取引先/山田", "error", fmt.Errorf("as sato@example.co.jp: refused"), "list", []string{"a", "b@c.example"}, "n", 3, "source", "mail")
	line := out.String()
	for _, s := range []string{"mailbox=" + shortHash("sato@example.co.jp"), `error="as ` + shortHash("sato@example.co.jp") + `: refused"`, "n=3", "source=mail"} {
		if !strings.Contains(line, s) {
			t.Errorf("the line lacks %s: %s", s, line)
		}
	}
	for _, s := range []string{"@", "山田"} {
		if strings.Contains(line, s) {
			t.Errorf("the line holds %q: %s", s, line)
		}
	}
}

// TestImpersonal_JSON: the same in the form that programs read.
func TestImpersonal_JSON(t *testing.T) {
	var out bytes.Buffer
	NewLog(&out, slog.LevelInfo, JSON).With("run", "r1").Info("m", "error", errors.New("as sato@example.co.jp: refused"), "owner", "Sato")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if line["error"] != "as "+shortHash("sato@example.co.jp")+": refused" || line["owner"] != shortHash("sato") || line["run"] != "r1" {
		t.Errorf("%v", line)
	}
}
