package matching

import (
	"slices"
	"strings"
)

// compareLatin compares the sorted words of two names in Latin letters.
func compareLatin(a, b []string) Comparison {
	switch {
	case len(a) == 0 || len(b) == 0:
		return Comparison{Different, 0, "other names"}
	case !slices.Equal(a, b) && (strings.Join(a, "") == strings.Join(b, "") || partedOtherwise(a, b) || partedOtherwise(b, a)):
		return Comparison{Likely, 0.85, "the same letters, parted otherwise"}
	case slices.Equal(a, b) && len(a) > 1 && !slices.ContainsFunc(a, func(w string) bool { return len(w) == 1 }):
		return Comparison{Same, 1, "the same name"}
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	// Each word of the shorter name needs its own in the longer one.
	rest, exact, folded, initials := slices.Clone(b), 0, 0, 0
	for pass := range 3 {
		var left []string
		for _, w := range a {
			i := slices.IndexFunc(rest, func(other string) bool {
				switch pass {
				case 0:
					return w == other
				case 1:
					return plainRomaji(w) == plainRomaji(other) || bareVowels.Replace(w) == bareVowels.Replace(other)
				}
				return (len(w) == 1 || len(other) == 1) && w[0] == other[0]
			})
			if i < 0 {
				left = append(left, w)
				continue
			}
			rest = slices.Delete(rest, i, i+1)
			*[...]*int{&exact, &folded, &initials}[pass]++
		}
		a = left
	}
	switch {
	case len(a) > 0 || exact+folded == 0:
		return Comparison{Different, 0, "other names"}
	case initials > 0:
		return Comparison{Likely, 0.7, "the same but for initials"}
	case exact+folded == 1:
		return Comparison{Likely, 0.6, "a part of the name alone"}
	case len(rest) > 0:
		return Comparison{Likely, 0.8, "the same but for a middle name"}
	}
	return Comparison{Likely, 0.85, "the same but for the way of writing in Latin letters"}
}

// partedOtherwise tells that two words of b are one of a: Jiwoo, Ji-woo.
func partedOtherwise(a, b []string) bool {
	if len(b) != len(a)+1 {
		return false
	}
	for i := range b {
		for j := range b {
			if i == j || !slices.Contains(a, b[i]+b[j]) {
				continue
			}
			joined := []string{b[i] + b[j]}
			for k, w := range b {
				if k != i && k != j {
					joined = append(joined, w)
				}
			}
			if slices.Sort(joined); slices.Equal(joined, a) {
				return true
			}
		}
	}
	return false
}
