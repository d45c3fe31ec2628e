// Package review checks a points table against deals that were won and lost, and proposes a better one where there is
// one (energy-model.md §4.9). It is pure: the same sample, options and seed give the same review.
package review

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"math/bits"
	"slices"

	"energyd/engine"
)

// Options are what a review may be told. Zero values are the usual ones.
type Options struct {
	Cuts       Cuts
	TrainUntil engine.Date // the last day that points may be learned from; what is later tests them. NoDate = the oldest 80 %
	Horizon    int         // days after a cut within which an order counts; 0 = 180
	Fit        bool        // propose points; else only the table in use is judged
	Seed       uint64      // of the intervals of weights
	Resamples  int         // for these intervals; 0 = 200
}

// usualHorizon is within how many days an order counts, when nobody says otherwise.
const usualHorizon = 180

// Result is what a review found.
type Result struct {
	Findings   []Finding        `json:"findings"`
	Outcome    string           `json:"outcome"` // what a success is: "won", "meeting" …
	Subject    string           `json:"subject"` // what is looked at: "deal", or "account"
	Deals      int              `json:"deals"`
	Won        int              `json:"won"`  // deals, or accounts that a success followed at some time
	Lost       int              `json:"lost"` // deals, or accounts that none followed at some time
	Rows       int              `json:"rows"`
	Immature   int              `json:"immature_rows"` // their horizon had not passed yet
	TrainUntil string           `json:"train_until"`
	Horizon    int              `json:"horizon_days"`
	Train      Part             `json:"train"`
	Learned    int              `json:"learned_from_deals,omitempty"` // of those of Train, when they are more than are needed
	Test       Part             `json:"test"`
	Present    *Figures         `json:"present,omitempty"`  // of the table in use, on the test part
	Proposed   *Figures         `json:"proposed,omitempty"` // of the proposed table
	Gain       *Estimate        `json:"gain,omitempty"`     // of AUC, paired
	Others     map[string]Basis `json:"comparisons,omitempty"`
	HalfLife   *HalfLife        `json:"half_life_days,omitempty"`
	How        []Weight         `json:"kinds,omitempty"`
	Ranks      []Weight         `json:"ranks,omitempty"`
	Tie        float64          `json:"tie,omitempty"`          // to the table in use; larger = more strongly, −1 = points as they are
	RankPower  *float64         `json:"rank_power,omitempty"`   // that the factors of the table in use were raised to before the fit: 1 = as they are, 0 = all equal
	Energy     float64          `json:"energy_ratio,omitempty"` // mean temperature under the proposed table by that in use: bands move by it
	HalfYear   *HalfYear        `json:"last_half_year,omitempty"`
	Drift      []Drift          `json:"drift,omitempty"`
	Verdict    Verdict          `json:"verdict"`
}

// Part counts the rows and deals of a part of the data.
type Part struct {
	Rows  int `json:"rows"`
	Deals int `json:"deals"`
	Won   int `json:"won_rows"`
}

// Figures say how well a score tells deals that were won from others.
type Figures struct {
	AUC         Estimate           `json:"auc"`
	Lift        float64            `json:"lift_at_10_percent"`
	Brier       float64            `json:"brier"`
	Calibration Calibration        `json:"calibration"`
	Confusion   Confusion          `json:"confusion"` // "will be won" where the probability is one half or more
	Rates       map[string]float64 `json:"rates,omitempty"`
}

// Basis is a simple order of deals that a table has to be better than.
type Basis struct {
	AUC  float64 `json:"auc"`
	Lift float64 `json:"lift_at_10_percent"`
}

// HalfLife is the half-life in use and the proposed one.
type HalfLife struct {
	Present  float64 `json:"present"`
	Proposed float64 `json:"proposed"`
}

