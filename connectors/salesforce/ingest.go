package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// Writing by Bulk API 2.0 jobs: salesforce.md section 11, decision 0036.

// jobBytes is the most that one upload carries: the org takes 150 MB after base64.
const jobBytes = 100_000_000

// laneRows is how many rows of a job are sent again one after the other: those
// that were locked, and those that a file cannot express.
const laneRows = 5000

// JobLimits tells when bulk jobs are used: salesforce.md section 11, "below 2,000 rows use collections".
func (c *Conn) JobLimits() connectors.JobLimits {
	return connectors.JobLimits{From: c.cfg.BulkWrite, Send: 3, Wait: 5, Results: 2}
}

// Clock is the org's, as its answers tell it.
func (c *Conn) Clock(ctx context.Context) (time.Time, error) {
	_, now, err := c.versions(ctx)
	return now, err
}

// ingestJob is what the org tells of a job.
type ingestJob struct {
	ID         string  `json:"id"`
	Object     string  `json:"object"`
	Operation  string  `json:"operation"`
	CreatedBy  string  `json:"createdById"`
	Created    string  `json:"createdDate"`
	State      string  `json:"state"`
	Message    string  `json:"errorMessage"`
	APIVersion float64 `json:"apiVersion"`
	Processed  int     `json:"numberRecordsProcessed"` // the failed ones among them
	Failed     int     `json:"numberRecordsFailed"`
}

// The states of a job: Open → UploadComplete → InProgress → one of the final three.
const (
	jobOpen     = "Open"
	jobUploaded = "UploadComplete"
	jobComplete = "JobComplete"
	jobFailed   = "Failed"
	jobAborted  = "Aborted"
)

func (j ingestJob) final() bool {
	return j.State == jobComplete || j.State == jobFailed || j.State == jobAborted
}

const jobsPath = "/jobs/ingest"

// jobPath is a job's path; the org gives its results only by the version that made it.
func (c *Conn) jobPath(j ingestJob, suffix string) string {
	version := c.cfg.APIVersion
	if j.APIVersion > 0 {
		version = fmt.Sprintf("v%.1f", j.APIVersion)
	}
	return "/services/data/" + version + jobsPath + "/" + url.PathEscape(j.ID) + suffix
}

// gone are the codes of a job that the org does not have (any more).
func gone(err error) bool {
	return hasCode(err, "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY", "INVALIDJOB")
}

// OpenJob makes a job; an object that Bulk does not support, or an org without it, has none.
func (c *Conn) OpenJob(ctx context.Context, object string) (string, error) {
	op := "open a bulk job for " + object
	body, err := json.Marshal(map[string]string{"object": object, "operation": "update", "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"})
	if err != nil {
		return "", fault.New(fault.Internal, op, "the request cannot be written as JSON", "", err)
	}
	var job ingestJob
	attempts := 0
	err = c.call(ctx, call{op: op, method: http.MethodPost, path: jobsPath, header: map[string]string{"Content-Type": "application/json"},
		content: func() (io.ReadCloser, error) {
			attempts++
			return io.NopCloser(bytes.NewReader(body)), nil
		}}, &job)
	switch {
	case hasCode(err, "INVALIDENTITY", "FEATURENOTENABLED", "FUNCTIONALITY_NOT_ENABLED"):
		c.log.Info("The org takes no bulk jobs for this object; it is written call by call.", "object", object, "reason", err)
		return "", nil
	case hasCode(err, "LIMIT_EXCEEDED", "EXCEEDEDQUOTA"):
		var said *apiError
		errors.As(err, &said)
		return "", fault.New(fault.Quota, op, "the org's bulk jobs of these 24 hours are used up", "wait, or set write_bulk_from: 0", said)
	case err != nil:
		return "", err
	case job.ID == "":
		return "", fault.New(fault.Unavailable, op, "the answer holds no job id", "", nil)
	}
	if attempts > 1 { // the answer that got lost may have named a job
		if created, err := parseStamp(job.Created); err == nil {
			return job.ID, c.abandon(ctx, object, created.Add(-time.Hour), job.ID)
		}
	}
	return job.ID, nil
}

