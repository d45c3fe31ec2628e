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
