package message

import (
	"bytes"
	"strings"
)

// Bounds on what is kept of one message; what is above them is dropped and flagged.
const (
	maxHeader     = 256 << 10 // bytes of the header section
	maxSubject    = 2000      // characters
	maxReferences = 50
	maxAddresses  = 200
	maxParts      = 100
	maxDepth      = 20
)

// header is a header section, unfolded. Values are bytes as they came: what
// charset they are in is decided field by field.
type header []headerField

type headerField struct {
	name  string // small letters
	value []byte
}

// parseHeader reads the lines up to the first empty one. Lines that are no
// field (mbox marks, broken foldings) are passed over. rest is what follows
// the empty line.
func parseHeader(raw []byte) (h header, rest []byte) {
	for len(raw) > 0 {
		line := raw
		if end := bytes.IndexByte(raw, '\n'); end >= 0 {
			line, raw = raw[:end], raw[end+1:]
		} else {
			raw = nil
		}
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			return h, raw
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(h) > 0 {
				last := &h[len(h)-1]
				last.value = append(append(last.value, ' '), bytes.TrimLeft(line, " \t")...)
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
			continue
		}
		h = append(h, headerField{strings.ToLower(string(name)), append([]byte(nil), bytes.TrimSpace(value)...)})
	}
	return h, nil
}

// get gives the first field of a name; nil when there is none.
func (h header) get(name string) []byte {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

func (h header) has(name string) bool {
	for _, f := range h {
		if f.name == name {
			return true
		}
	}
	return false
}

// text gives the first field of a name as text of whatever charset it looks like.
func (h header) text(name string) string { return raw8(h.get(name), "") }

// word gives the first field of a name in small letters, for fixed words.
func (h header) word(name string) string {
	return strings.ToLower(strings.TrimSpace(h.text(name)))
}
