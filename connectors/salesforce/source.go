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

// source reads one object by change time: salesforce.md section 7.
type source struct {
	conn        *Conn
	object      string
	stamp       string // SystemModstamp, or what the object has instead
	deletable   bool   // the object has IsDeleted
	withDeleted bool
	where       string
	columns     []column
	names       *connectors.Columns
	selected    []string // columns of the statement

	held held
}

// held is what an answer gave beyond the last Read: rows, and the address of
// the next page. It serves only the Read that goes on exactly there.
type held struct {
	at   connectors.Cursor
	rows []map[string]any
	next string
}

// Source opens the stream of an object. The columns of its records have the
// names of the stream's fields.
func (c *Conn) Source(ctx context.Context, cfg connectors.Config) (connectors.Source, error) {
	stream := cfg.(*Stream)
	o, err := c.describe(ctx, stream.Object)
	if err != nil {
		return nil, err
	}
	s := &source{conn: c, object: o.Name, withDeleted: stream.IncludeDeleted, where: stream.Where}
	// SystemModstamp also moves when the system changes a row; history objects lack it or both.
	for _, name := range []string{"SystemModstamp", "LastModifiedDate", "CreatedDate"} {
		if _, ok := o.field(name); ok {
			s.stamp = name
			break
		}
	}
	if s.stamp == "" {
		return nil, fault.New(fault.Config, "describe "+o.Name, "the object has no change time that the run-as user sees",
			"read another object, or grant field-level security for SystemModstamp", nil)
	}
	_, s.deletable = o.field("IsDeleted")
	if s.columns, err = c.columns(ctx, o, stream.Fields); err != nil {
		return nil, err
	}
	names := make([]string, len(s.columns))
	s.selected = []string{"Id", s.stamp}
	if s.deletable {
		s.selected = append(s.selected, "IsDeleted")
	}
	for i, col := range s.columns {
		names[i] = col.asked
		soql := col.soql()
		if !slices.ContainsFunc(s.selected, func(have string) bool { return strings.EqualFold(have, soql) }) {
			s.selected = append(s.selected, soql)
		}
	}
	s.names = connectors.NewColumns(names)
	return s, nil
}

func (s *source) Close() error { return nil }

// Read gives one page at most. The bound of what is read is the org's clock,
// never ours, and never the largest stamp seen: rows that are saved late carry
// an older stamp.
func (s *source) Read(ctx context.Context, after connectors.Cursor, limit int) (connectors.Batch, error) {
	cur := s.parse(after)
	if cur.Open == nil {
		_, now, err := s.conn.versions(ctx)
		if err != nil {
			return connectors.Batch{}, err
		}
		until := now.Add(-time.Duration(s.conn.cfg.Lag)).Truncate(time.Second)
		if !cur.begin(until, time.Duration(s.conn.cfg.Lookback)) {
			return connectors.Batch{Next: after}, nil
		}
	}
	page, err := s.page(ctx, after, cur.Open)
	if err != nil {
		return connectors.Batch{}, err
	}
	batch := connectors.Batch{}
	n := min(limit, len(page.rows))
	for _, row := range page.rows[:n] {
		record, err := s.record(row)
		if err != nil {
			return connectors.Batch{}, err
		}
		// A page is not a snapshot: a row that changed meanwhile comes with its new
		// stamp. It belongs to the next round, and as a position it would skip others.
		if !record.ChangedAt.Before(cur.Open.To) {
			continue
		}
		batch.Records = append(batch.Records, record)
		cur.Open.Last = &position{record.ChangedAt, row["Id"].(string)}
	}
	page.rows = page.rows[n:]
	if len(page.rows) == 0 && page.next == "" {
		batch.Interval = cur.finish()
	}
	batch.Next, batch.More = cur.text(), cur.Open != nil
	page.at = batch.Next
	s.held = page
	return batch, nil
}

// page gives the rows that follow the open window's last one: those held from
// the last answer, the next page of the same query, or a new query's first
// page. A query that is too large for the org halves w.
func (s *source) page(ctx context.Context, after connectors.Cursor, w *window) (held, error) {
	if after != "" && s.held.at == after {
		if len(s.held.rows) > 0 {
			return s.held, nil
		}
		if s.held.next != "" {
			page, err := s.ask(ctx, s.held.next, nil)
			if !hasCode(err, "INVALID_QUERY_LOCATOR", "NOT_FOUND", "QUERY_TIMEOUT", "OPERATION_TOO_LARGE") {
				return page, err
			}
		}
	}
	for {
		// queryAll and not query: query hides archived activities whatever the condition says.
		page, err := s.ask(ctx, "/queryAll", url.Values{"q": {s.statement(*w)}})
		if !hasCode(err, "QUERY_TIMEOUT", "OPERATION_TOO_LARGE") || !w.halve() {
			return page, err
		}
	}
}

// ask fetches one page; pages without rows that have a successor are passed over.
func (s *source) ask(ctx context.Context, path string, query url.Values) (held, error) {
	for {
		var answer struct {
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
			return held{rows: answer.Records, next: answer.NextRecordsURL}, nil
		}
		path, query = answer.NextRecordsURL, nil
	}
}

// record flattens a row. Values by describe's type: datetime is time.Time (UTC),
// int and long are int64, other numbers float64, date is "2006-01-02" text
// (it has no zone to shift), boolean is bool, the rest text.
func (s *source) record(row map[string]any) (connectors.Record, error) {
	id, _ := row["Id"].(string)
	stampText, _ := row[s.stamp].(string)
	changed, err := parseStamp(stampText)
	if id == "" || err != nil {
		return connectors.Record{}, fault.New(fault.Unavailable, "read "+s.object,
			"the org sent a row without id or change time", "", err)
	}
	deleted, _ := row["IsDeleted"].(bool)
	values := make([]any, len(s.columns))
	for i, col := range s.columns {
		values[i] = convert(descend(row, col.path), col.typ)
	}
	return connectors.Record{
		Key: id, ChangedAt: changed, Deleted: deleted,
		Columns: s.names, Values: values, Origin: s.object + "/" + id,
	}, nil
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
