package demo

import (
	"cmp"
	"fmt"
	"slices"
)

// firstDay is how many days ago the company began to keep its customers in the CRM.
const firstDay = 500

type deal struct {
	code, name, product string // code: of open deals, which the daily reports name
	amount              int
	closes              int // days from today
	reached             []reached
	crmID               string
}

// reached is a stage of a deal, and how many days ago it was reached.
type reached struct {
	stage string
	ago   int
}

// step is what happens to a deal on one day.
type step struct {
	account *account
	deal    *deal
	reached
}

var (
	openStages = []string{"Prospecting", "Qualification", "Proposal", "Negotiation"}
	projects   = []string{"基幹システム更新", "生産管理の導入", "保守契約の更新", "倉庫管理の刷新", "データ基盤の構築", "営業支援の導入"}
	products   = []string{"基幹システム", "生産管理", "保守サービス", "倉庫管理", "データ基盤", "営業支援"}
)

// dealsOf makes a customer's deals: the open one first, which three of four customers have, then those of the past.
func dealsOf(i int, customer string) []*deal {
	var deals []*deal
	if i%4 != 3 {
		stage := (i + 1) % len(openStages)
		d := &deal{code: fmt.Sprintf("D%04d", i+1), name: customer + " " + projects[i%len(projects)], product: products[i%len(products)],
			amount: 1_200_000 * (i%7 + 1), closes: 20 + 11*i%120}
		for s := 0; s <= stage; s++ {
			d.reached = append(d.reached, reached{openStages[s], 10 + (i*13)%50 + (stage-s)*(12+i%9)})
		}
		deals = append(deals, d)
	}
	for k := range 2 {
		n := i + 16*k
		if n%5 == 4 {
			continue
		}
		product := products[(n+2)%len(products)]
		if n%3 != 1 && product != "保守サービス" {
			product += ";保守サービス"
		}
		d := &deal{name: customer + " " + projects[(n+2)%len(projects)], product: product, amount: 800_000 * (n%9 + 1)}
		at, end := 130+(n*31)%330, "Closed Won"
		if n%4 == 2 {
			end = "Closed Lost"
		}
		for s, stage := range openStages {
			switch {
			case s > 0 && n%6 == s: // a stage that nobody entered
				continue
			case s == 3 && n%8 == 2: // lost before the last talk
				continue
			}
			d.reached = append(d.reached, reached{stage, at})
			at -= 6 + (n*7+s*11)%21
		}
		d.reached = append(d.reached, reached{end, at})
		d.closes = -at
		deals = append(deals, d)
	}
	return deals
}

// steps are what happened to all deals, oldest first.
func steps(customers []*account) []step {
	var all []step
	for _, a := range customers {
		for _, d := range a.deals {
			for _, r := range d.reached {
				all = append(all, step{a, d, r})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b step) int { return cmp.Compare(b.ago, a.ago) })
	return all
}
