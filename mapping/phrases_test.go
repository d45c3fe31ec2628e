package mapping_test

import (
	"os"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/mapping"
)

func textRule(cue string) *mapping.Config {
	return &mapping.Config{
		Columns: []string{"day", "account", "memo"},
		Activity: &mapping.ActivityRule{
			Line: 7, At: "date(day)", Kind: "kind_in(memo)", Account: "account",
			Participants: []mapping.ParticipantRule{{Each: "people_in(memo)", Title: "item.title"}},
			Cues:         map[string]string{cue: `cue_in("` + cue + `", memo)`},
		},
	}
}

// The words that an activity goes by stand in its mapping line, so that explain shows them; the text itself does not.
func TestFreeText_TellsItsWords(t *testing.T) {
	phrases, err := config.LoadPhrases("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Compile(textRule("question"), mapping.Env{File: "m.yaml", Phrases: phrases})
	if err != nil {
		t.Fatal(err)
	}
	for memo, want := range map[string]string{
		"山田部長を訪問。納期の質問を受けた": "m.yaml:7 (visit: 訪問, question: 質問)",
		"山田部長を訪問":           "m.yaml:7 (visit: 訪問)",
		"鈴木様へ架電、不在":         "m.yaml:7 (phone: 架電, unreached: 不在)",
	} {
		res, err := m.Apply(connectors.Record{Key: "1", Columns: connectors.NewColumns([]string{"day", "account", "memo"}), Values: []any{"2026-09-30", "001", memo}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.Activity.Mapping != want {
			t.Errorf("%s: %q, want %q", memo, res.Activity.Mapping, want)
		}
	}
}

func TestFreeText_Problems(t *testing.T) {
	phrases, err := config.LoadPhrases("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mapping.Compile(textRule("questions"), mapping.Env{Phrases: phrases})
	if err == nil || !strings.Contains(err.Error(), `the phrases have no cue "questions"; did you mean "question"?`) {
		t.Error(err)
	}
	rule := textRule("question")
	rule.Activity.Participants[0].Each = "people_in(mmo)"
	if _, err = mapping.Compile(rule, mapping.Env{Phrases: phrases}); err == nil || !strings.Contains(err.Error(), `unknown column "mmo"; did you mean "memo"?`) {
		t.Error(err)
	}
	rule.Activity.Participants[0] = mapping.ParticipantRule{Each: "people_in(memo)", Title: "item.titel"}
	if _, err = mapping.Compile(rule, mapping.Env{Phrases: phrases}); err == nil || !strings.Contains(err.Error(), "titel") {
		t.Error(err)
	}
}

// What a mapping makes of a record changes with the words, if it reads free text at all.
func TestFreeText_Fingerprint(t *testing.T) {
	with := func(cfg *mapping.Config, file string) string {
		phrases, err := config.LoadPhrases(file, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mapping.Compile(cfg, mapping.Env{Phrases: phrases})
		if err != nil {
			t.Fatal(err)
		}
		return m.Fingerprint()
	}
	other := t.TempDir() + "/phrases.yaml"
	if err := os.WriteFile(other, []byte("kinds: [{kind: visit, words: [往訪]}]\ncues: {question: [質問]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if with(textRule("question"), "") == with(textRule("question"), other) {
		t.Error("other words, same fingerprint")
	}
	plain := &mapping.Config{Activity: &mapping.ActivityRule{At: "day", Kind: `"visit"`, Account: "account"}}
	if with(plain, "") != with(plain, other) {
		t.Error("the words change what does not read them")
	}
}
