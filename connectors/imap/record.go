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

// columns are those of every record; README.md tells what they hold.
var columns = connectors.NewColumns([]string{
	"message_id", "thread", "sent_at", "kind", "direction", "from", "from_name", "from_title", "subject", "base_subject",
	"reply", "question", "automatic", "participants", "customer", "owner", "mailbox", "folder",
	"calendar_method", "calendar_uid", "partstat", "attendee", "bounced", "original_id", "disposition", "id_reused", "date_source",
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
func (c *conn) ours(domain string) bool { return within(domain, c.cfg.InternalDomains) }

func within(domain string, list []string) bool {
	return slices.ContainsFunc(list, func(d string) bool {
		d = strings.ToLower(d)
		return domain == d || strings.HasSuffix(domain, "."+d)
	})
}

// shown tells whether an address may leave the package: our own, and those of
// outside people of allowed domains who did not ask to be left out.
func (c *conn) shown(b *box, a message.Address) bool {
	if a.Addr == "" {
		return false
	}
	return c.ours(a.Domain()) || c.stored(b, a)
}

// stored tells whether an outside person may be stored.
func (c *conn) stored(b *box, a message.Address) bool {
	if a.Addr == "" || c.ours(a.Domain()) || len(b.Domains) > 0 && !within(a.Domain(), b.Domains) {
		return false
	}
	key := c.key(a)
	return !slices.ContainsFunc(c.cfg.OptOut, func(o string) bool {
		left, ok := message.ParseAddress(o)
		return ok && (left.Addr == a.Addr || c.key(left) == key)
	})
}

// key is the address by which a person is found.
func (c *conn) key(a message.Address) string {
	return a.ContactKey(func(domain string) bool { return within(domain, c.cfg.TaggedDomains) })
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
		if !t.stored(t.box, message.Address{Addr: m.Delivery.Recipient}) {
			v.drop = dropStrangers
		}
	case v.direction == message.Internal:
		v.drop, v.look = dropInternal, true // but our own mail system's notices
	case m.From.Addr == "" && v.direction == message.Inbound:
		v.drop = dropNobody
	case !t.anybody(m, v):
		v.drop = dropStrangers
	case m.Kind == message.ReadReceipt || m.Kind == message.Invitation || m.WantsText():
		v.look = true
	default:
		v.look = v.direction == message.Inbound && m.Parts() // an answer to an invitation shows in the parts alone [56]
	}
	v.look = v.look && m.Wants() && (v.drop == "" || v.drop != dropOld && m.Reports())
	return v
}

// anybody tells whether an outside person who may be stored has to do with a mail.
func (t *turn) anybody(m *mail, v verdict) bool {
	if t.stored(t.box, v.writer) || m.Calendar != nil && t.stored(t.box, message.Address{Addr: m.Calendar.Attendee}) {
		return true
	}
	may := func(a message.Address) bool { return t.stored(t.box, a) }
	return slices.ContainsFunc(m.To, may) || slices.ContainsFunc(m.Cc, may)
}

// take makes a record of a mail, a reject, or counts why it is neither.
func (t *turn) take(f *folder, m *mail) {
	v := m.verdict
	kind := string(m.Kind)
	if v.drop == "" && (m.Kind == message.Bounce || m.Kind == message.DeliveryReport) && m.Delivery == nil {
		v.drop = dropStrangers // it does not say whom it is about
	}
	if v.drop == "" && len(t.cfg.Kinds) > 0 && !slices.Contains(t.cfg.Kinds, kind) {
		v.drop = dropKind
	}
	origin := t.box.User + "/" + f.name + "/" + uidText(m.uid)
	switch v.drop {
	case "":
	case dropNobody:
		t.rejects = append(t.rejects, connectors.Reject{Key: m.Key(), Origin: origin, Code: dropNobody,
			Reason: "the mail does not tell who wrote it; look at it in a mail program"})
		return
	default:
		t.left.note(v.drop)
		return
	}
	values := make([]any, len(columns.Names))
	put := func(name string, value any) { values[columns.Index(name)] = value }
	id := m.Identity()
	put("message_id", id)
	put("thread", thread(m.Message, id))
	put("sent_at", v.sentAt)
	put("kind", kind)
	put("direction", string(v.direction))
	for _, name := range []string{"from", "from_name", "from_title", "subject", "base_subject", "calendar_method", "calendar_uid", "partstat",
		"attendee", "bounced", "disposition"} {
		put(name, "")
	}
	if t.shown(t.box, v.writer) {
		name, title := t.names.person(v.writer)
		put("from", t.key(v.writer))
		put("from_name", name)
		put("from_title", title)
	}
	if t.box.subjects() {
		put("subject", m.Subject)
		put("base_subject", m.BaseSubject())
	}
	answer := len(m.InReplyTo)+len(m.References) > 0
	put("reply", answer)
	put("question", m.Question && answer && v.direction == message.Inbound)
	put("automatic", m.Automatic)
	people, customer := t.people(m, v)
	if c := m.Calendar; c != nil {
		put("calendar_method", c.Method)
		put("calendar_uid", c.UID)
		put("partstat", c.PartStat)
		if a := (message.Address{Addr: c.Attendee}); t.shown(t.box, a) {
			put("attendee", t.key(a))
			if c.Method == "REPLY" && t.stored(t.box, a) {
				customer = t.key(a) // whose answer it is, whoever sent it [56]
			}
		}
	}
	put("original_id", answered(m.Message))
	if d := m.Delivery; d != nil {
		customer = t.key(message.Address{Addr: d.Recipient})
		put("bounced", customer)
		put("original_id", d.OriginalID)
	}
	if r := m.Receipt; r != nil {
		put("disposition", r.Disposition)
		put("original_id", r.OriginalID)
	}
	put("participants", people)
	put("customer", customer)
	put("owner", t.box.owner())
	put("mailbox", t.box.User)
	put("folder", f.name)
	put("id_reused", t.seen.reused(m.Message))
	put("date_source", "header")
	if v.internal {
		put("date_source", "internal")
	}
	t.records = append(t.records, connectors.Record{Key: m.Key(), ChangedAt: v.sentAt, Columns: columns, Values: values, Origin: origin})
}

// people lists who may be shown of a mail's people, each once, and the customer:
// the writer of an inbound mail, the first outside recipient of an outbound one.
func (t *turn) people(m *mail, v verdict) (people []any, customer string) {
	people = []any{}
	seen := map[string]bool{}
	add := func(a message.Address, role string) {
		if !t.shown(t.box, a) || seen[t.key(a)] {
			return
		}
		seen[t.key(a)] = true
		inside := t.ours(a.Domain())
		name, title := t.names.person(a)
		people = append(people, map[string]any{"Address": t.key(a), "Name": name, "Title": title, "Role": role, "Internal": inside})
		if customer == "" && !inside && (role == "sender") == (v.direction == message.Inbound) {
			customer = t.key(a)
		}
	}
	add(v.writer, "sender")
	for _, a := range m.To {
		add(a, "to")
	}
	for _, a := range m.Cc {
		add(a, "cc")
	}
	if v.direction == message.Inbound && !t.stored(t.box, v.writer) {
		customer = "" // of a mail from somebody who is not stored, nobody else is the author
	}
	return people, customer
}

// answered is the id of the mail that this one answers.
func answered(m *message.Message) string {
	switch {
	case len(m.InReplyTo) > 0:
		return m.InReplyTo[0]
	case len(m.References) > 0:
		return m.References[len(m.References)-1]
	}
	return ""
}

// names remembers how display names were taken apart: the same people write again
// and again, and it is the dearest step of a record.
type names struct {
	mu    sync.Mutex
	known map[string][2]string
}

const maxNames = 20_000

func (n *names) person(a message.Address) (name, title string) {
	if a.Name == "" {
		return "", ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if p, ok := n.known[a.Name]; ok {
		return p[0], p[1]
	}
	if len(n.known) >= maxNames || n.known == nil {
		n.known = map[string][2]string{}
	}
	name, title = a.Person()
	n.known[a.Name] = [2]string{name, title}
	return name, title
}

// thread is the id of the first mail of a conversation.
func thread(m *message.Message, own string) string {
	switch {
	case len(m.References) > 0:
		return m.References[0]
	case len(m.InReplyTo) > 0:
		return m.InReplyTo[0]
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

func (i *identities) reused(m *message.Message) bool {
	if m.IDState != message.IDValid {
		return false
	}
	own := trait{xxhash.Sum64String(m.From.Addr), uint64(m.HeaderDate.Unix()), xxhash.Sum64String(m.BaseSubject())}
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
