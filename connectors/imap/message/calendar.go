package message

import (
	"bytes"
	"strings"
)

// Calendar is what an iTIP part says (RFC 5546).
type Calendar struct {
	Method   string // REQUEST, REPLY, COUNTER, CANCEL …; "" when it is no exchange
	UID      string // of the first event
	Attendee string // address: of a REPLY, whose answer it is
	PartStat string // ACCEPTED, DECLINED, TENTATIVE …
}

// calendar reads the message's own calendar part; nil when there is none. It
// is a reader of five properties of hostile text, not of calendars.
func calendar(parts []Part) *Calendar {
	for _, p := range parts {
		if p.Nested || p.Type != "text/calendar" && p.Type != "application/ics" {
			continue
		}
		c := &Calendar{Method: p.Method}
		c.read(p.Content, p.Charset)
		if c.Method != "" {
			return c
		}
	}
	return nil
}

func (c *Calendar) read(content []byte, charset string) {
	inside := "" // the component that the line stands in
	depth := 0
	done := false
	for _, line := range unfold(content, charset) {
		name, value, ok := property(line)
		if !ok {
			continue
		}
		main, params := fieldParams(name)
		switch strings.ToUpper(main) {
		case "BEGIN":
			if depth++; depth == 2 {
				inside = strings.ToUpper(strings.TrimSpace(value))
			}
		case "END":
			if depth == 2 && inside == "VEVENT" {
				done = true
			}
			if depth--; depth < 2 {
				inside = ""
			}
		case "METHOD":
			if depth <= 1 {
				c.Method = strings.ToUpper(strings.TrimSpace(value))
			}
		case "UID":
			if depth == 2 && inside == "VEVENT" && !done && c.UID == "" {
				c.UID = clean(value)
			}
		case "ATTENDEE":
			if depth == 2 && inside == "VEVENT" && !done && c.Attendee == "" {
				c.Attendee, _ = normal(value)
				if c.Attendee == "" { // X.400 and the like name the address in a parameter
					c.Attendee, _ = normal(params["email"])
				}
				c.PartStat = strings.ToUpper(params["partstat"])
			}
		}
	}
}

// unfold joins lines that go on with a blank: by bytes, since programs fold inside characters.
func unfold(content []byte, charset string) []string {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	content = bytes.ReplaceAll(content, []byte("\r"), []byte("\n"))
	content = bytes.ReplaceAll(content, []byte("\n "), nil)
	content = bytes.ReplaceAll(content, []byte("\n\t"), nil)
	text, _ := decode(content, charset)
	return strings.Split(text, "\n")
}

// property cuts a content line at the colon that ends its name and parameters.
func property(line string) (name, value string, ok bool) {
	quoted := false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ':' && !quoted:
			return line[:i], line[i+1:], true
		}
	}
	return "", "", false
}
