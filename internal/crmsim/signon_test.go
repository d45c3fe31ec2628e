package crmsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

const tokenPath = "/services/oauth2/token"

// grant asks for a token; names and values of the form come in pairs.
func (o *org) grant(kind string, pairs ...string) got {
	o.t.Helper()
	form := url.Values{"grant_type": {kind}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return o.send("POST", tokenPath, form.Encode())
}

// noToken checks a refusal of the token endpoint, which is an object.
func (g got) noToken(code, description string) {
	g.t.Helper()
	if g.status != 400 {
		g.t.Errorf("status %d: %s", g.status, g.body)
		return
	}
	if e := g.object(); e["error"] != code || e["error_description"] != description {
		g.t.Errorf("got %s, want %s: %s", g.body, code, description)
	}
}

// works checks that a token was given, and that the API takes it.
func (o *org) works(g got) map[string]any {
	o.t.Helper()
	if g.status != 200 {
		o.t.Fatalf("no token: %d %s", g.status, g.body)
	}
	m := g.object()
	o.token, _ = m["access_token"].(string)
	if a := o.send("GET", api+"/limits", ""); a.status != 200 {
		o.t.Errorf("the token is not taken: %d %s", a.status, a.body)
	}
	return m
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// assertion signs claims with the key.
func assertion(t *testing.T, key *rsa.PrivateKey, alg string, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]any{"alg": alg}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func privateKey(t *testing.T, s *Server) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(s.PrivateKey()))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// S13, S14, S19: client credentials.
func TestS13_S14_S19_client_credentials(t *testing.T) {
	o := newOrg(t, Options{})
	m := o.works(o.grant("client_credentials", "client_id", "CID", "client_secret", "SEC"))
	if m["instance_url"] != o.url || m["id"] != o.url+"/id/"+o.orgID+"/"+o.runAs || !strings.HasPrefix(o.orgID, "00D") || !strings.HasPrefix(o.runAs, "005") {
		t.Errorf("S13: %v", m)
	}
	if m["issued_at"] != strconv.FormatInt(o.clock.UnixMilli(), 10) {
		t.Errorf("S13: issued_at %v", m["issued_at"])
	}
	for _, key := range []string{"refresh_token", "expires_in"} {
		if _, there := m[key]; there {
			t.Errorf("S19: %s in %v", key, m)
		}
	}
	o.grant("client_credentials", "client_id", "CID", "client_secret", "no").noToken("invalid_client", "invalid client credentials")
	o.grant("client_credentials", "client_id", "no", "client_secret", "SEC").noToken("invalid_client_id", "client identifier invalid")
	o.grant("magic").noToken("unsupported_grant_type", "grant type not supported")
	basic := base64.StdEncoding.EncodeToString([]byte("CID:SEC"))
	o.works(o.send("POST", tokenPath, "grant_type=client_credentials", "Authorization", "Basic "+basic))
	odd := newOrg(t, Options{ClientID: "app", ClientSecret: "s3cret&="})
	odd.works(odd.grant("client_credentials", "client_id", "app", "client_secret", "s3cret&="))
}

// S15 to S19: the JWT bearer flow.
func TestS15_to_S19_jwt_bearer(t *testing.T) {
	o := newOrg(t, Options{})
	key := privateKey(t, o.Server)
	soon := o.clock.Add(3 * time.Minute).Unix()
	with := func(changed ...any) map[string]any {
		c := map[string]any{"iss": "CID", "sub": "integration@crm.example", "aud": "https://login.salesforce.com", "exp": soon}
		for i := 0; i < len(changed); i += 2 {
			c[changed[i].(string)] = changed[i+1]
		}
		return c
	}
	for name, claims := range map[string]map[string]any{
		"aud is login":        with(),
		"aud is test":         with("aud", "https://test.salesforce.com"),
		"aud is the org":      with("aud", o.url),
		"exp is a text":       with("exp", strconv.FormatInt(soon, 10)),
		"exp is far":          with("exp", soon*1000),
		"sub in capitals":     with("sub", "Integration@CRM.example"),
		"exp has a fraction":  with("exp", float64(soon)+0.5),
		"aud ends in a slash": with("aud", o.url+"/"),
	} {
		t.Run(name, func(t *testing.T) {
			m := o.works(o.grant(jwtBearer, "assertion", assertion(t, key, "RS256", claims)))
			for _, key := range []string{"refresh_token", "expires_in"} {
				if _, there := m[key]; there {
					t.Errorf("S19: %s in %v", key, m)
				}
			}
		})
	}
	for name, tc := range map[string]struct {
		claims      map[string]any
		code, words string
	}{
		"foreign aud":     {with("aud", "https://elsewhere.example"), "invalid_grant", "audience is invalid"},
		"no aud":          {with("aud", ""), "invalid_grant", "audience is invalid"},
		"past exp":        {with("exp", o.clock.Unix()), "invalid_grant", "expired authorization code"},
		"past exp, text":  {with("exp", "1"), "invalid_grant", "expired authorization code"},
		"exp is no time":  {with("exp", "soon"), "invalid_grant", "expired authorization code"},
		"unknown user":    {with("sub", "nobody@crm.example"), "invalid_grant", "user hasn't approved this consumer"},
		"unapproved user": {with("sub", "admin@crm.example"), "invalid_grant", "user hasn't approved this consumer"},
		"unknown app":     {with("iss", "other"), "invalid_client_id", "client identifier invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			o.grant(jwtBearer, "assertion", assertion(t, key, "RS256", tc.claims)).noToken(tc.code, tc.words)
		})
	}
	good := strings.Split(assertion(t, key, "RS256", with()), ".")
	other := strings.Split(assertion(t, key, "RS256", with("exp", soon+1)), ".")
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]string{
		"S15: a changed claim": good[0] + "." + other[1] + "." + good[2],
		"another's key":        assertion(t, foreign, "RS256", with()),
		"another algorithm":    assertion(t, key, "HS256", with()),
		"no signature":         good[0] + "." + good[1] + ".",
		"two parts":            good[0] + "." + good[1],
		"empty":                "",
		"no base64":            "!." + good[1] + "." + good[2],
	} {
		t.Run(name, func(t *testing.T) {
			o.grant(jwtBearer, "assertion", broken).noToken("invalid_grant", "invalid assertion")
		})
	}
}

