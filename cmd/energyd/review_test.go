package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/pipeline"
	"energyd/internal/review"
	"energyd/internal/review/paper"
)

// company makes a configuration that reads a made-up company of the shared data, under the points table that its people use.
func company(t *testing.T, name, more string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	data, err := filepath.Abs("../../../shared/data/" + name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(data, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c made
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	points, err := os.ReadFile(c.Naive.points(t))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"points.yaml": string(points),
		"energyd.yaml": fmt.Sprintf(`store: sqlite:energyd.db
language: ja
points: points.yaml
timezone: Asia/Tokyo
connections:
  folder: {type: file, dir: %q, settle: 0s}
sources:
  accounts: {connection: folder, files: accounts.csv, key: [account_id], replaces: none, mapping: accounts.yaml}
  deals: {connection: folder, files: deals.csv, key: [deal_id], replaces: none, mapping: deals.yaml}
  events: {connection: folder, files: events.csv, key: [event_id], replaces: none, mapping: events.yaml}
%s`, data, more),
		"accounts.yaml": "columns: [account_id, name]\nprofile: {kind: account, id: account_id, name: name}\n",
		"deals.yaml": `columns: [deal_id, account_id, name, opened_at, closed_at, outcome, amount]
profile:
  kind: deal
  id: deal_id
  name: name
  account: account_id
  facts: {opened_on: opened_at, closes_on: closed_at, closed: outcome != "open", won: outcome == "won", amount: amount}
`,
		"events.yaml": `columns: [event_id, account_id, contact_id, contact_title, rep_id, kind, direction, occurred_at, deal_id]
lookups:
  whose: {in: inbound, out: outbound, both: mutual}
activity:
  at: datetime(occurred_at)
  kind: kind
  direction: lookup("whose", direction)
  account: account_id
  deals: [deal_id]
  participants:
    - {contact: contact_id, title: contact_title}
`,
	} {
		write(t, filepath.Join(dir, file), text)
	}
	return dir
}

// Out of the store the review finds the same as out of files, writes the table beside the one in use, and a next one falls due.
func TestReview_outOfTheStore(t *testing.T) {
	t.Parallel()
	dir := company(t, "selfmade_b", "")
	file := filepath.Join(dir, "energyd.yaml")
	run := func(want int, args ...string) string {
		return mustRun(t, want, append(args, "--config", file)...)
	}
	run(0, "pull")
	sumOf := func(file string) [32]byte {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(data)
	}
	points := filepath.Join(dir, "points.yaml")
	before := sumOf(points)
	asOf := []string{"--as-of", "2026-01-31"}
	var r pipeline.Reviewed
	if err := json.Unmarshal([]byte(run(0, append(asOf, "review", "--json")...)), &r); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s; half-life %g → %g", r.Verdict.Reason, r.HalfLife.Present, r.HalfLife.Proposed)
	if !r.Verdict.Change {
		t.Errorf("the verdict is: %s", r.Verdict.Reason)
	}
	if sumOf(points) != before {
		t.Error("the table in use was written over")
	}
	next := filepath.Join(dir, "points-2026-01-31.yaml")
	table, err := config.LoadPoints(next)
	if err != nil {
		t.Fatal(err)
	}
	if table.Version == "hand" || table.HalfLifeDays != r.HalfLife.Proposed {
		t.Errorf("version %q, half-life %g", table.Version, table.HalfLifeDays)
	}
	if h := r.HalfYear; h == nil || h.Proposed <= h.Present || len(h.Movers) != 10 || len(h.Movers[0].Why) == 0 || !strings.Contains(h.Movers[0].Name, "株式会社") {
		t.Errorf("the last half-year: %+v", h)
	}
	// The page is for people: in both languages, and nothing in it that a strict browser would refuse.
	for language, says := range map[string]string{"ja": "この半年、何が違っていたか", "en": "What would have been different"} {
		var page, text strings.Builder
		doc := paper.OfReview(r.Result, func(string) engine.Label { return engine.Label{} }, "2026-01-31", language)
		if err := errors.Join(doc.WriteHTML(&page), doc.WriteText(&text)); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "style=", "http:", "https:", "%!", "%%", "NaN", "ZgotmplZ"} {
			if strings.Contains(page.String(), bad) || strings.Contains(text.String(), bad) {
				t.Errorf("%s: the page has %q", language, bad)
			}
		}
		if !strings.Contains(page.String(), says) || strings.Count(page.String(), "<svg") != 2 || !strings.Contains(text.String(), says) {
			t.Errorf("%s: the page says too little", language)
		}
	}
	// A review writes over nothing.
	if out := run(exitUsage, append(asOf, "review", "--out", points)...); out != "" {
		t.Error(out)
	}
	// What it proposes is ready to be tried.
	if w := run(0, append(asOf, "whatif", next, "--months", "24")...); !strings.Contains(w, "受注した案件のほうが温度が高かった割合") {
		t.Error(w)
	}
	var status struct{ Review pipeline.ReviewStatus }
	if err := json.Unmarshal([]byte(run(0, "status", "--json")), &status); err != nil {
		t.Fatal(err)
	}
	if s := status.Review; s.Last != "2026-01-31" || s.Table != "hand" || s.Due != "2026-07-28" || !s.Overdue {
		t.Errorf("the status says %+v", s)
	}
	if s := run(0, "status"); !strings.Contains(s, "review: due since 2026-07-28") {
		t.Error(s)
	}
}

