package pipeline_test

import (
	"fmt"
	"testing"

	"energyd/internal/pipeline"
	"energyd/internal/store"
)

const (
	fromTaro = "From: =?UTF-8?B?5bGx55SwIOWkqumDjg==?= <taro@yamada.example>"
	fromRep1 = "From: rep1@our.example"
	toRep1   = "To: rep1@our.example"
	toTaro   = "To: taro@yamada.example"
	english  = "Content-Type: text/plain; charset=utf-8"
	sent     = "送信済みトレイ"
)

// C30: one mail in three mailboxes is one contact, and whoever has it is noted.
func TestMail30_one_mail_in_three_boxes_is_one_contact(t *testing.T) {
	blind := lines(fromTaro, "To: sales@our.example", "Message-ID: <m1@yamada.example>", "Subject: x")
	expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 4.5, "rep2", 4.5), Contacts: 1, Kinds: []string{"mail (from them)"}},
		arrived{"rep1", "", blind}, arrived{"rep2", "", blind}, arrived{"shared", "", blind})
}

// C31: our mail in Sent and in a colleague's INBOX is one outbound contact.
func TestMail31_our_mail_in_two_boxes_is_one_contact(t *testing.T) {
	ours := lines(fromRep1, toTaro, "Cc: rep2@our.example", "Message-ID: <m1@our.example>")
	expect(t, came{Points: earned("山田製作所", 3.0, "太郎", 3.0, "rep1", 1.5, "rep2", 1.5), Contacts: 1, Kinds: []string{"mail (from us)"}},
		arrived{"rep1", sent, ours}, arrived{"rep2", "", ours})
}

// C32: the copy that came by a list, and the copy that came directly, are one contact.
func TestMail32_list_copy_and_direct_copy(t *testing.T) {
	direct := lines(fromTaro, "To: rep1@our.example, info@our.example", "Message-ID: <m1@yamada.example>", "Subject: x")
	t.Run("of our group address", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 4.5, "rep2", 4.5), Contacts: 1, Kinds: []string{"mail (from them)"}},
			arrived{"rep1", "", direct},
			arrived{"rep2", "", lines("List-Id: <info.our.example>", "Precedence: list", fromTaro, "To: rep1@our.example, info@our.example", "Message-ID: <m1@yamada.example>", "Subject: [info] x")})
	})
	t.Run("of our group address alone", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep2", 9.0), Contacts: 1, Kinds: []string{"mail (from them)"}},
			arrived{"rep2", "", lines("List-Post: <mailto:info@our.example>", "Precedence: list", fromTaro, "To: info@our.example", "Message-ID: <m1@yamada.example>", "Subject: [info] x")})
	})
	t.Run("of a list elsewhere", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 9.0), Contacts: 1, Kinds: []string{"mail (from them)"}, Skips: map[string]int{"list": 1}},
			arrived{"rep1", "", direct},
			arrived{"rep1", "", lines("List-Id: <users.lists.example>", fromTaro, "To: rep1@our.example, info@our.example", "Message-ID: <m1@yamada.example>", "Subject: [users] x")})
	})
}

// C49, C55: what programs and lists send earns nothing.
func TestMail49_55_automatic_answers_and_lists_earn_nothing(t *testing.T) {
	expect(t, came{Points: earned(), Skips: map[string]int{"auto_reply": 1, "list": 1, "automatic": 1}},
		arrived{"rep1", "", lines(fromTaro, toRep1, "Message-ID: <a1@yamada.example>", "Auto-Submitted: auto-replied")},
		arrived{"rep1", "", lines(fromTaro, toRep1, "Message-ID: <a2@yamada.example>", "List-Unsubscribe: <https://yamada.example/u>")},
		arrived{"rep1", "", lines(fromTaro, toRep1, "Message-ID: <a3@yamada.example>", "Auto-Submitted: auto-generated")})
}

