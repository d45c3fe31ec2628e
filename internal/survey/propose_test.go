package survey_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/survey"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// compiled loads a proposed mapping as energyd does, and runs its own test.
func compiled(t *testing.T, env *survey.Env, text string) *mapping.Mapping {
	t.Helper()
	file := filepath.Join(t.TempDir(), "proposed.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := config.LoadMapping(file, mapping.Env{Titles: env.Titles, Phrases: env.Texts, Kinds: kinds, Keys: env.Keys})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, r := range m.RunTests() {
		if r.Err != nil {
			t.Errorf("%s: %v\n%s", r.Name, r.Err, text)
		}
	}
	return m
}

// Whatever columns and words are called, what is written is a mapping.
func TestProposal_OddNames(t *testing.T) {
	for _, language := range []string{"ja", "en"} {
		env := environment(t, language)
		sample := connectors.Sample{Item: connectors.Item{Name: "営業 'report': #1", Kind: "table", Rows: 3}, Whole: true}
		for _, name := range []string{"訪問日 #1", "顧客\nコード", `方法: "種別"`, "役職'", "案件 番号", "on", "held", "担当者\\名"} {
			sample.Columns = append(sample.Columns, connectors.SampleColumn{Name: name, Type: "text"})
		}
		for _, word := range []string{"訪問", "電話 # 1", "yes", "メール: 送信", "line\nbreak", `"quoted"`, "~", "- a", "[x]", "１"} {
			sample.Rows = append(sample.Rows, []any{"2026/9/30", "K0001", word, "部長", "D1", "x", int64(1), "鈴木"})
		}
		item := survey.Look(env, from, &sample)
		if item.Proposal == nil {
			t.Fatalf("taken for %s", item.Purpose)
		}
		compiled(t, env, item.Proposal.Mapping)
		file := filepath.Join(t.TempDir(), "energyd.yaml")
		if err := os.WriteFile(file, []byte("sources:\n"+item.Proposal.Source("m.yaml")), 0o600); err != nil {
			t.Fatal(err)
		}
		var problems config.Errors
		_, err := config.LoadAtRest(file, nil)
		if errors.As(err, &problems) {
			for _, p := range problems {
				if strings.Contains(p.Msg, "YAML") {
					t.Errorf("the source's block: %v", err)
				}
			}
		}
	}
}

// What is not known is left open, and rejects its rows instead of guessing.
func TestProposal_WhatIsNotKnownRejects(t *testing.T) {
	env := environment(t, "ja")
	sample := connectors.Sample{Item: connectors.Item{Name: "日報", Kind: "table", Rows: 40}, Whole: true,
		Columns: []connectors.SampleColumn{{Name: "訪問日"}, {Name: "顧客コード"}, {Name: "種別"}, {Name: "内容"}}}
	for i := range 40 {
		sample.Rows = append(sample.Rows, []any{"2026-09-30", "K0001", []any{"甲", "乙"}[i%2], "打合せの内容をここに長く書いておく。"})
	}
	item := survey.Look(env, from, &sample)
	m := compiled(t, env, item.Proposal.Mapping)
	names := connectors.NewColumns([]string{"訪問日", "顧客コード", "種別", "内容"})
	_, err := m.Apply(connectors.Record{Key: "1", Columns: names, Values: sample.Rows[0]}, known{})
	if rejected := new(mapping.RejectError); !errors.As(err, &rejected) || rejected.Code != "kind" {
		t.Errorf("a word that nobody knows gives %v", err)
	}
	told := false
	for _, a := range item.Advice {
		told = told || a.Code == "kinds_open"
	}
	if !told {
		t.Errorf("advice %v", item.Advice)
	}
}

// Of tables that look alike the one whose words are known comes first, and a table of which no row would count says so.
func TestBest_WordsThatAreKnown(t *testing.T) {
	env := environment(t, "ja")
	look := func(name string, kinds ...any) *survey.Item {
		sample := connectors.Sample{Item: connectors.Item{Name: name, Kind: "table", Rows: 40}, Whole: true,
			Columns: []connectors.SampleColumn{{Name: "訪問日"}, {Name: "顧客コード"}, {Name: "区分"}, {Name: "役職"}}}
		for i := range 40 {
			sample.Rows = append(sample.Rows, []any{"2026-09-30", fmt.Sprintf("K%04d", i%7), kinds[i%len(kinds)], []any{"部長", "課長"}[i%2]})
		}
		return survey.Look(env, from, &sample)
	}
	coded, spoken := look("t_nippo", "1", "2", "3"), look("営業日報", "訪問", "電話", "来社")
	if best := survey.Best([]*survey.Item{coded, spoken}); best != spoken {
		t.Errorf("the best is %s", best.Name)
	}
	for _, a := range coded.Advice {
		if a.Code == "kinds_open" && a.Must {
			return
		}
	}
	t.Errorf("advice %+v", coded.Advice)
}

