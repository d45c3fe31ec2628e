package review

import (
	"fmt"
	"math"
	"math/rand/v2"

	"energyd/engine"
)

// effect is what really drives the outcomes of a made-up company: points of how, factors of who, half-life.
type effect struct {
	how      map[string]float64
	rank     map[string]float64
	halfLife float64
	noise    float64 // of the energy on the day of the close, in its own standard deviations; 0 = outcomes are chance alone
}

// madeKinds are kinds of contact, whose act they are, and how many there are a month of an open deal.
var madeKinds = []struct {
	name      string
	direction engine.Direction
	monthly   float64
}{
	{"mail_sent", engine.Outbound, 7}, {"mail_received", engine.Inbound, 3}, {"phone", engine.Mutual, 2.4}, {"web_meeting", engine.Mutual, 0.9},
	{"visit", engine.Mutual, 0.7}, {"document_request", engine.Inbound, 0.4}, {"seminar", engine.Inbound, 0.3}, {"meal", engine.Mutual, 0.15},
}

var madeRanks = []string{"staff", "manager", "director", "president"}

// made makes n deals of two years with contacts, busy sellers and quiet ones, and outcomes by the effect.
func made(seed uint64, n int, e effect) ([]Deal, []engine.Activity) {
	rng := rand.New(rand.NewPCG(seed, 7))
	start := engine.DateOf(2024, 1, 1)
	var deals []Deal
	var acts []engine.Activity
	energies := make([]float64, n)
	for i := range n {
		days := int(20 + 100*rng.Float64()*rng.Float64()*1.6)
		d := Deal{ID: fmt.Sprintf("D%05d", i), Account: fmt.Sprintf("A%04d", i%(n/3+1)), Opened: start + engine.Date(rng.IntN(640))}
		d.Closed = d.Opened + engine.Date(days)
		busy := math.Exp(0.5 * rng.NormFloat64())
		keen := math.Exp(0.5 * rng.NormFloat64())
		for _, k := range madeKinds {
			rate := k.monthly * busy
			if k.direction == engine.Inbound {
				rate = k.monthly * keen
			}
			for day := rng.ExpFloat64() * 30 / rate; day < float64(days); day += rng.ExpFloat64() * 30 / rate {
				a := engine.Activity{
					Source: "crm", ID: fmt.Sprint(len(acts)), Kind: k.name, Direction: k.direction, Date: d.Opened + engine.Date(day), Account: d.Account,
					People: []engine.Participant{{Rank: madeRanks[rng.IntN(len(madeRanks))]}},
				}
				if rng.IntN(5) > 0 {
					a.Deals = []engine.Share{{ID: d.ID}}
				}
				acts = append(acts, a)
				energies[i] += e.how[k.name] * e.rank[a.People[0].Rank] * math.Exp2(-(float64(days)-math.Floor(day))/e.halfLife)
			}
		}
		deals = append(deals, d)
	}
	mean, square := 0.0, 0.0
	for _, v := range energies {
		mean += v / float64(n)
	}
	for _, v := range energies {
		square += (v - mean) * (v - mean) / float64(n)
	}
	for i := range deals {
		z := 0.0
		if e.noise > 0 {
			z = 2.2 * (energies[i] - mean) / math.Sqrt(square) / e.noise
		}
		deals[i].Won = rng.Float64() < sigmoid(z)
	}
	return deals, acts
}

// madeTable is a usual hand-made table for it.
func madeTable(halfLife float64) *engine.PointsConfig {
	return tableOf(halfLife,
		map[string]float64{"mail_sent": 1, "mail_received": 2, "phone": 3, "web_meeting": 5, "visit": 10, "document_request": 3, "seminar": 3, "meal": 10},
		map[string]float64{"staff": 1, "manager": 1.2, "director": 2, "president": 3})
}

var (
	effectFar = effect{
		how:  map[string]float64{"mail_sent": 0, "mail_received": 5, "phone": 0, "web_meeting": 4, "visit": 1, "document_request": 4, "seminar": 3, "meal": 0.5},
		rank: map[string]float64{"staff": 1.2, "manager": 1, "director": 1, "president": 0.8}, halfLife: 10, noise: 0.5,
	}
	effectNear = effect{
		how:  map[string]float64{"mail_sent": 0, "mail_received": 3, "phone": 1.5, "web_meeting": 3, "visit": 5, "document_request": 2.5, "seminar": 2, "meal": 4},
		rank: map[string]float64{"staff": 0.6, "manager": 1, "director": 1.5, "president": 2.4}, halfLife: 30, noise: 1,
	}
)

func tableOf(halfLife float64, how, rank map[string]float64) *engine.PointsConfig {
	one := 1.0
	c := &engine.PointsConfig{
		Version: "hand", Timezone: "Asia/Tokyo", HalfLifeDays: halfLife, Mode: "multiply", KeymanFactor: 1, CcFactor: 1, CueLimit: 2,
		Kinds: map[string]engine.KindConfig{}, Ranks: map[string]engine.RankConfig{engine.UnknownRank: {Points: &one}},
		AdditionalParticipants: engine.AdditionalParticipants{Share: 0.25, Limit: 2}, Bands: []engine.BandConfig{{Name: "cold"}},
	}
	for name, p := range how {
		c.Kinds[name] = engine.KindConfig{Points: &p}
	}
	for name, p := range rank {
		c.Ranks[name] = engine.RankConfig{Points: &p, Class: "staff"}
	}
	return c
}