// Case 36 of the energy model: bulk mail, an automatic answer, and a mail of ours that came back earn nothing, 0, 0, 0.
func TestCase36_bulk_mail_automatic_answer_and_bounce_earn_nothing(t *testing.T) {
	expect(t, came{Points: earned(), Skips: map[string]int{"auto_reply": 1, "list": 1}, Undelivered: []string{"2026-11-02 株式会社山田製作所 山田 太郎"}},
		arrived{"rep1", "", lines("List-Id: <news.yamada.example>", "Precedence: bulk", fromTaro, toRep1, "Message-ID: <b1@yamada.example>")},
		arrived{"rep1", "", lines(fromTaro, toRep1, "Message-ID: <b2@yamada.example>", "Auto-Submitted: auto-replied")},
		arrived{"rep1", sent, lines(fromRep1, toTaro, "Message-ID: <m1@our.example>")},
		arrived{"rep1", "", report("failed")})
}

// Case 35 of the energy model: of one conversation on one day, three mails of a 担当 and two answers of ours are one
// contact in each direction, 3 + 1 = 4; without that they would be 11. What comes the next day counts by itself.
func TestCase35_one_conversation_in_a_day_is_one_contact_in_each_direction(t *testing.T) {
	const fromHanako, toHanako = "From: hanako@gmail.com", "To: hanako@gmail.com"
	at := func(day, hour int) string { return fmt.Sprintf("Date: %d Nov 2026 %02d:00:00 +0900", day, hour) }
	day := []arrived{
		{"rep1", "", lines(at(2, 9), fromHanako, toRep1, "Message-ID: <c1@gmail.com>")},
		{"rep1", sent, lines(at(2, 10), fromRep1, toHanako, "Message-ID: <c2@our.example>", "In-Reply-To: <c1@gmail.com>", "References: <c1@gmail.com>")},
		{"rep1", "", lines(at(2, 11), fromHanako, toRep1, "Message-ID: <c3@gmail.com>", "In-Reply-To: <c2@our.example>", "References: <c1@gmail.com> <c2@our.example>")},
		{"rep1", sent, lines(at(2, 12), fromRep1, toHanako, "Message-ID: <c4@our.example>", "In-Reply-To: <c3@gmail.com>", "References: <c1@gmail.com> <c3@gmail.com>")},
		{"rep1", "", lines(at(2, 13), fromHanako, toRep1, "Message-ID: <c5@gmail.com>", "In-Reply-To: <c4@our.example>", "References: <c1@gmail.com> <c4@our.example>")},
	}
	t.Run("one day", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 4.0, "花子", 4.0, "rep1", 4.0), Contacts: 2, Kinds: []string{"mail (from them)", "mail (from us)"}}, day...)
	})
	t.Run("and the next", func(t *testing.T) {
		next := arrived{"rep1", "", lines(at(3, 9), fromHanako, toRep1, "Message-ID: <c6@gmail.com>", "In-Reply-To: <c5@gmail.com>", "References: <c1@gmail.com> <c5@gmail.com>")}
		expect(t, came{Points: earned("山田製作所", 7.0, "花子", 7.0, "rep1", 7.0), Contacts: 3, Kinds: []string{"mail (from them)", "mail (from them)", "mail (from us)"}}, append(day, next)...)
	})
}

// report is a delivery report about our mail m1 to 太郎.
func report(action string) []byte {
	return lines("Date: Mon, 2 Nov 2026 12:05:00 +0900", "From: MAILER-DAEMON@mx.our.example", toRep1, "Return-Path: <>", "Message-ID: <r-"+action+"@mx.our.example>", "Subject: Delivery Status Notification",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "Content-Type: text/plain", "", "notice", "--b",
		"Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.our.example", "", "Final-Recipient: rfc822; taro@yamada.example", "Action: "+action, "Status: 5.1.1",
		"", "--b", "Content-Type: text/rfc822-headers", "", "Message-ID: <m1@our.example>", "From: rep1@our.example", "", "--b--")
}

