package message

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"
)

// TestNotices holds what programs send: mails that came back or are late, automatic
// answers, newsletters, calendars, and what wraps a person's mail.
func TestNotices(t *testing.T) {
	jis := func(s string) string { return in(t, japanese.ISO2022JP, s) }
	const from, date, utf8Text = "From: taro@cust.example", "Date: Mon, 2 Nov 2026 10:15:30 +0900", "Content-Type: text/plain; charset=utf-8"
	word := func(s string) string { return "=?UTF-8?B?" + encoded(s) + "?=" }
	ics := func(method string, lines ...string) string {
		return mail(append(append([]string{"BEGIN:VCALENDAR", "PRODID:x", "METHOD:" + method, "BEGIN:VEVENT", "UID:u1"}, lines...), "END:VEVENT", "END:VCALENDAR")...)
	}
	alternative := func(method, calendar string, header ...string) string {
		return mail(append(append([]string{date}, header...), "Content-Type: multipart/alternative; boundary=b", "", "--b", utf8Text, "", "x", "--b", "Content-Type: text/calendar; charset=utf-8; method="+method, "", calendar, "--b--")...)
	}
	checkMails(t, map[string]mailTest{
		// Mails that came back.
		"Office 365, in Japanese": {mail("From: <postmaster@our.example>", "To: <rep@our.example>", date, "Subject: "+word("配信不能: お見積り"), "Auto-Submitted: auto-replied", "In-Reply-To: <q1@our.example>", "References: <q1@our.example>",
			"Content-Type: multipart/report; report-type=delivery-status;", "\tboundary=b", "", "--b", "Content-Type: text/html; charset=utf-8", "", "<p>gone@cust.example への配信に失敗しました</p>",
			"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns;x", "", "Final-Recipient: rfc822;gone@cust.example", "Action: failed", "Status: 5.1.10", "Diagnostic-Code: smtp;550 5.1.10", "--b--"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"Gmail, its own field": {mail("From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>", date, "Auto-Submitted: auto-replied", "Subject: Delivery Status Notification (Failure)", "Content-Type: multipart/report; boundary=b; report-type=delivery-status", "",
			"--b", "Content-Type: multipart/related; boundary=c", "", "--c", "Content-Type: text/plain", "", "** Address not found **", "--c--", "--b", "Content-Type: message/delivery-status", "",
			"Reporting-MTA: dns; googlemail.com", "Arrival-Date: Mon, 02 Nov 2026 10:15:30 +0900", "X-Original-Message-ID: <q1@our.example>", "", "Final-Recipient: rfc822; gone@cust.example", "Action: failed", "--b--"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"Postfix, docomo with dots": {mail("From: MAILER-DAEMON@mx.our.example (Mail Delivery System)", date, "Content-Type: multipart/report; report-type=delivery-status;", "\tboundary=\"A1.1/mx.our.example\"", "",
			"--A1.1/mx.our.example", "Content-Description: Delivery report", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.our.example", "X-Postfix-Queue-ID: A1", "",
			`Final-Recipient: rfc822; "a..b"@docomo.ne.jp`, `Original-Recipient: rfc822;"a..b"@docomo.ne.jp`, "Action: failed", "Status: 5.1.1", "",
			"--A1.1/mx.our.example", "Content-Description: Undelivered Message", "Content-Type: message/rfc822", "", "Message-ID:", " <q1@our.example>", "", "x", "--A1.1/mx.our.example--"),
			known{"kind": "bounce", "final_recipient": "a..b@docomo.ne.jp", "original_message_id": "q1@our.example"}},
		"Sendmail, of two the second failed": {mail("From: Mail Delivery Subsystem <MAILER-DAEMON@mx.our.example>", date, "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "Content-Type: message/delivery-status", "",
			"Reporting-MTA: dns; x", "", "Final-Recipient: RFC822; ok@cust.example", "Action: relayed (to non-DSN-aware mailer)", "", "Final-Recipient: RFC822; gone@cust.example", "Action: Failed", "--b", "Content-Type: text/rfc822-headers", "", "Message-Id: <q1@our.example>", "--b--"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"Exim, as text": {mail("From: Mail Delivery System <Mailer-Daemon@mx.cust.example>", "To: rep@our.example", date, "X-Failed-Recipients: gone@cust.example", "Auto-Submitted: auto-replied", "Subject: Mail delivery failed: returning message to sender", "",
			"This message was created automatically by mail delivery software.", "", "  gone@cust.example", "    Unrouteable address", "", "------ This is a copy of the message, including all the headers. ------", "", "Message-ID:", "  <q1@our.example>", "Subject: x"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"Exim, a mail is late": {mail("From: Mail Delivery System <Mailer-Daemon@mx.cust.example>", "To: rep@our.example", date, "Auto-Submitted: auto-replied", "Subject: Warning: message 1aBcDe-0001 delayed 24 hours", "",
			"This message was created automatically by mail delivery software.", "A message that you sent has not yet been delivered to one or more of its", "recipients after more than 24 hours on the queue.", "", "  slow@cust.example", "", "Delivery attempts will continue"),
			known{"kind": "delivery_report", "dsn_action": "delayed", "final_recipient": "slow@cust.example"}},
		"Sendmail, a warning as text": {mail("From: MAILER-DAEMON@mx.cust.example", date, "Subject: Warning: could not send message for past 4 hours", "",
			"    **********************************************", "    **      THIS IS A WARNING MESSAGE ONLY      **", "    ----- The following addresses had transient non-fatal errors -----", "<slow@cust.example>", "    ----- Original message follows -----", "Message-ID: <q1@our.example>"),
			known{"kind": "delivery_report", "dsn_action": "delayed", "final_recipient": "slow@cust.example", "original_message_id": "q1@our.example"}},
		"qmail, the writer is named first": {mail("From: MAILER-DAEMON@relay.cust.example", "To: rep@our.example", date, "Subject: failure notice", "", "Hi. Your mail of rep@our.example did not arrive.", "", "<gone@cust.example>:", "user unknown", "", "--- Below this line is a copy of the message.", "", "Message-ID: <q1@our.example>"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"a mail system without a domain": {mail("From: MAILER-DAEMON (Mail Delivery Subsystem)", "To: rep@our.example", date, "Subject: Returned mail: User unknown", "", "   ----- The following addresses had permanent fatal errors -----", "gone@cust.example"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example"}},
		"Domino, in Japanese": {mail("Return-Path: <>", "From: =?ISO-2022-JP?B?"+encoded(jis("メールルーター"))+"?= <Domino01@cust.example>", "To: rep@our.example", date, "Subject: "+word("配信エラーレポート"), utf8Text, "",
			"お客様の文書 「お見積り」 は、次の宛先に配信されませんでした: gone@cust.example"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example"}},
		"Yahoo!メール": {mail("From: MAILER-DAEMON@yahoo.co.jp", "To: rep@our.example", date, "Subject: Failure Notice", utf8Text, "", "Sorry, we were unable to deliver your message to the following address.", "", "<gone@yahoo.co.jp>:", "554: delivery error: This user doesn't have a yahoo.co.jp account"),
			known{"kind": "bounce", "final_recipient": "gone@yahoo.co.jp"}},
		"a late notice about a notice": {mail("From: MAILER-DAEMON@mx.our.example", date, "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "Content-Type: message/rfc822", "",
			"Content-Type: multipart/report; report-type=delivery-status; boundary=c", "", "--c", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; inner@cust.example", "Action: failed", "--c--",
			"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; slow@cust.example", "Action: delayed", "--b--"),
			known{"kind": "delivery_report", "dsn_action": "delayed", "final_recipient": "slow@cust.example"}},
		"a quoted address in a notice": {mail("From: postmaster@docomo.ne.jp", date, "Subject: Undelivered Mail Returned to Sender", "", `<"a..b"@docomo.ne.jp>: 550 Unknown user`), known{"kind": "bounce", "final_recipient": "a..b@docomo.ne.jp"}},
		"a postmaster who writes":      {mail("From: Postmaster <postmaster@cust.example>", date, "Subject: "+word("サーバー停止のお知らせ"), utf8Text, "", "11月10日に停止します。"), known{"kind": "ordinary"}},

		// Nobody is there.
		"Domino, out of office":       {mail(from, date, "Subject: AUTO: Taro Yamada is out of the office (returning 2026/11/09)", "Auto-Submitted: auto-generated", "", "x"), known{"kind": "auto_reply"}},
		"Exchange, 自動応答, after relay": {mail(from, date, "Subject: "+word("自動応答: お見積り"), "Auto-Submitted: auto-generated", "", "x"), known{"kind": "auto_reply", "is_automatic": true}},
		"BSD vacation":                {mail(from, date, "Subject: away from my mail", "Precedence: bulk", "", "x"), known{"kind": "auto_reply", "is_list": false}},
		"サイボウズ Garoon, 不在":            {mail(from, date, "Subject: "+word("【不在通知】お見積り"), "Precedence: junk", "", "x"), known{"kind": "auto_reply"}},
		"a person answers one":        {mail(from, date, "Subject: "+word("Re: 自動応答: お見積り"), "In-Reply-To: <q1@our.example>", "", "x"), known{"kind": "ordinary"}},
		"auto-notified":               {mail(from, date, "Subject: x", "Auto-Submitted: auto-notified", "", "x"), known{"kind": "ordinary", "is_automatic": true}},
		"Auto-Submitted: No":          {mail(from, date, "Subject: x", "Auto-Submitted: No (a person)", "", "x"), known{"kind": "ordinary", "is_automatic": false}},

		// Lists.
		"Sansan":                {mail("From: "+word("Sansan 運営事務局")+" <info@sansan.example>", date, "Subject: x", "List-Unsubscribe: <https://sansan.example/u>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "", "x"), known{"kind": "list"}},
		"Mailchimp":             {mail("From: News <news@vendor.example>", "Reply-To: <us1-abc@inbound.example>", date, "List-ID: abc mc list <abc.xyz.list-id.mcsv.net>", "Precedence: bulk", "X-Auto-Response-Suppress: OOF, AutoReply", "", "x"), known{"kind": "list"}},
		"Google Groups":         {mail("From: \"'Taro' via Sales\" <sales@our.example>", "Reply-To: sales@our.example, Taro <taro@cust.example>", "To: sales@our.example", date, "Mailing-list: list sales@our.example; contact sales+owners@our.example", "List-ID: <sales.our.example>", "", "x"), known{"kind": "list", "direction": "inbound"}},
		"a list that answers":   {mail(from, date, "Precedence: list", "List-Id: <x.y>", "Auto-Submitted: auto-replied", "", "x"), known{"kind": "auto_reply", "is_list": false}},
		"a person, Importance":  {mail(from, date, "Precedence: first-class", "Importance: high", "", "x"), known{"kind": "ordinary"}},
		"Yahoo!メール, an address": {mail("From: =?ISO-2022-JP?B?"+encoded(jis("山田"))+"?= <taro@yahoo.co.jp>", date, "X-Mailer: YahooMailWebService/0.8", "", "x"), known{"kind": "ordinary", "from_name": "山田"}},

		// Calendars.
		"Outlook, 仮承諾":                        {alternative("REPLY", ics("REPLY", `ATTENDEE;PARTSTAT=TENTATIVE;CN="山田: 太郎":MAILTO:taro@cust.example`), from, "Subject: "+word("仮承諾: 定例")), known{"kind": "tentative", "attendee": "taro@cust.example"}},
		"Outlook, 承諾済み, alone in the subject": {mail(from, date, "Subject: "+word("承諾済み: 定例"), "", "x"), known{"kind": "ordinary", "is_calendar_reply": false}},
		"a secretary answers":                 {alternative("REPLY", ics("REPLY", `ATTENDEE;SENT-BY="mailto:hisho@cust.example";PARTSTAT=ACCEPTED:mailto:taro@cust.example`), "From: hisho@cust.example"), known{"kind": "accepted", "attendee": "taro@cust.example"}},
		"an alarm's attendee":                 {alternative("REPLY", ics("REPLY", "BEGIN:VALARM", "ATTENDEE:mailto:alarm@cust.example", "END:VALARM", "ATTENDEE;PARTSTAT=DECLINED:mailto:taro@cust.example"), from), known{"kind": "declined", "attendee": "taro@cust.example"}},
		"a task is answered":                  {alternative("REPLY", mail("BEGIN:VCALENDAR", "METHOD:REPLY", "BEGIN:VTODO", "UID:t1", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:taro@cust.example", "END:VTODO", "END:VCALENDAR"), from), known{"kind": "calendar_other", "is_calendar_reply": true}},
		"Zoom invites":                        {alternative("REQUEST", ics("REQUEST", "ORGANIZER:mailto:taro@cust.example", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:rep@our.example"), "From: Zoom <no-reply@zoom.example>"), known{"kind": "invitation", "calendar_method": "REQUEST"}},
		"Teams calls off":                     {alternative("CANCEL", ics("CANCEL", "STATUS:CANCELLED"), from), known{"kind": "cancelled"}},
		"Google, another time":                {alternative("COUNTER", ics("COUNTER", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:taro@cust.example"), from), known{"kind": "counter"}},
		"lines that end in CR alone":          {mail(from, date, "Content-Type: text/calendar; method=REPLY", "", "BEGIN:VCALENDAR\rMETHOD:REPLY\rBEGIN:VEVENT\rUID:u1\rATTENDEE;PARTSTAT=ACCEPTED:mailto:taro@cust.example\rEND:VEVENT\rEND:VCALENDAR"), known{"kind": "accepted", "calendar_uid": "u1"}},
		"a byte order mark, blanks":           {mail(from, date, "Content-Type: text/calendar; method=REPLY", "", "\ufeffBEGIN:VCALENDAR", "METHOD: REPLY ", "BEGIN:VEVENT", "UID: u1", "ATTENDEE; PARTSTAT=\"ACCEPTED\": mailto:taro@cust.example", "END:VEVENT", "END:VCALENDAR"), known{"kind": "accepted", "calendar_uid": "u1", "attendee": "taro@cust.example"}},
		"an invitation in a forwarded mail":   {mail(from, date, "Subject: Fw: x", "Content-Type: multipart/mixed; boundary=b", "", "--b", utf8Text, "", "ご確認ください", "--b", "Content-Type: message/rfc822", "", strings.NewReplacer("=b\r", "=c\r", "--b", "--c").Replace(alternative("REQUEST", ics("REQUEST"), from)), "--b--"), known{"kind": "ordinary"}},

		// What wraps a person's mail.
		"PPAP": {mail(from, date, "Content-Type: multipart/mixed; boundary=b", "", "--b", utf8Text, "", "パスワードは別途お送りします。", "--b", "Content-Type: application/x-zip-compressed; name=\"=?ISO-2022-JP?B?"+encoded(jis("見積書.zip"))+"?=\"", "Content-Disposition: attachment;", " filename*0*=ISO-2022-JP'ja'%1B%24B%38%2B;", " filename*1*=%40%51%3D%71%1B%28B.zip", "Content-Transfer-Encoding: base64", "", "AAAA", "--b--"),
			known{"kind": "ordinary", "attachments": []any{"見積書.zip"}, "asks_question": false}},
		"S/MIME, opaque":                   {mail(from, date, "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"", "Content-Disposition: attachment; filename=\"smime.p7m\"", "", "AAAA"), known{"kind": "ordinary", "attachments": []any{"smime.p7m"}}},
		"winmail.dat":                      {mail(from, date, "Content-Class: urn:content-classes:message", "Content-Type: multipart/mixed; boundary=b", "", "--b", utf8Text, "", "いつですか", "--b", "Content-Type: application/ms-tnef; name=\"winmail.dat\"", "", "AAAA", "--b--"), known{"kind": "ordinary", "attachments": []any{"winmail.dat"}, "asks_question": true}},
		"a Windows path":                   {mail(from, date, "Content-Type: application/pdf", `Content-Disposition: attachment; filename="C:\Users\taro\見積.pdf"`, "", "x"), known{"attachments": []any{"見積.pdf"}}},
		"a path upwards":                   {mail(from, date, "Content-Type: application/pdf", "Content-Disposition: attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpa%0Ass%00wd", "", "x"), known{"attachments": []any{"pa sswd"}}},
		"Becky!, words in pieces":          {mail(from, date, "Content-Type: application/pdf", "Content-Disposition: attachment;", " filename*0=\"=?ISO-2022-JP?B?"+encoded(jis("御見積書"))+"?=\";", " filename*1=\" =?ISO-2022-JP?B?"+encoded(jis("最終版"))+"?=.pdf\"", "", "x"), known{"attachments": []any{"御見積書最終版.pdf"}}},
		"Apple Mail, inline":               {mail(from, date, "Content-Type: multipart/mixed; boundary=b", "", "--b", utf8Text, "", "x", "--b", "Content-Type: application/pdf; name=a.pdf", "Content-Disposition: inline; filename=a.pdf", "", "x", "--b", "Content-Type: image/png; name=logo.png", "Content-Disposition: inline; filename=logo.png", "Content-ID: <1>", "", "x", "--b--"), known{"attachments": []any{"a.pdf"}}},
		"Gmail, wrapped quote":             {mail(from, date, utf8Text, "", "承知しました。", "", "2026年11月2日(月) 10:15 営業担当 <rep@our.example>:", "", "> 納期はいつになりますか"), known{"asks_question": false}},
		"Outlook JP, quoted without marks": {mail(from, date, utf8Text, "", "承知しました。", "", "差出人: 営業担当 <rep@our.example>", "送信日時: 2026年11月2日 10:15", "", "納期はいつになりますか"), known{"asks_question": false}},
		"サイボウズ, a question":                {mail(from, date, utf8Text, "", "納期はどうでしょう", ""), known{"asks_question": true}},
	})
}
