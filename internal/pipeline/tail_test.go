package pipeline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/internal/store"
)

// What was saved a moment before a complete reading is held back by the source's lag: it is not gone. The
// accounts are those that the night itself has just written to.
func TestReread_what_was_saved_just_now_is_not_gone(t *testing.T) {
	t.Parallel()
	n := newNights(t)
	n.night()
	before := n.explained("K0001")["daily_report"]
	db := n.reports()
	defer db.Close()
	if _, err := db.Exec("UPDATE daily_report SET memo = '訂正', updated_at = ? WHERE account_code = 'K0001'", time.Now().UTC().Format(time.RFC3339)); err != nil {
		t.Fatal(err)
	}
	for file, change := range map[string][2]string{"crm_account.yaml": {"name: Name", `name: Name + ""`}, "daily_report.yaml": {`contains "質問"`, `contains "しつもん"`}} {
		path := filepath.Join(n.dir, "mappings", file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		other := strings.Replace(string(text), change[0], change[1], 1)
		if other == string(text) {
			t.Fatalf("%s has no %s", file, change[0])
		}
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, sources := n.night()
	for _, name := range []string{"accounts", "daily_report"} {
		if s := sources[name]; s.Reread != store.OtherMapping || s.Withdrawn != 0 || s.Kept != "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := sources["daily_report"]; s.Rejected != 3 || n.explained("K0001")["daily_report"] != before {
		t.Errorf("%+v; K0001 has %d reports, and had %d", s, n.explained("K0001")["daily_report"], before)
	}
	n.later(day)
	if _, sources := n.night(); sources["accounts"].Withdrawn+sources["daily_report"].Withdrawn+sources["daily_report"].Rejected != 0 {
		t.Errorf("the night after: %+v, %+v", sources["accounts"], sources["daily_report"])
	}
}
