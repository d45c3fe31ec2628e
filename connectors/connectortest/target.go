package connectortest

import (
	"fmt"
	"math"
	"testing"

	"energyd/connectors"
	"energyd/internal/fault"
)

// TargetHarness tells RunTarget how to drive one connector's writing.
type TargetHarness struct {
	Connector connectors.Connector
	// Start gives a fresh system without rows; each subtest starts its own.
	Start func(t *testing.T) TargetSystem
}

// TargetSystem is a system with one object, and the ways to look at its rows and spoil them.
type TargetSystem struct {
	System
	Object         string
	Number, String string // two writable fields of the object
	ReadOnly       string // a field that the user may see but not write
	Insert         func(n int) []string
	Delete         func(id string)
	Holds          func(id, field string) any // what the system really holds; nil when empty
	Refused        float64                    // a value of Number that the system refuses by a rule of its own
	Busy           func(id string, times int) // the record is locked for the next so many updates
}

// RunTarget is the acceptance suite of a target.
func RunTarget(t *testing.T, h TargetHarness) {
	t.Run("sample_complete", func(t *testing.T) { sampleComplete(t, h.Connector) })
	signOn(t, h.Connector, func(t *testing.T) System { return h.Start(t).System })
	for name, test := range map[string]func(*targetBench){
		"describe":        testDescribe,
		"current":         testCurrent,
		"write":           testWrite,
		"write_many":      testWriteMany,
		"clear_and_keep":  testClearAndKeep,
		"not_a_number":    testNotANumber,
		"each_row_judged": testEachRow,
		"mixed_faults":    testMixedFaults,
	} {
		t.Run(name, func(t *testing.T) {
			s := h.Start(t)
			test(&targetBench{newBench(t, h.Connector, s.System), s})
		})
	}
}

type targetBench struct {
	*bench
	TargetSystem
}

func (b *targetBench) target(addr string) connectors.Target {
	b.Helper()
	target, ok := b.conn(addr).(connectors.Target)
	if !ok {
		b.Fatal("the connection is no Target")
	}
	return target
}

// write sends updates that the system takes, and fails unless all are written.
func (b *targetBench) write(target connectors.Target, updates []connectors.Update) {
	b.Helper()
	results, err := target.Write(b.ctx, b.Object, updates)
	if err != nil || len(results) != len(updates) {
		b.Fatalf("write: %d results for %d updates, error %v", len(results), len(updates), err)
	}
	for i, r := range results {
		if r.Outcome != connectors.Written || r.Err != nil {
			b.Errorf("update %d of %s: %s, %v", i, updates[i].ID, r.Outcome, r.Err)
		}
	}
}

func (b *targetBench) wantHeld(id, field string, want any) {
	b.Helper()
	if got := b.Holds(id, field); fmt.Sprint(got) != fmt.Sprint(want) {
		b.Errorf("%s of %s is %v; want %v", field, id, got, want)
	}
}

func testDescribe(b *targetBench) {
	target := b.target(b.Addr)
	fields, err := target.Describe(b.ctx, b.Object)
	if err != nil {
		b.Fatalf("describe: %v", err)
	}
	byName := map[string]connectors.Field{}
	for _, f := range fields {
		byName[f.Name] = f
	}
	if f := byName[b.Number]; f.Type != connectors.Number || !f.Updateable || f.Precision == 0 {
		b.Errorf("number field: %+v", f)
	}
	if f := byName[b.String]; f.Type != connectors.Text || !f.Updateable || f.Length == 0 {
		b.Errorf("text field: %+v", f)
	}
	if f, ok := byName[b.ReadOnly]; !ok || f.Updateable {
		b.Errorf("read-only field: %+v", f)
	}
	if target.WriteSize() < 1 {
		b.Errorf("WriteSize is %d", target.WriteSize())
	}
	_, err = target.Describe(b.ctx, "NoSuchObject")
	b.wantKind(err, fault.Config)
}

func testCurrent(b *targetBench) {
	ids := b.Insert(5)
	target := b.target(b.Addr)
	b.write(target, []connectors.Update{{ID: ids[2], Values: map[string]any{b.Number: 2.5, b.String: "山田"}}})
	b.Delete(ids[1])
	asked := []string{ids[4], ids[1], ids[2], ids[2]} // not in the system's order, one gone, one twice
	rows, err := target.Current(b.ctx, b.Object, asked, []string{b.Number, b.String})
	if err != nil || len(rows) != len(asked) {
		b.Fatalf("current: %d rows for %d ids, error %v", len(rows), len(asked), err)
	}
	for i, r := range rows {
		if r.ID != asked[i] || r.Missing != (asked[i] == ids[1]) {
			b.Errorf("row %d: %+v; want id %s", i, r, asked[i])
		}
	}
	if got := rows[2].Values; got[b.Number] != 2.5 || got[b.String] != "山田" {
		b.Errorf("row 2 holds %v", got)
	}
	if got := rows[0].Values; got[b.Number] != nil || got[b.String] != nil {
		b.Errorf("the untouched row holds %v", got)
	}
}

