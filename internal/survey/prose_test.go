package survey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/survey"
)

// telling is an environment that reads the texts of reports.
func telling(t *testing.T, language string) *survey.Env {
	t.Helper()
	env := environment(t, language)
	var err error
	if env.Texts, err = config.LoadPhrases("", kinds, cues); err != nil {
		t.Fatal(err)
	}
	return env
}

var cues = []string{"question", "boss_introduced", "people_joined", "listened", "budget", "approval"}

// reports is a table of reports whose texts come in turn.
func reports(name string, columns []string, rows func(i int) []any) *connectors.Sample {
	sample := connectors.Sample{Item: connectors.Item{Name: name, Kind: "table", Rows: 60}, Whole: true}
	for _, c := range columns {
		sample.Columns = append(sample.Columns, connectors.SampleColumn{Name: c, Type: "text"})
	}
	for i := range 60 {
		sample.Rows = append(sample.Rows, rows(i))
	}
	return &sample
}

// apply gives the activities that a proposed mapping makes of a row.
func apply(t *testing.T, env *survey.Env, item *survey.Item, row []any) []*engine.Activity {
	t.Helper()
	m := compiled(t, env, item.Proposal.Mapping)
	var names []string
	for _, c := range item.Columns {
		names = append(names, c.Name)
	}
	r, err := m.Apply(connectors.Record{Key: "1", Columns: connectors.NewColumns(names), Values: row}, known{})
	if err != nil {
		t.Fatalf("%v\n%s", err, item.Proposal.Mapping)
	}
	switch {
	case r.Parts != nil:
		var out []*engine.Activity
		for i := range r.Parts.Activities {
			out = append(out, &r.Parts.Activities[i])
		}
		return out
	case r.Skip == "" && r.Activity != nil:
		return []*engine.Activity{r.Activity}
	}
	return nil
}

func hasCue(a *engine.Activity, cue string) bool { return slices.Contains(a.Cues, cue) }

// Where no column tells how the customer was met, the mapping goes by the report's text: kind, time, direction, titles and cues.
func TestProposal_KindsInTheText(t *testing.T) {
	texts := []string{"10:30 訪問。購買部の田中部長に新製品を説明。見積依頼あり。", "佐藤課長より電話。納期の質問を受けた。", "Web会議にて仕様を確認した。", "来週、訪問する予定。"}
	for _, language := range []string{"ja", "en"} {
		env := telling(t, language)
		row := func(text string) []any { return []any{"2026-09-30", "K0001", text} }
		item := survey.Look(env, from, reports("日報", []string{"日付", "顧客コード", "商談メモ(詳細)"}, func(i int) []any {
			return []any{fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("K%04d", i%7), texts[i%len(texts)]}
		}))
		if item.Purpose != survey.Contacts {
			t.Fatalf("taken for %s", item.Purpose)
		}
		got := apply(t, env, item, row(texts[0]))
		if len(got) != 1 || got[0].Kind != "visit" || got[0].At.In(tokyo).Format("15:04") != "10:30" || len(got[0].People) != 1 || got[0].People[0].Rank != "department_manager" || !hasCue(got[0], "question") {
			t.Errorf("%s: the first text gives %+v", language, got)
		}
		if got := apply(t, env, item, row(texts[1])); len(got) != 1 || got[0].Kind != "phone" || got[0].Direction != engine.Inbound {
			t.Errorf("the call gives %+v", got)
		}
		if got := apply(t, env, item, row(texts[3])); len(got) != 0 {
			t.Errorf("a plan gives %+v", got)
		}
		for _, l := range item.Proposal.Lines {
			if strings.Contains(l.Expression, "_in(") && l.Field != "activity.at" && (l.Confidence == 0 || l.Confidence > 0.9 || l.Reason == "") {
				t.Errorf("the line %+v", l)
			}
		}
		codes := map[string]bool{}
		for _, a := range item.Advice {
			codes[a.Code] = true
		}
		if !codes["kind_in_text"] || !codes["title_in_text"] || codes["no_kind"] || codes["no_time"] {
			t.Errorf("advice %v", codes)
		}
		if !strings.Contains(item.Proposal.Mapping, "訪問 15") {
			t.Errorf("the words are not told:\n%s", item.Proposal.Mapping)
		}
	}
}

