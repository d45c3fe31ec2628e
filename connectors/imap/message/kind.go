package message

import (
	"regexp"
	"strings"
)

// Kind is what a message is. The first that fits holds, in this order.
type Kind string

// The kinds.
const (
	Bounce         Kind = "bounce"          // a mail could not be delivered
	DeliveryReport Kind = "delivery_report" // delayed, delivered: no effect on anybody
	ReadReceipt    Kind = "read_receipt"
	Invitation     Kind = "invitation"     // a meeting is proposed or changed
	Accepted       Kind = "accepted"       // answers to an invitation
	Declined       Kind = "declined"       //
	Tentative      Kind = "tentative"      //
	Counter        Kind = "counter"        // another time is proposed
	Cancelled      Kind = "cancelled"      // a meeting is called off
	CalendarOther  Kind = "calendar_other" // an exchange of calendars that means no contact
	AutoReply      Kind = "auto_reply"
	List           Kind = "list"     // mailing list or newsletter
	Ordinary       Kind = "ordinary" // a person wrote to persons
)

// Wants tells which part of the body would tell more of a message whose header
// alone was read. Bodies of all others need not be fetched.
func (m *Message) Wants() bool {
	return m.hidden || m.Kind == Ordinary || m.Kind == Bounce || m.Kind == DeliveryReport || m.Kind == ReadReceipt || m.Kind == Invitation
}

// Parts tells whether the message has several parts, or is a calendar itself.
func (m *Message) Parts() bool {
	return strings.HasPrefix(m.kind, "multipart/") || m.kind == "text/calendar"
}

// Reports tells whether the message may be a notice about another one.
func (m *Message) Reports() bool {
	return m.Kind == Bounce || m.Kind == DeliveryReport || m.Kind == ReadReceipt || m.system
}

// WantsText tells whether the text says more than header and structure: whether
// an answer asks something, and whom a notice without a report is about.
func (m *Message) WantsText() bool {
	return len(m.InReplyTo)+len(m.References) > 0 || m.Kind == Bounce || m.system
}

var (
	autoSubject = regexp.MustCompile(`(?i)^[【\[［(（]?(自動応答|自動返信|不在通知|不在連絡|不在のお知らせ|automatic reply|auto(matic)?[ -]?reply|auto[ -]?response|auto: |out of (the )?office|away from my mail|.{1,80} is out of (the )?office|respuesta automática|automatische antwort|réponse automatique)`)
	// markedSubject is how web forms mark their receipts, which carry no other sign. No person begins a subject so.
	markedSubject = regexp.MustCompile(`^[【\[［(（]自動(返信|応答|送信|配信)(メール)?[】\]］)）]`)
	bulk          = map[string]bool{"list": true, "bulk": true, "junk": true}
)

// judge finds the kind from the header, and from the parts where they are known.
func (m *Message) judge(h header, parts []Part) {
	submitted := h.word("auto-submitted")
	if end := strings.IndexAny(submitted, " \t;("); end >= 0 {
		submitted = submitted[:end]
	}
	m.Automatic = submitted != "" && submitted != "no"
	m.look(parts)
	report := ""
	if m.kind == "multipart/report" {
		report = m.report
	}
	m.Delivery, m.Receipt, m.hidden = nil, nil, false // what the header alone gave
	if m.kind == "multipart/report" {
		m.Delivery, m.Receipt = delivery(parts), receipt(parts)
	}
	switch {
	case m.Receipt != nil && m.Delivery == nil, report == "disposition-notification":
		m.Kind, m.Automatic = ReadReceipt, true
		if m.Receipt == nil {
			m.Receipt = &Receipt{}
		}
		m.about(&m.Receipt.OriginalID)
		return
	case m.Delivery != nil:
		m.Kind, m.Automatic = DeliveryReport, true
		if m.Delivery.Action == "failed" {
			m.Kind = Bounce
		}
		m.about(&m.Delivery.OriginalID)
		return
	}
	if d := m.plainFailure(h, parts); d != nil { // also of a report that lacks its own part
		m.Kind, m.Automatic, m.Delivery = DeliveryReport, true, d
		if d.Action == "failed" {
			m.Kind = Bounce
		}
		m.about(&d.OriginalID)
		return
	}
	if report != "" { // of other things: complaints, statistics
		m.Kind, m.Automatic = DeliveryReport, true
		return
	}
	// Outside multipart/report, a mail system's word stands in the text; behind an
	// automatic answer an answer to an invitation may stand.
	m.hidden = parts == nil && (m.kind == "text/calendar" || h.word("content-class") == "urn:content-classes:calendarmessage" || m.system)
	if m.kind == "text/calendar" && parts == nil {
		parts = []Part{{Type: m.kind, Method: m.method}}
	}
	if m.Calendar = calendar(parts); m.Calendar != nil && m.Calendar.Method != "PUBLISH" { // what is published is a file
		m.Kind = m.Calendar.kind()
		return
	}
	switch {
	case m.answersItself(h, submitted):
		m.Kind, m.Automatic = AutoReply, true
	case fromList(h):
		m.Kind, m.ListHost = List, listHost(h)
	default:
		m.Kind = Ordinary
	}
}