// C51: delayed and delivered have no effect on the contact.
func TestMail51_delayed_and_delivered_change_nothing(t *testing.T) {
	expect(t, came{Points: earned("山田製作所", 3.0, "太郎", 3.0, "rep1", 3.0), Contacts: 1, Kinds: []string{"mail (from us)"}, Skips: map[string]int{"delivery_report": 2}},
		arrived{"rep1", sent, lines(fromRep1, toTaro, "Message-ID: <m1@our.example>")},
		arrived{"rep1", "", report("delayed")}, arrived{"rep1", "", report("delivered")})
}

// C52: a bounce finds our mail, which earns nothing then, and marks the person; it is no contact itself.
func TestMail52_bounce_takes_back_our_mail_and_marks_the_person(t *testing.T) {
	t.Run("of one mail", func(t *testing.T) {
		expect(t, came{Points: earned(), Undelivered: []string{"2026-11-02 株式会社山田製作所 山田 太郎"}},
			arrived{"rep1", sent, lines(fromRep1, toTaro, "Message-ID: <m1@our.example>")},
			arrived{"rep1", "", report("failed")})
	})
	t.Run("from one of two people", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 1.0, "花子", 1.0, "rep1", 1.0), Contacts: 1, Kinds: []string{"mail (from us)"}, Undelivered: []string{"2026-11-02 株式会社山田製作所 山田 太郎"}},
			arrived{"rep1", sent, lines(fromRep1, "To: taro@yamada.example, hanako@gmail.com", "Message-ID: <m1@our.example>")},
			arrived{"rep1", "", report("failed")})
	})
	t.Run("until the person writes", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 9.0), Contacts: 1, Kinds: []string{"mail (from them)"}},
			arrived{"rep1", "", report("failed")},
			arrived{"rep1", "", lines("Date: Wed, 4 Nov 2026 12:00:00 +0900", fromTaro, toRep1, "Message-ID: <m2@yamada.example>")})
	})
}

// C53: a person who forwards a delivery report wrote an ordinary mail.
func TestMail53_forwarded_report_is_a_mail(t *testing.T) {
	forward := append(lines(fromTaro, toRep1, "Message-ID: <f1@yamada.example>", "Subject: Fw: failed", "Content-Type: multipart/mixed; boundary=o", "", "--o", "Content-Type: text/plain", "", "please look", "--o",
		"Content-Type: message/rfc822", ""), append(report("failed"), "--o--\r\n"...)...)
	expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 9.0), Contacts: 1, Kinds: []string{"mail (from them)"}}, arrived{"rep1", "", forward})
}

// receipt is what 太郎's program sends of our mail m1.
func receipt(disposition string) []byte {
	return lines("Date: Mon, 2 Nov 2026 13:00:00 +0900", fromTaro, toRep1, "Message-ID: <"+disposition+"@yamada.example>", "Subject: read",
		"Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "", "--b", "Content-Type: text/plain", "", "notice", "--b",
		"Content-Type: message/disposition-notification", "", "Final-Recipient: rfc822; taro@yamada.example", "Original-Message-ID: <m1@our.example>",
		"Disposition: manual-action/MDN-sent-manually; "+disposition, "", "--b--")
}

// C54: displayed is a view, deleted is nothing.
func TestMail54_read_receipts(t *testing.T) {
	expect(t, came{Points: earned("山田製作所", 4.5, "太郎", 4.5, "rep1", 4.5), Contacts: 2, Kinds: []string{"mail (from us)", "page view or mail opened (from them)"}, Skips: map[string]int{"unread": 1}},
		arrived{"rep1", sent, lines(fromRep1, toTaro, "Message-ID: <m1@our.example>")},
		arrived{"rep1", "", receipt("displayed")}, arrived{"rep1", "", receipt("deleted")})
}

