package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// held is what an answer gave beyond the last Read: rows, and the address of
// the next page. It serves only the Read that goes on exactly there.
type held struct {
	at    connectors.Cursor
	rows  []placed
	next  string
	total int  // rows of the whole query
	fresh bool // the first page of a query
}

// placed is a row with its place in the query's order.
type placed struct {
	row []any
	at  position
}

// readPage gives one page at most. A window of very many rows is left to a bulk job.
func (r *reading) readPage(ctx context.Context) error {
	w := r.cur.Open
	page, tooLarge, err := r.nextPage(ctx, w)
	if err != nil {
		return err
	}
	if tooLarge || (page.fresh && page.total > r.conn.cfg.BulkFrom && r.mayBulk(w)) {
		return r.openJob(ctx)
	}
	n := min(r.limit, len(page.rows))
	for _, p := range page.rows[:n] {
		if err := r.give(p.row); err != nil {
			return err
		}
		if p.at.At.Before(w.To) { // as a position, a row with a stamp beyond the window would skip others
			w.Last = &p.at
		}
	}
	page.rows = page.rows[n:]
	if len(page.rows) == 0 && page.next == "" {
		r.finish()
	}
	if err := r.done(ctx); err != nil {
		return err
	}
	page.at, page.fresh = r.batch.Next, false
	r.held = page
	return nil
}

// nextPage gives the rows that follow the open window's last one: those held
// from the last answer, the next page of the same query, or a new query's first
// page. A query that is too large for the org, or never answered, is one for a
// job; else it halves w.
func (r *reading) nextPage(ctx context.Context, w *window) (page held, tooLarge bool, err error) {
	s := r.source
	if r.after != "" && s.held.at == r.after {
		if len(s.held.rows) > 0 {
			return s.held, false, nil
		}
		if s.held.next != "" {
			page, err := s.ask(ctx, s.parts[0], s.held.next, nil)
			if !hasCode(err, "INVALID_QUERY_LOCATOR", "NOT_FOUND", "QUERY_TIMEOUT", "OPERATION_TOO_LARGE") {
				if err == nil {
					err = s.fillIn(ctx, w, &page)
				}
				return page, false, err
			}
		}
	}
	for {
		page, err := s.ask(ctx, s.parts[0], "/queryAll", s.query(s.parts[0], s.rest(w)))
		tooLarge := hasCode(err, "QUERY_TIMEOUT", "OPERATION_TOO_LARGE")
		// A proxy may have ended what took the org a minute. If it is the org that is away, it makes no job either.
		unanswered := fault.KindOf(err) == fault.Unavailable && ctx.Err() == nil
		if (tooLarge || unanswered) && w.long() && r.mayBulk(w) {
			return held{}, true, nil
		}
		if tooLarge && w.halve() {
			continue
		}
		if err == nil {
			page.fresh = true
			err = s.fillIn(ctx, w, &page)
		}
		return page, false, err
	}
}

// query asks for columns of the rows that condition means, in the only order
// that can be gone on with. queryAll and not query: query hides archived
// activities whatever the condition says.
func (s *source) query(columns []int, condition string) url.Values {
	return url.Values{"q": {s.statement(columns, condition) + " ORDER BY " + s.stamp + ", Id"}}
}

// ask fetches one page; pages without rows that have a successor are passed over.
func (s *source) ask(ctx context.Context, columns []int, path string, query url.Values) (held, error) {
	for {
		var answer struct {
			TotalSize      int              `json:"totalSize"`
			Records        []map[string]any `json:"records"`
			NextRecordsURL string           `json:"nextRecordsUrl"`
		}
		err := s.conn.call(ctx, call{
			op: "read " + s.object, method: http.MethodGet, path: path, query: query,
			header: map[string]string{"Sforce-Query-Options": fmt.Sprintf("batchSize=%d", s.conn.cfg.PageSize)},
		}, &answer)
		if err != nil {
			return held{}, err
		}
		if len(answer.Records) > 0 || answer.NextRecordsURL == "" {
			page := held{next: answer.NextRecordsURL, total: answer.TotalSize, rows: make([]placed, len(answer.Records))}
			for i, answered := range answer.Records {
				p := &page.rows[i]
				p.row = s.take(answered, columns)
				p.at.ID, _ = p.row[s.idAt].(string)
				p.at.At, _ = p.row[s.stampAt].(time.Time)
			}
			return page, nil
		}
		path, query = answer.NextRecordsURL, nil
	}
}

// take makes a row of columns of what was answered. Values by describe's type:
// datetime is time.Time (UTC), int and long are int64, other numbers float64,
// date is "2006-01-02" text (it has no zone to shift), boolean is bool, the rest text.
func (s *source) take(answered map[string]any, columns []int) []any {
	row := make([]any, len(s.columns))
	for _, i := range columns {
		row[i] = convert(descend(answered, s.columns[i].path), s.columns[i].typ)
	}
	return row
}

// descend follows parents; a missing parent has no values.
func descend(row map[string]any, path []string) any {
	for _, step := range path[:len(path)-1] {
		parent, ok := entry(row, step).(map[string]any)
		if !ok {
			return nil
		}
		row = parent
	}
	return entry(row, path[len(path)-1])
}