// look takes what is kept of the parts: attachments, and whether the text asks.
func (m *Message) look(parts []Part) {
	m.Attachments, m.Question = nil, false
	plain := false
	for _, p := range parts {
		switch {
		case p.Nested:
		case p.Attached:
			m.Attachments = append(m.Attachments, Attachment{p.Name, p.Type, p.Size})
		case p.Type == "text/plain" && p.Content != nil && !plain:
			text, _ := decode(p.Content, p.Charset)
			m.Question, plain = asks(text), true
		case p.Type == "text/html" && p.Content != nil && !plain:
			text, _ := decode(p.Content, p.Charset)
			m.Question = asks(htmlText(text))
		}
	}
}

// about fills the id of the mail that a report is about, where only its own header tells.
func (m *Message) about(id *string) {
	switch n := len(m.References); {
	case *id != "":
	case len(m.InReplyTo) > 0:
		*id = m.InReplyTo[0]
	case n > 0:
		*id = m.References[n-1]
	}
}

func (c *Calendar) kind() Kind {
	switch c.Method {
	case "REQUEST":
		return Invitation
	case "REPLY":
		switch c.PartStat {
		case "ACCEPTED":
			return Accepted
		case "DECLINED":
			return Declined
		case "TENTATIVE":
			return Tentative
		}
	case "COUNTER":
		return Counter
	case "CANCEL":
		return Cancelled
	}
	return CalendarOther
}

// answersItself tells an answer that a program gave in a person's absence.
// X-Auto-Response-Suppress alone only asks others not to.
func (m *Message) answersItself(h header, submitted string) bool {
	if submitted == "auto-replied" || markedSubject.MatchString(m.Subject) {
		return true
	}
	for _, name := range []string{"x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply"} {
		if h.has(name) && h.word(name) != "no" {
			return true
		}
	}
	if p := h.word("precedence"); p == "auto_reply" || p == "auto-reply" {
		return true
	}
	bare := bulk[h.word("precedence")] && !h.has("list-id") // as vacation programs mark theirs
	return (h.has("x-ms-exchange-inbox-rules-loop") || m.returned || m.Automatic || bare) && autoSubject.MatchString(m.Subject)
}

func fromList(h header) bool {
	for _, name := range []string{"list-id", "list-post", "list-unsubscribe", "mailing-list", "x-ml-name", "x-ml-count", "x-mlserver", "x-beenthere", "x-mailing-list", "x-mag2id"} {
		if h.has(name) {
			return true
		}
	}
	return bulk[h.word("precedence")]
}

// listHost finds the domain of a list: "info.our.example" of <info.our.example>,
// "our.example" of <mailto:info@our.example>.
func listHost(h header) string {
	if _, id, ok := strings.Cut(h.word("list-id"), "<"); ok {
		id, _, _ = strings.Cut(id, ">")
		return strings.TrimSpace(id)
	}
	for _, name := range []string{"list-post", "x-beenthere", "mailing-list", "x-mailing-list"} {
		if found := anyAddress.FindString(h.word(name)); found != "" {
			return found[strings.LastIndexByte(found, '@')+1:]
		}
	}
	return ""
}

// Direction is whose act a mail was.
type Direction string

// The directions. Foreign mails lie in our boxes, but neither from nor to us.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
)

// Direction tells whose act the mail was; ours says which domains are our own.
// A form on our web site writes from inside, for the person to whom the answer
// goes: then writer is that person.
func (m *Message) Direction(ours func(domain string) bool) (d Direction, writer Address) {
	if !ours(m.From.Domain()) {
		return Inbound, m.From
	}
	for _, list := range [][]Address{m.To, m.Cc} {
		for _, a := range list {
			if !ours(a.Domain()) {
				return Outbound, m.From
			}
		}
	}
	for _, a := range m.ReplyTo { // a list may stand in front of the person
		if !ours(a.Domain()) {
			return Inbound, a
		}
	}
	return Internal, m.From
}