// calendar is a mail with a calendar of one meeting.
func calendar(id, method, status string, head ...string) []byte {
	return lines(append(head, "Message-ID: <"+id+"@yamada.example>", "Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/plain", "", "x", "--b",
		"Content-Type: text/calendar; method="+method, "", "BEGIN:VCALENDAR", "METHOD:"+method, "BEGIN:VEVENT", "UID:meeting-1", "DTSTART:20261110T050000Z",
		"ATTENDEE;PARTSTAT="+status+":mailto:taro@yamada.example", "END:VEVENT", "END:VCALENDAR", "--b--")...)
}

// C56: an answer is the attendee's, whoever sent it; the same answer twice is one; a subject is none.
func TestMail56_answers_to_invitations(t *testing.T) {
	fromHanako := "From: hanako@gmail.com"
	expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 9.0), Contacts: 1, Kinds: []string{"meeting accepted (from them)"}, Skips: map[string]int{"automatic": 1}},
		arrived{"rep1", "", calendar("c1", "REPLY", "ACCEPTED", fromHanako, toRep1)},
		arrived{"rep1", "", calendar("c2", "REPLY", "ACCEPTED", fromHanako, toRep1)},
		arrived{"rep1", "", lines(fromTaro, toRep1, "Message-ID: <s1@yamada.example>", "Subject: Accepted: meeting", "Auto-Submitted: auto-generated")})
	t.Run("declined earns nothing", func(t *testing.T) {
		expect(t, came{Points: earned()}, arrived{"rep1", "", calendar("c3", "REPLY", "DECLINED", fromTaro, toRep1)})
	})
}

// C57: invitations and other times are mails of their own kind, and what is called off is nothing.
func TestMail57_invitations_from_the_customer(t *testing.T) {
	expect(t, came{Points: earned("山田製作所", 18.0, "太郎", 18.0, "rep1", 18.0), Contacts: 2, Kinds: []string{"mail (from them)", "mail (from them)"}, Skips: map[string]int{"calendar": 1}},
		arrived{"rep1", "", calendar("i1", "REQUEST", "NEEDS-ACTION", fromTaro, toRep1)},
		arrived{"rep1", "", calendar("i2", "COUNTER", "NEEDS-ACTION", fromTaro, toRep1)},
		arrived{"rep1", "", calendar("i3", "CANCEL", "NEEDS-ACTION", fromTaro, toRep1)})
}

// C58: mail among ourselves is nothing; a form on our web site is its user's mail.
func TestMail58_internal_mail_and_web_forms(t *testing.T) {
	expect(t, came{Points: earned("山田製作所", 9.0, "太郎", 9.0, "rep1", 9.0), Contacts: 1, Kinds: []string{"mail (from them)"}},
		arrived{"rep1", "", lines(fromRep1, "To: rep2@our.example", "Message-ID: <i1@our.example>")},
		arrived{"rep1", "", lines("From: web@our.example", "Reply-To: taro@yamada.example", toRep1, "Message-ID: <w1@our.example>")})
}

// C59, C61: an answer with a question is linked to our mail, in whatever box and order: a mail in between
// joins the two. A question in the quoted text is none.
func TestMail59_61_answers_and_questions(t *testing.T) {
	ours := lines(fromRep1, toTaro, "Message-ID: <m1@our.example>", "Subject: offer")
	answer := func(text string) []byte {
		return lines("Date: Mon, 2 Nov 2026 15:00:00 +0900", fromTaro, toRep1, "Message-ID: <m2@yamada.example>", "In-Reply-To: <m1@our.example>", english, "", text)
	}
	kinds := []string{"mail (from them)", "mail (from us)"}
	t.Run("a question", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 13.8, "太郎", 13.8, "rep1", 13.8), Contacts: 2, Kinds: kinds, Cues: true},
			arrived{"rep1", sent, ours}, arrived{"rep1", "", answer("納期はいつになりますか。")})
	})
	t.Run("our own question, quoted", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 12.0, "太郎", 12.0, "rep1", 12.0), Contacts: 2, Kinds: kinds},
			arrived{"rep1", sent, ours}, arrived{"rep1", "", answer("承知しました。\r\n> いつがよろしいですか。")})
	})
	t.Run("two answers of a day are one contact, though only our mail between them joins them", func(t *testing.T) {
		expect(t, came{Points: earned("山田製作所", 13.8, "太郎", 13.8, "rep1", 13.8), Contacts: 2, Kinds: kinds, Cues: true},
			arrived{"rep1", "", answer("納期はいつになりますか。")},
			arrived{"rep1", "", lines("Date: Mon, 2 Nov 2026 17:00:00 +0900", fromTaro, toRep1, "Message-ID: <m4@yamada.example>", "In-Reply-To: <m3@our.example>")},
			arrived{"rep1", sent, ours},
			arrived{"rep1", sent, lines("Date: Mon, 2 Nov 2026 16:00:00 +0900", fromRep1, toTaro, "Message-ID: <m3@our.example>", "In-Reply-To: <m2@yamada.example>")})
	})
}

