package matching

import (
	"encoding/csv"
	"os"
	"testing"
)

func pairs(t testing.TB, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// labels of the shared and own sets: ambiguous is what must never be linked by its name alone.
var labels = map[string]Verdict{"same": Same, "ambiguous": Likely, "different": Different}

func TestCompare_sharedPairs(t *testing.T) {
	for _, p := range pairs(t, "../../../shared/data/names/company_pairs.csv") {
		got := Compare(ParseCompany(p[0]), ParseCompany(p[1]))
		if want := labels[p[2]]; got.Verdict == Same && want != Same || want == Same && got.Verdict != Same {
			t.Errorf("%s | %s: %v (%s), want %v\n%+v\n%+v", p[0], p[1], got.Verdict, got.Reason, want, ParseCompany(p[0]), ParseCompany(p[1]))
		} else if got.Verdict != want {
			t.Logf("%s | %s: %v (%s), want %v", p[0], p[1], got.Verdict, got.Reason, want)
		}
	}
}

// TestCompare_ownPairs holds what is promised: what is linked by itself is right in 99.5 of 100 cases, and of what is
// the same 95 of 100 are linked.
func TestCompare_ownPairs(t *testing.T) {
	rows := pairs(t, "testdata/company_pairs.csv")
	if len(rows) < 2000 {
		t.Fatalf("only %d pairs", len(rows))
	}
	linked, right, same := 0, 0, 0
	for _, p := range rows {
		got, want := Compare(ParseCompany(p[0]), ParseCompany(p[1])), labels[p[2]]
		if want == Same {
			same++
		}
		if got.Verdict == Same {
			linked++
			if want == Same {
				right++
			} else {
				t.Logf("linked though %s: %s | %s", p[2], p[0], p[1])
			}
		} else if want == Same {
			t.Logf("not linked: %s | %s: %s", p[0], p[1], got.Reason)
		}
		if got.Verdict == Different && want == Likely {
			t.Logf("not proposed: %s | %s: %s", p[0], p[1], got.Reason)
		}
	}
	precision, recall := float64(right)/float64(linked), float64(right)/float64(same)
	t.Logf("%d pairs: precision %.4f, recall %.4f", len(rows), precision, recall)
	if precision < 0.995 || recall < 0.95 {
		t.Errorf("precision %.4f, recall %.4f", precision, recall)
	}
}

// Whatever the names, comparing is the same both ways, and a name is the same as itself.
func FuzzCompare(f *testing.F) {
	for _, p := range pairs(f, "testdata/company_pairs.csv")[:40] {
		f.Add(p[0], p[1])
	}
	f.Add("旧・(現 ", "株式会社株式会社")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := ParseCompany(a), ParseCompany(b)
		if there, back := Compare(x, y), Compare(y, x); there.Verdict != back.Verdict {
			t.Errorf("%q, %q: %v, and back %v", a, b, there, back)
		}
		if itself := Compare(x, ParseCompany(a)); x.Core != "" && len(x.Others) == 0 && itself.Verdict != Same {
			t.Errorf("%q is not the same as itself: %v", a, itself)
		}
	})
}

func BenchmarkParseCompany(b *testing.B) {
	for b.Loop() {
		ParseCompany("株式会社青葉製作所 大阪支店")
	}
}
