package web

import (
	"context"
	"slices"
	"strings"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// runs are the runs that the store knows, the latest first, and what people have asked for.
type runs struct {
	Errands []errand `json:"errands"` // that have not ended
	Runs    []runRow `json:"runs"`
	May     bool     `json:"-"` // the reader may have a sync started
	paging
}

// run is one run with what it did.
type run struct {
	runRow
	Sources []sums   `json:"sources"` // as the configuration names them
	Notes   []string `json:"notes"`   // what it said at its end
	Plan    *planRow `json:"plan"`    // that it made or sent; null for none
	Acts    acts     `json:"acts"`    // of the journal: what people had it do
	// Undoable: its plan was sent, so it can be taken back as long as its changes are kept.
	Undoable bool `json:"undoable"`
	May      bool `json:"-"` // the reader may take it back
}

// sums are what became of a source's records: read = stored + unchanged + skipped + rejected (rule 1).
type sums struct {
	store.RunSource
	Balanced bool `json:"balanced"`
}

func viewRuns(ctx context.Context, v *visit) (*runs, error) {
	r := &runs{May: v.reader.MayAct(signon.Admin), paging: v.paging(50)}
	list, err := v.store().Runs(ctx, r.need())
	if err != nil {
		return nil, err
	}
	if r.Runs, err = v.runRows(ctx, cut(&r.paging, list)); err != nil {
		return nil, err
	}
	open, err := v.store().OpenErrands(ctx)
	for _, e := range open {
		r.Errands = append(r.Errands, errand{Errand: e})
	}
	return r, err
}

// runRows are runs as pages show them. What has no end is at work, or was interrupted.
func (v *visit) runRows(ctx context.Context, list []store.Run) ([]runRow, error) {
	rows := make([]runRow, len(list))
	var status pipeline.Status
	var err error
	if slices.ContainsFunc(list, func(r store.Run) bool { return r.State == store.Running }) {
		if status, err = v.p.Status(ctx); err != nil {
			return nil, err
		}
	}
	for i, r := range list {
		rows[i] = runOf(r, status.StateOf(r))
	}
	return rows, nil
}

func viewRun(ctx context.Context, v *visit) (*run, error) {
	kept, err := v.store().Run(ctx, v.path("run"))
	if err != nil {
		return nil, err
	}
	rows, err := v.runRows(ctx, []store.Run{kept})
	if err != nil {
		return nil, err
	}
	r := &run{runRow: rows[0], Notes: slices.Collect(strings.Lines(kept.Message)), May: v.reader.MayAct(signon.Admin)}
	for _, s := range kept.Sources {
		r.Sources = append(r.Sources, sums{s, s.Balanced()})
	}
	switch plan, err := v.store().PlanOf(ctx, kept.ID); {
	case fault.KindOf(err) == fault.Config: // it made none
	case err != nil:
		return nil, err
	case plan.Plan != "":
		r.Plan = &planRow{Summary: plan.Counts()}
		if r.Undoable, err = v.undoable(ctx, plan); err != nil {
			return nil, err
		}
	}
	r.Acts, err = v.acts(ctx, func(e store.JournalEntry) bool { return e.Run == kept.ID || e.Subject == kept.ID }, kept.Started)
	return r, err
}

// RejectsPath is the page of what is kept back of a source.
func (r *run) RejectsPath(source string) string { return "/rejects?" + chosen{Source: source}.Query() }

// undoable tells that the CRM took some of a plan, and that what it held before is known still.
func (v *visit) undoable(ctx context.Context, plan sink.Summary) (bool, error) {
	sent, err := v.store().Sent(ctx, plan.Run, "", -1, 1)
	return len(sent) > 0, err
}

// Settled tells that the run has ended, so that its sums must balance.
func (r runRow) Settled() bool { return r.State != "running" && r.State != "interrupted" }

// KindText says what the run did.
func (r runRow) KindText() text { return worded(runKinds, r.Kind) }

// StateText says how it stands.
func (r runRow) StateText() text { return worded(runStates, r.State) }

// runKinds and runStates are the words of the commands.
var (
	runKinds = map[string]text{
		"sync": {Ja: "同期", En: "sync"}, "pull": {Ja: "取得", En: "pull"}, "plan": {Ja: "計画", En: "plan"}, "apply": {Ja: "反映", En: "apply"},
		"undo": {Ja: "取消", En: "undo"}, "recount": {Ja: "件数照合", En: "recount"}, "erase": {Ja: "消去", En: "erase"},
	}
	runStates = map[string]text{
		"ok": {Ja: "正常", En: "ok"}, "partial": {Ja: "一部保留", En: "partial"}, "parked": {Ja: "待機", En: "parked"}, "failed": {Ja: "失敗", En: "failed"},
		"running": {Ja: "実行中", En: "running"}, "interrupted": {Ja: "中断", En: "interrupted"}, "refused": {Ja: "拒否", En: "refused"}, "unreachable": {Ja: "接続できない", En: "unreachable"},
	}
)

// worded is the text of a word, or the word itself where there is none.
func worded(texts map[string]text, word string) text {
	if t, ok := texts[word]; ok {
		return t
	}
	return text{Ja: word, En: word}
}
