package salesforce

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// What sObject collections carry in one call.
const (
	writeSize = 200
	readSize  = 2000
)

// WriteSize is the limit of sObject collections.
func (c *Conn) WriteSize() int { return writeSize }

// Current reads fields of the records ids. A text that is no record id, and a
// record that is deleted or hidden from the run-as user, is Missing.
func (c *Conn) Current(ctx context.Context, object string, ids, fields []string) ([]connectors.Row, error) {
	held := make(map[string]map[string]any, len(ids))
	var asked []string
	for _, id := range ids {
		long := longID(id)
		if _, twice := held[long]; long != "" && !twice {
			held[long] = nil
			asked = append(asked, long)
		}
	}
	for chunk := range slices.Chunk(asked, readSize) {
		var rows []map[string]any
		err := c.call(ctx, call{
			op: "read " + object, method: http.MethodPost, path: "/composite/sobjects/" + url.PathEscape(object),
			body: map[string]any{"ids": chunk, "fields": fields},
		}, &rows)
		if err == nil && len(rows) != len(chunk) {
			err = fault.New(fault.Unavailable, "read "+object, fmt.Sprintf("the org answered %d rows for %d ids", len(rows), len(chunk)), "", nil)
		}
		if err != nil {
			return nil, err
		}
		for i, id := range chunk {
			held[id] = rows[i]
		}
	}
	all := make([]connectors.Row, len(ids))
	for i, id := range ids {
		row := held[longID(id)]
		all[i] = connectors.Row{ID: id, Missing: row == nil}
		if row == nil {
			continue
		}
		all[i].Values = make(map[string]any, len(fields))
		for _, f := range fields {
			all[i].Values[f] = entry(row, f)
		}
	}
	return all, nil
}

// Write sends updates, 200 a call, and follows up what may heal at once: rows
// that were locked, and chunks in which one record's automation failed all.
// After a call that failed as a whole, what is not known of is Deferred with its fault.
func (c *Conn) Write(ctx context.Context, object string, updates []connectors.Update) ([]connectors.Result, error) {
	w := &writing{Conn: c, object: object, updates: updates, results: make([]connectors.Result, len(updates))}
	err := w.all(ctx)
	if err != nil && !w.answered {
		return nil, err
	}
	for i, r := range w.results {
		if r.Outcome == "" {
			w.results[i] = connectors.Result{Outcome: connectors.Deferred, Err: err}
		}
	}
	return w.results, nil
}

// writing is one Write under way. Chunks are positions in updates.
type writing struct {
	*Conn
	object  string
	updates []connectors.Update
	results []connectors.Result // without an outcome: not known yet
	locked  []int

	answered bool // at least one call
}

// all sends everything. Without an error every result is known.
func (w *writing) all(ctx context.Context) error {
	for _, chunk := range w.chunks() {
		if err := w.send(ctx, chunk); err != nil {
			return err
		}
	}
	return w.unlock(ctx)
}

// chunks cuts the updates into calls, in their order. What must not leave is
// rejected here; a record comes once in a call at most, since the org refuses
// or merges doubles.
func (w *writing) chunks() [][]int {
	var all [][]int
	var chunk []int
	inside := map[string]bool{}
	for i, u := range w.updates {
		id := longID(u.ID)
		if reason := unfit(id, u); reason != "" {
			w.results[i] = connectors.Result{Outcome: connectors.Rejected,
				Err: fault.New(fault.Rejected, "write "+w.object, reason, "this is a bug of energyd or of its configuration", nil)}
			continue
		}
		if len(chunk) == writeSize || inside[id] {
			all, chunk = append(all, chunk), nil
			clear(inside)
		}
		chunk, inside[id] = append(chunk, i), true
	}
	if len(chunk) > 0 {
		all = append(all, chunk)
	}
	return all
}

func unfit(id string, u connectors.Update) string {
	if id == "" {
		return fmt.Sprintf("%q is not a record id", u.ID)
	}
	for name, v := range u.Values {
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return fmt.Sprintf("the value of %s is not a number: %v", name, f)
		}
	}
	return ""
}

