package message

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// vendorNames are charset names of mail programs that the web's list lacks.
var vendorNames = map[string]encoding.Encoding{
	"cp932": japanese.ShiftJIS, "ms_kanji": japanese.ShiftJIS, "mskanji": japanese.ShiftJIS, "x-ms-cp932": japanese.ShiftJIS,
	"shift_jis-2004": japanese.ShiftJIS, "shiftjis": japanese.ShiftJIS, "sjis-win": japanese.ShiftJIS, "windows-932": japanese.ShiftJIS,
	"cp943": japanese.ShiftJIS, "cp943c": japanese.ShiftJIS, "ibm-943": japanese.ShiftJIS, "x-ibm943c": japanese.ShiftJIS, "x-mac-japanese": japanese.ShiftJIS, "macjapanese": japanese.ShiftJIS,
	"eucjp": japanese.EUCJP, "euc_jp": japanese.EUCJP, "eucjp-win": japanese.EUCJP, "eucjp-ms": japanese.EUCJP, "cp51932": japanese.EUCJP, "ujis": japanese.EUCJP,
	"iso2022jp": japanese.ISO2022JP, "iso-2022-jp-1": japanese.ISO2022JP, "iso-2022-jp-2": japanese.ISO2022JP, "iso-2022-jp-3": japanese.ISO2022JP, "iso-2022-jp-2004": japanese.ISO2022JP,
	"iso-2022-jp-ms": japanese.ISO2022JP, "x-iso-2022-jp": japanese.ISO2022JP, "jis": japanese.ISO2022JP,
	"cp50220": japanese.ISO2022JP, "cp50221": japanese.ISO2022JP, "cp50222": japanese.ISO2022JP, "x-windows-iso2022jp": japanese.ISO2022JP,
	"cp1252": charmap.Windows1252, "cp1251": charmap.Windows1251, "cp1250": charmap.Windows1250,
	"cp936": simplifiedchinese.GB18030, "ms936": simplifiedchinese.GB18030, "windows-936": simplifiedchinese.GB18030, "hz-gb-2312": simplifiedchinese.HZGB2312, "hz": simplifiedchinese.HZGB2312,
	"cp949": korean.EUCKR, "ms949": korean.EUCKR, "uhc": korean.EUCKR, "cp950": traditionalchinese.Big5, "ms950": traditionalchinese.Big5, "windows-950": traditionalchinese.Big5,
}

// sayNothing are names of ASCII, under which 8-bit bytes mean something else anyway,
// and one under which the web puts bytes aside.
var sayNothing = map[string]bool{
	"us-ascii": true, "ascii": true, "ansi_x3.4-1968": true, "iso646-us": true, "iso-ir-6": true, "csascii": true, "us": true, "x-user-defined": true,
}

// unicode8 is the web's UTF-8.
var unicode8, _ = htmlindex.Get("utf-8")

// jisEditions are the escapes of later editions of JIS X 0208 and 0213, whose
// characters stand where they stood, but for the few that were added.
var jisEditions = strings.NewReplacer("\x1b&@", "", "\x1b$(Q", "\x1b$B", "\x1b$(O", "\x1b$B", "\x1b$(B", "\x1b$B")

// charset finds an encoding by the name that a mail gives it; nil for none
// that we know, and for ASCII, whose 8-bit bytes mean something else anyway.
func charset(name string) encoding.Encoding {
	name = strings.ToLower(strings.Trim(name, ` "'`))
	name, _, _ = strings.Cut(name, "*") // RFC 2231: the language follows
	if sayNothing[name] {
		return nil
	}
	if e, ok := vendorNames[name]; ok {
		return e
	}
	e, err := htmlindex.Get(name)
	if err != nil || e == encoding.Replacement {
		return nil
	}
	return e
}

// decode gives text in the charset of that name. exact is false when bytes had
// to be replaced or the name was no help; then what the bytes look like decides.
func decode(b []byte, name string) (text string, exact bool) {
	named := charset(name)
	if strings.Contains(strings.ToLower(name), "utf-7") && ascii(b) {
		return utf7(string(b))
	}
	if text, ok := lied(b, named); ok {
		return text, false
	}
	if named != nil && named != japanese.ISO2022JP && ascii(b) && escapes(b) { // no other charset has its escapes
		text, _ = guess(b)
		return text, false
	}
	if named == nil {
		if ascii(b) && !escapes(b) {
			return string(b), name == "" || strings.EqualFold(name, "us-ascii") || strings.EqualFold(name, "ascii")
		}
		return guess(b)
	}
	if text, ok := strict(b, named); ok {
		return text, true
	}
	if text, ok := guess(b); ok {
		return text, false
	}
	text, _ = strict(b, named)
	return text, false
}

// lied gives the text of bytes that are under a Western name and are UTF-8 or Japanese:
// web forms and copiers write that name whatever they send.
func lied(b []byte, named encoding.Encoding) (text string, ok bool) {
	if named != charmap.Windows1252 && named != charmap.ISO8859_15 || ascii(b) {
		return "", false
	}
	if utf8.Valid(b) {
		return string(b), true
	}
	if lonely(b) {
		return "", false
	}
	text, ok = guess(b)
	japanese := 0
	for _, r := range text {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			japanese++
		}
	}
	return text, ok && japanese > 1 && oddity(text) == 0
}