// TestMail_identity: an address is a contact's, else its domain is an account's; a
// free-mail domain is nobody's, and of strangers their domain alone is counted.
func TestMail_identity(t *testing.T) {
	expect(t, came{Points: earned("山田製作所", 6.0, "花子", 3.0, "rep1", 6.0), Contacts: 2, Kinds: []string{"mail (from them)", "mail (from them)"},
		Skips: map[string]int{"unknown_person": 3}, Unfound: map[string]int{"contact @sub.yamada.example": 1, "contact @gmail.com": 1, "account elsewhere.example": 2}},
		arrived{"rep1", "", lines("From: HANAKO@gmail.com", toRep1, "Message-ID: <x1@gmail.com>")},
		arrived{"rep1", "", lines("From: new@sub.yamada.example", toRep1, "Message-ID: <x2@yamada.example>")},
		arrived{"rep1", "", lines("From: stranger@gmail.com", toRep1, "Message-ID: <x3@gmail.com>")},
		arrived{"rep1", "", lines("From: a@elsewhere.example", toRep1, "Message-ID: <x4@elsewhere.example>")},
		arrived{"rep1", "", lines("From: b@elsewhere.example", toRep1, "Message-ID: <x5@elsewhere.example>")})
}

// C28: a mail that is deleted was a contact all the same, also after the weekly
// complete reading, until somebody says that what the mailboxes no longer hold is gone.
func TestMail28_a_deleted_mail_stays_a_contact(t *testing.T) {
	o := newOffice(t)
	mail := func(id, date string) arrived {
		return arrived{"rep1", "", lines("Date: "+date, fromTaro, toRep1, "Message-ID: <"+id+"@yamada.example>")}
	}
	got := o.after([]arrived{mail("m1", "Mon, 2 Nov 2026 12:00:00 +0900"), mail("m2", "Tue, 3 Nov 2026 12:00:00 +0900")}, false)
	if got.Contacts != 2 {
		t.Fatalf("%+v", got)
	}
	o.mail.Doveadm("expunge", "-u", "rep1", "mailbox", "INBOX", "header", "Message-ID", "m1@yamada.example")
	o.now = o.now.AddDate(0, 0, 8)
	o.with(func(p *pipeline.Pipeline) {
		r, err := p.Pull(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Sources {
			if s.Source == "mail" && (s.Reread != store.Periodic || s.Withdrawn != 0 || s.Read != 1) {
				t.Errorf("%+v", s)
			}
		}
	})
	if got = o.after(nil, false); got.Contacts != 2 || got.Points["太郎"] != 18 {
		t.Errorf("after a complete reading: %+v", got)
	}
	o.with(func(p *pipeline.Pipeline) {
		if _, err := p.Pull(t.Context()); err != nil {
			t.Fatal(err)
		}
	}, func(opt *pipeline.Options) { opt.Gone = true })
	if got = o.after(nil, false); got.Contacts != 1 {
		t.Errorf("what is gone by word stays: %+v", got)
	}
}
