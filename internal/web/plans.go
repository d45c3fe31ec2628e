package web

import (
	"context"
	"slices"
	"strconv"

	"energyd/internal/pipeline"
	"energyd/internal/report"
	"energyd/internal/store"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// plans are the plans that were made, the latest first.
type plans struct {
	Plans []planRow `json:"plans"`
	paging
}

// planRow is a plan with its counts.
type planRow struct{ sink.Summary }

// plan is one plan with what it changes, field by field.
type plan struct {
	planRow
	States   []stateCount `json:"states"`          // how many of its changes stand how
	Only     string       `json:"only,omitempty"`  // the state of the changes that are shown, "" = all
	Changes  []plannedRow `json:"changes"`         // of the page
	Next     int64        `json:"after,omitempty"` // place of the page's last change: ?after= gives the next page; 0 on the last
	Acts     acts         `json:"acts"`            // of the journal: who had what done with it
	Expired  bool         `json:"expired"`         // it is too old to be sent
	Undoable bool         `json:"undoable"`        // the CRM took some of it
	May      bool         `json:"-"`               // the reader may send it, or take it back
}

// stateCount is how many changes of a plan stand how.
type stateCount struct {
	State sink.ChangeState `json:"state"`
	Count int              `json:"changes"`
}

// plannedRow is the change of one record, with what it is planned for.
type plannedRow struct {
	sink.Change
	Causes []string             `json:"why"` // measures; none: the record holds nothing of ours yet
	Why    report.Label         `json:"-"`
	Told   []pipeline.ToldField `json:"-"`
}

func viewPlans(ctx context.Context, v *visit) (*plans, error) {
	p := &plans{paging: v.paging(50)}
	list, err := v.store().Plans(ctx, p.need())
	for _, sum := range cut(&p.paging, list) {
		p.Plans = append(p.Plans, planRow{sum.Counts()})
	}
	return p, err
}

// changesShown is how many records a page of a plan has.
const changesShown = 50

func viewPlan(ctx context.Context, v *visit) (*plan, error) {
	sum, err := v.p.Planned(ctx, v.path("plan"))
	if err != nil {
		return nil, err
	}
	p := &plan{planRow: planRow{sum}, Only: v.query.Get("state"), Expired: v.expired(sum), May: v.reader.MayAct(signon.Admin)}
	if p.States, err = v.states(ctx, sum.Run); err != nil {
		return nil, err
	}
	if err := v.changes(ctx, p); err != nil {
		return nil, err
	}
	if p.Acts, err = v.acts(ctx, func(e store.JournalEntry) bool {
		return e.Run == sum.Run || e.Subject == sum.Run || e.Subject == sum.Plan
	}, sum.Created); err != nil {
		return nil, err
	}
	p.Undoable, err = v.undoable(ctx, sum)
	return p, err
}

// changes reads the page's changes.
func (v *visit) changes(ctx context.Context, p *plan) error {
	after, err := strconv.ParseInt(v.query.Get("after"), 10, 64)
	if err != nil {
		after = -1
	}
	var only []sink.ChangeState
	if p.Only != "" {
		only = append(only, sink.ChangeState(p.Only))
	}
	changes, err := v.store().Changes(ctx, p.Run, "", after, changesShown+1, only...)
	if err != nil {
		return err
	}
	if len(changes) > changesShown {
		changes = changes[:changesShown]
		p.Next = changes[changesShown-1].Seq
	}
	for _, c := range changes {
		p.Changes = append(p.Changes, v.planned(c))
	}
	return nil
}

// planned is a change as a page shows it.
func (v *visit) planned(c sink.Change) plannedRow {
	why, fields := v.p.TellChange(c)
	return plannedRow{Change: c, Causes: v.p.Causes(c), Why: why, Told: fields}
}

// expired tells that a plan waited too long.
func (v *visit) expired(sum sink.Summary) bool {
	return sum.State == sink.Open && v.p.Now().Sub(sum.Created) > v.p.Config().Plans.Expires
}

// download is the whole plan.
func (p *plan) download(ctx context.Context, v *visit) (*report.Table, error) {
	t, _ := v.p.PlanTable(ctx, p.Summary)
	return t, nil
}

// states count a plan's changes, in the order in which they come about.
func (v *visit) states(ctx context.Context, run string) (list []stateCount, err error) {
	counts, err := v.store().CountChanges(ctx, run, "")
	for _, s := range changeStates {
		if n := counts[s.state]; n > 0 {
			list = append(list, stateCount{s.state, n})
		}
	}
	return list, err
}

// changeStates are the states of changes, in that order.
var changeStates = []struct {
	state sink.ChangeState
	text  text
}{
	{sink.Planned, text{Ja: "未送信", En: "planned"}}, {sink.Sending, text{Ja: "送信中", En: "being sent"}}, {sink.Written, text{Ja: "反映済み", En: "written"}},
	{sink.Rejected, text{Ja: "CRMが拒否", En: "refused by the CRM"}}, {sink.Deferred, text{Ja: "後で再送", En: "to be sent later"}},
	{sink.Edited, text{Ja: "他で編集された", En: "edited meanwhile"}}, {sink.Refused, text{Ja: "以前に拒否", En: "refused before"}}, {sink.Dropped, text{Ja: "置き換え", En: "replaced"}},
}

// StateText says how the changes stand.
func (s stateCount) StateText() text { return changeStateText(s.State) }

// StateText says how the change stands.
func (r plannedRow) StateText() text { return changeStateText(r.State) }

func changeStateText(state sink.ChangeState) text {
	for _, s := range changeStates {
		if s.state == state {
			return s.text
		}
	}
	return text{Ja: string(state), En: string(state)}
}

// Colour is how a change stands, as pages colour it.
func (r plannedRow) Colour() string {
	switch r.State {
	case sink.Written:
		return "good"
	case sink.Rejected, sink.Refused:
		return "bad"
	case sink.Deferred, sink.Edited:
		return "warn"
	}
	return ""
}

// Rows is how many lines the record takes.
func (r plannedRow) Rows() int { return max(1, len(r.Told)) }

// Waits tells that the plan is for a person to send.
func (r planRow) Waits() bool { return r.State == sink.Open && r.Records > 0 }

// Held tells that brakes hold it.
func (r planRow) Held() bool { return r.Waits() && len(r.Brakes) > 0 }

// NeedsReason tells that a brake holds it which only a reason lifts.
func (r planRow) NeedsReason() bool {
	return r.Held() && slices.ContainsFunc(r.Brakes, func(b sink.Brake) bool { return !b.Confirm })
}

// StateText says how the plan stands.
func (r planRow) StateText() text {
	if r.Held() {
		return text{Ja: "待機", En: "parked"}
	}
	if r.Records == 0 && r.State != sink.Superseded {
		return text{Ja: "変更なし", En: "nothing to write"}
	}
	return worded(planStates, string(r.State))
}

// Colour is how the plan stands, as pages colour it.
func (r planRow) Colour() string {
	switch {
	case r.Held():
		return "parked"
	case r.Records > 0 && r.State == sink.Done:
		return "done"
	}
	return string(r.State)
}

var (
	planStates = map[string]text{
		string(sink.Open): {Ja: "送信待ち", En: "open"}, string(sink.Applying): {Ja: "反映中", En: "being sent"},
		string(sink.Done): {Ja: "反映済み", En: "sent"}, string(sink.Superseded): {Ja: "置き換え", En: "replaced"},
	}
	// brakeNames say what the options of the section brakes are.
	brakeNames = map[string]text{
		"changed": {Ja: "変更が多すぎる", En: "many records change"}, "emptied": {Ja: "空になるものが多い", En: "many records become empty"},
		"jump": {Ja: "温度が大きく動く", En: "energies jump"}, "rejects": {Ja: "保留が多い", En: "many rejects"},
		"stale": {Ja: "長く読めていない", En: "a source was not read"}, "first": {Ja: "初回の書き込み", En: "the first write-back"},
	}
)

// BrakeText is the name of a brake.
func (planRow) BrakeText(name string) text { return worded(brakeNames, name) }
