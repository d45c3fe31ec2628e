// Package matching tells whether two companies or two people are the same,
// from what different systems write of them. It is pure: names, numbers,
// domains and phones in, a verdict with its reason out.
//
// Only what cannot well be anybody else is Same, and may be linked by itself.
// What may be is Likely: a person decides. There is no third way: a score that is
// high without evidence stays a proposal, however high.
//
//   - company.go takes a company's name apart, compare.go compares two;
//   - fold.go makes writing comparable: width, case, kana, old characters;
//   - index.go finds the candidates among many.
package matching

import (
	"slices"
	"strings"
	"unicode"
)

// Company is a company's name, taken apart.
type Company struct {
	Core            string    // the own name, folded: "青葉製作所" of "㈱青葉製作所 大阪支店"
	Form            string    // legal form, in full: "株式会社", "inc"; "" where none is written
	Place           Place     // of the form, in Japanese: 前株 and 後株 are different companies' names
	Site            string    // branch, plant or office: "大阪支店"
	Others          []Company // further names in the text, as former ones: 旧・若松商事(現 若松ホールディングス)
	stems           []string  // what Core may be without a site that no blank parts from it: 梓川工業松本工場
	head            string    // what stands before the first blank, or before a form in the middle, of a name that goes on: 慈峰会 慈峰病院
	text            string    // folded
	strong          string    // Core folded further: old characters, long vowels, HD
	sound, unvoiced string    // of Core
	foreign         bool      // written in Latin letters
}

// forms are the legal forms as fold leaves them, the longest first, with their full names.
var forms = sortedForms(map[string]string{
	"株式会社": "株式会社", "(株)": "株式会社", "有限会社": "有限会社", "(有)": "有限会社", "合同会社": "合同会社", "(同)": "合同会社", "(合)": "合同会社",
	"合資会社": "合資会社", "(資)": "合資会社", "合名会社": "合名会社", "(名)": "合名会社", "一般社団法人": "一般社団法人", "(一社)": "一般社団法人",
	"公益社団法人": "公益社団法人", "(公社)": "公益社団法人", "社団法人": "社団法人", "(社)": "社団法人", "一般財団法人": "一般財団法人", "(一財)": "一般財団法人",
	"公益財団法人": "公益財団法人", "(公財)": "公益財団法人", "財団法人": "財団法人", "(財)": "財団法人", "医療法人社団": "医療法人社団", "医療法人財団": "医療法人財団",
	"医療法人": "医療法人", "(医)": "医療法人", "社会医療法人": "社会医療法人", "学校法人": "学校法人", "(学)": "学校法人", "宗教法人": "宗教法人", "(宗)": "宗教法人",
	"社会福祉法人": "社会福祉法人", "(福)": "社会福祉法人", "(社福)": "社会福祉法人", "特定非営利活動法人": "npo法人", "npo法人": "npo法人", "(特非)": "npo法人",
	"独立行政法人": "独立行政法人", "(独)": "独立行政法人", "国立大学法人": "国立大学法人", "(大)": "国立大学法人", "地方独立行政法人": "地方独立行政法人",
	"協同組合": "協同組合", "(協)": "協同組合", "事業協同組合": "事業協同組合", "農業協同組合": "農業協同組合", "相互会社": "相互会社", "(相)": "相互会社",
	"税理士法人": "税理士法人", "弁護士法人": "弁護士法人", "監査法人": "監査法人", "有限責任監査法人": "有限責任監査法人", "投資法人": "投資法人", "特定目的会社": "特定目的会社",
	"有限責任事業組合": "llp", "公立大学法人": "公立大学法人", "国立研究開発法人": "国立研究開発法人", "(国研)": "国立研究開発法人", "(地独)": "地方独立行政法人",
	"(医社)": "医療法人社団", "(医財)": "医療法人財団", "認定npo法人": "認定npo法人", "認定特定非営利活動法人": "認定npo法人", "生活協同組合": "生活協同組合", "(生協)": "生活協同組合",
	"(税)": "税理士法人", "行政書士法人": "行政書士法人", "司法書士法人": "司法書士法人", "社会保険労務士法人": "社会保険労務士法人", "社労士法人": "社会保険労務士法人",
	"有限公司": "有限公司", "有限責任公司": "有限責任公司", "有限责任公司": "有限責任公司", "股份有限公司": "股份有限公司", "주식회사": "주식회사", "(주)": "주식회사",
})

