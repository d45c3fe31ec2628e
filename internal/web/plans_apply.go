package web

import (
	"context"
	"net/url"
	"strings"

	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// applying is the question whether a plan is to be sent.
type applying struct {
	planRow
	Expired bool  `json:"expired"` // it is too old to be sent
	Asked   int64 `json:"-"`
	May     bool  `json:"-"`
}

func viewApplying(ctx context.Context, v *visit) (*applying, error) {
	sum, err := v.p.Planned(ctx, v.path("plan"))
	if err != nil {
		return nil, err
	}
	a := &applying{planRow: planRow{sum}, Expired: v.expired(sum), May: v.reader.MayAct(signon.Admin)}
	a.Asked, err = v.askedBefore(ctx, toApply, sum.Plan, "")
	return a, err
}

// doApply has a plan sent, as energyd apply --plan with or without --override does.
func doApply(ctx context.Context, v *visit) (to string, err error) {
	sum, err := v.p.Planned(ctx, v.path("plan"))
	if err != nil {
		return "", err
	}
	_, was, err := v.pressed(ctx, toApply, sum.Plan, "")
	if err != nil {
		return "", err
	}
	if !was && sum.State != sink.Open && sum.State != sink.Applying { // somebody else sent it meanwhile, or it was replaced
		return pathOf("/plans/", sum.Plan, ""), nil
	}
	e := store.Errand{Kind: toApply, Subject: sum.Plan, Reason: v.reason()}
	if (planRow{sum}).NeedsReason() && e.Reason == "" {
		return "", errNoReason
	}
	return v.ask(ctx, e)
}

// reason is why the reader does something, for the journal.
func (v *visit) reason() string { return strings.TrimSpace(v.request.PostFormValue("reason")) }

var errNoReason = fault.New(fault.BadRecord, "", "a reason is needed: it stays in the journal", "go back, and write in a few words why", nil)

// undoing is the question whether what a run wrote is to be taken back.
type undoing struct {
	Of      planRow      `json:"plan"`             // that the run made or sent
	Record  string       `json:"record,omitempty"` // only this one, by its CRM id; "" = all
	States  []stateCount `json:"states"`
	Changes []plannedRow `json:"changes"` // the first that the CRM took
	Asked   int64        `json:"-"`
	May     bool         `json:"-"`
}

func viewUndoing(ctx context.Context, v *visit) (*undoing, error) {
	sum, err := v.store().PlanOf(ctx, v.path("run"))
	if err != nil {
		return nil, err
	}
	u := &undoing{Of: planRow{sum}, Record: v.query.Get("record"), May: v.reader.MayAct(signon.Admin)}
	if u.States, err = v.states(ctx, sum.Run); err != nil {
		return nil, err
	}
	sent, err := v.store().Sent(ctx, sum.Run, u.Record, -1, 20)
	if err != nil {
		return nil, err
	}
	if len(sent) == 0 {
		return nil, errNothingSent
	}
	for _, c := range sent {
		u.Changes = append(u.Changes, v.planned(c))
	}
	u.Asked, err = v.askedBefore(ctx, toUndo, sum.Run, u.Record)
	return u, err
}

// doUndo has what a run wrote taken back, as energyd undo does.
func doUndo(ctx context.Context, v *visit) (to string, err error) {
	sum, err := v.store().PlanOf(ctx, v.path("run"))
	if err != nil {
		return "", err
	}
	record := v.request.PostFormValue("record")
	sent, err := v.store().Sent(ctx, sum.Run, record, -1, 1)
	if err != nil {
		return "", err
	}
	if len(sent) == 0 {
		return "", errNothingSent
	}
	return v.ask(ctx, store.Errand{Kind: toUndo, Subject: sum.Run, Record: record})
}

var errNothingSent = fault.New(fault.Config, "", "there is nothing to take back: that run wrote nothing to the CRM, or what it wrote is kept no longer",
	"plans.keep in energyd.yaml says how long it is kept", nil)

// UndoPath is the page that asks whether to take the plan back, all of it or one record.
func (r planRow) UndoPath(record string) string {
	path := pathOf("/runs/", r.Run, "/undo")
	if record != "" {
		path += "?" + url.Values{"record": {record}}.Encode()
	}
	return path
}