// utf7 decodes RFC 2152, which old mail programs wrote. exact is false when a run of base64 is torn.
func utf7(s string) (text string, exact bool) {
	var out strings.Builder
	exact = true
	for {
		plain, rest, more := strings.Cut(s, "+")
		if out.WriteString(plain); !more {
			return out.String(), exact
		}
		end := 0
		for end < len(rest) && (letter(rest[end]) || digit(rest[end]) || rest[end] == '+' || rest[end] == '/') {
			end++
		}
		run := rest[:end]
		if s = strings.TrimPrefix(rest[end:], "-"); run == "" {
			out.WriteByte('+') // "+-"
			continue
		}
		raw, err := base64.RawStdEncoding.DecodeString(run)
		exact = exact && err == nil
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		}
		out.WriteString(string(utf16.Decode(units)))
	}
}

// strict decodes by one encoding; ok is false when bytes had to be replaced.
func strict(b []byte, e encoding.Encoding) (text string, ok bool) {
	if e == japanese.ISO2022JP && (!ascii(b) || bytes.IndexByte(b, 0x0e) >= 0) {
		if e8 := eightBitKana(b); e8 != nil {
			b = e8
		}
	}
	if e == japanese.ISO2022JP && (bytes.Contains(b, []byte("\x1b$(")) || bytes.Contains(b, []byte("\x1b&@"))) {
		b = []byte(jisEditions.Replace(string(b)))
	}
	if e == unicode8 && utf8.Valid(b) && !bytes.HasPrefix(b, []byte("\ufeff")) {
		text = string(b)
		return text, !strings.ContainsRune(text, utf8.RuneError)
	}
	out, err := e.NewDecoder().Bytes(b)
	text = string(out)
	return strings.ToValidUTF8(text, "�"), err == nil && utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError)
}

// eightBitKana rewrites the two ways in which vendors put half-width kana into
// ISO-2022-JP (shift-out, and bytes with the eighth bit) as its escape ESC ( I.
// nil when there are bytes that neither explains.
func eightBitKana(b []byte) []byte {
	const kana, back = "\x1b(I", "\x1b("
	var out []byte
	mode := byte('B') // what follows the last ESC (; '$' in a two-byte set
	var set []byte    // the escape of that two-byte set
	shifted, inKana := false, false
	restore := func() {
		if inKana {
			inKana = false
			if mode == '$' {
				out = append(out, set...)
			} else {
				out = append(append(out, back...), mode)
			}
		}
	}
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == 0x1b:
			restore()
			n := 3
			if bytes.HasPrefix(b[i:], []byte("\x1b$(")) {
				n = 4
			}
			n = min(n, len(b)-i)
			escape := b[i : i+n]
			if n >= 3 && escape[1] == '(' {
				mode = escape[2]
			} else {
				mode, set = '$', escape
			}
			out = append(out, escape...)
			i += n - 1
		case c == 0x0e:
			shifted = true
		case c == 0x0f:
			shifted = false
			restore()
		case c >= 0xa1 && c <= 0xdf || shifted && c >= 0x21 && c <= 0x5f:
			if !inKana {
				inKana = true
				out = append(out, kana...)
			}
			out = append(out, c&0x7f)
		case c >= 0x80:
			return nil
		default:
			restore()
			out = append(out, c)
		}
	}
	restore()
	return out
}

func ascii[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escapes tells whether b switches to a Japanese set of ISO-2022-JP.
func escapes(b []byte) bool {
	for {
		at := bytes.IndexByte(b, 0x1b)
		if at < 0 || len(b)-at < 3 {
			return false
		}
		switch string(b[at+1 : at+3]) {
		case "$B", "$@", "$(", "(I", "(J":
			return true
		}
		b = b[at+1:]
	}
}

// guess decodes bytes that do not say in which charset they are, or lie. ok is
// false when none explains all of them.
func guess(b []byte) (text string, ok bool) {
	if escapes(b) {
		if text, ok := strict(b, japanese.ISO2022JP); ok {
			return text, true
		}
	}
	if utf8.Valid(b) {
		return string(b), true
	}
	if lonely(b) {
		return strict(b, charmap.Windows1252)
	}
	euc, eucOK := strict(b, japanese.EUCJP)
	sjis, sjisOK := strict(b, japanese.ShiftJIS)
	switch {
	case eucOK && (!sjisOK || oddity(euc) < oddity(sjis)):
		return euc, true
	case sjisOK:
		return sjis, true
	}
	return strings.ToValidUTF8(string(b), "�"), false
}

// lonely tells whether bytes with the eighth bit stand alone among others, as
// accented letters of Western languages do, and Japanese never.
func lonely(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if b[i] >= 0x80 && b[i-1] >= 0x80 {
			return false
		}
	}
	// 0x5c and the like as second bytes: Japanese in CP932 with every second byte plain.
	letters := 0
	for i, c := range b {
		if c >= 0x80 && i+1 < len(b) && !letter(b[i+1]) && b[i+1] != ' ' {
			return false
		}
		if letter(c) {
			letters++
		}
	}
	return letters > 0
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// oddity counts characters that Japanese text hardly has: EUC-JP read as CP932
// gives half-width kana, CP932 read as EUC-JP rare characters.
func oddity(text string) int {
	odd := 0
	for _, r := range text {
		switch {
		case 0xff61 <= r && r <= 0xff9f, r >= 0xe000 && r <= 0xf8ff:
			odd += 2
		case unicode.In(r, unicode.Hiragana, unicode.Katakana), r < utf8.RuneSelf, 0x3000 <= r && r <= 0x303f, r >= 0xff00:
		case unicode.Is(unicode.Han, r):
		default:
			odd++
		}
	}
	return odd
}
