package crmsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The states of a Bulk API 2.0 job.
const (
	jobOpen       = "Open"
	jobUploaded   = "UploadComplete"
	jobInProgress = "InProgress"
	jobComplete   = "JobComplete"
	jobFailed     = "Failed"
	jobAborted    = "Aborted"
)

const (
	ingestJobs = "ingest"
	queryJobs  = "query"

	batchRows      = 10_000 // rows of an ingest job that count as one batch
	maxBatches     = 15_000 // a day
	maxQueryJobs   = 10_000 // a day
	maxResultMB    = 976_562
	jobLife        = 7 * 24 * time.Hour
	pollsByDefault = 1 // polls that find a job in progress
)

// Flaws are what the fault "bulk" can do to a job, besides its delay (DelayMS,
// Polls) and its end as Failed with Message, of ingest after Rows rows.
var Flaws = []string{
	"shuffle",        // ingest: the rows of the result files come in another order
	"limit_exceeded", // there is no job: the daily limit is reached
	"nul",            // query: texts end in a NUL byte
	"wrong_count",    // query: Sforce-NumberOfRecords is one too many
	"wrong_total",    // query: numberRecordsProcessed is one too many
	"no_locator",     // query: the last page has no Sforce-Locator
	"empty_locator",  // query: the last page has an empty Sforce-Locator
}

// job is one Bulk API 2.0 job. The work is done at once, or when the delay of
// the fault "bulk" is over; clients learn of it poll by poll.
type job struct {
	kind       string // ingestJobs or queryJobs
	id         string
	version    string // of the API that made it
	operation  string
	object     *object
	externalID string // name of the field, of an upsert
	form       csvForm
	created    time.Time
	changed    time.Time

	state   string
	message string // why it failed
	fault   Fault
	polls   int       // to come that find it in progress
	due     time.Time // when the work begins; zero before there is any

	started   bool
	outcome   string // jobComplete or jobFailed when the work is done
	processed int    // rows
	failed    int    // rows

	upload *upload // of an ingest job
	result *result // of a query job
}

// bulk holds the jobs of an org. They live in memory: an org that is opened
// again from Options.File has none.
type bulk struct {
	mu      sync.Mutex // taken after Server.mu when both are
	jobs    []*job     // in the order they were made
	last    uint64     // number of the newest
	batches tally
	queries tally
}

func (b *bulk) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs, b.last, b.batches, b.queries = nil, 0, nil, nil
}

// tally are the times of what counts against a daily limit, a rolling 24 hours.
type tally []time.Time

func (t *tally) used(now time.Time) int {
	*t = slices.DeleteFunc(*t, func(at time.Time) bool { return now.Sub(at) >= 24*time.Hour })
	return len(*t)
}

func (t *tally) add(now time.Time, n int) { *t = append(*t, slices.Repeat([]time.Time{now}, n)...) }

// bulkAllowances are the limits that jobs count against.
func (s *Server) bulkAllowances(to map[string]allowance) {
	now := s.now()
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	to["DailyBulkApiBatches"] = allowance{maxBatches, maxBatches - s.bulk.batches.used(now)}
	to["DailyBulkV2QueryFileStorageMB"] = allowance{maxResultMB, maxResultMB} // results here are never so large
	to["DailyBulkV2QueryJobs"] = allowance{maxQueryJobs, maxQueryJobs - s.bulk.queries.used(now)}
}

// Codes of the Bulk API are written without underscores.
func invalidJob(format string, args ...any) reply {
	return refusal(refuse("INVALIDJOB", nil, format, args...))
}

func invalidState(format string, args ...any) reply {
	return refusal(refuse("INVALIDJOBSTATE", nil, format, args...))
}

// newJob makes a job that is not in the list yet, or says why there can be none.
func (s *Server) newJob(c *call, kind string) (*job, *reply) {
	now := s.now()
	j := &job{kind: kind, version: c.version, created: now, changed: now, state: jobOpen, polls: pollsByDefault}
	if f := s.control.onRequest(c.r, "bulk"); f != nil {
		j.fault, j.polls = f.Fault, f.Polls
	}
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	full, limit := s.bulk.batches.used(now) >= maxBatches, "Max batches (15000) per 24 hrs has been reached."
	if kind == queryJobs {
		full, limit = s.bulk.queries.used(now) >= maxQueryJobs, "Max bulk v2 query jobs (10000) per 24 hrs has been reached (10001)."
	}
	if full || j.flaw("limit_exceeded") {
		refused := refusal(refuse("LIMIT_EXCEEDED", nil, "%s", limit))
		return nil, &refused
	}
	return j, nil
}

