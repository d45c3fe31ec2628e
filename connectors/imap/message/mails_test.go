package message

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"
)

// mail joins lines as a mail program sends them.
func mail(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// TestMails holds mails as the programs and providers write them that the
// people of Japanese companies meet; want has the keys of expected.jsonl, and kind.
func TestMails(t *testing.T) {
	jis := func(s string) string { return in(t, japanese.ISO2022JP, s) }
	sjis := func(s string) string { return in(t, japanese.ShiftJIS, s) }
	euc := func(s string) string { return in(t, japanese.EUCJP, s) }
	const from, date = "From: =?UTF-8?B?5bGx55Sw?= <taro@cust.example>", "Date: Mon, 2 Nov 2026 10:15:30 +0900"
	answer := func(transfer, attendee, partstat string) string {
		body := mail("BEGIN:VCALENDAR", "METHOD:REPLY", "BEGIN:VTIMEZONE", "TZID:Tokyo Standard Time", "BEGIN:STANDARD", "DTSTART:16010101T000000", "END:STANDARD",
			"END:VTIMEZONE", "BEGIN:VEVENT", `ATTENDEE;PARTSTAT=`+partstat+`;CN="山田; 太郎":`+attendee, "UID:040000008200E00074C5B7101A82E0", "END:VEVENT", "END:VCALENDAR")
		if transfer == "base64" {
			return encoded(body)
		}
		return body
	}
	checkMails(t, map[string]mailTest{
		// Bounces, as mail systems write them.
		"Exchange, 配信不能": {mail("From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@our.example>", "To: <rep@our.example>", date,
			"Content-Type: multipart/report; report-type=delivery-status;", "\tboundary=\"6b9c0f7e-1\"", "Subject: =?UTF-8?B?"+encoded("配信不能: お見積り")+"?=", "",
			"--6b9c0f7e-1", "Content-Type: multipart/alternative; differences=Content-Type;", "\tboundary=\"6b9c0f7e-2\"", "", "--6b9c0f7e-2", "Content-Type: text/plain", "",
			"gone@cust.example へのメッセージを配信できませんでした。", "--6b9c0f7e-2--", "", "--6b9c0f7e-1", "Content-Type: message/delivery-status", "",
			"Reporting-MTA: dns;OS0P286.example", "", "Final-Recipient: rfc822;Gone@Cust.example", "Action: failed", "Status: 5.1.10", "", "--6b9c0f7e-1",
			"Content-Type: message/rfc822", "", "Message-ID: <q1@our.example>", "Subject: x", "", "--6b9c0f7e-1--"),
			known{"kind": "bounce", "dsn_action": "failed", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"Exchange, status in base64": {mail("From: postmaster@cust.example", date, "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "",
			"--b", "Content-Type: message/delivery-status", "Content-Transfer-Encoding: base64", "", encoded(mail("Reporting-MTA: dns;x", "", "Final-Recipient: rfc822;gone@cust.example", "Action: failed")), "--b",
			"Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", encoded(mail("Message-ID: <q1@our.example>", "", "x")), "--b--"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"a report without its status": {mail("From: MAILER-DAEMON@cust.example", date, "Subject: Undelivered Mail Returned to Sender", "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "",
			"--b", "Content-Type: text/plain", "", "<gone@cust.example>: host mx.cust.example said: 550 5.1.1 User unknown", "--b", "Content-Type: text/rfc822-headers", "", "Message-ID: <q1@our.example>", "--b--"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example", "original_message_id": "q1@our.example"}},
		"docomo": {mail("From: mailer-daemon@docomo.ne.jp", "To: rep@our.example", date, "Subject: Undelivered Mail Returned to Sender", "Auto-Submitted: auto-replied", "",
			"This is the mail system at host docomo.ne.jp.", "", "<hanako..m@docomo.ne.jp>: host mfsmax.docomo.ne.jp said: 550 Unknown user", "    hanako..m@docomo.ne.jp"),
			known{"kind": "bounce", "final_recipient": "hanako..m@docomo.ne.jp"}},
		"au": {mail("From: Postmaster@ezweb.ne.jp", "To: rep@our.example", date, "Subject: Mail System Error - Returned Mail", "",
			"The user(s) account is disabled.", "", "<hanako@ezweb.ne.jp>: 550 <hanako@ezweb.ne.jp>: User unknown", "", "Message-ID: <q1@our.example>"),
			known{"kind": "bounce", "final_recipient": "hanako@ezweb.ne.jp", "original_message_id": "q1@our.example"}},
		"SoftBank, in ISO-2022-JP": {mail("From: MAILER-DAEMON@softbank.ne.jp", date, "Subject: =?ISO-2022-JP?B?"+encoded(jis("送信エラー"))+"?=", "Content-Type: text/plain; charset=ISO-2022-JP", "",
			jis("次の宛先にはメールを届けられませんでした。宛先不明です。"), "hanako@softbank.ne.jp"),
			known{"kind": "bounce", "final_recipient": "hanako@softbank.ne.jp"}},
		"a mail system under another name": {mail("Return-Path: <>", "From: =?UTF-8?B?"+encoded("メール管理者")+"?= <mailadmin@cust.example>", date, "Subject: =?UTF-8?B?"+encoded("配信不能: お見積り")+"?=",
			"Content-Type: text/plain; charset=utf-8", "", "次の宛先に配信できませんでした: gone@cust.example"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example"}},
		"an answer that a mail system marked": {mail("From: Mail Delivery System <Mailer-Daemon@cust.example>", date, "Subject: Message not accepted", "Auto-Submitted: auto-replied", "",
			"A message that you sent could not be delivered to:", "  gone@cust.example"),
			known{"kind": "bounce", "final_recipient": "gone@cust.example"}},
		"a warning of two recipients, one has it": {mail("From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>", date, "Content-Type: multipart/report; boundary=b", "",
			"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; ok@cust.example", "Action: delivered", "", "Final-Recipient: rfc822; slow@cust.example", "Action: delayed", "--b--"),
			known{"kind": "delivery_report", "is_bounce": false}},
		"a person forwards a bounce by its parts": {mail(from, date, "Subject: Fw: Undelivered Mail", "Content-Type: multipart/mixed; boundary=b", "",
			"--b", "", "これ届いていますか", "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; gone@cust.example", "Action: failed", "--b--"),
			known{"kind": "ordinary", "is_bounce": false, "asks_question": true}},
		"a complaint report": {mail("From: abuse@provider.example", date, "Subject: report", "Content-Type: multipart/report; report-type=feedback-report; boundary=b", "", "--b", "", "x", "--b--"),
			known{"kind": "delivery_report", "is_automatic": true}},

		// Read receipts.
		"Outlook, 開封済み": {mail(from, "To: rep@our.example", date, "Subject: =?iso-2022-jp?B?"+encoded(jis("開封済み: お見積り"))+"?=", "In-Reply-To: <q1@our.example>", "Content-Type: multipart/report; boundary=\"b\";", "\treport-type=disposition-notification", "",
			"--b", "Content-Type: text/plain; charset=\"iso-2022-jp\"", "", jis("あなたのメッセージは開封されました。"), "--b", "Content-Type: message/disposition-notification", "",
			"Reporting-UA: cust.example; Microsoft Outlook 16.0", "Final-Recipient: rfc822;taro@cust.example", "Disposition: manual-action/MDN-sent-manually; displayed", "--b--"),
			known{"kind": "read_receipt", "mdn_disposition": "displayed", "original_message_id": "q1@our.example", "subject": "開封済み: お見積り"}},
		"Outlook, 未開封": {mail(from, date, "Content-Type: multipart/report; boundary=b; report-type=disposition-notification", "", "--b", "Content-Type: message/disposition-notification", "",
			"Final-Recipient: rfc822;taro@cust.example", "Original-Message-ID: <q1@our.example>", "Disposition: automatic-action/MDN-sent-automatically; deleted/error", "--b--"),
			known{"kind": "read_receipt", "mdn_disposition": "deleted", "original_message_id": "q1@our.example"}},
		"a receipt whose type is not told": {mail(from, date, "Content-Type: multipart/report; boundary=b", "", "--b", "Content-Type: message/disposition-notification", "", "Original-Message-ID: <q1@our.example>", "Disposition: manual-action/MDN-sent-manually; displayed", "--b--"),
			known{"kind": "read_receipt", "mdn_disposition": "displayed"}},

		// Calendars.
		"Gmail accepts": {mail(from, "Sender: Google Calendar <calendar-notification@google.com>", date, "Subject: =?UTF-8?B?"+encoded("承諾: 定例会議")+"?=", "Content-Type: multipart/mixed; boundary=a", "",
			"--a", "Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/plain; charset=UTF-8", "", "承諾しました", "--b", "Content-Type: text/calendar; charset=\"UTF-8\"; method=REPLY", "Content-Transfer-Encoding: 7bit", "",
			"BEGIN:VCALENDAR", "METHOD:REPLY", "BEGIN:VEVENT", "UID:7kukuqrfedlm2f9t@google.com", "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEP", " TED;CN=hanako@cust.example;X-NUM-GUESTS=0:mailto:hanako@cust.exa", " mple", "END:VEVENT", "END:VCALENDAR", "--b--",
			"--a", "Content-Type: application/ics; name=\"invite.ics\"", "Content-Disposition: attachment; filename=\"invite.ics\"", "Content-Transfer-Encoding: base64", "", encoded("BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR"), "--a--"),
			known{"kind": "accepted", "partstat": "ACCEPTED", "attendee": "hanako@cust.example", "calendar_uid": "7kukuqrfedlm2f9t@google.com", "attachments": []any{"invite.ics"}}},
		"Outlook declines": {mail(from, date, "Subject: x", "Content-Type: multipart/alternative; boundary=\"_000_\"", "", "--_000_", "Content-Type: text/plain", "", "--_000_", "Content-Type: text/calendar; charset=\"utf-8\"; method=REPLY", "Content-Transfer-Encoding: BASE64 ", "",
			answer("base64", "Mailto:Taro@cust.example", "DECLINED"), "--_000_--"),
			known{"kind": "declined", "attendee": "taro@cust.example", "calendar_uid": "040000008200E00074C5B7101A82E0"}},
		"a calendar alone, from a phone": {mail(from, date, "Subject: x", "Content-Type: text/calendar; charset=utf-8; method=REPLY", "", answer("", "mailto:taro@cust.example", "TENTATIVE")),
			known{"kind": "tentative", "attendee": "taro@cust.example"}},
		"iCloud accepts": {mail(from, date, "Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/calendar; method=\"REPLY\"", "", answer("", "/aMTYw/principal/", "ACCEPTED;EMAIL=taro@icloud.example"), "--b--"),
			known{"kind": "accepted", "attendee": "taro@icloud.example"}},
		"a program answers with a calendar": {mail(from, date, "Auto-Submitted: auto-replied", "Content-Class: urn:content-classes:calendarmessage", "Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/calendar; method=REPLY", "", answer("", "mailto:taro@cust.example", "ACCEPTED"), "--b--"),
			known{"kind": "accepted"}},
		"a person sends a calendar file": {mail(from, date, "Subject: =?UTF-8?B?"+encoded("日程の件")+"?=", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "予定表をお送りします。", "--b", "Content-Type: text/calendar; name=plan.ics", "Content-Disposition: attachment; filename=plan.ics", "",
			"BEGIN:VCALENDAR", "METHOD:PUBLISH", "BEGIN:VEVENT", "UID:1", "END:VEVENT", "END:VCALENDAR", "--b--"),
			known{"kind": "ordinary", "attachments": []any{"plan.ics"}}},

		// Programs answer.
		"Exchange, 自動応答": {mail(from, date, "Subject: =?iso-2022-jp?B?"+encoded(jis("自動応答: お見積り"))+"?=", "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "X-MS-Exchange-Inbox-Rules-Loop: taro@cust.example", "", "x"),
			known{"kind": "auto_reply"}},
		"Gmail, 不在":                            {mail(from, date, "Subject: =?UTF-8?B?"+encoded("不在 Re: お見積り")+"?=", "Precedence: bulk", "X-Autoreply: yes", "Auto-Submitted: auto-replied", "", "x"), known{"kind": "auto_reply", "is_list": false}},
		"a parameter without a blank":          {mail(from, date, "Subject: x", "Auto-Submitted: auto-replied;owner-email=\"taro@cust.example\"", "", "x"), known{"kind": "auto_reply"}},
		"a form's receipt":                     {mail("From: info@cust.example", date, "Subject: =?UTF-8?B?"+encoded("【自動返信】お問い合わせを受け付けました")+"?=", "", "x"), known{"kind": "auto_reply"}},
		"a person writes of automatic answers": {mail(from, date, "Subject: =?UTF-8?B?"+encoded("自動返信メールの文面について")+"?=", "", "x"), known{"kind": "ordinary"}},

		// Lists and notices.
		"fml":                      {mail(from, date, "Subject: [sales:00123] =?ISO-2022-JP?B?"+encoded(jis("会議"))+"?=", "X-ML-Name: sales", "X-MLServer: fml [fml 4.0.3]", "", "x"), known{"kind": "list", "base_subject": "会議"}},
		"Mailman, without List-Id": {mail(from, date, "Subject: x", "X-BeenThere: sales@lists.example", "X-Mailman-Version: 2.1", "", "x"), known{"kind": "list"}},
		"まぐまぐ":                     {mail("From: mailmag@mag2.example", date, "Subject: x", "X-Mag2Id: 0000012345", "", "x"), known{"kind": "list"}},
		"Teams": {mail("From: =?UTF-8?B?"+encoded("Microsoft Teams の山田")+"?= <noreply@email.teams.example>", date, "Subject: =?UTF-8?B?"+encoded("山田 太郎 さんがメッセージを送信しました")+"?=", "Auto-Submitted: auto-generated", "", "x"),
			known{"kind": "ordinary", "is_automatic": true}},
		"サイボウズ": {mail("From: "+jis("サイボウズ Office")+" <notify@cust.example>", date, "Subject: "+jis("【スケジュール】予定が登録されました"), "Content-Type: text/plain; charset=ISO-2022-JP", "", jis("予定が登録されました。")),
			known{"kind": "ordinary", "from_name": "サイボウズ Office", "subject": "【スケジュール】予定が登録されました"}},
		"LINE WORKS": {mail("From: =?utf-8?Q?=E5=B1=B1=E7=94=B0_=E5=A4=AA=E9=83=8E?= <taro@cust.example>", date, "Message-ID: <20261102101530.Horde.aB_1-x@worksmobile.example>", "Subject: =?utf-8?Q?RE:=20=E3=81=8A=E8=A6=8B=E7=A9=8D=E3=82=8A?=", "In-Reply-To:\t<q1@our.example>", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: base64", "",
			encoded(`<html><body><div>承知しました。納期はいつ頃でしょうか。</div><div>-----Original Message-----<br><b>From:</b> rep</div></body></html>`)),
			known{"kind": "ordinary", "person_name": "山田 太郎", "base_subject": "お見積り", "asks_question": true, "in_reply_to": []any{"q1@our.example"}}},

		// Charsets under the names of vendors.
		"ms932":                        {mail("From: =?ms932?B?"+encoded(sjis("髙橋"))+"?= <a@cust.example>", date, "Subject: =?x-sjis?B?"+encoded(sjis("①見積㈱"))+"?=", "", "x"), known{"from_name": "髙橋", "subject": "①見積㈱"}},
		"x-euc-jp":                     {mail(from, date, "Subject: =?x-eucjp?Q?"+encodedQ(euc("納期のご相談"))+"?=", "", "x"), known{"subject": "納期のご相談"}},
		"CP50221":                      {mail(from, date, "Subject: =?CP50221?B?"+encoded(jis("ﾐﾂﾓﾘ"))+"?=", "", "x"), known{"subject": "ﾐﾂﾓﾘ"}},
		"JIS under the name UTF-8":     {mail(from, date, "Subject: =?UTF-8?B?"+encoded(jis("お見積り"))+"?=", "", "x"), known{"subject": "お見積り"}},
		"JIS X 0208:1990":              {mail(from, date, "Subject: =?ISO-2022-JP?B?"+encoded("\x1b&@"+jis("お見積り"))+"?=", "", "x"), known{"subject": "お見積り"}},
		"JIS X 0213":                   {mail(from, date, "Subject: =?ISO-2022-JP-2004?B?"+encoded(strings.Replace(jis("お見積り"), "\x1b$B", "\x1b$(Q", 1))+"?=", "", "x"), known{"subject": "お見積り"}},
		"name and address in one word": {mail("From: =?UTF-8?B?"+encoded("山田 <Taro@cust.example>")+"?=", date, "", "x"), known{"from_name": "山田", "from_addr": "taro@cust.example"}},
		"a byte order mark":            {mail("\ufeffFrom: taro@cust.example", date, "Subject: x", "", "x"), known{"from_addr": "taro@cust.example"}},

		// Broken bodies.
		"quoted-printable inside quoted-printable": {mail(from, date, "Content-Type: multipart/mixed; boundary=\"=_a\"", "Content-Transfer-Encoding: quoted-printable", "", "--=3D_a", "Content-Type: text/plain; charset=3Dutf-8", "Content-Transfer-Encoding: quoted-printable", "",
			"=3DE7=3DB4=3D8D=3DE6=3D9C=3D9F=3DE3=3D81=3DAF=3DE3=3D81=3D84=3DE3=3D81=3DA4=3D", "=3DE3=3D81=3DA7=3DE3=3D81=3D99=3DE3=3D81=3D8B", "--=3D_a--"),
			known{"asks_question": true}},
		"quoted-printable with a torn code": {mail(from, date, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "", "100=% =ZZ", "=E7=B4=8D=E6=9C=9F=E3=81=AF=E3=81=84=E3=81=A4=", "=E3=81=A7=E3=81=99=E3=81=8B"), known{"asks_question": true}},
		"another boundary than announced":   {mail(from, date, "Content-Type: multipart/mixed; boundary=announced", "", "--other", "Content-Type: text/plain; charset=utf-8", "", "納期はいつですか", "--other", "Content-Disposition: attachment; filename=a.pdf", "", "x", "--other--"), known{"asks_question": true, "attachments": []any{"a.pdf"}}},
		"no boundary":                       {mail(from, date, "Content-Type: multipart/mixed", "", "--b", "Content-Type: text/plain; charset=utf-8", "", "納期はいつですか", "--b--"), known{"asks_question": true}},
		"a comment behind the boundary":     {mail(from, date, "Content-Type: multipart/mixed; boundary=\"b c\" (made here)", "", "--b c", "Content-Type: text/plain; charset=utf-8", "", "納期はいつですか", "--b c--"), known{"asks_question": true}},
		"an attached file in ISO-2022-JP":   {mail(from, date, "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: application/pdf; name=\"=?ISO-2022-JP?B?"+encoded(jis("御見積書.pdf"))+"?=\"", "Content-Transfer-Encoding: base64", "", "AAAA", "--b--"), known{"attachments": []any{"御見積書.pdf"}}},

		// Times and what people ask.
		"twelve hours":               {mail(from, "Date: Mon, 2 Nov 2026 10:15:30 PM +0900", "", "x"), known{"date_utc": "2026-11-02T13:15:30Z", "date_state": "nonstandard"}},
		"a zone in Japanese":         {mail(from, "Date: Mon, 2 Nov 2026 10:15:30 +0900 (東京 (標準時))", "", "x"), known{"date_utc": "2026-11-02T01:15:30Z"}},
		"the closing formula":        {mail(from, date, "Content-Type: text/plain; charset=utf-8", "", "見積書をお送りします。", "ご不明な点がございましたらお知らせください。"), known{"asks_question": false}},
		"the formula in English":     {mail(from, date, "", "Here is the quote.", "Please let me know if you have any questions."), known{"asks_question": false}},
		"the formula and a question": {mail(from, date, "Content-Type: text/plain; charset=utf-8", "", "納期はいつになりますか。", "ご不明な点がございましたらお知らせください。"), known{"asks_question": true}},
		"the last question, quoted":  {mail(from, date, "Content-Type: text/plain; charset=utf-8", "", "承知しました。", "2026/11/02 10:15、鈴木 <rep@our.example>のメール:", "", "納期はいつになりますか。"), known{"asks_question": false}},
	})
}

// known are facts of a mail, by the keys of expected.jsonl; kind and to besides.
type known = map[string]any

type mailTest struct {
	raw  string
	want known
}

// checkMails reads mails and holds what they say against what is known of them.
func checkMails(t *testing.T, tests map[string]mailTest) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header, m := ReadHeader([]byte(test.raw)), Read([]byte(test.raw))
			if header.Kind != m.Kind && !header.Wants() {
				t.Errorf("%s by its header, which wants no body; it is %s", header.Kind, m.Kind)
			}
			all := facts(m)
			all["kind"] = m.Kind
			var to []string
			for _, a := range m.To {
				to = append(to, a.Addr)
			}
			all["to"] = to
			data, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			got := known{}
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			for key, want := range test.want {
				if diff := cmp.Diff(want, got[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
		})
	}
}

// encodedQ writes every byte as =XX.
func encodedQ(s string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		out.WriteByte('=')
		out.WriteByte(digits[s[i]>>4])
		out.WriteByte(digits[s[i]&15])
	}
	return out.String()
}
