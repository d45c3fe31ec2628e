package message

import (
	"strings"

	"golang.org/x/net/idna"
)

// Address is one person or box of a mail.
type Address struct {
	Name string // as shown, "" when there is none
	Addr string // local part and domain in small letters, the domain in ASCII: "taro@xn--….example"
}

// Domain is what follows the last @.
func (a Address) Domain() string { return a.Addr[strings.LastIndexByte(a.Addr, '@')+1:] }

// addresses reads a list of addresses as people's programs write it: names with
// or without quotes, comments, groups, encoded words anywhere, missing commas.
// Entries without an @ are left out.
func addresses(text string) (list []Address, exact bool) {
	exact = len(text) <= maxAddressText
	text = text[:min(len(text), maxAddressText)]
	for entries := 0; text != "" && len(list) < maxAddresses && entries < 2*maxAddresses; entries++ {
		var entry string
		entry, text = nextAddress(text)
		a, whole, ok := address(entry)
		if ok {
			list = append(list, a)
			exact = exact && whole
		}
	}
	return list, exact && text == ""
}

// addressList is what a field with addresses says; exact is false when a text had
// to be guessed, or when some could not be read.
type addressList struct {
	list  []Address
	exact bool
}

const (
	maxKnown     = 2048 // fields
	maxKnownText = 256  // bytes of one
)

// addresses reads a field with addresses; hint is the charset that the header names.
func (r *Reader) addresses(raw []byte, hint string) addressList {
	if l, ok := r.known[string(raw)]; ok {
		return l
	}
	text, decoded := decodeRaw(raw, hint)
	list, exact := addresses(text)
	l := addressList{list[:len(list):len(list)], decoded && (exact || len(list) == maxAddresses)}
	if len(raw) <= maxKnownText && ascii(raw) { // else it may depend on the hint
		if len(r.known) >= maxKnown || r.known == nil {
			r.known = map[string]addressList{}
		}
		r.known[string(raw)] = l
	}
	return l
}

// ParseAddress reads one address as people write it, with or without a name.
func ParseAddress(text string) (Address, bool) {
	list, _ := addresses(text)
	if len(list) != 1 {
		return Address{}, false
	}
	return list[0], true
}

// Domain is a domain in the form in which those of addresses are compared: small letters, in ASCII.
func Domain(text string) string {
	a, ok := normal("x@" + text)
	if !ok {
		return strings.ToLower(text)
	}
	return Address{Addr: a}.Domain()
}

// maxAddressText is how much of one field is looked at, in bytes.
const maxAddressText = 64 << 10

// nextAddress cuts the first entry off: at a comma or semicolon outside quotes,
// comments and angles; the name of a group ("friends: a@b, c@d;") is passed over.
func nextAddress(s string) (entry, rest string) {
	quoted, depth, angle, opened, spaced := false, 0, false, 0, false
	lastClosed := strings.LastIndexByte(s, '>')
	plain := true // nothing yet that a group's name cannot have
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '=' && depth == 0 && !angle && strings.HasPrefix(s[i:], "=?"):
			if _, length, whole := encodedWord(s[i:]); whole { // what looks like a mark in it is none
				i += length - 1
			}
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<':
			angle, opened = true, i
		case c == '>':
			if angle && strings.Contains(s[opened:i], "@") && another(s[i+1:]) {
				return s[:i+1], s[i+1:] // a comma is missing
			}
			angle = false
		case angle && c == ',' && lastClosed < i:
			return s[:i], s[i+1:] // the angle is never closed
		case angle:
		case c == ',' || c == ';':
			return s[:i], s[i+1:]
		case c == ' ' && !spaced && strings.TrimSpace(s[:i]) != "":
			if spaced = true; twoInARow(s[:i], s[i:]) {
				return s[:i], s[i:]
			}
		case c == '@' || c == '=' || c == '[':
			plain = false
		case c == ':' && plain:
			return "", s[i+1:]
		}
	}
	if quoted { // a quote is never closed: what follows the first comma is an entry of its own
		if i := strings.IndexByte(s, ','); i >= 0 {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// another tells whether an entry with an address of its own follows, though there is no comma.
func another(rest string) bool {
	rest = strings.TrimLeft(rest, " ")
	if end := strings.IndexAny(rest, ",;"); end >= 0 && rest[0] != '"' {
		rest = rest[:end]
	}
	return rest != "" && rest[0] != '(' && strings.Contains(rest, "@")
}

// twoInARow tells whether a first word is an address, and the next one another. Before
// an address in angles it is the name.
func twoInARow(word, rest string) bool {
	next := strings.TrimLeft(rest, " ")
	if end := strings.IndexByte(next, ' '); end >= 0 {
		next = next[:end]
	}
	return strings.Contains(word, "@") && !strings.ContainsAny(word, `"<(`) && strings.Contains(next, "@") && !strings.ContainsAny(next, `"<(`)
}

// address reads one entry: "name <addr>", "addr (comment)", "addr".
func address(s string) (a Address, exact, ok bool) {
	s = strings.TrimSpace(s)
	var name, comment, addr string
	if open := lastAngle(s); open >= 0 {
		var behind string
		addr, behind, _ = strings.Cut(s[open+1:], ">")
		name, comment = takeComments(strings.TrimRight(s[:open], "<"))
		if comment == "" {
			_, comment = takeComments(behind)
		}
		addr, _ = takeComments(addr)
	} else {
		addr, comment = takeComments(s)
		if fields := strings.Fields(addr); len(fields) > 1 && !quotedLocal(addr) { // a name without angles: the last word with an @ is the address
			for i := len(fields) - 1; i >= 0; i-- {
				if strings.Contains(fields[i], "@") {
					addr, name = fields[i], strings.Join(fields[:i], " ")
					break
				}
			}
		}
	}
	addr, ok = normal(addr)
	if !ok {
		// Some programs encode name and address in one word.
		if whole, _ := words(s); strings.Contains(whole, "@") && !strings.Contains(whole, "=?") && whole != s {
			a, _, ok = address(whole)
			return a, false, ok
		}
		return Address{}, false, false
	}
	if strings.TrimSpace(name) == "" {
		name = comment
	}
	shown, exact := words(unquoted(name))
	a = Address{Name: clean(shown), Addr: addr}
	if strings.EqualFold(a.Name, addr) {
		a.Name = "" // many programs repeat the address as the name
	}
	return a, exact, true
}

// quotedLocal tells whether s is an address whose local part stands in quotes, as that of "taro yamada"@cust.example.
func quotedLocal(s string) bool {
	s = strings.TrimSpace(s)
	end := 0
	if strings.HasPrefix(s, `"`) {
		end = closingQuote(s)
	}
	return end > 0 && strings.HasPrefix(s[end+1:], "@")
}

// lastAngle is where the address in angles begins, outside quotes; -1 for none.
func lastAngle(s string) int {
	at, quoted := -1, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '<' && !quoted:
			at = i
		}
	}
	if at < 0 && quoted {
		at = strings.LastIndexByte(s, '<')
	}
	return at
}

