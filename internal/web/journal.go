package web

import (
	"context"
	"slices"
	"time"

	"energyd/internal/fault"
	"energyd/internal/report"
	"energyd/internal/store"
)

// journal is who had what done, the latest first.
type journal struct {
	Act     string         `json:"act,omitempty"`   // only this, "" = all
	Since   string         `json:"since,omitempty"` // from this day on, in the tenant's zone
	Entries []journalEntry `json:"entries"`
	all     []journalEntry
	paging
}

// journalEntry is one act.
type journalEntry struct{ store.JournalEntry }

func viewJournal(ctx context.Context, v *visit) (*journal, error) {
	j := &journal{Act: v.query.Get("act"), Since: v.query.Get("since"), paging: v.paging(100)}
	f := store.JournalFilter{Act: j.Act}
	if j.Act != "" && !slices.Contains(store.Acts, j.Act) {
		return nil, fault.New(fault.Config, "", "the journal has no such act", "choose one on the page", nil)
	}
	if j.Since != "" {
		day, err := time.ParseInLocation(time.DateOnly, j.Since, v.zone)
		if err != nil {
			return nil, fault.New(fault.Config, "", "this is no day", "write it as 2026-03-01", nil)
		}
		f.Since = day
	}
	entries, err := v.store().Journal(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(entries) {
		j.all = append(j.all, journalEntry{e})
	}
	j.Entries = cut(&j.paging, j.all)
	return j, nil
}

// acts are entries of the journal.
type acts []journalEntry

// Done are those of people.
func (a acts) Done() acts { return a.of(false) }

// Changed are the files of the configuration that a run found changed: often many at once.
func (a acts) Changed() acts { return a.of(true) }

func (a acts) of(changed bool) (list acts) {
	for _, e := range a {
		if (e.Act == store.Changed) == changed {
			list = append(list, e)
		}
	}
	return list
}

// acts are the journal's entries about one thing since it was made, the oldest first.
func (v *visit) acts(ctx context.Context, about func(store.JournalEntry) bool, since time.Time) (list acts, err error) {
	entries, err := v.store().Journal(ctx, store.JournalFilter{Since: since.Add(-time.Second)})
	for _, e := range entries {
		if about(e) {
			list = append(list, journalEntry{e})
		}
	}
	return list, err
}

// Acts are those that the page can be narrowed to.
func (j *journal) Acts() []journalEntry {
	list := make([]journalEntry, len(store.Acts))
	for i, act := range store.Acts {
		list[i].Act = act
	}
	return list
}

// ActText says what was done.
func (e journalEntry) ActText() text { return worded(actTexts, e.Act) }

// SubjectPath is the page of what the act was about; "" for what has none.
func (e journalEntry) SubjectPath() string {
	switch e.Act {
	case store.Planned:
		return pathOf("/plans/", e.Subject, "")
	case store.Applied, store.Overrode, store.Undid:
		return pathOf("/runs/", e.Subject, "")
	}
	return ""
}

// actTexts are those of docs/journal.md.
var actTexts = map[string]text{
	store.Applied: {Ja: "反映", En: "sent a plan"}, store.Undid: {Ja: "取消", En: "took a run back"}, store.Overrode: {Ja: "ブレーキ解除", En: "overrode brakes"},
	store.Planned: {Ja: "計画", En: "made a plan"}, store.Forgot: {Ja: "消去", En: "erased a person"}, store.Matched: {Ja: "名寄せの決定", En: "decided a name"},
	store.Froze: {Ja: "月の確定", En: "froze months"}, store.MadeFields: {Ja: "CRM項目の作成", En: "made fields"}, store.Changed: {Ja: "設定ファイルの変更", En: "changed a file"},
	store.Retried: {Ja: "保留の再試行", En: "had rejects retried"}, store.Waived: {Ja: "保留の除外", En: "dropped rejects"},
	store.Snoozed: {Ja: "保留を後で対処", En: "snoozed rejects"},
}

// download is all that the page leafs through.
func (j *journal) download(_ context.Context, v *visit) (*report.Table, error) {
	column := func(key, ja, en string) report.Column { return report.Column{Key: key, Label: text{Ja: ja, En: en}} }
	return &report.Table{
		Name: "journal", Title: text{Ja: "操作記録", En: "Journal"}, AsOf: v.today(), Count: len(j.all),
		Columns: []report.Column{column("at", "日時", "When"), column("who", "だれが", "Who"), column("act", "操作", "Act"), column("run", "実行", "Run"),
			column("subject", "対象", "Subject"), column("reason", "理由", "Reason")},
		Rows: func(yield func([]report.Value) bool) {
			for _, e := range j.all {
				at := e.At.In(v.zone).Format("2006-01-02 15:04:05 MST")
				if !yield([]report.Value{{Text: at}, {Text: e.Who}, {Label: e.ActText()}, {Text: e.Run}, {Text: e.Subject}, {Text: e.Reason}}) {
					return
				}
			}
		},
	}, nil
}
