package demo

import (
	"encoding/base64"
	"fmt"
	"mime"
	"path"
	"strings"
	"time"

	"golang.org/x/text/encoding/japanese"
)

// ourDomain is the company's own.
const ourDomain = "energyd.example"

// sites are the customers' web sites and mail domains, in the order of accounts.
var sites = []string{"yamada-ss", "aoba-seiki", "hokuto-sys", "towa-logi", "mirai-foods", "wakamatsu", "takasago-denki", "sakura-ken",
	"nippo-chem", "koyo-print", "pacific-trading", "kyushu-foods", "kyowa-med", "chuo-shinkin", "alpha-giken", "hokuriku-seimitsu"}

// romaji is how people write their names in addresses.
var romaji = map[string]string{
	"山田": "yamada", "田中": "tanaka", "伊藤": "ito", "山本": "yamamoto", "中村": "nakamura", "小林": "kobayashi", "加藤": "kato", "吉田": "yoshida",
	"佐々木": "sasaki", "山口": "yamaguchi", "松本": "matsumoto", "井上": "inoue", "木村": "kimura", "林": "hayashi", "齋藤": "saito", "清水": "shimizu",
	"太郎": "taro", "花子": "hanako", "一郎": "ichiro", "誠": "makoto", "直樹": "naoki", "恵子": "keiko", "由美": "yumi", "翔": "sho",
	"さくら": "sakura", "浩二": "koji", "明": "akira", "真理子": "mariko",
}

func (r *rep) address() string { return strings.ToLower(r.code) + "@" + ourDomain }

// letter is a mail as it lies in one mailbox.
type letter struct {
	box, folder string
	at          time.Time
	text        []byte
}

// The folders of a mailbox.
const (
	inbox = "INBOX"
	sent  = "送信済みトレイ"
)

// person is one end of a mail.
type person struct{ name, address string }

func (p person) String() string {
	if p.name == "" {
		return "<" + p.address + ">"
	}
	return words(p.name) + " <" + p.address + ">"
}

// words writes a text in a header.
func words(text string) string { return mime.BEncoding.Encode("UTF-8", text) }

// post writes the company's mails.
type post struct {
	today    time.Time
	accounts []*account
	reps     []*rep
	letters  []letter
}

// mail is one mail before it is written.
type mail struct {
	from      person
	to, cc    []person
	ago, hour int // days before today; hour in Japan
	id        string
	subject   string
	thread    []string // ids of the conversation's earlier mails
	head      []string // further lines
	kind      string   // of the body; "" = plain text
	body      string
	old       bool              // in ISO-2022-JP, as older programs write
	boxes     map[string]string // address → folder
}

// put writes a mail and lays it into its boxes.
func (p *post) put(m mail) {
	at := p.today.AddDate(0, 0, -m.ago).Add(time.Duration(m.hour-9) * time.Hour)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("From: %s", m.from)
	people := func(name string, list []person) {
		for i, who := range list {
			text := who.String()
			if i < len(list)-1 {
				text += ","
			}
			if i > 0 {
				name = "" // a further line of the field
			}
			line("%s %s", name, text)
		}
	}
	people("To:", m.to)
	people("Cc:", m.cc)
	line("Date: %s", at.In(time.FixedZone("", 9*3600)).Format(time.RFC1123Z))
	line("Message-ID: <%s>", m.id)
	if n := len(m.thread); n > 0 {
		line("In-Reply-To: <%s>", m.thread[n-1])
		line("References: <%s>", strings.Join(m.thread, ">\r\n <"))
	}
	subject, charset, body := words(m.subject), "UTF-8", m.body
	if m.old {
		charset = "ISO-2022-JP"
		subject = "=?ISO-2022-JP?B?" + base64.StdEncoding.EncodeToString([]byte(jis(m.subject))) + "?="
		body = jis(body)
	}
	line("Subject: %s", subject)
	line("MIME-Version: 1.0")
	for _, h := range m.head {
		line("%s", h)
	}
	if m.kind == "" {
		m.kind = "text/plain; charset=" + charset
	}
	line("Content-Type: %s", m.kind)
	line("Content-Transfer-Encoding: %s", map[bool]string{true: "7bit", false: "8bit"}[m.old])
	b.WriteString("\r\n" + strings.ReplaceAll(body, "\n", "\r\n") + "\r\n")
	for box, folder := range m.boxes {
		p.letters = append(p.letters, letter{box, folder, at, []byte(b.String())})
	}
}

// jis writes a text in ISO-2022-JP.
func jis(text string) string {
	out, err := japanese.ISO2022JP.NewEncoder().String(text)
	if err != nil {
		panic(err) // the texts are ours
	}
	return out
}

func (p *post) them(account, level int) person {
	c := p.accounts[account].contacts[level]
	return person{c.family + " " + c.given, c.email}
}

func (p *post) us(account int) person {
	r := p.accounts[account].owner
	return person{r.family + " " + r.given, r.address()}
}

// talk is a conversation with one person of a customer.
type talk struct {
	account, level int
	subject        string
	old            bool // the customer's program writes ISO-2022-JP
	colleague      bool // one of ours has every mail in Cc
	turns          []turn
}

type turn struct {
	ago, hour int
	ours      bool
	text      string
}

// talks writes conversations: their mails lie in the owner's mailbox, ours among those that were sent.
func (p *post) talks(talks []talk) {
	for n, t := range talks {
		them, us := p.them(t.account, t.level), p.us(t.account)
		var thread []string
		for i, turn := range t.turns {
			m := mail{from: them, to: []person{us}, ago: turn.ago, hour: turn.hour, subject: t.subject, thread: thread, body: turn.text, old: t.old && !turn.ours,
				boxes: map[string]string{us.address: inbox}}
			if turn.ours {
				m.from, m.to, m.boxes = us, []person{them}, map[string]string{us.address: sent}
			}
			if i > 0 {
				m.subject = "Re: " + t.subject
				m.body += "\n\n> " + strings.ReplaceAll(t.turns[i-1].text, "\n", "\n> ")
			}
			if t.colleague {
				other := p.reps[(t.account+1)%len(p.reps)]
				m.cc = []person{{other.family + " " + other.given, other.address()}}
				m.boxes[other.address()] = inbox
			}
			m.id = fmt.Sprintf("t%02d.%d@%s", n+1, i+1, m.from.address[strings.IndexByte(m.from.address, '@')+1:])
			p.put(m)
			thread = append(thread[:len(thread):len(thread)], m.id)
		}
	}
}

// file is where a letter lies in the demo's folder.
func (l letter) file(n int) string { return path.Join(l.box, l.folder, fmt.Sprintf("%03d.eml", n)) }
