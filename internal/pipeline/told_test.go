package pipeline

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/store"
)

// TestTold holds what is gathered in passing against all statements sorted by
// date: of each day the highest title, of equal ones in a row the first. The same
// contacts come in several accounts, and dates not always in order.
func TestTold(t *testing.T) {
	t.Parallel()
	table, err := config.LoadPoints("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	points, err := engine.Compile(table)
	if err != nil {
		t.Fatal(err)
	}
	titles, err := config.LoadTitles("../../configs/titles.yaml", points.Ranks())
	if err != nil {
		t.Fatal(err)
	}
	r := &ranks{titles: titles, points: points, zone: time.FixedZone("JST", 9*3600), today: engine.NoDate}
	random := rand.New(rand.NewPCG(3, 1))
	spelled := []string{"", "担当", "課長", "Manager", "部長", "星を見る人"}
	for contacts := range 5 {
		var acts []engine.Activity
		for range 300 {
			a := engine.Activity{Account: fmt.Sprint("a", random.IntN(2)), Date: engine.DateOf(2026, 4, 1+random.IntN(28)), Status: engine.Status(random.IntN(5) / 4 * 2)}
			for range random.IntN(3) {
				a.People = append(a.People, engine.Participant{Contact: fmt.Sprint("p", random.IntN(1+10*contacts)), Title: spelled[random.IntN(len(spelled))]})
			}
			acts = append(acts, a)
		}
		for _, unsorted := range []bool{false, true} {
			if !unsorted { // as the store gives them
				slices.SortStableFunc(acts, func(a, b engine.Activity) int {
					return before(a.Account, b.Account, int(a.Date), int(b.Date))
				})
			}
			told := &told{ranks: r, contacts: map[string]*career{}, texts: map[string]string{}}
			for i := range acts {
				told.add(&acts[i])
			}
			got, err := told.all(all(acts))
			if err != nil {
				t.Fatal(err)
			}
			byContact := func(a, b store.Told) int {
				return before(a.Contact, b.Contact, int(a.Since.Unix()), int(b.Since.Unix()))
			}
			slices.SortFunc(got, byContact)
			want := naively(r, acts)
			slices.SortFunc(want, byContact)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d contacts, unsorted %v: %s", 1+10*contacts, unsorted, diff)
			}
		}
	}
}

// before compares texts, then numbers.
func before(a, b string, x, y int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return x - y
}

func all(acts []engine.Activity) iter.Seq2[engine.Activity, error] {
	return func(yield func(engine.Activity, error) bool) {
		for _, a := range acts {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// naively finds of each day the highest title that was told, and leaves out the days that tell nothing new.
func naively(r *ranks, acts []engine.Activity) (list []store.Told) {
	highest := map[string]map[engine.Date]string{}
	for _, a := range acts {
		for _, p := range a.People {
			rank, ok := r.titles.Rank(p.Title)
			if a.Status == engine.Cancelled || !ok || rank == "" {
				continue
			}
			if highest[p.Contact] == nil {
				highest[p.Contact] = map[engine.Date]string{}
			}
			if was := highest[p.Contact][a.Date]; was == "" || r.titles.Compare(p.Title, was) > 0 {
				highest[p.Contact][a.Date] = p.Title
			}
		}
	}
	for contact, days := range highest {
		last := ""
		for date := engine.DateOf(2026, 4, 1); date < engine.DateOf(2026, 5, 1); date++ {
			if title := days[date]; title != "" && title != last {
				list = append(list, store.Told{Contact: contact, Since: r.midnight(date).UTC(), Title: title})
				last = title
			}
		}
	}
	return list
}
