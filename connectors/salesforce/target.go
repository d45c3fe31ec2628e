package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/httpclient"
)

// What sObject collections carry, and how many of them one composite call does.
const (
	writeSize = 200
	readSize  = 2000
	together  = 5
)

// WriteSize is what one composite call of collections carries.
func (c *Conn) WriteSize() int { return together * writeSize }

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
	columns := fields
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, "Id") }) {
		columns = append([]string{"Id"}, fields...)
	}
	for chunk := range slices.Chunk(asked, readSize) {
		var rows []map[string]any
		err := c.call(ctx, call{
			op: "read " + object, method: http.MethodPost, path: "/composite/sobjects/" + url.PathEscape(object),
			body: map[string]any{"ids": chunk, "fields": columns},
		}, &rows)
		if err != nil {
			return nil, err
		}
		// By id: what is missing may be null or left out.
		for _, row := range rows {
			id, _ := entry(row, "Id").(string)
			if id = longID(id); row != nil && id == "" {
				return nil, fault.New(fault.Unavailable, "read "+object, "the org answered a row without an id", "", nil)
			}
			held[id] = row
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

// Write sends updates, 200 a collection and five collections a call, and follows up what may heal at once: rows
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

	answered bool  // at least one call
	stopped  error // what every other record would meet too
	guilty   int   // records in a row that the org's automation failed on alone
}

// all sends everything. Without an error every result is known.
func (w *writing) all(ctx context.Context) error {
	if err := w.groups(ctx, w.chunks()); err != nil {
		return err
	}
	return w.unlock(ctx)
}

// groups sends chunks, several a call while the org takes that.
func (w *writing) groups(ctx context.Context, chunks [][]int) error {
	for group := range slices.Chunk(chunks, together) {
		if len(group) > 1 && !w.singly.Load() {
			if err := w.sendTogether(ctx, group); err != nil {
				return err
			}
			continue
		}
		for _, chunk := range group {
			if err := w.send(ctx, chunk); err != nil {
				return err
			}
		}
	}
	return nil
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
			w.results[i] = neverSent(w.object, reason)
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

// neverSent is the result of an update that must not leave.
func neverSent(object, reason string) connectors.Result {
	return connectors.Result{Outcome: connectors.Rejected,
		Err: fault.New(fault.Rejected, "write "+object, reason, "this is a bug of energyd or of its configuration", nil)}
}

// unfit tells why an update must not leave; "" when it may.
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

// rowResult is the org's answer to one row of a collection.
type rowResult struct {
	Success bool       `json:"success"`
	Errors  []apiError `json:"errors"`
}

const collections = "/composite/sobjects"

// collection is the body that writes a chunk.
func (w *writing) collection(chunk []int) map[string]any {
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
	return map[string]any{"allOrNone": false, "records": records}
}

// send writes one chunk.
func (w *writing) send(ctx context.Context, chunk []int) error {
	var answer []rowResult
	if err := w.call(ctx, call{op: "write " + w.object, method: http.MethodPatch, path: collections, body: w.collection(chunk)}, &answer); err != nil {
		return err
	}
	return w.note(ctx, chunk, answer)
}

// sendTogether writes several chunks by one call, one after the other. An org
// that does not take collections so gets them singly from then on.
func (w *writing) sendTogether(ctx context.Context, group [][]int) error {
	type request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
		Ref    string `json:"referenceId"`
		Body   any    `json:"body"`
	}
	requests := make([]request, len(group))
	for n, chunk := range group {
		requests[n] = request{http.MethodPatch, "/services/data/" + w.cfg.APIVersion + collections, fmt.Sprintf("c%d", n), w.collection(chunk)}
	}
	var answer struct {
		Parts []struct {
			Body   json.RawMessage `json:"body"`
			Status int             `json:"httpStatusCode"`
			Ref    string          `json:"referenceId"`
		} `json:"compositeResponse"`
	}
	op := "write " + w.object
	err := w.call(ctx, call{op: op, method: http.MethodPost, path: "/composite",
		// Not collated: that could put chunks into one transaction, where a broken trigger fails them all.
		body: map[string]any{"allOrNone": false, "collateSubrequests": false, "compositeRequest": requests}}, &answer)
	if err == nil && len(answer.Parts) != len(group) {
		err = fault.New(fault.Unavailable, op, fmt.Sprintf("the org answered %d of %d parts", len(answer.Parts), len(group)), "", nil)
	}
	parts := make([][]rowResult, len(group))
	refused := 0
	var partErr error
	for _, p := range answer.Parts {
		var n int
		if _, scanErr := fmt.Sscanf(p.Ref, "c%d", &n); scanErr != nil || n < 0 || n >= len(group) {
			err = fault.New(fault.Unavailable, op, "the org answered to a part that was not sent", "", nil)
			break
		}
		if p.Status != http.StatusOK {
			why := classify(httpclient.Response{Status: p.Status, Body: p.Body})
			if why == nil {
				why = fault.New(fault.Unavailable, op, fmt.Sprintf("the org answered %d to a part", p.Status), "", nil)
			}
			if fault.KindOf(why) == fault.Config {
				refused++
			}
			partErr = why
			continue
		}
		if jsonErr := json.Unmarshal(p.Body, &parts[n]); jsonErr != nil {
			partErr = fault.New(fault.Unavailable, op, "the answer has not the form that Salesforce documents", "", jsonErr)
		}
	}
	// What an org does not take so at all, it may take singly; if it is the records, that tells it too.
	if err != nil && fault.KindOf(err) == fault.Config || refused == len(group) {
		w.singly.Store(true)
		return w.groups(ctx, group)
	}
	if err != nil {
		return err
	}
	for n, chunk := range group { // each, also after one that says to stop: it may be written
		if parts[n] == nil && partErr != nil {
			continue
		}
		if noteErr := w.note(ctx, chunk, parts[n]); err == nil {
			err = noteErr
		}
	}
	if err == nil {
		err = partErr
	}
	return err
}

// note keeps the results of a chunk by position: a failed row need not name its id.
func (w *writing) note(ctx context.Context, chunk []int, answer []rowResult) error {
	if len(answer) != len(chunk) {
		return fault.New(fault.Unavailable, "write "+w.object, fmt.Sprintf("the org answered %d results for %d rows", len(answer), len(chunk)), "", nil)
	}
	w.answered = true
	automation, denied := 0, 0
	for n, i := range chunk {
		switch {
		case answer[n].Success:
			w.results[i] = connectors.Result{Outcome: connectors.Written}
			w.guilty = 0
			continue
		case len(answer[n].Errors) == 0:
			answer[n].Errors = []apiError{{StatusCode: "UNKNOWN_EXCEPTION", Message: "the org gave no reason"}}
		}
		said := &answer[n].Errors[0]
		w.results[i] = judge(w.object, said)
		switch {
		case isLock(said):
			w.locked = append(w.locked, i)
		case said.code() == automationFailed:
			automation++
		case noAccess(said):
			denied++
		case stops(w.results[i]):
			w.stopped = w.results[i].Err
		}
	}
	if denied == len(chunk) && denied >= wholesale {
		for n, i := range chunk {
			w.results[i] = accessDenied(w.object, &answer[n].Errors[0])
			w.stopped = w.results[i].Err
		}
	}
	if w.stopped != nil {
		return w.stopped
	}
	// The org runs automation on the whole collection: one record can fail all others,
	// so nothing is known of any until it is sent among fewer.
	switch {
	case automation < len(chunk):
	case len(chunk) == 1:
		w.guilty++
	case w.guilty >= guiltyInARow: // it fails on any: to look for more costs calls, and finds no healthy record
		for n, i := range chunk {
			w.results[i] = connectors.Result{Outcome: connectors.Deferred, Class: connectors.BadData, Err: fault.New(fault.Unavailable, "write "+w.object,
				"an automation of the org fails on one record after the other", verdicts[automationFailed].hint, &answer[n].Errors[0])}
		}
	default:
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

// guiltyInARow is how many records in a row automation may fail on alone until it is taken to fail on any.
const guiltyInARow = 20

const (
	lockAttempts = 5  // in all
	lockCalls    = 25 // of one attempt: somebody who keeps a large account locked shall not cost a day's calls
)

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
		size, pause = min(writeSize, max(size/4, (len(w.locked)+lockCalls-1)/lockCalls)), 2*pause
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

// ChangedSince asks for the records by their stamp, live ones only: one call,
// and one more for each 2,000 records. It gives each by both forms of its id.
func (c *Conn) ChangedSince(ctx context.Context, object string, since time.Time, fields []string, most int) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		path := "/query"
		query := url.Values{"q": {fmt.Sprintf("SELECT Id,%s FROM %s WHERE SystemModstamp >= %s", strings.Join(fields, ","), object, literal(since))}}
		for path != "" {
			var page struct {
				Total   int              `json:"totalSize"`
				Records []map[string]any `json:"records"`
				Next    string           `json:"nextRecordsUrl"`
			}
			op := "look for changes of " + object
			err := c.call(ctx, call{op: op, method: http.MethodGet, path: path, query: query,
				header: map[string]string{"Sforce-Query-Options": fmt.Sprintf("batchSize=%d", readSize)}}, &page)
			if err == nil && page.Total > most {
				err = fault.New(fault.Conflict, op, fmt.Sprintf("%d records were changed", page.Total), "", nil)
			}
			if err != nil {
				yield(connectors.Row{}, err)
				return
			}
			for _, record := range page.Records {
				id, _ := record["Id"].(string)
				values := make(map[string]any, len(fields))
				for _, f := range fields {
					values[f] = entry(record, f)
				}
				for _, form := range []string{id, id[:min(15, len(id))]} { // the API's, and that of people's lists
					if !yield(connectors.Row{ID: form, Values: values}, nil) {
						return
					}
				}
			}
			path, query = page.Next, nil
		}
	}
}
