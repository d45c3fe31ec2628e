package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/review/paper"
)

// pointsDraft is a points table that a reader tries out. It is kept in the form alone.
type pointsDraft struct {
	Text     string          // as it was pasted or sent; "" = numbers of the grid were edited
	Changes  []pointsChange  // against the table in use
	Problems []string        // what is wrong with it
	Outcome  *paper.Document // what it would do; nil where nothing was tried, or something is wrong
	Failed   bool            // it took too long

	table  *engine.PointsConfig // nil = none, or a wrong one
	points *engine.Points
}

// triedOut is what a draft would do.
type triedOut struct{ *paper.Document }

// Size is that of its texts, which are about all of it.
func (t triedOut) Size() int {
	texts, err := json.Marshal(t.Document)
	if err != nil {
		return mostHeld + 1 // what cannot be measured is not kept
	}
	return len(texts)
}

// What a preview looks at: so many customers answer within seconds (decisions/0128).
const (
	triedCustomers = 300
	triedMonths    = 6
)

// draft reads what the form sent, and tries it out.
func (v *visit) draft(ctx context.Context) (*pointsDraft, error) {
	d := &pointsDraft{}
	if v.request.Method != http.MethodPost {
		return d, nil
	}
	v.request.Body = http.MaxBytesReader(nil, v.request.Body, mostForm)
	if err := v.request.ParseMultipartForm(mostForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, fault.New(fault.BadRecord, "", "the form cannot be read", "a points file is text, and smaller than 2 MB", err)
	}
	table, err := v.drafted(d)
	if err == nil {
		d.points, err = engine.Compile(table)
	}
	if err != nil {
		d.Problems = problemsOf(err)
		return d, nil
	}
	d.table, d.Changes = table, changesOf(v.p.Table(), table)
	if d.points.Fingerprint() == v.p.Points().Fingerprint() {
		return d, nil // nobody's score differs
	}
	b, err := json.Marshal(table)
	if err != nil {
		return nil, err
	}
	// The same draft is tried once, however often somebody presses the button.
	name := fmt.Sprintf("points %s %x", v.language, sha256.Sum256(b))
	tried, err := hold(ctx, v, name, func(ctx context.Context, p *pipeline.Pipeline) (triedOut, error) {
		w, err := p.In(v.language).WhatIf(ctx, pipeline.Trial{Table: table, Name: v.t("試算中の配点", "the one tried out"), Months: triedMonths, Customers: triedCustomers}, "")
		if err != nil {
			return triedOut{}, err
		}
		return triedOut{paper.OfWhatIf(w, paper.WordsOf(p.Points(), table), v.language)}, nil
	})
	d.Outcome = tried.Document
	if errors.Is(err, context.DeadlineExceeded) {
		d.Failed, err = true, nil
	}
	return d, err
}

// drafted gives the table that the form holds: a file or a text, or the one in use with other numbers.
func (v *visit) drafted(d *pointsDraft) (*engine.PointsConfig, error) {
	name := v.t("貼り付けた配点表", "the pasted table")
	d.Text = v.request.PostFormValue("text")
	if file, head, err := v.request.FormFile("file"); err == nil {
		defer file.Close()
		b, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		if len(b) > 0 {
			d.Text, name = string(b), head.Filename
		}
	}
	if strings.TrimSpace(d.Text) != "" {
		return v.p.ParsePoints(name, d.Text)
	}
	d.Text = ""
	table, err := copyOf(v.p.Table())
	if err != nil {
		return nil, err
	}
	var ps fault.Problems
	for _, n := range numbersOf(table) {
		typed := strings.TrimSpace(v.request.PostFormValue(n.Path))
		if typed == "" { // what was not sent stays
			continue
		}
		value, err := strconv.ParseFloat(typed, 64)
		if err != nil {
			ps.Add(n.Path, "%s", v.t("「%s」は数ではありません", "%q is not a number", typed))
			continue
		}
		if value != n.Value {
			n.set(table, value)
		}
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return table, nil
}

// problemsOf lists what is wrong with a table, one line each.
func problemsOf(err error) []string {
	var placed config.Errors
	if errors.As(err, &placed) {
		list := make([]string, len(placed))
		for i, p := range placed {
			list[i] = p.String()
		}
		return list
	}
	var ps fault.Problems
	if errors.As(err, &ps) {
		list := make([]string, len(ps))
		for i, p := range ps {
			list[i] = p.Path + ": " + p.Msg
		}
		return list
	}
	return []string{err.Error()}
}
