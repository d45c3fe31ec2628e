package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// A window of very many rows is read by a bulk query job: salesforce.md section
// 12. The cursor holds the job's id before anything is waited for, and then the
// place in its results, so that whoever is killed goes on there. The results are
// frozen: a job that is gone or failed is replaced by a new one, which begins
// the window again; of the rows that come twice nothing is counted twice.
const (
	resultRows = 50_000 // of one page of results: one call
	mostJobs   = 3      // that may come to nothing, before the round is read page by page
	longestJob = 100_000
	// What is read ahead, and what one Read gives at most, whatever the limit:
	// texts may have 131,072 characters.
	chunkRows  = 1000
	chunkBytes = 1 << 20
	aheadOf    = 4 // chunks
	batchBytes = 16 << 20
)

// inBulk tells whether a bulk file holds the column, and in a form from which
// the same value comes as by REST. What a bulk file does not tell apart is read
// by REST: compounds, and values whose type depends on the record.
func (c column) inBulk() bool {
	switch c.typ {
	case "id", "string", "textarea", "phone", "email", "url", "picklist", "multipicklist", "combobox", "reference",
		"boolean", "int", "long", "double", "currency", "percent", "date", "datetime", "time", "encryptedstring":
		return true
	case "":
		return c.ofAnybody()
	}
	return false
}

// mayBulk tells whether a job may read w. Who asks for one row wants to see that it can be read.
func (r *reading) mayBulk(w *window) bool {
	return r.conn.cfg.BulkFrom > 0 && r.byBulk && r.limit > 1 && w.Failed < mostJobs &&
		len(r.statement(r.selected, r.rest(w))) <= longestJob
}

// openJob hands the open window to a job. An org that refuses one has the window read page by page.
func (r *reading) openJob(ctx context.Context) error {
	w := r.cur.Open
	api := r.conn.cfg.APIVersion
	var made struct{ ID string }
	err := r.conn.call(ctx, call{op: "read " + r.object, method: http.MethodPost, path: "/jobs/query", body: map[string]string{
		"operation": "queryAll", // archived and deleted rows too, as by REST
		"query":     r.statement(r.selected, r.rest(w)),
		// No ORDER BY: it keeps the org from cutting the query up, which is what makes it fast.
		"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
	}}, &made)
	switch {
	case err == nil && made.ID != "":
		w.Job = &job{ID: made.ID, API: api}
	case err == nil || hopeless(err):
		r.conn.log.Warn("The org does not read this by a bulk job; it is read page by page.", "object", r.object, "error", err)
		w.Failed = mostJobs
	default:
		return err
	}
	return r.done(ctx)
}

// hopeless tells whether the org will never do what it refused.
func hopeless(err error) bool {
	switch fault.KindOf(err) {
	case fault.Config, fault.Conflict, fault.Rejected:
		return true
	}
	return hasCode(err, "FUNCTIONALITY_NOT_ENABLED", "INSUFFICIENT_ACCESS", "LIMIT_EXCEEDED")
}

// anotherJob gives up the window's job for a new one, or for pages after some.
func (r *reading) anotherJob(ctx context.Context, why error) error {
	w := r.cur.Open
	r.conn.log.Warn("A bulk job came to nothing; its window is read again.", "object", r.object, "job", w.Job.ID, "error", why)
	r.source.file.stop()
	r.source.file = nil
	if err := r.conn.deleteJob(ctx, *w.Job); err != nil {
		return err
	}
	w.Job = nil
	if w.Failed++; w.Failed < mostJobs {
		return r.openJob(ctx)
	}
	return r.done(ctx)
}

