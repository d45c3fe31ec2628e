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
	"strings"
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
