package salesforce

import "strings"

// longID gives the 18-character form of a record id; "" when text is no id. The
// last three characters of it tell which of the first 15 are capitals.
func longID(text string) string {
	if len(text) != 15 && len(text) != 18 {
		return ""
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	var suffix [3]byte
	for part := range 3 {
		capitals := 0
		for i := range 5 {
			switch c := text[part*5+i]; {
			case 'A' <= c && c <= 'Z':
				capitals |= 1 << i
			case ('a' > c || c > 'z') && ('0' > c || c > '9'):
				return ""
			}
		}
		suffix[part] = alphabet[capitals]
	}
	long := text[:15] + string(suffix[:])
	// Tools that ignore case may have changed the checksum's case, never its letters.
	if len(text) == 18 && !strings.EqualFold(text, long) {
		return ""
	}
	return long
}
