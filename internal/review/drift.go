package review

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// Drift is how far contacts of a kind have moved away from what they were when points were last reviewed, month by month.
type Drift struct {
	Kind   string       `json:"kind"`
	Months []MonthDrift `json:"months"` // oldest first
}

// MonthDrift is a month's population stability index: 0 = as before, above DriftLimit the customers behave in another way.
type MonthDrift struct {
	Month    string  `json:"month"`
	Index    float64 `json:"index"`
	Accounts int     `json:"accounts"` // with any contact in the month
}

// DriftLimit is the index above which points should be reviewed (energy-model.md §4.9).
const DriftLimit = 0.2

const (
	driftMonths = 6  // that are watched, the complete ones before today
	baseMonths  = 12 // that they are compared with
	driftLeast  = 50 // accounts in a month, below which the index is chance
)

// driftBins are the edges of the numbers of contacts that an account has of a kind in a month: 0, 1, 2–3, 4–7, 8 and more.
var driftBins = []int{1, 2, 4, 8}

// Habits count contacts by account, kind and month. Add takes them account by account.
type Habits struct {
	points     *engine.Points
	base, from engine.Period // the months from base on are compared with, those from from on are watched
	to         engine.Period // the last complete one
	account    string
	counts     map[engine.Period]map[string]int // of the account at hand
	months     map[engine.Period]*habit
}

// habit is a month of all accounts.
type habit struct {
	accounts int
	kinds    map[string]*[5]int // accounts by bin; those without a contact of the kind are not in it
}

// NewHabits watches the six complete months before asOf, or those of them after the month of the last review; NoDate = there was none.
func NewHabits(points *engine.Points, asOf, reviewed engine.Date) *Habits {
	h := &Habits{points: points, to: points.Period(asOf) - 1, counts: map[engine.Period]map[string]int{}, months: map[engine.Period]*habit{}}
	h.from = h.to - driftMonths + 1
	if reviewed != engine.NoDate {
		h.from = max(h.from, points.Period(reviewed)+1)
		h.base = points.Period(reviewed) - baseMonths + 1
		return h
	}
	h.base = h.from - baseMonths
	return h
}

// Add adds a contact.
func (h *Habits) Add(a *engine.Activity) {
	if a.Account != h.account {
		h.flush()
		h.account = a.Account
	}
	if a.Status != engine.Held || a.Deleted || a.Account == "" {
		return
	}
	m := h.points.Period(h.points.DateOf(a))
	if m < h.base || m > h.to {
		return
	}
	if h.counts[m] == nil {
		h.counts[m] = map[string]int{}
	}
	h.counts[m][a.Kind]++
}

// flush puts the account at hand into the months.
func (h *Habits) flush() {
	for m, kinds := range h.counts {
		of := h.months[m]
		if of == nil {
			of = &habit{kinds: map[string]*[5]int{}}
			h.months[m] = of
		}
		of.accounts++
		for kind, n := range kinds {
			if of.kinds[kind] == nil {
				of.kinds[kind] = new([5]int)
			}
			bin, _ := slices.BinarySearch(driftBins, n+1)
			of.kinds[kind][bin]++
		}
	}
	clear(h.counts)
}

// Drifts gives the index of each kind for each watched month, the kind first that moved most in the last one. Months with
// too few accounts are left out.
func (h *Habits) Drifts() []Drift {
	h.flush()
	base := habit{kinds: map[string]*[5]int{}}
	names := map[string]bool{}
	for m, of := range h.months {
		for kind, bins := range of.kinds {
			names[kind] = true
			if m < h.base+baseMonths && m < h.from {
				if base.kinds[kind] == nil {
					base.kinds[kind] = new([5]int)
				}
				for i, n := range bins {
					base.kinds[kind][i] += n
				}
			}
		}
		if m < h.base+baseMonths && m < h.from {
			base.accounts += of.accounts
		}
	}
	list := []Drift{}
	if base.accounts < driftLeast {
		return list
	}
	for kind := range names {
		d := Drift{Kind: kind}
		for m := h.from; m <= h.to; m++ {
			if of := h.months[m]; of != nil && of.accounts >= driftLeast {
				d.Months = append(d.Months, MonthDrift{m.String(), round3(stability(base, *of, kind)), of.accounts})
			}
		}
		if len(d.Months) > 0 {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b Drift) int { return cmp.Or(cmp.Compare(b.Latest(), a.Latest()), cmp.Compare(a.Kind, b.Kind)) })
	return list
}

// Latest is the index of the last month.
func (d Drift) Latest() float64 { return d.Months[len(d.Months)-1].Index }

// stability is the population stability index Σ (a − e)·ln(a/e) over the bins. A bin that nobody
// is in counts as half an account of the smaller side, so that both are empty alike.
func stability(base, month habit, kind string) (index float64) {
	least := 0.5 / float64(min(base.accounts, month.accounts))
	share := func(h habit, bin int) float64 {
		var bins [5]int
		if b := h.kinds[kind]; b != nil {
			bins = *b
		}
		bins[0] = h.accounts
		for _, n := range bins[1:] {
			bins[0] -= n
		}
		return max(least, float64(bins[bin])/float64(h.accounts))
	}
	for bin := range 5 {
		e, a := share(base, bin), share(month, bin)
		index += (a - e) * math.Log(a/e)
	}
	return index
}