// kin are legal forms that one body may have had after another, or that people mix: a person decides.
var kin = map[string]string{
	"医療法人": "医療法人", "医療法人社団": "医療法人", "社会医療法人": "医療法人", "社団法人": "社団法人", "一般社団法人": "社団法人", "公益社団法人": "社団法人",
	"財団法人": "財団法人", "一般財団法人": "財団法人", "公益財団法人": "財団法人", "独立行政法人": "独立行政法人", "国立研究開発法人": "独立行政法人",
	"npo法人": "npo法人", "認定npo法人": "npo法人", "監査法人": "監査法人", "有限責任監査法人": "監査法人", "有限公司": "有限公司", "有限責任公司": "有限公司",
}

// latinForms are forms of one word or several behind a name, in small letters
// without stops, with the one that stands for all that mean the same.
var latinForms = map[string]string{
	"co ltd": "co ltd", "co limited": "co ltd", "company limited": "co ltd", "company ltd": "co ltd", "coltd": "co ltd", "kk": "co ltd", "kabushiki kaisha": "co ltd",
	"inc": "inc", "incorporated": "inc", "corp": "corp", "corporation": "corp", "co": "co", "company": "co", "ltd": "ltd", "limited": "ltd",
	"llc": "llc", "llp": "llp", "lp": "lp", "plc": "plc", "gmbh": "gmbh", "ag": "ag", "kg": "kg", "gmbh & co kg": "gmbh & co kg", "sa": "sa", "sas": "sas", "sarl": "sarl",
	"spa": "spa", "srl": "srl", "bv": "bv", "nv": "nv", "ab": "ab", "oy": "oy", "as": "as", "aps": "aps", "pte ltd": "pte ltd", "pty ltd": "pty ltd", "sdn bhd": "sdn bhd",
	"pte limited": "pte ltd", "pvt ltd": "pvt ltd", "pvt limited": "pvt ltd", "private ltd": private, "private limited": private, "pty limited": "pty ltd", "proprietary limited": "pty ltd",
	"aktiengesellschaft": "ag", "gesellschaft mit beschraenkter haftung": "gmbh", "kommanditgesellschaft": "kg", "se": "se", "ohg": "ohg", "ug": "ug", "ug haftungsbeschraenkt": "ug",
	"aktiebolag": "ab", "ab publ": "ab", "a s": "a/s", "oyj": "oyj", "sl": "sl", "sa de cv": "sa de cv", "ltda": "ltda", "sro": "sro", "sp z oo": "sp z oo", "kft": "kft", "doo": "doo",
	"sa rl": "sarl", "public limited company": "plc", "limited liability company": "llc",
}

// private is the form that Singapore shortens to Pte. Ltd. and India to Pvt. Ltd.
const private = "private ltd"

// bankFronts and bankEnds are how bank statements write a form, in front of a name and behind it. They tell little: banks leave out much.
var (
	bankFronts = []string{"カ)", "ユ)", "ド)"}
	bankEnds   = []string{"(カ", "(ユ", "(ド"}
)

type form struct{ written, full string }

// formsIn gives the forms that a name may hold: none where it has no letter that each of them has.
func formsIn(s string) []form {
	if strings.ContainsAny(s, "(社人合司회") {
		return forms
	}
	return nil
}

func sortedForms(m map[string]string) []form {
	var out []form
	for w, f := range m {
		out = append(out, form{w, f})
	}
	slices.SortFunc(out, func(a, b form) int {
		if len(a.written) != len(b.written) {
			return len(b.written) - len(a.written)
		}
		return strings.Compare(a.written, b.written)
	})
	return out
}

// siteEndings end the name of a part of a company.
var siteEndings = []string{
	"支店", "支社", "支局", "支部", "支所", "営業所", "出張所", "事業所", "営業部", "事業部", "本店", "本社", "工場", "製造所", "店", "オフィス", "センター", "物流センター", "事務所",
	"office", "branch", "plant", "factory", "headquarters", "hq",
}