// readFile gives rows of the open window's job. The first call waits for the
// job; the last but one only says that all is read, and the last deletes the
// job: as the caller reads one batch ahead, its rows are kept by then.
func (r *reading) readFile(ctx context.Context) error {
	w := r.cur.Open
	if w.Job.Done {
		if err := r.conn.deleteJob(ctx, *w.Job); err != nil {
			return err
		}
		r.finish()
		return r.done(ctx)
	}
	f := r.source.file
	if f == nil || f.at != r.after {
		f.stop()
		r.source.file = nil
		total, err := r.conn.finishedJob(ctx, r.object, *w.Job)
		if err != nil && hopeless(err) {
			return r.anotherJob(ctx, err)
		} else if err != nil {
			return err
		}
		f = r.open(ctx, *w.Job, total)
		r.source.file = f
	}
	f.at = "" // if this Read fails, it is repeated from its cursor
	for bytes := 0; len(r.batch.Records) < r.limit && bytes < batchBytes; {
		if len(f.now.rows) == 0 && f.now.err == nil {
			select {
			case f.now = <-f.ahead:
			case <-ctx.Done():
				return fault.New(fault.Unavailable, "read "+r.object, "stopped before the answer came", "", ctx.Err())
			}
		}
		if f.now.err == io.EOF && len(r.batch.Records) > 0 {
			break // the end is a batch of its own, so that its rows are kept before the job is deleted
		}
		switch err := f.now.err; {
		case err == nil && f.now.at.Before+f.now.at.Row+len(f.now.rows) > f.total:
			return r.mismatch(ctx, fmt.Sprintf("the org's bulk job has %d rows, its results more", f.total))
		case err == io.EOF:
			w.Job.Before, w.Job.Row, w.Job.Done = f.now.at.Before, 0, true
			if w.Job.Before != f.total {
				return r.mismatch(ctx, fmt.Sprintf("the org's bulk job has %d rows, its results %d", f.total, w.Job.Before))
			}
		case err != nil && hopeless(err):
			return r.anotherJob(ctx, err)
		case errors.Is(err, errRows):
			return r.mismatch(ctx, err.Error())
		case err != nil:
			f.stop()
			r.source.file = nil
			return err
		}
		if w.Job.Done {
			break
		}
		n := min(r.limit-len(r.batch.Records), len(f.now.rows))
		for _, row := range f.now.rows[:n] {
			if err := r.give(row); err != nil {
				return err
			}
		}
		bytes += f.now.bytes * n / len(f.now.rows)
		f.now.bytes -= f.now.bytes * n / len(f.now.rows)
		f.now.rows = f.now.rows[n:]
		f.now.at.Row += n
		*w.Job = f.now.at
	}
	if err := r.done(ctx); err != nil {
		return err
	}
	f.at = r.batch.Next
	return nil
}

// mismatch ends the reading: rows are missing, or there are too many (C31). The
// job is deleted, so that the next reading makes a new one.
func (r *reading) mismatch(ctx context.Context, msg string) error {
	r.source.file.stop()
	r.source.file = nil
	if err := r.conn.deleteJob(ctx, *r.cur.Open.Job); err != nil {
		return err
	}
	return fault.New(fault.Unavailable, "read "+r.object, msg, "the next run reads them again; if that does not help, set bulk_from: 0", nil)
}

// deleteJob deletes a query job; one that is gone already is fine, and so is one that stays: the org keeps it for a week.
func (c *Conn) deleteJob(ctx context.Context, j job) error {
	err := c.call(ctx, call{op: "delete bulk job " + j.ID, method: http.MethodDelete, path: j.path()}, nil)
	if err != nil && !hasCode(err, "NOT_FOUND") && ctx.Err() == nil {
		c.log.Warn("A bulk job could not be deleted; the org drops it after a week.", "job", j.ID, "error", err)
	}
	if ctx.Err() != nil {
		return err
	}
	return nil
}

// path is the job's address; its results have the API version that it was made with (S102).
func (j job) path() string { return "/services/data/" + j.API + "/jobs/query/" + url.PathEscape(j.ID) }

// patience is how long one run waits for a job, in units of the connection's pause, a second.
const patience = 2 * 3600

// pollPause is the wait after the nth look at a job: from 0.2 s to 30 s. Each look is a call (C52).
func (c *Conn) pollPause(n int) time.Duration {
	return min(c.pause/5<<min(n, 10), 30*c.pause)
}

// finishedJob waits until the org has worked a job off, and tells how many rows it has.
func (c *Conn) finishedJob(ctx context.Context, object string, j job) (rows int, err error) {
	op := "read " + object
	waited := time.Duration(0)
	for n := 0; ; n++ {
		var info struct {
			State        string
			ErrorMessage string
			Rows         int `json:"numberRecordsProcessed"`
		}
		if err := c.call(ctx, call{op: op, method: http.MethodGet, path: j.path()}, &info); err != nil {
			return 0, err
		}
		switch info.State {
		case "JobComplete":
			return info.Rows, nil
		case "Failed", "Aborted":
			return 0, fault.New(fault.Conflict, op, "the org's bulk job ended as "+info.State+": "+info.ErrorMessage, "", nil)
		}
		if waited > patience*c.pause {
			return 0, fault.New(fault.Unavailable, op, "the org has not worked off its bulk job yet", "the next run goes on; Setup → Bulk Data Load Jobs shows it", nil)
		}
		pause := c.pollPause(n)
		waited += pause
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, fault.New(fault.Unavailable, op, "stopped before the org's bulk job was done", "", ctx.Err())
		}
	}
}

// file is the results of a job, read ahead by a goroutine that ends with stop.
type file struct {
	at     connectors.Cursor // the Read that goes on with it
	total  int               // rows that the job has
	now    chunk
	ahead  chan chunk
	cancel context.CancelFunc
	ended  chan struct{}
}

// chunk is some rows of a file, with the place of the first; or why there are
// no more: io.EOF when all are read.
type chunk struct {
	rows  [][]any
	bytes int // of their cells
	at    job
	err   error
}

