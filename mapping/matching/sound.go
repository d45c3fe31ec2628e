package matching

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// leastSounds is how many letters a name needs so that its sound says anything.
const leastSounds = 4

// sound is a name with its Kana in Latin letters, however Japanese is written in them: aoba of アオバ,
// あおば and AOBA. "" where the name has Kanji, which may be read in several ways, or is too short.
func sound(core string) string {
	if strings.ContainsFunc(core, func(r rune) bool {
		return r >= 0x80 && !unicode.In(r, unicode.Hiragana, unicode.Katakana) && r != 'ー'
	}) {
		return ""
	}
	s := bareVowels.Replace(plainRomaji(romaji(hiragana([]string{core})[0])))
	if len(s) < leastSounds {
		return ""
	}
	return s
}

// unvoiced is a name without the marks of its Kana, which are easily taken for each other: ポ, ボ. "" where it has none, or is too short.
func unvoiced(core string) string {
	if utf8.RuneCountInString(core) < leastSounds || !strings.ContainsFunc(core, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }) {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r == '\u3099' || r == '\u309a' {
			return -1
		}
		return r
	}, norm.NFD.String(katakana(core)))
}

// alike tells that two names are the same by their sound, or but for the marks of their Kana.
func alike(a, b *Company) (reason string, ok bool) {
	switch {
	case a.sound != "" && a.sound == b.sound:
		return "the same sound", true
	case a.unvoiced != "" && a.unvoiced == b.unvoiced:
		return "the same but for the marks of Kana, as ポ and ボ", true
	}
	return "", false
}
