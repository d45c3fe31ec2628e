package imap

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/internal/testmail"
)

// Test08_NothingSecretShows: passwords, tokens, and what SASL makes of them, in the log at debug level and in errors.
func Test08_NothingSecretShows(t *testing.T) {
	k := newTokens(t, func(token string) bool { return token == "t0ken-1" })
	s := testmail.Start(t, testmail.Options{TokenURL: k.URL + "/i?token=", Settings: "auth_debug = no"})
	s.Save("rep1", "INBOX", text(1))
	good := config(s, s.TLSAddr(), "rep1")
	wrong := config(s, s.TLSAddr(), "rep1")
	wrong.Mailboxes[0].Password = secret.New("${env:X}", "wr0ng-08")
	answer := newFake(t) // a server that repeats what it was told
	answer.answer = func(tag, command string) (string, bool, bool) {
		if strings.HasPrefix(command, "LOGIN") {
			return tag + " NO [AUTHENTICATIONFAILED] you said " + command + "\r\n", true, false
		}
		return "", false, false
	}
	said := ""
	for _, c := range []struct {
		name  string
		cfg   *Config
		works bool
	}{ // in this order: who was refused is not tried again for an hour
		{"password", good, true}, {"wrong password", wrong, false}, {"token", k.config(s), true}, {"refused token", k.config(s), false}, {"echo", answer.config(), false},
	} {
		k.good = func(string) bool { return c.works }
		r := newReader(t, c.cfg)
		_, _, _, err := r.try(&Stream{}, "")
		if (err == nil) != c.works {
			t.Errorf("%s: %v", c.name, err)
		}
		said += fmt.Sprint(err, fault.HintOf(err), r.log)
	}
	for _, word := range []string{testmail.Passwords["rep1"], "wr0ng-08", "pw-" + answer.addr, "r3fresh", "cl1ent", "t0ken-"} {
		forms := []string{word}
		for _, blob := range []string{"\x00rep1\x00" + word, "user=rep1\x01auth=Bearer " + word + "1\x01\x01"} {
			forms = append(forms, base64.StdEncoding.EncodeToString([]byte(blob))[:16])
		}
		for _, form := range forms {
			if strings.Contains(said, form) {
				t.Errorf("%q shows in\n%s", form, said)
			}
		}
	}
}

// Test12_IDIsSentOnceWhereItIsOffered: after the sign-on.
func Test12_IDIsSentOnceWhereItIsOffered(t *testing.T) {
	for caps, want := range map[string]int{"IMAP4rev1 ID": 1, "IMAP4rev1": 0} {
		f := newFake(t)
		f.caps = caps
		newReader(t, f.config()).read(&Stream{}, "")
		said := f.said.String()
		if n := strings.Count(said, ` ID ("name" "energyd" "version"`); n != want || want == 1 && strings.Index(said, " ID (") < strings.Index(said, " LOGIN ") {
			t.Errorf("%s: the client said\n%s", caps, said)
		}
	}
}

// Test22_AnAnswerThatRepeatsTheLastMailIsDropped: servers do so for ranges behind it.
func Test22_AnAnswerThatRepeatsTheLastMailIsDropped(t *testing.T) {
	f := newFake(t)
	f.status, f.examine = "(MESSAGES 3)", "* 3 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\n" // STATUS tells nothing, so it is searched to the end
	r := newReader(t, f.config())
	got, next, _ := r.read(&Stream{}, "")
	r.want("all", got, f.mails[1], f.mails[2], f.mails[3])
	f.edit(func() {
		f.answer = func(tag, command string) (string, bool, bool) {
			if strings.HasPrefix(command, "UID SEARCH") {
				return "* SEARCH 3\r\n" + tag + " OK done\r\n", true, false
			}
			return "", false, false
		}
	})
	before := len(f.said.String())
	if got, _, _ := r.read(&Stream{}, next); len(got) != 0 || strings.Contains(f.said.String()[before:], "FETCH") {
		t.Errorf("%d come again; the client said\n%s", len(got), f.said.String()[before:])
	}
}
