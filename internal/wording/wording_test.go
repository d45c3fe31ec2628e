package wording

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestCatalogue/whole: each sentence of the program that pages and notices show has its Japanese one, and no other has.
func TestCatalogue(t *testing.T) {
	made, err := sentences()
	if err != nil {
		t.Fatal(err)
	}
	if len(made) < 500 {
		t.Fatalf("only %d texts were found: this test would hold nothing", len(made))
	}
	for format, at := range made {
		if _, ok := catalogue[format]; !ok && isSentence(format) {
			t.Errorf("%s:%d: %q has no entry: put it into the ja_*.go that it belongs to", at.Filename, at.Line, format)
		}
	}
	for format := range catalogue {
		if _, ok := made[format]; !ok {
			t.Errorf("%q: no code makes this sentence any more; take it out", format)
		}
	}
	if n := len(files) + len(mails) + len(matching) + len(databases) + len(crm) + len(network) + len(notices) + len(pages) + len(plans) + len(records) + len(runs) + len(stores); n != len(catalogue) {
		t.Errorf("%d of %d entries stand in several files", n-len(catalogue), n)
	}
}

// sample gives a sentence of a format, and its values.
func sample(format string) (text string, values []string) {
	seen := map[string]string{}
	n := 0
	adjoins := regexp.MustCompile(`(%[qsdv])%s`)
	format = adjoins.ReplaceAllString(format, "$1%+s")
	text = verb.ReplaceAllStringFunc(format, func(hole string) string {
		m := verb.FindStringSubmatch(hole)
		if m[2] == "%" {
			return "%"
		}
		at := m[1]
		if at == "" {
			n++
			at = strconv.Itoa(n)
		}
		if seen[at] == "" {
			switch {
			case hole == "%+s": // what comes directly after another value is an addition, or nothing
				seen[at] = " (値" + at + ")"
			case m[2] == "d", m[2] == "f", m[2] == "g":
				seen[at] = strconv.Itoa(71000 + len(seen))
			case m[2] == "q":
				seen[at] = fmt.Sprintf("%q", "値"+at)
			default:
				seen[at] = "値" + at + "X"
			}
			values = append(values, seen[at])
		}
		return seen[at]
	})
	return text, values
}

func TestIn_EachSentence(t *testing.T) {
	for english, japanese := range catalogue {
		text, values := sample(english)
		if got, want := In("ja", text), newPhrase(english, japanese).fill(slices.Clone(values)); strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
		for i, v := range values {
			if n := strings.Count(In("ja", text), v); n == 0 {
				t.Errorf("%q lacks value %d of %q", japanese, i+1, english)
			}
		}
		for _, hole := range filled.FindAllStringSubmatch(japanese, -1) {
			if n, _ := strconv.Atoi(hole[1]); n > len(values) {
				t.Errorf("%q has no value %d", english, n)
			}
		}
		if strings.Contains(filled.ReplaceAllString(japanese, ""), "%") {
			t.Errorf("%q: holes are written %%[1]s or %%[1]k, a percent sign %%%%", japanese)
		}
		if In("en", text) != text {
			t.Errorf("English is changed: %q", text)
		}
	}
}

func TestIn(t *testing.T) {
	for _, c := range []struct{ english, japanese string }{
		{"", ""},
		{"日報: 3月", "日報: 3月"},
		{"the CRM's own words", "the CRM's own words"},
		{"daily_report: 3 of 400 records rejected\nmails: 1 of 7 records rejected", "daily_report: 400件中3件が保留\nmails: 7件中1件が保留"},
		{
			"pull daily_report: nothing listens at 127.0.0.1:5432: dial tcp 127.0.0.1:5432: connect: connection refused; what to do: check host and port, and that the system runs",
			"pull daily_report: 127.0.0.1:5432で待ち受けているものがありません: dial tcp 127.0.0.1:5432: connect: connection refused。対処: host と port、システムが動いているかを確かめてください",
		},
		{
			`activity.at: "2026-02-30" is impossible: month 2 of 2026 has 28 days`,
			`activity.at: "2026-02-30"はありえない日付です。2026年2月は28日までです`,
		},
		{
			`activity.kind: the points table has no kind "vist"; the nearest it has is "visit"; add it there, or map the word to a kind that is there; the next pull reads the source again`,
			`activity.kind: 配点表に接触方法"vist"がありません。最も近いものは"visit"です。配点表に加えるか、マッピングで既存の接触方法に対応させてください。次回の取得でソースを読み直します`,
		},
	} {
		if got := In("ja", c.english); got != c.japanese {
			t.Errorf("%q\n got %q\nwant %q", c.english, got, c.japanese)
		}
		if got := In("en", c.english); got != c.english {
			t.Errorf("In English %q becomes %q", c.english, got)
		}
	}
}

func FuzzIn(f *testing.F) {
	for english := range catalogue {
		text, _ := sample(english)
		f.Add(text)
		f.Add("pull mails: " + text + "; what to do: " + text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := In("ja", text); utf8.ValidString(text) && !utf8.ValidString(got) || text != "" && got == "" {
			t.Errorf("%q becomes %q", text, got)
		}
		if got := In("en", text); got != text {
			t.Errorf("In English %q becomes %q", text, got)
		}
	})
}

// BenchmarkIn is a page of 50 rejects, each with its reason.
func BenchmarkIn(b *testing.B) {
	for b.Loop() {
		for range 50 {
			In("ja", `no account with code "K-1042" is known; correct the record at its source, or enter the customer in the CRM; the record is tried again when the CRM's customers change`)
		}
	}
}
