package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/report"
	"energyd/internal/store"
)

// exports are what export knows, each with its CSV heads.
var exports = map[string][]string{
	"activities":  {"id", "source", "source_version", "date", "occurred_at", "kind", "direction", "status", "account_id", "contacts", "deals", "reps", "deleted", "mapping"},
	"scores":      {"entity", "id", "name", "temperature", "band", "band_until", "last_contact", "due"},
	"rejects":     {"source", "key", "code", "reason", "origin", "attempts", "run"},
	"unknown":     {"source", "what", "records"},
	"undelivered": {"date", "account_id", "account", "contact_id", "contact", "source", "record"},
	"runs":        {"run", "kind", "state", "started", "ended", "source", "read", "stored", "unchanged", "skipped", "rejected", "message"},
	"journal":     {"at", "who", "act", "run", "subject", "reason"},
}

var exportNames = []string{"activities", "scores", "rejects", "unknown", "undelivered", "runs", "journal"}

func (a *app) exportCommand() *cobra.Command {
	var format, since string
	var of store.JournalFilter
	c := &cobra.Command{
		Use:       "export activities|scores|rejects|unknown|undelivered|runs|journal",
		Short:     "Print what is stored, as JSON lines or CSV",
		ValidArgs: exportNames,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || exports[args[0]] == nil {
				what := ""
				if len(args) == 1 {
					what = fault.DidYouMean(args[0], exportNames)
				}
				return usage("export takes one of %s%s", strings.Join(exportNames, ", "), what)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if format != "jsonl" && format != "csv" {
				return usage("--format takes jsonl or csv")
			}
			if args[0] != "journal" && (since != "" || of.Act != "") {
				return usage("--since and --act are of export journal")
			}
			if of.Act != "" && !slices.Contains(store.Acts, of.Act) {
				return usage("--act takes one of %s%s", strings.Join(store.Acts, ", "), fault.DidYouMean(of.Act, store.Acts))
			}
			if since != "" {
				day, err := time.Parse(time.DateOnly, since)
				if err != nil {
					return usage("--since takes a day as 2026-03-01")
				}
				of.Since = day
			}
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				buffered := bufio.NewWriter(a.out)
				w := &rowWriter{w: buffered, heads: exports[args[0]]}
				if format == "csv" {
					if _, err := buffered.WriteString("\uFEFF"); err != nil { // Excel reads UTF-8 only with this mark
						return err
					}
					w.csv = csv.NewWriter(buffered)
					if err := w.csv.Write(w.heads); err != nil {
						return err
					}
				}
				if err := exportRows(ctx, p, args[0], of, w); err != nil {
					return err
				}
				if w.csv != nil {
					w.csv.Flush()
				}
				return buffered.Flush()
			})
		},
	}
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl or csv")
	c.Flags().StringVar(&since, "since", "", "of the journal: from this day on, as YYYY-MM-DD (UTC)")
	c.Flags().StringVar(&of.Act, "act", "", "of the journal: only this act, as apply, undo, config, erase (docs/journal.md)")
	return a.withAsOf(c)
}

// rowWriter writes rows as JSON objects or CSV records.
type rowWriter struct {
	w     *bufio.Writer
	csv   *csv.Writer // nil for JSON lines
	heads []string
}

// row writes one row; json, when given, is the JSON form of it.
func (w *rowWriter) row(jsonLine []byte, cells ...string) error {
	if w.csv != nil {
		for i, c := range cells {
			cells[i] = report.Unformula(c)
		}
		return w.csv.Write(cells)
	}
	if jsonLine == nil {
		m := make(map[string]string, len(cells))
		for i, c := range cells {
			m[w.heads[i]] = c
		}
		var err error
		if jsonLine, err = json.Marshal(m); err != nil {
			return err
		}
	}
	_, err := w.w.Write(append(jsonLine, '\n'))
	return err
}

func exportRows(ctx context.Context, p *pipeline.Pipeline, what string, of store.JournalFilter, w *rowWriter) error {
	switch what {
	case "activities":
		return exportActivities(ctx, p, w)
	case "scores":
		return exportScores(ctx, p, w)
	case "rejects":
		for r, err := range p.Store().Rejects(ctx, "") {
			if err != nil {
				return err
			}
			line, err := json.Marshal(map[string]any{"source": r.Source, "key": r.Key, "code": r.Code, "reason": r.Reason, "origin": r.Origin, "attempts": r.Attempts, "run": r.Run, "fields": r.Fields})
			if err != nil {
				return err
			}
			if err := w.row(line, r.Source, r.Key, r.Code, r.Reason, r.Origin, strconv.Itoa(r.Attempts), r.Run); err != nil {
				return err
			}
		}
		return exportRefused(ctx, p, w)
	case "unknown":
		list, err := p.Store().Unfound(ctx)
		if err != nil {
			return err
		}
		for _, u := range list {
			line, err := json.Marshal(u)
			if err != nil {
				return err
			}
			if err := w.row(line, u.Source, u.What, strconv.Itoa(u.Records)); err != nil {
				return err
			}
		}
		return nil
	case "undelivered":
		for u, err := range p.Undelivered(ctx) {
			if err != nil {
				return err
			}
			if err := w.row(nil, u.Date, u.Account, u.AccountName, u.Contact, u.Name, u.Source, u.Record); err != nil {
				return err
			}
		}
		return nil
	case "journal":
		entries, err := p.Store().Journal(ctx, of)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := w.row(nil, timestamp(e.At), e.Who, e.Act, e.Run, e.Subject, e.Reason); err != nil {
				return err
			}
		}
		return nil
	}
	return exportRuns(ctx, p, w)
}