// open reads the results of a job from the place at on. It outlives ctx, which is that of one Read.
func (s *source) open(ctx context.Context, at job, total int) *file {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &file{total: total, ahead: make(chan chunk, aheadOf), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		err := s.download(ctx, &at, func(c chunk) error {
			select {
			case f.ahead <- c:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		select {
		case f.ahead <- chunk{at: at, err: err}:
		case <-ctx.Done():
		}
	}()
	return f
}

func (f *file) stop() {
	if f != nil {
		f.cancel()
		<-f.ended
	}
}

// errRows is a page that has not the rows that the org says.
var errRows = errors.New("a page of the org's bulk results has not the rows that it says")

// download gives all rows after at, which it moves along, and ends with io.EOF.
// A page that breaks off is asked for again, without the rows that were given.
func (s *source) download(ctx context.Context, at *job, give func(chunk) error) error {
	cells := make([]cellReader, len(s.selected))
	for i, c := range s.selected {
		cells[i] = cellReader{typ: s.columns[c].typ, known: map[string]any{}}
	}
	for tries, pause := 1, s.conn.pause; ; {
		given := at.Row
		next, err := s.downloadPage(ctx, at, cells, give)
		if err == nil {
			tries, pause = 1, s.conn.pause
			at.Before, at.Row, at.Locator = at.Before+at.Row, 0, next
			// Missing, empty and "null" are the end (C32).
			if next == "" || next == "null" {
				return io.EOF
			}
			continue
		}
		var refused notOpened
		if errors.As(err, &refused) {
			return refused.error
		}
		if at.Row > given {
			tries, pause = 1, s.conn.pause
		}
		if tries++; tries > 4 || fault.KindOf(err) != fault.Unavailable || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(pause)
		pause *= 2
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// notOpened is why a page did not even begin: the client has repeated that as often as it may be (C59).
type notOpened struct{ error }

// downloadPage gives the rows of the page at at, and the locator of the next.
func (s *source) downloadPage(ctx context.Context, at *job, cells []cellReader, give func(chunk) error) (next string, err error) {
	op := "read " + s.object
	query := url.Values{"maxRecords": {strconv.Itoa(resultRows)}}
	if at.Locator != "" {
		query.Set("locator", at.Locator)
	}
	header, body, err := s.conn.stream(ctx, call{op: op, method: http.MethodGet, path: at.path() + "/results", query: query,
		header: map[string]string{"Accept": "text/csv"}})
	if err != nil {
		return "", notOpened{err}
	}
	defer body.Close()
	broken := func(err error) error {
		var f *fault.Error
		if errors.As(err, &f) {
			return err
		}
		return fault.New(fault.Unavailable, op, "the org's bulk results cannot be read", "", err)
	}
	file := newCSVReader(body)
	names, err := file.next() // each page has its own header (C32)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", broken(err)
	}
	for i, name := range names {
		if i >= len(s.selected) || !strings.EqualFold(string(name), s.columns[s.selected[i]].soql()) {
			return "", fault.New(fault.Conflict, op, fmt.Sprintf("the org's bulk results have a column %.80q that was not asked for there", name), "", nil)
		}
	}
	if len(names) < len(s.selected) { // the job was made when fewer were asked for
		return "", fault.New(fault.Conflict, op, fmt.Sprintf("the org's bulk results have %d columns of %d", len(names), len(s.selected)), "", nil)
	}
	c := chunk{at: *at}
	var slab []any
	rows := 0
	for ; err == nil; rows++ {
		var row [][]byte
		if row, err = file.next(); err != nil {
			break
		}
		if rows < at.Row {
			continue
		}
		if len(row) != len(s.selected) {
			return "", broken(fmt.Errorf("row %d has %d cells of %d", rows+1, len(row), len(s.selected)))
		}
		if len(slab) == 0 {
			slab = make([]any, chunkRows*len(s.columns))
		}
		values := slab[:len(s.columns):len(s.columns)]
		slab = slab[len(s.columns):]
		for i, cell := range row {
			values[s.selected[i]] = cells[i].value(cell)
			c.bytes += len(cell)
		}
		c.rows = append(c.rows, values)
		if len(c.rows) == chunkRows || c.bytes >= chunkBytes {
			if err := give(c); err != nil {
				return "", err
			}
			at.Row += len(c.rows)
			c, slab = chunk{at: *at}, nil
		}
	}
	if err != io.EOF {
		return "", broken(err)
	}
	if said, err := strconv.Atoi(header.Get("Sforce-NumberOfRecords")); err == nil && said != rows {
		return "", broken(fmt.Errorf("%w: %d, not %d", errRows, rows, said))
	}
	if len(c.rows) > 0 {
		if err := give(c); err != nil {
			return "", err
		}
		at.Row += len(c.rows)
	}
	return header.Get("Sforce-Locator"), nil
}
