package secret

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"energyd/internal/fault"
)

const token = "5Aep861KIwKdekr90I4iHdZDgWwRoZZtiUcnt0ken"

func key(c string) Secret { return New("${file:key}", strings.Repeat(c, minKey)) }

func sealed(t *testing.T, s Seal) []byte {
	t.Helper()
	data, err := s.Close(token)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestASealedTokenComesBackAndShowsNothing(t *testing.T) {
	s := NewSeal(key("k"), "crm")
	first, second := sealed(t, s), sealed(t, s)
	if bytes.Equal(first, second) {
		t.Error("a nonce was used twice")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(first), header+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for part := 0; part+6 <= len(token); part++ {
		if bytes.Contains(first, []byte(token[part:part+6])) || bytes.Contains(raw, []byte(token[part:part+6])) {
			t.Fatalf("the file shows %q", token[part:part+6])
		}
	}
	got, inClear, err := s.Open("f", append(first, '\n')) // as an editor leaves it
	if got != token || inClear || err != nil {
		t.Errorf("%q, %v, %v", got, inClear, err)
	}
}

func TestWithoutAKeyTokensStayInClear(t *testing.T) {
	var s Seal
	data := sealed(t, s)
	if got, inClear, err := s.Open("f", data); string(data) != token || got != token || inClear || err != nil {
		t.Errorf("%q: %q, %v, %v", data, got, inClear, err)
	}
}

func TestATokenInClearIsToBeSealed(t *testing.T) {
	s := NewSeal(key("k"), "crm")
	if got, inClear, err := s.Open("f", []byte(token+"\n")); got != token || !inClear || err != nil {
		t.Errorf("%q, %v, %v", got, inClear, err)
	}
	if got, inClear, err := s.Open("f", nil); got != "" || inClear || err != nil {
		t.Errorf("an empty file: %q, %v, %v", got, inClear, err)
	}
}

func TestASealThatDoesNotOpenIsAFaultOfTheConfiguration(t *testing.T) {
	s := NewSeal(key("k"), "crm")
	data := sealed(t, s)
	changed := bytes.Clone(data)
	changed[len(header)+50] ^= 1 // another letter of base64, or none
	for name, tt := range map[string]struct {
		by   Seal
		data []byte
		hint string
	}{
		"wrong key":        {NewSeal(key("x"), "crm"), data, "authorise"},
		"another owner":    {NewSeal(key("k"), "mail"), data, "authorise"},
		"changed":          {s, changed, "authorise"},
		"cut":              {s, data[:len(data)-8], "authorise"},
		"nothing but head": {s, []byte(header), "authorise"},
		"no key":           {Seal{}, data, "token_key"},
		"later version":    {s, bytes.Replace(data, []byte("v1"), []byte("v2"), 1), "version"},
	} {
		got, inClear, err := tt.by.Open("crm.refresh_token", tt.data)
		if got != "" || inClear || fault.KindOf(err) != fault.Config ||
			!strings.Contains(err.Error(), "crm.refresh_token") || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%s: %q, %v, %v; hint %q", name, got, inClear, err, fault.HintOf(err))
		}
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	if CheckKey(Secret{}) != "" || CheckKey(key("k")) != "" {
		t.Error("a right key is refused")
	}
	if problem := CheckKey(New("${env:K}", "hunter2")); !strings.Contains(problem, "openssl") || strings.Contains(problem, "hunter2") {
		t.Errorf("%q", problem)
	}
}
