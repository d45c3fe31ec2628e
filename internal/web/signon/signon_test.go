package signon

import (
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// TestAttempts: after some failures each further attempt waits longer, up to a minute; a success forgets them; others do not wait.
func TestAttempts(t *testing.T) {
	var a attempts
	who, now := attempt{"sato", "192.0.2.1"}, time.Unix(1_000_000, 0)
	for range freeFailures - 1 {
		a.note(who, false, now)
	}
	if w := a.wait(who, now); w != 0 {
		t.Errorf("somebody who mistyped waits %v", w)
	}
	last := time.Duration(0)
	for range 12 {
		a.note(who, false, now)
		w := a.wait(who, now)
		if w < last || w <= 0 || w > longestWait {
			t.Errorf("after %v comes %v", last, w)
		}
		last = w
	}
	if last != longestWait {
		t.Errorf("who goes on guessing waits %v", last)
	}
	if w := a.wait(attempt{"sato", "192.0.2.2"}, now); w != 0 {
		t.Errorf("the same name from elsewhere waits %v", w)
	}
	if w := a.wait(who, now.Add(longestWait)); w != 0 {
		t.Errorf("after the wait %v are left", w)
	}
	a.note(who, true, now)
	if w := a.wait(who, now); w != 0 {
		t.Errorf("after a success %v are left", w)
	}
	for i := range 2 * mostAttempts {
		a.note(attempt{"x", time.Unix(int64(i), 0).String()}, false, now)
	}
	if len(a.failed) > mostAttempts {
		t.Errorf("%d are remembered", len(a.failed))
	}
}

// TestHash: a password's hash is taken, and nothing else; short and endless passwords are refused.
func TestHash(t *testing.T) {
	h, err := Hash("正しい馬のバッテリー 2026")
	if err != nil || !wellHashed(h) || strings.Contains(h, "馬") {
		t.Fatal(h, err)
	}
	for _, bad := range []string{"short", strings.Repeat("x", longestPassword+1)} {
		if _, err := Hash(bad); fault.KindOf(err) != fault.Config {
			t.Errorf("a password of %d characters: %v", len(bad), err)
		}
	}
	for _, text := range []string{"", "hunter2", "$argon2id$v=19$m=4294967295,t=3,p=4$AAAA$AAAA", "$2y$10$abcdefghijklmnopqrstuv"} {
		if wellHashed(text) {
			t.Errorf("%q counts as a hash", text)
		}
	}
}

func TestSettings_Problems(t *testing.T) {
	hash, err := Hash("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	known := secret.New("${file:sato}", hash)
	with := func(change func(*Settings)) Settings {
		s := Defaults()
		s.Users = []User{{Name: "sato", Role: Admin, Password: known}}
		change(&s)
		return s
	}
	for want, s := range map[string]Settings{
		"": with(func(*Settings) {}),
		"dashboard.users[1].name": with(func(s *Settings) {
			s.Users = append(s.Users, User{Name: "ＳＡＴＯ", Role: Viewer, Password: known})
		}),
		"dashboard.users[0].role":     with(func(s *Settings) { s.Users[0].Role = Nobody }),
		"dashboard.users[0].password": with(func(s *Settings) { s.Users[0].Password = secret.New("${file:sato}", "hunter2") }),
		"dashboard.session":           with(func(s *Settings) { s.Session = time.Second }),
		"dashboard.url":               with(func(s *Settings) { s.URL = "https://energyd.example/path" }),
		"dashboard.openid.issuer": with(func(s *Settings) {
			s.URL, s.OpenID.Issuer, s.OpenID.ClientID = "https://e.example", "http://login.example", "x"
		}),
		"dashboard.openid.client_id": with(func(s *Settings) { s.URL, s.OpenID.Issuer = "https://e.example", "https://login.example" }),
	} {
		ps := s.Problems()
		if want == "" && len(ps) == 0 {
			continue
		}
		if len(ps) != 1 || ps[0].Path != want {
			t.Errorf("%q is found as %v", want, ps)
		}
	}
	if s := with(func(s *Settings) { s.Users[0].Password = secret.Secret{} }); len(s.Problems()) == 0 {
		t.Error("a user signs on by nothing")
	}
	if s := Defaults(); len(s.Problems()) != 0 || s.Required() {
		t.Errorf("a configuration without the section: %v", s.Problems())
	}
}
