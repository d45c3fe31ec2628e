package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"energyd/sink"
)

// counter counts what is written to it.
type counter struct{ bytes int }

func (c *counter) Write(p []byte) (int, error) { c.bytes += len(p); return len(p), nil }

// No change is asked for before those ahead of it have been written: a plan of any size takes the memory of one.
func TestWritePlanJSON_holds_one_change(t *testing.T) {
	t.Parallel()
	var out counter
	name := strings.Repeat("顧客", 100)
	err := writePlanJSON(&out, sink.Summary{Plan: "p"}, nil, func(yield func(sink.Change, error) bool) {
		for n := range 2000 {
			if ahead := n*len(name) - out.bytes; ahead > 0 {
				t.Fatalf("%d changes are asked for, and only %d bytes are written", n, out.bytes)
			}
			if !yield(sink.Change{ID: fmt.Sprint(n), Name: name}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWritePlanJSON_is_one_value(t *testing.T) {
	t.Parallel()
	for n := range 3 {
		var out strings.Builder
		if err := writePlanJSON(&out, sink.Summary{Plan: "p"}, []string{"look"}, func(yield func(sink.Change, error) bool) {
			for range n {
				yield(sink.Change{Fields: []sink.Delta{{Field: "Energy__c", New: 1.5}}}, nil)
			}
		}); err != nil {
			t.Fatal(err)
		}
		var plan struct {
			Plan     string
			Changes  *[]sink.Change
			Warnings []string
		}
		if err := json.Unmarshal([]byte(out.String()), &plan); err != nil || plan.Plan != "p" || plan.Changes == nil || len(*plan.Changes) != n || len(plan.Warnings) != 1 {
			t.Errorf("%s: %v", out.String(), err)
		}
	}
	broken := errors.New("the store broke")
	if err := writePlanJSON(io.Discard, sink.Summary{}, nil, func(yield func(sink.Change, error) bool) { yield(sink.Change{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("a store that breaks on the way gives %v", err)
	}
}
