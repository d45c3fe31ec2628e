package matching

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Verdict says how two records stand to each other.
type Verdict int

// The verdicts.
const (
	Different Verdict = iota
	Likely            // a person decides
	Same              // may be linked by itself, when there is no second
)

// String is the verdict's word.
func (v Verdict) String() string { return [...]string{"different", "likely", "same"}[v] }

// Comparison is a verdict with its score and reason.
type Comparison struct {
	Verdict Verdict
	Score   float64 // 0 to 1: for the order of proposals only
	Reason  string  // "other legal form", for people
}

const noName = "no name"

// Compare compares two companies by their names alone.
func Compare(a, b Company) Comparison {
	if a.Core == "" || b.Core == "" {
		return Comparison{Different, 0, noName}
	}
	if len(a.Others) > 0 || len(b.Others) > 0 {
		for _, x := range append([]Company{a}, a.Others...) {
			for _, y := range append([]Company{b}, b.Others...) {
				if x.strong != "" && x.strong == y.strong {
					return Comparison{Likely, 0.9, "a former or a second name"}
				}
			}
		}
	}
	switch {
	case a.Form == private && (b.Form == "pte ltd" || b.Form == "pvt ltd"):
		a.Form = b.Form
	case b.Form == private && (a.Form == "pte ltd" || a.Form == "pvt ltd"):
		b.Form = a.Form
	}
	otherForms := a.Form != "" && b.Form != "" && a.Form != b.Form
	long := longVowels(a.Core)
	switch {
	case a.Core+a.Site == b.Core+b.Site && a.Form == b.Form && a.Place == b.Place && a.Form != "":
		if a.Site != b.Site { // 梓川工業松本工場, 梓川工業 松本工場
			return Comparison{Same, 1, "the same name, legal form and site"}
		}
	case a.Core != b.Core && long != longVowels(b.Core):
		return otherCores(a, b, otherForms)
	}
	switch {
	case otherForms && a.foreign != b.foreign:
		return Comparison{Likely, 0.9, "the legal form is written in another language"}
	case otherForms && kin[a.Form] != "" && kin[a.Form] == kin[b.Form]:
		return Comparison{Likely, 0.8, "a related legal form: " + a.Form + ", " + b.Form}
	case otherForms && a.foreign:
		return Comparison{Likely, 0.8, "another legal form: " + a.Form + ", " + b.Form}
	case otherForms:
		return Comparison{Different, 0.5, "another legal form: " + a.Form + ", " + b.Form}
	case a.Site != b.Site:
		return Comparison{Likely, 0.95, "a site of the company: " + a.Site + b.Site}
	case a.Form != b.Form:
		return Comparison{Likely, 0.97, "one is written without its legal form"}
	case a.Place != b.Place && a.Place != Nowhere && b.Place != Nowhere:
		return Comparison{Likely, 0.9, "the legal form stands in front of one name and behind the other"}
	case short(long) && a.text != b.text:
		return Comparison{Likely, 0.97, "a name so short that many companies have it"}
	}
	return Comparison{Same, 1, "the same name and legal form"}
}

func otherCores(a, b Company, otherForms bool) Comparison {
	if otherForms && a.foreign == b.foreign {
		return Comparison{Different, 0, "other names and legal forms"}
	}
	if a.strong == b.strong {
		return Comparison{Likely, 0.85, "the same but for old characters, lengthening marks or abbreviations"}
	}
	if !otherForms && sameStem(a, b) {
		return Comparison{Likely, 0.8, "a site of the company, as it seems"}
	}
	if !otherForms && (a.head != "" && (a.head == b.Core || a.head == b.head) || b.head != "" && b.head == a.Core) {
		return Comparison{Likely, 0.6, "the same name, and more behind it"}
	}
	if s := similarity(a.strong, b.strong); s >= nearly && !telling(a.strong, b.strong) {
		return Comparison{Likely, 0.8 * s, "nearly the same letters"}
	}
	if reason, ok := alike(&a, &b); ok {
		return Comparison{Likely, 0.6, reason}
	}
	return Comparison{Different, 0, "other names"}
}

// sameStem tells that two names are the same but for a site behind them.
func sameStem(a, b Company) bool {
	in := func(a, b Company) bool {
		return slices.Contains(a.stems, b.Core) || slices.ContainsFunc(a.stems, func(s string) bool { return slices.Contains(b.stems, s) })
	}
	return in(a, b) || in(b, a)
}

// nearly is the similarity from which two names may be one with a slip of the pen.
const nearly = 0.85

// maxEdits is how many letters of that many may differ in names that are nearly the same.
func maxEdits(letters int) int { return int((1 - nearly) * float64(letters)) }

// short tells that a name is too short to be one company's alone: 協和, ABC.
func short(core string) bool {
	if japanese(core) {
		return len([]rune(core)) <= 2
	}
	return len(core) <= 3
}

// similarity is 1 − edit distance / length.
func similarity(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) < len(y) {
		x, y = y, x
	}
	if len(x) == 0 || len(x) > 100 {
		return 0
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		last := row[0]
		row[0] = i + 1
		for j := range y {
			cost := last
			if x[i] != y[j] {
				cost++
			}
			last, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return 1 - float64(row[len(y)])/float64(len(x))
}

// telling reports that the difference is one that companies are told apart by: a Kanji, a digit, more than a letter or two.
func telling(a, b string) bool {
	for strings.HasPrefix(a, firstRune(b)) && b != "" && a != "" {
		n := len(firstRune(b))
		a, b = a[n:], b[n:]
	}
	for a != "" && b != "" && lastRune(a) == lastRune(b) {
		a, b = a[:len(a)-len(lastRune(a))], b[:len(b)-len(lastRune(b))]
	}
	han := strings.ContainsFunc(a+b, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	return han || strings.ContainsAny(a+b, "0123456789") || utf8.RuneCountInString(a) > 2 || utf8.RuneCountInString(b) > 2
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

func lastRune(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	return string(r[len(r)-1])
}
