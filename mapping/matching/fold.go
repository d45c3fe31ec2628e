package matching

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// sameCharacters are ways to write one character that no two names differ by:
// the shapes that Shift_JIS lacks or has twice, the old forms of words that all companies have, and parts that stand for the whole.
var sameCharacters = strings.NewReplacer(append(radicals,
	"髙", "高", "﨑", "崎", "塚", "塚", "德", "徳", "會", "会", "應", "応", "國", "国", "學", "学", "氣", "気", "藝", "芸", "眞", "真", "鐵", "鉄", "櫻", "桜", "龍", "竜",
	"濱", "浜", "關", "関", "𠮷", "吉", "桒", "桑", "假", "仮", "團", "団", "榮", "栄", "廣", "広", "澤", "沢", "靑", "青", "淸", "清", "神", "神", "祥", "祥", "福", "福", "館", "館", "ヶ", "ケ", "ヵ", "カ", "ゑ", "え", "ヱ", "エ", "ヰ", "イ", "ゐ", "い",
	"瀨", "瀬", "黑", "黒", "增", "増", "寬", "寛", "橫", "横", "步", "歩", "每", "毎", "敎", "教", "歷", "歴", "涉", "渉", "綠", "緑", "緖", "緒", "錄", "録", "戶", "戸", "吳", "呉", "尙", "尚",
	"薰", "薫", "郞", "郎", "鄕", "郷", "卷", "巻", "槪", "概", "曆", "暦", "稅", "税", "說", "説", "閱", "閲", "產", "産", "顏", "顔", "姬", "姫", "內", "内", "淺", "浅", "藏", "蔵", "橋", "橋",
	"–", "-", "—", "-", "―", "-", "‐", "-", "−", "-",
)...)

// Radicals writes whole characters for parts of them.
var Radicals = strings.NewReplacer(radicals...)

// radicals are parts of characters that PDF files and scanners give for whole ones, and that NFKC leaves: 社⻑.
var radicals = []string{"⻑", "長", "⻄", "西", "⻘", "青", "⺠", "民", "⻁", "虎", "⻲", "亀", "⻨", "麦", "⻤", "鬼", "⻭", "歯", "⻝", "食", "⻩", "黄", "⻯", "竜",
	"⻫", "斉", "⻆", "角", "⻉", "貝", "⻋", "車", "⻅", "見", "⻢", "馬", "⻥", "魚", "⻦", "鳥", "⻔", "門"}

// otherCharacters are old forms that tell families and companies apart: a person decides.
var otherCharacters = strings.NewReplacer(
	"齋", "斎", "齊", "斎", "斉", "斎", "邊", "辺", "邉", "辺", "嶋", "島", "嶌", "島", "冨", "富", "峯", "峰", "凛", "凜", "籠", "篭", "檜", "桧", "條", "条", "瀧", "滝", "萬", "万", "與", "与", "壽", "寿", "兒", "児",
	"佛", "仏", "豐", "豊", "槇", "槙", "渕", "淵", "惠", "恵", "彌", "弥", "祐", "佑", "藪", "薮", "濵", "浜", "嵜", "崎", "曾", "曽", "圓", "円", "亰", "京", "坂", "阪", "薗", "園", "舘", "館",
	"一", "1", "二", "2", "三", "3", "四", "4", "五", "5", "六", "6", "七", "7", "八", "8", "九", "9",
	"ヴァ", "バ", "ヴィ", "ビ", "ヴェ", "ベ", "ヴォ", "ボ", "ヴ", "ブ", "ァ", "ア", "ィ", "イ", "ゥ", "ウ", "ェ", "エ", "ォ", "オ", "ッ", "ツ", "ャ", "ヤ", "ュ", "ユ", "ョ", "ヨ", "&", "",
)

// fold is the form in which texts are compared: NFKC, small letters, single
// blanks, one shape for each character, one hyphen, and ä as ae.
func fold(s string) string {
	s = strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(s))), " ")
	s = sameCharacters.Replace(s)
	return lengthened(withoutAccents(s))
}

// lengthened makes the hyphen that follows Katakana a lengthening mark, which it was meant for: サニ-コ-ヒ-.
func lengthened(s string) string {
	if !strings.Contains(s, "-") {
		return s
	}
	r := []rune(s)
	for i := 1; i < len(r); i++ {
		if r[i] == '-' && unicode.Is(unicode.Katakana, r[i-1]) {
			r[i] = 'ー'
		}
	}
	return string(r)
}

// umlauts are written with two letters where a keyboard lacks them; ł and its like are no letter with a mark to norm.
var umlauts = strings.NewReplacer("ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i", "ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "æ", "ae", "ø", "oe", "å", "aa", "œ", "oe")

// bareVowels are what is left of umlauts where their dots are not written at all: Kohler for Köhler.
var bareVowels = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u", "aa", "a")

// withoutAccents leaves é as e; Kana keep their voicing.
func withoutAccents(s string) string {
	s = umlauts.Replace(s)
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 && unicode.Is(unicode.Latin, r) }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.Is(unicode.Latin, r) {
			return r
		}
		for _, base := range norm.NFD.String(string(r)) {
			return base
		}
		return r
	}, s)
}

// longVowels leaves out the lengthening mark behind an a, which people write or leave: サーバー, サーバ.
func longVowels(s string) string {
	if !strings.Contains(s, "ー") {
		return s
	}
	r := []rune(s)
	out := make([]rune, 0, len(r))
	start := 0 // of the Katakana run
	for i, c := range r {
		if !unicode.Is(unicode.Katakana, c) && c != 'ー' {
			start = i + 1
		}
		if c == 'ー' && i-start >= 2 && strings.ContainsRune("アカサタナハマヤラワガザダバパャヮ", r[i-1]) {
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// abbreviations that mean a word of names.
var abbreviations = strings.NewReplacer("ホールディングス", "hd", "ホールディング", "hd", "holdings", "hd", "holding", "hd", "グループ", "gr", "コーポレーション", "corp", "マニュファクチャリング", "mfg",
	"manufacturing", "mfg", "international", "intl", "インターナショナル", "intl", "hldgs", "hd", "brothers", "bros", "associates", "assoc", "engineering", "eng",
	"technologies", "tech", "technology", "tech", "services", "svcs", "service", "svcs", "solutions", "sol", "industries", "ind", "laboratories", "lab", "laboratory", "lab")

// stronger folds a core so far that different companies may fall together: it finds proposals, and never links.
func stronger(core string) string {
	s := []rune(strings.ReplaceAll(otherCharacters.Replace(abbreviations.Replace(katakana(core))), "ー", ""))
	for i := 1; i < len(s); i++ {
		between := i+1 < len(s) && unicode.Is(unicode.Han, s[i-1]) && unicode.Is(unicode.Han, s[i+1])
		switch {
		case s[i] == '々': // 佐々木, 佐佐木
			s[i] = s[i-1]
		case between && s[i] == 'ケ': // 霞ヶ浦, 霞が浦
			s[i] = 'ガ'
		case between && s[i] == '之': // 井之上, 井の上
			s[i] = 'ノ'
		}
	}
	return string(s)
}

// katakana writes Hiragana in Katakana.
func katakana(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'ぁ' && r <= 'ゖ' {
			return r - 'ぁ' + 'ァ'
		}
		return r
	}, s)
}