// RunJob uploads the updates as one CSV file, waits, and reads those result
// files that are needed. Locked rows are sent again by collections.
func (c *Conn) RunJob(ctx context.Context, id, object string, updates iter.Seq2[connectors.Update, error]) (connectors.JobResult, error) {
	f := &ingestFile{updates: updates, most: c.jobBytes, answers: map[string]connectors.Result{}}
	if err := f.survey(object); err != nil {
		return nil, err
	}
	job := ingestJob{ID: id}
	r := &jobAnswers{object: object, rows: map[string]connectors.Result{}, other: connectors.Result{Outcome: connectors.Unsent}}
	if f.rows == 0 {
		if _, err := c.setJob(ctx, job, object, jobAborted); err != nil {
			return nil, err
		}
	} else {
		sent, err := c.upload(ctx, job, object, f)
		if err != nil {
			return nil, err
		}
		if job, err = c.setJob(ctx, job, object, jobUploaded); err != nil {
			return nil, err
		}
		if job, err = c.await(ctx, job, object); err != nil {
			return nil, err
		}
		if r, err = c.answers(ctx, job, object, f.rows, sent < f.rows); err != nil {
			return nil, err
		}
	}
	for id, result := range f.answers {
		r.rows[id] = result
	}
	for id := range f.aside { // unless the lane takes it
		r.rows[id] = connectors.Result{Outcome: connectors.Unsent}
	}
	if err := c.lane(ctx, object, f, r); err != nil {
		return nil, err
	}
	return r.result, nil
}

