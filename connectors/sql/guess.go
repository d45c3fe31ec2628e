package sqltable

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// leastText is how many texts an encoding is guessed by at least.
const leastText = 3

// disguised gives the bytes of a text that may be of another encoding than the database thinks: of one that a
// western column holds (“ú–{ for 日本), or that is not UTF-8 at all; nil of others. plain says that it is ASCII alone.
func disguised(v any) (bytes []byte, plain bool) {
	var text string
	switch v := v.(type) {
	case []byte:
		text = string(v)
	case string:
		text = v
	}
	switch {
	case !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }): // RuneError too
		return nil, true
	case !utf8.ValidString(text):
		return []byte(text), false
	}
	for _, r := range text {
		b, ok := charmap.Windows1252.EncodeRune(r)
		switch {
		case ok:
		case r >= 0x80 && r < 0xA0: // what windows-1252 leaves open, MySQL's latin1 keeps
			b = byte(r)
		default:
			return nil, false // 日本 stands there as it is
		}
		bytes = append(bytes, b)
	}
	return bytes, false
}

// guessedEncoding is the encoding in which texts are Japanese; "" when they are in none. It is offered by a survey, never used in a pull.
func guessedEncoding(texts [][]byte) string {
	if len(texts) < leastText {
		return ""
	}
	for _, name := range []string{"utf-8", "cp932", "euc-jp"} {
		good := 0
		for _, b := range texts {
			text := string(b)
			if charset := charsets[name]; charset != nil {
				decoded, err := charset.NewDecoder().Bytes(b)
				if err != nil {
					continue
				}
				text = string(decoded)
			}
			if utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError) && inJapanese(text) {
				good++
			}
		}
		if good*10 >= len(texts)*9 {
			return name
		}
	}
	return ""
}

// inJapanese tells that what is not ASCII in a text is kana, kanji and their punctuation for the most part.
func inJapanese(text string) bool {
	all, ours := 0, 0
	for _, r := range text {
		if r < utf8.RuneSelf {
			continue
		}
		all++
		if unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) && (r < '｡' || r > 'ﾟ') || strings.ContainsRune("、。ー「」・（）　：〜～", r) {
			ours++
		}
	}
	return all > 0 && ours*10 >= all*8
}
