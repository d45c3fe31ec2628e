package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"energyd/internal/store"
	"energyd/internal/testmail"
)

// service is energyd run as a process of its own, by its log.
type service struct {
	*testing.T
	cmd  *exec.Cmd
	log  *bufio.Scanner
	seen []string
}

func startService(t *testing.T, config string) *service {
	t.Helper()
	built(t)                                                     // before its time begins
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a machine that does much else
	t.Cleanup(cancel)
	s := &service{T: t, cmd: process(ctx, t, "run", "--log", "json", "--config", config)}
	out, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.log = bufio.NewScanner(out)
	return s
}

// logs reads the log up to a message with these attributes ("state=ok") and gives that line.
func (s *service) logs(msg string, attrs ...string) map[string]any {
	s.Helper()
	for s.log.Scan() {
		s.seen = append(s.seen, s.log.Text())
		var line map[string]any
		if err := json.Unmarshal(s.log.Bytes(), &line); err != nil {
			continue // what is said before there is a log
		}
		found := line["msg"] == msg
		for _, attr := range attrs {
			key, value, _ := strings.Cut(attr, "=")
			found = found && line[key] == value
		}
		if found {
			return line
		}
	}
	s.Fatalf("it ended without %q %v: %v\n%s", msg, attrs, errors.Join(s.log.Err(), s.cmd.Wait()), strings.Join(s.seen, "\n"))
	return nil
}

func (s *service) signal(sig syscall.Signal) {
	s.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.Fatal(err)
	}
}

// ends stops the service and holds its exit code to be 0.
func (s *service) ends() {
	s.Helper()
	s.signal(syscall.SIGTERM)
	s.logs("stopped")
	if err := s.cmd.Wait(); err != nil {
		s.Errorf("it does not end well: %v\n%s", err, strings.Join(s.seen, "\n"))
	}
}

// anyPort lets energyd run serve on a free port.
func anyPort(t *testing.T, config string) {
	t.Helper()
	edit(t, config, "127.0.0.1:9765", "127.0.0.1:0")
}

// answer is what an address answers.
func answer(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// ranAt notes in the store of a configuration that a sync came to its end then.
func ranAt(t *testing.T, config string, at time.Time) {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(filepath.Dir(config), "energyd.db"))
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.BeginRun(t.Context(), "sync", at)
	if err == nil {
		err = s.FinishRun(t.Context(), id, at, store.OK, "")
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestRun: the night that was missed is made up for, and reaches the CRM; a configuration that is
// wrong changes nothing, one that is right is at work; SIGTERM ends it well.
func TestRun(t *testing.T) {
	t.Parallel()
	w, config := world(t)
	anyPort(t, config)
	ranAt(t, config, time.Now().Add(-72*time.Hour))
	s := startService(t, config)
	at, _ := s.logs("health and metrics are served")["at"].(string)
	run, _ := s.logs("run begins", "kind=sync")["run"].(string)
	if line := s.logs("source read", "source=daily_report"); line["run"] != run || line["read"] == 0.0 {
		t.Errorf("the run %s logs %v", run, line)
	}
	if line := s.logs("run ends"); line["run"] != run || line["state"] != "ok" && line["state"] != "partial" {
		t.Errorf("the run %s logs %v", run, line)
	}
	accounts, err := w.CRM().Rows("Account")
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for _, record := range accounts {
		if record["Energy__c"] != nil {
			written++
		}
	}
	if written == 0 {
		t.Error("nothing was written to the CRM")
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": `energyd_source_up{source="daily_report"} 1`} {
		for !strings.Contains(answer(t, at+path), want) { // the daemon learns of a run's end after the log
			time.Sleep(10 * time.Millisecond)
		}
	}
	edit(t, config, "0 2 * * *", "0 0 31 2 *")
	s.signal(syscall.SIGHUP)
	if line := s.logs("alert", "of=configuration"); !strings.Contains(line["because"].(string), "never comes") {
		t.Errorf("%v", line)
	}
	edit(t, config, "0 0 31 2 *", "30 3 * * *")
	s.signal(syscall.SIGHUP)
	s.logs("alert over", "of=configuration")
	s.logs("scheduled", "by=30 3 * * *")
	s.logs("the new configuration is at work")
	s.ends()
}

// TestRun_watch: mails are read as they come, without a schedule of times.
func TestRun_watch(t *testing.T) {
	t.Parallel()
	server := testmail.Start(t, testmail.Options{})
	server.Save("rep1", "INBOX", aMail(1))
	config := mailConfig(t, server.Addr(), rep1())
	edit(t, config, "mappings/any.yaml}", "mappings/any.yaml, schedule: watch}\nhttp: {listen: off}")
	s := startService(t, config)
	s.logs("run ends") // what was there
	server.Save("rep1", "INBOX", aMail(2))
	s.logs("run begins", "kind=pull")
	s.logs("run ends")
	s.ends()
	if got := events(t, config); len(got) != 2 {
		t.Errorf("events: %q", got)
	}
}

// TestRun_refuses: it does not begin with what it could never do.
func TestRun_refuses(t *testing.T) {
	t.Parallel()
	_, config := world(t)
	anyPort(t, config)
	edit(t, config, "{connection: crm, object: Task,", "{connection: crm, object: Task, schedule: watch,")
	if out := mustEnd(t, []int{exitUsage}, "run", "--config", config); out != "" {
		t.Errorf("it prints %q", out)
	}
}
