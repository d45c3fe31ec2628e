package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"energyd/internal/pipeline"
	"energyd/sink"
)

// writePlanJSON writes a plan with all its changes as one JSON value on one line, a change at a
// time: a plan of a large company does not fit into memory.
func writePlanJSON(w io.Writer, sum sink.Summary, warnings []string, changes iter.Seq2[sink.Change, error]) error {
	head, err := json.Marshal(struct {
		sink.Summary
		Warnings []string `json:"warnings,omitempty"`
	}{sum, warnings})
	if err != nil {
		return err
	}
	write := func(parts ...[]byte) error {
		_, err := w.Write(bytes.Join(parts, nil))
		return err
	}
	if err := write(bytes.TrimSuffix(head, []byte("}")), []byte(`,"changes":[`)); err != nil {
		return err
	}
	separator := ""
	for c, err := range changes {
		if err != nil {
			return err
		}
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if err := write([]byte(separator), line); err != nil {
			return err
		}
		separator = ","
	}
	return write([]byte("]}\n"))
}

// writePlanPage writes all of a plan into a file, as a page for the browser.
func writePlanPage(ctx context.Context, p *pipeline.Pipeline, sum sink.Summary, file string) error {
	return keepFile(file, func(w io.Writer) error {
		t, broken := p.PlanTable(ctx, sum)
		return errors.Join(t.WriteHTML(w, p.Config().Language), broken())
	})
}
