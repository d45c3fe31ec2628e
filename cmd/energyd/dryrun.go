package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// dryRun is energyd pull --dry-run: what would be kept of each record, and nothing kept.
func (a *app) dryRun(ctx context.Context, p *pipeline.Pipeline, opt pipeline.DryRunOptions, names []string) error {
	out := bufio.NewWriter(a.out)
	sums, errs, err := p.DryRun(ctx, opt, func(s pipeline.Shown) error {
		line, err := shownJSON(s)
		if err == nil && a.json {
			_, err = out.Write(append(line, '\n'))
		} else if err == nil {
			err = printShown(out, s, line)
		}
		return err
	}, names...)
	if err != nil && len(sums) == 0 { // nothing was looked at
		return errors.Join(err, out.Flush())
	}
	if a.json {
		err = errors.Join(err, json.NewEncoder(out).Encode(map[string]any{"sources": sums}))
	} else {
		printDryRun(out, sums)
	}
	err = errors.Join(err, out.Flush())
	for _, e := range errs {
		if !a.json {
			a.printError(e)
		}
		a.code = exitFailed
	}
	return err
}

// shownJSON is a record of a dry run on one line: what would be kept stands under
// activity (as energyd export activities prints it), profile or reject.
func shownJSON(s pipeline.Shown) ([]byte, error) {
	type profile struct {
		Kind    string            `json:"kind"`
		ID      string            `json:"id"`
		Version int64             `json:"source_version"`
		Name    string            `json:"name,omitempty"`
		Account string            `json:"account_id,omitempty"`
		Title   string            `json:"title,omitempty"`
		Owner   string            `json:"owner,omitempty"`
		Parent  string            `json:"parent,omitempty"`
		Keys    map[string]string `json:"keys,omitempty"`
		Into    string            `json:"into,omitempty"`
		Deleted bool              `json:"deleted,omitempty"`
	}
	type reject struct {
		Key    string          `json:"key"`
		Origin string          `json:"origin,omitempty"`
		Code   string          `json:"code"`
		Reason string          `json:"reason"`
		Fields json.RawMessage `json:"fields,omitempty"`
	}
	line := struct {
		Source   string          `json:"source"`
		Key      string          `json:"key"`
		Origin   string          `json:"origin,omitempty"`
		Fate     pipeline.Fate   `json:"fate"`
		Reason   string          `json:"reason,omitempty"`
		Activity json.RawMessage `json:"activity,omitempty"`
		Profile  *profile        `json:"profile,omitempty"`
		Reject   *reject         `json:"reject,omitempty"`
		Personal []string        `json:"personal,omitempty"`
	}{Source: s.Source, Key: s.Key, Origin: s.Origin, Fate: s.Fate, Reason: s.Reason, Personal: s.Personal()}
	if s.Activity != nil {
		line.Activity = engine.AppendActivity(nil, *s.Activity)
	}
	if p := s.Profile; p != nil {
		line.Profile = &profile{p.Kind.String(), p.ID, p.Version, p.Name, p.Account, p.Title, p.Owner, p.Parent, p.Keys, p.Into, p.Deleted}
	}
	if r := s.Reject; r != nil {
		line.Reject = &reject{r.Key, r.Origin, r.Code, r.Reason, nil}
		if len(r.Fields) > 0 {
			line.Reject.Fields = store.FieldsJSON(r.Fields)
		}
	}
	return json.Marshal(line)
}

// printShown prints the same for people: each part of what would be kept, those that tell of a person with a star.
func printShown(out *bufio.Writer, s pipeline.Shown, line []byte) error {
	what := s.Key
	if s.Reason != "" {
		what += ": " + s.Reason
	}
	fmt.Fprintf(out, "%-10s %s %s\n", s.Fate, s.Source, what)
	var kept map[string]json.RawMessage
	if err := json.Unmarshal(line, &kept); err != nil {
		return err
	}
	personal := s.Personal()
	for _, name := range []string{"activity", "profile", "reject"} {
		if kept[name] == nil {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(kept[name]))
		if _, err := d.Token(); err != nil { // the brace
			return err
		}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return err
			}
			text := string(value)
			_ = json.Unmarshal(value, &text) // of a text what it says; all else stays JSON
			star := " "
			if slices.Contains(personal, key.(string)) {
				star = "*"
			}
			fmt.Fprintf(out, "         %s %s: %s\n", star, key, strings.ReplaceAll(text, "\n", " "))
		}
	}
	return nil
}

func printDryRun(out *bufio.Writer, sums []pipeline.DryRunSource) {
	fmt.Fprintln(out, "\n* tells of a person. Nothing was stored. A pull also keeps how far it read, and these numbers:")
	t := newTable("SOURCE", "READ", "NEW", "CHANGED", "UNCHANGED", "OLDER", "SUPERSEDED", "SKIPPED", "REJECTED").alignRight(1, 2, 3, 4, 5, 6, 7, 8)
	for _, s := range sums {
		row := []any{s.Source, s.Read}
		for _, f := range []pipeline.Fate{pipeline.New, pipeline.Changed, pipeline.Unchanged, pipeline.Older, pipeline.Superseded, pipeline.Skipped, pipeline.Rejected} {
			row = append(row, s.Fates[f])
		}
		t.row(row...)
	}
	t.print(out)
	for _, s := range sums {
		for _, reason := range slices.Sorted(maps.Keys(s.Skips)) {
			fmt.Fprintf(out, "%s: %d skipped: %s\n", s.Source, s.Skips[reason], reason)
		}
		if len(s.Unfound) > 0 {
			fmt.Fprintf(out, "%s: not known in the CRM, so left out: %s\n", s.Source, mostFrequent(s.Unfound, 8))
		}
		switch s.Again {
		case store.OtherMapping:
			fmt.Fprintf(out, "%s: its mapping has changed, so a pull reads everything again\n", s.Source)
		case store.Periodic:
			fmt.Fprintf(out, "%s: a pull reads everything again, and takes back what does not come again\n", s.Source)
		}
		if s.More {
			fmt.Fprintf(out, "%s: there is more; see it with a higher --limit. What other sources look up there may still be unknown\n", s.Source)
		}
	}
}
