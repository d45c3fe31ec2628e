package report

import (
	"fmt"
	"slices"

	"energyd/internal/fault"
)

// Settings are the section reports of energyd.yaml.
type Settings struct {
	// Appraisal lets reports show single sales people. Off, they show teams.
	Appraisal bool     `yaml:"appraisal"`
	Coverage  Coverage `yaml:"coverage"`
	Funnel    []Step   `yaml:"funnel"` // first to last; the last is the order
	RFM       RFM      `yaml:"rfm"`
	KPI       []Year   `yaml:"kpi"` // one for each fiscal year
}

// Coverage says when a customer is met widely enough.
type Coverage struct {
	ClassPoints   float64 `yaml:"class_points"`  // points in the months shown from which on a rank class counts as met
	Concentration float64 `yaml:"concentration"` // of the contacts' shares, 0 to 1, above which the relation hangs on one person
}

// Step is a step of the funnel: list, proposal, deal, quote, order.
type Step struct {
	Label      Label    `yaml:"label"`
	Definition Label    `yaml:"definition"` // what has to be true of a deal in it
	Strength   Label    `yaml:"strength"`   // name of its conversion: 提案力
	Stages     []string `yaml:"stages"`     // of the CRM
}

// RFM are the edges between the scores 1 to n+1, frozen until somebody writes others.
type RFM struct {
	Days   []float64 `yaml:"days"`   // since the last purchase, ascending: fewer days, higher score
	Count  []float64 `yaml:"count"`  // of purchases, ascending
	Amount []float64 `yaml:"amount"` // of all purchases, ascending
}

// Year is what a fiscal year's key figures need beside what energyd knows.
type Year struct {
	Year        int     `yaml:"year"`         // in which the fiscal year begins
	Budget      float64 `yaml:"budget"`       // sales to reach
	SellingCost float64 `yaml:"selling_cost"` // of the year so far
	LabourHours float64 `yaml:"labour_hours"` // of all sales people, of the year so far
	Heads       float64 `yaml:"heads"`        // sales people
}

// Defaults are the settings of a configuration without the section.
func Defaults() Settings {
	return Settings{Coverage: Coverage{ClassPoints: 5, Concentration: 0.6}}
}

// Problems finds what is wrong in the settings, by paths below "reports".
func (s *Settings) Problems() fault.Problems {
	var ps fault.Problems
	if s.Coverage.ClassPoints < 0 {
		ps.Add("reports.coverage.class_points", "needs points, 0 or more; it is %g", s.Coverage.ClassPoints)
	}
	if c := s.Coverage.Concentration; c <= 0 || c > 1 {
		ps.Add("reports.coverage.concentration", "needs a share above 0 and up to 1; it is %g", c)
	}
	taken := map[string]bool{}
	for i, step := range s.Funnel {
		path := fmt.Sprintf("reports.funnel[%d]", i)
		if len(step.Stages) == 0 {
			ps.Add(path, "%s.stages is required: the CRM's names of this step", path)
		}
		for j, stage := range step.Stages {
			if taken[stage] {
				ps.Add(fmt.Sprintf("%s.stages[%d]", path, j), "the stage %q stands in the funnel twice", stage)
			}
			taken[stage] = true
		}
	}
	for _, e := range []struct {
		name  string
		edges []float64
	}{{"days", s.RFM.Days}, {"count", s.RFM.Count}, {"amount", s.RFM.Amount}} {
		if !slices.IsSorted(e.edges) {
			ps.Add("reports.rfm."+e.name, "the edges go up, as [30, 90, 180, 365]")
		}
	}
	years := map[int]bool{}
	for i, y := range s.KPI {
		path := fmt.Sprintf("reports.kpi[%d].year", i)
		switch {
		case y.Year == 0:
			ps.Add(path, "%s is required: in which the fiscal year begins", path)
		case years[y.Year]:
			ps.Add(path, "the year %d stands there twice", y.Year)
		}
		years[y.Year] = true
	}
	return ps
}