// A text of several contacts becomes several activities, each with its own customer where it names one.
func TestProposal_SeveralContactsInOneText(t *testing.T) {
	env := telling(t, "ja")
	texts := []string{"10:00 訪問。見積を提示。\n14:00 (株)青葉製作所 佐藤課長とWeb会議。", "終日内勤。", "若松商店㈱ 鈴木部長に電話。"}
	item := survey.Look(env, from, reports("営業日報", []string{"報告日", "顧客コード", "報告内容"}, func(i int) []any {
		return []any{fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("K%04d", i%7), texts[i%len(texts)]}
	}))
	got := apply(t, env, item, []any{"2026-09-30", "K0001", texts[0]})
	if len(got) != 2 || got[0].Kind != "visit" || got[0].Account != "K0001" || got[1].Kind != "web_meeting" || got[1].Account != "青葉製作所" {
		t.Errorf("got %+v\n%s", got, item.Proposal.Mapping)
	}
}

// Where a column tells how, the text gives what no column tells: cues and titles.
func TestProposal_CuesBesideAColumnOfKinds(t *testing.T) {
	env := telling(t, "ja")
	texts := []string{"山田部長に面談。予算の話が出た。", "資料を渡した。特になし。"}
	item := survey.Look(env, from, reports("日報", []string{"日付", "顧客コード", "方法", "報告内容"}, func(i int) []any {
		return []any{fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("K%04d", i%7), []any{"訪問", "電話"}[i%2], texts[i%2]}
	}))
	got := apply(t, env, item, []any{"2026-09-30", "K0001", "電話", texts[0]})
	if len(got) != 1 || got[0].Kind != "phone" || !hasCue(got[0], "budget") || len(got[0].People) != 1 {
		t.Errorf("got %+v\n%s", got, item.Proposal.Mapping)
	}
}

// Texts that tell nothing change nothing.
func TestProposal_TextsThatTellNothing(t *testing.T) {
	env := telling(t, "ja")
	item := survey.Look(env, from, reports("日報", []string{"日付", "顧客コード", "方法", "備考"}, func(i int) []any {
		return []any{fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("K%04d", i%7), []any{"訪問", "電話"}[i%2], "特記事項なしのため省略。"}
	}))
	if strings.Contains(item.Proposal.Mapping, "_in(") {
		t.Errorf("the text is read:\n%s", item.Proposal.Mapping)
	}
}

// A source's name is free, or that of the source which reads the item already.
func TestProposal_SourceNames(t *testing.T) {
	env := environment(t, "ja")
	sample := reports("dbo.日報", []string{"日付", "顧客コード", "方法"}, func(i int) []any {
		return []any{fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("K%04d", i%7), "訪問"}
	})
	for _, tt := range []struct {
		taken []string
		same  string
		want  string
	}{{nil, "", "日報"}, {[]string{"日報", "日報_2"}, "", "日報_3"}, {[]string{"日報"}, "daily_report", "daily_report"}} {
		with := from
		with.Taken, with.Same = tt.taken, func(connectors.Item) string { return tt.same }
		if got := survey.Look(env, with, sample).Proposal; got.Name != tt.want || got.Known != (tt.same != "") {
			t.Errorf("beside %v, read by %q: %s, %v", tt.taken, tt.same, got.Name, got.Known)
		}
	}
}

// The page says whether all rows were read.
func TestPage_SaysWhatWasRead(t *testing.T) {
	all, some := &survey.Item{Whole: true}, &survey.Item{How: "the first"}
	for _, tt := range []struct {
		items []*survey.Item
		want  string
	}{
		{[]*survey.Item{all, all}, "All rows were read."},
		{[]*survey.Item{some}, "Only a sample was read."},
		{[]*survey.Item{all, some}, "Of some items only a sample was read."},
		{[]*survey.Item{all, {Err: "gone"}}, "All rows were read."},
	} {
		if html := string(survey.Page{Language: "en", Items: tt.items}.HTML()); !strings.Contains(html, tt.want) {
			t.Errorf("the page does not say %q", tt.want)
		}
	}
}

