package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/review"
	"energyd/internal/survey"
	"energyd/mapping"
)

// table reads a CSV file with a line of heads, in any order; heads that are not asked for are left alone.
type csvTable struct {
	file    string
	in      *csv.Reader
	columns map[string]int
	row     []string
	line    int
}

const csvHint = "save it as CSV in UTF-8, with commas and a first line of heads; docs/review.md names them"

// openCSV begins to read; needed are heads that there must be.
func openCSV(file string, in io.Reader, needed ...string) (*csvTable, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	if bom, _ := buffered.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3)
	}
	t := &csvTable{file: file, in: csv.NewReader(buffered), columns: map[string]int{}, line: 1}
	t.in.ReuseRecord = true
	heads, err := t.in.Read()
	if err != nil {
		return nil, fault.New(fault.Config, file, "has no line of heads", csvHint, err)
	}
	for i, h := range heads {
		t.columns[strings.ToLower(strings.TrimSpace(h))] = i
	}
	for _, name := range needed {
		if _, ok := t.columns[name]; !ok {
			return nil, fault.New(fault.Config, file, fmt.Sprintf("has no column %s; its heads are %s", name, strings.Join(heads, ", ")), csvHint, nil)
		}
	}
	return t, nil
}

// next reads a row; io.EOF at the end.
func (t *csvTable) next() (err error) {
	t.row, err = t.in.Read()
	t.line, _ = t.in.FieldPos(0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.Config, t.file, "cannot be read as CSV", csvHint, err)
	}
	return err
}

func (t *csvTable) get(name string) string {
	i, ok := t.columns[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(t.row[i])
}

func (t *csvTable) wrong(format string, args ...any) error {
	return fault.New(fault.Config, fmt.Sprintf("%s:%d", t.file, t.line), fmt.Sprintf(format, args...), "mend the line; docs/review.md describes it", nil)
}

// day reads a date, or an instant, which is taken to the table's zone; NoDate when it is empty.
func (t *csvTable) day(name string, points *engine.Points) (engine.Date, error) {
	text := t.get(name)
	if text == "" {
		return engine.NoDate, nil
	}
	if d, err := engine.ParseDate(text); err == nil {
		return d, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return engine.NoDate, t.wrong("%s %q is neither a date such as 2026-05-31 nor an instant such as 2026-05-31T10:00:00+09:00", name, text)
	}
	return points.BusinessDate(at), nil
}

// outcomes are the words for what became of a deal.
var outcomes = map[string]string{
	"won": "won", "lost": "lost", "open": "open", "": "open", "受注": "won", "成約": "won", "失注": "lost", "進行中": "open", "商談中": "open",
}

func readDeals(file string, points *engine.Points) ([]review.Deal, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fault.New(fault.Config, "", "cannot read the deals", "name a CSV file with --deals", err)
	}
	defer f.Close()
	t, err := openCSV(file, f, "deal_id", "account_id", "opened_at", "closed_at", "outcome")
	if err != nil {
		return nil, err
	}
	var deals []review.Deal
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return deals, nil
		} else if err != nil {
			return nil, err
		}
		d := review.Deal{ID: t.get("deal_id"), Account: t.get("account_id")}
		outcome, ok := outcomes[strings.ToLower(t.get("outcome"))]
		if !ok {
			return nil, t.wrong("the outcome %q is none of won, lost, open", t.get("outcome"))
		}
		if d.ID == "" {
			return nil, t.wrong("the deal has no deal_id")
		}
		if d.Opened, err = t.day("opened_at", points); err != nil {
			return nil, err
		}
		if d.Closed, err = t.day("closed_at", points); err != nil {
			return nil, err
		}
		if d.Opened == engine.NoDate {
			return nil, t.wrong("the deal %s has no opened_at", d.ID)
		}
		if outcome == "open" {
			d.Closed = engine.NoDate
		} else if d.Closed == engine.NoDate {
			return nil, t.wrong("the deal %s was %s, but has no closed_at", d.ID, outcome)
		}
		d.Won = outcome == "won"
		if text := t.get("amount"); text != "" {
			if d.Amount, err = strconv.ParseFloat(text, 64); err != nil {
				return nil, t.wrong("the amount %q is no number", text)
			}
		}
		deals = append(deals, d)
	}
}

