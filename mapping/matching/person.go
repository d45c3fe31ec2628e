package matching

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PersonName is a person's name, taken apart.
type PersonName struct {
	words   []string // folded, without courtesies, titles and departments
	full    string   // all of them in one
	strong  string   // full folded further: old characters, lengthening marks
	kana    []string // how it is read, in Hiragana: of a name in Kana itself, or where a reading is given
	latin   []string // in Latin letters, sorted: of a name in them itself, or where it is given in brackets
	foreign bool     // written in Latin letters
}

// personCourtesies stand behind a name.
var personCourtesies = []string{"様", "さま", "さん", "殿", "氏", "君", "先生", "-san", " san", "-sama", " sama"}

// latinCourtesies are words of their own before or behind a name in Latin letters.
var latinCourtesies = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "dr": true, "prof": true, "sir": true, "herr": true, "frau": true, "san": true, "sama": true, "phd": true, "mba": true,
}

// titleEndings end a title behind a name (山田部長), or a word that is one (営業部長 山田太郎).
var titleEndings = []string{
	"社長", "会長", "副会長", "専務", "常務", "取締役", "監査役", "執行役員", "役員", "本部長", "事業部長", "部長", "次長", "課長", "係長", "主任", "室長", "所長", "支店長", "支社長",
	"工場長", "店長", "局長", "院長", "園長", "校長", "理事長", "理事", "主査", "主幹", "参事", "教授", "代表", "代理", "補佐", "担当", "リーダー", "マネージャー", "マネジャー", "秘書",
}

// departmentEndings end a word that is a part of a company, when a name stands beside it.
var departmentEndings = []string{"部", "課", "室", "係", "局", "グループ", "チーム", "支店", "営業所", "工場", "事業所", "センター"}

// ParsePerson takes a person's name apart. reading is how it is read, in Kana
// or Latin letters; "" where none is given.
func ParsePerson(name, reading string) PersonName {
	s := fold(name)
	if before, inside, ok := strings.Cut(s, "("); ok {
		inside, after, _ := strings.Cut(inside, ")")
		if s = strings.TrimSpace(before + " " + after); reading == "" && s != "" {
			reading = inside
		}
	}
	var p PersonName
	p.words = nameWords(s)
	p.full = strings.Join(p.words, "")
	p.strong = stronger(p.full)
	p.foreign = p.full != "" && !japanese(p.full)
	switch {
	case p.foreign:
		p.latin = slices.Sorted(slices.Values(p.words))
	case inKana(p.full):
		p.kana = hiragana(p.words)
	}
	if words := nameWords(fold(reading)); len(words) > 0 {
		switch all := strings.Join(words, ""); {
		case p.kana == nil && inKana(all):
			p.kana = hiragana(words)
		case p.latin == nil && !japanese(all):
			p.latin = slices.Sorted(slices.Values(words))
		}
	}
	return p
}

// Key is the name in the form by which decisions are kept; "" when there is none.
func (p *PersonName) Key() string { return strings.Join(p.words, " ") }

// nameWords are the words of a folded text that are the name itself.
func nameWords(s string) []string {
	s = withoutEnd(s, personCourtesies)
	s = strings.NewReplacer(".", " ", ",", " ", "、", " ", "・", " ", "'", "", "’", "", "/", " ").Replace(s)
	if !japanese(s) {
		s = strings.ReplaceAll(s, "-", " ")
	}
	var words []string
	for _, w := range strings.Fields(s) {
		if w = letters(w); w != "" && !latinCourtesies[w] {
			words = append(words, w)
		}
	}
	if !japanese(s) {
		return words
	}
	for len(words) > 1 && (endsWith(words[0], titleEndings) || endsWith(words[0], departmentEndings)) {
		words = words[1:]
	}
	for len(words) > 1 && endsWith(words[len(words)-1], titleEndings) {
		words = words[:len(words)-1]
	}
	if len(words) > 0 { // 山田部長; a title alone is no name
		last := withoutEnd(words[len(words)-1], personCourtesies)
		for end := ""; end != last; {
			end = last
			last = strings.TrimSuffix(cutEnd(last, titleEndings), "副")
		}
		if words[len(words)-1] = last; last == "" {
			words = words[:len(words)-1]
		}
	}
	return words
}

// withoutEnd cuts the endings from a text until none is left, but not all of the text.
func withoutEnd(s string, endings []string) string {
	for {
		cut := strings.TrimSpace(cutEnd(s, endings))
		if cut == s || cut == "" {
			return s
		}
		s = cut
	}
}

