package sqltable

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// remarkCode is a code in a comment with the sign behind it by which its word begins: "1:", "02=", "A→".
var remarkCode = regexp.MustCompile(`(?:^|[^0-9A-Za-z])([0-9]{1,4}|[A-Z]{1,2})\s*(?:=>|[:=→.\-])\s*`)

// remarkSigns stand between and around the words of a comment.
const remarkSigns = " \t\r\n,、;/|・()[]{}「」【】<>。:"

// readRemark parts a column's comment as "接触区分 1:訪問 2:電話 9:その他" into a name for people and the words that the codes
// stand for; nil when it tells of fewer than two codes.
func readRemark(comment string) (label string, words map[string]string) {
	comment = norm.NFKC.String(comment)
	var codes [][]int
	for _, m := range remarkCode.FindAllStringSubmatchIndex(comment, -1) {
		if next, _ := utf8.DecodeRuneInString(comment[m[1]:]); unicode.IsLetter(next) { // not 2026-10
			codes = append(codes, m)
		}
	}
	label = comment
	if len(codes) > 1 {
		words = map[string]string{}
		for i, m := range codes {
			end := len(comment)
			if i+1 < len(codes) {
				end = codes[i+1][0]
			}
			if word := strings.Trim(comment[m[1]:end], remarkSigns); utf8.RuneCountInString(word) <= longestWord {
				words[comment[m[2]:m[3]]] = word
			}
		}
		label = comment[:codes[0][0]]
	}
	if label = strings.Trim(label, remarkSigns); utf8.RuneCountInString(label) > longestWord || strings.ContainsAny(label, "。\n") {
		label = ""
	}
	return label, words
}
