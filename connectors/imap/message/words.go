package message

import (
	"encoding/base64"
	"strings"
	"unicode"
)

// words decodes the RFC 2047 encoded words of a text. Neighbours of one
// charset are joined before they are decoded, since programs cut inside
// characters. exact is false when something had to be guessed or replaced.
func words(s string) (text string, exact bool) {
	if !strings.Contains(s, "=?") {
		return s, true
	}
	exact = true
	var out strings.Builder
	var run []byte // of encoded words not decoded yet
	var name string
	flush := func() {
		if run != nil {
			t, ok := decode(run, name)
			out.WriteString(t)
			exact = exact && ok
			run = nil
		}
	}
	for len(s) > 0 {
		at := strings.Index(s, "=?")
		if at < 0 {
			break
		}
		w, length, ok := encodedWord(s[at:])
		if length == 0 {
			flush()
			out.WriteString(s[:at+2])
			s = s[at+2:]
			continue
		}
		exact = exact && ok
		gap := s[:at]
		if run != nil && strings.TrimSpace(gap) == "" {
			gap = "" // white space between encoded words is no text
		}
		if gap != "" || !strings.EqualFold(w.charset, name) {
			flush()
		}
		out.WriteString(gap)
		run, name = append(run, w.bytes...), w.charset
		s = s[at+length:]
	}
	flush()
	out.WriteString(s)
	return out.String(), exact
}

// maxWord bounds an encoded word, in bytes; the standard allows 75.
const maxWord = 8 << 10

type word struct {
	charset string
	bytes   []byte
}

// encodedWord reads =?charset?B?…?= at the beginning of s, also when it is cut
// off or badly padded; length 0 when there is none.
func encodedWord(s string) (w word, length int, exact bool) {
	name, rest, ok := strings.Cut(s[2:], "?")
	if !ok || name == "" || len(name) > 60 || strings.ContainsAny(name, " \t=\"<>") || len(rest) < 2 || rest[1] != '?' {
		return word{}, 0, false
	}
	payload := rest[2:min(len(rest), 2+maxWord)]
	end := strings.Index(payload, "?=")
	length = 2 + len(name) + 1 + 2 + end + 2
	exact = true
	if end < 0 {
		end = strings.IndexAny(payload, " \t\"<>") // cut off
		if end < 0 {
			end = len(payload)
		}
		length, exact = 2+len(name)+1+2+end, false
	}
	payload = payload[:end]
	if next := strings.Index(payload, "=?"); next >= 0 { // it lost its end, and the next one begins
		length, exact = 2+len(name)+1+2+next, false
		payload = strings.TrimRight(payload[:next], " \t?")
	}
	w.charset, _, _ = strings.Cut(name, "*")
	switch rest[0] {
	case 'B', 'b':
		var whole bool
		w.bytes, whole = unbase64(payload)
		return w, length, exact && whole
	case 'Q', 'q':
		w.bytes = unquote(strings.ReplaceAll(payload, "_", " "))
		return w, length, exact
	}
	return word{}, 0, false
}

// unbase64 decodes what can be decoded: white space, padding in the middle and
// a torn end are passed over.
func unbase64(s string) (b []byte, whole bool) {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil { // nearly all
		return b, true
	}
	whole = true
	var kept []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case letter(c), '0' <= c && c <= '9', c == '+', c == '/':
			kept = append(kept, c)
		case c == '=':
			for len(kept)%4 != 0 { // a piece ends here, another may follow
				kept = append(kept, '=')
			}
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			whole = false
		}
	}
	if n := len(kept) % 4; n == 1 {
		kept, whole = kept[:len(kept)-1], false
	} else if n > 1 {
		kept = append(kept, "=="[:4-n]...)
	}
	for len(kept) > 0 {
		piece := kept[:4]
		kept = kept[4:]
		var out [3]byte
		n, err := base64.StdEncoding.Decode(out[:], piece)
		whole = whole && err == nil
		b = append(b, out[:n]...)
	}
	return b, whole
}

// unquote decodes =XX; an = without two digits stands for itself.
func unquote(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) && nibble(s[i+1]) >= 0 && nibble(s[i+2]) >= 0 {
			b = append(b, byte(nibble(s[i+1])<<4|nibble(s[i+2])))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return b
}

func nibble(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// clean makes one line of a text: white space folded, control characters and
// direction marks, by which a name can pose as another, taken out.
func clean(s string) string {
	if tidy(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), 0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2060 <= r && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// tidy tells quickly of most texts that there is nothing to clean.
func tidy(s string) bool {
	blank := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || blank && c == ' ' {
			return false
		}
		blank = c == ' '
	}
	return !blank || s == ""
}
