package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/pipeline"
)

func TestPrintAlarms(t *testing.T) {
	raised := func(label, sentence, state string, reason engine.AlarmReason) pipeline.Raised {
		return pipeline.Raised{Alarm: explain.Alarm{Since: "2026-05-10", Label: label, Sentence: sentence, State: state, Reason: reason}, ID: "001", Name: "青葉精機", RepName: "鈴木"}
	}
	for _, test := range []struct {
		name, language string
		list           []pipeline.Raised
		all            bool
		want           string
	}{
		{"nothing", "ja", nil, false, "いま知らせるアラームはありません\n"},
		{"nothing", "en", nil, true, "no alarms\n"},
		{"told of", "en", []pipeline.Raised{raised("surge", "5 contacts", "fired", "")}, false,
			"SINCE       ALARM  CUSTOMER  SALES PERSON  EVIDENCE\n2026-05-10  surge  青葉精機  鈴木          5 contacts\n"},
		{"all", "ja", []pipeline.Raised{raised("急上昇", "5回", "muted", engine.MutedByMeeting), raised("急上昇", "4回", "held_back", "")}, true,
			"開始日      アラーム  顧客      担当  根拠  状態\n2026-05-10  急上昇    青葉精機  鈴木  5回   消音: 予定あり\n2026-05-10  急上昇    青葉精機  鈴木  4回   保留（効果測定）\n"},
	} {
		t.Run(test.name+" "+test.language, func(t *testing.T) {
			var out bytes.Buffer
			a := app{out: &out}
			a.printAlarms(test.list, test.all, test.language)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