// courtesies are written behind a company's name and are no part of it.
var courtesies = []string{"御中", "様", "殿", "さん", "さま"}

// Place says where a legal form stands.
type Place int

// The places.
const (
	Nowhere Place = iota // not told: no form, or one in brackets as a note
	Front
	Behind
)

var (
	brackets = strings.NewReplacer("(", " ", ")", " ")
	stops    = strings.NewReplacer(".", "", ",", " ", "(", " ", ")", " ", "/", " ", "&", " & ", "co.", "co ")
	parted   = strings.NewReplacer("株 式 会 社", "株式会社", "有 限 会 社", "有限会社", "合 同 会 社", "合同会社", "( ", "(", " )", ")")
)

// ParseCompany takes a company's name apart.
func ParseCompany(name string) Company {
	s := withoutCourtesy(parted.Replace(strings.TrimFunc(fold(name), decoration)))
	first, others := severalNames(s)
	c := parse(first)
	c.text = s
	for _, other := range others {
		c.Others = append(c.Others, parse(other))
	}
	return c
}

// decoration tells signs that people put around a name: 【 】, ★, *.
func decoration(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("()", r)
}

func parse(s string) (c Company) {
	if !japanese(s) {
		return c.latin(s)
	}
	for _, front := range bankFronts {
		s = strings.TrimPrefix(s, front)
	}
	s = cutEnd(s, bankEnds)
	if form, rest := cutFront(s); form != "" {
		c.Form, c.Place = form, Front
		s = withoutCourtesy(rest)
	}
	rest := c.cutBehind(s)
	c.setCore(rest)
	c.head = head(rest)
	return c
}

// head is the beginning of a name that goes on, where something parts it; "" where nothing does.
func head(s string) string {
	for _, f := range formsIn(s) {
		if before, _, ok := strings.Cut(s, f.written); ok && before != "" && japanese(before) {
			return letters(before)
		}
	}
	if i := strings.IndexAny(s, " ("); i > 0 {
		return letters(s[:i])
	}
	return ""
}

// severalNames splits "旧・若松商事(現 若松ホールディングス)" into its two names.
func severalNames(s string) (first string, others []string) {
	for _, sign := range [...]string{"旧", "元"} {
		if rest, ok := strings.CutPrefix(s, sign); ok {
			if trimmed := strings.TrimLeft(rest, "・:社名 "); len(trimmed) < len(rest) {
				s = trimmed
				others = append(others, s)
			}
		}
	}
	for _, sign := range [...]string{"(現", "(旧", "(formerly ", "(fka ", "(now "} {
		if before, inside, ok := strings.Cut(s, sign); ok && strings.TrimSpace(before) != "" {
			others = append(others, strings.TrimSpace(strings.TrimLeft(strings.TrimRight(inside, ") "), "・:社名 ")))
			s = strings.TrimSpace(before)
		}
	}
	return s, others
}

func withoutCourtesy(s string) string {
	for _, end := range courtesies {
		if rest, ok := strings.CutSuffix(s, end); ok && strings.TrimSpace(rest) != "" {
			return strings.TrimSpace(rest)
		}
	}
	return s
}

// cutFront takes a legal form from the beginning.
func cutFront(s string) (form, rest string) {
	for _, f := range forms {
		if !strings.HasPrefix(strings.TrimPrefix(s, "("), strings.TrimPrefix(f.written, "(")) {
			continue
		}
		for _, written := range [...]string{f.written, "(" + f.written + ")"} {
			if rest, ok := strings.CutPrefix(s, written); ok && strings.TrimSpace(rest) != "" {
				return f.full, strings.TrimSpace(rest)
			}
		}
	}
	return "", s
}

