package sqltable

import (
	"testing"
	"unicode/utf8"
)

// Whatever a column holds, its bytes are guessed at without a panic, and what is guessed can be read.
func FuzzGuessedEncoding(f *testing.F) {
	for _, s := range []string{"—é–Øˆê˜Y", "\x97\xe9\x96\xd8", "鈴木", "Café", "\xff\x81", "ÆüËÜ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, plain := disguised(text)
		if plain != isASCII(text) {
			t.Fatalf("%q is plain: %v", text, plain)
		}
		name := guessedEncoding([][]byte{b, b, b})
		if name == "" {
			return
		}
		if charset := charsets[name]; charset != nil {
			if b, _ = charset.NewDecoder().Bytes(b); b == nil {
				t.Fatalf("%q cannot be read as %s", text, name)
			}
		}
		if !utf8.Valid(b) {
			t.Fatalf("%q as %s is %q", text, name, b)
		}
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
