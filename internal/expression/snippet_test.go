package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSnippets(t *testing.T) {
	scope := testScope()
	scope.Snippets = map[string]string{
		"draft":    `status == "下書き"`,
		"customer": `find("account", memo) ?? fallback`,
		"fallback": `"nobody"`,
		"pattern":  `"^ご"`,
	}
	for text, want := range map[string]any{
		`draft`:                          true,
		`draft and minutes > 10`:         true,
		`customer`:                       "id-ご質問",
		`活動 ?? customer`:                 "id-ご質問",
		`memo matches pattern`:           true,
		`draft ? fallback : minutes * 2`: "nobody",
	} {
		p, err := Compile(text, scope, Any)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		run := Run{}
		for _, c := range scope.Used() {
			run.Values = append(run.Values, map[string]any{"status": "下書き", "minutes": int64(30), "memo": "ご質問"}[c])
		}
		if got, err := p.Eval(&run); got != want || err != nil {
			t.Errorf("%s gives %v, %v; want %v", text, got, err, want)
		}
	}
	p, err := Compile(`draft ? memo : fallback`, scope, Any)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Columns(); !slices.Equal(got, []string{"status", "memo"}) {
		t.Errorf("reads %q", got)
	}
	if got := fmt.Sprint(p.Results()); got != "[{15 nobody}]" {
		t.Errorf("may give %s", got)
	}
}

func TestSnippets_findings(t *testing.T) {
	twice := map[string]string{}
	for i := range 12 { // 2^12 when all is put in
		twice[fmt.Sprint("s", i)] = fmt.Sprintf("s%d ?? s%[1]d", i+1)
	}
	twice["s12"] = "memo"
	for _, c := range []struct {
		text     string
		snippets map[string]string
		snippet  string
		at       string
		msg      string
	}{
		{`a`, map[string]string{"a": `memo ?? statsu`}, "a", `statsu`, `unknown column "statsu"; did you mean "status"?`},
		{`a == "x"`, map[string]string{"a": `b`, "b": `memo ?? a`}, "b", `a`, `the snippet "a" uses itself`},
		{`custmer`, map[string]string{"customer": `memo`}, "", `custmer`, `unknown column "custmer"; did you mean "customer"?`},
		{`a`, map[string]string{"a": `memo ==`}, "a", ``, `not an expression: it ends too early`},
		{`s0`, twice, "s11", ``, `more than 100 snippets`},
		{`a contains "x"`, map[string]string{"a": `3`}, "", `a`, `"contains" needs a text, and this is a number`},
	} {
		scope := testScope()
		scope.Snippets = c.snippets
		_, err := Compile(c.text, scope, Any)
		var fs Findings
		if !errors.As(err, &fs) {
			t.Errorf("%s: %v, want findings", c.text, err)
			continue
		}
		f := fs[0]
		text := c.text
		if f.Snippet != "" {
			text = c.snippets[f.Snippet]
		}
		if f.Snippet != c.snippet && c.at != "" || !strings.Contains(f.Msg, c.msg) || !strings.HasPrefix(text[f.Offset:], c.at) {
			t.Errorf("%s: %+v; want %q in snippet %q", c.text, f, c.msg, c.snippet)
		}
	}
}

func TestIn_column(t *testing.T) {
	scope := testScope()
	scope.Element = &Element{}
	for text, want := range map[string]any{
		`"question" in item.cues`:      true,
		`"budget" in item.cues`:        false,
		`"budget" not in item.cues`:    true,
		`"question" in item.none`:      false,
		`3 in item.numbers`:            true,
		`item.kind in ["visit", "no"]`: true,
	} {
		p, err := Compile(text, scope, Any)
		if err != nil {
			t.Fatal(err)
		}
		run := Run{Item: map[string]any{"kind": "visit", "cues": []any{"question"}, "numbers": []any{int64(3)}}}
		if got, err := p.Eval(&run); got != want || err != nil {
			t.Errorf("%s gives %v, %v", text, got, err)
		}
	}
	p, err := Compile(`"x" in item.kind`, scope, Any)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eval(&Run{Item: map[string]any{"kind": "visit"}}); err == nil || !strings.Contains(err.Error(), `"in" needs a list`) {
		t.Errorf("a text as a list gives %v", err)
	}
	if got := p.Fields(); !slices.Equal(got, []string{"kind"}) {
		t.Errorf("reads %q of item", got)
	}
}
