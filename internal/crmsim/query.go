package crmsim

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"energyd/internal/crmsim/soql"
)

const (
	defaultPage = 2000
	minPage     = 200
	cursorLife  = 48 * time.Hour
)

// cursor is a query with more than one page: the rows in their order, read again page by page.
type cursor struct {
	plan *plan
	rows []*record
	all  bool // of queryAll
	page int
	made time.Time
}

func (s *Server) query(c *call) reply    { return s.firstPage(c, false) }
func (s *Server) queryAll(c *call) reply { return s.firstPage(c, true) }

func (s *Server) firstPage(c *call, all bool) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, err := s.compile(c.r.URL.Query().Get("q"))
	if err != nil {
		return queryError(err)
	}
	rows := s.matching(p, all)
	if s.control.tooSlow(len(rows)) {
		return fail(http.StatusBadRequest, &Error{Code: "QUERY_TIMEOUT", Message: "Your query request was running for too long."})
	}
	if p.q.Count && s.outcome("S45") == "in_a_row" {
		n := strconv.Itoa(len(p.limited(rows)))
		return reply{status: http.StatusOK, body: []byte(`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"expr0":` + n + `}]}`)}
	}
	if p.q.Count {
		return answer(struct {
			TotalSize int   `json:"totalSize"`
			Done      bool  `json:"done"`
			Records   []int `json:"records"`
		}{len(p.limited(rows)), true, []int{}})
	}
	rows = s.ordered(p, rows)
	return s.page(c, &cursor{plan: p, rows: rows, all: all, page: pageSize(c.r), made: s.now()}, "", 0)
}

func queryError(err error) reply {
	var e *soql.Error
	if !errors.As(err, &e) {
		return refusal(err)
	}
	return fail(http.StatusBadRequest, &Error{Code: e.Code, Message: e.Error()})
}

var batchSize = regexp.MustCompile(`(?i)\bbatchSize\s*=\s*(\d+)`)

// pageSize is what the header Sforce-Query-Options wishes, within the bounds.
func pageSize(r *http.Request) int {
	m := batchSize.FindStringSubmatch(r.Header.Get("Sforce-Query-Options"))
	if m == nil {
		return defaultPage
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return defaultPage
	}
	return min(max(n, minPage), defaultPage)
}

// tooSlow is the fault query_timeout.
func (c *control) tooSlow(rows int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queryMax > 0 && rows > c.queryMax
}

// run gives the rows of a query in order.
func (s *Server) run(p *plan, all bool) []*record { return s.ordered(p, s.matching(p, all)) }

// matching gives the rows that a query is about, before ORDER BY, LIMIT and OFFSET.
func (s *Server) matching(p *plan, all bool) []*record {
	var rows []*record
	consider := func(r *record) {
		if (all || r.current()) && (p.holds == nil || p.holds(r)) {
			rows = append(rows, r)
		}
	}
	of := p.obj
	if of.view != nil {
		of = of.view.of
	}
	if p.ids != nil {
		for _, id := range p.ids {
			if r := of.byID[id]; r != nil {
				consider(r)
			}
		}
	} else {
		for _, r := range of.rows {
			consider(r)
		}
	}
	return rows
}

// ordered sorts the rows, and takes those that LIMIT and OFFSET leave.
func (s *Server) ordered(p *plan, rows []*record) []*record {
	s.sort(p, rows)
	return p.limited(rows)
}

func (p *plan) limited(rows []*record) []*record {
	rows = rows[min(p.q.Offset, len(rows)):]
	if p.q.Limit >= 0 {
		rows = rows[:min(p.q.Limit, len(rows))]
	}
	return rows
}

// current tells what query shows: neither deleted nor archived rows.
func (r *record) current() bool {
	if r.deleted() {
		return false
	}
	i, f := r.obj.field("IsArchived")
	return f == nil || r.value(i) != true
}