func cutEnd(s string, endings []string) string {
	for _, end := range endings {
		if rest, ok := strings.CutSuffix(s, end); ok {
			return rest
		}
	}
	return s
}

func endsWith(s string, endings []string) bool {
	return slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(s, end) })
}

// ComparePeople compares two people of one company by their names alone.
func ComparePeople(a, b PersonName) Comparison {
	switch {
	case a.full == "" || b.full == "":
		return Comparison{Different, 0, noName}
	case a.foreign && b.foreign:
		return compareLatin(a.latin, b.latin)
	case a.foreign != b.foreign || inKana(a.full) != inKana(b.full):
		return compareReadings(a, b)
	case a.full == b.full || reversed(a.words, b.words):
		return sameLetters(a, b)
	case a.strong == b.strong:
		return Comparison{Likely, 0.9, "the same but for old characters or lengthening marks"}
	case alone(a, b) || alone(b, a):
		return Comparison{Likely, 0.6, "a part of the name alone"}
	case len(a.kana) > 0 && !inKana(a.full) && strings.Join(a.kana, "") == strings.Join(b.kana, ""):
		return Comparison{Likely, 0.7, "the same reading, other characters"}
	}
	return Comparison{Different, 0, "other names"}
}

// sameLetters compares names of the same letters.
func sameLetters(a, b PersonName) Comparison {
	switch {
	case len(a.kana) > 0 && len(b.kana) > 0 && !reversed(a.kana, b.kana) && strings.Join(a.kana, "") != strings.Join(b.kana, ""):
		return Comparison{Likely, 0.8, "the same name, read otherwise"}
	case len(a.words) > 1 && len(b.words) > 1 && !slices.Equal(a.words, b.words) && !reversed(a.words, b.words):
		return Comparison{Likely, 0.8, "the same letters, parted otherwise"}
	case len(a.words) < 2 && len(b.words) < 2 && utf8.RuneCountInString(a.full) < 4: // 山田, 長谷川
		return Comparison{Likely, 0.8, "a family name alone"}
	}
	return Comparison{Same, 1, "the same name"}
}

// reversed tells names of two words with the given name first in one of them.
func reversed(a, b []string) bool {
	return len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

// alone tells that a is a part of b's name: the family name, or the given name.
func alone(a, b PersonName) bool {
	switch {
	case len(a.words) > 1:
		return false
	case len(b.words) > 1:
		return slices.Contains(b.words, a.full)
	}
	rest, ok := strings.CutPrefix(b.full, a.full)
	return ok && utf8.RuneCountInString(rest) <= 3
}

// compareReadings compares names in different scripts, which are never linked
// by that alone: namesakes by ear are common.
func compareReadings(a, b PersonName) Comparison {
	if len(a.latin) == 0 && len(b.latin) == 0 || !a.foreign && !b.foreign {
		x, y := a.kana, b.kana
		switch {
		case len(x) == 0 || len(y) == 0:
		case strings.Join(x, "") == strings.Join(y, "") || reversed(x, y):
			return Comparison{Likely, 0.85, "the same reading"}
		case len(x) == 1 && slices.Contains(y, x[0]) || len(y) == 1 && slices.Contains(x, y[0]):
			return Comparison{Likely, 0.5, "a part of the name alone, by its reading"}
		}
		return Comparison{Different, 0, "other names"}
	}
	c := compareLatin(a.inLatin(), b.inLatin())
	if c.Verdict != Different {
		return Comparison{Likely, min(c.Score, 0.8), "the same in Latin letters"}
	}
	return Comparison{Different, 0, "other names"}
}

// inLatin is the name in Latin letters, by its reading where it is not written so.
func (p *PersonName) inLatin() []string {
	if len(p.latin) > 0 {
		return p.latin
	}
	var words []string
	for _, w := range p.kana {
		words = append(words, romaji(w))
	}
	slices.Sort(words)
	return words
}

// compareLatin compares the sorted words of two names in Latin letters.
func compareLatin(a, b []string) Comparison {
	switch {
	case len(a) == 0 || len(b) == 0:
		return Comparison{Different, 0, "other names"}
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
					return plainRomaji(w) == plainRomaji(other)
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

// inKana tells that a text is in Hiragana or Katakana alone.
func inKana(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.Hiragana, unicode.Katakana) && r != 'ー'
	})
}

// hiragana writes words in Kana in Hiragana.
func hiragana(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.Map(func(r rune) rune {
			if r >= 'ァ' && r <= 'ヶ' {
				return r - 'ァ' + 'ぁ'
			}
			return r
		}, w)
	}
	return out
}
