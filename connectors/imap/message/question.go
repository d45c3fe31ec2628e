package message

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

var (
	// quoteBegins is a line behind which an older mail stands.
	quoteBegins = regexp.MustCompile(`(?i)^\s*(-{2,}\s*(original message|forwarded message|元のメッセージ|転送メッセージ|original appointment)|_{10,}\s*$|(from|差出人|送信者)\s*[:：].{0,200}$|on .{5,200} wrote:\s*$|\d{4}[年/-]\d{1,2}[月/-]\d{1,2}.{0,200}[:：]\s*$|.{0,120}(さんは書きました|さんのメール|wrote)[:：]?\s*$)`)
	quotedLine  = regexp.MustCompile(`^\s*([>＞|｜]|&gt;)`)
	signature   = regexp.MustCompile(`^(-- ?|[-=_*─━＊☆★◆■/]{8,}.*)$`)
	webAddress  = regexp.MustCompile(`(?i)\b(https?://|www\.)\S+`)

	// closing is the formula at a mail's end that offers an answer and asks nothing.
	closing = regexp.MustCompile(`(?i)(ご不明|不明な|ご質問|ご意見|問題|疑問|不備|ご要望|何か)[^。？?]{0,20}(ましたら|あれば|場合|際)[^。？?]{0,20}(お知らせ|お聞かせ|お問い?合わせ|ご連絡|教え)[^。？?]*[。．]?|[^.?!]*\b(if|should) you (have|need) (any|further)\b[^.?!]*[.!]?`)

	// asking are forms of a question. The Japanese ones end a sentence: "ますから" is none.
	asking = []*regexp.Regexp{
		regexp.MustCompile(`[?？]`),
		regexp.MustCompile(`(でしょうか|ましょうか|ますか|ませんか|ですか|ましたか|でしたか|(いかが|どう)(ですか|でしょう)|可能か|どうか(お|ご)?(教え|聞か))(ね)?([。．.、,！!」』）)\s…・]|$)`),
		regexp.MustCompile(`(教えて|お教え|ご教示|ご教授|お聞かせ|ご回答|お答え|お知らせ)(いただ|頂|くださ|下さ|願|ください|のほど|の程)`),
		regexp.MustCompile(`(?i)\b(could|would|can|will) you\b|\bplease (let (me|us) know|advise|tell)\b|\bmay i ask\b|\bi('d| would) like to (ask|know)\b`),
	}
)

// asks tells whether the new text of a mail asks something; quoted text and signatures do not count.
func asks(text string) bool {
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = line[:min(len(line), maxLine)]
		switch {
		case quoteBegins.MatchString(line):
			return false
		case signature.MatchString(strings.TrimRight(line, "\r")):
			return false
		case quotedLine.MatchString(line):
			continue
		}
		line = closing.ReplaceAllString(webAddress.ReplaceAllString(line, ""), "")
		for _, form := range asking {
			if form.MatchString(line) {
				return true
			}
		}
	}
	return false
}

// maxLine is how much of a line is looked at, in bytes; people's lines are shorter.
const maxLine = 4 << 10

// htmlText gives the text of a page up to its first quotation.
func htmlText(page string) string {
	var out strings.Builder
	t := html.NewTokenizer(strings.NewReader(page))
	skip := 0
	for {
		switch t.Next() {
		case html.ErrorToken:
			return out.String()
		case html.TextToken:
			if skip == 0 {
				out.Write(t.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := t.TagName()
			switch string(name) {
			case "blockquote":
				return out.String()
			case "script", "style", "head":
				skip++
			case "br", "p", "div", "tr", "li", "hr":
				out.WriteByte('\n')
			}
			for more {
				var key, value []byte
				key, value, more = t.TagAttr()
				if string(key) == "id" && (strings.HasPrefix(string(value), "divRplyFwdMsg") || strings.HasPrefix(string(value), "appendonsend")) ||
					string(key) == "class" && strings.Contains(string(value), "gmail_quote") {
					return out.String()
				}
			}
		case html.EndTagToken:
			name, _ := t.TagName()
			switch string(name) {
			case "script", "style", "head":
				skip = max(0, skip-1)
			case "p", "div", "tr":
				out.WriteByte('\n')
			}
		}
	}
}
