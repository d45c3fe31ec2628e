package crmsim

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// upload is the file of an ingest job and what became of its rows.
type upload struct {
	data []byte
	head []string   // the names of the columns as sent
	rows []ingested // in the order of the file
}

// ingested is one row of an upload.
type ingested struct {
	from    int // where it begins in the file
	done    bool
	isNew   bool
	id      string
	failure string // the text of sf__Error, "" when the row was written
}

// chunkRows is how many rows of a job are written as one chunk of a transaction.
const chunkRows = 200

// none is the cell that clears a field; an empty one leaves it.
const none = "#N/A"

// createIngest is POST /jobs/ingest, with the options alone or, as multipart, with the file.
func (s *Server) createIngest(c *call) reply {
	options, file, refused := ingestParts(c)
	if refused != nil {
		return refusal(refused)
	}
	var o struct {
		Object, Operation, ContentType, LineEnding, ColumnDelimiter, ExternalIDFieldName string
	}
	if e := decode(options, &o); e != nil {
		return refusal(e)
	}
	j, full := s.newJob(c, ingestJobs)
	if full != nil {
		return *full
	}
	s.mu.RLock()
	j.object = s.seen(o.Object)
	e := j.ingestOptions(o.Object, o.Operation, o.ContentType, o.ExternalIDFieldName)
	s.mu.RUnlock()
	if e == nil {
		j.form, e = newForm(o.ColumnDelimiter, o.LineEnding)
	}
	if e != nil {
		return refusal(e)
	}
	s.bulk.mu.Lock()
	s.bulk.list(j)
	if file != nil {
		j.upload = &upload{data: file}
		j.submit(j.created)
	}
	a := answer(s.info(j))
	s.bulk.mu.Unlock()
	s.runJobs()
	return a
}

// maxTogether is the longest body that brings options and file at once, in characters.
const maxTogether = 100_000

// ingestParts gives the options of a new job, and its file if that came along.
func ingestParts(c *call) (options, file []byte, refused *Error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return c.body, nil, nil
	}
	if len(c.body) > maxTogether {
		return nil, nil, refuse("INVALIDJOB", nil, "Multipart data cannot be longer than %d characters", maxTogether)
	}
	parts := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, refuse("INVALIDJOB", nil, "the multipart body cannot be read")
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, refuse("INVALIDJOB", nil, "the multipart body cannot be read")
		}
		switch part.FormName() {
		case "job":
			options = b
		case "content":
			file = b
		}
	}
	if options == nil || file == nil {
		return nil, nil, refuse("INVALIDJOB", nil, "multipart data needs the parts job and content")
	}
	return options, file, nil
}

// ingestOptions checks what a new ingest job is for. The caller holds Server.mu.
func (j *job) ingestOptions(object, operation, contentType, externalID string) *Error {
	j.operation = operation
	switch {
	case object == "" || operation == "":
		return refuse("INVALIDJOB", nil, "a job needs an object and an operation")
	case j.object == nil || !j.object.inBulk():
		return unsupported(object)
	case operation == "hardDelete":
		return refuse("FEATURENOTENABLED", nil, "hardDelete operation requires special user profile permission, please contact your system administrator")
	case !slices.Contains([]string{"insert", "update", "upsert", "delete"}, operation):
		return refuse("INVALIDJOB", nil, "Invalid operation: %s", operation)
	case contentType != "" && contentType != "CSV":
		return refuse("INVALIDJOB", nil, "Invalid contentType: %s", contentType)
	case operation != "upsert":
		return nil
	case externalID == "":
		return refuse("INVALIDJOB", nil, "External ID was blank for %s. An External ID must be specified for upsert.", object)
	case strings.EqualFold(externalID, "Id"):
		j.externalID = "Id"
		return nil
	}
	_, f := j.object.externalID(externalID)
	if f == nil {
		return refuse("INVALIDJOB", nil, "Field name provided, %s does not match an External ID, Salesforce Id, or indexed field for %s", externalID, j.object.name)
	}
	j.externalID = f.Name
	return nil
}

// inBulk tells whether the Bulk API knows the object.
func (o *object) inBulk() bool {
	return !slices.Contains([]string{"TaskWhoRelation", "EventWhoRelation"}, o.name)
}

func unsupported(object string) *Error {
	return refuse("INVALIDENTITY", nil, "Entity '%s' is not supported by the Bulk API.", object)
}

// uploadIngest is PUT /jobs/ingest/{id}/batches, once per job.
func (s *Server) uploadIngest(c *call) reply {
	if kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || kind != "text/csv" {
		return fail(http.StatusUnsupportedMediaType, &Error{Code: "UNSUPPORTED_MEDIA_TYPE", Message: "Content-Type must be text/csv"})
	}
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	j := s.bulk.job(c, ingestJobs)
	switch {
	case j == nil:
		return notFound
	case j.state != jobOpen:
		return invalidState("Job in state %s takes no data", j.state)
	case j.upload != nil:
		return invalidState("Found multiple contents for job: <%s>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.", j.id)
	}
	head, _, _ := bytes.Cut(c.body[:min(len(c.body), maxHead)], []byte("\n"))
	c.head = string(head)
	j.upload = &upload{data: c.body}
	return reply{status: http.StatusCreated}
}

