package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"
)

// TestDeeds does in a real Chromium what people do with the pages (browsertest/deeds.mjs says what), and looks at what they say then.
func TestDeeds(t *testing.T) {
	o := at(t, companyAfter(t, func(s string) string { return brakes.ReplaceAllString(s, "brakes: {rejects: 1, from: 1}") }, made(t)))
	long := httptest.NewServer(dashboard(t, seeded(t, 300)))
	defer long.Close()
	in, err := json.Marshal(map[string]any{"base": o.server.URL, "about": map[string]string{"plan": o.plan("").Plan, "long": long.URL}})
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for lines := bufio.NewScanner(bytes.NewReader(chromium(t, "deeds.mjs", in))); lines.Scan(); done++ {
		var deed struct{ Name, Failed string }
		if err := json.Unmarshal(lines.Bytes(), &deed); err != nil {
			t.Fatal(err)
		}
		if deed.Failed != "" {
			t.Errorf("%s: %s", deed.Name, deed.Failed)
		}
	}
	if done == 0 {
		t.Error("nothing was done")
	}
}
