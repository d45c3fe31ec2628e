package signon

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// TestAttempts: after some failures the next attempt waits, up to a minute; waiting and a success forget them, and nobody else waits.
func TestAttempts(t *testing.T) {
	a := newAttempts()
	sato, now := attempt{"sato", "192.0.2.1"}, time.Unix(1_000_000, 0)
	is := func(who attempt, now time.Time, want time.Duration) {
		t.Helper()
		if w := a.wait(who, now); w != want {
			t.Errorf("%v waits %v, not %v", who, w, want)
		}
	}
	for range 4 {
		a.note(sato, false, now)
	}
	is(sato, now, 0)
	a.note(sato, false, now)
	is(sato, now, time.Minute)
	is(attempt{"sato", "192.0.2.2"}, now, 0)
	is(attempt{"suzuki", "192.0.2.1"}, now, 0)
	is(sato, now.Add(time.Minute), 0)
	a.note(sato, false, now.Add(time.Minute))
	is(sato, now.Add(time.Minute), time.Minute)
	a.note(sato, true, now.Add(2*time.Minute))
	is(sato, now.Add(2*time.Minute), 0)

	// Many names from one address, of which one is the guesser's own.
	for i := range 30 {
		a.note(attempt{strconv.Itoa(i), "192.0.2.3"}, false, now)
		a.note(attempt{"own", "192.0.2.3"}, true, now)
	}
	is(attempt{"sato", "192.0.2.3"}, now, 10*time.Second)
	is(attempt{"sato", "192.0.2.4"}, now, 0)

	for i := range 2 * mostRemembered {
		a.note(attempt{"x", strconv.Itoa(i)}, false, now)
	}
	if len(a.named.hot) > mostRemembered || len(a.address.hot) > mostRemembered {
		t.Errorf("%d and %d are remembered", len(a.named.hot), len(a.address.hot))
	}
}

func TestNetwork(t *testing.T) {
	for from, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "2001:db8::1": "2001:db8::/64", "2001:db8::ffff:2": "2001:db8::/64", "@": "@"} {
		if got := network(from); got != want {
			t.Errorf("%s is taken for %s, not %s", from, got, want)
		}
	}
}

// nobodysStore keeps no session.
type nobodysStore struct{}

func (nobodysStore) Session(context.Context, string, time.Time) ([]byte, bool, error) {
	return nil, false, nil
}
func (nobodysStore) SaveSession(context.Context, string, []byte, time.Time, time.Time) error {
	return nil
}
func (nobodysStore) DropSession(context.Context, string) error { return nil }

// TestSignOn_atOnce: guesses that come all at the same time are counted as those that come one after the other; who no longer waits for an answer is let go.
func TestSignOn_atOnce(t *testing.T) {
	hash, err := argon2id.CreateHash("correct horse battery", &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	s := Defaults()
	s.Users = []User{{Name: "sato", Role: Admin, Password: secret.New("${file:sato}", hash)}}
	g := NewGate(s, Options{Sessions: nobodysStore{}})
	var work sync.WaitGroup
	var looked atomic.Int32
	for range 100 {
		work.Go(func() {
			switch err := g.SignOn(t.Context(), "sato", "guess guess guess", "192.0.2.1"); fault.KindOf(err) {
			case fault.Auth:
				looked.Add(1)
			case fault.RateLimited:
			default:
				t.Error(err)
			}
		})
	}
	work.Wait()
	if n := looked.Load(); n != 5 {
		t.Errorf("%d guesses were looked at", n)
	}
	g.hashing <- struct{}{} // as by somebody else's attempt
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := g.SignOn(gone, "suzuki", "guess guess guess", "192.0.2.2"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

// TestNamed: nobody is taken for a user by an address that anybody could have written, or by letters that look alike.
func TestNamed(t *testing.T) {
	for _, c := range []struct {
		claim  string
		claims map[string]any
		want   string
	}{
		{"email", map[string]any{"email": "a@e.example"}, "a@e.example"},
		{"email", map[string]any{"email": "a@e.example", "email_verified": true}, "a@e.example"},
		{"email", map[string]any{"email": "a@e.example", "email_verified": "true"}, "a@e.example"},
		{"email", map[string]any{"email": "a@e.example", "email_verified": false}, ""},
		{"email", map[string]any{"email": "a@e.example", "email_verified": "false"}, ""},
		{"email", map[string]any{"email": "a@e.example", "email_verified": nil}, ""},
		{"email", map[string]any{"email": []any{"a@e.example"}}, ""},
		{"preferred_username", map[string]any{"preferred_username": "佐藤", "email_verified": false}, "佐藤"},
		{"preferred_username", map[string]any{"preferred_username": "ｓａｔｏ"}, ""},
		{"preferred_username", map[string]any{"preferred_username": "\u212Aato"}, ""}, // KELVIN SIGN
		{"sub", map[string]any{}, ""},
	} {
		if got := named(c.claims, c.claim); got != c.want {
			t.Errorf("%v: %q, not %q", c.claims, got, c.want)
		}
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
	for _, text := range []string{"", "hunter2", "$argon2id$v=19$m=4294967295,t=3,p=4$AAAA$AAAA", "$2y$10$abcdefghijklmnopqrstuv",
		h[:strings.LastIndexByte(h, '$')+1], h[:strings.LastIndexByte(h, '$')+9], // cut off
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg", "$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg"} {
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
