package notice

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/internal/store"
)

func decoded(body []byte) string {
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(body), "\r\n", ""))
	if err != nil {
		return string(body)
	}
	return string(text)
}

const (
	toHead  = "head@our.example: [energyd] 顧客のアラーム 2件（2026-11-20）"
	toOwner = owner + ": [energyd] 顧客のアラーム 1件（2026-11-20）"
)

// TestSend_digests: each reader gets what is news once a day, owners their own customers', after the time of day that was asked for.
func TestSend_digests(t *testing.T) {
	o := newOffice(t, "ja")
	o.list = slices.Clone(o.list)
	o.list[1].Rep = "" // nobody's
	morning := o.now
	o.now = morning.Add(-time.Hour)
	o.sends()
	o.now = morning
	mails, err := o.sends(toHead, toOwner)
	if err != nil || len(mails) != 2 {
		t.Fatal(mails, err)
	}
	for _, m := range mails {
		h := m.message.Header
		if m.from != "energyd@our.example" || h.Get("Auto-Submitted") != "auto-generated" || !strings.HasPrefix(h.Get("Date"), "Fri, 20 Nov 2026 08:00:00") || !strings.HasSuffix(h.Get("Message-Id"), "@our.example>") {
			t.Errorf("from %s, header %v", m.from, h)
		}
		if want := "㈱青葉精機: 14日間でお客様から4回"; !strings.Contains(m.body, want) || !strings.Contains(m.body, "https://crm.example/001A") {
			t.Errorf("body %q lacks %q", m.body, want)
		}
		if named := strings.Contains(m.body, "担当: 鈴木 美咲"); named != (m.to != owner) {
			t.Errorf("to %s: %q", m.to, m.body)
		}
	}
	o.restart(o.Settings, "ja")
	o.sends()
	o.list = append(o.list, Alarm{ID: "001C", Customer: "北陸精密", Rep: "005S", Kind: "cooling", Label: "温度低下", Since: "2026-11-20"})
	o.restart(o.Settings, "ja")
	o.sends() // once a day
	o.now = morning.AddDate(0, 0, 1)
	o.sends("head@our.example: [energyd] 顧客のアラーム 1件（2026-11-21）", owner+": [energyd] 顧客のアラーム 1件（2026-11-21）")
	o.now = morning.AddDate(0, 0, 2)
	o.sends()
	if text := o.log.String(); strings.Contains(text, "@") {
		t.Errorf("the log names somebody: %s", text)
	}
}

// TestSend_doubt: a mail that may have arrived is not sent again on that day; what it said is said by the next day's.
func TestSend_doubt(t *testing.T) {
	o := newOffice(t, "ja")
	o.Mail.Owners = false
	o.post.set(nil, true)
	if _, err := o.sends(toHead); err == nil {
		t.Error("no error")
	}
	o.post.set(nil, false)
	o.now = o.now.Add(5 * time.Hour)
	o.restart(o.Settings, "ja")
	o.sends()
	o.now = o.now.AddDate(0, 0, 1)
	o.sends("head@our.example: [energyd] 顧客のアラーム 2件（2026-11-21）")
}

// TestSend_refused: what the server did not take is tried again after growing pauses; a reader who cannot be reached stops no other.
func TestSend_refused(t *testing.T) {
	o := newOffice(t, "en")
	o.post.set(&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}, false)
	if _, err := o.sends(); err == nil {
		t.Error("no error")
	}
	o.post.set(nil, false)
	o.sends() // too early
	o.now = o.now.Add(time.Minute)
	_, err := o.sends("head@our.example: [energyd] 2 alarms of customers (2026-11-20)", owner+": [energyd] 1 alarms of customers (2026-11-20)")
	if fault.KindOf(err) != fault.Rejected || !strings.Contains(fault.HintOf(err), "reader's address") { // gone@
		t.Errorf("got %v: %s", err, fault.HintOf(err))
	}
}

