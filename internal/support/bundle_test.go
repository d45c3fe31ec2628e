package support_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/demo"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/support"
	"energyd/internal/telemetry"
)

// TestBundle_names_nobody packs the demo's company, with a log and with messages that say everything they must not, and
// looks for each person, company, address and secret of its store and configuration in the bundle's bytes.
func TestBundle_names_nobody(t *testing.T) {
	dir := t.TempDir()
	world, err := demo.Start(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	metrics := telemetry.NewMetrics("1.2.3")
	daemon := httptest.NewServer(metrics.Handler())
	defer daemon.Close()
	file := filepath.Join(dir, "energyd.yaml")
	text := read(t, file)
	text = regexp.MustCompile(`(?m)^http: .*$`).ReplaceAllString(text, "http: {listen: "+strings.TrimPrefix(daemon.URL, "http://")+"} # 鈴木様のCRM, ask suzuki@cust.example")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Open(t.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, AsOf: engine.NoDate})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	people := namesIn(t, filepath.Join(dir, "energyd.db"))
	secrets := []string{strings.TrimSpace(read(t, filepath.Join(dir, "crm-secret"))), strings.TrimSpace(read(t, filepath.Join(dir, "mail-secret")))}
	forbidden := append(slices.Clone(people), append(secrets, "stranger@cust.example", "suzuki@cust.example", "鈴木様", "株式会社未知")...)

	said := strings.Join(forbidden, ", ")
	run, err := p.Store().BeginRun(t.Context(), "pull", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Store().FinishRun(t.Context(), run, time.Now(), store.Failed, fmt.Sprintf(`crm: the CRM says %q of %s`, "株式会社未知 is locked by 鈴木様", strings.Join(append(people, secrets...), ", "))); err != nil {
		t.Fatal(err)
	}
	log := "level=WARN msg=\"a name\" said=" + strings.ReplaceAll(strings.ReplaceAll(said, "株式会社未知", ""), "鈴木様", "") + "\n" + `{"level":"WARN","run":"` + run + `","to":"Stranger <stranger@cust.example>"}` + "\n"

	var packed bytes.Buffer
	if err := support.Write(t.Context(), &packed, p, support.Options{Version: "1.2.3", Now: time.Now(), Log: strings.NewReader(log)}); err != nil {
		t.Fatal(err)
	}
	files := unzip(t, packed.Bytes())
	begun := regexp.MustCompile(`\d{8}T\d{6}-`) // of a run's id: at 00:39 it would hold the key T0039
	for name, content := range files {
		content = begun.ReplaceAllString(content, "")
		for _, secret := range forbidden {
			quoted, _ := json.Marshal(secret)
			if strings.Contains(content, secret) || strings.Contains(content, strings.Trim(string(quoted), `"`)) || strings.Contains(name, secret) {
				t.Errorf("%s shows %q", name, secret)
			}
		}
	}
	// What it is made for is still there.
	for name, want := range map[string][]string{
		"about.json":   {`"version": "1.2.3"`, `"store": "sqlite"`, `"store_version": `, `"entity": `},
		"energyd.yaml": {"type: salesforce", "${file:crm-secret}", "[masked, ", "object: Account"},
		"status.json":  {run, "the CRM says", `"state": "failed"`},
		"metrics.txt":  {`energyd_build_info{version="1.2.3"} 1`},
		"log.txt":      {"level=WARN", `"run":"` + run},
		"README.txt":   {"look at them"},
	} {
		for _, w := range want {
			if !strings.Contains(files[name], w) {
				t.Errorf("%s lacks %s:\n%.2000s", name, w, files[name])
			}
		}
	}
	if len(people) < 100 {
		t.Errorf("only %d names were looked for", len(people))
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// namesIn are all names, addresses and other keys of people, companies and deals in a store's tables.
func namesIn(t *testing.T, file string) (names []string) {
	t.Helper()
	db, err := sqlx.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.SelectContext(context.Background(), &names, `SELECT name FROM entity WHERE name <> '' UNION SELECT each.value FROM entity, json_each(entity.keys) AS each
		WHERE each.value <> '' UNION SELECT each.value FROM reject, json_each(reject.fields) AS each WHERE each.key IN ('customer', 'contact', 'who', '顧客', '面談者', 'customer_name') AND each.value <> ''`)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func unzip(t *testing.T, packed []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(data)
	}
	return files
}

func TestCover(t *testing.T) {
	var c support.Cover
	for _, name := range []string{"株式会社山田製作所", "山田", "Or", "O'Neil & Sons", "K0001", "2026-04-01", "12", "A", "佐藤 一郎"} {
		c.Add(name)
	}
	c.Hide("s3cret")
	for text, want := range map[string]string{
		"株式会社山田製作所と山田様":                             "[covered]と[covered]様",
		"an error at 2026-04-01T12:00, of A":        "an error at 2026-04-01T12:00, of A",
		"k0001 and K00012 by o'neil & SONS":         "[covered] and K00012 by [covered]",
		"Bearer xs3cretx":                           "Bearer x[covered]x",
		"to Taro <taro@customer.example>; cc b@c.d": "to Taro <[covered]>; cc [covered]",
	} {
		if got := c.Lines(text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	if got := c.Message(`the CRM says "Taro is \"away\"" and 「留守」`); got != `the CRM says "…" and "…"` {
		t.Error(got)
	}
}
