package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/mapping"
)

var update = flag.Bool("update", false, "write the golden files")

type fakeConfig struct {
	Address  string              `yaml:"address"`
	Password secret.Secret       `yaml:"password"`
	Timeout  connectors.Duration `yaml:"timeout"`
	Retries  int                 `yaml:"retries"`
}

func (c *fakeConfig) Validate() error {
	var ps fault.Problems
	if c.Address == "" {
		ps.Add("address", "is required: where the system is")
	}
	return ps.Or()
}

type fakeStream struct {
	Object string `yaml:"object"`
	Table  string `yaml:"table"`
}

func (*fakeStream) Validate() error { return nil }

func registry() connectors.Registry {
	newConfig := func() connectors.Config { return &fakeConfig{Retries: 3} }
	newStream := func() connectors.Config { return &fakeStream{} }
	return connectors.Registry{
		{Name: "fake", NewConfig: newConfig, NewStream: newStream, Reads: true, Writes: true},
		{Name: "readonly", NewConfig: newConfig, NewStream: newStream, Reads: true},
		{Name: "writeonly", NewConfig: newConfig, NewStream: newStream, Writes: true},
	}
}

// folder makes a folder of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	t.Setenv("ENERGYD_TEST_HOST", "crm.example.test")
	dir := folder(t, map[string]string{
		"energyd.yaml": `
store: sqlite:data/energyd.db
schedule: "0 2 * * *"
timezone: Asia/Tokyo
connections:
  zeta: {type: fake, address: "https://${env:ENERGYD_TEST_HOST}/x", password: "${file:secret.txt}", timeout: 90s}
  alpha: {type: readonly, address: a}
sources:
  second: {connection: alpha, table: t, mapping: m.yaml, schedule: "@hourly", reread: 0}
  first: {connection: zeta, object: Account, mapping: m.yaml}
write:
  - {connection: zeta, object: Contact, entity: contact, fields: {band: Band__c}}
`,
		"points.yaml": "x", "m.yaml": "x", "secret.txt": "pass word\r\n",
	})
	if err := os.Chmod(filepath.Join(dir, "secret.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "energyd.yaml")
	c, err := Load(file, registry())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	fake := c.Connections[0].Config.(*fakeConfig)
	if got := fake.Password.Reveal(); got != "pass word" {
		t.Errorf("password %q", got)
	}
	if fake.Address != "https://crm.example.test/x" || time.Duration(fake.Timeout) != 90*time.Second || fake.Retries != 3 {
		t.Errorf("got %+v", fake)
	}
	type summary struct{ Store, Language, Points, Titles, Schedule, Zone string }
	if diff := cmp.Diff(summary{"sqlite:" + in("data/energyd.db"), "ja", in("points.yaml"), "", "0 2 * * *", "Asia/Tokyo"},
		summary{c.Store, c.Language, c.Points, c.Titles, c.Schedule, c.Zone}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Source{
		{Name: "second", Connection: "alpha", Mapping: in("m.yaml"), Schedule: "@hourly", Stream: &fakeStream{Table: "t"}},
		{Name: "first", Connection: "zeta", Mapping: in("m.yaml"), Reread: 168 * time.Hour, Stream: &fakeStream{Object: "Account"}},
	}, c.Sources, cmp.AllowUnexported(Source{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Write{{"zeta", "Contact", engine.Contact, map[string]string{"band": "Band__c"}}}, c.Write); diff != "" {
		t.Error(diff)
	}
	if len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], file+":6:") || !strings.Contains(c.Warnings[0], "chmod 600") {
		t.Errorf("warnings %q", c.Warnings)
	}
	placed := c.Place(fault.Problems{{Path: "schedule", Msg: "no such schedule"}})
	if want := file + ":3:11: no such schedule\n    3 | schedule: \"0 2 * * *\"\n      |           ^^^^^^^^^^^"; placed == nil || placed.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", placed, want)
	}
}

