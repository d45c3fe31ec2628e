package matching

import "testing"

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

func TestFormsIn_KnowsThemAll(t *testing.T) {
	for _, f := range forms {
		if len(formsIn(f.written)) == 0 {
			t.Errorf("no form is looked for in %q", f.written)
		}
	}
}