// cutBehind takes a legal form from the end, with the site behind it, and gives what is before.
func (c *Company) cutBehind(s string) string {
	for _, f := range formsIn(s) {
		if !strings.Contains(s, f.written) {
			continue
		}
		for _, written := range [...]string{"(" + f.written + ")", f.written} {
			before, after, ok := strings.Cut(s, written)
			if before = strings.TrimSpace(before); !ok || before == "" {
				continue
			}
			if after = strings.TrimSpace(after); after != "" && !isSite(after) {
				continue
			}
			c.Site = letters(after)
			switch {
			case c.Form != "":
				c.Others = append(c.Others, Company{}) // 株式会社…株式会社: two names
			case strings.HasPrefix(written, "(") && !strings.HasPrefix(f.written, "("):
				c.Form = f.full // a note: 青葉製作所(株式会社)
			default:
				c.Form, c.Place = f.full, Behind
			}
			return before
		}
	}
	// 青葉製作所 大阪支店: the site is a word of its own.
	words := strings.Fields(brackets.Replace(s))
	for i := 1; i < len(words); i++ {
		if site := strings.Join(words[i:], ""); isSite(site) {
			c.Site = letters(site)
			return strings.Join(words[:i], " ")
		}
	}
	return s
}

func isSite(s string) bool {
	s = letters(s)
	return slices.ContainsFunc(siteEndings, func(end string) bool { return strings.HasSuffix(s, end) })
}

// latin takes a name in Latin letters apart.
func (c Company) latin(s string) Company {
	c.foreign = true
	s, c.Site = remark(s)
	s = stops.Replace(s)
	words := strings.Fields(s)
	if len(words) == 0 {
		return c
	}
	for i, w := range words {
		if w == "and" || w == "und" {
			words[i] = "&"
		}
	}
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	end := len(words)
	if slices.Contains(siteEndings, words[end-1]) && end > 2 {
		for end > 1 && !endsInForm(words[:end]) {
			end--
		}
		if end == 1 { // without a form, where the name ends is not told: Aoba Osaka Branch
			end = len(words) - 2
		}
		c.Site, words = strings.Join(words[end:], " "), words[:end]
	}
	if form, n := formBehind(words); n > 0 {
		c.Form, words = form, words[:len(words)-n]
	}
	c.setCore(strings.Join(words, " "))
	return c
}

// remark cuts what stands behind a legal form in brackets, behind a dash or as another name, as a site: Larkfield Inc. (Boston).
func remark(s string) (name, rest string) {
	for _, sign := range [...]string{" (", " - ", " dba ", " d/b/a ", " t/a "} {
		before, after, ok := strings.Cut(s, sign)
		if !ok || !endsInForm(strings.Fields(stops.Replace(before))) {
			continue
		}
		if !endsInForm(strings.Fields(stops.Replace(s))) { // Larkfield AB (publ)
			return before, letters(after)
		}
	}
	return s, ""
}

// endsInForm tells that the last of some words is a legal form.
func endsInForm(words []string) bool {
	_, n := formBehind(words)
	return n > 0
}

// formBehind gives the legal form at the end of some words, and of how many it is.
func formBehind(words []string) (form string, n int) {
	for n := min(5, len(words)-1); n > 0; n-- {
		if form, ok := latinForms[strings.Join(words[len(words)-n:], " ")]; ok {
			return form, n
		}
	}
	return "", 0
}

func (c *Company) setCore(s string) {
	c.Core = letters(s)
	if c.Core == "" {
		c.Core = s
	}
	c.strong = stronger(c.Core)
	c.sound, c.unvoiced = sound(c.Core), unvoiced(c.Core)
	if c.Site == "" && !c.foreign {
		c.stems = stems(c.Core)
	}
}

// clearSites end the name of a site of a company, and hardly that of a company.
var clearSites = []string{"支店", "支社", "支局", "営業所", "出張所", "事業所", "工場", "製造所", "センター", "事務所", "研究所", "本社", "本店", "店"}

// stems gives what a name may be without a site at its end. Where the place's
// name begins is not told; most have two letters, some three.
func stems(core string) (all []string) {
	for _, end := range clearSites {
		rest, ok := strings.CutSuffix(core, end)
		if !ok {
			continue
		}
		r := []rune(rest)
		for n := 2; n <= 3 && len(r)-n >= 3; n++ {
			all = append(all, string(r[:len(r)-n]))
		}
		return all
	}
	return nil
}

// letters leaves out all but letters, digits and &.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == 'ー' || r == '&' {
			return r
		}
		return -1
	}, s)
}

// japanese tells that a text has Kanji or Kana, or Hangul, in which names are written alike.
func japanese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Katakana, unicode.Hiragana, unicode.Hangul)
	})
}