// Groups are records of the same object as their accounts, in fields of their own (decision 0113).
func TestLoad_groups_beside_their_accounts(t *testing.T) {
	for name, c := range map[string]struct{ entity, field, problem string }{
		"other fields":   {"group", "Group_Energy__c", ""},
		"the same field": {"group", "energy__C", "the field energy__C is written already by write[0].fields.energy_now"},
		"other entities": {"rep", "Group_Energy__c", "the object account is written already by write[0].object"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"energyd.yaml": `
connections: {crm: {type: fake, address: "https://crm.example"}}
sources: {accounts: {connection: crm, object: Account, mapping: m.yaml}}
write:
  - {connection: crm, object: Account, entity: account, fields: {energy_now: Energy__c}}
  - {connection: crm, object: account, entity: ` + c.entity + `, fields: {energy_now: ` + c.field + `}}
`, "points.yaml": "x", "m.yaml": "x"})
			got, err := Load(filepath.Join(dir, "energyd.yaml"), registry())
			switch {
			case c.problem != "":
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("got %v, want %q", err, c.problem)
				}
			case err != nil:
				t.Error(err)
			case got.Write[0].Name() == got.Write[1].Name():
				t.Errorf("both are written under the name %q", got.Write[0].Name())
			}
		})
	}
}

// TestErrors compares all messages with golden files: go test -update writes them.
func TestErrors(t *testing.T) {
	load := func(file string) error { _, err := Load(file, registry()); return err }
	compile := func(file string) error {
		_, err := LoadMapping(file, mapping.Env{Kinds: []string{"visit", "visit_by_customer", "phone", "mail"}, Cues: []string{"question"}})
		return err
	}
	for name, check := range map[string]func(string) error{
		"energyd": load, "tabs": load, "syntax": load, "empty": load, "documents": load, "sjis": load, "bom_crlf": load, "list": load,
		"missing": load, "mapping": compile,
	} {
		t.Run(name, func(t *testing.T) {
			err := check("testdata/bad/" + name + ".yaml")
			var es Errors
			if !errors.As(err, &es) || fault.KindOf(err) != fault.Config {
				t.Fatalf("got %T %v", err, err)
			}
			golden(t, "testdata/bad/"+name+".golden", err.Error()+"\n")
			if strings.Contains(err.Error(), "hunter") {
				t.Error("a secret is shown")
			}
		})
	}
	if err := load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder, not a file") {
		t.Errorf("a folder gives %v", err)
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		line          string
		column, width int
		want          string
	}{
		{"    shedule: x", 5, 7, "    7 |     shedule: x\n      |     ^^^^^^^"},
		{"日報: 訪問", 5, 2, "    7 | 日報: 訪問\n      |       ^^^^"},
		{"\ta: b", 5, 1, "    7 | \ta: b\n      | \t   ^"},
		{"ﾏﾈ: x", 5, 1, "    7 | ﾏﾈ: x\n      |     ^"},
		{"", 9, 3, "    7 | \n      | ^"},
		{"password: hunter2", 1, 8, "    7 | password: [redacted]\n      | ^^^^^^^^"},
		{`{api_key: "hunter2", a: b}`, 2, 7, "    7 | {api_key: [redacted]\n      |  ^^^^^^^"},
		{`{api_key: "hunter2", a: b}`, 22, 1, ""}, // the place itself is hidden
		{"store: postgre://u:hunter2@h/db", 8, 24, "    7 | store: postgre://u:[redacted]@h/db\n      |        ^^^^^^^^^^^^"},
		{strings.Repeat("x", 200) + " password: hunter2", 212, 7, "    7 | …" + strings.Repeat("x", 19) + " password: [redacted]\n      | " + strings.Repeat(" ", 31) + "^"},
		{"store: postgres://u:hunter2@h/db", 1, 5, "    7 | store: postgres://u:[redacted]@h/db\n      | ^^^^^"},
		{strings.Repeat("長", 200) + "x", 201, 1, "    7 | …" + strings.Repeat("長", 30) + "x\n      |  " + strings.Repeat("  ", 30) + "^"},
		{strings.Repeat("x", maxLine+1), 1, 1, ""},
		{"password: ${env:P}", 1, 8, "    7 | password: ${env:P}\n      | ^^^^^^^^"},
	} {
		if got := excerpt(c.line, 7, c.column, c.width); got != c.want {
			t.Errorf("%q:\n%s\nwant\n%s", c.line, got, c.want)
		}
	}
}

