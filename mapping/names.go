package mapping

import (
	"strings"
	"unicode"
)

// legalForms stand before or behind a company's own name, as fold leaves them,
// with what they are called in full. 株式会社 is the usual one, which people
// leave out; the others tell companies of one name apart.
var legalForms = []struct{ written, full string }{
	{"株式会社", ""}, {"株式會社", ""}, {"(株)", ""}, {"有限会社", "有限会社"}, {"(有)", "有限会社"}, {"合同会社", "合同会社"}, {"(同)", "合同会社"},
	{"合資会社", "合資会社"}, {"(資)", "合資会社"}, {"合名会社", "合名会社"}, {"医療法人", "医療法人"}, {"(医)", "医療法人"}, {"学校法人", "学校法人"}, {"(学)", "学校法人"},
}

// latinForms are forms that are words of their own behind a name, and left out as 株式会社 is.
var latinForms = map[string]bool{
	"inc": true, "incorporated": true, "corp": true, "corporation": true, "co": true, "company": true, "ltd": true, "limited": true, "kk": true,
}

// Company is a company's name in the form in which it is the same however it
// was written: without 株式会社, width, case, blanks, marks and courtesy. "㈱
// 山田製作所 御中" and "山田製作所（株）" are both "山田製作所"; 有限会社山田製作所 is another
// one. It is the exact part of matching: names that differ otherwise stay different.
func Company(name string) string {
	words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(fold(name), ".", ""), ",", " "))
	for len(words) > 1 && latinForms[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	s := strings.Join(words, "")
	for _, courtesy := range [...]string{"御中", "様", "殿", "さん"} {
		if rest, ok := strings.CutSuffix(s, courtesy); ok && rest != "" {
			s = rest
			break
		}
	}
	for _, form := range legalForms {
		for _, written := range [...]string{"(" + form.written + ")", form.written} {
			rest, ok := strings.CutPrefix(s, written)
			if !ok {
				rest, ok = strings.CutSuffix(s, written)
			}
			if rest = letters(rest); ok && rest != "" {
				return rest + form.full
			}
		}
	}
	return letters(s)
}

// Person is a person's name in the form in which it is the same however it was
// written: without width, case, blanks, marks and courtesy. "山田　太郎様" is "山田太郎".
func Person(name string) string {
	words := strings.Fields(fold(name))
	for len(words) > 1 {
		switch strings.TrimRight(words[0], ".") {
		case "mr", "mrs", "ms", "dr", "prof":
			words = words[1:]
			continue
		}
		break
	}
	s := strings.Join(words, "")
	for _, courtesy := range [...]string{"様", "殿", "さん", "氏"} {
		if rest, ok := strings.CutSuffix(s, courtesy); ok && rest != "" {
			s = rest
			break
		}
	}
	return letters(s)
}

// letters leaves out all but letters and digits; of a text without any it leaves all.
func letters(s string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
	if kept == "" {
		return s
	}
	return kept
}