// A list of people, as JSON has it, gives participants; it is no text, and shows nobody.
func TestProposal_ListsOfPeople(t *testing.T) {
	env := telling(t, "ja")
	item := survey.Look(env, from, reports("visits", []string{"visitedAt", "customer.code", "channel", "attendees"}, func(i int) []any {
		return []any{fmt.Sprintf("2026-09-%02dT09:30:00+09:00", i%30+1), fmt.Sprintf("K%04d", i%7), "onsite",
			[]any{map[string]any{"name": "山田", "post": "部長", "mail": "yamada@customer.example"}}}
	}))
	got := apply(t, env, item, []any{"2026-09-30T09:30:00+09:00", "K0001", "onsite",
		[]any{map[string]any{"name": "佐藤", "post": "課長", "mail": "Sato@customer.example"}, map[string]any{"name": "林", "post": "部長"}}})
	if len(got) != 1 || len(got[0].People) != 2 || got[0].People[0].Rank != "section_manager" || got[0].People[0].Contact != "sato@customer.example" {
		t.Errorf("got %+v\n%s", got, item.Proposal.Mapping)
	}
	if shown := fmt.Sprint(item.Columns[3].Samples); strings.Contains(shown, "山田") || strings.Contains(shown, "yamada") {
		t.Errorf("the page shows %s", shown)
	}
}

// Two columns that are only together unique are the key.
func TestProposal_KeyOfTwoColumns(t *testing.T) {
	env := environment(t, "ja")
	var by connectors.Reading
	with := survey.Source{Connection: "reports", Surveyor: reader{seen: &by}}
	survey.Look(env, with, reports("v_nippo", []string{"日報番号", "枝番", "訪問日", "顧客番号", "訪問方法"}, func(i int) []any {
		return []any{fmt.Sprintf("%08d", i/2), int64(i%2 + 1), fmt.Sprintf("2026-09-%02d", i%30+1), fmt.Sprintf("%010d", i%7), "訪問"}
	}))
	if !slices.Equal(by.Key, []string{"日報番号", "枝番"}) {
		t.Errorf("the key is %v", by.Key)
	}
}

// reader notes how it is to be read.
type reader struct {
	connectors.Surveyor
	seen *connectors.Reading
}

func (r reader) Stream(_ connectors.Item, by connectors.Reading) []connectors.Option {
	*r.seen = by
	return nil
}

// Codes keep the zeros in front of them.
func TestLook_CodesWithZeros(t *testing.T) {
	item := survey.Look(environment(t, "ja"), from, reports("日報", []string{"日付", "顧客コード", "方法"}, func(i int) []any {
		return []any{"2026-09-30", fmt.Sprintf("%04d", i%7), "訪問"}
	}))
	if c := item.Columns[1]; c.From != "" || !slices.Contains(c.Samples, "0001") {
		t.Errorf("the codes are shown as %s … %s, %v", c.From, c.To, c.Samples)
	}
}

// A file's month is no part of its source's name.
func TestProposal_NameOfAMonthsFile(t *testing.T) {
	for file, want := range map[string]string{"営業活動一覧_202610.csv": "営業活動一覧", "日報_令和8年10月分.xlsx": "日報", "日報_*.xlsx": "日報", "2026.csv": "source"} {
		sample := reports(file, []string{"日付", "顧客コード", "方法"}, func(i int) []any { return []any{"2026-09-30", fmt.Sprintf("K%04d", i%7), "訪問"} })
		sample.Item.Kind = "file"
		if got := survey.Look(environment(t, "ja"), from, sample).Proposal.Name; got != want {
			t.Errorf("%s: the source is %q, want %q", file, got, want)
		}
	}
}

// Codes that differ from the CRM's by zeros in front alone are told, with what to write.
func TestLook_CodesWithOtherZeros(t *testing.T) {
	env := environment(t, "en")
	env.Keys = map[engine.EntityKind][]string{engine.Account: {"code"}}
	env.Find = func(_ engine.EntityKind, key, value string) bool {
		return key == "code" && len(value) == 4 && value < "0007"
	}
	item := survey.Look(env, from, reports("v_nippo", []string{"訪問日", "顧客番号", "訪問方法"}, func(i int) []any {
		return []any{"2026-09-30", fmt.Sprintf("%010d", i%6+1), "訪問"}
	}))
	for _, a := range item.Advice {
		if a.Code == "unknown_accounts" {
			if !strings.Contains(a.Do, `find("account", "number", text(number(顧客番号)))`) {
				t.Errorf("it says %q", a.Do)
			}
			return
		}
	}
	t.Errorf("advice %+v", item.Advice)
}
