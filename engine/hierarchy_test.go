package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/engine"
)

func TestHierarchy_Groups(t *testing.T) {
	place := func(account string, since engine.Date, parent string) engine.Placement {
		return engine.Placement{Account: account, Since: day0 + since, Parent: parent}
	}
	chain := []engine.Placement{place("site", 0, "company"), place("company", 0, "group")}
	for _, c := range []struct {
		name    string
		links   []engine.Placement
		today   bool
		account string
		day     engine.Date
		want    []string
	}{
		{"nobody stands under anybody", nil, false, "site", 0, nil},
		{"a site counts for its company and its group", chain, false, "site", 5, []string{"company", "group"}},
		{"a company that has sites counts for itself too", chain, false, "company", 5, []string{"company", "group"}},
		{"the group counts for itself", chain, false, "group", 5, []string{"group"}},
		{"the first link holds before it was told", chain, false, "site", -100, []string{"company", "group"}},
		{"the day before a move", append(chain, place("site", 10, "other")), false, "site", 9, []string{"company", "group"}},
		{"the day of a move", append(chain, place("site", 10, "other")), false, "site", 10, []string{"other"}},
		{"a company that was sold", append(chain, place("company", 10, "")), false, "site", 11, []string{"company"}},
		{"today's place for all days", append(chain, place("site", 10, "other")), true, "site", 0, []string{"other"}},
		{"two in a circle", []engine.Placement{place("a", 0, "b"), place("b", 0, "a")}, false, "a", 0, []string{"a"}},
		{"under itself", []engine.Placement{place("a", 0, "a")}, false, "a", 0, []string{"a"}},
		{"below a circle", []engine.Placement{place("a", 0, "b"), place("b", 0, "a"), place("site", 0, "a")}, false, "site", 0, []string{"a"}},
		{"a circle that began later", append(chain, place("group", 0, ""), place("group", 10, "company")), false, "site", 9, []string{"company", "group"}},
		{"a circle that began", append(chain, place("group", 0, ""), place("group", 10, "company")), false, "site", 10, []string{"company"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, engine.NewHierarchy(c.links, c.today).Groups(nil, c.account, day0+c.day)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHierarchy_Circles(t *testing.T) {
	h := engine.NewHierarchy([]engine.Placement{{"a", 0, "b"}, {"b", 0, "c"}, {"c", 0, "a"}, {"below", 0, "a"}, {"itself", 0, "itself"}, {"once", 0, "once"}, {"once", 1, "a"}}, false)
	if diff := cmp.Diff([]string{"a", "b", "c", "itself"}, h.Circles()); diff != "" {
		t.Error(diff)
	}
}

// Each activity counts once for each level, and what an account earned before it moved stays where it was.
func TestHierarchy_RollUp(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(t *rapid.T) {
		var links []engine.Placement
		for _, a := range names {
			links = append(links, engine.Placement{Account: a, Since: day0, Parent: rapid.SampledFrom(append(names, "")).Draw(t, "parent")})
		}
		for range rapid.IntRange(0, 5).Draw(t, "moves") {
			links = append(links, engine.Placement{Account: rapid.SampledFrom(names).Draw(t, "account"), Since: day0 + engine.Date(rapid.IntRange(1, 9).Draw(t, "day")),
				Parent: rapid.SampledFrom(append(names, "")).Draw(t, "to")})
		}
		type cell struct {
			group string
			date  engine.Date
		}
		rolled := func(links []engine.Placement, seed int) map[cell]int64 {
			h, sums := engine.NewHierarchy(links, false), map[cell]int64{}
			for i := range 40 {
				c := engine.Contribution{Entity: engine.Entity{Kind: engine.Account, ID: names[(i*7+seed)%len(names)]}, Cell: engine.Cell{Date: day0 + engine.Date(i%10), Milli: 1000}}
				var seen []string
				h.RollUp(c, func(up engine.Contribution) {
					if up.Entity.Kind != engine.CompanyGroup || up.Cell != c.Cell || slices.Contains(seen, up.Entity.ID) {
						t.Fatalf("%+v gives %+v after %v", c, up, seen)
					}
					seen = append(seen, up.Entity.ID)
					sums[cell{up.Entity.ID, up.Date}] += up.Milli
				})
				if want := above(links, c.Entity.ID, c.Date); fmt.Sprint(seen) != fmt.Sprint(want) {
					t.Fatalf("%v on day %d counts for %v, want %v\n%v", c.Entity.ID, c.Date-day0, seen, want, links)
				}
			}
			return sums
		}
		seed := rapid.IntRange(0, 4).Draw(t, "seed")
		before := rolled(links, seed)
		day := day0 + engine.Date(rapid.IntRange(1, 9).Draw(t, "move"))
		mover, to := rapid.SampledFrom(names).Draw(t, "mover"), rapid.SampledFrom(append(names, "")).Draw(t, "target")
		moved := slices.DeleteFunc(slices.Clone(links), func(l engine.Placement) bool { return l.Account == mover && l.Since >= day })
		after := rolled(append(moved, engine.Placement{Account: mover, Since: day, Parent: to}), seed)
		was := func(group string) bool { // else its own energy is new, of all days
			return slices.ContainsFunc(links, func(l engine.Placement) bool { return l.Parent == group })
		}
		is := func(group string) bool {
			return slices.ContainsFunc(moved, func(l engine.Placement) bool { return l.Parent == group }) || to == group
		}
		for _, g := range names {
			for d := day0; d < day; d++ {
				if was(g) && is(g) && before[cell{g, d}] != after[cell{g, d}] {
					t.Fatalf("%s moved to %q on day %d: %s had %d on day %d, and has %d\n%v", mover, to, day-day0, g, before[cell{g, d}], d-day0, after[cell{g, d}], links)
				}
			}
		}
	})
}

// above says in another way for which groups an account counts on a date.
func above(links []engine.Placement, account string, d engine.Date) []string {
	parent := map[string]string{}
	since := map[string]engine.Date{}
	groups := map[string]bool{}
	for _, l := range links {
		groups[l.Parent] = true
		if _, told := since[l.Account]; !told || l.Since <= d && l.Since >= since[l.Account] {
			parent[l.Account], since[l.Account] = l.Parent, l.Since
		}
	}
	circles := map[string]bool{}
	for a := range parent {
		at := a
		for range len(parent) + 1 {
			if at = parent[at]; at == a {
				circles[a] = true
			}
		}
	}
	var out []string
	if groups[account] {
		out = append(out, account)
	}
	for at := account; !circles[at] && parent[at] != ""; {
		at = parent[at]
		out = append(out, at)
	}
	return out
}
