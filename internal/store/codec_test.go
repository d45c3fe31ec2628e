package store

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"energyd/engine"
)

func anyActivity(t *rapid.T) engine.Activity {
	text := rapid.SampledFrom([]string{"", "a", "訪問", "営業部長", "\x00", "\xff", "0015g00000AbCdE"})
	shares := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) engine.Share {
		return engine.Share{ID: text.Draw(t, "id"), Weight: rapid.SampledFrom([]float64{0, 1, 0.5, 1.0 / 3, -1, math.Inf(1), math.MaxFloat64}).Draw(t, "weight")}
	}), 0, 3)
	a := engine.Activity{
		Source: text.Draw(t, "source"), ID: rapid.String().Draw(t, "id"), Version: rapid.Int64().Draw(t, "version"),
		Date: engine.Date(rapid.OneOf(rapid.SampledFrom([]int32{0, int32(engine.NoDate), math.MaxInt32}), rapid.Int32()).Draw(t, "date")),
		Kind: text.Draw(t, "kind"), Status: engine.Status(rapid.Byte().Draw(t, "status")), Account: text.Draw(t, "account"),
		Deals: shares.Draw(t, "deals"), Reps: shares.Draw(t, "reps"), Cues: rapid.SliceOfN(text, 0, 3).Draw(t, "cues"),
		People: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) engine.Participant {
			return engine.Participant{Contact: text.Draw(t, "contact"), Title: text.Draw(t, "title"), Rank: text.Draw(t, "rank"),
				Keyman: rapid.Bool().Draw(t, "keyman"), Role: engine.Role(rapid.Byte().Draw(t, "role"))}
		}), 0, 3).Draw(t, "people"),
		Product: text.Draw(t, "product"), Segment: text.Draw(t, "segment"),
		Mapping: text.Draw(t, "mapping"), Revision: rapid.Uint32().Draw(t, "revision"), Deleted: rapid.Bool().Draw(t, "deleted"), Direction: engine.Direction(rapid.Byte().Draw(t, "direction")),
	}
	if rapid.Bool().Draw(t, "linked") {
		a.Link = &engine.Link{Message: text.Draw(t, "message"), Thread: text.Draw(t, "thread"), Answers: text.Draw(t, "answers")}
	}
	if rapid.Bool().Draw(t, "named") {
		a.Same = &engine.Same{Call: text.Draw(t, "call"), Event: text.Draw(t, "event"), Start: text.Draw(t, "start"), Record: text.Draw(t, "record")}
	}
	if rapid.Bool().Draw(t, "timed") {
		second := rapid.Int64Range(-62135596799, 253402300799).Draw(t, "second") // years 1 to 9999
		a.At = time.Unix(second, rapid.SampledFrom([]int64{0, 1e6, 1000}).Draw(t, "nano")).UTC()
	}
	return a
}

func TestActivityCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(anyActivity), 0, 20).Draw(t, "activities")
		acts := make([]act, len(list))
		for i := range list {
			acts[i] = act{Activity: &list[i], cluster: clusterOf(&list[i])}
		}
		slices.SortFunc(acts, compareActs)
		var e encoder
		e.encode(acts) // what one call leaves behind must not show in the next
		packed := e.encode(acts)
		got, err := new(decoder).decode(packed)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(acts) {
			t.Fatalf("%d activities, want %d", len(got), len(acts))
		}
		for i := range got {
			if diff := cmp.Diff(acts[i].Activity, got[i].Activity, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
			if got[i].cluster != acts[i].cluster || got[i].arrival != stands {
				t.Fatalf("cluster %x of %x, arrival %d", got[i].cluster, acts[i].cluster, got[i].arrival)
			}
		}
	})
}

func TestLedgerCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) engine.Cell {
			return engine.Cell{Date: engine.Date(rapid.Int32().Draw(t, "date")), Class: engine.Class(rapid.IntRange(0, engine.NumClasses-1).Draw(t, "class")),
				Group: engine.Group(rapid.OneOf(rapid.Just(byte(0)), rapid.Byte()).Draw(t, "group")), Direction: engine.Direction(rapid.IntRange(0, engine.NumDirections-1).Draw(t, "direction")),
				Count: rapid.OneOf(rapid.Int32Range(0, 1), rapid.Int32()).Draw(t, "count"), Milli: rapid.Int64().Draw(t, "milli")}
		}), 0, 30).Draw(t, "cells")
		e := &entry{id: rapid.String().Draw(t, "id"), kind: engine.EntityKind(rapid.IntRange(0, 3).Draw(t, "kind")), dirty: rapid.Uint64().Draw(t, "dirty"),
			due: engine.Date(rapid.Int32().Draw(t, "due")), cells: appendCells(nil, want)}
		packed, _ := encodeLedger([]*entry{e})
		got, err := decodeLedger(packed)
		if err != nil || len(got) != 1 {
			t.Fatal(len(got), err)
		}
		cells, err := decodeCells(nil, got[0].cells)
		if diff := cmp.Diff(want, cells, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
		if got[0].id != e.id || got[0].kind != e.kind || got[0].dirty != e.dirty || got[0].due != e.due {
			t.Fatalf("%+v, want %+v", got[0], e)
		}
	})
}

// FuzzDecode runs decoders on a body that may be anything: an error is right, a
// panic is not, and memory is bounded by the size of the body.
func FuzzDecode(f *testing.F) {
	var e encoder
	acts := []act{{Activity: &engine.Activity{Source: "日報", ID: "1", Account: "A", At: time.Unix(1e9, 0), Kind: "訪問",
		People: []engine.Participant{{Contact: "c", Title: "部長"}}, Deals: []engine.Share{{ID: "d"}}, Cues: []string{"question"}}}}
	f.Add(e.encode(acts)[sealSpace:])
	ledger, _ := encodeLedger([]*entry{{id: "A", cells: appendCells(nil, []engine.Cell{{Date: 1, Milli: 2}})}})
	f.Add(ledger[sealSpace:])
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, body []byte) {
		sealed := func(version byte) []byte { return seal(version, append(make([]byte, sealSpace), body...)) }
		if acts, err := new(decoder).decode(sealed(activityVersion)); err == nil && len(acts) > len(body) {
			t.Errorf("%d activities of %d bytes", len(acts), len(body))
		}
		if entries, err := decodeLedger(sealed(ledgerVersion)); err == nil {
			for _, e := range entries {
				_, _ = e.open()
			}
		}
		_, _ = keyTable.decode(sealed(keyVersion))
		_, _, _ = cutBlock(body)
	})
}

func TestUnseal(t *testing.T) {
	sealed := seal(activityVersion, []byte(".....body"))
	for i := range sealed {
		broken := slices.Clone(sealed)
		broken[i] ^= 4
		if _, err := unseal(activityVersion, broken); err == nil {
			t.Errorf("byte %d is wrong, and nobody notices", i)
		}
	}
	for n := range sealed {
		if _, err := unseal(activityVersion, sealed[:n]); err == nil {
			t.Errorf("%d of %d bytes pass", n, len(sealed))
		}
	}
}

// A ledger that an energyd before groups and contacts wrote is read, until the next fold builds it anew.
func TestLedgerBlockOfVersionOne(t *testing.T) {
	want := []engine.Cell{{Date: -3, Class: engine.ClassStaff, Milli: 6000}, {Date: 20_000, Class: engine.ClassExecutive, Milli: -7}}
	var cells []byte
	date := engine.Date(0)
	for _, c := range want {
		cells = binary.AppendVarint(cells, int64(c.Date-date)<<2|int64(c.Class))
		cells = binary.AppendVarint(cells, c.Milli)
		date = c.Date
	}
	block := make([]byte, sealSpace)
	block = binary.AppendUvarint(block, 1)
	block = append(binary.AppendUvarint(block, 1), 'A')
	block = append(block, byte(engine.Deal))
	block = binary.AppendUvarint(block, 5)
	block = binary.AppendVarint(block, 20_001)
	block = append(binary.AppendUvarint(block, uint64(len(cells))), cells...)
	entries, err := decodeLedger(seal(ledgerVersionOne, block))
	if err != nil || len(entries) != 1 {
		t.Fatal(len(entries), err)
	}
	got, err := entries[0].open()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Entry{Entity: engine.Entity{Kind: engine.Deal, ID: "A"}, Cells: want, Due: 20_001, Dirty: true}, got); diff != "" {
		t.Fatal(diff)
	}
}
