package file

import (
	"math"
	"testing"
)

// A cell's number is finite and, where it is whole, the same as int64.
func FuzzCellNumber(f *testing.F) {
	for _, s := range []string{"1", "46082.604", "-0.0", "1e308", "1e-400", "123456789012345678", "0x1p4", "1_000", "NaN"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, n, ok := cellNumber(text)
		if !ok {
			return
		}
		if math.IsInf(n, 0) || math.IsNaN(n) {
			t.Fatalf("%q gives %v", text, n)
		}
		if i, whole := v.(int64); whole && float64(i) != n {
			t.Fatalf("%q gives %d and %v", text, i, n)
		}
	})
}

// The month of a cell, and of a file's name, is a month.
func FuzzMonth(f *testing.F) {
	for _, s := range []string{"2026/3/1", "20260301", "令和8年3月1日", "R8.3.1", "3/1", "46082", "平成99年13月", "2026年度_4月", "\xff３"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, of := range []period{{}, {year: 2026}, {year: 2026, month: 3}, {year: 2026, fiscal: true}} {
			if p, ok := monthOf(text, of); ok && (p.month < 1 || p.month > 12 || p.year < 1 || p.year > 9999) {
				t.Fatalf("%q of %s is of %+v", text, of, p)
			}
		}
		if p := periodIn(text); p.month < 0 || p.month > 12 || p.year < 0 || p.year > 9999 || p.month > 0 && p.year == 0 {
			t.Fatalf("%q is of %+v", text, p)
		}
	})
}

// A line of JSON gives values that records hold, or an error.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{`{"a":{"b":[1,2.5,"x",null,true]}}`, `{} {}`, `[1]`, `{"a":1e999}`, `{"a":12345678901234567890}`, "{\"\xff\":1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		object, err := parseObject(text)
		if err != nil {
			return
		}
		var check func(v any)
		check = func(v any) {
			switch v := v.(type) {
			case nil, bool, string, int64:
			case float64:
				if math.IsInf(v, 0) || math.IsNaN(v) {
					t.Fatalf("%q holds %v", text, v)
				}
			case []any:
				for _, e := range v {
					check(e)
				}
			case map[string]any:
				for _, e := range v {
					check(e)
				}
			default:
				t.Fatalf("%q holds a %T", text, v)
			}
		}
		check(object)
	})
}