// sort orders rows by the query's keys. Rows equal in all keys come in an order
// that varies from query to query, as documented, unless Id is a key; it is
// the same for the same sequence of queries, so that tests repeat.
func (s *Server) sort(p *plan, rows []*record) {
	byID := slices.ContainsFunc(p.keys, func(k orderKey) bool { return len(k.get.steps) == 0 && k.get.fixed == colID })
	if !byID {
		s.control.mu.Lock()
		s.control.queries++
		order := rand.New(rand.NewPCG(20, s.control.queries))
		s.control.mu.Unlock()
		order.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	if len(p.keys) == 0 {
		return
	}
	type keyed struct {
		row  *record
		keys []any
	}
	sorted, all := make([]keyed, len(rows)), make([]any, len(rows)*len(p.keys))
	for i, r := range rows {
		sorted[i] = keyed{r, all[i*len(p.keys):][:len(p.keys)]}
		for k, key := range p.keys {
			sorted[i].keys[k] = s.read(key.get, r)
		}
	}
	slices.SortFunc(sorted, func(a, b keyed) int {
		for k, key := range p.keys {
			if order := key.order(a.keys[k], b.keys[k]); order != 0 {
				return order
			}
		}
		return 0
	})
	for i := range sorted {
		rows[i] = sorted[i].row
	}
}

// order compares two values; where nulls stand does not depend on DESC.
func (k orderKey) order(a, b any) int {
	if a == nil || b == nil {
		order := cmp.Compare(min(rank(a), 1), min(rank(b), 1))
		if k.nullsLast {
			return -order
		}
		return order
	}
	order := compareValues(k.get.field, a, b)
	if k.desc {
		return -order
	}
	return order
}

// queryMore is a later page: /query/01g…-2000.
func (s *Server) queryMore(c *call) reply {
	lost := fail(http.StatusBadRequest, &Error{Code: "INVALID_QUERY_LOCATOR", Message: "invalid query locator"})
	id, offset, _ := strings.Cut(c.args[0], "-")
	at, err := strconv.Atoi(offset)
	now := s.now()
	s.control.mu.Lock()
	cur := s.control.cursors[id]
	s.control.mu.Unlock()
	if err != nil || cur == nil || at < 0 || at >= len(cur.rows) || now.Sub(cur.made) > cursorLife {
		return lost
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.page(c, cur, id, at)
}

// page shows the rows of a cursor from one position on. Rows have the values
// that they have now; those deleted since are left out. id is "" on the first page.
func (s *Server) page(c *call, cur *cursor, id string, from int) reply {
	s.control.mu.Lock()
	size := cur.page
	if s.control.pageMax > 0 {
		size = min(size, s.control.pageMax)
	}
	to := min(from+size, len(cur.rows))
	if to < len(cur.rows) && id == "" {
		for old, kept := range s.control.cursors {
			if cur.made.Sub(kept.made) > cursorLife {
				delete(s.control.cursors, old)
			}
		}
		s.control.serial++
		id = newID("01g", s.control.serial)
		s.control.cursors[id] = cur
	}
	s.control.mu.Unlock()

	b := append([]byte(`{"totalSize":`), strconv.Itoa(len(cur.rows))...)
	b = append(b, `,"done":`...)
	b = strconv.AppendBool(b, to == len(cur.rows))
	if to < len(cur.rows) {
		b = append(b, `,"nextRecordsUrl":"`+root(c)+"/query/"+id+"-"+strconv.Itoa(to)+`"`...)
	}
	b = append(b, `,"records":[`...)
	columns := s.withChildren(cur.plan.columns, cur.rows[from:to], cur.all)
	for _, r := range cur.rows[from:to] {
		if !cur.all && !r.current() || r.obj.byID[r.id()] != r {
			continue
		}
		if c.rows > 0 {
			b = append(b, ',')
		}
		b = s.appendRow(b, root(c), cur.plan.obj.name, columns, r, r)
		c.rows++
	}
	return reply{status: http.StatusOK, body: append(b, "]}"...)}
}

// appendRow writes one row as answers show it: attributes first, then the
// columns in the order asked. shown is the row or one of its parents, of type kind.
func (s *Server) appendRow(b []byte, root, kind string, columns []column, r, shown *record) []byte {
	b = append(b, `{"attributes":{"type":"`+kind+`","url":"`+root+"/sobjects/"+shown.obj.name+"/"+shown.id()+`"}`...)
	for _, col := range columns {
		b = append(b, `,"`+col.name+`":`...)
		if col.below != nil {
			b = s.appendChildren(b, root, col.below, shown)
			continue
		}
		if col.columns == nil {
			b = appendJSON(b, col.get.field, s.read(col.get, r))
			continue
		}
		parent := s.row(col.get, r)
		switch {
		case parent == nil:
			b = append(b, "null"...)
		case col.poly:
			b = s.appendRow(b, root, "Name", col.columns, r, parent)
		default:
			b = s.appendRow(b, root, parent.obj.name, col.columns, r, parent)
		}
	}
	return append(b, '}')
}
