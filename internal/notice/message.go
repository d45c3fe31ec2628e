package notice

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"energyd/engine"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/internal/wording"
)

// Alarm is an alarm that people are told of.
type Alarm struct {
	ID       string `json:"id"`       // of the customer, contact or deal in the CRM
	Customer string `json:"customer"` // its name, or the id
	Rep      string `json:"rep_id,omitempty"`
	RepName  string `json:"rep,omitempty"`
	Kind     string `json:"alarm"`
	Label    string `json:"label"` // of the kind, in the tenant's language
	Sentence string `json:"sentence"`
	Since    string `json:"since"` // "2026-11-19"
	Link     string `json:"link,omitempty"`
}

// message is what is said, without the form of a channel.
type message struct {
	title string
	lines []string
	data  any // for programs
}

// What a message lists at most: more is read in the CRM, and chat services cut or refuse long messages (Teams beyond 28 KB).
const (
	mostAlarms = 50
	mostBytes  = 16 << 10 // of UTF-8, without what the form of the channel adds
)

func (s *Sender) in(ja, en string) string {
	if s.Language == "ja" {
		return ja
	}
	return en
}

// alert says that something stands otherwise than before. Error texts may name
// a mailbox; what is sent to a chat service does not.
func (s *Sender) alert(c store.AlertChange) message {
	state := s.state(c.State)
	m := message{title: fmt.Sprintf("[energyd] %s: %s", s.subject(c.What), state)}
	m.lines = append(m.lines, fmt.Sprintf(s.in("%s から（それまで: %s）", "since %s, before that: %s"), s.when(c.Since), s.state(c.Was)))
	because, todo := telemetry.Impersonal(c.Because), telemetry.Impersonal(c.ToDo)
	if because != "" {
		m.lines = append(m.lines, s.in("理由: ", "because: ")+wording.In(s.Language, because))
	}
	if todo != "" {
		m.lines = append(m.lines, s.in("対処: ", "what to do: ")+wording.In(s.Language, todo))
	}
	m.data = struct {
		Energyd string    `json:"energyd"`
		Of      string    `json:"of"`
		State   string    `json:"state"`
		Was     string    `json:"was"`
		Since   time.Time `json:"since"`
		Because string    `json:"because,omitempty"`
		ToDo    string    `json:"what_to_do,omitempty"`
	}{"alert", c.What, c.State, c.Was, c.Since, because, todo}
	return m
}

// subject is what an alert is of, in words.
func (s *Sender) subject(what string) string {
	if source, ok := strings.CutPrefix(what, "source "); ok {
		return s.in("取得元 ", "source ") + source
	}
	return cmp.Or(map[string]string{
		"sync":          s.in("取得と反映", "sync"),
		"pull":          s.in("取得", "pull"),
		"configuration": s.in("設定", "configuration"),
	}[what], what)
}

func (s *Sender) state(state string) string {
	return cmp.Or(map[string]string{
		string(store.OK):      s.in("正常", "ok"),
		string(store.Partial): s.in("一部が保留", "partial"),
		string(store.Parked):  s.in("待機（確認が必要）", "parked, waits for you"),
		string(store.Failed):  s.in("失敗", "failed"),
		"refused":             s.in("受け付けられません", "refused"),
	}[state], state)
}

func (s *Sender) when(t time.Time) string { return t.In(s.Zone).Format("2006-01-02 15:04 MST") }

// digest lists alarms that are news to a reader.
func (s *Sender) digest(day engine.Date, alarms []Alarm, owner bool) message {
	m := message{title: fmt.Sprintf(s.in("[energyd] 顧客のアラーム %d件（%s）", "[energyd] %d alarms of customers (%s)"), len(alarms), day)}
	room := mostBytes
	for i, a := range alarms {
		line := fmt.Sprintf("%s %s: %s", a.Label, a.Customer, a.Sentence)
		if rep := cmp.Or(a.RepName, a.Rep); rep != "" && !owner {
			line += fmt.Sprintf(s.in("（担当: %s）", " (%s)"), rep)
		}
		if a.Link != "" {
			line += " " + a.Link
		}
		if room -= len(line); i == mostAlarms || room < 0 {
			m.lines = append(m.lines, fmt.Sprintf(s.in("ほか %d件。energyd alarms またはCRMの一覧をご覧ください", "and %d more: see energyd alarms, or the list in the CRM"), len(alarms)-i))
			break
		}
		m.lines = append(m.lines, line)
	}
	m.data = struct {
		Energyd string  `json:"energyd"`
		Day     string  `json:"day"`
		Alarms  []Alarm `json:"alarms"`
	}{"alarms", day.String(), alarms}
	return m
}

// trial says that a channel works.
func (s *Sender) trial(now time.Time) message {
	return message{
		title: s.in("[energyd] 通知の試し送り", "[energyd] a trial of notices"),
		lines: []string{s.in("この宛先への通知は届きます。", "Notices reach you here."), s.when(now)},
		data: struct {
			Energyd string    `json:"energyd"`
			At      time.Time `json:"at"`
		}{"trial", now.UTC()},
	}
}