func TestConceal(t *testing.T) {
	for line, want := range map[string]string{
		"store: postgre://energyd:pa$word@db/x":       "store: postgre://energyd:[redacted]@db/x",
		"store: postgres://energyd:pa@ss@host/x":      "store: postgres://energyd:[redacted]@host/x",
		"store: postgres://energyd:pa/s :s@host/x":    "store: postgres://energyd:[redacted]@host/x",
		"store: postgres://energyd@host/x":            "store: postgres://energyd@host/x",
		"store: postgres://energyd:${env:PW}@host/x":  "store: postgres://energyd:${env:PW}@host/x",
		"store: postgres://energyd:x${env:PW}@host/x": "store: postgres://energyd:[redacted]@host/x",
		"store: host=db password=x user=energyd":      "store: host=db password=[redacted]",
		"password: @hunter2,rest":                     "password: [redacted]",
		"  password:x":                                "  password:[redacted]",
		"passwort=x":                                  "passwort=[redacted]",
		"pw: x":                                       "pw: [redacted]",
		"crm_pw: x":                                   "crm_pw: [redacted]",
		"client_key: x":                               "client_key: [redacted]",
		"private_key: |":                              "private_key: [redacted]",
		"パスワード: x":                                    "パスワード: [redacted]",
		`"client-secret" : "${env:X}" # as told`:      `"client-secret" : "${env:X}" # as told`,
		"{password: ${env:P}, api_key: x, a: b}":      "{password: ${env:P}, api_key: [redacted]",
		"password: ${env:P}x":                         "password: [redacted]",
		"password:":                                   "password:",
		"- when: IsPrivate == true":                   "- when: IsPrivate == true",
		"url: https://crm.example.test:8443/x":        "url: https://crm.example.test:8443/x",
	} {
		if got := conceal(line); got != want {
			t.Errorf("%s\n gives %s\nwanted %s", line, got, want)
		}
	}
}

// TestSyntaxErrors: what the parser stumbled over may be the secret itself, or may be beside it.
func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a:\n  password: @hunter2,rest\n":                         "x.yaml:2:13: not YAML: found character that cannot start any token\n" + secretHint,
		"a:\n  password: *hunter2\n":                              "x.yaml:2:13: not YAML: a value cannot begin like this\n" + secretHint,
		"a:\n  password:\n    @hunter2\n":                         "x.yaml:3:5: not YAML: found character that cannot start any token\n" + secretHint,
		"a:\n  password:\n\n  hunter2: x: y\n":                    "x.yaml:4:13: not YAML: mapping values are not allowed in this context\n" + secretHint,
		"a:\n  private_key: |\nhunter2\nhunter2\nhunter2: x: y\n": "x.yaml:4:1: not YAML: could not find expected ':'\n" + secretHint,
		"a:\n  password: ${env:P}\n  b: x: y\n":                   "x.yaml:3:7: not YAML: mapping values are not allowed in this context\n    3 |   b: x: y\n      |       ^",
		"a:\n  id: \"sfa/\" + text(ext_key)\n":                    "x.yaml:2:14: not YAML: did not find expected key\n    2 |   id: \"sfa/\" + text(ext_key)\n      |              ^\n" + quoteHint,
		"a:\n  id: \"x\" == b ? \"c\" : \"d\"\n":                  "x.yaml:2:22: not YAML: mapping values are not allowed in this context\n    2 |   id: \"x\" == b ? \"c\" : \"d\"\n      |                      ^\n" + quoteHint,
		"a:\n  - \"x\" + b\n":                                     "x.yaml:2:9: not YAML: did not find expected '-' indicator\n    2 |   - \"x\" + b\n      |         ^\n" + quoteHint,
	} {
		if got := sorted(parse("x.yaml", []byte(text)).problems); got == nil || got.Error() != want {
			t.Errorf("%q\n gives %v\nwanted %s", text, got, want)
		}
	}
}

