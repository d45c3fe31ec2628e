package imap

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"energyd/connectors"
	"energyd/connectors/imap/message"
)

// Where the values of a record stand.
const (
	colMessageID = iota
	colThread
	colSentAt
	colKind
	colDirection
	colFrom
	colFromName
	colFromTitle
	colSubject
	colBaseSubject
	colReply
	colQuestion
	colAutomatic
	colParticipants
	colCustomer
	colOwner
	colMailbox
	colFolder
	colCalendarMethod
	colCalendarUID
	colPartstat
	colAttendee
	colBounced
	colOriginalID
	colDisposition
	colIDReused
	colDateSource
	colCut
)

// columns are those of every record; README.md tells what they hold.
var columns = connectors.NewColumns([]string{
	colMessageID:      "message_id",
	colThread:         "thread",
	colSentAt:         "sent_at",
	colKind:           "kind",
	colDirection:      "direction",
	colFrom:           "from",
	colFromName:       "from_name",
	colFromTitle:      "from_title",
	colSubject:        "subject",
	colBaseSubject:    "base_subject",
	colReply:          "reply",
	colQuestion:       "question",
	colAutomatic:      "automatic",
	colParticipants:   "participants",
	colCustomer:       "customer",
	colOwner:          "owner",
	colMailbox:        "mailbox",
	colFolder:         "folder",
	colCalendarMethod: "calendar_method",
	colCalendarUID:    "calendar_uid",
	colPartstat:       "partstat",
	colAttendee:       "attendee",
	colBounced:        "bounced",
	colOriginalID:     "original_id",
	colDisposition:    "disposition",
	colIDReused:       "id_reused",
	colDateSource:     "date_source",
	colCut:            "cut",
})

// verdict is what becomes of a mail.
type verdict struct {
	drop      string // why it is no record; "" = it is one
	look      bool   // its body may tell more
	direction message.Direction
	writer    message.Address
	sentAt    time.Time
	internal  bool // sentAt is the server's stamp
}

// Why a mail is left out, as the log counts it.
const (
	dropInternal  = "internal"    // from our own people to our own people
	dropStrangers = "not_allowed" // nobody outside who may be stored
	dropOld       = "before_since"
	dropKind      = "other_kind"
	dropNobody    = "no_sender" // a reject
)

// leftOut counts the mails that are no records, by why.
type leftOut struct{ counts map[string]int }

func (l *leftOut) note(why string) {
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[why]++
}

func (l *leftOut) add(other *leftOut) {
	for why, n := range other.counts {
		if l.counts == nil {
			l.counts = map[string]int{}
		}
		l.counts[why] += n
	}
}

func (l *leftOut) log(log *slog.Logger) {
	if len(l.counts) == 0 {
		return
	}
	args := []any{}
	for _, why := range []string{dropInternal, dropStrangers, dropOld, dropKind} {
		if n := l.counts[why]; n > 0 {
			args = append(args, why, n)
		}
	}
	log.Info("Mails were left out.", args...)
}

// ours tells whether a domain is our own.
func (c *conn) ours(domain string) bool { return within(domain, c.internal) }

// within tells whether a domain is one of a list, or below one. Both are as message.Domain gives them.
func within(domain string, list []string) bool {
	return slices.ContainsFunc(list, func(d string) bool {
		above, ok := strings.CutSuffix(domain, d)
		return ok && (above == "" || above[len(above)-1] == '.')
	})
}

// shown tells whether an address may leave the package: our own, and those of
// outside people of allowed domains who did not ask to be left out.
func (b *box) shown(p *person) bool { return p.inside || b.stored(p) }

// stored tells whether an outside person may be stored.
func (b *box) stored(p *person) bool {
	return p.key != "" && !p.inside && !p.out && (len(b.domains) == 0 || within(p.Domain(), b.domains))
}

// key is the address by which a person is found.
func (c *conn) key(a message.Address) string {
	return a.ContactKey(func(domain string) bool { return within(domain, c.tagged) })
}

