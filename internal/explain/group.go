package explain

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// GroupAccount is what one account gives to a group.
type GroupAccount struct {
	ID       string  `json:"id"`
	Name     string  `json:"name,omitempty"`
	Points   float64 `json:"points"`       // earned while it stood in the group
	Share    float64 `json:"points_today"` // what is left of them, to the thousandth; they add up to the group's
	Contacts int     `json:"contacts"`     // contacts that count
}

// groupAccounts adds up the parts of a group by account, the largest first.
func (x *Explainer) groupAccounts(acts []engine.Activity, parts []engine.Part) ([]GroupAccount, error) {
	var list []GroupAccount
	var milli []int64
	var shares []float64
	at := map[string]int{}
	for _, p := range parts {
		id := acts[p.Activity].Account
		i, known := at[id]
		if !known {
			i = len(list)
			at[id] = i
			name, err := x.name(engine.Entity{Kind: engine.Account, ID: id})
			if err != nil {
				return nil, err
			}
			list, milli, shares = append(list, GroupAccount{ID: id, Name: name}), append(milli, 0), append(shares, 0)
		}
		list[i].Contacts++
		milli[i] += p.Milli
		shares[i] += p.Share
	}
	for i, whole := range thousandths(shares) {
		list[i].Points, list[i].Share = float64(milli[i])/1000, float64(whole)/1000
	}
	slices.SortFunc(list, func(a, b GroupAccount) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Points, a.Points), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// thousandths rounds points to thousandths that add up to the rounded sum: the
// largest remainders are rounded up, of equal ones the first.
func thousandths(points []float64) []int64 {
	sum, left := 0.0, int64(0)
	whole, order := make([]int64, len(points)), make([]int, len(points))
	rest := make([]float64, len(points))
	for i, f := range points {
		sum += f
		floor := math.Floor(f * 1000)
		whole[i], rest[i], order[i] = int64(floor), f*1000-floor, i
		left -= whole[i]
	}
	left += int64(math.Round(sum * 1000))
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(rest[j], rest[i]) })
	for _, i := range order[:min(max(left, 0), int64(len(order)))] {
		whole[i]++
	}
	return whole
}