// SettleJob asks what became of a job; one that has not got its file whole is aborted.
func (c *Conn) SettleJob(ctx context.Context, id, object string, updates int) (connectors.JobResult, bool, error) {
	job, err := c.job(ctx, ingestJob{ID: id}, object)
	if gone(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if job.State == jobOpen {
		if job, err = c.setJob(ctx, job, object, jobAborted); err != nil {
			return nil, false, err
		}
		if job.State == jobAborted {
			return func(string) connectors.Result { return connectors.Result{Outcome: connectors.Unsent} }, true, nil
		}
	}
	if job, err = c.await(ctx, job, object); err != nil {
		return nil, false, err
	}
	// The file may have held a part of the updates only.
	r, err := c.answers(ctx, job, object, updates, true)
	if err != nil {
		return nil, false, err
	}
	return r.result, true, nil
}

// EndJob removes a job.
func (c *Conn) EndJob(ctx context.Context, id string) error {
	err := c.call(ctx, call{op: "remove a bulk job", method: http.MethodDelete, path: c.jobPath(ingestJob{ID: id}, "")}, nil)
	if gone(err) {
		return nil
	}
	return err
}

// AbandonJobs looks for jobs of our user that are still empty, up to an hour
// after since. energyd needs a user of its own, so they can only be its own.
func (c *Conn) AbandonJobs(ctx context.Context, object string, since time.Time) error {
	return c.abandon(ctx, object, since, "")
}

// abandon gives up all empty jobs of an object but keep.
func (c *Conn) abandon(ctx context.Context, object string, since time.Time, keep string) error {
	const op = "look for abandoned bulk jobs"
	s, err := c.sessions.get(ctx, c, nil)
	if err != nil {
		return err
	}
	path, query := jobsPath, url.Values{"jobType": {"V2Ingest"}}
	for path != "" {
		var page struct {
			Records []ingestJob `json:"records"`
			Next    string      `json:"nextRecordsUrl"`
		}
		if err := c.call(ctx, call{op: op, method: http.MethodGet, path: path, query: query}, &page); err != nil {
			return err
		}
		for _, job := range page.Records {
			created, err := parseStamp(job.Created)
			if err != nil || longID(job.ID) == longID(keep) && keep != "" || job.State != jobOpen || job.Operation != "update" || !strings.EqualFold(job.Object, object) ||
				s.user == "" || longID(job.CreatedBy) != s.user || created.Before(since.Truncate(time.Second)) || created.After(since.Add(time.Hour)) {
				continue
			}
			if _, err := c.setJob(ctx, job, object, jobAborted); err != nil {
				return err
			}
			if err := c.EndJob(ctx, job.ID); err != nil {
				return err
			}
		}
		path, query = page.Next, nil
	}
	return nil
}

func (c *Conn) job(ctx context.Context, job ingestJob, object string) (ingestJob, error) {
	err := c.call(ctx, call{op: "look after the bulk job for " + object, method: http.MethodGet, path: c.jobPath(job, "")}, &job)
	return job, err
}

// setJob closes or aborts a job. One that has left the state Open meanwhile,
// since an answer got lost, is as it is.
func (c *Conn) setJob(ctx context.Context, job ingestJob, object, state string) (ingestJob, error) {
	op := "close the bulk job for "
	if state == jobAborted {
		op = "abort the bulk job for "
	}
	was := job
	err := c.call(ctx, call{op: op + object, method: http.MethodPatch, path: c.jobPath(job, ""), body: map[string]string{"state": state}}, &job)
	if err == nil || fault.KindOf(err) != fault.Config {
		return job, err
	}
	now, askErr := c.job(ctx, was, object)
	if askErr != nil || now.State == jobOpen {
		return now, err
	}
	return now, nil
}

// await polls until the org has worked a job off, at growing pauses: each poll
// is a call. After some hours it leaves the job to the next run.
func (c *Conn) await(ctx context.Context, job ingestJob, object string) (ingestJob, error) {
	pause, waited := c.pause, time.Duration(0)
	for !job.final() {
		if waited > 4*3600*c.pause {
			return job, fault.New(fault.Unavailable, "write "+object, "the org is still at work on bulk job "+job.ID, "run energyd again later: it takes up the job's answers", nil)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return job, fault.New(fault.Unavailable, "write "+object, "stopped while the org works on bulk job "+job.ID, "run energyd again: it takes up the job's answers", ctx.Err())
		}
		waited, pause = waited+pause, min(2*pause, 300*c.pause)
		var err error
		if job, err = c.job(ctx, job, object); err != nil {
			return job, err
		}
	}
	return job, nil
}

// upload sends the file and gives how many rows it held. A second upload that
// the org refuses follows one whose answer got lost: the sums tell whether it was whole.
func (c *Conn) upload(ctx context.Context, job ingestJob, object string, f *ingestFile) (int, error) {
	attempts := 0
	err := c.call(ctx, call{op: "upload the bulk job for " + object, method: http.MethodPut, path: c.jobPath(job, "/batches"),
		header: map[string]string{"Content-Type": "text/csv"},
		content: func() (io.ReadCloser, error) {
			attempts++
			return f.open(), nil
		},
	}, nil)
	if err != nil && (attempts < 2 || fault.KindOf(err) != fault.Config) {
		return 0, err
	}
	sent := f.sent.Load()
	if sent == 0 {
		return 0, fault.New(fault.Unavailable, "upload the bulk job for "+object, "the org answered before it had the whole file", "", err)
	}
	return int(sent), nil
}

// lane sends again, by collections and so one after the other, what was locked
// while the job's parts ran side by side, and what a file cannot express.
func (c *Conn) lane(ctx context.Context, object string, f *ingestFile, r *jobAnswers) error {
	if len(r.locked) == 0 && len(f.aside) == 0 {
		return nil
	}
	var again []connectors.Update
	for u, err := range f.updates {
		if err != nil {
			return err
		}
		if id := longID(u.ID); (r.locked[id] || f.aside[id]) && len(again) < laneRows {
			again = append(again, u)
		}
	}
	results, err := c.Write(ctx, object, again)
	for i, u := range again {
		id := longID(u.ID)
		switch {
		case err == nil:
			r.rows[id] = results[i]
		case f.aside[id]:
			r.rows[id] = connectors.Result{Outcome: connectors.Deferred, Err: err}
		}
	}
	return nil
}

// ingestFile is a job's CSV file: one row an update, the columns of all of them.
// An empty cell keeps a field and #N/A clears it (C47, C49).
type ingestFile struct {
	updates iter.Seq2[connectors.Update, error]
	most    int

	columns []string
	rows    int                          // that the file shall hold
	answers map[string]connectors.Result // rows that must not leave, by id
	aside   map[string]bool              // rows that a file cannot express, by id
	sent    atomic.Int64                 // rows that the file held, once it was read to its end
}

const (
	clearCell = "#N/A"
	noCell    = "\r" // a value with it would break the file's line ending
)

// survey reads the updates once: for the header, and for what is not for the file.
func (f *ingestFile) survey(object string) error {
	columns := map[string]bool{}
	f.aside = map[string]bool{}
	for u, err := range f.updates {
		if err != nil {
			return err
		}
		id := longID(u.ID)
		switch reason := unfit(id, u); {
		case reason != "":
			f.answers[cmpID(u.ID)] = neverSent(object, reason)
			continue
		case !expressible(u):
			f.aside[id] = true
			continue
		}
		f.rows++
		for name := range u.Values {
			columns[name] = true
		}
	}
	for name := range columns {
		f.columns = append(f.columns, name)
	}
	slices.Sort(f.columns)
	return nil
}

// cmpID is the id under which results are kept; a text that is no id stands for itself.
func cmpID(text string) string {
	if long := longID(text); long != "" {
		return long
	}
	return text
}

// expressible tells whether a file holds the update's values unchanged.
func expressible(u connectors.Update) bool {
	for _, v := range u.Values {
		if text, ok := v.(string); ok && (text == clearCell || strings.Contains(text, noCell)) {
			return false
		}
	}
	return true
}

// open gives the file from its beginning. It is written as it is read: memory stays flat.
func (f *ingestFile) open() io.ReadCloser {
	next, stop := iter.Pull2(f.updates)
	r := &ingestReader{file: f, next: next, stop: stop}
	r.row = appendRow(nil, "Id", func(i int) any { return f.columns[i] }, len(f.columns))
	return r
}

type ingestReader struct {
	file  *ingestFile
	next  func() (connectors.Update, error, bool)
	stop  func()
	row   []byte // bytes that are not read yet
	space []byte
	rows  int
	bytes int
	end   error // io.EOF, or what went wrong; nil: there may be more
}

func (r *ingestReader) Read(p []byte) (int, error) {
	for len(r.row) == 0 {
		if r.end != nil {
			return 0, r.end
		}
		r.advance()
	}
	n := copy(p, r.row)
	r.row, r.bytes = r.row[n:], r.bytes+n
	return n, nil
}

// advance makes the next row, or finds the end: all are there, or the file is full.
func (r *ingestReader) advance() {
	u, err, ok := r.next()
	id := longID(u.ID)
	_, never := r.file.answers[cmpID(u.ID)]
	switch {
	case err != nil:
		r.end = err
		return
	case ok && (never || r.file.aside[id]):
		return
	case ok:
		r.space = appendRow(r.space[:0], id, func(i int) any {
			v, present := u.Values[r.file.columns[i]]
			if !present {
				return absent{}
			}
			return v
		}, len(r.file.columns))
	}
	if !ok || r.rows > 0 && r.bytes+len(r.space) > r.file.most {
		r.file.sent.Store(int64(r.rows))
		r.end = io.EOF
		return
	}
	r.row, r.rows = r.space, r.rows+1
}

func (r *ingestReader) Close() error {
	r.stop()
	return nil
}

// absent is the value of a column that an update does not set.
type absent struct{}

// appendRow writes one line as RFC 4180 says, with line feeds.
func appendRow(b []byte, id string, value func(i int) any, n int) []byte {
	b = append(b, id...)
	for i := range n {
		b = append(b, ',')
		switch v := value(i).(type) {
		case absent:
		case nil:
			b = append(b, clearCell...)
		case string:
			if v == "" { // as by collections: a field holds no empty text
				v = clearCell
			}
			b = appendText(b, v)
		case float64:
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
		case time.Time:
			b = append(b, instant(v)...)
		default: // bool, int64, int
			b = appendText(b, fmt.Sprint(v))
		}
	}
	return append(b, '\n')
}

// appendText quotes what needs it; blanks at the ends too, which some readers drop.
func appendText(b []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\n") && strings.TrimSpace(text) == text {
		return append(b, text...)
	}
	b = append(b, '"')
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			return append(append(b, text...), '"')
		}
		b = append(append(b, text[:i+1]...), '"')
		text = text[i+1:]
	}
}

