// Package message reads what energyd needs of a mail: who wrote to whom, when,
// and what kind of message it is. Mails are text from strangers' programs, so
// nothing here fails: what cannot be understood is left out or replaced, and
// flagged. It does no I/O; bodies are looked at and dropped.
//
//   - header.go, words.go, charset.go: fields, encoded words, charsets (contracts/imap.md 40, 41)
//   - date.go (42, 43), id.go (32, 33, 44, 60), address.go and person.go (46)
//   - part.go, params.go: the parts of a body and their names (45, 47)
//   - kind.go (49–58), report.go (51–54), calendar.go (56, 57), question.go (61)
package message

import (
	"bytes"
	"strings"
	"time"
)

// Message is what is known of one mail. Times are UTC; texts are valid UTF-8.
type Message struct {
	ID      string  // Message-ID without angle brackets; "" unless IDState is IDValid
	IDState IDState // what the Message-ID header is worth

	From     Address // the writer; the zero Address when the mail does not tell
	ReplyTo  []Address
	To, Cc   []Address
	returned bool // the envelope's sender is empty: a notice of a mail system
	hidden   bool // the header alone was read, and the body may well make it another kind

	HeaderDate time.Time // what the Date header says; zero when it cannot be read
	DateState  DateState
	received   time.Time // the newest Received stamp, zero when there is none

	kind           string // of Content-Type, "multipart/mixed"
	report, method string // its report-type in small letters, its method in capitals
	system         bool   // the writer's address is a mail system's

	Subject    string
	InReplyTo  []string // message ids
	References []string // message ids, oldest first, at most 50: the first and the last ones

	Kind      Kind
	Automatic bool   // no person pressed send
	ListHost  string // of a mail that came by a list: the domain of the list, "" when it is not told
	Delivery  *Delivery
	Receipt   *Receipt
	Calendar  *Calendar

	Attachments []Attachment
	Question    bool // the new text asks something

	Replaced bool // a text's charset had to be guessed, or bytes be replaced
	Cut      bool // there was more than is kept: header, references, recipients or parts
}

// Attachment is what is kept of an attached file.
type Attachment struct {
	Name string
	Type string
	Size int // bytes as sent
}

// ReadHeader reads a header section; a body that follows it is not looked at.
func ReadHeader(raw []byte) *Message { return new(Reader).ReadHeader(raw) }

// Reader reads many headers one after the other, and so faster: the same people write
// again and again, and their addresses are read once. The zero Reader is ready. One
// goroutine at a time uses it.
type Reader struct{ known map[string]addressList }

// ReadHeader is as the function of that name. Lists of addresses are shared by
// messages: they may be read only.
func (r *Reader) ReadHeader(raw []byte) *Message {
	m, _, _ := r.read(raw)
	return m
}

// Fields are the header fields that are looked at: what has to be fetched of a header.
var Fields = []string{
	"From", "Sender", "X-Sender", "Return-Path", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"Content-Type", "Auto-Submitted", "Precedence", "X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Autoreply-From", "X-Mail-Autoreply",
	"X-MS-Exchange-Inbox-Rules-Loop", "X-Auto-Response-Suppress", "X-Failed-Recipients",
	"List-Id", "List-Post", "List-Unsubscribe", "Mailing-List", "X-ML-Name", "X-ML-Count", "X-MLServer", "X-BeenThere", "X-Mailing-List", "X-Mag2Id", "Content-Class",
}

// ReadParts reads a header section, and parts of the body that were fetched apart.
func ReadParts(raw []byte, parts []Part) *Message {
	m, h, _ := new(Reader).read(raw)
	m.judge(h, parts)
	return m
}

// Read reads a whole message.
func Read(raw []byte) *Message {
	m, h, body := new(Reader).read(raw)
	parts, cut := walk(h, body)
	m.Cut = m.Cut || cut
	m.judge(h, parts)
	return m
}

func (r *Reader) read(raw []byte) (m *Message, h header, body []byte) {
	m = &Message{}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	section := raw
	if len(section) > maxHeader {
		section = section[:maxHeader]
	}
	h, rest := parseHeader(section)
	if rest == nil && len(raw) > maxHeader {
		m.Cut = true
		_, body = parseHeader(raw)
	} else if rest != nil {
		body = raw[len(section)-len(rest):]
	}
	m.fields(h, r)
	m.judge(h, nil)
	return m, h, body
}