// Sentences are masked in whatever column they stand, and no text shows a broken format.
func TestLook_MasksSentences(t *testing.T) {
	env := environment(t, "ja")
	sample := connectors.Sample{Item: connectors.Item{Name: "日報", Kind: "table", Rows: 120}, Whole: true,
		Columns: []connectors.SampleColumn{{Name: "訪問日"}, {Name: "顧客コード"}, {Name: "面談者"}, {Name: "xyz"}}}
	for i := range 120 {
		sample.Rows = append(sample.Rows, []any{[]any{"2026-09-30", "未定", "2026-09-29"}[i%3], fmt.Sprintf("K%04d", i%7), "佐藤様、鈴木様", []any{"良好", "甲が反対。"}[i%2]})
	}
	page := string(survey.Page{Connection: "reports", Language: "ja", Items: []*survey.Item{survey.Look(env, from, &sample)}}.HTML())
	for _, bad := range []string{"反対", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page shows %q", bad)
		}
	}
	for _, want := range []string{"訪問日の33.3%が日付でなく", "面談者の100%に複数の人"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Days without a year take it from the month that the file is of.
func TestProposal_DaysWithoutAYear(t *testing.T) {
	env := environment(t, "ja")
	sample := connectors.Sample{Item: connectors.Item{Name: "日報_2026年*月.csv", Kind: "files", Rows: 40}, Whole: true,
		Columns: []connectors.SampleColumn{{Name: "日付"}, {Name: "顧客コード"}, {Name: "方法"}}}
	for i := range 40 {
		sample.Rows = append(sample.Rows, []any{fmt.Sprintf("9/%d", i%30+1) + []string{"", "(水)"}[i%2], fmt.Sprintf("K%04d", i%7), []any{"訪問", "電話"}[i%2]})
	}
	item := survey.Look(env, from, &sample)
	compiled(t, env, item.Proposal.Mapping)
	if !strings.Contains(item.Proposal.Mapping, "date(日付, _period)") || !strings.Contains(item.Proposal.Source("m.yaml"), "period: name") {
		t.Errorf("the proposal is\n%s%s", item.Proposal.Mapping, item.Proposal.Source("m.yaml"))
	}
	for _, a := range item.Advice {
		if a.Code == "no_date" || a.Code == "bad_dates" || a.Code == "stale" {
			t.Errorf("it says %s", a.Text)
		}
	}
}

// Where only some days of a file lack the year, these take it from the file's month too; Excel's numbers of days are days.
func TestProposal_SomeDaysWithoutAYear(t *testing.T) {
	env := environment(t, "ja")
	sample := connectors.Sample{Item: connectors.Item{Name: "日報_2026年*月.xlsx", Kind: "files", Rows: 40}, Whole: true,
		Columns: []connectors.SampleColumn{{Name: "日付"}, {Name: "顧客コード"}, {Name: "方法"}}}
	for i := range 40 {
		day := []any{fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("令和8年9月%d日", i%30+1), fmt.Sprintf("9/%d", i%30+1), 46266.0 + float64(i%30)}[i%4]
		sample.Rows = append(sample.Rows, []any{day, fmt.Sprintf("K%04d", i%7), []any{"訪問", "電話"}[i%2]})
	}
	item := survey.Look(env, from, &sample)
	m := compiled(t, env, item.Proposal.Mapping)
	names := connectors.NewColumns([]string{"日付", "顧客コード", "方法", "_period"})
	for _, row := range sample.Rows[:4] {
		if r, err := m.Apply(connectors.Record{Key: "1", Columns: names, Values: append(row, "2026-09")}, known{}); err != nil || r.Activity == nil || r.Activity.Date.String()[:7] != "2026-09" {
			t.Errorf("%v: %+v, %v", row[0], r, err)
		}
	}
	for _, a := range item.Advice {
		if a.Code == "no_date" || a.Code == "bad_dates" || a.Code == "stale" {
			t.Errorf("it says %s", a.Text)
		}
	}
}

// known is a directory that has everything.
type known struct{}

func (known) Find(_ engine.EntityKind, _, value string) (string, bool) { return value, true }
func (known) Contact(string) (account, title string)                   { return "001", "" }
func (known) MatchAccount(matching.Account) matching.Match             { return matching.Match{} }
func (known) MatchContact(matching.Person) matching.Match              { return matching.Match{} }

// A key that no mapping of the CRM gives is told, not used: check would refuse it.
func TestProposal_UsesOnlyKeysThatThereAre(t *testing.T) {
	env := environment(t, "en")
	env.Keys = map[engine.EntityKind][]string{engine.Account: {"code"}, engine.Rep: {"email"}}
	for _, l := range layouts[:6] {
		sample := l.sample(history(100, 9))
		item := survey.Look(env, from, &sample)
		text := item.Proposal.Mapping
		compiled(t, env, text)
		if strings.Contains(text, `find("deal"`) || strings.Contains(text, `"name"`) {
			t.Errorf("%s uses keys that nobody gives:\n%s", l.name, text)
		}
	}
}

// Nothing of a person is shown.
func TestLook_MasksPeople(t *testing.T) {
	env := environment(t, "ja")
	contacts := history(200, 4)
	for _, l := range layouts {
		sample := l.sample(contacts)
		page := survey.Page{Connection: "reports", On: time.Now(), Language: "ja", Items: []*survey.Item{survey.Look(env, from, &sample)}}
		html := string(page.HTML())
		for i := range contacts {
			c := &contacts[i]
			for _, form := range []string{"person", "personen", "rep", "mail", "repmail", "phone"} {
				if secret := c.value(form, nil).(string); strings.Contains(html, secret) {
					t.Fatalf("the page of %s shows %s", l.name, secret)
				}
			}
		}
	}
}
