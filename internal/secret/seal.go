package secret

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"energyd/internal/fault"
)

// Seal encrypts tokens that services renew, for the files they are kept in (decision 0140). Its zero value has no key:
// it leaves tokens in clear, and refuses sealed ones.
type Seal struct {
	key  Secret
	name string
}

// NewSeal seals by key, for one owner: what is sealed for one name does not open for another, so that files cannot be exchanged.
func NewSeal(key Secret, name string) Seal { return Seal{key, name} }

// minKey is the least length of a key, in bytes: nobody guesses "openssl rand -base64 32".
const minKey = 32

// CheckKey says what is wrong with key as a problem of a configuration; "" = nothing. None given is right.
func CheckKey(key Secret) string {
	if !key.IsZero() && len(key.Reveal()) < minKey {
		return fmt.Sprintf("is shorter than %d characters: make one by openssl rand -base64 32", minKey)
	}
	return ""
}

const (
	family = "energyd sealed token " // no token has spaces
	header = family + "v1"           // the first line; the second is base64 of nonce and sealed token
	openOp = "read a kept token"
)

// aead is XChaCha20-Poly1305, whose nonces are long enough to be drawn. Its key is derived, so that the admin's may have any form.
func (s Seal) aead() (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(s.key.Reveal()), nil, "energyd kept tokens v1", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

// Close gives what a file shall hold for token.
func (s Seal) Close(token string) ([]byte, error) {
	if s.key.IsZero() || token == "" {
		return []byte(token), nil
	}
	aead, err := s.aead()
	if err != nil {
		return nil, fault.New(fault.Internal, "keep a token", "it cannot be encrypted", "", err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(token)+aead.Overhead())
	_, _ = rand.Read(nonce) // it never fails
	sealed := aead.Seal(nonce, nonce, []byte(token), []byte(s.name))
	return append([]byte(header+"\n"), base64.StdEncoding.EncodeToString(sealed)...), nil
}

// Open gives the token of a file's data. inClear tells that it has to be sealed yet. A seal that does not open is a Config
// fault that names file: whoever gets it must leave the file as it is.
func (s Seal) Open(file string, data []byte) (token string, inClear bool, err error) {
	text := strings.TrimSpace(string(data))
	if !strings.HasPrefix(text, family) {
		return text, text != "" && !s.key.IsZero(), nil
	}
	refuse := func(msg, hint string) (string, bool, error) {
		return "", false, fault.New(fault.Config, openOp, file+" "+msg, hint+"; the file is left as it is", nil)
	}
	version, body, _ := strings.Cut(text, "\n")
	switch {
	case version != header:
		return refuse("was encrypted by another version of energyd", "use the version that wrote it")
	case s.key.IsZero():
		return refuse("is encrypted, and no token_key is given", "give the token_key by which it was written")
	}
	aead, err := s.aead()
	if err != nil {
		return "", false, fault.New(fault.Internal, openOp, "the key cannot be derived", "", err)
	}
	sealed, err := base64.StdEncoding.DecodeString(body)
	if err == nil && len(sealed) >= aead.NonceSize() {
		var plain []byte
		if plain, err = aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(s.name)); err == nil {
			return string(plain), false, nil
		}
	}
	return refuse("does not open with this token_key",
		"give the token_key, and the connection the name, by which it was written; if they are lost or the file is damaged, delete it and authorise energyd again")
}
