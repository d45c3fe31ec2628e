package signon

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/text/unicode/norm"

	"energyd/internal/fault"
)

// callback is where the sign-on service sends readers back to.
const callback = "/sign-on/callback"

// openID is the company's own sign-on. It is asked where it is when the first
// reader comes, so that energyd begins without it.
type openID struct {
	settings OpenID
	redirect string
	client   *http.Client
	provider atomic.Pointer[oidc.Provider] // nil until it was reached
}

func newOpenID(s OpenID, address string) *openID {
	return &openID{settings: s, redirect: strings.TrimSuffix(address, "/") + callback, client: &http.Client{Timeout: 10 * time.Second}}
}

// service gives the sign-on service as it describes itself. Several readers may ask it at the same time: none waits for another's time-out.
func (o *openID) service() (*oidc.Provider, oauth2.Config, error) {
	p := o.provider.Load()
	if p == nil {
		var err error
		p, err = oidc.NewProvider(oidc.ClientContext(context.Background(), o.client), o.settings.Issuer) // it keeps the context; the client has a time-out
		if err != nil {
			return nil, oauth2.Config{}, fault.New(fault.Unavailable, "openid", "the company's sign-on cannot be reached",
				"open "+strings.TrimSuffix(o.settings.Issuer, "/")+"/.well-known/openid-configuration from this machine", err)
		}
		o.provider.Store(p)
	}
	return p, oauth2.Config{ClientID: o.settings.ClientID, ClientSecret: o.settings.ClientSecret.Reveal(), Endpoint: p.Endpoint(),
		RedirectURL: o.redirect, Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}, nil
}

// The keys of a session that is on its way through the sign-on service.
const (
	keyState    = "openid-state"
	keyNonce    = "openid-nonce"
	keyVerifier = "openid-verifier"
	keyBack     = "openid-back"
)

// mostOnTheWay is how long a reader may take to sign on at the service.
const mostOnTheWay = 15 * time.Minute

// Begin gives the address of the sign-on service to send a reader to. Finish gives back.
func (g *Gate) Begin(ctx context.Context, back string) (string, error) {
	_, cfg, err := g.openID.service()
	if err != nil {
		return "", err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	g.sessions.Put(ctx, keyState, state)
	g.sessions.Put(ctx, keyNonce, nonce)
	g.sessions.Put(ctx, keyVerifier, verifier)
	g.sessions.Put(ctx, keyBack, back)
	if g.sessions.GetString(ctx, keyName) == "" { // anybody may begin, and leave it at that
		g.sessions.SetDeadline(ctx, time.Now().Add(mostOnTheWay).UTC())
	}
	return cfg.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// Finish takes what the sign-on service sent a reader back with, and gives what Begin was given.
// Faults: auth (it is not the answer to Begin, or names nobody who may come in), unavailable.
func (g *Gate) Finish(ctx context.Context, answer url.Values) (back string, err error) {
	back = g.sessions.PopString(ctx, keyBack)
	state, nonce, verifier := g.sessions.PopString(ctx, keyState), g.sessions.PopString(ctx, keyNonce), g.sessions.PopString(ctx, keyVerifier)
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(answer.Get("state"))) != 1 {
		return "", fault.New(fault.Auth, "openid", "this is no answer to a sign-on that was begun here", "begin again", nil)
	}
	if refused := answer.Get("error"); refused != "" {
		return "", fault.New(fault.Auth, "openid", "the company's sign-on refused", "try again, or ask who runs it", nil)
	}
	provider, cfg, err := g.openID.service()
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, g.openID.client)
	wrong := func(err error) error {
		return fault.New(fault.Auth, "openid", "the company's sign-on gave no answer that can be trusted",
			"check client_id, client_secret and the clock of this machine", err)
	}
	token, err := cfg.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return "", wrong(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", wrong(err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return "", wrong(nil)
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return "", wrong(err)
	}
	name := named(claims, g.openID.settings.Claim)
	u, known := g.settings.user(name)
	switch {
	case name == "":
		return "", fault.New(fault.Auth, "openid", "the company's sign-on does not say who you are", "the admin of energyd finds dashboard.openid.claim in energyd.yaml", nil)
	case known && u.Password.IsZero():
		return back, g.enter(ctx, u.Name, byOpenID)
	case !known && g.openID.settings.Others != Nobody:
		return back, g.enter(ctx, name, byOpenID)
	}
	return "", fault.New(fault.Auth, "openid", "you may not look at this dashboard", "ask the admin of energyd", nil)
}

// named is who the service says that a reader is; "" when it does not say so for sure.
func named(claims map[string]any, claim string) string {
	if said, told := claims["email_verified"]; claim == "email" && told && said != true && said != "true" {
		return "" // anybody could have said so
	}
	name, _ := claims[claim].(string)
	if !norm.NFKC.IsNormalString(name) {
		return "" // there, ｓａｔｏ is another than sato
	}
	return name
}