// jobAnswers is what the org says of a job's rows, by id (C51).
type jobAnswers struct {
	object string
	rows   map[string]connectors.Result
	locked map[string]bool
	other  connectors.Result // of rows that are not in rows
}

func (r *jobAnswers) result(id string) connectors.Result {
	if result, ok := r.rows[cmpID(id)]; ok {
		return result
	}
	return r.other
}

// answers reads a final job's result files: the failures when there are any, and
// the others only when they are not clear from the sums (C50). rows is how many the
// caller has; when the file may have held others, the sums tell nothing, and rows that
// no file names are Unsent.
func (c *Conn) answers(ctx context.Context, job ingestJob, object string, rows int, maybeLess bool) (*jobAnswers, error) {
	r := &jobAnswers{object: object, rows: map[string]connectors.Result{}, locked: map[string]bool{}}
	failed := 0
	if job.Failed > 0 || job.State != jobComplete {
		var err error
		if failed, err = c.failures(ctx, job, r); err != nil {
			return nil, err
		}
	}
	if !maybeLess && job.State == jobComplete && job.Processed == rows && failed == job.Failed {
		r.other = connectors.Result{Outcome: connectors.Written}
		return r, nil
	}
	if _, err := c.eachRow(ctx, job, object, "/successfulResults", func(id, _ string) {
		r.rows[id] = connectors.Result{Outcome: connectors.Written}
	}); err != nil {
		return nil, err
	}
	unsaid := connectors.Result{Outcome: connectors.Deferred, Err: unprocessed(job, object)}
	r.other = unsaid
	if maybeLess {
		if _, err := c.eachRow(ctx, job, object, "/unprocessedrecords", func(id, _ string) { r.rows[id] = unsaid }); err != nil {
			return nil, err
		}
		r.other = connectors.Result{Outcome: connectors.Unsent}
	}
	return r, nil
}

