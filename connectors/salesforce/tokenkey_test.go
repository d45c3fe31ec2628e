package salesforce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// keyed signs on by refresh token, and keeps the next ones by a key of c's.
func keyed(c string) func(*Config) {
	return func(cfg *Config) { rotating(cfg); cfg.TokenKey = given(strings.Repeat(c, 32)) }
}

// A rotated token signs on after a restart, through all that an admin may do with the key.
func TestC06_kept_tokens_are_encrypted(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "rotate"})
	env := connectors.Env{Log: quiet.Log, Name: "crm", Dir: t.TempDir()}
	file := filepath.Join(env.Dir, "crm.refresh_token")
	held := func() string {
		t.Helper()
		data, err := os.ReadFile(file)
		o.must(err)
		return string(data)
	}
	o.must(o.connWith(env, rotating).Check(t.Context()))
	clear := held()

	// With a key the token in clear is good still, and is encrypted before anything is asked of the org.
	o.must(os.Chmod(file, 0o644))
	o.inject(crmsim.Fault{Name: "expire"})
	c := o.connWith(env, keyed("k"))
	kept, err := openTokens(c.tokens, secret.NewSeal(c.cfg.TokenKey, "crm"))
	o.must(err)
	token, err := kept.read()
	o.must(err)
	kept.close()
	if token != clear || strings.Contains(held(), clear) {
		t.Errorf("of a token in clear came %q; the file shows it: %v", token, strings.Contains(held(), clear))
	}
	last := held()
	for range 2 { // processes
		o.must(o.connWith(env, keyed("k")).Check(t.Context()))
		if now := held(); now == last || strings.Contains(now, clear) {
			t.Errorf("kept %q after %q", now, last)
		}
		last = held()
	}

	// By the wrong key, by none, and in another file nothing is asked, and the file is left as it was.
	damaged := last[:len(last)-8]
	for name, tt := range map[string]struct {
		change func(*Config)
		file   string
	}{"wrong key": {keyed("x"), last}, "no key": {rotating, last}, "damaged": {keyed("k"), damaged}} {
		o.must(os.WriteFile(file, []byte(tt.file), 0o600))
		calls := o.calls("POST", tokenPath)
		err := o.connWith(env, tt.change).Check(t.Context())
		if fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" || held() != tt.file || o.calls("POST", tokenPath) != calls {
			t.Errorf("%s: %v; hint %q", name, err, fault.HintOf(err))
		}
	}
	o.must(os.WriteFile(file, []byte(last), 0o600))
	o.must(o.connWith(env, keyed("k")).Check(t.Context()))
}

func TestTheTokenKeyIsAskedForAndHeldToItsLength(t *testing.T) {
	cfg := config("localhost:1")
	rotating(cfg)
	if cfg.Validate() != nil || !strings.Contains(cfg.Advice(), "token_key") {
		t.Errorf("%v; advice %q", cfg.Validate(), cfg.Advice())
	}
	keyed("k")(cfg)
	if cfg.Validate() != nil || cfg.Advice() != "" {
		t.Errorf("%v; advice %q", cfg.Validate(), cfg.Advice())
	}
	cfg.TokenKey = given("short")
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "token_key") {
		t.Errorf("a short key: %v", err)
	}
	cfg = config("localhost:1")
	cfg.TokenKey = given(strings.Repeat("k", 32))
	if err := cfg.Validate(); err == nil || cfg.Advice() != "" {
		t.Errorf("a key of nothing: %v; advice %q", err, cfg.Advice())
	}
}
