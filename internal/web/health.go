package web

import (
	"context"
	"net/url"
	"slices"
	"time"

	"energyd/internal/store"
	"energyd/internal/web/signon"
)

// health is how the systems stand that energyd reads and writes.
type health struct {
	Alerts      []store.Alert     `json:"alerts"` // what is not as it should be, the latest first
	Sources     []sourceHealth    `json:"sources"`
	Written     []writtenHealth   `json:"written"` // what is written, by object
	Budgets     []store.SeenUsage `json:"budgets"` // of connections that count their calls
	Lost        []string          `json:"unconfigured,omitempty"`
	Connections []connectionRow   `json:"connections"`
	May         bool              `json:"-"`
}

// connectionRow is a connection of the configuration.
type connectionRow struct {
	Name string `json:"connection"`
	Kind string `json:"kind"` // "Salesforce"
}

// sourceHealth is how a source stands.
type sourceHealth struct {
	sourceRow
	Connection string       `json:"connection"`
	Checked    time.Time    `json:"verified_since,omitzero"` // since then all of what is verified was counted again
	LastRead   time.Time    `json:"last_read,omitzero"`      // by a run that came to its end
	Alert      *store.Alert `json:"alert"`                   // null: as it should be
	Next       *startRow    `json:"next"`                    // null: with the sync, or by hand
}

// writtenHealth is what energyd holds in one object of the CRM.
type writtenHealth struct {
	Writing string `json:"writing"` // "crm.Account"
	Records int    `json:"records"` // that hold values of ours
	Fields  int    `json:"fields"`
}

func viewHealth(ctx context.Context, v *visit) (*health, error) {
	s, err := v.p.Status(ctx)
	if err != nil {
		return nil, err
	}
	h := &health{Budgets: s.Budgets, Lost: s.Unconfigured, May: v.reader.MayAct(signon.Admin)}
	alerts, err := v.store().Alerts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		if a.State != string(store.OK) {
			h.Alerts = append(h.Alerts, a)
		}
	}
	slices.SortFunc(h.Alerts, func(a, b store.Alert) int { return b.Since.Compare(a.Since) })
	last, err := v.store().LastStarts(ctx)
	if err != nil {
		return nil, err
	}
	for i, src := range s.Sources {
		row := sourceHealth{sourceRow: sourceOf(src), Connection: v.p.Config().Sources[i].Connection, Checked: src.Checked}
		if l, ok := last.Of(src.Name); ok {
			row.LastRead = l.At
		}
		for _, a := range h.Alerts {
			if a.What == "source "+src.Name {
				row.Alert = &a
			}
		}
		for _, b := range s.Starts {
			if b.Source == src.Name {
				next := startOf(b)
				row.Next = &next
			}
		}
		h.Sources = append(h.Sources, row)
	}
	for _, c := range v.p.Config().Connections {
		h.Connections = append(h.Connections, connectionRow{c.Name, c.Connector.Title})
	}
	for _, w := range v.p.Config().Write {
		n, err := v.store().CountWritten(ctx, w.Name())
		if err != nil {
			return nil, err
		}
		h.Written = append(h.Written, writtenHealth{w.Name(), n, len(w.Fields)})
	}
	return h, nil
}

// StateText says how something stands.
func (h *health) StateText(state string) text { return worded(runStates, state) }

// Part is what of a connection's calls of 24 hours is used by all programs, 0 to 1.
func (h *health) Part(u store.SeenUsage) float64 {
	return float64(u.Used) / float64(max(u.Limit, 1))
}

// RejectsPath is the page of what is kept back of the source.
func (s sourceHealth) RejectsPath() string { return "/rejects?" + chosen{Source: s.Name}.Query() }

// StartPath is the page that asks whether to read the source now.
func (s sourceHealth) StartPath() string {
	return "/runs/start?" + url.Values{"source": {s.Name}}.Encode()
}
