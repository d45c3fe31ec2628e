package expression

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func testScope() *Scope {
	return &Scope{
		Columns: []string{"status", "minutes", "memo", "Who.Title", "営業 担当", "活動", "closed", "at"},
		Functions: []Function{
			{Name: "find", Usage: `find("kind", value)`, Params: []Type{Text, Text}, Returns: Text, Bind: func(consts []any) (Call, error) {
				if consts[0] != "account" {
					return nil, &ArgumentError{0, fmt.Sprintf("unknown kind %v", consts[0])}
				}
				return func(_ any, args []any) (any, error) {
					if args[1] == nil {
						return nil, nil
					}
					return "id-" + args[1].(string), nil
				}, nil
			}},
			{Name: "join", Usage: "join(a, b, c)", Params: []Type{Text, Text, Text}, Optional: 2, Returns: Text, Bind: func([]any) (Call, error) {
				return func(_ any, args []any) (any, error) { return fmt.Sprint(args...), nil }, nil
			}},
		},
	}
}

func TestEval(t *testing.T) {
	values := map[string]any{
		"status": "下書き", "minutes": int64(30), "memo": "ご質問あり", "Who.Title": "部長", "営業 担当": "佐藤",
		"活動": nil, "closed": int64(1), "at": time.Unix(0, 0),
	}
	for text, want := range map[string]any{
		`status`:                              "下書き",
		`status == "下書き"`:                     true,
		`status != "下書き" or minutes > 10`:     true,
		`status == "" and minutes > 10`:       false,
		`Who.Title`:                           "部長",
		`$env["営業 担当"]`:                       "佐藤",
		`memo contains "質問"`:                  true,
		`活動 contains "質問"`:                    false,
		`memo matches "^ご.*り$"`:               true,
		`memo startsWith "ご" and not closed`:  false,
		`活動 == ""`:                            true,
		`活動 < 3`:                              false,
		`not (活動 < 3)`:                        true,
		`活動 ?? "電話"`:                          "電話",
		`closed ? "held" : "planned"`:         "held",
		`closed == true`:                      true,
		`minutes * 2 - 1`:                     59.0,
		`-minutes + 1`:                        -29.0,
		`"a" + status + "b"`:                  "a下書きb",
		`"a" + ("b" + status) + memo + "c"`:   "ab下書きご質問ありc",
		`"a" + 活動 + "b"`:                      nil,
		`minutes + closed + 2 + 0.5`:          33.5,
		`活動 + 1`:                              nil,
		`status in ["x", "下書き"]`:              true,
		`status not in ["x", "y"]`:            true,
		`minutes in [10, 30.0]`:               true,
		`find("account", status)`:             "id-下書き",
		`find("account", 活動) ?? "none"`:       "none",
		`join("a", join(status, "b"), memo)`:  "a下書きbご質問あり",
		`minutes >= 30 && minutes <= 30.0`:    true,
		`status == "a" ? 1 : minutes`:         int64(30),
		`null`:                                nil,
		`(((minutes)))`:                       int64(30),
		`$env["status"] == $env["status"]`:    true,
		`"\u8cea" == "質"`:                     true,
		`memo endsWith "あり" ? true : minutes`: true,
	} {
		t.Run(text, func(t *testing.T) {
			scope := testScope()
			p, err := Compile(text, scope, Any)
			if err != nil {
				t.Fatal(err)
			}
			run := Run{}
			for _, c := range scope.Used() {
				run.Values = append(run.Values, values[c])
			}
			got, err := p.Eval(&run)
			if err != nil || got != want {
				t.Errorf("got %v (%T), %v; want %v (%T)", got, got, err, want, want)
			}
			if len(run.stack) != 0 {
				t.Errorf("the stack holds %d values after the run", len(run.stack))
			}
		})
	}
}

func TestEval_badValues(t *testing.T) {
	for text, want := range map[string]string{
		`minutes / 0`:             "30 / 0 is not a finite number",
		`minutes % 0`:             "30 % 0 is not a finite number",
		`minutes == status`:       `cannot compare the number 30 with the text "下書き"`,
		`status < at`:             `cannot compare the text "下書き" with a time`,
		`status ? 1 : 2`:          `needs true or false, and the value is the text "下書き"`,
		`minutes contains "a"`:    `needs a text, and the value is the number 30`,
		`find("account",minutes)`: `needs a text, and the value is the number 30`,
		`status * 2`:              `needs a number, and the value is the text "下書き"`,
	} {
		t.Run(text, func(t *testing.T) {
			scope := testScope()
			p, err := Compile(text, scope, Any)
			if err != nil {
				t.Fatal(err)
			}
			run := Run{}
			for _, c := range scope.Used() {
				run.Values = append(run.Values, map[string]any{"status": "下書き", "minutes": int64(30), "at": time.Unix(0, 0)}[c])
			}
			got, err := p.Eval(&run)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, %v; want error %q", got, err, want)
			}
			if len(run.stack) != 0 {
				t.Errorf("the stack holds %d values after the run", len(run.stack))
			}
		})
	}
}

