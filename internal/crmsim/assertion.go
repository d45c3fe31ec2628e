package crmsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// The JWT bearer flow (RFC 7523). The signature is checked with the standard
// library alone: a library that the client signs with, too, would forgive its
// own mistakes here.

// claims of an assertion. Clients send exp as a number or as a text, in seconds or, by mistake, in milliseconds.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  any    `json:"exp"`
}

// loginHosts are the audiences that every org takes, beside its own address.
var loginHosts = []string{"https://login.salesforce.com", "https://test.salesforce.com"}

func (s *Server) byAssertion(c *call, form url.Values) (string, *tokenError) {
	refused := func(why string) (string, *tokenError) { return "", &tokenError{"invalid_grant", why} }
	var jwt claims
	if err := s.verify(form.Get("assertion"), &jwt); err != nil {
		return refused("invalid assertion")
	}
	if jwt.Issuer != s.opt.ClientID {
		return "", unknownClient
	}
	meant := false
	for _, host := range append([]string{origin(c)}, loginHosts...) {
		meant = meant || strings.TrimSuffix(jwt.Audience, "/") == host
	}
	if !meant {
		return refused("audience is invalid")
	}
	end, err := strconv.ParseFloat(fmt.Sprint(jwt.Expires), 64)
	if err != nil || end <= float64(s.now().Unix()) {
		return refused("expired authorization code")
	}
	if !strings.EqualFold(jwt.Subject, s.opt.User) {
		return refused("user hasn't approved this consumer")
	}
	return "", nil
}

// verify reads a compact JWT and checks its RS256 signature by the app's certificate.
func (s *Server) verify(token string, into *claims) error {
	head, rest, _ := strings.Cut(token, ".")
	body, tail, ok := strings.Cut(rest, ".")
	if !ok {
		return errors.New("three parts are needed")
	}
	var header struct {
		Alg string `json:"alg"`
	}
	if err := unpack(head, &header); err != nil {
		return err
	}
	if header.Alg != "RS256" {
		return fmt.Errorf("algorithm %q", header.Alg)
	}
	signature, err := base64.RawURLEncoding.DecodeString(tail)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(head + "." + body))
	if err := rsa.VerifyPKCS1v15(s.certificate(), crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	return unpack(body, into)
}

func unpack(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return d.Decode(into)
}

// certificate is the key that the app's assertions are checked with.
func (s *Server) certificate() *rsa.PublicKey {
	if s.registered != nil {
		return s.registered
	}
	return &testKey().PublicKey
}

// testKey is made once for all orgs of a process, and only when one is needed: that takes a moment.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
})

// PrivateKey is the key, as PKCS #8 in PEM, that belongs to the app's
// certificate when Options.Certificate gave none. With Options.Control it is
// also at /__sim/key.
func (s *Server) PrivateKey() string {
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// parseCertificate reads an app's certificate, or its public key alone, from PEM.
func parseCertificate(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the certificate is not PEM")
	}
	var key any
	switch block.Type {
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the certificate: %w", err)
		}
		key = cert.PublicKey
	case "PUBLIC KEY":
		var err error
		if key, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			return nil, fmt.Errorf("the public key: %w", err)
		}
	default:
		return nil, fmt.Errorf("a certificate or a public key is needed, not a %s", lower(block.Type))
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("only RSA keys can sign RS256")
	}
	return public, nil
}