// TestSend_alerts: a channel is told once of each change of state, also over restarts, and of the newest state after it was away.
func TestSend_alerts(t *testing.T) {
	o := newOffice(t, "ja")
	o.list = nil
	o.alerted("sync", "failed")
	mails, err := o.sends("it@our.example: [energyd] 取得と反映: 失敗")
	if err != nil {
		t.Fatal(err)
	}
	if body := mails[0].body; !strings.Contains(body, "2026-11-20 08:00 JST") || !strings.Contains(body, "renew the password") || strings.Contains(body, "mori") {
		t.Errorf("body %q", body)
	}
	var told struct{ Energyd, Of, State, Was, Because string }
	if got := o.chat.got(); len(got) != 1 || json.Unmarshal([]byte(got[0]), &told) != nil || told.Of != "sync" || told.State != "failed" || told.Was != "ok" || strings.Contains(told.Because, "mori") {
		t.Errorf("posted %q", got)
	}
	o.restart(o.Settings, "ja")
	o.sends()
	o.chat.answer(http.StatusServiceUnavailable)
	o.alerted("source mail", "failed")
	if _, err := o.sends("it@our.example: [energyd] 取得元 mail: 失敗"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	o.alerted("source mail", "ok")
	o.alerted("sync", "ok")
	o.chat.answer(http.StatusOK)
	o.sends("it@our.example: [energyd] 取得と反映: 正常", "it@our.example: [energyd] 取得元 mail: 正常")
	if got := o.chat.got(); len(got) != 1 || !strings.Contains(got[0], `"of":"sync","state":"ok"`) { // of mail it never knew
		t.Errorf("posted %q", got)
	}
	o.chat.answer(http.StatusNotFound)
	o.alerted("sync", "failed")
	if _, err := o.sends("it@our.example: [energyd] 取得と反映: 失敗"); fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

// TestSend_faults: each trouble of a mail server is told in plain words with what to do, and never with an address or a secret.
func TestSend_faults(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Mail)
		kind   fault.Kind
		hint   string
	}{
		"a wrong password":          {func(m *Mail) { m.Password = secret.New("x", "wrong-word") }, fault.Auth, "notices.mail.user"},
		"an unknown certificate":    {func(m *Mail) { m.CAFile = "" }, fault.Config, "ca_file"},
		"no such file":              {func(m *Mail) { m.CAFile = "nowhere.pem" }, fault.Config, "PEM file"},
		"nobody listens":            {func(m *Mail) { m.Server = "127.0.0.1:1" }, fault.Unavailable, "notices.mail.server"},
		"TLS where STARTTLS is due": {func(m *Mail) { m.TLS = Implicit }, fault.Unavailable, "notices.mail.server"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, "ja")
			o.Mail.Owners = false
			tt.change(&o.Mail)
			_, err := o.sends()
			if fault.KindOf(err) != tt.kind || !strings.Contains(fault.HintOf(err), tt.hint) || strings.Contains(err.Error(), "wrong-word") {
				t.Errorf("%v (%s): %s; want %s, %q", err, fault.KindOf(err), fault.HintOf(err), tt.kind, tt.hint)
			}
		})
	}
}

// TestTry: a trial goes to each channel but owners, whom nobody asked.
func TestTry(t *testing.T) {
	o := newOffice(t, "ja")
	trials := o.Try(t.Context(), "")
	got, _ := o.post.arrived(t)
	if want := []string{"head@our.example: [energyd] 通知の試し送り", "it@our.example: [energyd] 通知の試し送り"}; !slices.Equal(got, want) {
		t.Errorf("mails %q", got)
	}
	if posted := o.chat.got(); len(trials) != 3 || len(posted) != 1 || !strings.Contains(posted[0], "trial") {
		t.Errorf("%+v, posted %q", trials, posted)
	}
	o.chat.answer(http.StatusGone)
	if trials := o.Try(t.Context(), "web hook it"); len(trials) != 1 || trials[0].Error == "" || trials[0].ToDo == "" {
		t.Errorf("%+v", trials)
	}
}

