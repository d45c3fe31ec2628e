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
	return m.Kind == Ordinary || m.Kind == Bounce || m.Kind == DeliveryReport || m.Kind == ReadReceipt || m.Kind == Invitation
}

var (
	autoSubject = regexp.MustCompile(`(?i)^(自動応答|自動返信|不在通知|automatic reply|auto(matic)?[ -]?reply|auto[ -]?response|out of (the )?office|respuesta automática|automatische antwort|réponse automatique)`)
	bulk        = map[string]bool{"list": true, "bulk": true, "junk": true}
)

// judge finds the kind from the header, and from the parts where they are known.
func (m *Message) judge(h header, parts []Part) {
	submitted, _, _ := strings.Cut(h.word("auto-submitted"), " ")
	submitted = strings.Trim(submitted, ";(")
	m.Automatic = submitted != "" && submitted != "no"
	m.look(parts)
	kind, params := contentType(h)
	report := ""
	if kind == "multipart/report" {
		report = strings.ToLower(params["report-type"])
	}
	switch {
	case report == "delivery-status" || report == "" && kind == "multipart/report" && delivery(parts) != nil:
		m.Kind, m.Automatic = DeliveryReport, true
		if m.Delivery = delivery(parts); m.Delivery != nil && m.Delivery.Action == "failed" {
			m.Kind = Bounce
		}
		return
	case report == "disposition-notification":
		m.Kind, m.Automatic, m.Receipt = ReadReceipt, true, receipt(parts)
		return
	}
	if d := m.plainFailure(h, parts); d != nil {
		m.Kind, m.Automatic, m.Delivery = Bounce, true, d
		return
	}
	if kind == "text/calendar" && parts == nil {
		parts = []Part{{Type: kind, Method: strings.ToUpper(params["method"])}}
	}
	if m.Calendar = calendar(parts); m.Calendar != nil {
		m.Kind = m.Calendar.kind()
		return
	}
	switch {
	case m.answersItself(h, submitted):
		m.Kind, m.Automatic = AutoReply, true
	case fromList(h):
		m.Kind = List
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
	if submitted == "auto-replied" {
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
	return (h.has("x-ms-exchange-inbox-rules-loop") || m.returned || h.has("x-auto-response-suppress") && m.Automatic) && autoSubject.MatchString(m.Subject)
}

func fromList(h header) bool {
	for _, name := range []string{"list-id", "list-post", "list-unsubscribe", "mailing-list", "x-ml-name", "x-ml-count"} {
		if h.has(name) {
			return true
		}
	}
	return bulk[h.word("precedence")]
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
	if len(m.ReplyTo) > 0 && !ours(m.ReplyTo[0].Domain()) {
		return Inbound, m.ReplyTo[0]
	}
	return Internal, m.From
}