// judge decides on a mail by what is known of it.
func (t *turn) judge(m *mail) verdict {
	v := verdict{}
	v.sentAt, v.internal = m.When(m.arrived)
	v.direction, v.writer = m.Direction(t.ours)
	if m.Kind == message.List && v.direction == message.Inbound && !m.Automatic && t.ours(m.ListHost) {
		m.Kind = message.Ordinary // our own group address: a customer wrote to us, as in the copy that came directly
	}
	notice := m.Kind == message.Bounce || m.Kind == message.DeliveryReport
	if notice {
		v.direction, v.writer = message.Inbound, message.Address{}
	}
	switch {
	case !t.since.IsZero() && v.sentAt.Before(t.since):
		v.drop = dropOld
	case notice && m.Delivery == nil:
		v.look = true // the header says only that it is a notice
	case notice:
		v.look = true
		if !t.box.stored(t.address(m.Delivery.Recipient)) {
			v.drop = dropStrangers
		}
	case v.direction == message.Internal:
		v.drop, v.look = dropInternal, true // but our own mail system's notices
	case m.From.Addr == "" && v.direction == message.Inbound:
		v.drop, v.look = dropNobody, true // but a mail system that gives itself no address
	case !t.anybody(m, v):
		v.drop = dropStrangers
	case m.Kind == message.ReadReceipt || m.Kind == message.Invitation || m.Reports() || v.direction == message.Inbound && m.WantsText():
		v.look = true
	default: // an answer to an invitation shows in the parts alone [56]
		v.look = m.Parts() && (v.direction == message.Inbound || m.WantsText())
	}
	v.look = v.look && m.Wants() && (v.drop == "" || v.drop != dropOld && m.Reports())
	return v
}

// anybody tells whether an outside person who may be stored has to do with a mail.
func (t *turn) anybody(m *mail, v verdict) bool {
	if t.box.stored(t.person(v.writer)) || m.Calendar != nil && t.box.stored(t.address(m.Calendar.Attendee)) {
		return true
	}
	may := func(a message.Address) bool { return t.box.stored(t.person(a)) }
	return slices.ContainsFunc(m.To, may) || slices.ContainsFunc(m.Cc, may)
}

// take makes a record of a mail, a reject, or counts why it is neither.
func (t *turn) take(f *folder, m *mail) {
	v := m.verdict
	if v.drop == "" && (m.Kind == message.Bounce || m.Kind == message.DeliveryReport) && m.Delivery == nil {
		v.drop = dropStrangers // it does not say whom it is about
	}
	if v.drop == "" && len(t.cfg.Kinds) > 0 && !slices.Contains(t.cfg.Kinds, string(m.Kind)) {
		v.drop = dropKind
	}
	switch v.drop {
	case "":
	case dropNobody:
		t.rejects = append(t.rejects, connectors.Reject{Key: m.Key(), Origin: t.origin(f, m), Code: dropNobody,
			Reason: "the mail does not tell who wrote it; look at it in a mail program"})
		return
	default:
		t.left.note(v.drop)
		return
	}
	if m.record == nil {
		m.record = t.record(f, m)
	}
	m.record.Values[colIDReused] = t.seen.reused(m.Message, m.base)
	t.records = append(t.records, *m.record)
}

func (t *turn) origin(f *folder, m *mail) string {
	return t.box.User + "/" + f.shown() + "/" + uidText(m.uid)
}

