package survey_test

import (
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/survey"
)

// ofRole is the name of the column that is taken for a role; "" when none is.
func ofRole(item *survey.Item, role survey.Role) string {
	for _, c := range item.Columns {
		if c.Guess != nil && c.Guess.Role == role {
			return c.Name
		}
	}
	return ""
}

// small is a table with two customers and two people of ours, as a branch or a new system has it.
func small() *connectors.Sample {
	s := &connectors.Sample{Item: connectors.Item{Name: "t_nippo", Kind: "table", Rows: 4}, Whole: true}
	for _, name := range []string{"hiduke", "jikan", "tokuisaki", "kbn", "tanto"} {
		s.Columns = append(s.Columns, connectors.SampleColumn{Name: name, Type: "text"})
	}
	s.Columns[3].Type, s.Columns[3].Words = "int2", map[string]string{"1": "訪問", "02": "電話", "3": "来社", "9": "その他"}
	s.Rows = [][]any{
		{"20260901", "1000", "００３０１", int64(1), "鈴木 一郎"}, {"20260901", "1430", "00302", int64(2), "高橋 花子"},
		{"20260912", "0930", "00301", int64(1), "鈴木 一郎"}, {"20260920", "1500", "00302", int64(9), "高橋 花子"},
	}
	return s
}

// Two customers' codes and two people's names are no flags, full width is found as find finds it, and 0930 under a name
// of times is a time of day.
func TestLook_FewCustomers(t *testing.T) {
	env := environment(t, "en")
	env.Keys = map[engine.EntityKind][]string{engine.Account: {"code"}, engine.Rep: {"name"}}
	env.Find = func(kind engine.EntityKind, key, value string) bool {
		return kind == engine.Account && key == "code" && (value == "00301" || value == "00302") || kind == engine.Rep && key == "name" && value == "鈴木一郎"
	}
	item := survey.Look(env, from, small())
	for role, want := range map[survey.Role]string{survey.Date: "hiduke", survey.Time: "jikan", survey.AccountCode: "tokuisaki", survey.RepName: "tanto", survey.Kind: "kbn"} {
		if got := ofRole(item, role); got != want {
			t.Errorf("%s is %q, want %q", role, got, want)
		}
	}
	if got := strings.Join(item.Columns[2].Refers, ", "); got != "account code: 100 %" {
		t.Errorf("the codes are known as %q", got)
	}
}

// Numbers for kinds are mapped by the words that the source has for them, also those that no row looked at has.
func TestProposal_CodesThatTheSourceExplains(t *testing.T) {
	env := environment(t, "en")
	item := survey.Look(env, from, small())
	if item.Proposal == nil {
		t.Fatalf("taken for %s", item.Purpose)
	}
	text := item.Proposal.Mapping
	for _, want := range []string{`"1": visit # 2; 訪問`, `"2": phone # 1; 電話`, `"3": visit_by_customer # 0; 来社`, `# "9": TODO # 1; その他; `, `"3": inbound`, "datetime(hiduke, jikan)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the mapping lacks %s:\n%s", want, text)
		}
	}
	compiled(t, env, text)
}

// A state that is told by numbers is one too: drafts are left out by the number.
func TestProposal_StatesThatTheSourceExplains(t *testing.T) {
	s := small()
	s.Columns = append(s.Columns, connectors.SampleColumn{Name: "jotai", Label: "状態", Type: "int2", Words: map[string]string{"0": "下書き", "1": "完了", "2": "予定"}})
	for i := range s.Rows {
		s.Rows[i] = append(s.Rows[i], int64(i%3))
	}
	env := environment(t, "en")
	item := survey.Look(env, from, s)
	for _, want := range []string{"jotai in [0]", `"2": planned`} {
		if !strings.Contains(item.Proposal.Mapping, want) {
			t.Errorf("the mapping lacks %s:\n%s", want, item.Proposal.Mapping)
		}
	}
	compiled(t, env, item.Proposal.Mapping)
}

// What a flag's numbers mean is taken from the source, also where no row looked at is deleted: 1 is not always yes.
func TestProposal_FlagThatTheSourceExplains(t *testing.T) {
	s := small()
	s.Columns = append(s.Columns, connectors.SampleColumn{Name: "del_flg", Type: "int2", Words: map[string]string{"1": "有効", "9": "削除"}})
	for i := range s.Rows {
		s.Rows[i] = append(s.Rows[i], int64(1))
	}
	env := environment(t, "en")
	item := survey.Look(env, from, s)
	if want := "when: 'del_flg == 9', reason: deleted"; !strings.Contains(item.Proposal.Mapping, want) {
		t.Errorf("the mapping lacks %s:\n%s", want, item.Proposal.Mapping)
	}
	compiled(t, env, item.Proposal.Mapping)
}

// One word that is not known is told as one.
func TestAdvice_OneWord(t *testing.T) {
	item := survey.Look(environment(t, "en"), from, small())
	for _, a := range item.Advice {
		if a.Code == "kinds_open" && a.Text == "Words of the kinds that are not known: 1. For them 1 of 4 rows looked at would be rejected." {
			return
		}
	}
	t.Errorf("the advice is %+v", item.Advice)
}

// 仕様 and 同様 end like a person who is named politely, and are none.
func TestLook_WordsThatEndInSama(t *testing.T) {
	sample := small()
	sample.Columns = append(sample.Columns, connectors.SampleColumn{Name: "項目"})
	for i := range sample.Rows {
		sample.Rows[i] = append(sample.Rows[i], []any{"仕様", "同様", "詳細仕様"}[i%3])
	}
	if got := ofRole(survey.Look(environment(t, "ja"), from, sample), survey.ContactName); got == "項目" {
		t.Errorf("the person met is in %s", got)
	}
}
