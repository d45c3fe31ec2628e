package imap

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

func TestRotatedTokensOfMailboxesAreEncryptedByTheKey(t *testing.T) {
	k, dir := newRotating(t), t.TempDir()
	file := ""
	signOn := func(key string) error {
		c, log := k.process(t, dir, "first-r3fresh")
		if key != "" {
			c.cfg.OAuth.TokenKey = secret.New("${file:key}", strings.Repeat(key, 32))
		}
		file = c.tokenFile(c.boxes[0])
		_, err := c.token(t.Context(), c.boxes[0], "")
		if strings.Contains(log.String()+fmt.Sprint(err), "r3fresh-") {
			t.Errorf("a token shows: %v, %s", err, log)
		}
		return err
	}
	held := func() string {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if err := signOn(""); err != nil || held() != "r3fresh-1" {
		t.Fatalf("without a key: %v; kept %q", err, held())
	}

	// A service that refuses renews nothing; the token in clear is encrypted all the same, and is good afterwards.
	good := k.good
	k.good = "nobody has it"
	if err := signOn("k"); fault.KindOf(err) != fault.Auth || strings.Contains(held(), "r3fresh") {
		t.Errorf("%v; kept %q", err, held())
	}
	k.good, k.refused = good, nil
	for range 2 {
		if err := signOn("k"); err != nil || strings.Contains(held(), "r3fresh") || len(k.refused) != 0 {
			t.Errorf("%v; kept %q; refused %q", err, held(), k.refused)
		}
	}

	last, issued := held(), k.issued
	for _, key := range []string{"x", ""} {
		if err := signOn(key); fault.KindOf(err) != fault.Config || !strings.Contains(fault.HintOf(err), "token_key") || held() != last || k.issued != issued {
			t.Errorf("key %q: %v; hint %q", key, err, fault.HintOf(err))
		}
	}
	if err := signOn("k"); err != nil {
		t.Error(err)
	}
}

func TestATokenKeyIsAdvisedWhereTokensAreRenewed(t *testing.T) {
	cfg := newConfig()
	cfg.Auth = authOAuth2
	if cfg.Advice() != "" {
		t.Errorf("by the application's own right: %q", cfg.Advice())
	}
	cfg.Mailboxes = []Mailbox{{User: "sato@our.example", RefreshToken: secret.New("${env:T}", "r3fresh")}}
	if !strings.Contains(cfg.Advice(), "oauth.token_key") {
		t.Errorf("advice %q", cfg.Advice())
	}
	cfg.OAuth.TokenKey = secret.New("${file:key}", strings.Repeat("k", 32))
	if cfg.Advice() != "" {
		t.Errorf("with a key: %q", cfg.Advice())
	}
}