// unprocessed is the fault of rows that the org did not come to.
func unprocessed(job ingestJob, object string) error {
	op := "write " + object
	switch {
	case strings.HasPrefix(job.Message, "InvalidBatch"):
		return fault.New(fault.Config, op, "the org refused the whole bulk job", hintFLS, errors.New(job.Message))
	case job.State == jobFailed:
		return fault.New(fault.Unavailable, op, "the org gave the bulk job up before it came to the record", "", errors.New(job.Message))
	case job.State == jobAborted:
		return fault.New(fault.Unavailable, op, "somebody aborted the bulk job before it came to the record", "", nil)
	}
	return fault.New(fault.Unavailable, op, "the org did not say what became of the record", "", nil)
}

// failures judges the failed rows and gives their number. Rows with the same words share one result.
func (c *Conn) failures(ctx context.Context, job ingestJob, r *jobAnswers) (int, error) {
	judged := map[string]connectors.Result{}
	var denied []string
	var last *apiError
	n, err := c.eachRow(ctx, job, r.object, "/failedResults", func(id, words string) {
		said := rowError(words)
		result, ok := judged[words]
		if !ok {
			result = judge(r.object, said)
			judged[words] = result
		}
		r.rows[id] = result
		switch {
		case isLock(said):
			r.locked[id] = true
		case noAccess(said):
			denied, last = append(denied, id), said
		}
	})
	if err == nil && len(denied) >= wholesale && job.Failed == job.Processed { // none was saved
		for _, id := range denied {
			r.rows[id] = accessDenied(r.object, last)
		}
	}
	return n, err
}

// rowError reads sf__Error: "CODE:message:fields --".
func rowError(words string) *apiError {
	code, rest, _ := strings.Cut(words, ":")
	rest = strings.TrimSuffix(rest, "--")
	message, fields := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		message, fields = rest[:i], strings.TrimSpace(rest[i+1:])
	}
	e := &apiError{StatusCode: strings.TrimSpace(code), Message: message}
	if fields != "" {
		e.Fields = strings.Split(fields, ", ")
	}
	return e
}

// eachRow reads one result file as it comes, gives the id and the error of each
// row, and counts them.
func (c *Conn) eachRow(ctx context.Context, job ingestJob, object, file string, use func(id, words string)) (int, error) {
	op := "read the results of the bulk job for " + object
	broken := func(what string, cause error) error {
		return fault.New(fault.Unavailable, op, file[1:]+" "+what, "run energyd again: it asks for the job's results again", cause)
	}
	_, body, err := c.stream(ctx, call{op: op, method: http.MethodGet, path: c.jobPath(job, file), header: map[string]string{"Accept": "text/csv"}})
	if err != nil {
		return 0, err
	}
	defer body.Close()
	rows := newCSVReader(body)
	header, err := rows.next()
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, broken("has no header", err)
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(h []byte) bool { return strings.EqualFold(string(h), name) })
	}
	input, own, words, width := column("Id"), column("sf__Id"), column("sf__Error"), len(header)
	if input < 0 {
		return 0, broken("has no column Id", nil)
	}
	for n := 0; ; n++ {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, broken("cannot be read", err)
		}
		if len(row) != width {
			return n, broken("has a row that is not as wide as its header", nil)
		}
		id := longID(string(row[input]))
		if id == "" && own >= 0 {
			id = longID(string(row[own]))
		}
		if id == "" {
			return n, broken("has a row without an id", nil)
		}
		said := ""
		if words >= 0 {
			said = string(row[words])
		}
		use(id, said)
	}
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