// Other successes than an order are told in the configuration.
func TestReview_otherOutcomes(t *testing.T) {
	t.Parallel()
	for outcome, kinds := range map[string]string{review.OutcomeMeeting: "[訪問, Web会議, 電話]", review.OutcomeRenewal: ""} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			more := "review:\n  outcome: " + outcome + "\n"
			if kinds != "" {
				more += "  kinds: " + kinds + "\n"
			}
			if outcome == review.OutcomeMeeting {
				more += "  class: staff\n  horizon_days: 20\n"
			}
			file := filepath.Join(company(t, "selfmade_b", more), "energyd.yaml")
			mustRun(t, 0, "pull", "--config", file)
			var out, errs strings.Builder
			code := run(t.Context(), []string{"review", "--json", "--config", file, "--as-of", "2026-01-31"}, &out, &errs)
			var r pipeline.Reviewed
			if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
				t.Fatalf("%v: %s", err, errs.String())
			}
			t.Logf("%d: %d with, %d without, %d rows: %s", code, r.Won, r.Lost, r.Rows, r.Verdict.Reason)
			if r.Subject != "account" || r.Outcome != outcome || r.Rows == 0 {
				t.Errorf("%+v", r.Result)
			}
		})
	}
}

// A month in which customers' contacts are no longer as they were is told by the status, after the first pull of the next one.
func TestReview_driftIsToldByTheStatus(t *testing.T) {
	t.Parallel()
	dir := company(t, "selfmade_b", "")
	now := time.Now().In(time.FixedZone("JST", 9*3600))
	var b strings.Builder
	b.WriteString("event_id,account_id,contact_id,contact_title,rep_id,kind,direction,occurred_at,deal_id\n")
	n := 0
	for back := 1; back <= 20; back++ {
		month := time.Date(now.Year(), now.Month()-time.Month(back), 1, 10, 0, 0, 0, now.Location())
		mails := 1
		if back == 1 {
			mails = 9
		}
		for account := range 60 {
			for _, kind := range append(slices.Repeat([]string{"メール送信"}, mails), "訪問") {
				n++
				fmt.Fprintf(&b, "E%d,A%04d,,,,%s,out,%s,\n", n, account+1, kind, month.AddDate(0, 0, n%28).Format(time.RFC3339))
			}
		}
	}
	write(t, filepath.Join(dir, "events.csv"), b.String())
	text, err := os.ReadFile(filepath.Join(dir, "energyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "energyd.yaml")
	write(t, file, strings.NewReplacer("sources:", fmt.Sprintf("  own: {type: file, dir: %q, settle: 0s}\nsources:", dir),
		"events: {connection: folder", "events: {connection: own").Replace(string(text)))
	mustRun(t, 0, "pull", "--config", file)
	status := mustRun(t, 0, "status", "--config", file)
	last := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	if !strings.Contains(status, "review: contacts of kind メール送信 are no longer as they were") || !strings.Contains(status, "in "+last) || strings.Contains(status, "kind 訪問") {
		t.Error(status)
	}
}
