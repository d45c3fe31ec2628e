package web

import (
	"context"

	"energyd/internal/fault"
)

var errNameless = fault.New(fault.Auth, "", "figures of single sales people are shown to somebody who has signed on, and it is kept who looked",
	"sign on; or take appraisal: true out of reports of energyd.yaml, and teams are shown", nil)

// viewReps shows sales teams, or single sales people where that is switched on: then it is kept first who looks (decisions/0116).
func viewReps(ctx context.Context, v *visit) (*table, error) {
	if v.p.TellsOfPeople("reps") && v.reader.Name == "" {
		return nil, errNameless
	}
	if err := v.p.Look(ctx, "reps", v.reader.Name); err != nil {
		return nil, err
	}
	return v.table(ctx, "reps")
}
