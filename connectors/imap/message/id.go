package message

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// IDState says what the Message-ID header is worth.
type IDState string

// The states of a Message-ID.
const (
	IDValid     IDState = "valid"
	IDMissing   IDState = "missing"
	IDMalformed IDState = "malformed"
)

// messageID is the form of an id between its angle brackets.
var messageID = regexp.MustCompile(`<([^<>\s@]+@[^<>\s@]+)>`)

// bareID is an id that a program wrote without brackets.
var bareID = regexp.MustCompile(`^[^<>\s@"(),;:]+@[^<>\s@"(),;:]+$`)

const maxID = 998 // characters: the longest line that mail allows

// messageIDs takes the ids out of a text, also out of prose, each once, in its order.
func messageIDs(text string) []string {
	if text == "" {
		return nil
	}
	if id, ok := soleID(text); ok {
		return []string{id}
	}
	var ids []string
	seen := map[string]bool{}
	// White space inside the brackets comes from folding.
	for _, m := range messageID.FindAllStringSubmatch(unspace(text), -1) {
		if id := m[1]; len(id) <= maxID && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// soleID tells quickly of a text that it is one id of plain characters in its brackets.
func soleID(text string) (id string, ok bool) {
	last := len(text) - 1
	if last < 4 || last-1 > maxID || text[0] != '<' || text[last] != '>' {
		return "", false
	}
	id = text[1:last]
	at := strings.IndexByte(id, '@')
	if at <= 0 || at == len(id)-1 {
		return "", false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '<' || c == '>' || c == '@' && i != at {
			return "", false
		}
	}
	return id, true
}

// unspace takes the white space out of what stands in angle brackets.
func unspace(text string) string {
	if !strings.ContainsAny(text, " \t") {
		return text
	}
	var out strings.Builder
	inside := false
	last := strings.LastIndexByte(text, '>')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '<':
			inside = i < last
			out.WriteByte(c)
		case c == '>':
			inside = false
			out.WriteByte(c)
		case inside && (c == ' ' || c == '\t'):
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func (m *Message) ids(h header) {
	own := strings.TrimSpace(h.text("message-id"))
	ids := messageIDs(own)
	switch {
	case own == "":
		m.IDState = IDMissing
	case len(ids) == 1 && strings.HasPrefix(own, "<"):
		m.ID, m.IDState = ids[0], IDValid
	case bareID.MatchString(own) && len(own) <= maxID:
		m.ID, m.IDState = own, IDValid
	default:
		m.IDState = IDMalformed
	}
	m.InReplyTo = m.namedIDs(h.text("in-reply-to"))
	m.References = m.namedIDs(h.text("references"))
	if len(m.InReplyTo) > maxReferences {
		m.InReplyTo, m.Cut = m.InReplyTo[:maxReferences], true
	}
	if n := len(m.References); n > maxReferences { // the root, and the nearest ancestors
		m.References = append(m.References[:1:1], m.References[n-maxReferences+1:]...)
		m.Cut = true
	}
}

// namedIDs takes out of a field the ids of other mails. Programs leave the brackets
// out, and put into prose the addresses of the people who wrote.
func (m *Message) namedIDs(text string) []string {
	ids := messageIDs(text)
	if len(ids) == 0 {
		fields := strings.Fields(text)
		if slices.ContainsFunc(fields, func(f string) bool { return !bareID.MatchString(f) || len(f) > maxID }) {
			return nil
		}
		return fields
	}
	if strings.Trim(text, " \t,;")[0] == '<' || len(ids) == 1 {
		return ids // no prose
	}
	person := func(id string) bool {
		same := func(a Address) bool { return strings.EqualFold(a.Addr, id) }
		return same(m.From) || slices.ContainsFunc(m.To, same) || slices.ContainsFunc(m.Cc, same)
	}
	if rest := slices.DeleteFunc(slices.Clone(ids), person); len(rest) > 0 {
		return rest
	}
	return ids
}

// Identity is the same for one mail in whatever box and folder it lies: its
// Message-ID, or for a mail without a usable one a digest of what its writer
// set. Ids reach the CRM's side of the store only as this.
func (m *Message) Identity() string {
	if m.IDState == IDValid {
		return m.ID
	}
	h := sha256.New()
	for _, part := range []string{m.From.Addr, m.stamp(), m.Subject, join(m.To), strings.Join(m.InReplyTo, " ")} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return "digest:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Key is the identity of a mail as an event. Programs use ids again for other
// mails, so the time that the writer set belongs to it: copies, also those that
// lists and relays made, agree in it. It needs nothing but this mail, so that the
// order in which mails are read does not matter.
func (m *Message) Key() string {
	if m.IDState != IDValid || m.stamp() == "" {
		return m.Identity()
	}
	h := sha256.Sum256([]byte(m.stamp()))
	return m.Identity() + "#" + hex.EncodeToString(h[:4])
}

// Same tells whether two mails with one Message-ID are one mail. Programs that
// use an id again differ in writer, time and subject; lists and relays only in
// what they add.
func (m *Message) Same(other *Message) bool {
	return m.From.Addr == other.From.Addr || m.stamp() == other.stamp() || m.BaseSubject() == other.BaseSubject()
}

func (m *Message) stamp() string {
	if m.HeaderDate.IsZero() {
		return ""
	}
	return m.HeaderDate.Format(time.RFC3339)
}

func join(list []Address) string {
	addrs := make([]string, len(list))
	for i, a := range list {
		addrs[i] = a.Addr
	}
	return strings.Join(addrs, ",")
}

// answerMark is what programs and lists put before a subject.
var answerMark = regexp.MustCompile(`^(?i:(?:re|aw|sv|antw|fw|fwd|wg|tr|rv|vs|res|enc)(?:\s*[\[(]\d+[\])]|\d*)\s*:|(?:返信|転送|回复|答复|转发|答覆|轉寄)\s*:|【(?:返信|転送|re|fw|fwd)】|\[(?:re|fw|fwd)\]|\[[^\[\]]{1,40}[:\s-]\d{1,7}\]|\(fwd\))\s*`)

// listMark is the name that a list puts before a subject: [ML], [sales].
var listMark = regexp.MustCompile(`^\[[^\[\]]{1,40}\]\s*`)

// BaseSubject is the subject without what answers, forwards and lists put before it.
func (m *Message) BaseSubject() string {
	s := m.Subject
	for {
		plain := norm.NFKC.String(s)
		if strings.IndexByte(plain, ':') < 0 && strings.IndexByte(plain, ']') < 0 && strings.IndexByte(plain, ')') < 0 && !strings.Contains(plain, "】") {
			return s // every mark ends in one of them
		}
		mark := answerMark.FindString(plain)
		if mark == "" {
			mark = listMark.FindString(plain)
		}
		if mark == "" || len(mark) == len(plain) {
			return s
		}
		s = strings.TrimSpace(plain[len(mark):])
	}
}
