package engine

import (
	"math"
	"sort"
)

// Score is what an entity's cells say on one date.
type Score struct {
	AsOf        Date
	Earned      []PeriodSum // oldest first; periods without energy are left out
	Stock       float64     // temperature on Last, in points
	Last        Date        // last date with energy up to AsOf; NoDate = none
	Temperature float64     // on AsOf, in points
	Band        int         // 0 = coldest
	BandUntil   Date        // first day on which the band falls without news; NoDate = never
	Due         Date        // next day after AsOf on which anything shown changes without news; NoDate = never
}

// PeriodSum is the energy earned in one period, undecayed.
type PeriodSum struct {
	Period      Period
	Contacts    int32
	Milli       int64
	ByClass     [NumClasses]int64
	ByDirection [NumDirections]int64 // whose act it was
}

// Evaluate gives the score of an entity from its sorted cells. Cells after
// asOf wait: they only set Due. The stock is replayed oldest to newest from
// 40 half-lives before the last date with energy, and so is the band with its
// hysteresis; nothing is remembered between calls, so any two ways to the
// same cells give the same bits. Bands compare temperatures rounded to
// milli-points, as they are shown. All kinds of entity follow one rule.
func (p *Points) Evaluate(_ EntityKind, cells []Cell, asOf Date) Score {
	s := Score{AsOf: asOf, Last: NoDate, BandUntil: NoDate, Due: NoDate}
	n := sort.Search(len(cells), func(i int) bool { return cells[i].Date > asOf })
	if n < len(cells) {
		s.Due = cells[n].Date
	}
	cells = cells[:n]
	if n == 0 {
		return s
	}
	s.Earned = p.earned(cells)
	s.Last = cells[n-1].Date
	stock, band := p.replay(cells)
	now := p.cooled(stock, s.Last, asOf)
	s.Stock, s.Temperature = stock/1000, now/1000
	s.Band = p.nextBand(band, now)
	s.BandUntil = p.bandUntil(stock, s.Last, s.Band)
	if s.BandUntil != NoDate && (s.Due == NoDate || s.BandUntil < s.Due) {
		s.Due = s.BandUntil
	}
	return s
}

// earned sums cells by period.
func (p *Points) earned(cells []Cell) []PeriodSum {
	span := int(cells[len(cells)-1].Date-cells[0].Date)/28 + 2 // no period is shorter than 28 days
	sums := make([]PeriodSum, 0, min(len(cells), span))
	end := NoDate
	for _, c := range cells {
		if len(sums) == 0 || c.Date > end {
			var m Period
			m, end = p.periodOf(c.Date)
			sums = append(sums, PeriodSum{Period: m})
		}
		sum := &sums[len(sums)-1]
		sum.Milli += c.Milli
		sum.Contacts += c.Count
		sum.ByClass[c.Class] += c.Milli
		sum.ByDirection[c.Direction] += c.Milli
	}
	return sums
}

// replay gives stock (in milli-points) and band on the date of the last cell.
func (p *Points) replay(cells []Cell) (stock float64, band int) {
	oldest := p.clock.at(cells[len(cells)-1].Date) - p.decay.window()
	i := sort.Search(len(cells), func(i int) bool { return p.clock.at(cells[i].Date) >= oldest })
	for last := NoDate; i < len(cells); {
		date := cells[i].Date
		var sum int64
		for ; i < len(cells) && cells[i].Date == date; i++ {
			sum += cells[i].Milli
		}
		if last != NoDate {
			// The day before the news is the coldest since the last: there the band may have fallen.
			band = p.nextBand(band, p.cooled(stock, last, date-1))
			stock = p.cooled(stock, last, date)
		}
		stock += float64(sum)
		band = p.nextBand(band, stock)
		last = date
	}
	return stock, band
}

// cooled gives what is left at a date of a stock at an earlier one. The
// conversion keeps the product from being fused with a later sum, which would
// give other last bits on some machines.
func (p *Points) cooled(stock float64, from, to Date) float64 {
	return float64(stock * p.decay.factor(p.clock.at(to)-p.clock.at(from)))
}

// nextBand gives the band after a day at stock milli-points, coming from band.
func (p *Points) nextBand(band int, stock float64) int {
	m := round(stock)
	for band > 0 && m < p.bandDown[band] {
		band--
	}
	for band+1 < len(p.bandUp) && m >= p.bandUp[band+1] {
		band++
	}
	return band
}

// bandUntil gives the first day on which stock, without news, is below the band.
func (p *Points) bandUntil(stock float64, last Date, band int) Date {
	down := p.bandDown[band]
	if band == 0 || down == 0 {
		return NoDate
	}
	// T* = h·log2(S/θ) is within a day of the answer; the rounding of what is shown decides.
	k := max(0, int(p.decay.halfLife*math.Log2(stock/(float64(down)-0.5))))
	for round(stock*p.decay.factor(k)) >= down {
		k++
	}
	for k > 0 && round(stock*p.decay.factor(k-1)) < down {
		k--
	}
	return p.clock.firstAt(p.clock.at(last) + k)
}

// decay is exponential: after halfLife days of the clock half is left.
type decay struct {
	halfLife float64
	table    []float64 // 2^(-k/h), up to 40 half-lives
}

func newDecay(halfLife float64) decay {
	d := decay{halfLife: halfLife, table: make([]float64, int(40*halfLife)+1)}
	for k := range d.table {
		d.table[k] = math.Exp2(-float64(k) / halfLife)
	}
	return d
}

// window gives the days after which a contact no longer counts at all.
func (d *decay) window() int { return len(d.table) - 1 }

// factor gives what is left of 1 after k days; k is not negative.
func (d *decay) factor(k int) float64 {
	if k < len(d.table) {
		return d.table[k]
	}
	return math.Exp2(-float64(k) / d.halfLife)
}
