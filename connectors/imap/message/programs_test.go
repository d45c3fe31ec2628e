package message

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// TestPrograms holds headers as mail programs and carriers write them: charsets,
// encoded words, and who wrote to whom.
func TestPrograms(t *testing.T) {
	jis := func(s string) string { return in(t, japanese.ISO2022JP, s) }
	sjis := func(s string) string { return in(t, japanese.ShiftJIS, s) }
	euc := func(s string) string { return in(t, japanese.EUCJP, s) }
	gb := in(t, simplifiedchinese.GB18030, "报价单的问题")
	big5 := in(t, traditionalchinese.Big5, "報價單問題")
	hz := in(t, simplifiedchinese.HZGB2312, "报价单")
	kr := in(t, korean.EUCKR, "견적서 문의")
	const date = "Date: Mon, 2 Nov 2026 10:15:30 +0900"
	const from = "From: taro@cust.example"
	word := func(charset, raw string) string { return "=?" + charset + "?B?" + encoded(raw) + "?=" }
	subject := func(raw string, more ...string) string {
		return mail(append([]string{from, date, "Subject: " + raw}, append(more, "", "x")...)...)
	}
	checkMails(t, map[string]mailTest{
		// Subjects.
		"Outlook, a word cut inside a character, three ways": {subject("=?utf-8?B?" + encoded("お見積"[:4]) + "?=\r\n =?UTF-8?Q?" + encodedQ("お見積"[4:7]) + "?=\r\n\t=?utf-8?b?" + encoded("お見積"[7:]) + "?="), known{"subject": "お見積"}},
		"Becky!, ① ㈱ and half-width kana raw":                {subject(jis("①㈱カスト ﾊﾝｶｸ"), "X-Mailer: Becky! ver. 2.75.02 [ja]"), known{"subject": "①㈱カスト ﾊﾝｶｸ"}},
		"a folding inside base64":                            {subject("=?UTF-8?B?" + encoded("お見積り")[:6] + "\r\n " + encoded("お見積り")[6:] + "?="), known{"subject": "お見積り"}},
		"words without a blank between":                      {subject(word("UTF-8", "お見") + word("UTF-8", "積り")), known{"subject": "お見積り"}},
		"a word that lost its end, and another":              {subject("=?UTF-8?B?" + encoded("お見積") + " " + word("UTF-8", "りの件")), known{"subject": "お見積りの件"}},
		"a question mark inside Q":                           {subject("=?UTF-8?Q?" + encodedQ("いつですか") + "??="), known{"subject": "いつですか?"}},
		"B and Q of two charsets":                            {subject(word("ISO-2022-JP", jis("お見積り")) + " =?utf-8?Q?_" + encodedQ("の件") + "?="), known{"subject": "お見積り の件"}},
		"ISO-2022-JP that does not return to ASCII":          {subject("=?ISO-2022-JP?B?" + encoded(strings.TrimSuffix(jis("お見積り"), "\x1b(B")) + "?= (2)"), known{"subject": "お見積り (2)"}},
		"the state goes on in the next word":                 {subject("=?ISO-2022-JP?B?" + encoded(jis("お見積り")[:7]) + "?= =?ISO-2022-JP?B?" + encoded(jis("お見積り")[7:]) + "?="), known{"subject": "お見積り"}},
		"a web form, UTF-8 under ISO-8859-1":                 {subject("=?ISO-8859-1?Q?" + encodedQ("お見積り") + "?="), known{"subject": "お見積り"}},
		"a web form, raw UTF-8, body in ISO-8859-1":          {subject("お見積り", "Content-Type: text/plain; charset=ISO-8859-1"), known{"subject": "お見積り"}},
		"a web form, raw CP932, body in ISO-8859-1":          {subject(sjis("お見積りのお問い合わせ"), "Content-Type: text/plain; charset=ISO-8859-1"), known{"subject": "お見積りのお問い合わせ"}},
		"a scanner, raw EUC-JP, body in Windows-1252":        {subject(euc("複合機からのお知らせ"), "Content-Type: text/plain; charset=Windows-1252"), known{"subject": "複合機からのお知らせ"}},
		"raw CP932 under ANSI_X3.4-1968":                     {subject(sjis("お見積りのお問い合わせ"), "Content-Type: text/plain; charset=ANSI_X3.4-1968"), known{"subject": "お見積りのお問い合わせ"}},
		"French under ISO-8859-1":                            {subject("=?iso-8859-1?Q?Fran=E7ois_a_r=E9pondu_=E0_c=F4t=E9?="), known{"subject": "François a répondu à côté"}},
		"x-user-defined":                                     {subject(word("x-user-defined", sjis("お見積り"))), known{"subject": "お見積り"}},
		"UTF-7":                                              {subject(word("UTF-7", "+TxqLcGhIUYU-")), known{"subject": "会議案内"}},
		"UTF-7, raw plus":                                    {subject("=?unicode-1-1-utf-7?Q?A+-B_+TxqLcA-?="), known{"subject": "A+B 会議"}},
		"QQ, GB18030":                                        {subject(word("gb18030", gb)), known{"subject": "报价单的问题"}},
		"Foxmail, cp936":                                     {subject(word("cp936", gb)), known{"subject": "报价单的问题"}},
		"HZ":                                                 {subject(word("hz-gb-2312", hz)), known{"subject": "报价单"}},
		"Outlook TW, Big5":                                   {subject(word("big5", big5)), known{"subject": "報價單問題"}},
		"cp950, raw":                                         {subject(big5, "Content-Type: text/plain; charset=cp950"), known{"subject": "報價單問題"}},
		"Outlook KR, ks_c_5601-1987":                         {subject(word("ks_c_5601-1987", kr)), known{"subject": "견적서 문의"}},
		"cp949":                                              {subject(word("cp949", kr)), known{"subject": "견적서 문의"}},
		"no charset, raw EUC-KR in its Content-Type":         {subject(kr, "Content-Type: text/plain; charset=\"euc-kr\""), known{"subject": "견적서 문의"}},
		"emoji of UTF-16 halves":                             {subject("=?UTF-8?B?" + encoded("承知しました\xf0\x9f\x99\x87") + "?="), known{"subject": "承知しました🙇"}},

		// Dates.
		"the day of the week in French is a month in English": {mail(from, "Date: Mar, 3 Nov 2026 10:15:30 +0900", "", "x"), known{"date_utc": "2026-11-03T01:15:30Z"}},
		"the zone in an encoded word":                         {mail(from, "Date: Mon, 2 Nov 2026 10:15:30 +0900 (=?ISO-2022-JP?B?"+encoded(jis("東京 (標準時)"))+"?=)", "", "x"), known{"date_utc": "2026-11-02T01:15:30Z"}},
		"the zone in raw CP932":                               {mail(from, "Date: Mon, 2 Nov 2026 10:15:30 +0900 ("+sjis("東京 標準時")+")", "", "x"), known{"date_utc": "2026-11-02T01:15:30Z", "date_state": "valid"}},
		"folded":                                              {mail(from, "Date: Mon,", "  2 Nov 2026", "\t10:15:30 +0900", "", "x"), known{"date_utc": "2026-11-02T01:15:30Z", "date_state": "valid"}},
		"two times alike":                                     {mail(from, date, date, "", "x"), known{"date_state": "duplicate"}},
		"two times":                                           {mail(from, date, "Date: Tue, 3 Nov 2026 10:15:30 +0900", "", "x"), known{"date_state": "duplicate"}},
		"1970":                                                {mail(from, "Date: Thu, 1 Jan 1970 00:00:00 +0000", "", "x"), known{"date_state": "out-of-range"}},

		// Message ids.
		"an id without brackets is answered":     {mail(from, date, "In-Reply-To: q1@our.example", "", "x"), known{"in_reply_to": []any{"q1@our.example"}}},
		"MH-E, an address in the prose":          {mail(from, "To: Rep <rep@our.example>", date, "In-Reply-To: Message from Rep <rep@our.example> of \"Mon, 02 Nov 2026\" <q1@our.example>", "", "x"), known{"in_reply_to": []any{"q1@our.example"}}},
		"Outlook, an id that is folded":          {mail(from, date, "Message-ID:", " <TYCPR01MB0000ABCDEF@TYCPR01MB0000.jpnprd01.prod.outlook.com>", "", "x"), known{"message_id": "TYCPR01MB0000ABCDEF@TYCPR01MB0000.jpnprd01.prod.outlook.com"}},
		"an old au phone, an id without an @":    {mail(from, date, "Message-ID: <20261102101530>", "", "x"), known{"message_id_state": "malformed"}},
		"Docomo, references one to a line":       {mail(from, date, "References: <p0@our.example>", "\t<p1@our.example>", " <p2@our.example>", "", "x"), known{"references": []any{"p0@our.example", "p1@our.example", "p2@our.example"}}},
		"Notes, references with commas":          {mail(from, date, "References: <p0@our.example>,<OF1A2B.49258000-ON492580.00@cust.example>", "", "x"), known{"references": []any{"p0@our.example", "OF1A2B.49258000-ON492580.00@cust.example"}}},
		"Exchange, an id with brackets in it":    {mail(from, date, "Message-ID: <[1a2b]-q1@cust.example>", "", "x"), known{"message_id": "[1a2b]-q1@cust.example"}},
		"the case of an id is kept, blanks gone": {mail(from, date, "Message-ID: < AbC@Cust.example > ", "", "x"), known{"message_id": "AbC@Cust.example"}},

		// Who wrote.
		"a name in ISO-2022-JP with the bytes of <, \" and ,": {mail("From: "+jis("株式会社松下電器・山田、太郎")+" <taro@cust.example>", date, "", "x"), known{"from_addr": "taro@cust.example", "from_name": "株式会社松下電器・山田、太郎"}},
		"Docomo, dots":                       {mail("From: <a..b.@docomo.ne.jp>", date, "", "x"), known{"from_addr": "a..b.@docomo.ne.jp"}},
		"Docomo, dots in quotes":             {mail(`From: "a..b."@docomo.ne.jp`, date, "", "x"), known{"from_addr": "a..b.@docomo.ne.jp"}},
		"au, a hyphen in front":              {mail("From: -taro-_@ezweb.ne.jp", date, "", "x"), known{"from_addr": "-taro-_@ezweb.ne.jp"}},
		"a quoted local part with a blank":   {mail(`From: "taro yamada"@cust.example`, date, "", "x"), known{"from_addr": `"taro yamada"@cust.example`}},
		"a blank in quotes, in angles":       {mail(`From: Taro <"taro yamada"@cust.example>`, date, "", "x"), known{"from_addr": `"taro yamada"@cust.example`, "from_name": "Taro"}},
		"an @ in quotes":                     {mail(`From: Taro <"taro@home"@cust.example>`, date, "", "x"), known{"from_addr": `taro@home@cust.example`, "from_name": "Taro"}},
		"comments everywhere":                {mail("From: Taro (a) <taro(b)@(c)cust.example> (d)", date, "", "x"), known{"from_addr": "taro@cust.example", "from_name": "Taro"}},
		"the name behind, in a comment":      {mail("From: <taro@cust.example> ("+word("UTF-8", "山田 太郎")+")", date, "", "x"), known{"from_addr": "taro@cust.example", "from_name": "山田 太郎"}},
		"Becky!, the name in a comment, raw": {mail("From: taro@cust.example ("+jis("山田 太郎")+")", date, "", "x"), known{"from_name": "山田 太郎"}},
		"Outlook, the address as name":       {mail("From: 'taro@cust.example' <taro@cust.example>", date, "", "x"), known{"from_name": ""}},
		"Outlook, mailto in brackets":        {mail("From: Taro Yamada [mailto:taro@cust.example]", date, "", "x"), known{"from_addr": "taro@cust.example", "from_name": "Taro Yamada"}},
		"mailto with a subject":              {mail("From: <mailto:taro@cust.example?subject=x>", date, "", "x"), known{"from_addr": "taro@cust.example"}},
		"angles twice":                       {mail("From: Taro <<taro@cust.example>>", date, "", "x"), known{"from_addr": "taro@cust.example", "from_name": "Taro"}},
		"a name with angles":                 {mail("From: 山田<営業> <taro@cust.example>", date, "", "x"), known{"from_addr": "taro@cust.example", "from_name": "山田<営業>"}},
		"a word in quotes, cut in two":       {mail(`From: "`+word("UTF-8", "山田")+` `+word("UTF-8", " 太郎")+`" <taro@cust.example>`, date, "", "x"), known{"from_name": "山田 太郎"}},
		"a comma in an encoded name":         {mail("From: =?UTF-8?Q?Yamada=2C_Taro?= <taro@cust.example>", date, "", "x"), known{"from_name": "Yamada, Taro"}},
		"no blank before the angle":          {mail("From: "+word("ISO-2022-JP", jis("山田"))+"<taro@cust.example>", date, "", "x"), known{"from_name": "山田", "from_addr": "taro@cust.example"}},
		"no From, but a Sender":              {mail("Sender: Taro <taro@cust.example>", date, "", "x"), known{"from_addr": "taro@cust.example"}},
		"an empty From, and a Sender":        {mail("From: <>", "Sender: taro@cust.example", date, "", "x"), known{"from_addr": "taro@cust.example"}},
		"a domain in Japanese":               {mail("From: taro@日本語.JP", date, "", "x"), known{"from_addr": "taro@xn--wgv71a119e.jp"}},
		"two writers":                        {mail("From: taro@cust.example, hanako@cust.example", "Sender: hanako@cust.example", date, "", "x"), known{"from_addr": "taro@cust.example"}},
		"IP literal":                         {mail("From: root@[192.0.2.1]", date, "", "x"), known{"from_addr": "root@[192.0.2.1]"}},
		"Softbank, a blank before the colon": {mail("From : taro@softbank.ne.jp", date, "", "x"), known{"from_addr": "taro@softbank.ne.jp"}},
		"an mbox line in front":              {mail("From taro@cust.example Mon Nov  2 10:15:30 2026", ">From x", from, date, "", "x"), known{"from_addr": "taro@cust.example"}},

		// To whom.
		"a group in an encoded word":             {mail(from, "To: "+word("UTF-8", "営業部")+": a@our.example, B <b@our.example>; , c@our.example", date, "", "x"), known{"to": []any{"a@our.example", "b@our.example", "c@our.example"}}},
		"a group in an encoded word, no blanks":  {mail(from, "To: "+word("UTF-8", "営業部")+":a@our.example;", date, "", "x"), known{"to": []any{"a@our.example"}}},
		"an empty group in Japanese":             {mail(from, "To: "+jis("宛先不明")+":;", date, "", "x"), known{"to": nil}},
		"commas missing between angles":          {mail(from, "To: A <a@our.example> \"B, b\" <b@our.example>", date, "", "x"), known{"to": []any{"a@our.example", "b@our.example"}}},
		"commas missing between plain addresses": {mail(from, "To: a@our.example b@our.example", date, "", "x"), known{"to": []any{"a@our.example", "b@our.example"}}},
		"semicolons, as Outlook shows them":      {mail(from, "To: 'A' <a@our.example>; 'B' <b@our.example>;", date, "", "x"), known{"to": []any{"a@our.example", "b@our.example"}}},
		"To on two lines":                        {mail(from, "To: a@our.example,", "\tb@our.example", date, "", "x"), known{"to": []any{"a@our.example", "b@our.example"}}},
	})
}
