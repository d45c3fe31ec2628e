package matching

import (
	"cmp"
	"strings"
)

// Revision grows when names are brought into another form than before: what is
// stored under names then has to be made anew.
const Revision = 4

// left are the legal forms that people leave out. Others tell companies of one name apart.
var left = map[string]bool{"株式会社": true, "co ltd": true, "inc": true, "corp": true, "co": true, "ltd": true}

// PlainCompany is a company's name in the form in which it is the same however
// it was written: without 株式会社, width, case, blanks, marks and courtesy. "㈱
// 山田製作所 御中" and "山田製作所（株）" are both "山田製作所"; 有限会社山田製作所 is another
// one. It is the exact part of matching: names that differ otherwise stay different.
func PlainCompany(name string) string {
	c := ParseCompany(name)
	form := c.Form
	if left[form] {
		form = ""
	}
	if len(c.Others) > 0 || c.Core == "" {
		return plain(c.text)
	}
	return c.Core + letters(c.Site) + letters(form)
}

// PlainPerson is a person's name in the form in which it is the same however it
// was written: without width, case, blanks, marks, courtesy and title.
// "山田　太郎様" and "営業部長 山田太郎" are both "山田太郎".
func PlainPerson(name string) string {
	p := ParsePerson(name, "")
	if p.full == "" || p.doubt || len(p.former) > 0 {
		return plain(fold(name))
	}
	return p.full
}

// SearchKeys are the forms in which a company's name is looked for by a part of it, and those of what somebody
// typed: whole, and without 株式会社. Width, case, blanks and marks make no difference, and neither does Hiragana or
// Katakana. A name is found where one of its forms holds one of what was typed.
func SearchKeys(name string) (whole, short string) {
	whole = katakana(plain(fold(name)))
	return whole, cmp.Or(katakana(PlainCompany(name)), whole)
}

// plain leaves out all but letters and digits; of a text without any it leaves all but blanks.
func plain(s string) string {
	if kept := letters(s); kept != "" {
		return kept
	}
	return strings.ReplaceAll(s, " ", "")
}