// TestShape: names that people typed are no formatting in chat services.
func TestShape(t *testing.T) {
	o := newOffice(t, "ja")
	m := o.digest(20777, o.list, false)
	for shape, want := range map[Shape][]string{
		Slack: {`"text":"*[energyd] 顧客のアラーム 2件`, "A*B \\u0026lt;株\\u0026gt;"},
		Teams: {`"type":"AdaptiveCard"`, `A\\*B \u003c株\u003e`, `"weight":"Bolder"`, `"contentType":"application/vnd.microsoft.card.adaptive"`},
		JSON:  {`"energyd":"alarms"`, `"customer":"A*B`, `"rep_id":"005G"`},
	} {
		body, err := shape.body(m)
		if err != nil || !json.Valid(body) {
			t.Fatalf("%s: %s, %v", shape, body, err)
		}
		for _, w := range want {
			if !strings.Contains(string(body), w) {
				t.Errorf("%s: %s lacks %s", shape, body, w)
			}
		}
	}
	for range 100 {
		o.list = append(o.list, o.list[0])
	}
	if m := o.digest(20777, o.list, false); len(m.lines) != mostAlarms+1 || !strings.Contains(m.lines[mostAlarms], "ほか 52件") {
		t.Errorf("%d lines, the last %q", len(m.lines), m.lines[len(m.lines)-1])
	}
	for i := range o.list {
		o.list[i].Sentence = strings.Repeat("温度が半分になりました。", 50)
	}
	m = o.digest(20777, o.list, false)
	for _, shape := range []Shape{Slack, Teams} {
		if body, err := shape.body(m); err != nil || len(body) > 28_000 || len(m.lines) < 5 || !strings.HasPrefix(m.lines[len(m.lines)-1], "ほか ") {
			t.Errorf("%s: %d bytes of %d lines, %v", shape, len(body), len(m.lines), err)
		}
	}
	m = o.alert(store.AlertChange{Alert: store.Alert{What: "source <!channel>", State: string(store.Failed)}})
	if body, err := Slack.body(m); err != nil || strings.Contains(string(body), `\u003c!channel`) {
		t.Errorf("a source's name calls everybody: %s, %v", body, err)
	}
}

// TestSettings: what cannot work is told before anything is sent, without secrets.
func TestSettings(t *testing.T) {
	good := newOffice(t, "ja").Settings
	if Defaults().Any() || len(Defaults().Problems()) > 0 || !good.Any() {
		t.Error("nobody asked")
	}
	for want, change := range map[string]func(*Settings){
		"notices.at":                func(s *Settings) { s.At = "7.30" },
		"notices.webhooks[0]":       func(s *Settings) { s.Webhooks[0].URL = secret.Secret{} },
		"notices.webhooks[0].url":   func(s *Settings) { s.Webhooks[0].URL = secret.New("x", "http://chat.example/secret-token") },
		"notices.webhooks[0].shape": func(s *Settings) { s.Webhooks[0].Shape = "team" },
		"notices.webhooks[1].name":  func(s *Settings) { s.Webhooks = append(s.Webhooks, s.Webhooks[0]) },
		"notices.mail.server":       func(s *Settings) { s.Mail.Server = "smtp.example" },
		"notices.mail.tls":          func(s *Settings) { s.Mail.Server, s.Mail.TLS = "smtp.example:25", Clear },
		"notices.mail":              func(s *Settings) { s.Mail.Password = secret.Secret{} },
		"notices.mail.alerts_to":    func(s *Settings) { s.Mail.Alerts = []string{"it"} },
	} {
		s := good
		s.Webhooks = slices.Clone(good.Webhooks)
		change(&s)
		ps := s.Problems()
		if len(ps) != 1 || ps[0].Path != want || strings.Contains(ps.Error(), "secret-token") {
			t.Errorf("%s: %v", want, ps)
		}
	}
}

// TestAlert_language: readers are told in Japanese what the program says in English; programs get its own words.
func TestAlert_language(t *testing.T) {
	change := store.AlertChange{Alert: store.Alert{What: "source mail", State: "failed", ToDo: "check host and port, and that the system runs",
		Because: "mailboxes: nothing listens at 127.0.0.1:143: connection refused"}}
	s := &Sender{Language: "ja", Zone: time.UTC}
	m := s.alert(change)
	data, err := json.Marshal(m.data)
	if err != nil {
		t.Fatal(err)
	}
	if said := strings.Join(m.lines, "\n"); !strings.Contains(said, "で待ち受けているものがありません") || !strings.Contains(said, "対処: host と port") || strings.Contains(said, "nothing listens") {
		t.Errorf("people are told %q", said)
	}
	if !strings.Contains(string(data), "nothing listens") || !strings.Contains(string(data), "check host and port") {
		t.Errorf("programs are told %s", data)
	}
}