// eventWords turn words of other systems into those of the points table.
type eventWords struct {
	points  *engine.Points
	titles  *mapping.Titles
	lexicon *survey.Lexicon
	kinds   map[string]eventKind
}

type eventKind struct {
	kind      string
	direction string // that the word tells; "" = none
}

// kind gives the kind of the points table that a word means: its name, its label, or what the built-in words say.
func (w *eventWords) kind(word string) eventKind {
	k, ok := w.kinds[word]
	if ok {
		return k
	}
	if w.kinds == nil {
		w.kinds = map[string]eventKind{}
	}
	known := w.points.Kinds()
	kind, direction := w.lexicon.KindOf(word)
	k = eventKind{word, direction}
	if !slices.Contains(known, word) {
		if i := slices.IndexFunc(known, func(name string) bool {
			label := w.points.KindLabel(name)
			return label.Ja == word || strings.EqualFold(label.En, word)
		}); i >= 0 {
			k.kind = known[i]
		} else if slices.Contains(known, kind) {
			k.kind = kind
		}
	}
	w.kinds[word] = k
	return k
}

var directionWords = map[string]engine.Direction{
	"in": engine.Inbound, "inbound": engine.Inbound, "out": engine.Outbound, "outbound": engine.Outbound,
	"both": engine.Mutual, "mutual": engine.Mutual, "": engine.Mutual,
}

// eachActivity gives the activities of a file, one after the other: JSON lines as energyd score reads them, or a CSV file
// with the heads account_id, kind, occurred_at, and if it has them event_id, direction, deal_id, contact_id, contact_title, rep_id.
func eachActivity(file string, w *eventWords, add func(*engine.Activity)) error {
	if !strings.HasSuffix(strings.ToLower(file), ".csv") {
		return eachLine(file, w.titles, add)
	}
	f, err := os.Open(file)
	if err != nil {
		return fault.New(fault.Config, "", "cannot read the activities", "name a JSON lines or CSV file with --activities", err)
	}
	defer f.Close()
	t, err := openCSV(file, f, "account_id", "kind", "occurred_at")
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := t.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		k := w.kind(strings.Clone(t.get("kind")))
		direction := t.get("direction")
		if direction == "" {
			direction = k.direction
		}
		a := engine.Activity{Source: "events", ID: t.get("event_id"), Account: t.get("account_id"), Kind: k.kind, Date: engine.NoDate}
		if a.ID == "" {
			a.ID = strconv.Itoa(n)
		}
		var ok bool
		if a.Direction, ok = directionWords[strings.ToLower(direction)]; !ok {
			return t.wrong("the direction %q is none of in, out, both", direction)
		}
		if text := t.get("occurred_at"); len(text) == len(time.DateOnly) {
			if a.Date, err = engine.ParseDate(text); err != nil {
				return t.wrong("occurred_at: %v", err)
			}
		} else if a.At, err = time.Parse(time.RFC3339, text); err != nil {
			return t.wrong("occurred_at %q is neither a date such as 2026-05-31 nor an instant such as 2026-05-31T10:00:00+09:00", text)
		}
		a.At = a.At.UTC()
		if title, contact := t.get("contact_title"), t.get("contact_id"); title != "" || contact != "" {
			p := engine.Participant{Contact: contact, Title: title}
			p.Rank, _ = w.titles.Rank(title)
			a.People = []engine.Participant{p}
		}
		if deal := t.get("deal_id"); deal != "" {
			a.Deals = []engine.Share{{ID: deal}}
		}
		add(&a)
	}
}
