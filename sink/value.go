package sink

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"energyd/connectors"
	"energyd/internal/fault"
)

// fit brings a value into the shape that a CRM field stores, so that what was
// sent and what is read back compare equal: numbers rounded to the field's
// scale, text cut to its length on a character border. A value that does not
// fit is a rejected fault.
func fit(v any, f connectors.Field) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fault.New(fault.Internal, f.Name, "the value is not a finite number", "report this", nil)
		}
		if f.Type == connectors.Text || f.Type == connectors.Picklist {
			return fit(fmt.Sprintf("%g", x), f)
		}
		unit := math.Pow(10, float64(f.Scale))
		r := math.Round(x*unit) / unit
		if f.Precision > 0 && math.Abs(r) >= math.Pow(10, float64(f.Precision-f.Scale)) {
			return nil, fault.New(fault.Rejected, f.Name,
				fmt.Sprintf("%g has more than the field's %d digits before the point", r, f.Precision-f.Scale),
				"give the CRM field more digits", nil)
		}
		return r, nil
	case string:
		if x == "" {
			return nil, nil
		}
		if f.Length > 0 && utf8.RuneCountInString(x) > f.Length {
			return strings.TrimRightFunc(string([]rune(x)[:f.Length]), unicode.IsSpace), nil // CRMs drop blanks at the end
		}
		return x, nil
	default:
		return x, nil
	}
}

// same compares two field values as a CRM means them: "" and null are one, and
// numbers compare by value.
func same(a, b any) bool {
	if empty(a) || empty(b) {
		return empty(a) && empty(b)
	}
	x, aNum := number(a)
	y, bNum := number(b)
	if aNum && bNum {
		return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y))
	}
	return a == b
}

func empty(v any) bool { return v == nil || v == "" }

func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case int:
		return float64(x), true
	}
	return 0, false
}

// writable tells whether a field of this type can hold a measure of that type.
func writable(m connectors.FieldType, f connectors.FieldType) bool {
	return m == f || f == connectors.Text || m == connectors.Text && f == connectors.Picklist
}