// exportRefused adds the changes of the last applied plan that the CRM refused.
func exportRefused(ctx context.Context, p *pipeline.Pipeline, w *rowWriter) error {
	run, refused, err := p.Store().Refused(ctx, false, time.Now())
	if err != nil {
		return err
	}
	for _, c := range refused {
		line, err := json.Marshal(map[string]any{"source": c.Writing, "key": c.ID, "code": c.State, "reason": c.Error, "origin": c.Name, "run": run, "fields": c.Fields})
		if err != nil {
			return err
		}
		if err := w.row(line, c.Writing, c.ID, string(c.State), c.Error, c.Name, "", run); err != nil {
			return err
		}
	}
	return nil
}

func exportActivities(ctx context.Context, p *pipeline.Pipeline, w *rowWriter) error {
	var line []byte
	for act, err := range p.Store().Activities(ctx) {
		if err != nil {
			return err
		}
		line = engine.AppendActivity(line[:0], act)
		at := ""
		if !act.At.IsZero() {
			at = act.At.UTC().Format("2006-01-02T15:04:05Z")
		}
		contacts := make([]engine.Share, len(act.People))
		for i, person := range act.People {
			contacts[i].ID = person.Contact
		}
		err := w.row(line, act.ID, act.Source, strconv.FormatInt(act.Version, 10), p.Points().DateOf(&act).String(), at, act.Kind,
			act.Direction.String(), act.Status.String(), act.Account, ids(contacts), ids(act.Deals), ids(act.Reps), strconv.FormatBool(act.Deleted), act.Mapping)
		if err != nil {
			return err
		}
	}
	return nil
}

func ids(shares []engine.Share) string {
	s := ""
	for _, x := range shares {
		if s != "" && x.ID != "" {
			s += " "
		}
		s += x.ID
	}
	return s
}

// scoreExtra is what a line of stored scores has beside what energyd score prints.
type scoreExtra struct {
	Name        string `json:"name"`
	BandUntil   string `json:"band_until,omitempty"`
	LastContact string `json:"last_contact,omitempty"`
}

func exportScores(ctx context.Context, p *pipeline.Pipeline, w *rowWriter) error {
	var line []byte
	for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep, engine.CompanyGroup} {
		for s, err := range p.Scores(ctx, kind) {
			if err != nil {
				return err
			}
			profile, _, err := p.Store().Profile(ctx, s.Entity)
			if err != nil {
				return err
			}
			more, err := json.Marshal(scoreExtra{profile.Name, s.BandUntil.String(), s.Last.String()})
			if err != nil {
				return err
			}
			line = engine.AppendScore(line[:0], s, p.Points())
			line = append(append(line[:len(line)-1], ','), more[1:]...)
			err = w.row(line, kind.String(), s.ID, profile.Name, fmt.Sprintf("%.3f", s.Temperature), p.Points().Band(s.Band).Name, s.BandUntil.String(), s.Last.String(), s.Due.String())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func exportRuns(ctx context.Context, p *pipeline.Pipeline, w *rowWriter) error {
	runs, err := p.Store().Runs(ctx, math.MaxInt32)
	if err != nil {
		return err
	}
	for _, r := range runs {
		line, err := json.Marshal(runJSON(r))
		if err != nil {
			return err
		}
		if w.csv == nil {
			if err := w.row(line); err != nil {
				return err
			}
			continue
		}
		for _, s := range r.Sources {
			err := w.row(nil, r.ID, r.Kind, string(r.State), timestamp(r.Started), timestamp(r.Ended), s.Source,
				strconv.Itoa(s.Read), strconv.Itoa(s.Stored), strconv.Itoa(s.Unchanged), strconv.Itoa(s.Skipped), strconv.Itoa(s.Rejected), r.Message)
			if err != nil {
				return err
			}
		}
		if len(r.Sources) == 0 {
			if err := w.row(nil, r.ID, r.Kind, string(r.State), timestamp(r.Started), timestamp(r.Ended), "", "", "", "", "", "", r.Message); err != nil {
				return err
			}
		}
	}
	return nil
}