// entry finds a key; below a polymorphic parent only the org knows its case.
func entry(row map[string]any, key string) any {
	if v, ok := row[key]; ok {
		return v
	}
	for k, v := range row {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

func convert(v any, typ string) any {
	switch x := v.(type) {
	case string:
		if typ == "datetime" {
			if t, err := parseStamp(x); err == nil {
				return t
			}
		}
	case float64:
		if typ == "int" || typ == "long" {
			return int64(x)
		}
	}
	return v
}

// parseStamp reads a datetime in either form the org uses: "+0000" (which is not
// RFC 3339) in REST, "Z" in bulk files.
func parseStamp(text string) (time.Time, error) {
	layout := "2006-01-02T15:04:05.000-0700"
	if strings.HasSuffix(text, "Z") {
		layout = time.RFC3339
	}
	t, err := time.Parse(layout, text)
	return t.UTC(), err
}

// spare is kept free in an address for the condition that names rows by id, of
// which idsAtOnce fit into it.
const (
	spare     = 3000
	idsAtOnce = 100
)

// split cuts the statement's columns into parts whose addresses the org takes
// (C17). Each names the row and its change time, so that parts can be joined.
func (s *source) split() error {
	window := s.rest(&window{From: theBeginning, To: theBeginning, Last: &position{theBeginning, strings.Repeat("x", 18)}})
	size := func(columns []int) int {
		path := "/services/data/" + s.conn.cfg.APIVersion + "/queryAll?"
		return len(path) + len(encode(s.query(columns, window)))
	}
	room := maxURI
	if s.people.follow() { // rows are asked for by id
		room -= spare
	}
	if size(s.selected) <= room {
		s.parts = [][]int{s.selected}
		return nil
	}
	key := []int{s.idAt, s.stampAt}
	room = maxURI - spare - size(key)
	left := 0
	for _, i := range s.selected {
		cost := len(url.QueryEscape("," + s.columns[i].soql()))
		if cost > room {
			return fault.New(fault.Config, "read "+s.object, "the condition of the query is too long for Salesforce", "use a shorter where", nil)
		}
		if slices.Contains(key, i) {
			continue
		}
		if cost > left {
			s.parts = append(s.parts, slices.Clone(key))
			left = room
		}
		part := &s.parts[len(s.parts)-1]
		*part = append(*part, i)
		left -= cost
	}
	return nil
}

// fillIn gives the rows of a page the columns of the other parts. A row that
// changed or vanished since the first part was read is read again as a whole:
// no record is made of two states (C17).
func (s *source) fillIn(ctx context.Context, w *window, page *held) error {
	if len(s.parts) == 1 || len(page.rows) == 0 {
		return nil
	}
	last := page.rows[len(page.rows)-1].at
	torn, err := s.join(ctx, page.rows, s.rest(w)+s.upTo(last))
	if err != nil || len(torn) == 0 {
		return err
	}
	mended, err := s.whole(ctx, torn)
	if err != nil {
		return err
	}
	now := make(map[string][]any, len(mended))
	for _, p := range mended {
		now[p.at.ID] = p.row
	}
	page.rows = slices.DeleteFunc(page.rows, func(p placed) bool {
		return now[p.at.ID] == nil && slices.Contains(torn, p.at.ID)
	})
	for i, p := range page.rows {
		if row := now[p.at.ID]; row != nil {
			page.rows[i].row = row // its place stays
		}
	}
	return nil
}

// join fills the other parts into rows, which condition describes, and gives the
// ids of those that did not come again as they were.
func (s *source) join(ctx context.Context, rows []placed, condition string) (torn []string, err error) {
	byID := make(map[string][]any, len(rows))
	parts := make(map[string]int, len(rows)) // how many of a row came
	for _, p := range rows {
		byID[p.at.ID], parts[p.at.ID] = p.row, 1
	}
	for n, columns := range s.parts[1:] {
		path, query := "/queryAll", s.query(columns, condition)
		for path != "" {
			page, err := s.ask(ctx, columns, path, query)
			if err != nil {
				return nil, err
			}
			for _, other := range page.rows {
				// A row that came late with an early stamp is not among ours: lookback brings it.
				row := byID[other.at.ID]
				if row == nil || row[s.stampAt] != other.row[s.stampAt] {
					continue
				}
				parts[other.at.ID] = n + 2
				for _, i := range columns {
					row[i] = other.row[i]
				}
			}
			path, query = page.next, nil
		}
		for id, came := range parts {
			if came < n+2 {
				torn = append(torn, id)
				delete(parts, id)
			}
		}
	}
	slices.Sort(torn)
	return torn, nil
}

// whole reads rows by their ids; those that are gone are left out.
func (s *source) whole(ctx context.Context, ids []string) ([]placed, error) {
	var whole []placed
	for tries := 0; len(ids) > 0; tries++ {
		if tries == 5 {
			return nil, fault.New(fault.Unavailable, "read "+s.object, "rows change faster than they can be read", "", nil)
		}
		var again []string
		for some := range slices.Chunk(ids, idsAtOnce) {
			rows, torn, err := s.byID(ctx, some)
			if err != nil {
				return nil, err
			}
			for _, p := range rows {
				if !slices.Contains(torn, p.at.ID) {
					whole = append(whole, p)
				}
			}
			again = append(again, torn...)
		}
		ids = again
	}
	return whole, nil
}

// byID reads at most idsAtOnce rows by their ids; torn are those of which parts did not fit.
func (s *source) byID(ctx context.Context, ids []string) (rows []placed, torn []string, err error) {
	condition := "Id IN (" + quoteAll(ids) + ")" + s.filter()
	path, query := "/queryAll", s.query(s.parts[0], condition)
	for path != "" {
		page, err := s.ask(ctx, s.parts[0], path, query)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, page.rows...)
		path, query = page.next, nil
	}
	if len(rows) > 0 {
		torn, err = s.join(ctx, rows, condition)
	}
	return rows, torn, err
}