// Weight is what the review says of the points of a kind, or the factor of a rank.
type Weight struct {
	Name      string  `json:"name"`
	Kind      string  `json:"kind,omitempty"`
	Direction string  `json:"direction,omitempty"`
	All       bool    `json:"all_directions,omitempty"` // the kind has one number for all of them
	Present   float64 `json:"present"`
	Compared  float64 `json:"present_on_new_scale"` // the present number, if the whole table had the size of the new one
	Proposed  float64 `json:"proposed"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Deals     int     `json:"deals"` // of the training part that have it
	Verdict   string  `json:"verdict"`
}

// What is said of a weight.
const (
	Keep   = "keep"
	Raise  = "raise"
	Lower  = "lower"
	TooFew = "too little data"
	AsAll  = "with all ranks" // too little data of it alone, but the ranks together were flattened
)

// Verdict is what is said of the whole.
type Verdict struct {
	Change   bool   `json:"change"`
	Refused  bool   `json:"refused,omitempty"`
	Reason   string `json:"reason"`
	ReasonJa string `json:"reason_ja"`
}

// because makes a verdict's reason, in both languages.
func (v *Verdict) because(reason engine.Label) { v.Reason, v.ReasonJa = reason.En, reason.Ja }

// In gives the reason in a language.
func (v Verdict) In(language string) string {
	return engine.Label{Ja: v.ReasonJa, En: v.Reason}.In(language)
}

// run is a review on its way.
type run struct {
	*Sample
	opt         Options
	train, test []row
	result      *Result
}

// Run reviews a sample.
func Run(s *Sample, opt Options) *Result {
	opt.Horizon, opt.Resamples = cmp.Or(opt.Horizon, usualHorizon), cmp.Or(opt.Resamples, 200)
	r := &run{Sample: s, opt: opt, result: &Result{Horizon: opt.Horizon, Deals: len(s.deals)}}
	res := r.result
	s.prepare()
	rows, immature := s.rows(opt.Cuts, opt.Horizon)
	if s.watch != nil {
		res.Subject, res.Outcome = "account", s.watch.outcome
		res.Won, res.Lost = successes(rows)
	} else {
		res.Subject, res.Outcome = "deal", OutcomeWon
		res.Won, res.Lost = s.outcomes()
	}
	res.Findings = s.findings(res.Won, res.Lost)
	res.Rows, res.Immature = len(rows), immature
	r.split(rows)
	for _, f := range res.Findings {
		if f.Refuse {
			res.Verdict.Refused = true
			res.Verdict.because(said("%[1]s; needed: %[2]s", "%[3]s。%[4]s", f.Text, f.Need, f.TextJa, f.NeedJa))
			return res
		}
	}
	if len(r.test) == 0 || res.Test.Won == 0 || res.Test.Won == res.Test.Rows || res.Train.Won == 0 || res.Train.Won == res.Train.Rows {
		res.Verdict.Refused = true
		res.Verdict.because(said("before and after %[1]s there must be cuts of deals that were won, and of deals that were not; there are %[2]d of %[3]d before and %[4]d of %[5]d after: choose another day to train until, or weekly cuts",
			"%[1]s の前にも後にも、受注した案件としなかった案件の両方が必要です（前は%[3]d件中%[2]d件、後は%[5]d件中%[4]d件が受注）。学習する期間の最後の日を変えるか、週ごとに見てください",
			res.TrainUntil, res.Train.Won, res.Train.Rows, res.Test.Won, res.Test.Rows))
		return res
	}
	r.judge()
	return res
}

// split parts the rows in time. A row is trained on only if its outcome was known by then.
func (r *run) split(rows []row) {
	until := r.opt.TrainUntil
	if until == engine.NoDate && len(rows) > 0 {
		until = rows[len(rows)*4/5].cut
	}
	for _, row := range rows {
		switch {
		case row.cut > until:
			r.test = append(r.test, row)
		case row.known <= until:
			r.train = append(r.train, row)
		}
	}
	r.result.TrainUntil = until.String()
	r.result.Train, r.result.Test = partOf(r.train), partOf(r.test)
	r.thin()
}

// mostLearned is of how many deals of each outcome points are learned: with so many the standard error of an AUC is 0.01, below
// which no change is proposed, and more would only take longer (decisions/0120). What is learned is tested on all newest deals.
const mostLearned = 1500

// thin leaves some deals of each outcome in the training part, drawn by the seed; each stands for as many as were left out with it.
func (r *run) thin() {
	won := map[int32]bool{}
	for _, row := range r.train {
		won[row.deal] = won[row.deal] || row.won
	}
	draws := [2][]draw{}
	for deal, success := range won {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", r.opt.Seed, r.deals[deal].ID)
		draws[index(success)] = append(draws[index(success)], draw{deal, bits.Reverse64(h.Sum64())}) // the low bits are the well mixed ones
	}
	kept := map[int32]float32{}
	for _, list := range draws {
		slices.SortFunc(list, func(a, b draw) int { return cmp.Or(cmp.Compare(a.lot, b.lot), cmp.Compare(a.deal, b.deal)) })
		some := list[:min(len(list), mostLearned)]
		for _, d := range some {
			kept[d.deal] = float32(len(list)) / float32(len(some))
		}
	}
	if len(kept) == len(won) {
		return
	}
	r.train = slices.DeleteFunc(r.train, func(row row) bool { return kept[row.deal] == 0 })
	for i := range r.train {
		r.train[i].standsFor = kept[r.train[i].deal]
	}
	r.result.Learned = len(kept)
}

// draw is a deal's lot.
type draw struct {
	deal int32
	lot  uint64
}

func partOf(rows []row) Part {
	deals := map[int32]bool{}
	p := Part{Rows: len(rows)}
	for _, r := range rows {
		deals[r.deal] = true
		p.Won += index(r.won)
	}
	p.Deals = len(deals)
	return p
}

// judge compares the table in use with simple orders and, if asked, with a fitted table.
func (r *run) judge() {
	t, res := r.table, r.result
	l := &learning{r.Sample, r.train}
	present := l.fitter(r.train, r.cool(r.train, t.HalfLife), 1).fit(math.Inf(1), nil, 0)
	ahead := r.cool(r.test, t.HalfLife)
	hows, ranks := t.signed()
	scores := ahead.energy(hows, ranks)
	won := wonOf(r.test)
	res.Present = figures(scores, present.logits(t, ahead), won)
	res.Others = r.simple(won)
	own, _, _, _ := compare(scores, scores, won, dealsOf(r.test))
	res.Present.AUC = own
	if !r.opt.Fit {
		res.Verdict.because(said("the table in use was judged; --review proposes another one", "現行の配点表を評価しました。--review で見直し案を作ります"))
		return
	}
	chosen := l.search()
	halfLife, tie := chosen.halfLife, chosen.tie
	trained := r.cool(r.train, halfLife)
	f := l.fitter(r.train, trained, chosen.power)
	only, more := r.onlyWon(r.train, trained)
	res.Findings = append(res.Findings, more...)
	m := f.fit(tie, nil, 6)
	m.halfLife = halfLife
	how, rank := m.integers(f)
	res.HalfLife = &HalfLife{t.HalfLife, halfLife}
	res.Tie, res.RankPower = tie, &chosen.power
	if math.IsInf(tie, 1) {
		res.Tie = -1
		how, rank = nil, nil
		for _, h := range t.How {
			how = append(how, h.Points)
		}
		for _, x := range f.table.Ranks {
			rank = append(rank, x.Points)
		}
	}
	proposed := r.cool(r.test, halfLife)
	next := t.with(how, rank, halfLife)
	nextHow, nextRank := next.signed()
	nextScores := proposed.energy(nextHow, nextRank)
	nf := *f
	nf.table = next
	res.Proposed = figures(nextScores, nf.fit(math.Inf(1), nil, 0).logits(next, proposed), won)
	var gain Estimate
	res.Present.AUC, res.Proposed.AUC, gain, _ = compare(scores, nextScores, won, dealsOf(r.test))
	res.Gain = &gain
	res.Energy = sum(trained.energy(nextHow, nextRank)) / sum(r.cool(r.train, t.HalfLife).energy(hows, ranks))
	res.HalfYear = r.lately(side{t, ahead, scores}, side{next, proposed, nextScores})
	r.weigh(f, m, how, rank, only)
	r.decide()
}

func sum(list []float64) (total float64) {
	for _, v := range list {
		total += v
	}
	return total
}

func dealsOf(rows []row) []int32 {
	list := make([]int32, len(rows))
	for i, r := range rows {
		list[i] = r.deal
	}
	return list
}

// with gives the table with other numbers.
func (t *Table) with(how, rank []float64, halfLife float64) *Table {
	own := *t
	own.How, own.Ranks, own.HalfLife = slices.Clone(t.How), slices.Clone(t.Ranks), halfLife
	for k := range how {
		own.How[k].Points = how[k]
	}
	for k := range rank {
		own.Ranks[k].Points = rank[k]
	}
	return &own
}

// leastGain is the smallest gain of AUC that is worth new points for everybody.
const leastGain = 0.01

// decide says whether the proposed table is better: the gate of §4.9.
func (r *run) decide() {
	res := r.result
	noise := max(leastGain, HanleyMcNeil(min(max(res.Present.AUC.Value, 0.5), 0.99), res.Won, res.Lost))
	g := res.Gain
	v := &res.Verdict
	switch {
	case g.Value < 0:
		v.because(said("no change: on the newest deals the fitted table is worse than the one in use (AUC %.3f against %.3f)",
			"変更なし：新しい案件では、見直し案は現行の配点表より当たりません（AUC %.3f、現行 %.3f）", res.Proposed.AUC.Value, res.Present.AUC.Value))
	case g.Value < noise:
		v.because(said("no change: the fitted table gains %.3f of AUC, no more than chance gives with %d won and %d lost deals (%.3f)",
			"変更なし：AUC の改善 %.3f は、受注%d件・失注%d件では偶然でも出る大きさ（%.3f）を超えません", g.Value, res.Won, res.Lost, noise))
	case res.Proposed.AUC.Low <= 0.5:
		v.because(said("no change: on the newest deals even the fitted table may be a coin (AUC %.3f, %.3f to %.3f); these contacts do not tell how deals end",
			"変更なし：新しい案件では、見直し案でも偶然と区別できません（AUC %.3f、%.3f 〜 %.3f）。これらの接触からは結果を言い当てられません", res.Proposed.AUC.Value, res.Proposed.AUC.Low, res.Proposed.AUC.High))
	case g.Low <= -0.005:
		v.because(said("no change: the fitted table gains %.3f of AUC, but the gain is uncertain (%+.3f to %+.3f)",
			"変更なし：AUC は %.3f 改善しますが、確かとは言えません（%+.3f 〜 %+.3f）", g.Value, g.Low, g.High))
	default:
		v.Change = true
		v.because(said("change: on the newest deals the proposed table ranks better, AUC %.3f instead of %.3f (gain %+.3f to %+.3f)",
			"変更を勧めます：新しい案件で、見直し案のほうが受注を言い当てます（AUC %.3f、現行 %.3f、改善 %+.3f 〜 %+.3f）", res.Proposed.AUC.Value, res.Present.AUC.Value, g.Low, g.High))
	}
}
