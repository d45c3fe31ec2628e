package salesforce

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
)

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