// send writes one chunk and notes its results by position: a failed row need not name its id.
func (w *writing) send(ctx context.Context, chunk []int) error {
	records := make([]map[string]any, len(chunk))
	for n, i := range chunk {
		u := w.updates[i]
		record := map[string]any{"attributes": map[string]string{"type": w.object}, "id": longID(u.ID)}
		for name, v := range u.Values {
			if t, ok := v.(time.Time); ok {
				v = instant(t)
			}
			record[name] = v
		}
		records[n] = record
	}
	var answer []struct {
		Success bool       `json:"success"`
		Errors  []apiError `json:"errors"`
	}
	err := w.call(ctx, call{
		op: "write " + w.object, method: http.MethodPatch, path: "/composite/sobjects",
		body: map[string]any{"allOrNone": false, "records": records},
	}, &answer)
	if err == nil && len(answer) != len(chunk) {
		err = fault.New(fault.Unavailable, "write "+w.object, fmt.Sprintf("the org answered %d results for %d rows", len(answer), len(chunk)), "", nil)
	}
	if err != nil {
		return err
	}
	w.answered = true
	automation := 0
	for n, i := range chunk {
		switch {
		case answer[n].Success:
			w.results[i] = connectors.Result{Outcome: connectors.Written}
			continue
		case len(answer[n].Errors) == 0:
			answer[n].Errors = []apiError{{StatusCode: "UNKNOWN_EXCEPTION", Message: "the org gave no reason"}}
		}
		said := &answer[n].Errors[0]
		w.results[i] = judge(w.object, said)
		if isLock(said) {
			w.locked = append(w.locked, i)
		} else if said.code() == automationFailed {
			automation++
		}
	}
	// The org runs automation on the whole call: one record can fail all others,
	// so nothing is known of any until it is sent among fewer.
	if automation == len(chunk) && len(chunk) > 1 {
		for _, i := range chunk {
			w.results[i] = connectors.Result{}
		}
		half := len(chunk) / 2
		if err := w.send(ctx, chunk[:half]); err != nil {
			return err
		}
		return w.send(ctx, chunk[half:])
	}
	return nil
}

const (
	automationFailed = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
	lockCode         = "UNABLE_TO_LOCK_ROW"
	lockAttempts     = 5 // in all
)

func isLock(e *apiError) bool {
	return e.code() == lockCode || e.code() == automationFailed && strings.Contains(e.Message, lockCode)
}

// unlock sends locked rows again, in ever smaller calls after ever longer
// pauses: somebody works on the same account. What stays locked, or cannot be
// sent, stays deferred. Rows keep their order, so those of one account stay
// together if the caller sorted them so.
func (w *writing) unlock(ctx context.Context) error {
	size, pause := writeSize, w.pause
	for attempt := 1; attempt < lockAttempts && len(w.locked) > 0; attempt++ {
		timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		size, pause = max(size/4, 1), 2*pause
		again := w.locked
		w.locked = nil
		for chunk := range slices.Chunk(again, size) {
			if err := w.send(ctx, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge is the table of row-level errors: salesforce.md section 14.
func judge(object string, said *apiError) connectors.Result {
	is := func(outcome connectors.Outcome, kind fault.Kind, msg, hint string) connectors.Result {
		return connectors.Result{Outcome: outcome, Err: fault.New(kind, "write "+object, msg, hint, said)}
	}
	if isLock(said) {
		return is(connectors.Deferred, fault.Unavailable, "somebody else is changing the record or its account", "")
	}
	switch said.code() {
	case "ENTITY_IS_LOCKED":
		return is(connectors.Deferred, fault.Unavailable, "the record is locked by an approval", "")
	case "UNKNOWN_EXCEPTION", "REQUEST_RUNNING_TOO_LONG", "TOO_MANY_APEX_REQUESTS", "SERVER_UNAVAILABLE",
		"ALL_OR_NONE_OPERATION_ROLLED_BACK":
		return is(connectors.Deferred, fault.Unavailable, "the org could not save the record this time", "")
	case "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY":
		return is(connectors.Rejected, fault.Rejected, "the record is gone, or hidden from the run-as user", "")
	case "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY":
		return is(connectors.Rejected, fault.Rejected, "the run-as user may not edit the record", "give it Edit for the object and access to the record")
	case "INVALID_FIELD_FOR_INSERT_UPDATE":
		return is(connectors.Rejected, fault.Rejected, "the run-as user may not edit a field", hintFLS)
	case "FIELD_CUSTOM_VALIDATION_EXCEPTION":
		return is(connectors.Rejected, fault.Rejected, "a validation rule of the org refuses the record", "correct the record, or let the rule pass changes by the run-as user")
	case automationFailed:
		return is(connectors.Rejected, fault.Rejected, "an automation of the org fails on the record", "show the words below to who maintains the org's flows and triggers")
	}
	return is(connectors.Rejected, fault.Rejected, "the org refused the record", "")
}