// ingest does the work of a job.
func (s *Server) ingest(j *job) (outcome, message string) {
	rows, err := j.split()
	s.bulk.mu.Lock()
	j.upload.rows = rows
	s.bulk.batches.add(s.now(), max(1, (len(rows)+batchRows-1)/batchRows))
	s.bulk.mu.Unlock()
	if err != nil {
		return jobFailed, "ClientInputError : " + err.Error()
	}
	s.mu.RLock()
	columns, refused := s.ingestColumns(j)
	s.mu.RUnlock()
	if refused != "" {
		return jobFailed, refused
	}
	last := len(rows)
	if j.fault.Message != "" {
		last = min(last, j.fault.Rows)
	}
	for from := 0; from < last; from += chunkRows {
		if err := s.ingestChunk(j, columns, from, min(from+chunkRows, last)); err != nil {
			return jobFailed, "InternalServerError : " + err.Error()
		}
	}
	if j.fault.Message != "" {
		return jobFailed, j.fault.Message
	}
	return jobComplete, ""
}

// split reads the names of the columns, and finds the rows.
func (j *job) split() (rows []ingested, err error) {
	u := j.upload
	if err := j.form.checkEnding(u.data); err != nil {
		return nil, err
	}
	var at int
	if u.head, at, err = j.form.row(u.data, 0, nil); err != nil {
		return nil, err
	}
	var cells []string
	for at < len(u.data) {
		r := ingested{from: at}
		if cells, at, err = j.form.row(u.data, at, cells); err != nil {
			return rows, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		if len(cells) == 1 && cells[0] == "" && len(u.head) > 1 {
			continue // an empty line
		}
		if rows = append(rows, r); len(cells) != len(u.head) {
			return rows, fmt.Errorf("row %d has %d fields, the header has %d", len(rows), len(cells), len(u.head))
		}
	}
	return rows, nil
}

// ingestColumn is a column of an upload: a field, or a reference found by an external id of what it leads to.
type ingestColumn struct {
	field  *Field
	to     *object // of a reference by external id
	column int     // of that external id
}

// ingestColumns resolves the names of the columns, or says why that fails the
// job. The caller holds s.mu.
func (s *Server) ingestColumns(j *job) (columns []ingestColumn, refused string) {
	seen := map[string]bool{}
	for _, name := range j.upload.head {
		if seen[lower(name)] {
			return nil, "InvalidBatch : Duplicate field name found : " + name
		}
		seen[lower(name)] = true
		c, ok := s.ingestColumn(j.object, name)
		if !ok {
			return nil, "InvalidBatch : Field name not found : " + name
		}
		columns = append(columns, c)
	}
	return columns, ""
}

// ingestColumn finds Field, Relationship.Ext__c or Relationship:Object.Ext__c.
func (s *Server) ingestColumn(o *object, name string) (ingestColumn, bool) {
	relationship, external, dotted := strings.Cut(name, ".")
	if !dotted {
		_, f := o.visible(name)
		return ingestColumn{field: f}, f != nil
	}
	relationship, kind, typed := strings.Cut(relationship, ":")
	_, via := o.parent(relationship)
	if via == nil {
		return ingestColumn{}, false
	}
	if !typed && len(via.ReferenceTo) == 1 {
		kind = via.ReferenceTo[0]
	}
	to := s.objects[lower(kind)]
	if to == nil || !slices.Contains(via.ReferenceTo, to.name) {
		return ingestColumn{}, false
	}
	column, f := to.externalID(external)
	return ingestColumn{field: via, to: to, column: column}, f != nil
}

// ingestChunk writes some rows of a job, unless the job was aborted meanwhile.
func (s *Server) ingestChunk(j *job, columns []ingestColumn, from, to int) error {
	s.bulk.mu.Lock()
	aborted := j.state == jobAborted
	s.bulk.mu.Unlock()
	if aborted {
		return nil
	}
	ids := make([]string, to-from)
	var cells []string
	s.mu.Lock()
	once := s.once()
	results, err := s.writeChunk(to-from, false, func(i int) (change, error) {
		cells, _, _ = j.form.row(j.upload.data, j.upload.rows[from+i].from, cells) // read before, by split
		fields, id, refused := s.ingestFields(columns, cells)
		ids[i] = id
		if key := j.key(fields, id); refused == nil && key != "" {
			refused = once(key)
		}
		if refused != nil {
			return change{}, refused
		}
		ch, err := s.ingestRow(j, fields, id)
		if e, ok := err.(*Error); ok && e.Code == illTyped {
			err = refuse("INVALID_TYPE_ON_FIELD_IN_RECORD", e.Fields, "%s", e.Message)
		}
		return ch, err
	})
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	for i, result := range results {
		r := &j.upload.rows[from+i]
		r.done, r.isNew, r.id = true, result.isNew, result.ID
		j.processed++
		if !result.Success {
			j.failed++
			e := result.Errors[0]
			if r.id, _ = normalID(ids[i]); r.id == "" {
				r.id = ids[i]
			}
			r.failure = e.Code + ":" + e.Message + ":" + strings.TrimSpace(strings.Join(e.Fields, ", ")+" --")
		}
	}
	return nil
}

// ingestFields reads the cells of a row. The caller holds s.mu.
func (s *Server) ingestFields(columns []ingestColumn, cells []string) (fields map[string]any, id string, refused *Error) {
	fields = make(map[string]any, len(cells))
	for i, cell := range cells {
		f := columns[i].field
		switch {
		case f.Name == "Id":
			id = cell
		case cell == "":
		case cell == none:
			fields[f.Name] = nil
		case columns[i].to != nil:
			to := columns[i].to
			v, e := s.stored(to.fields[columns[i].column], cell)
			if e != nil {
				return nil, id, e
			}
			switch found := to.named(columns[i].column, v); len(found) {
			case 0:
				return nil, id, refuse("INVALID_FIELD", []string{f.Name}, "Foreign key external ID: %s not found for field %s in entity %s",
					cell, to.fields[columns[i].column].Name, to.name)
			case 1:
				fields[f.Name] = found[0].id()
			default:
				return nil, id, ambiguous(to.fields[columns[i].column], found)
			}
		case f.Type == Checkbox && (cell == "1" || strings.EqualFold(cell, "true")):
			fields[f.Name] = true
		case f.Type == Checkbox && (cell == "0" || strings.EqualFold(cell, "false")):
			fields[f.Name] = false
		default:
			fields[f.Name] = cell
		}
	}
	return fields, id, nil
}

// key is what names the row of an upload, "" when nothing does.
func (j *job) key(fields map[string]any, id string) string {
	if j.externalID == "" || j.externalID == "Id" {
		return id
	}
	key, _ := fields[j.externalID].(string)
	return lower(key)
}

// ingestRow writes one row. The caller holds s.mu.
func (s *Server) ingestRow(j *job, fields map[string]any, id string) (change, error) {
	by, o := s.integrationRights(), j.object
	missing := refuse("MISSING_ARGUMENT", []string{"Id"}, "Id not specified in an %s call", j.operation)
	switch j.operation {
	case "insert":
		if id != "" {
			return change{}, refuse("INVALID_FIELD_FOR_INSERT_UPDATE", []string{"Id"}, "cannot specify Id in an insert call")
		}
		return s.insert(o, fields, by)
	case "delete":
		if id == "" {
			return change{}, missing
		}
		return s.setDeleted(o, id, true, by)
	case "upsert":
		if j.externalID != "Id" {
			key := fields[j.externalID]
			delete(fields, j.externalID)
			column, f := o.externalID(j.externalID)
			if f == nil {
				return change{}, refuse("INVALID_FIELD", []string{j.externalID}, "No such column '%s' on sobject of type %s", j.externalID, o.name)
			}
			return s.upsert(o, column, key, fields, by)
		}
		if id == "" {
			return s.insert(o, fields, by)
		}
	}
	if id == "" {
		return change{}, missing
	}
	return s.update(o, id, fields, by)
}

// ingestResults makes a route of one of the three files of a finished job: the
// columns before those of the upload, and which rows it has.
func ingestResults(columns []string, of func(ingested) (cells []string, ok bool)) func(*Server, *call) reply {
	return func(s *Server, c *call) reply {
		s.bulk.mu.Lock()
		defer s.bulk.mu.Unlock()
		j := s.bulk.job(c, ingestJobs)
		if j == nil {
			return notFound
		}
		switch {
		case !j.final():
			return invalidState("Job in state %s has no results", j.state)
		case j.upload == nil || j.upload.head == nil: // there was no file, or none with lines
			return reply{status: http.StatusOK, contentType: "text/csv"}
		}
		rows := j.results(of, &c.rows)
		return reply{status: http.StatusOK, contentType: "text/csv", stream: func(to io.Writer) error {
			w, cells := newCSVWriter(to, j.form), []string(nil)
			w.row(slices.Concat(columns, j.upload.head))
			for _, r := range rows {
				own, _ := of(r)
				for _, cell := range own {
					w.cell(cell)
				}
				cells, _, _ = j.form.row(j.upload.data, r.from, cells) // read before, by split
				w.row(cells)
				if w.err != nil {
					break
				}
			}
			return w.flush()
		}}
	}
}

// results gives the rows of one of the files. The caller holds bulk.mu.
func (j *job) results(of func(ingested) ([]string, bool), n *int) []ingested {
	var rows []ingested
	for _, r := range j.upload.rows {
		if _, ok := of(r); ok {
			rows = append(rows, r)
		}
	}
	if j.flaw("shuffle") {
		order := rand.New(rand.NewPCG(20, uint64(len(rows))))
		order.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
	}
	*n = len(rows)
	return rows
}

func succeeded(r ingested) ([]string, bool) {
	return []string{r.id, fmt.Sprint(r.isNew)}, r.done && r.failure == ""
}

func refused(r ingested) ([]string, bool) { return []string{r.id, r.failure}, r.failure != "" }

func unprocessed(r ingested) ([]string, bool) { return nil, !r.done }
