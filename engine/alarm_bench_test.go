package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"energyd/engine"
)

// poisson gives the days of contacts at a rate a month, from a day on, before another.
func poisson(r *rand.Rand, perMonth float64, from, to int) []int {
	var days []int
	for at := float64(from); ; {
		if at += r.ExpFloat64() / perMonth * 30.4; at >= float64(to) {
			return days
		}
		days = append(days, int(at))
	}
}

// firings gives the days from first on, before end, on which alarms of a kind fired.
func firings(p *engine.Points, kind engine.AlarmKind, days []int, first, end int) []int {
	cells := stirs(days...)
	var fired []int
	for d := day0 + engine.Date(first); d != engine.NoDate && d < day0+engine.Date(end); {
		s := p.Evaluate(engine.Account, cells, d)
		for _, a := range s.Alarms {
			if day := int(a.Since - day0); a.Kind == kind && day >= first && !slices.Contains(fired, day) {
				fired = append(fired, day)
			}
		}
		d = s.Due
	}
	return fired
}

// BenchmarkAlarmsOfSteadyCustomers counts the false alarms a year of customers
// who have not changed at all, and what is found of a rise to five times as much
// for 30 days from 2 contacts a month. Points play no part: the count alone is
// tested. docs/alarms.md has the figures.
//
//	go test ./engine -run xxx -bench SteadyCustomers -benchtime 1x
func BenchmarkAlarmsOfSteadyCustomers(b *testing.B) {
	const accounts, history, years = 400, 180, 2
	const end = history + years*365
	count := func(chance float64) *engine.Points {
		return watching(b, alarms("surge", "silence"), known(0), func(c *engine.PointsConfig) { c.Alarms.Surge.Chance, c.Alarms.Surge.Points = chance, 0 })
	}
	for _, chance := range []float64{0.01, 0.001} {
		p := count(chance)
		for _, rate := range []float64{0, 0.5, 1, 2, 4, 8} {
			name := fmt.Sprint("month=", rate)
			if rate == 0 {
				name = "mixed" // as the prior believes: rates are exponential, one contact in 45 days on average
			}
			b.Run(fmt.Sprintf("chance=%v/%s", chance, name), func(b *testing.B) {
				for b.Loop() {
					r := rand.New(rand.NewPCG(7, 7))
					surges, silences := 0, 0
					for range accounts {
						perMonth := rate
						if rate == 0 {
							perMonth = r.ExpFloat64() * 30.4 / 45
						}
						days := poisson(r, perMonth, 0, end)
						if len(days) == 0 {
							continue
						}
						surges += len(firings(p, engine.Surge, days, history, end))
						silences += len(firings(p, engine.Silence, days, history, end))
					}
					b.ReportMetric(float64(surges)/(accounts*years), "surges/account-year")
					b.ReportMetric(float64(silences)/(accounts*years), "silences/account-year")
				}
			})
		}
		b.Run(fmt.Sprintf("chance=%v/rise", chance), func(b *testing.B) {
			for b.Loop() {
				r := rand.New(rand.NewPCG(7, 7))
				var delays []int
				for range accounts {
					days := poisson(r, 2, 0, history)
					days = append(days, poisson(r, 10, history, history+30)...)
					if fired := firings(p, engine.Surge, days, history, history+30); len(fired) > 0 {
						delays = append(delays, fired[0]-history)
					}
				}
				slices.Sort(delays)
				b.ReportMetric(float64(len(delays))/accounts, "found")
				b.ReportMetric(float64(delays[len(delays)/2]), "days-until")
			}
		})
	}
}

// BenchmarkWatch compares scores with and without trend and alarms, of a
// customer who comes twice a month, and of one who stirs all the time.
func BenchmarkWatch(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 3))
	for name, rate := range map[string]float64{"usual": 2, "busy": 12} {
		cells := stirs(poisson(r, rate, 0, 1095)...)
		for which, p := range map[string]*engine.Points{"bare": table(b), "alarms": watching(b)} {
			b.Run(name+"/"+which, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p.Evaluate(engine.Account, cells, day0+1100)
				}
			})
		}
	}
}