// The app's certificate may be given, as may its public key.
func TestS15_registered_certificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for _, certificate := range []string{asPEM("CERTIFICATE", cert), asPEM("PUBLIC KEY", public)} {
		o := newOrg(t, Options{Certificate: certificate})
		claims := map[string]any{"iss": "CID", "sub": o.opt.User, "aud": o.url, "exp": o.clock.Unix() + 60}
		o.works(o.grant(jwtBearer, "assertion", assertion(t, key, "RS256", claims)))
		o.grant(jwtBearer, "assertion", assertion(t, privateKey(t, o.Server), "RS256", claims)).noToken("invalid_grant", "invalid assertion")
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	onCurve, err := x509.MarshalPKIXPublicKey(&curve.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"no PEM", asPEM("CERTIFICATE", nil), asPEM("PUBLIC KEY", nil), asPEM("PUBLIC KEY", onCurve), asPEM("RSA PRIVATE KEY", nil)} {
		if _, err := New(Options{Certificate: bad}); err == nil {
			t.Errorf("taken as a certificate: %q", bad)
		}
	}
}

// S20, S21: refresh tokens, with and without rotation.
func TestS20_S21_refresh(t *testing.T) {
	o := newOrg(t, Options{RefreshToken: "RT1"})
	refresh := func(token string) got {
		return o.grant("refresh_token", "refresh_token", token, "client_id", "CID", "client_secret", "SEC")
	}
	for range 2 {
		if m := o.works(refresh("RT1")); m["refresh_token"] != nil {
			t.Errorf("a refresh token without rotation: %v", m)
		}
	}
	o.works(o.grant("refresh_token", "refresh_token", "RT1", "client_id", "CID"))
	o.grant("refresh_token", "refresh_token", "RT1", "client_id", "no").noToken("invalid_client_id", "client identifier invalid")
	o.grant("refresh_token", "refresh_token", "RT1", "client_id", "CID", "client_secret", "no").noToken("invalid_client", "invalid client credentials")
	refresh("no").noToken("invalid_grant", "expired access/refresh token")

	o.inject(Fault{Name: "rotate"})
	token := "RT1"
	for range 3 {
		fresh, _ := o.works(refresh(token))["refresh_token"].(string)
		if fresh == "" || fresh == token {
			t.Fatalf("S21: rotated to %q", fresh)
		}
		refresh(token).noToken("invalid_grant", "expired access/refresh token")
		token = fresh
	}
}

// S22: each token has a life of its own.
func TestS22_token_life(t *testing.T) {
	o := newOrg(t, Options{TokenLife: time.Hour})
	early := o.token
	*o.clock = o.clock.Add(40 * time.Minute)
	o.signOn()
	late := o.token
	*o.clock = o.clock.Add(20 * time.Minute)
	o.token = early
	o.send("GET", api+"/limits", "").refused(401, "INVALID_SESSION_ID")
	o.token = late
	if a := o.send("GET", api+"/limits", ""); a.status != 200 {
		t.Errorf("the younger token: %d", a.status)
	}
	o.inject(Fault{Name: "expire", Skip: 2})
	for i, want := range []int{200, 200, 401, 401} {
		if a := o.send("GET", api+"/limits", ""); a.status != want {
			t.Errorf("call %d: %d", i, a.status)
		}
	}
	o.signOn()
	o.inject(Fault{Name: "expire"})
	for _, call := range []string{
		"GET /limits", "GET /sobjects", "GET /query?q=SELECT+Id+FROM+User", "GET /query/01g5g0000000001AAA-200", "PATCH /composite/sobjects",
		"POST /composite", "POST /composite/batch", "POST /composite/graph", "POST /jobs/ingest", "PUT /jobs/ingest/7505g0000000001AAA/batches",
		"GET /jobs/ingest/7505g0000000001AAA/successfulResults", "GET /jobs/query/7505g0000000001AAA/results", "POST /tooling/sobjects/CustomField",
		"GET /tooling/query?q=SELECT+Id+FROM+CustomField", "GET /sobjects/Contact/updated?start=a&end=b", "GET /nope",
	} {
		method, path, _ := strings.Cut(call, " ")
		o.send(method, api+path, "").refused(401, "INVALID_SESSION_ID")
	}
}

