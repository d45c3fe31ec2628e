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

// header is a header section, unfolded. Values are bytes as they came, of the
// section itself where they were not folded: what charset they are in is decided
// field by field.
type header []headerField

type headerField struct {
	name  string // small letters
	value []byte
}

// parseHeader reads the lines up to the first empty one. Lines that are no
// field (mbox marks, broken foldings) are passed over. rest is what follows
// the empty line.
func parseHeader(raw []byte) (h header, rest []byte) {
	h = make(header, 0, 16)
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
				last.value = append(append(last.value, ' '), bytes.TrimLeft(line, " \t")...) // makes a copy at the first folding
			}
			continue
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			continue
		}
		name, value := bytes.TrimRight(line[:colon], " \t"), bytes.TrimSpace(line[colon+1:])
		if len(name) == 0 || bytes.IndexByte(name, ' ') >= 0 || bytes.IndexByte(name, '\t') >= 0 {
			continue
		}
		h = append(h, headerField{fieldName(name), value[:len(value):len(value)]})
	}
	return h, nil
}

// fieldName gives a name in small letters; for those that are asked for, always the same text.
func fieldName(name []byte) string {
	if known, ok := knownNames[string(name)]; ok {
		return known
	}
	lower := strings.ToLower(string(name))
	if known, ok := knownNames[lower]; ok {
		return known
	}
	return lower
}

// knownNames are the names of Fields in small letters, by themselves and by how they are mostly written.
var knownNames = func() map[string]string {
	names := map[string]string{}
	for _, name := range Fields {
		lower := strings.ToLower(name)
		names[name], names[lower] = lower, lower
	}
	return names
}()

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
