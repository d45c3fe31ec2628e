package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/configs"
	"energyd/engine"
)

// A points table that applies from a day on brings the edition before with it.
func TestLoadPoints_earlierEdition(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	edition := func(from, earlier string) string {
		return string(configs.Points) + "\napplies_from: " + from + "\nearlier: " + earlier + "\n"
	}
	write("first.yaml", strings.Replace(string(configs.Points), "mode: multiply", "mode: flat", 1))
	c, err := LoadPoints(write("second.yaml", edition("2027-04-01", "first.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if c.EarlierEdition == nil || c.EarlierEdition.Mode != "flat" {
		t.Fatalf("the earlier edition is %+v", c.EarlierEdition)
	}
	if _, err := engine.Compile(c); err != nil {
		t.Fatal(err)
	}
	write("broken.yaml", strings.Replace(string(configs.Points), "mode: multiply", "mode: flatt", 1))
	for name, test := range map[string]struct{ text, want string }{
		"a mistake in the earlier one": {edition("2027-04-01", "broken.yaml"), `broken.yaml:`},
		"no such file":                 {edition("2027-04-01", "none.yaml"), "no such file"},
		"itself":                       {edition("2027-04-01", "third.yaml"), "is no earlier edition"},
		"not later":                    {edition("2027-04-01", "second.yaml"), "is not after 2027-04-01"},
	} {
		if _, err := LoadPoints(write("third.yaml", test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want …%s", name, err, test.want)
		}
	}
}

// What somebody typed may name an edition that is in use, and no file of this machine.
func TestParsePoints(t *testing.T) {
	t.Parallel()
	first, err := ParsePoints("first.yaml", configs.Points, nil)
	if err != nil {
		t.Fatal(err)
	}
	editions := map[string]*engine.PointsConfig{"points.yaml": first}
	text := func(earlier string) []byte {
		return []byte(string(configs.Points) + "\napplies_from: 2027-04-01\nearlier: " + earlier + "\n")
	}
	next, err := ParsePoints("next.yaml", text("points.yaml"), editions)
	if err != nil || next.EarlierEdition != first {
		t.Errorf("the edition before is %p, want %p (%v)", next.EarlierEdition, first, err)
	}
	file := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(file, []byte("password: swordfish"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		text []byte
		want string
	}{
		"a file of this machine": {text(file), "is not an edition that is in use"},
		"nearly an edition":      {text("pionts.yaml"), `did you mean "points.yaml"?`},
		"a mistake":              {[]byte(strings.Replace(string(configs.Points), "mode: multiply", "mode: flatt", 1)), "typed:"},
		"no table":               {[]byte("- 1"), "typed"},
		"a reference":            {[]byte(strings.Replace(string(configs.Points), `half_life_days: 60`, "half_life_days: ${file:"+file+"}", 1)), "half_life_days"},
	} {
		_, err := ParsePoints("typed", test.text, editions)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: %v, want …%s", name, err, test.want)
		}
	}
}