func TestCompile_findings(t *testing.T) {
	for _, c := range []struct {
		text string
		want Type
		at   string // the text from the finding on
		msg  string
	}{
		{`statsu == "x"`, Any, `statsu`, `unknown column "statsu"; did you mean "status"?`},
		{`memo contains "質問" and Who.Titel == "x"`, Any, `Who.Titel`, `unknown column "Who.Titel"; did you mean "Who.Title"?`},
		{`活動 == "電話" and fnid("account", memo) == "x"`, Any, `fnid(`, `unknown function "fnid"; did you mean "find"?`},
		{`find("account")`, Any, `find(`, `find takes 2 values, and here are 1; write find("kind", value)`},
		{`find("acount", memo)`, Any, `"acount"`, `unknown kind acount`},
		{`find("account", 3)`, Any, `3)`, `find needs a text here, and this is a number`},
		{`join()`, Any, `join(`, `join takes 1 to 3 values`},
		{`minutes`, Bool, ``, ``},
		{`"text"`, Bool, `"text"`, `needs true or false, and this gives a text`},
		{`minutes > 3`, Text, `minutes`, `needs a text, and this gives true or false`},
		{`memo == "x" and "a" < 3`, Any, `"a" <`, `compares a text with a number`},
		{`memo contains 3`, Any, `3`, `"contains" needs a text, and this is a number`},
		{`memo matches "("`, Any, `"("`, `not a pattern: missing closing )`},
		{`find("kind" memo)`, Any, `memo)`, `"memo" cannot stand here; is a comma, a bracket, a quote or an operator missing before it?`},
		{`memo contains 質問`, Any, `質問`, `unknown column "質問"; a text stands in quotes, as "質問"`},
		{`memo matches status`, Any, `status`, `needs a constant text`},
		{`minutes in "memo"`, Any, `"memo"`, `"in" needs a list`},
		{`minutes in [status]`, Any, `status`, `holds constants only`},
		{`[1, 2]`, Any, `[1`, `a list can stand only after "in"`},
		{`memo ==`, Any, ``, `not an expression: it ends too early`},
		{`"質問" == = 3`, Any, `= 3`, `not an expression: "=" alone is no operator; equal is written as "=="`},
		{`contains(memo, "x")`, Any, ``, `contains stands between two values, as in memo contains "word"`},
		{`now()`, Any, `now`, `unknown function "now"`},
		{`map(memo, # + 1)`, Any, ``, `not an expression`},
		{`memo[0]`, Any, `memo[`, `not a column`},
		{`let x = 3; x`, Any, ``, `not part of the language`},
		{`1..1000000000`, Any, `1..`, `the operator .. is not part of the language`},
		{`find`, Any, `find`, `find is a function; write find("kind", value)`},
		{`  `, Any, ``, `empty expression`},
	} {
		t.Run(c.text, func(t *testing.T) {
			_, err := Compile(c.text, testScope(), c.want)
			if c.msg == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var fs Findings
			if !errors.As(err, &fs) {
				t.Fatalf("got %v, want findings", err)
			}
			if !strings.Contains(fs[0].Msg, c.msg) {
				t.Errorf("got %q, want %q", fs[0].Msg, c.msg)
			}
			if !strings.HasPrefix(c.text[fs[0].Offset:], c.at) {
				t.Errorf("placed at %q, want %q", c.text[fs[0].Offset:], c.at)
			}
		})
	}
	_, err := Compile(`statsu == memoo`, testScope(), Any)
	if fs := (Findings{}); !errors.As(err, &fs) || len(fs) != 2 {
		t.Errorf("two mistakes give %v", err)
	}
}

func TestResults(t *testing.T) {
	p, err := Compile(`memo == "x" ? "訪問" : status ?? "b"`, testScope(), Text)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(p.Results())
	if want := `[{14 訪問} {35 b}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`a == "b" and c.d < 3`, `find("account", x) ?? "訪問"`, `$env["a b"][1:2]`, `x in [1,-2]`, `{a: 1}.b`, `-9223372036854775808`, `a?.b?.c()`, `a | find(b)`, `"\xff"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scope := testScope()
		scope.Columns = nil
		p, err := Compile(text, scope, Any)
		if err != nil {
			var fs Findings
			if !errors.As(err, &fs) || len(fs) == 0 {
				t.Fatalf("%T", err)
			}
			for _, f := range fs {
				if f.Offset < 0 || f.Offset > len(text) {
					t.Fatalf("offset %d in %d bytes", f.Offset, len(text))
				}
			}
			return
		}
		for _, v := range []any{nil, "訪問", int64(3), 1.5, true, time.Unix(0, 0), Day(3), []any{1}} {
			run := Run{Values: make([]any, len(scope.Used()))}
			for i := range run.Values {
				run.Values[i] = v
			}
			_, _ = p.Eval(&run)
		}
	})
}
