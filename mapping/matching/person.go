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
	former  []string // other family names that are told in brackets: 佐野 花子(旧姓 山本)
	doubt   bool     // of somebody who was this once: 元担当 田村健一
}

// personCourtesies stand behind a name.
var personCourtesies = []string{"様", "さま", "さん", "殿", "氏", "君", "くん", "先生", "-san", " san", "-sama", " sama"}

// latinCourtesies are words of their own before or behind a name in Latin letters.
var latinCourtesies = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "dr": true, "prof": true, "sir": true, "herr": true, "frau": true, "san": true, "sama": true, "phd": true, "mba": true,
}

// titleEndings end a title behind a name (山田部長), or a word that is one (営業部長 山田太郎).
var titleEndings = []string{
	"社長", "会長", "副会長", "専務", "常務", "取締役", "監査役", "執行役員", "役員", "本部長", "事業部長", "部長", "次長", "課長", "係長", "主任", "室長", "所長", "支店長", "支社長",
	"工場長", "店長", "局長", "院長", "園長", "校長", "理事長", "理事", "主査", "主幹", "参事", "教授", "代表", "代理", "補佐", "担当", "リーダー", "マネージャー", "マネジャー", "秘書",
	"技師", "技師長", "医師", "弁護士", "弁理士", "税理士", "会計士", "司法書士", "ceo", "coo", "cfo", "cto", "兼",
}

// departmentEndings end a word that is a part of a company, when a name stands
// beside it. 部 alone does not: 服部 and 阿部 are families.
var departmentEndings = []string{"課", "室", "係", "局", "グループ", "チーム", "支店", "支社", "営業所", "工場", "事業所", "センター", "研究所", "本部", "事業部",
	"営業部", "総務部", "技術部", "経理部", "人事部", "開発部", "企画部", "製造部", "購買部", "資材部", "情報部", "法務部", "広報部", "管理部", "保証部", "生産部", "研究部", "財務部", "業務部",
	"商品部", "販売部", "物流部", "工務部", "設計部", "調達部", "設備部", "保全部", "工事部", "建設部", "海外部", "国際部", "秘書部", "監査部", "戦略部", "推進部", "システム部", "サービス部",
}

// department tells that a word is a part of a company. Of two letters it is a family, as 氷室 and 本部.
func department(word string) bool {
	return utf8.RuneCountInString(word) > 2 && endsWith(word, departmentEndings)
}

// latinTitles are words of titles behind a comma: Taro Inoue, General Manager.
var latinTitles = map[string]bool{
	"manager": true, "director": true, "president": true, "chairman": true, "ceo": true, "coo": true, "cfo": true, "cto": true, "engineer": true, "officer": true, "head": true,
	"leader": true, "secretary": true, "partner": true, "sales": true,
}

// pastSigns stand before what somebody was.
var pastSigns = []string{"旧", "元", "前", "故"}

