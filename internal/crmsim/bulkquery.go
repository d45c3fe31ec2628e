package crmsim

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"energyd/internal/crmsim/soql"
)

// result is what a query job found: the rows as they were then, so that every
// page reads the same however often it is read.
type result struct {
	plan    *plan
	columns []bulkColumn
	parents bool // some columns belong to other rows, which are looked up when a page is read
	all     bool // of queryAll
	rows    [][]any
}

// bulkColumn is one column of a result, in the order of SELECT.
type bulkColumn struct {
	name string // "Account.Name"
	get  getter
}

// createQuery is POST /jobs/query.
func (s *Server) createQuery(c *call) reply {
	var o struct {
		Operation, Query, ContentType, LineEnding, ColumnDelimiter string
	}
	if e := decode(c.body, &o); e != nil {
		return refusal(e)
	}
	c.soql = o.Query
	form, e := newForm(o.ColumnDelimiter, o.LineEnding)
	switch {
	case e != nil:
		return refusal(e)
	case o.Operation != "query" && o.Operation != "queryAll":
		return invalidJob("Invalid operation: %s", o.Operation)
	case o.ContentType != "" && o.ContentType != "CSV":
		return invalidJob("Invalid contentType: %s", o.ContentType)
	}
	j, full := s.newJob(c, queryJobs)
	if full != nil {
		return *full
	}
	j.operation, j.form = o.Operation, form
	s.mu.RLock()
	result, err := s.bulkQuery(o.Query)
	s.mu.RUnlock()
	if err != nil {
		return queryError(err)
	}
	result.all = o.Operation == "queryAll"
	j.object, j.result = result.plan.obj, result
	s.bulk.mu.Lock()
	s.bulk.list(j)
	s.bulk.queries.add(j.created, 1)
	j.submit(j.created)
	made := s.info(j)
	s.bulk.mu.Unlock()
	s.runJobs()
	return answer(made)
}

// bulkQuery compiles a statement, and refuses what the Bulk API cannot do. The caller holds s.mu.
func (s *Server) bulkQuery(text string) (*result, error) {
	if compound(text) {
		return nil, refuse("FUNCTIONALITY_NOT_ENABLED", nil, "Selecting compound data not supported in Bulk Query")
	}
	p, err := s.compile(text)
	if err != nil {
		return nil, err
	}
	switch {
	case !p.obj.inBulk():
		return nil, unsupported(p.obj.name)
	case p.q.Count:
		return nil, refuse("FEATURENOTENABLED", nil, "Aggregate queries not supported in Bulk Query")
	case p.q.Offset > 0 && s.outcome("S104") == "refused":
		return nil, refuse("FEATURENOTENABLED", nil, "OFFSET not supported in Bulk Query")
	}
	if slices.ContainsFunc(p.q.Columns, func(c soql.Column) bool { return c.Sub != nil }) {
		return nil, refuse("FEATURENOTENABLED", nil, "Aggregate Relationships not supported in Bulk Query with CSV content type")
	}
	r := &result{plan: p}
	for _, c := range p.q.Columns {
		if c.Fields == "STANDARD" {
			for i, f := range p.obj.fields {
				if f.visible() && !f.custom() {
					r.columns = append(r.columns, bulkColumn{f.Name, getter{field: f, fixed: i}})
				}
			}
			continue
		} else if c.Fields != "" {
			return nil, p.q.Errorf(soql.Malformed, c.Path.Pos, "The SOQL FIELDS function with an unbounded list is not supported in Bulk Query")
		}
		g, err := s.resolve(p, c.Path)
		if err != nil {
			return nil, err
		}
		name := g.field.Name
		for _, via := range slices.Backward(g.via) {
			name = via.Relationship + "." + name
		}
		r.columns = append(r.columns, bulkColumn{name, g})
		r.parents = r.parents || len(g.steps) > 0
	}
	return r, nil
}

// compound tells whether a statement selects an address. The org has no such
// columns at all, but a real one refuses them in a way of its own.
func compound(text string) bool {
	columns, _, _ := strings.Cut(strings.Join(strings.Fields(lower(text)), " "), " from ")
	for _, name := range strings.FieldsFunc(columns, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch name[strings.LastIndexByte(name, '.')+1:] {
		case "address", "billingaddress", "shippingaddress", "mailingaddress", "otheraddress":
			return true
		}
	}
	return false
}

// freeze does the work of a query job.
func (s *Server) freeze(j *job) (outcome, message string) {
	if j.fault.Message != "" {
		return jobFailed, j.fault.Message
	}
	s.mu.RLock()
	found := s.run(j.result.plan, j.result.all)
	rows := make([][]any, len(found))
	for i, r := range found {
		rows[i] = r.values // replaced as a whole, never changed in place
	}
	s.mu.RUnlock()
	s.bulk.mu.Lock()
	defer s.bulk.mu.Unlock()
	j.result.rows, j.processed = rows, len(rows)
	return jobComplete, ""
}