// S23: revoke, and the identity URL.
func TestS23_revoke_and_identity(t *testing.T) {
	o := newOrg(t, Options{})
	id := "/id/" + o.orgID + "/" + o.runAs
	who := o.send("GET", id+"?format=json&oauth_token="+url.QueryEscape(o.token), "", "Authorization", "").object()
	if who["user_id"] != o.runAs || who["organization_id"] != o.orgID || who["username"] != "integration@crm.example" || who["id"] != o.url+id {
		t.Errorf("identity: %v", who)
	}
	if log := o.Log(); log[len(log)-1].Path != id {
		t.Errorf("a token in the log: %s", log[len(log)-1].Path)
	}
	o.send("GET", "/id/00D/005", "").refused(404, "NOT_FOUND")
	if a := o.send("POST", "/services/oauth2/revoke", "token="+url.QueryEscape(o.token)); a.status != 200 || a.body != "" {
		t.Errorf("revoke: %d %s", a.status, a.body)
	}
	o.send("GET", id, "").refused(401, "INVALID_SESSION_ID")
	o.send("GET", api+"/limits", "").refused(401, "INVALID_SESSION_ID")
	o.send("POST", "/services/oauth2/revoke", "token="+url.QueryEscape(o.token)).noToken("invalid_token", "the token is invalid")
	if a := o.send("POST", "/services/oauth2/revoke?token=RT", ""); a.status != 200 {
		t.Errorf("revoke of a refresh token: %d %s", a.status, a.body)
	}
	if log := o.Log(); log[len(log)-1].Path != "/services/oauth2/revoke" {
		t.Errorf("a refresh token in the log: %s", log[len(log)-1].Path)
	}
	o.grant("refresh_token", "refresh_token", "RT", "client_id", "CID").noToken("invalid_grant", "expired access/refresh token")
	o.send("GET", "/services/oauth2/revoke", "").refused(405, "METHOD_NOT_ALLOWED")
}

// S24: user name and password.
func TestS24_password(t *testing.T) {
	o := newOrg(t, Options{Password: "geheim+TOKEN"})
	form := []string{"client_id", "CID", "client_secret", "SEC", "username", "integration@crm.example", "password", "geheim+TOKEN"}
	o.works(o.grant("password", form...))
	form[len(form)-1] = "geheim"
	o.grant("password", form...).noToken("invalid_grant", "authentication failure")
}

// S24: sign-on by SOAP, as clients without an app do it.
func TestS24_soap_login(t *testing.T) {
	o := newOrg(t, Options{Password: "a<b&c"})
	envelope := func(header, body string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header>` + header +
			`</se:Header><se:Body>` + body + `</se:Body></se:Envelope>`
	}
	call := func(body string) got { return o.send("POST", "/services/Soap/u/66.0", body, "SOAPAction", `""`) }
	login := func(password string) got {
		return call(envelope("", `<login xmlns="urn:partner.soap.sforce.com"><username>integration@crm.example</username><password>`+password+`</password></login>`))
	}
	faulty := func(a got, code string) {
		t.Helper()
		if a.status != 500 || !strings.Contains(a.body, "<faultcode>sf:"+code+"</faultcode><faultstring>"+code+": ") {
			t.Errorf("want %s: %d %s", code, a.status, a.body)
		}
	}
	faulty(login("no"), "INVALID_LOGIN")
	a := login("a&lt;b&amp;c")
	if a.status != 200 || a.header.Get("Content-Type") != "text/xml;charset=UTF-8" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	element := func(name string) string {
		_, rest, _ := strings.Cut(a.body, "<"+name+">")
		text, _, _ := strings.Cut(rest, "</"+name+">")
		return text
	}
	if element("serverUrl") != o.url+"/services/Soap/u/66.0/"+o.orgID || element("userId") != o.runAs || element("organizationId") != o.orgID {
		t.Errorf("%s", a.body)
	}
	o.token = element("sessionId")
	if a := o.send("GET", api+"/limits", ""); a.status != 200 {
		t.Errorf("the session is not taken: %d", a.status)
	}
	logout := envelope(`<SessionHeader xmlns="urn:partner.soap.sforce.com"><sessionId>`+o.token+`</sessionId></SessionHeader>`, `<logout xmlns="urn:partner.soap.sforce.com"/>`)
	if a := call(logout); a.status != 200 || !strings.Contains(a.body, "logoutResponse") {
		t.Errorf("logout: %d %s", a.status, a.body)
	}
	o.send("GET", api+"/limits", "").refused(401, "INVALID_SESSION_ID")
	faulty(call(logout), "INVALID_SESSION_ID")
	faulty(call("no XML"), "UNKNOWN_EXCEPTION")
	faulty(call(envelope("", "<query/>")), "UNKNOWN_EXCEPTION")
}
