package message

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Delivery is what a delivery report says of one recipient.
type Delivery struct {
	Action     string // failed, delayed, delivered, relayed, expanded
	Recipient  string // address
	OriginalID string // Message-ID of the mail that it is about, "" when it does not say
}

// Receipt is a read receipt.
type Receipt struct {
	Disposition string // displayed, deleted, …
	OriginalID  string
}

// delivery reads a standard delivery report; nil when there is none among the message's own parts.
func delivery(parts []Part) *Delivery {
	var d *Delivery
	original := ""
	for _, p := range parts {
		if p.Nested || p.Content == nil || p.Type != "message/delivery-status" && p.Type != "message/global-delivery-status" {
			continue
		}
		for rest := p.Content; len(rest) > 0; {
			var block header
			block, rest = parseHeader(rest)
			if ids := messageIDs(block.text("x-original-message-id")); original == "" && len(ids) > 0 {
				original = ids[0] // of the report as a whole, as Gmail writes it
			}
			action, _, _ := strings.Cut(block.word("action"), " ")
			if action == "" {
				continue
			}
			recipient := recipientOf(block.text("final-recipient"))
			if recipient == "" {
				recipient = recipientOf(block.text("original-recipient"))
			}
			if d == nil || action == "failed" && d.Action != "failed" {
				d = &Delivery{Action: action, Recipient: recipient}
			}
		}
	}
	if d != nil {
		d.OriginalID = cmp.Or(originalID(parts), original)
	}
	return d
}

// receipt reads a read receipt.
func receipt(parts []Part) *Receipt {
	for _, p := range parts {
		if p.Nested || p.Content == nil || p.Type != "message/disposition-notification" && p.Type != "message/global-disposition-notification" {
			continue
		}
		h, _ := parseHeader(p.Content)
		_, disposition, _ := strings.Cut(h.word("disposition"), ";")
		if end := strings.IndexAny(disposition, "/,"); end >= 0 {
			disposition = disposition[:end]
		}
		r := &Receipt{Disposition: strings.TrimSpace(disposition)}
		if ids := messageIDs(h.text("original-message-id")); len(ids) > 0 {
			r.OriginalID = ids[0]
		} else {
			r.OriginalID = originalID(parts)
		}
		return r
	}
	return nil
}

// recipientOf reads "rfc822; taro@cust.example".
func recipientOf(text string) string {
	if _, after, ok := strings.Cut(text, ";"); ok {
		text = after
	}
	list, _ := addresses(text)
	if len(list) == 0 {
		return ""
	}
	return list[0].Addr
}

// originalID finds the Message-ID of the mail that a report returns.
func originalID(parts []Part) string {
	for _, p := range parts {
		switch p.Type {
		case "text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers", "text/rfc822":
			h, _ := parseHeader(p.Content)
			if ids := messageIDs(h.text("message-id")); len(ids) > 0 {
				return ids[0]
			}
		}
	}
	return ""
}

var (
	daemon        = regexp.MustCompile(`^(mailer-?daemon|mail-?daemon|postmaster|mdaemon|mail\.?delivery|bounces?)([.+-].*)?@`)
	failureWords  = regexp.MustCompile(`(?i)undeliver|delivery (status|failure|has failed|problem)|mail delivery (failed|system|error)|failure notice|returned mail|mail system error|delivery notification|could not be delivered|user unknown|不達|配信不能|配信に失敗|配信エラー|配信でき|配信されません|未配信|配送不能|配達でき|配達不能|送信できませんでした|届けられません|エラー.*メール|宛先不明`)
	daemonAlone   = regexp.MustCompile(`(?i)^["<\s]*(mailer-?daemon|postmaster|mail delivery (sub)?system)\b`)
	delayWords    = regexp.MustCompile(`(?i)\bdelay(ed)?\b|could not send message for past|warning message only|not yet been delivered|遅延|遅れて|まだ配信されて`)
	successWords  = regexp.MustCompile(`(?i)\(success\)|\bsuccess(ful)? .{0,20}deliver|\bsuccessfully delivered|配信(済み|完了)`)
	anyAddress    = regexp.MustCompile(`(?:"[^"\s]+"|[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	copyFollows   = regexp.MustCompile(`(?mi)^(-+ ?(below this line|this is a copy|original message|returned message|the following is|message header)|.*以下.*(元のメ|原文)).*$`)
	messageIDLine = regexp.MustCompile(`(?mi)^message-id:\s*(<[^>\s]+>)`)
)

// plainFailure reads a notice of failure or delay that is only text, as qmail, Exim and
// Japanese carriers write them; nil when the message is none.
func (m *Message) plainFailure(h header, parts []Part) *Delivery {
	failed, _ := addresses(h.text("x-failed-recipients"))
	if !m.system && len(failed) == 0 && !(m.returned && failureWords.MatchString(m.Subject)) {
		return nil
	}
	text := ""
	for _, p := range parts {
		if !p.Nested && strings.HasPrefix(p.Type, "text/") && p.Content != nil {
			text, _ = decode(p.Content, p.Charset)
			break
		}
	}
	told := text
	if at := copyFollows.FindStringIndex(text); at != nil {
		told = text[:at[0]]
	}
	action := ""
	for _, says := range []string{m.Subject, told} { // what the subject says is nearer
		switch {
		case action != "":
		case delayWords.MatchString(says):
			action = "delayed"
		case successWords.MatchString(says):
			action = "delivered"
		case failureWords.MatchString(says):
			action = "failed"
		}
	}
	if len(failed) > 0 && action == "" {
		action = "failed"
	}
	if action == "" {
		return nil
	}
	d := &Delivery{Action: action, OriginalID: originalID(parts)}
	if ids := messageIDLine.FindStringSubmatch(text); d.OriginalID == "" && ids != nil {
		if list := messageIDs(ids[1]); len(list) > 0 {
			d.OriginalID = list[0]
		}
	}
	if len(failed) > 0 {
		d.Recipient = failed[0].Addr
	} else {
		for _, found := range anyAddress.FindAllString(told, maxAddresses) {
			addr, ok := normal(found)
			ours := slices.ContainsFunc(m.To, func(a Address) bool { return a.Addr == addr }) // whose mail it was
			if ok && addr != m.From.Addr && !ours && !daemon.MatchString(addr) {
				d.Recipient = addr
				break
			}
		}
	}
	return d
}
