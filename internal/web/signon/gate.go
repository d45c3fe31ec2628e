package signon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/alexedwards/scs/v2"

	"energyd/internal/fault"
)

// Sessions keeps what is known of readers who signed on, by a hash of their token. internal/store does.
type Sessions interface {
	Session(ctx context.Context, token string, now time.Time) (data []byte, ok bool, err error)
	SaveSession(ctx context.Context, token string, data []byte, until, now time.Time) error
	DropSession(ctx context.Context, token string) error
}

// Gate lets readers in, under one configuration. It may be used by many at the same time.
type Gate struct {
	settings Settings
	sessions *scs.SessionManager
	openID   *openID // nil without one

	attempts *attempts
	hashing  chan struct{} // one at a time: each takes 64 MiB
}

// Options are how a gate stands.
type Options struct {
	Sessions Sessions
	Secure   bool        // readers come by https
	Failed   func(error) // told when a session cannot be read or kept
}

// NewGate makes the gate of a configuration.
func NewGate(s Settings, opt Options) *Gate {
	// Not by scs.New, which starts a store in memory that cannot be stopped in time.
	m := &scs.SessionManager{
		Store: kept{opt.Sessions}, HashTokenInStore: true, Lifetime: s.Session, Codec: scs.GobCodec{},
		Cookie: scs.SessionCookie{Name: "energyd", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Persist: true, Secure: opt.Secure},
		ErrorFunc: func(w http.ResponseWriter, _ *http.Request, err error) {
			opt.Failed(err)
			w.Header().Set("Retry-After", "10")
			http.Error(w, "the session cannot be kept right now; try again in a moment", http.StatusServiceUnavailable)
		},
	}
	if opt.Secure {
		m.Cookie.Name = "__Host-energyd" // which browsers take over https for this host alone
	}
	g := &Gate{settings: s, sessions: m, attempts: newAttempts(), hashing: make(chan struct{}, 1)}
	if s.OpenID.Issuer != "" {
		g.openID = newOpenID(s.OpenID, s.URL)
	}
	return g
}

// Required tells whether readers sign on.
func (g *Gate) Required() bool { return g.settings.Required() }

// Ways tells how: by passwords, by the company's own sign-on, or both.
func (g *Gate) Ways() (passwords, openID bool) {
	for _, u := range g.settings.Users {
		passwords = passwords || !u.Password.IsZero()
	}
	return passwords, g.openID != nil
}

// Within gives a handler the session of who asks: Reader, SignOn and the others need it.
func (g *Gate) Within(next http.Handler) http.Handler { return g.sessions.LoadAndSave(next) }

// The keys of a session.
const (
	keyName  = "name"
	keyProof = "proof" // what the password's hash was: who has a new one signs on anew
)

// Reader tells who asks, by the configuration as it is now: who is no longer in it is nobody.
func (g *Gate) Reader(ctx context.Context) Reader {
	name := g.sessions.GetString(ctx, keyName)
	if name == "" {
		return Reader{}
	}
	u, ok := g.settings.user(name)
	switch {
	case ok && g.sessions.GetString(ctx, keyProof) == proof(u):
		return g.settings.reader(u)
	case !ok && g.openID != nil && g.settings.OpenID.Others != Nobody && g.sessions.GetString(ctx, keyProof) == byOpenID:
		return g.settings.reader(User{Name: name, Role: g.settings.OpenID.Others})
	}
	return Reader{}
}

// byOpenID is the proof of who has no password.
const byOpenID = "openid"

func proof(u User) string {
	if u.Password.IsZero() {
		return byOpenID
	}
	return u.Password.Reveal()[len(u.Password.Reveal())-16:] // of the hash, which tells nothing of the password
}

// SignOn takes a name and a password. from is the address that they come from.
// Faults: auth (one of both is wrong), rate_limited (too many attempts; it says how long), unavailable.
func (g *Gate) SignOn(ctx context.Context, name, password, from string) error {
	select {
	case g.hashing <- struct{}{}:
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "", "too many sign on at the same time", "try again in a moment", ctx.Err())
	}
	u, err := g.known(name, password, attempt{folded(name), network(from)})
	<-g.hashing
	if err != nil {
		return err
	}
	return g.enter(ctx, u.Name, proof(u))
}

// known finds whose name and password these are. One attempt comes after the other, so that many at once are counted too.
func (g *Gate) known(name, password string, who attempt) (User, error) {
	if wait := g.attempts.wait(who, time.Now()); wait > 0 {
		return User{}, tooMany(wait)
	}
	u, known := g.settings.user(name)
	hash := nobodys()
	if known && !u.Password.IsZero() {
		hash = u.Password.Reveal()
	}
	ok := verify(password, hash) && known
	g.attempts.note(who, ok, time.Now())
	if !ok {
		return User{}, errWrong
	}
	return u, nil
}

func tooMany(wait time.Duration) error {
	return &fault.Error{Kind: fault.RateLimited, Msg: fmt.Sprintf("too many attempts; wait %d seconds", int(wait.Seconds())+1), RetryAfter: wait}
}

var errWrong = fault.New(fault.Auth, "", "name or password is wrong", "who has forgotten the password asks the admin of energyd for a new one", nil)

func verify(password, hash string) bool {
	if len(password) > 4*longestPassword {
		return false
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	return err == nil && ok
}

// enter keeps who signed on, under a new token: one that somebody else knew before is worth nothing.
func (g *Gate) enter(ctx context.Context, name, proof string) error {
	if err := g.sessions.RenewToken(ctx); err != nil {
		return fault.New(fault.Unavailable, "", "the session cannot be kept right now", "try again in a moment", err)
	}
	g.sessions.Put(ctx, keyName, name)
	g.sessions.Put(ctx, keyProof, proof)
	return nil
}

// SignOff ends the session.
func (g *Gate) SignOff(ctx context.Context) error {
	if err := g.sessions.Destroy(ctx); err != nil {
		return fault.New(fault.Unavailable, "", "the session cannot be ended right now", "try again in a moment", err)
	}
	return nil
}

// kept are sessions as scs wants them.
type kept struct{ Sessions }

func (k kept) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return k.Session(ctx, token, time.Now())
}

func (k kept) CommitCtx(ctx context.Context, token string, data []byte, until time.Time) error {
	return k.SaveSession(ctx, token, data, until, time.Now())
}

func (k kept) DeleteCtx(ctx context.Context, token string) error { return k.DropSession(ctx, token) }

var errNoContext = errors.New("a session is looked for without a context")

func (kept) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (kept) Commit(string, []byte, time.Time) error { return errNoContext }
func (kept) Delete(string) error                    { return errNoContext }