// ParsePerson takes a person's name apart. reading is how it is read, in Kana
// or Latin letters; "" where none is given.
func ParsePerson(name, reading string) (p PersonName) {
	s := strings.TrimPrefix(fold(name), "(")
	if before, inside, ok := strings.Cut(s, "("); ok {
		inside, after, _ := strings.Cut(inside, ")")
		s = strings.TrimSpace(before + " " + after)
		switch former := formerName(inside, after); {
		case s == "":
		case strings.HasPrefix(inside, "代理"): // somebody else was there: 有村 架純(代理:森)
			p.doubt = true
		case former != nil:
			p.former = former
		case reading == "":
			reading = inside
		}
	}
	if strings.Contains(s, "@") { // an address in the name's place
		s = ""
	}
	s, past := withoutPast(s)
	p.doubt = p.doubt || past || strings.Contains(s, "?")
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

// formerName reads what stands in brackets of a name as the family name that
// somebody had before: (旧姓 山本), (née Berg), or 佐野(山本)花子.
func formerName(inside, after string) []string {
	for _, sign := range [...]string{"旧姓", "旧", "現姓", "nee ", "geb. ", "formerly "} {
		if rest, ok := strings.CutPrefix(inside, sign); ok {
			return nameWords(strings.TrimLeft(rest, ": "))
		}
	}
	if words := nameWords(inside); len(words) == 1 && strings.TrimSpace(after) != "" && japanese(inside) && !inKana(words[0]) && !department(words[0]) {
		return words
	}
	return nil
}

// withoutPast leaves out the word that says what somebody was, and tells that there was one.
func withoutPast(s string) (string, bool) {
	first, rest, ok := strings.Cut(s, " ")
	if !ok || !slices.ContainsFunc(pastSigns, func(sign string) bool { return strings.HasPrefix(first, sign) }) {
		return s, false
	}
	if slices.Contains(pastSigns, first) || endsWith(first, titleEndings) || department(first) {
		return rest, true
	}
	return s, false
}

// Key is the name in the form by which decisions are kept; "" when there is none.
func (p *PersonName) Key() string { return strings.Join(p.words, " ") }

// nameWords are the words of a folded text that are the name itself.
func nameWords(s string) []string {
	s = withoutEnd(s, personCourtesies)
	if name, title, ok := strings.Cut(s, ","); ok && !japanese(s) && slices.ContainsFunc(strings.Fields(title), func(w string) bool { return latinTitles[w] }) {
		s = name
	}
	s = strings.NewReplacer("ph.d.", "", "ph.d", "", ".", " ", ",", " ", "、", " ", "・", " ", "'", "", "’", "", "/", " ").Replace(s)
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
	for len(words) > 1 && (endsWith(words[0], titleEndings) || department(words[0])) {
		words = words[1:]
	}
	for len(words) > 1 && (endsWith(words[len(words)-1], titleEndings) || department(words[len(words)-1])) {
		words = words[:len(words)-1]
	}
	if n := len(words); n > 2 && strings.HasSuffix(words[n-1], "博士") { // of two words it is a given name
		words = words[:n-1]
	}
	if len(words) > 2 && !slices.ContainsFunc(words, func(w string) bool { return utf8.RuneCountInString(w) > 1 }) {
		words = []string{strings.Join(words, "")} // 平 野 修 司
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
	c := comparePeople(a, b)
	if c.Verdict == Different && (len(a.former) > 0 || len(b.former) > 0) {
		c = comparePeople(a.before(), b.before())
	}
	switch {
	case c.Verdict != Same:
	case len(a.former) > 0 || len(b.former) > 0:
		return Comparison{Likely, 0.8, "the same by a former family name"}
	case a.doubt != b.doubt:
		return Comparison{Likely, 0.8, "one is named as who is no longer there"}
	}
	return c
}

// before is the name with the family name that somebody had before.
func (p PersonName) before() PersonName {
	if len(p.former) == 0 || len(p.words) < 2 {
		return p
	}
	words := slices.Clone(p.words)
	at := 0
	if p.foreign { // Hanako Sano (née Yamamoto)
		at = len(words) - 1
	}
	words[at] = strings.Join(p.former, "")
	return ParsePerson(strings.Join(words, " "), "")
}

func comparePeople(a, b PersonName) Comparison {
	switch {
	case a.full == "" || b.full == "":
		return Comparison{Different, 0, noName}
	case a.foreign && b.foreign:
		return compareLatin(a.latin, b.latin)
	case a.foreign != b.foreign || inKana(a.full) != inKana(b.full):
		return compareReadings(a, b)
	case a.full == b.full || reversed(a.words, b.words):
		return sameLetters(a, b)
	case inKana(a.full) && (strings.Join(a.kana, "") == strings.Join(b.kana, "") || reversed(a.kana, b.kana)): // Katakana, Hiragana
		return Comparison{Same, 1, "the same name"}
	case a.strong == b.strong:
		return Comparison{Likely, 0.9, "the same but for old characters or lengthening marks"}
	case alone(a, b) || alone(b, a):
		return Comparison{Likely, 0.6, "a part of the name alone"}
	case within(a, b) || within(b, a):
		return Comparison{Likely, 0.6, "the same name, and more beside it"}
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

// within tells that a's full name begins or ends what is written of b: 岡部 茜 他2名, 前任 岡部 茜.
func within(a, b PersonName) bool {
	if len(a.words) < 2 {
		return false
	}
	for n := 1; n < len(b.words); n++ {
		if strings.Join(b.words[:n], "") == a.full || strings.Join(b.words[n:], "") == a.full {
			return true
		}
	}
	return false
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