// takeComments cuts (comments) out of s and gives the last one.
func takeComments(s string) (rest, comment string) {
	if !strings.ContainsAny(s, `(\`) {
		return s, ""
	}
	var out strings.Builder
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				out.WriteString(s[i : i+2])
			}
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
			out.WriteByte(c)
		case c == '(' && !quoted:
			if depth++; depth == 1 {
				start = i + 1
			}
		case c == ')' && !quoted && depth > 0:
			if depth--; depth == 0 {
				comment = s[start:i]
			}
		case depth == 0:
			out.WriteByte(c)
		}
	}
	return out.String(), comment
}

// unquoted takes the quotes off a name and resolves \" in it.
func unquoted(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1] // some programs quote so
	}
	if !strings.Contains(s, `"`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			out.WriteByte(s[i])
		case s[i] != '"':
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// normal gives an address in the form in which it is compared; ok is false when it is none.
func normal(s string) (addr string, ok bool) {
	s = clean(s)
	quoted := quotedLocal(s)
	s = strings.Trim(s, ` "'<>,;`)
	if strings.HasPrefix(s, "[") {
		s = strings.Trim(s, "[]") // "Taro [mailto:taro@cust.example]"
	}
	if scheme := "mailto:"; len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		s = strings.TrimSpace(s[len(scheme):])
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || len(s) > 320 {
		return "", false
	}
	local, domain := strings.Trim(s[:at], `"`), s[at+1:]
	domain, _, _ = strings.Cut(domain, "?") // mailto:taro@cust.example?subject=…
	domain = strings.Trim(domain, `. "'<>,;`)
	if route := strings.LastIndexByte(local, ':'); strings.HasPrefix(local, "@") && route >= 0 {
		local = local[route+1:] // <@relay:user@host>
	}
	if quoted && strings.Contains(local, " ") {
		local = `"` + local + `"`
	}
	if local == "" || domain == "" || !quoted && strings.Contains(local, " ") || strings.ContainsAny(domain, " \t@/\\()") {
		return "", false
	}
	// Of plain names IDNA changes nothing but the case.
	if !ascii(domain) || strings.Contains(strings.ToLower(domain), "xn--") {
		if plain, err := idna.Lookup.ToASCII(domain); err == nil {
			domain = plain
		}
	}
	return strings.ToLower(local) + "@" + strings.ToLower(domain), true
}

// ContactKey is the address by which a contact is found: without the plus tag
// where tagged says that the domain uses them.
func (a Address) ContactKey(tagged func(domain string) bool) string {
	at := strings.LastIndexByte(a.Addr, '@')
	if plus := strings.IndexByte(a.Addr[:max(at, 0)], '+'); plus > 0 && tagged(a.Domain()) {
		return a.Addr[:plus] + a.Addr[at:]
	}
	return a.Addr
}