const (
	secretHint = "  what to do: put the value into single quotes; the line is not shown, because it may hold a secret"
	quoteHint  = "  what to do: an expression that begins with a quote stands in single quotes: '…'"
)

// TestSecretBelow: what stands in the place of a reference is not shown, whatever it is.
func TestSecretBelow(t *testing.T) {
	for _, value := range []string{"hunter2", "[hunter2]", "\n      - hunter2", "\n      hunter2: x", "\n      hunter2"} {
		dir := folder(t, map[string]string{"energyd.yaml": "connections:\n  a:\n    type: fake\n    address: x\n    password: " + value + "\n"})
		_, err := Load(filepath.Join(dir, "energyd.yaml"), registry())
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "a secret is never written") {
			t.Errorf("%q gives %v", value, err)
		}
	}
}

// TestPlaces: a problem is placed also where the file ends, and where other line ends than Unix's divide it.
func TestPlaces(t *testing.T) {
	for text, want := range map[string]string{
		"skip:\n- when: |":                                    "x.yaml:2:9: skip[0].when is required",
		"skip:\n- when: >-":                                   "x.yaml:2:9: skip[0].when is required",
		"skip:\r- when: day = 3\r  reason: x\r":               "x.yaml:2:13: not an expression",
		"skip:\r\n- when: day = 3\r\n  reason: x\r\n":         "x.yaml:2:13: not an expression",
		"skip:\u2028- when: day = 3\u2028  reason: x\u2028":   "x.yaml:2:13: not an expression",
		"skip:\u0085- when: >-\u0085   day\u0085   = 3\u0085": "x.yaml:4:4: not an expression",
	} {
		if _, err := compileMapping(parse("x.yaml", []byte(text)), mapping.Env{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q\n gives %v\nwanted %s", text, err, want)
		}
	}
}

// TestTooLarge: a file that is too large through its aliases says so, also where it may hold anything.
func TestTooLarge(t *testing.T) {
	text := "tests:\n- name: x\n  record: &a {b: *a, c: *a}\n  skip: x\n"
	_, err := compileMapping(parse("x.yaml", []byte(text)), mapping.Env{})
	if err == nil || strings.Count(err.Error(), "too large when its aliases are followed") != 1 {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"energyd", "mapping", "tabs", "syntax"} {
		data, err := os.ReadFile("testdata/bad/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("a: &a {b: *a}\nsources: *a\n"))
	f.Add([]byte("? [a, b]\n: c\n"))
	f.Add([]byte("skip:\n- when: |"))
	f.Add([]byte("skip:\n- when: >-"))
	f.Add([]byte("skip:\r- when: day = 3\r  reason: x\r"))
	f.Add([]byte("skip:\u2028- when: day = 3\u0085  reason: x\u2029"))
	f.Fuzz(func(t *testing.T, data []byte) {
		check := func(d *document, err error) {
			var es Errors
			if err != nil && !errors.As(err, &es) {
				t.Fatalf("%T: %v", err, err)
			}
		}
		doc := parse("x.yaml", data)
		if doc.root != nil {
			l := loader{decoder: decoder{doc: doc, references: true}, config: &Config{doc: doc}, reg: registry(), types: map[string]string{}, written: map[string]string{}}
			l.load()
		}
		check(doc, sorted(doc.problems))
		_, err := compileMapping(parse("x.yaml", data), mapping.Env{Kinds: []string{"visit"}})
		check(nil, err)
	})
}