// flaw tells whether the fault "bulk" names one of its flaws for this job.
func (j *job) flaw(name string) bool { return slices.Contains(j.fault.Flaws, name) }

// list puts a job into the list and gives it its id. The caller holds bulk.mu.
func (b *bulk) list(j *job) {
	b.jobs = slices.DeleteFunc(b.jobs, func(old *job) bool { return old.final() && j.created.Sub(old.changed) >= jobLife })
	b.last++
	j.id = newID("750", b.last)
	b.jobs = append(b.jobs, j)
}

// job finds the job that a call names. The caller holds bulk.mu.
func (b *bulk) job(c *call, kind string) *job {
	id, _ := normalID(c.args[0])
	for _, j := range b.jobs {
		if j.id == id && j.kind == kind {
			return j
		}
	}
	return nil
}

func (j *job) final() bool {
	return j.state == jobComplete || j.state == jobFailed || j.state == jobAborted
}

// submit says that a job's work may begin. The caller holds bulk.mu.
func (j *job) submit(now time.Time) {
	j.state, j.changed = jobUploaded, now
	j.due = now.Add(time.Duration(j.fault.DelayMS) * time.Millisecond)
}

// poll moves a job that is under way on by one look at it. The caller holds bulk.mu.
func (j *job) poll(now time.Time) {
	if j.state != jobUploaded && j.state != jobInProgress {
		return
	}
	switch {
	case j.polls > 0:
		j.polls--
		j.state = jobInProgress
	case j.outcome == "":
		j.state = jobInProgress
	default:
		j.state, j.changed = j.outcome, now
	}
}

// runJobs does the work of all jobs whose time has come.
func (s *Server) runJobs() {
	for j := s.startJob(); j != nil; j = s.startJob() {
		outcome, message := jobComplete, ""
		if j.kind == ingestJobs {
			outcome, message = s.ingest(j)
		} else if j.fault.Message != "" {
			outcome, message = jobFailed, j.fault.Message
		} else {
			s.freeze(j)
		}
		s.bulk.mu.Lock()
		j.outcome, j.message = outcome, message
		s.bulk.mu.Unlock()
	}
}

// startJob gives a job that is due, once.
func (s *Server) startJob() *job {
	now := s.now()
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	for _, j := range s.bulk.jobs {
		if !j.started && !j.final() && !j.due.IsZero() && !now.Before(j.due) {
			j.started = true
			return j
		}
	}
	return nil
}

// jobInfo is how answers show a job: all keys of the field guide, in the order of a recording.
type jobInfo struct {
	ID               string      `json:"id"`
	Operation        string      `json:"operation"`
	Object           string      `json:"object"`
	CreatedByID      string      `json:"createdById"`
	CreatedDate      string      `json:"createdDate"`
	SystemModstamp   string      `json:"systemModstamp"`
	State            string      `json:"state"`
	ExternalID       *string     `json:"externalIdFieldName"`
	ConcurrencyMode  string      `json:"concurrencyMode"`
	ContentType      string      `json:"contentType"`
	APIVersion       json.Number `json:"apiVersion"`
	ContentURL       string      `json:"contentUrl,omitempty"`
	LineEnding       string      `json:"lineEnding"`
	ColumnDelimiter  string      `json:"columnDelimiter"`
	AssignmentRuleID *string     `json:"assignmentRuleId"`
	JobType          string      `json:"jobType"`
	Processed        int         `json:"numberRecordsProcessed"`
	Failed           *int        `json:"numberRecordsFailed,omitempty"`
	Retries          int         `json:"retries"`
	TotalTime        int         `json:"totalProcessingTime"` // milliseconds, as the next two
	ActiveTime       *int        `json:"apiActiveProcessingTime,omitempty"`
	ApexTime         *int        `json:"apexProcessingTime,omitempty"`
	ErrorMessage     *string     `json:"errorMessage,omitempty"`
	PKChunking       *bool       `json:"isPkChunkingSupported,omitempty"`
}

