package pipeline_test

import (
	"regexp"
	"testing"
	"time"

	"energyd/internal/store"
)

// TestJournal_Configuration: each run tells which files of the configuration are
// others than at the run before, with both fingerprints; what is too old goes.
func TestJournal_Configuration(t *testing.T) {
	n := newNights(t)
	n.configure("journal_days: 1095", "journal_days: 30")
	n.night()
	p := n.open()
	files := len(n.journal(p, store.Changed))
	if files < 5 {
		t.Fatalf("the first run notes %d files", files)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	n.later(day)
	n.night()
	n.configure("timezone: Asia/Tokyo", "# a remark\ntimezone: Asia/Tokyo")
	n.later(day)
	run, _ := n.night()
	p = n.open()
	entries := n.journal(p, store.Changed)
	if len(entries) != files+1 {
		t.Fatalf("after two more nights there are %d entries, want one more than %d", len(entries), files)
	}
	last := entries[files]
	if last.Run != run.Run || !regexp.MustCompile(`^energyd\.yaml [0-9a-f]{12} → [0-9a-f]{12}$`).MatchString(last.Subject) || !last.At.Equal(n.now().Truncate(time.Microsecond).UTC()) {
		t.Errorf("the change is kept as %+v", last)
	}
	first, ok := n.journal(p, store.Planned), n.journal(p, store.Applied)
	if len(first) == 0 || len(ok) == 0 || first[0].Run != ok[0].Run {
		t.Errorf("of plans the journal has %v, of applies %v", first, ok)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	n.later(31 * day)
	n.night()
	p = n.open()
	defer p.Close()
	for _, e := range n.journal(p, "") {
		if e.At.Before(n.now().Add(-30 * day)) {
			t.Errorf("kept for too long: %+v", e)
		}
	}
}
