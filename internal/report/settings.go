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
	Leads     Leads    `yaml:"leads"`
	CrossSell Owners   `yaml:"crosssell"`
	Currency  string   `yaml:"currency"` // of the amounts that are added up, where deals are of several
}

// Leads says when a company that never bought is a lead of which class.
type Leads struct {
	Now         string    `yaml:"now"`         // band from which on it wants something now; "" = the hottest
	Considering string    `yaml:"considering"` // band from which on it considers; "" = the one below
	Usual       []float64 `yaml:"usual"`       // usual shares of the four classes in percent, to compare with
}

// Owners says how many customers make a pair of products worth telling of.
type Owners struct {
	Owners int `yaml:"owners"` // who own both
}

// Coverage says when a customer is met widely enough.
type Coverage struct {
	ClassPoints   float64 `yaml:"class_points"`  // points in the months shown from which on a rank class counts as met
	Concentration float64 `yaml:"concentration"` // of the contacts' shares, 0 to 1, above which the relation hangs on one person
	Days          int     `yaml:"days"`          // in which people count as met, and the same time before to compare with
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
	return Settings{Coverage: Coverage{ClassPoints: 5, Concentration: 0.6, Days: 90}, Leads: Leads{Usual: []float64{1, 9, 65, 25}}, CrossSell: Owners{Owners: 3}}
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
	if days := s.Coverage.Days; days < 1 || days > 3650 {
		ps.Add("reports.coverage.days", "needs days, 1 to 3650; it is %d", days)
	}
	if n := s.CrossSell.Owners; n < 1 {
		ps.Add("reports.crosssell.owners", "needs a number of customers, 1 or more; it is %d", n)
	}
	if n := len(s.Leads.Usual); n != 4 || slices.ContainsFunc(s.Leads.Usual, func(share float64) bool { return !(share >= 0 && share <= 100) }) {
		ps.Add("reports.leads.usual", "needs four shares in percent: wants it now, considering, may later, no prospect")
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