// fields reads everything but the kind.
func (m *Message) fields(h header, r *Reader) {
	kind, params := contentType(h)
	m.kind, m.report, m.method = kind, strings.ToLower(params["report-type"]), strings.ToUpper(params["method"])
	hint := params["charset"]
	text := func(name string) string {
		t, exact := decodeRaw(h.get(name), hint)
		m.Replaced = m.Replaced || !exact
		return t
	}
	list := func(name string) []Address {
		raw := h.get(name)
		if raw == nil {
			return nil
		}
		all := r.addresses(raw, hint)
		m.Replaced = m.Replaced || !all.exact
		m.Cut = m.Cut || len(all.list) == maxAddresses
		return all.list
	}
	for _, name := range []string{"from", "sender", "x-sender", "return-path"} {
		if from := list(name); len(from) > 0 {
			m.From = from[0]
			break
		}
	}
	m.ReplyTo, m.To, m.Cc = list("reply-to"), list("to"), list("cc")
	if room := maxAddresses - len(m.To); len(m.Cc) > room {
		m.Cc, m.Cut = m.Cc[:room], true
	}
	subject, exact := words(text("subject"))
	m.Subject, m.Replaced = clean(subject), m.Replaced || !exact
	if len(m.Subject) > maxSubject {
		if runes := []rune(m.Subject); len(runes) > maxSubject {
			m.Subject, m.Cut = string(runes[:maxSubject]), true
		}
	}
	m.system = daemon.MatchString(m.From.Addr) || m.From.Addr == "" && daemonAlone.MatchString(h.text("from"))
	m.returned = strings.TrimSpace(h.text("return-path")) == "<>"
	m.dates(h)
	m.ids(h)
}

func (m *Message) dates(h header) {
	for _, f := range h {
		if f.name == "received" {
			if at := strings.LastIndexByte(string(f.value), ';'); at >= 0 {
				if t, state := parseDate(string(f.value[at+1:])); state == DateValid || state == DateNonstandard {
					m.received = t
				}
			}
			break
		}
	}
	m.DateState = DateMissing
	for _, f := range h {
		if f.name != "date" {
			continue
		}
		text, _ := decodeRaw(f.value, "")
		t, state := parseDate(text)
		if m.DateState != DateMissing { // another one stood above
			if m.DateState = DateDuplicate; !t.Equal(m.HeaderDate) {
				m.HeaderDate = time.Time{}
			}
			continue
		}
		m.HeaderDate, m.DateState = t, state
		if len(bytes.TrimSpace(f.value)) == 0 {
			m.DateState = DateMissing
		}
	}
	if (m.known() && m.HeaderDate.Year() < 1980) || m.known() && !m.received.IsZero() && m.HeaderDate.After(m.received.Add(24*time.Hour)) {
		m.DateState = DateOutOfRange
	}
}

// known tells whether the header's instant is to be believed.
func (m *Message) known() bool {
	switch m.DateState {
	case DateValid, DateNonstandard, DateTwoDigits:
		return true
	}
	return false
}

// When is when the mail was written, UTC. arrived is the mail server's own
// stamp (INTERNALDATE); it is taken, and internal is true, when the header does
// not tell, or tells a time before 1980 or more than a day after arrival.
func (m *Message) When(arrived time.Time) (t time.Time, internal bool) {
	if m.known() && (arrived.IsZero() || !m.HeaderDate.After(arrived.Add(24*time.Hour))) {
		return m.HeaderDate, false
	}
	return arrived.UTC(), true
}

// decodeRaw makes text of a field's bytes. Encoded words in it are left as they are.
func decodeRaw(b []byte, hint string) (text string, exact bool) {
	plain := ascii(b)
	if plain && !escapes(b) {
		return string(b), true
	}
	if hint != "" && !plain {
		e := charset(hint)
		if text, ok := lied(b, e); ok {
			return text, false
		}
		if e != nil {
			if text, ok := strict(b, e); ok {
				return text, true
			}
		}
	}
	return guess(b)
}

func raw8(b []byte, hint string) string {
	text, _ := decodeRaw(b, hint)
	return text
}
