package sink

import (
	"math"
	"testing"

	"energyd/connectors"
	"energyd/internal/fault"
)

func TestFit(t *testing.T) {
	number := connectors.Field{Name: "Energy__c", Type: connectors.Number, Precision: 5, Scale: 2}
	text := connectors.Field{Name: "Reason__c", Type: connectors.Text, Length: 4}
	for _, c := range []struct {
		name  string
		value any
		field connectors.Field
		want  any
	}{
		{"rounded to the scale", 1.2351, number, 1.24},
		{"largest that fits", 999.99, number, 999.99},
		{"text cut on a character border", "訪問した部長", text, "訪問した"},
		{"text that fits", "訪問", text, "訪問"},
		{"empty text is null", "", text, nil},
		{"null stays", nil, number, nil},
		{"number into text", 12.5, connectors.Field{Type: connectors.Text, Length: 10}, "12.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := fit(c.value, c.field)
			if err != nil || got != c.want {
				t.Errorf("fit(%v) = %v, %v; want %v", c.value, got, err, c.want)
			}
		})
	}
	for name, v := range map[string]float64{"too many digits": 1000, "rounds up to too many": 999.999, "NaN": math.NaN(), "infinite": math.Inf(1)} {
		if got, err := fit(v, number); err == nil {
			t.Errorf("%s: fit(%v) = %v, want an error", name, v, got)
		}
	}
	if _, err := fit(1e6, number); fault.KindOf(err) != fault.Rejected {
		t.Errorf("a number that does not fit is a %q fault, want rejected", fault.KindOf(err))
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nil, "", true}, {nil, nil, true}, {nil, 0.0, false}, {"温", "温", true}, {"温", "熱", false},
		{0.1 + 0.2, 0.3, true}, {1.0, int64(1), true}, {1.0, 1.001, false}, {"1", 1.0, false}, {true, true, true}, {true, false, false},
	} {
		if got := same(c.a, c.b); got != c.want {
			t.Errorf("same(%v, %v) = %v", c.a, c.b, got)
		}
		if got := same(c.b, c.a); got != c.want {
			t.Errorf("same(%v, %v) = %v", c.b, c.a, got)
		}
	}
}
