package adversity

import (
	"slices"
	"testing"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// TestDatabase_restarts_in_mid_run: PostgreSQL crashes and recovers while a run reads; the run says so, and the next
// one leaves what a calm night leaves.
func TestDatabase_restarts_in_mid_run(t *testing.T) {
	t.Parallel()
	c := standing(t, fresh)
	c.start()
	c.open(pipeline.Options{AsOf: kept.asOf}, edit{"store: sqlite:energyd.db ", "store: " + testdb.Postgres(t) + " "})
	batches := 0
	c.read = func() {
		if batches++; batches == 3 {
			testdb.CrashPostgres(t)
		}
	}
	r, _, _, err := c.Sync(t.Context())
	told := r.Errors
	if err != nil {
		told = append(told, err)
	}
	if !slices.ContainsFunc(told, func(err error) bool { return fault.KindOf(err) == fault.Unavailable && fault.HintOf(err) != "" }) || r.State != store.Failed {
		t.Errorf("the run is %s and says %v", r.State, told)
	}
	c.endsAs(kept.calm, false)
}