// queryResults is GET /jobs/query/{id}/results?locator=…&maxRecords=….
func (s *Server) queryResults(c *call) reply {
	s.bulk.mu.Lock()
	j := s.bulk.job(c, queryJobs)
	var state, version string
	var rows [][]any
	if j != nil {
		state, version, rows = j.state, j.version, j.result.rows
	}
	s.bulk.mu.Unlock()
	switch {
	case j == nil:
		return notFound
	case version != c.version:
		return fail(http.StatusConflict, refuse("VERSION_MISMATCH", nil, "The job was made with API version %s; its results cannot be read with %s", version, c.version))
	case state != jobComplete:
		status := http.StatusPreconditionFailed
		if s.outcome("S98") == "400" {
			status = http.StatusBadRequest
		}
		return fail(status, refuse("JOB_NOT_COMPLETE", nil,
			"can only download query results of successfully completed bulk job with status: JOB_COMPLETE. Current status: %s", spelled(state)))
	}
	from, most, e := s.bulkPage(c, len(rows))
	if e != nil {
		return refusal(e)
	}
	to := min(from+most, len(rows))
	c.rows = to - from
	return reply{
		status: http.StatusOK, contentType: "text/csv", header: j.pageHeader(from, to, len(rows)),
		stream: func(w io.Writer) error { return s.writePage(w, j, rows[from:to]) },
	}
}

// spelled writes a state as error texts do: InProgress is IN_PROGRESS.
func spelled(state string) string {
	return strings.ToUpper(wordBorder.ReplaceAllString(state, "${1}_$2"))
}

// bulkPage reads from where on a page shall be, and how many rows it may have.
func (s *Server) bulkPage(c *call, rows int) (from, most int, e *Error) {
	q, most := c.r.URL.Query(), max(rows, 1)
	if text := q.Get("maxRecords"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return 0, 0, refuse("INVALIDJOB", nil, "maxRecords must be a positive number, not %s", text)
		}
		most = n
	}
	s.control.mu.Lock()
	if s.control.pageMax > 0 {
		most = min(most, s.control.pageMax)
	}
	s.control.mu.Unlock()
	text := q.Get("locator")
	if text == "" {
		return 0, most, nil
	}
	plain, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil {
		from, err = strconv.Atoi(string(plain))
	}
	if err != nil || from < 1 || from >= rows {
		return 0, 0, refuse("INVALIDLOCATOR", nil, "invalid locator: %s", text)
	}
	return from, most, nil
}

// pageHeader tells how many rows a page has, and where the next one begins: the
// text null on the last one.
func (j *job) pageHeader(from, to, rows int) http.Header {
	n, locator := to-from, "null"
	if to < rows {
		locator = base64.RawStdEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	if j.flaw("wrong_count") {
		n++
	}
	h := http.Header{"Sforce-Numberofrecords": {strconv.Itoa(n)}}
	switch {
	case j.flaw("no_locator") && to == rows:
	case j.flaw("empty_locator") && to == rows:
		h["Sforce-Locator"] = []string{""}
	default:
		h["Sforce-Locator"] = []string{locator}
	}
	return h
}

// writePage writes one page of a result, with the names of the columns first.
func (s *Server) writePage(to io.Writer, j *job, rows [][]any) error {
	w := newCSVWriter(to, j.form)
	for _, c := range j.result.columns {
		w.cell(c.name)
	}
	w.end()
	for len(rows) > 0 && w.err == nil {
		rows = s.writePiece(w, j, rows)
		w.flush()
	}
	return w.flush()
}

// writePiece fills the buffer of w with rows, and gives those that are left.
// The org may be locked for it, but never while a client takes its time to read.
func (s *Server) writePiece(w *csvWriter, j *job, rows [][]any) [][]any {
	if j.result.parents {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	row, nul := record{obj: j.result.plan.obj}, j.flaw("nul")
	for len(rows) > 0 && len(w.b) < csvPiece {
		row.values, rows = rows[0], rows[1:]
		for i := range j.result.columns {
			c := &j.result.columns[i]
			v := row.value(c.get.fixed)
			if len(c.get.steps) > 0 {
				v = s.read(c.get, &row)
			}
			if text, ok := v.(string); ok && nul && c.get.field.freeText() {
				v = text + "\x00"
			}
			w.b = append(appendCSV(w.b, c.get.field, v), w.form.comma)
		}
		w.endRow()
	}
	return rows
}

// freeText tells whether people write what they like into the field.
func (f *Field) freeText() bool {
	return f.Type == Text || f.Type == LongTextArea || f.Type == Combobox
}
