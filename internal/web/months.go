package web

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

// monthOf is a cell of customer × month: the contacts that a customer's energy of one month is made of.
type monthOf struct {
	Account  string         `json:"account_id"`
	Name     string         `json:"name"`
	Owner    string         `json:"owner,omitempty"`
	Month    string         `json:"month"`  // YYYY-MM, of the tenant's periods
	Earned   float64        `json:"earned"` // points, as customer × month has them
	Class    string         `json:"-"`
	Contacts []monthContact `json:"contacts"` // the latest first
	Before   string         `json:"-"`        // the month before, as an address
	After    string         `json:"-"`        // "" = it has not begun
	// Limited are points of these contacts beyond a limit of the points table: they do not count.
	Limited float64 `json:"limited,omitempty"`
}

// monthContact is one of them.
type monthContact struct {
	Date   string   `json:"date"`
	Kind   string   `json:"kind"`
	People []string `json:"people,omitempty"`
	Points float64  `json:"points"`
	Rule   string   `json:"rule"`
	Source string   `json:"source"`
	Record string   `json:"record"`
	// Records is how many records of the sources tell of this one contact.
	Records int `json:"records"`
}

// title is the customer's name and the month.
func (m *monthOf) title() string { return m.Name + "　" + m.Month }

// More is how many records there are beside the one that is named.
func (c monthContact) More() int { return c.Records - 1 }

func viewMonthOf(ctx context.Context, v *visit) (*monthOf, error) {
	c, err := v.p.In(v.language).Customer(ctx, v.path("id"))
	if err != nil {
		return nil, err
	}
	if !v.reader.MaySee(c.Owner) {
		return nil, pipeline.NoCustomer(v.path("id")) // whether there is one is not told either
	}
	month, err := v.period(v.path("month"))
	if err != nil {
		return nil, err
	}
	m := &monthOf{Account: c.ID, Name: c.Name, Owner: c.OwnerName, Month: month.String()}
	points := v.p.Points()
	var sum int64
	for _, p := range c.Why.Parts {
		if points.Period(p.Of.Date) != month {
			continue
		}
		sum += p.Of.Milli
		m.Contacts = append(m.Contacts, monthContact{p.Date, p.Kind, p.People, p.Points, p.Rule, p.Source, p.Record, max(1, len(p.Members))})
	}
	slices.SortStableFunc(m.Contacts, func(a, b monthContact) int { return cmp.Compare(b.Date, a.Date) })
	for _, e := range c.Score.Earned {
		if e.Period == month {
			m.Earned = float64(e.Milli) / 1000
		}
	}
	m.Limited = max(0, float64(sum)/1000-m.Earned)
	at := "/customers/" + url.PathEscape(c.ID) + "/months/"
	m.Before = at + (month - 1).String()
	if month < points.Period(v.today()) {
		m.After = at + (month + 1).String()
	}
	return m, nil
}

// period reads a month of the tenant's calendar up to the present one.
func (v *visit) period(text string) (engine.Period, error) {
	now := v.p.Points().Period(v.today())
	const most = 120
	for month := now; month > now-most; month-- {
		if month.String() == text {
			return month, nil
		}
	}
	return 0, fault.New(fault.Config, "", "there is no month "+strconv.Quote(text), "months are shown as 2026-05, of the last ten years", nil)
}
