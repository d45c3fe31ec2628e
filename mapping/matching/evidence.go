package matching

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"
)

// Phone writes a phone number as E.164 ("+81312345678"); "" when it is none.
// region, as "JP", is where numbers without a country code are of.
func Phone(number, region string) string {
	number = norm.NFKC.String(number)
	for _, sign := range [...]string{"内線", "ext", "(代表)", "(代)", "代表"} { // an extension is no part of whose number it is
		if before, _, ok := strings.Cut(number, sign); ok && strings.TrimSpace(before) != "" {
			number = before
		}
	}
	if len(number) > 40 {
		return ""
	}
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil || !phonenumbers.IsValidNumber(parsed) {
		return ""
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}

// CorporateNumber gives the 13 digits of a Japanese 法人番号; "" when its check
// digit, the first, says that it is none.
// Source: ordinance on the designation of corporate numbers (法人番号の指定等に関する省令), article 2.
func CorporateNumber(s string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		if r == '-' || r == ' ' {
			return -1
		}
		return 'x'
	}, strings.TrimPrefix(strings.ToUpper(norm.NFKC.String(strings.TrimSpace(s))), "T"))
	if len(digits) != 13 || strings.Contains(digits, "x") {
		return ""
	}
	sum := 0
	for i := 12; i >= 1; i-- { // from the right: weights 1, 2, 1, 2 …
		weight := 1 + (12-i)%2
		sum += int(digits[i]-'0') * weight
	}
	if 9-sum%9 != int(digits[0]-'0') {
		return ""
	}
	return digits
}