// info shows a job. The caller holds bulk.mu.
func (s *Server) info(j *job) jobInfo {
	i := jobInfo{ID: j.id, Operation: j.operation, Object: j.object.name, CreatedByID: s.runAs,
		CreatedDate: j.created.Format(stampLayout), SystemModstamp: j.changed.Format(stampLayout), State: j.state,
		ConcurrencyMode: "Parallel", ContentType: "CSV", APIVersion: json.Number(j.version),
		LineEnding: j.form.ending(), ColumnDelimiter: j.form.delimiter(), JobType: "V2Query"}
	if j.state != jobOpen && j.state != jobUploaded {
		i.Processed = j.processed
		i.TotalTime = 100 + j.processed/100 // a plausible figure, the same for the same rows
	}
	if j.kind == queryJobs {
		supported := false
		i.PKChunking = &supported
		if j.flaw("wrong_total") {
			i.Processed++
		}
	} else {
		apex, none := 0, 0
		i.JobType, i.Failed, i.ActiveTime, i.ApexTime = "V2Ingest", &none, &i.TotalTime, &apex
		i.ContentURL = "services/data/v" + j.version + "/jobs/ingest/" + j.id + "/batches"
		if i.Processed > 0 {
			i.Failed = &j.failed
		}
		if j.externalID != "" {
			i.ExternalID = &j.externalID
		}
	}
	if j.state == jobFailed {
		i.ErrorMessage = &j.message
	}
	return i
}

// readJob is a poll: GET /jobs/{kind}/{id}.
func (s *Server) readJob(c *call, kind string) reply {
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	j := s.bulk.job(c, kind)
	if j == nil {
		return notFound
	}
	j.poll(s.now())
	return answer(s.info(j))
}

// listJobs is GET /jobs/{kind}: all of them on one page.
func (s *Server) listJobs(_ *call, kind string) reply {
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	list := struct {
		Done    bool      `json:"done"`
		Records []jobInfo `json:"records"`
		Next    *string   `json:"nextRecordsUrl"`
	}{Done: true, Records: []jobInfo{}}
	for _, j := range s.bulk.jobs {
		if j.kind == kind {
			list.Records = append(list.Records, s.info(j))
		}
	}
	return answer(list)
}

// changeJob is PATCH /jobs/{kind}/{id}: the end of the upload, or of the job.
func (s *Server) changeJob(c *call, kind string) reply {
	var body struct{ State string }
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	now := s.now()
	s.bulk.mu.Lock()
	j := s.bulk.job(c, kind)
	if j == nil {
		s.bulk.mu.Unlock()
		return notFound
	}
	a := s.toState(j, body.State, now)
	s.bulk.mu.Unlock()
	s.runJobs()
	return a
}

// toState carries out the change of state that a client wants. The caller holds bulk.mu.
func (s *Server) toState(j *job, state string, now time.Time) reply {
	switch {
	case state == jobUploaded && j.kind == ingestJobs:
		if j.state != jobOpen {
			return invalidState("Job in state %s cannot be closed", j.state)
		}
		if j.upload == nil {
			return invalidState("Closing the job is not allowed before its data is uploaded")
		}
		j.submit(now)
	case state == jobAborted:
		if j.final() {
			return invalidState("Aborting already %s Job not allowed", j.state)
		}
		j.state, j.changed = jobAborted, now
		if j.upload != nil && !j.started {
			j.upload.rows, _ = j.split() // all of them unprocessed
		}
	default:
		return invalidJob("Invalid state: %s", strconv.Quote(state))
	}
	return answer(s.info(j))
}

// deleteJob is DELETE /jobs/{kind}/{id}, allowed when nothing goes on.
func (s *Server) deleteJob(c *call, kind string) reply {
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	j := s.bulk.job(c, kind)
	if j == nil {
		return notFound
	}
	if !j.final() {
		return invalidState("Job in state %s cannot be deleted", j.state)
	}
	s.bulk.jobs = slices.DeleteFunc(s.bulk.jobs, func(other *job) bool { return other == j })
	return reply{status: http.StatusNoContent}
}

// ofKind makes a route of a handler that both kinds of jobs share.
func ofKind(kind string, serve func(*Server, *call, string) reply) func(*Server, *call) reply {
	return func(s *Server, c *call) reply { return serve(s, c, kind) }
}

// Jobs names the jobs that the org has, with their states: "750… Open".
func (s *Server) Jobs() []string {
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	var names []string
	for _, j := range s.bulk.jobs {
		names = append(names, j.id+" "+j.state)
	}
	return names
}
