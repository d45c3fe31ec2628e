package mapping

import (
	"fmt"
	"math"
	"testing"
)

// A number read from a text is finite, and reads the same when it is written out.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"１，２３４", "1,234.5", "-0", "", " 12 ", "1e400", "NaN", "0x1p4", "9223372036854775808", "▲5", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := number(tokyo, []any{text})
		if err != nil || got == nil {
			return
		}
		if v, ok := got.(float64); ok && (math.IsInf(v, 0) || math.IsNaN(v)) {
			t.Fatalf("%q gives %v", text, v)
		}
		again, err := number(tokyo, []any{fmt.Sprint(got)})
		if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
			t.Fatalf("%q gives %v, which gives %v, %v", text, got, again, err)
		}
	})
}
