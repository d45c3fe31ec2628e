package pipeline_test

import (
	"math"
	"testing"

	"energyd/engine"
)

// TestExplain_SinceWritten: what became of the temperature that the CRM has, part by part; nothing where it is up to date.
func TestExplain_SinceWritten(t *testing.T) {
	c := newCompany(t)
	before, err := c.Explain(t.Context(), "K0001")
	if err == nil && before.Since != nil {
		t.Errorf("before anything was written: %+v", before.Since)
	}
	c.sync()
	written, err := c.Explain(t.Context(), "K0001")
	if err != nil || written.Since != nil {
		t.Fatalf("just written: %+v, %v", written.Since, err)
	}
	on, err := engine.ParseDate(written.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	later, err := c.reopened(on+10).Explain(t.Context(), "K0001")
	if err != nil || later.Since == nil {
		t.Fatalf("ten days later: %+v, %v", later.Since, err)
	}
	s := *later.Since
	if s.Date != written.AsOf || math.Abs(s.Was-written.Temperature) > 0.0005 || s.Decay >= 0 || s.Corrections != 0 {
		t.Errorf("ten days later: %+v", s)
	}
	if math.Abs(s.Was+s.New+s.Decay+s.Corrections-later.Temperature) > 0.001 {
		t.Errorf("%+v does not add up to %v", s, later.Temperature)
	}
}