// record makes a record of a mail, but for what depends on the mails before it.
func (t *turn) record(f *folder, m *mail) *connectors.Record {
	v := m.verdict
	id := m.Identity()
	answer := len(m.InReplyTo)+len(m.References) > 0
	m.base = m.BaseSubject()
	people, customer := t.participants(m, v)
	values := []any{
		colMessageID: id, colThread: thread(m.Message, id), colSentAt: v.sentAt, colKind: string(m.Kind), colDirection: string(v.direction),
		colFrom: "", colFromName: "", colFromTitle: "", colSubject: "", colBaseSubject: "",
		colReply: answer, colQuestion: m.Question && answer && v.direction == message.Inbound, colAutomatic: m.Automatic,
		colParticipants: people, colCustomer: customer, colOwner: t.box.rep, colMailbox: t.box.User, colFolder: f.shown(),
		colCalendarMethod: "", colCalendarUID: "", colPartstat: "", colAttendee: "", colBounced: "", colOriginalID: answered(m.Message), colDisposition: "",
		colIDReused: false, colDateSource: "header", colCut: m.Cut,
	}
	if p := t.person(v.writer); t.box.shown(p) {
		values[colFrom], values[colFromName], values[colFromTitle] = p.key, p.name, p.title
	}
	if t.box.subjects() {
		values[colSubject], values[colBaseSubject] = m.Subject, m.base
	}
	if c := m.Calendar; c != nil {
		values[colCalendarMethod], values[colCalendarUID], values[colPartstat] = c.Method, c.UID, c.PartStat
		if p := t.address(c.Attendee); t.box.shown(p) {
			values[colAttendee] = p.key
		}
		if c.Method == "REPLY" && c.Attendee != "" { // whose answer it is, whoever sent it [56]
			if values[colCustomer] = ""; t.box.stored(t.address(c.Attendee)) {
				values[colCustomer] = t.address(c.Attendee).key
			}
		}
	}
	if d := m.Delivery; d != nil {
		bounced := t.address(d.Recipient).key
		values[colCustomer], values[colBounced], values[colOriginalID] = bounced, bounced, d.OriginalID
	}
	if r := m.Receipt; r != nil {
		values[colDisposition], values[colOriginalID] = r.Disposition, r.OriginalID
	}
	if v.internal {
		values[colDateSource] = "internal"
	}
	return &connectors.Record{Key: m.Key(), ChangedAt: v.sentAt, Columns: columns, Values: values, Origin: t.origin(f, m)}
}

// participants lists who may be shown of a mail's people, each once, and the customer:
// the writer of an inbound mail, the first outside recipient of an outbound one.
func (t *turn) participants(m *mail, v verdict) (people []any, customer string) {
	people = make([]any, 0, 1+len(m.To)+len(m.Cc))
	var seen []string
	add := func(a message.Address, as role) {
		p := t.person(a)
		if !t.box.shown(p) || slices.Contains(seen, p.key) {
			return
		}
		seen = append(seen, p.key)
		people = append(people, p.as[as])
		if customer == "" && !p.inside && (as == sender) == (v.direction == message.Inbound) {
			customer = p.key
		}
	}
	add(v.writer, sender)
	for _, a := range m.To {
		add(a, to)
	}
	for _, a := range m.Cc {
		add(a, cc)
	}
	if v.direction == message.Inbound && !t.box.stored(t.person(v.writer)) {
		customer = "" // of a mail from somebody who is not stored, nobody else is the author
	}
	return people, customer
}

// answered is the id of the mail that this one answers.
func answered(m *message.Message) string {
	switch {
	case len(m.InReplyTo) > 0:
		return strings.Clone(m.InReplyTo[0])
	case len(m.References) > 0:
		return strings.Clone(m.References[len(m.References)-1])
	}
	return ""
}

// thread is the id of the first mail of a conversation.
func thread(m *message.Message, own string) string {
	switch {
	case len(m.References) > 0:
		return strings.Clone(m.References[0]) // the others are not kept with it
	case len(m.InReplyTo) > 0:
		return strings.Clone(m.InReplyTo[0])
	}
	return own
}

// identities remembers who used a Message-ID first, to flag those who use it
// again [32]. It only flags: keys do not depend on what was read before.
type identities struct {
	mu    sync.Mutex
	first map[uint64]trait
}

// trait is what tells two mails with one id apart.
type trait struct{ writer, stamp, subject uint64 }

const maxIdentities = 500_000 // about 30 MB

func (i *identities) reused(m *message.Message, base string) bool {
	if m.IDState != message.IDValid {
		return false
	}
	own := trait{xxhash.Sum64String(m.From.Addr), uint64(m.HeaderDate.Unix()), xxhash.Sum64String(base)}
	id := xxhash.Sum64String(m.ID)
	i.mu.Lock()
	defer i.mu.Unlock()
	first, known := i.first[id]
	if !known {
		if i.first == nil {
			i.first = map[uint64]trait{}
		}
		if len(i.first) < maxIdentities {
			i.first[id] = own
		}
		return false
	}
	return first.writer != own.writer && first.stamp != own.stamp && first.subject != own.subject
}
