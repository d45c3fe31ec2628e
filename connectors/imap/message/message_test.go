package message

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
)

func in(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	b, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSubject(t *testing.T) {
	long := "先日ご提案いただいた件につきまして、社内で検討いたしました結果をお送りします"
	for name, test := range map[string]struct{ raw, want string }{
		"B":                          {"=?UTF-8?B?44GU5o+Q5qGI?=", "ご提案"},
		"small b, language":          {"=?utf-8*ja?b?44GU5o+Q5qGI?=", "ご提案"},
		"Q":                          {"=?UTF-8?Q?Re:_=E3=81=94=E6=8F=90=E6=A1=88?=", "Re: ご提案"},
		"Q with a blank":             {"=?UTF-8?Q?Hello World?=", "Hello World"},
		"text around":                {"Re: =?UTF-8?B?44GU5o+Q5qGI?= (2)", "Re: ご提案 (2)"},
		"two words, cut in a letter": {"=?UTF-8?B?44GU5o8=?= =?UTF-8?B?kOahiA==?=", "ご提案"},
		"two words of two charsets":  {"=?UTF-8?B?44GU?= =?ISO-8859-1?Q?=E9?=", "ごé"},
		"not padded":                 {"=?UTF-8?B?44GU5o+Q5qGI44Gu?=", "ご提案の"},
		"padding lost":               {"=?UTF-8?B?44GU5o8?= =?UTF-8?B?kOahiA?=", "ご提案"},
		"cut off":                    {"=?UTF-8?B?44GU5o+Q5qGI", "ご提案"},
		"no encoded word":            {"=?what?", "=?what?"},
		"raw ISO-2022-JP":            {in(t, japanese.ISO2022JP, "お見積りの件"), "お見積りの件"},
		"raw EUC-JP":                 {in(t, japanese.EUCJP, long), long},
		"raw CP932":                  {in(t, japanese.ShiftJIS, long), long},
		"raw Latin":                  {"R\xfcckfrage zum Angebot", "Rückfrage zum Angebot"},
		"label lies":                 {"=?ISO-2022-JP?B?" + b64(in(t, japanese.ShiftJIS, "納期のご相談")) + "?=", "納期のご相談"},
		"unknown charset":            {"=?x-unknown?B?44GU5o+Q5qGI?=", "ご提案"},
		"vendor name, NEC row 13":    {"=?cp932?B?" + b64(in(t, japanese.ShiftJIS, "①㈱髙橋")) + "?=", "①㈱髙橋"},
		"kana with the eighth bit":   {"=?ISO-2022-JP?B?" + b64("\xb6\xc0\xb0 \x1b$B$N\x1b(B") + "?=", "ｶﾀｰ の"},
		"kana by shift out":          {"=?ISO-2022-JP?B?" + b64("\x0e6@0\x0f \x1b$B$N\x1b(B") + "?=", "ｶﾀｰ の"},
		"control characters":         {"=?UTF-8?Q?a=00=0D=0ABcc:_b=E2=80=AE?=", "a Bcc: b"},
		"invalid bytes":              {"=?UTF-8?Q?a=FF=FEb?=", "a\ufffdb"},
		"long":                       {strings.Repeat("あ", 1500), strings.Repeat("あ", 1500)},
	} {
		m := ReadHeader([]byte("From: a@b.example\r\nSubject: " + test.raw + "\r\n\r\n"))
		got := m.Subject
		if name == "invalid bytes" {
			if !utf8.ValidString(got) || !m.Replaced || !strings.HasPrefix(got, "a") || !strings.HasSuffix(got, "b") {
				t.Errorf("%s: %q, flagged %v", name, got, m.Replaced)
			}
			continue
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func b64(s string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out strings.Builder
	for i := 0; i < len(s); i += 3 {
		group := []byte(s[i:min(i+3, len(s))])
		n := len(group)
		for len(group) < 3 {
			group = append(group, 0)
		}
		v := uint(group[0])<<16 | uint(group[1])<<8 | uint(group[2])
		for j := range n + 1 {
			out.WriteByte(digits[v>>(18-6*uint(j))&63])
		}
		out.WriteString("=="[:3-n])
	}
	return out.String()
}

func TestAddresses(t *testing.T) {
	for raw, want := range map[string][]Address{
		"a@b.example":                        {{"", "a@b.example"}},
		"Taro <Taro@B.Example>, c@d.example": {{"Taro", "taro@b.example"}, {"", "c@d.example"}},
		`"Yamada, Taro" <a@b.example>`:       {{"Yamada, Taro", "a@b.example"}},
		`=?UTF-8?B?5bGx55Sw?= <a@b.example>`: {{"山田", "a@b.example"}},
		`"a@b.example" <a@b.example>`:        {{"", "a@b.example"}},
		"a@b.example (Yamada)":               {{"Yamada", "a@b.example"}},
		"friends: a@b.example, c@d.example;": {{"", "a@b.example"}, {"", "c@d.example"}},
		"undisclosed-recipients:;":           nil,
		"a@b.example; c@d.example":           {{"", "a@b.example"}, {"", "c@d.example"}},
		"Taro a@b.example":                   {{"Taro", "a@b.example"}},
		"<mailto:a@b.example>":               {{"", "a@b.example"}},
		"a@日本.example":                       {{"", "a@xn--wgv71a.example"}},
		`"say \"hi\"" <a@b.example>`:         {{`say "hi"`, "a@b.example"}},
		"Taro <a@b.example":                  {{"Taro", "a@b.example"}},
		`"never closed <a@b.example>`:        {{"never closed", "a@b.example"}},
		"no address at all":                  nil,
		"a..b@docomo.ne.jp":                  {{"", "a..b@docomo.ne.jp"}},
		"<@relay.example:a@b.example>":       {{"", "a@b.example"}},
		"MAILER-DAEMON":                      nil,
	} {
		got, _ := addresses(raw)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
	many, _ := addresses(strings.Repeat("a@b.example,", 500))
	if len(many) != maxAddresses {
		t.Errorf("%d of 500 recipients are kept", len(many))
	}
}

func TestPerson(t *testing.T) {
	for shown, want := range map[string][2]string{
		"山田 太郎": {"山田 太郎", ""},
		"山田様":   {"山田", ""},
		"株式会社カスト 営業部 山田部長":           {"山田", "部長"},
		"営業部長 山田 太郎":                 {"山田 太郎", "営業部長"},
		"部長 山田 太郎":                   {"山田 太郎", "部長"},
		"山田 太郎（購買課長）":                {"山田 太郎", "購買課長"},
		"佐藤 花子 代表取締役社長":              {"佐藤 花子", "代表取締役社長"},
		"John Smith, Sales Director": {"John Smith", "Sales Director"},
		"所 ジョージ":                     {"所 ジョージ", ""},
		"山田 太郎さん":                    {"山田 太郎", ""},
		"":                           {"", ""},
	} {
		name, title := Address{Name: shown}.Person()
		if got := [2]string{name, title}; got != want {
			t.Errorf("%s: %q, want %q", shown, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	for raw, want := range map[string]struct {
		utc   string
		state DateState
	}{
		"Mon, 2 Nov 2026 10:15:30 +0900":        {"2026-11-02T01:15:30Z", DateValid},
		"2 Nov 2026 10:15 +0900":                {"2026-11-02T01:15:00Z", DateValid},
		"Mon, 02 Nov 2026 10:15:30 +0900 (JST)": {"2026-11-02T01:15:30Z", DateValid},
		"Mon, 2 Nov 2026 01:15:30 GMT":          {"2026-11-02T01:15:30Z", DateValid},
		"Mon, 2 Nov 2026 10:15:30 JST":          {"2026-11-02T01:15:30Z", DateNonstandard},
		"Sun, 1 Nov 2026 20:15:30 EST":          {"2026-11-02T01:15:30Z", DateNonstandard},
		"Sun, 1 Nov 2026 21:15:30 EDT":          {"2026-11-02T01:15:30Z", DateNonstandard},
		"Mon Nov  2 10:15:30 2026 +0900":        {"2026-11-02T01:15:30Z", DateValid},
		"Mon Nov  2 10:15:30 JST 2026":          {"2026-11-02T01:15:30Z", DateNonstandard},
		"月, 2 Nov 2026 10:15:30 +0900":          {"2026-11-02T01:15:30Z", DateValid},
		"2026-11-02T10:15:30+09:00":             {"2026-11-02T01:15:30Z", DateNonstandard},
		"2026-11-02 10:15:30 +0900":             {"2026-11-02T01:15:30Z", DateNonstandard},
		"2026/11/2 10:15:30 +09:00":             {"2026-11-02T01:15:30Z", DateNonstandard},
		"Mon, 2 Nov 26 10:15:30 +0900":          {"2026-11-02T01:15:30Z", DateTwoDigits},
		"Mon, 2 Nov 2026 10:15:30 GMT+0900":     {"2026-11-02T01:15:30Z", DateNonstandard},
		"Mon, 2 November 2026 10:15:30 +0900":   {"2026-11-02T01:15:30Z", DateNonstandard},
		"Mon, 2 Nov 2026 10:15:30":              {"", DateUnparsed},
		"2026年11月2日 10:15":                      {"", DateUnparsed},
		"yesterday":                             {"", DateUnparsed},
		"2026-11-":                              {"", DateUnparsed},
		"Mon, 31 Feb 2026 10:15:30 +0900":       {"", DateInvalid},
		"Mon, 2 Nov 2026 25:15:30 +0900":        {"", DateInvalid},
		"Wed, 31 Dec 2008 23:59:60 +0000":       {"2008-12-31T23:59:59Z", DateValid},
	} {
		for _, local := range []*time.Location{time.UTC, time.FixedZone("JST", 9*3600)} {
			saved := time.Local
			time.Local = local
			got, state := parseDate(raw)
			time.Local = saved
			utc := ""
			if !got.IsZero() {
				utc = got.Format(time.RFC3339)
			}
			if utc != want.utc || state != want.state {
				t.Errorf("%s in %s: %s %s, want %s %s", raw, local, utc, state, want.utc, want.state)
			}
		}
	}
}

// TestWhen: the server's stamp stands in for a Date that cannot be believed.
func TestWhen(t *testing.T) {
	arrived := time.Date(2026, 11, 2, 1, 15, 33, 0, time.UTC)
	for header, want := range map[string]struct {
		at       time.Time
		internal bool
	}{
		"Date: Mon, 2 Nov 2026 10:15:30 +0900\r\n": {arrived.Add(-3 * time.Second), false},
		"Date: Tue, 3 Nov 2026 10:15:32 +0900\r\n": {arrived.Add(24*time.Hour - time.Second), false},
		"Date: Tue, 3 Nov 2026 10:15:34 +0900\r\n": {arrived, true},
		"Date: Mon, 2 Nov 1970 10:15:34 +0900\r\n": {arrived, true},
		"Date: nonsense\r\n":                       {arrived, true},
		"":                                         {arrived, true},
		"Date: Mon, 2 Nov 2026 10:15:30 +0900\r\nDate: Sun, 1 Nov 2026 10:15:30 +0900\r\n": {arrived, true},
		"Date: Mon, 2 Nov 2026 10:15:30 +0900\r\nDate: Mon, 2 Nov 2026 10:15:30 +0900\r\n": {arrived, true},
	} {
		at, internal := ReadHeader([]byte("From: a@b.example\r\n" + header + "\r\n")).When(arrived)
		if !at.Equal(want.at) || internal != want.internal {
			t.Errorf("%q: %v %v, want %v %v", header, at, internal, want.at, want.internal)
		}
	}
}

func TestIDs(t *testing.T) {
	for raw, want := range map[string][]string{
		"<a@b>":                                  {"a@b"},
		"<A@b> <c@d>":                            {"A@b", "c@d"},
		`Your message of "Mon" <p1@our.example>`: {"p1@our.example"},
		"< a@b >":                                {"a@b"},
		"<a@ b>":                                 {"a@b"},
		"<a@b><c@d><a@b>":                        {"a@b", "c@d"},
		"<nothing>":                              nil,
	} {
		if diff := cmp.Diff(want, messageIDs(raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
	// Without an id the mail is known by what its writer set, wherever it lies.
	header := "From: a@b.example\r\nDate: Mon, 2 Nov 2026 10:15:30 +0900\r\nSubject: x\r\nTo: c@our.example\r\n"
	one, other := ReadHeader([]byte("Received: here\r\n"+header+"\r\n")), ReadHeader([]byte("Received: there\r\n"+header+"\r\n"))
	if one.Identity() != other.Identity() || !strings.HasPrefix(one.Identity(), "digest:") {
		t.Errorf("%s and %s", one.Identity(), other.Identity())
	}
	for _, change := range []string{"a@b.example>z@b.example", "10:15:30>10:15:31", "Subject: x>Subject: y", "c@our.example>d@our.example", "To: c>In-Reply-To: <q@x>\r\nTo: c"} {
		was, is, _ := strings.Cut(change, ">")
		if third := ReadHeader([]byte(strings.Replace(header, was, is, 1) + "\r\n")); third.Identity() == one.Identity() {
			t.Errorf("%s: another mail has the same identity", change)
		}
	}
}

func TestBaseSubject(t *testing.T) {
	for subject, want := range map[string]string{
		"Re: ご提案":             "ご提案",
		"RE: FW: Fwd: ご提案":    "ご提案",
		"転送: 返信: ご提案":         "ご提案",
		"【返信】ご提案":             "ご提案",
		"【ご確認】ご提案":            "【ご確認】ご提案",
		"Re[2]: ご提案":          "ご提案",
		"ＲＥ：ご提案":              "ご提案",
		"[sales:0123] Re: 会議": "会議",
		"[ML] 会議":             "会議",
		"Re:":                 "Re:",
		"Report":              "Report",
	} {
		if got := (&Message{Subject: subject}).BaseSubject(); got != want {
			t.Errorf("%s: %q, want %q", subject, got, want)
		}
	}
}

func TestAsks(t *testing.T) {
	for text, want := range map[string]bool{
		"納期はいつ頃になりますでしょうか。":                                    true,
		"対応は可能でしょうか":                                           true,
		"ご都合はいかがですか":                                           true,
		"お見積りをいただけますか？":                                        true,
		"価格を教えてください。":                                          true,
		"Could you send a quote":                               true,
		"参りますから、お待ちください。":                                      false,
		"ありがとうございました。":                                         false,
		"https://example.com/?a=b をご覧ください。":                    false,
		"承知しました。\n> 納期はいつですか？":                                 false,
		"承知しました。\n-----Original Message-----\n納期はいつですか？":       false,
		"承知しました。\n--- 元のメッセージ ---\n納期はいつですか？":                  false,
		"承知しました。\n2026年11月2日(月) 10:15 山田 <a@b.example>:\n納期は？": false,
		"承知しました。\n-- \n何かありますか？":                               false,
		"差出人: 山田\n納期は？":                                        false,
	} {
		if got := asks(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestDirection(t *testing.T) {
	ours := func(d string) bool { return d == "our.example" }
	for header, want := range map[string]struct {
		d      Direction
		writer string
	}{
		"From: a@cust.example\nTo: r@our.example":                             {Inbound, "a@cust.example"},
		"From: r@our.example\nTo: a@cust.example":                             {Outbound, "r@our.example"},
		"From: r@our.example\nTo: s@our.example\nCc: a@cust.example":          {Outbound, "r@our.example"},
		"From: r@our.example\nTo: s@our.example":                              {Internal, "r@our.example"},
		"From: form@our.example\nTo: s@our.example\nReply-To: a@cust.example": {Inbound, "a@cust.example"},
	} {
		d, writer := ReadHeader([]byte(header + "\n\n")).Direction(ours)
		if d != want.d || writer.Addr != want.writer {
			t.Errorf("%q: %s of %s", header, d, writer.Addr)
		}
	}
}

// TestKind_Order: what several signs fit is the first of them.
func TestKind_Order(t *testing.T) {
	report := "Content-Type: multipart/report; report-type=%s; boundary=b\nPrecedence: bulk\nAuto-Submitted: auto-replied\n\n--b\nContent-Type: message/%s\n\n%s\n--b--\n"
	fill := func(kind, body string) string {
		s := strings.Replace(report, "%s", kind, 2)
		return strings.Replace(s, "%s", body, 1)
	}
	for mail, want := range map[string]Kind{
		"From: MAILER-DAEMON@b.example\n" + fill("delivery-status", "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n"):  Bounce,
		"From: MAILER-DAEMON@b.example\n" + fill("delivery-status", "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: delayed\n"): DeliveryReport,
		"From: a@b.example\n" + fill("disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed\n"):                           ReadReceipt,
		"From: a@b.example\nPrecedence: bulk\nAuto-Submitted: auto-replied\n\nx":                                                                        AutoReply,
		"From: a@b.example\nPrecedence: bulk\n\nx":                           List,
		"From: a@b.example\nAuto-Submitted: no\n\nx":                         Ordinary,
		"From: a@b.example\nX-Auto-Response-Suppress: All\nSubject: 発注\n\nx": Ordinary,
		"From: a@b.example\nSubject: Accepted: meeting\n\nx":                 Ordinary,
		// A person forwards a delivery report.
		"From: a@b.example\nSubject: Fw: failure\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\nFrom: MAILER-DAEMON@b.example\n" +
			fill("delivery-status", "Reporting-MTA: dns; x\n\nAction: failed\n") + "\n--b--\n": Ordinary,
		// An invitation that is only attached to a forwarded mail.
		"From: a@b.example\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: message/rfc822\n\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n--c--\n": Ordinary,
	} {
		if got := Read([]byte(mail)).Kind; got != want {
			t.Errorf("%s, want %s:\n%s", got, want, mail)
		}
	}
}

// TestCaps: what is too much is dropped and flagged, never refused (47, 60).
func TestCaps(t *testing.T) {
	var deep strings.Builder
	deep.WriteString("From: a@b.example\n")
	for i := range 100 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	wide := "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 5000)
	giant := "From: a@b.example\nX-Junk: " + strings.Repeat("x", 1<<20) + "\nSubject: lost\n\nbody"
	loop := "From: a@b.example\nMessage-ID: <a@b>\nReferences: " + strings.Repeat("<a@b> <c@d> ", 8000) + "\n\n"
	for name, raw := range map[string]string{"deep": deep.String(), "wide": wide, "giant": giant} {
		if m := Read([]byte(raw)); !m.Cut || m.From.Addr != "a@b.example" {
			t.Errorf("%s: cut %v, from %q", name, m.Cut, m.From.Addr)
		}
	}
	crowd := "From: a@b.example\nTo: " + strings.Repeat("c@d.example, ", 150) + "\nCc: " + strings.Repeat("e@f.example, ", 150) + "\n\n"
	if m := ReadHeader([]byte(crowd)); len(m.To)+len(m.Cc) != maxAddresses || !m.Cut {
		t.Errorf("of 300 recipients %d are kept, cut %v", len(m.To)+len(m.Cc), m.Cut)
	}
	if m := ReadHeader([]byte(loop)); len(m.References) != 2 {
		t.Errorf("a loop of references gives %d", len(m.References))
	}
}

// TestHostile: texts made to be slow end in bounded time; what took the square of their length would not end here.
func TestHostile(t *testing.T) {
	for _, piece := range []string{"<,", "\",", "(", "a:", "@:", "=?x?Q?a ", "=?x?B?", "<a ", "<", "a@b <", ";a=\"", "\t", "=?UTF-8?B?44GU?= ", "[a] ", "Re:", "\\", "\x1b$B", "\x80"} {
		for _, field := range []string{"From", "To", "Subject", "References", "Message-ID", "Date", "Content-Type", "Content-Disposition", "X-Failed-Recipients", "Received"} {
			Read([]byte("From: a@b.example\n" + field + ": " + strings.Repeat(piece, 64<<10/len(piece)) + "\n\n"))
		}
		body := strings.Repeat(piece, 128<<10/len(piece))
		Read([]byte("From: mailer-daemon@b.example\nSubject: failure notice\n\n" + body))
		Read([]byte("From: a@b.example\nContent-Type: text/html\n\n" + body))
		Read([]byte("From: a@b.example\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nATTENDEE" + body))
	}
}