func testWrite(b *targetBench) {
	ids := b.Insert(3)
	target := b.target(b.Addr)
	updates := []connectors.Update{
		{ID: ids[2], Values: map[string]any{b.Number: 1.25, b.String: "熱い"}},
		{ID: ids[0], Values: map[string]any{b.Number: int64(7)}},
	}
	for range 2 { // twice is harmless
		b.write(target, updates)
		b.wantHeld(ids[2], b.Number, 1.25)
		b.wantHeld(ids[2], b.String, "熱い")
		b.wantHeld(ids[0], b.Number, 7)
	}
	b.wantHeld(ids[1], b.Number, nil)
	results, err := target.Write(b.ctx, b.Object, nil)
	if err != nil || len(results) != 0 {
		b.Errorf("writing nothing: %v, %v", results, err)
	}
}

func testWriteMany(b *targetBench) {
	target := b.target(b.Addr)
	ids := b.Insert(target.WriteSize() + 3)
	updates := make([]connectors.Update, len(ids))
	for i, id := range ids {
		updates[i] = connectors.Update{ID: id, Values: map[string]any{b.Number: float64(i)}}
	}
	b.write(target, updates)
	for i, id := range ids {
		b.wantHeld(id, b.Number, i)
	}
}

func testClearAndKeep(b *targetBench) {
	id := b.Insert(1)[0]
	target := b.target(b.Addr)
	b.write(target, []connectors.Update{{ID: id, Values: map[string]any{b.Number: 3.0, b.String: "消す"}}})
	b.write(target, []connectors.Update{{ID: id, Values: map[string]any{b.String: nil}}})
	b.wantHeld(id, b.String, nil)
	b.wantHeld(id, b.Number, 3)
}

func testNotANumber(b *targetBench) {
	ids := b.Insert(4)
	target := b.target(b.Addr)
	var updates []connectors.Update
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1} {
		updates = append(updates, connectors.Update{ID: ids[i], Values: map[string]any{b.Number: v}})
	}
	results, err := target.Write(b.ctx, b.Object, updates)
	if err != nil || len(results) != len(updates) {
		b.Fatalf("write: %v, %v", results, err)
	}
	for i, r := range results[:3] {
		if r.Outcome != connectors.Rejected {
			b.Errorf("update %d with %v: %+v; want rejected", i, updates[i].Values, r)
		}
		b.wantHeld(ids[i], b.Number, nil)
	}
	b.wantHeld(ids[3], b.Number, 1)
}

// testEachRow mixes good rows with refused and deleted ones: each gets its own answer, by position.
func testEachRow(b *targetBench) {
	ids := b.Insert(6)
	target := b.target(b.Addr)
	b.Delete(ids[3])
	updates := make([]connectors.Update, len(ids))
	for i, id := range ids {
		updates[i] = connectors.Update{ID: id, Values: map[string]any{b.Number: 10.0 + float64(i)}}
	}
	updates[0].Values[b.Number] = b.Refused
	results, err := target.Write(b.ctx, b.Object, updates)
	if err != nil || len(results) != len(updates) {
		b.Fatalf("write: %d results, error %v", len(results), err)
	}
	for i, r := range results {
		if i == 0 || i == 3 {
			if r.Outcome != connectors.Rejected {
				b.Errorf("update %d: %+v; want rejected", i, r)
				continue
			}
			b.wantKind(r.Err, fault.Rejected)
			continue
		}
		if r.Outcome != connectors.Written || r.Err != nil {
			b.Errorf("update %d: %+v; want written", i, r)
		}
		b.wantHeld(ids[i], b.Number, 10+i)
	}
	alone, err := target.Write(b.ctx, b.Object, updates[:1])
	if err != nil || len(alone) != 1 || alone[0].Outcome != connectors.Rejected {
		b.Errorf("a call in which all rows fail: %+v, %v; want rejected", alone, err)
	}
}

// testMixedFaults cuts connections and locks rows while writing, sends again
// what is not known to be written, and counts losses.
func testMixedFaults(b *targetBench) {
	ids := b.Insert(20)
	b.Busy(ids[7], 3)
	addr, cut := b.Addr, func(int64) {}
	heal := func() {}
	if addr != "" {
		proxy := NewProxy(b.T, addr)
		addr, cut, heal = proxy.Addr(), proxy.CutAfter, proxy.Heal
	}
	target := b.target(addr)
	open := make([]connectors.Update, len(ids))
	for i, id := range ids {
		open[i] = connectors.Update{ID: id, Values: map[string]any{b.Number: 100.0 + float64(i)}}
	}
	open[5].Values[b.Number] = b.Refused
	rejected := map[string]bool{}
	for round := 0; len(open) > 0; round++ {
		if round > 20 {
			b.Fatalf("%d updates are still open after %d rounds", len(open), round)
		}
		if round < 4 {
			cut(int64(round * 150))
		} else {
			heal()
		}
		results, err := target.Write(b.ctx, b.Object, open)
		if err != nil {
			b.wantKind(err, fault.Unavailable)
			continue
		}
		var again []connectors.Update
		for i, r := range results {
			switch r.Outcome {
			case connectors.Written:
			case connectors.Rejected:
				rejected[open[i].ID] = true
			case connectors.Deferred:
				if r.Err == nil {
					b.Errorf("%s is deferred without a reason", open[i].ID)
				}
				again = append(again, open[i])
			}
		}
		open = again
	}
	for i, id := range ids {
		if i != 5 {
			b.wantHeld(id, b.Number, 100+i)
		}
	}
	if len(rejected) != 1 || !rejected[ids[5]] {
		b.Errorf("rejected are %v; want only %s", rejected, ids[5])
	}
}
