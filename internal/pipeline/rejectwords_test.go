package pipeline

import (
	"strings"
	"testing"
)

// TestRecordToDo: a value that is no word, as a list where one word belongs, is not mended by adding words.
func TestRecordToDo(t *testing.T) {
	for code, want := range map[string]string{"kind": "add the word", "lookup": "add the word", "value": "the expression that the reason names", "date": "activity.at", "encoding": "correct the record"} {
		if got := recordToDo(Reject{Code: code, WaitsFor: Person}, "en"); !strings.Contains(got, want) {
			t.Errorf("%s: %s; want %q in it", code, got, want)
		}
	}
}
