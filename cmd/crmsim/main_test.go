package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// start runs the program and gives its URL and a function that stops it and gives its exit code.
func start(t *testing.T, args ...string) (address string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, args, func(string) string { return "s3cret" }, in, &stderr)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "crmsim: ")), func() int { cancel(); return <-code }
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestRun_keeps_its_rows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "org.jsonl")
	args := []string{"--data", file, "--seed", "small", "--control", "--client-id", "app", "--field", "Account.Energy__c=Number(18,4) 獲得エネルギー"}
	address, stop := start(t, args...)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"s3cret"}}
	res, err := http.PostForm(address+"/services/oauth2/token", form)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("sign-on: %d", res.StatusCode)
	}
	_, rows := get(t, address+"/__sim/rows/Account")
	if code := stop(); code != 0 || !strings.Contains(rows, "Energy__c") {
		t.Errorf("exit code %d, rows %.80s", code, rows)
	}
	address, stop = start(t, args...)
	if _, again := get(t, address+"/__sim/rows/Account"); again != rows {
		t.Error("the rows are others after a restart")
	}
	if status, page := get(t, address+"/accounts?lang=ja"); status != 200 || !strings.Contains(page, "獲得エネルギー") {
		t.Errorf("the page: %d", status)
	}
	stop()
}

func TestRun_refuses(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--addr", "0.0.0.0:0"}, 2, "--allow-remote"},
		{[]string{"--addr", ":0"}, 2, "--allow-remote"},
		{[]string{"--addr", ":0", "--allow-remote", "--control"}, 2, "leave --control out"},
		{[]string{"--certificate", "nowhere.pem"}, 2, "nowhere.pem"},
		{[]string{"--addr", "192.0.2.1:80"}, 2, "--allow-remote"},
		{[]string{"--nope"}, 2, "flag provided but not defined"},
		{[]string{"extra"}, 2, "unexpected argument"},
		{[]string{"--field", "Account.Energy"}, 2, "OBJECT.FIELD__c"},
		{[]string{"--field", "Nope.Energy__c=Date"}, 1, "not supported"},
		{[]string{"--seed", "nope"}, 1, "no seed is named"},
		{[]string{"--data", filepath.Join(t.TempDir(), "none", "org")}, 1, "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), tc.args, func(string) string { return "" }, &stdout, &stderr); code != tc.code || !strings.Contains(stderr.String(), tc.want) {
			t.Errorf("%v: code %d, %s", tc.args, code, stderr.String())
		}
	}
}
