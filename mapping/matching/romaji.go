package matching

import "strings"

// romaji writes Hiragana in Latin letters (Hepburn, long vowels as they are spelt: さとう is satou).
func romaji(kana string) string {
	s := syllables.Replace(kana)
	for {
		before, after, ok := strings.Cut(s, "っ")
		if !ok {
			return strings.ReplaceAll(s, "ー", "")
		}
		if after != "" {
			before += after[:1]
		}
		s = before + after
	}
}

var syllables = func() *strings.Replacer {
	rows := map[string]string{
		"": "あいうえお", "k": "かきくけこ", "s": "さしすせそ", "t": "たちつてと", "n": "なにぬねの", "h": "はひふへほ", "m": "まみむめも", "r": "らりるれろ",
		"g": "がぎぐげご", "z": "ざじずぜぞ", "d": "だぢづでど", "b": "ばびぶべぼ", "p": "ぱぴぷぺぽ",
	}
	irregular := map[string]string{"si": "shi", "ti": "chi", "tu": "tsu", "hu": "fu", "zi": "ji", "di": "ji", "du": "zu"}
	pairs := []string{"や", "ya", "ゆ", "yu", "よ", "yo", "わ", "wa", "を", "o", "ん", "n", "ゔ", "vu"}
	var doubles []string // きゃ, before き
	for consonant, row := range rows {
		for i, kana := range []rune(row) {
			latin := consonant + string("aiueo"[i])
			if is, ok := irregular[latin]; ok {
				latin = is
			}
			pairs = append(pairs, string(kana), latin)
			if i != 1 || consonant == "" {
				continue
			}
			stem := consonant + "y"
			if latin == "shi" || latin == "chi" || latin == "ji" {
				stem = latin[:len(latin)-1]
			}
			doubles = append(doubles, string(kana)+"ゃ", stem+"a", string(kana)+"ゅ", stem+"u", string(kana)+"ょ", stem+"o")
		}
	}
	return strings.NewReplacer(append(doubles, pairs...)...)
}()

// plainRomaji folds the ways of writing Japanese in Latin letters: Satoh, Satou and Sato; Shinichi and Sinichi; Homma and Honma.
func plainRomaji(s string) string {
	s = waysOfWriting.Replace(s)
	for i := 0; i+1 < len(s); i++ { // an h that lengthens: ohno, satoh
		if s[i] == 'o' && s[i+1] == 'h' && (i+2 == len(s) || !strings.ContainsRune("aiueoy", rune(s[i+2]))) {
			s = s[:i+1] + s[i+2:]
		}
	}
	return longLetters.Replace(s)
}

var (
	waysOfWriting = strings.NewReplacer("shi", "si", "sha", "sya", "shu", "syu", "sho", "syo", "tchi", "tti", "chi", "ti", "cha", "tya", "chu", "tyu", "cho", "tyo",
		"tsu", "tu", "fu", "hu", "ji", "zi", "ja", "zya", "ju", "zyu", "jo", "zyo", "mb", "nb", "mp", "np", "mm", "nm")
	longLetters = strings.NewReplacer("ou", "o", "oo", "o", "uu", "u")
)
