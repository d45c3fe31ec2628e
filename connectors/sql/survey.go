package sqltable

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/internal/fault"
)

var _ connectors.Surveyor = (*conn)(nil)

const (
	surveySpots = 25  // places of a key's range at which rows are looked at
	surveyThin  = 10  // so many times the rows wanted are read where pages are sampled, and thinned out
	surveyText  = 400 // characters kept of a text
)

// listedItem is a table as dialect.items gives it.
type listedItem struct {
	Name string `db:"name"`
	Kind string `db:"kind"` // "table" or "view"
	Rows int64  `db:"rows"` // by the database's own statistics; -1 = not known
}

// Items lists tables and views with the database's own estimates of their rows, which cost nothing.
func (c *conn) Items(ctx context.Context) ([]connectors.Item, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	var all []listedItem
	if err := c.db.SelectContext(ctx, &all, c.dialect.items()); err != nil {
		return nil, c.fault(ctx, "", err)
	}
	items := make([]connectors.Item, len(all))
	for i, l := range all {
		items[i] = connectors.Item{Name: l.Name, Kind: l.Kind, Rows: l.Rows, Estimated: l.Rows >= 0}
	}
	slices.SortFunc(items, func(a, b connectors.Item) int { return strings.Compare(a.Name, b.Name) })
	return items, nil
}

// Sample reads a small table whole, and of a large one pages by chance where
// the database can (TABLESAMPLE), or rows at places spread over its key. No
// statement reads a large table from one end to the other.
func (c *conn) Sample(ctx context.Context, item connectors.Item, most int) (connectors.Sample, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	s := sampling{conn: c, item: item, most: most}
	schema, name := split(item.Name)
	s.from = c.dialect.quote(name)
	if schema != "" {
		s.from = c.dialect.quote(schema) + "." + s.from
	}
	out, err := s.run(ctx)
	if err != nil {
		return out, c.fault(ctx, item.Name, err)
	}
	return out, nil
}

// Stream gives the options of the table's source.
func (c *conn) Stream(item connectors.Item, by connectors.Reading) []connectors.Option {
	options := []connectors.Option{{Name: "table", Value: item.Name}}
	if len(by.Key) > 0 {
		options = append(options, connectors.Option{Name: "key", Value: by.Key})
	}
	if by.Changed != "" {
		options = append(options, connectors.Option{Name: "changed", Value: by.Changed})
	}
	if encoding, ok := c.encodings.Load(item.Name); ok {
		options = append(options, connectors.Option{Name: "encoding", Value: encoding, Reason: c.env.Say("guessed from the sample", "標本からの推定")})
	}
	if by.Zone != "" {
		options = append(options, connectors.Option{Name: "timezone", Value: by.Zone, Reason: c.env.Say("of times that are stored without a zone", "時差の情報がない日時の時間帯")})
	}
	return options
}

// sampling is the work on one table.
type sampling struct {
	*conn
	item    connectors.Item
	most    int
	from    string
	columns []column // that can be read
	list    string   // of SELECT
	out     connectors.Sample
	broken  map[string]int // column → values that are not UTF-8

	encoding  string   // in which text columns are read; "" = as the database says
	odd       [][]byte // texts that may be of another encoding
	unclouded int      // texts beyond ASCII that are in order
}

func (s *sampling) run(ctx context.Context) (connectors.Sample, error) {
	if err := s.look(ctx); err != nil {
		return s.out, err
	}
	encoding := guessedEncoding(s.odd)
	switch {
	case encoding == "":
	case s.unclouded > 0 || !s.dialect.bytes(): // a source has one encoding for all its columns
		s.out.Notes = append(s.out.Notes, s.env.Say(`some of its texts look like %s and others are in order: turn the former in a query (connectors/sql/README.md, "Text in old encodings")`,
			"一部の文字は%sらしく、他は正しい。前者をqueryで変換する(connectors/sql/README.md の Text in old encodings)", encoding))
	default:
		s.encoding = encoding
		if err := s.look(ctx); err != nil {
			return s.out, err
		}
		s.out.Notes = append(s.out.Notes, s.env.Say("its texts look like %s, which the database does not know: check a name with rare characters before you rely on it",
			"文字はデータベースの設定と違い%sらしい。珍しい字のある名前で確かめること", encoding))
		s.encodings.Store(s.item.Name, encoding)
	}
	if err := s.described(ctx); err != nil {
		return s.out, err
	}
	for _, col := range s.columns {
		if n := s.broken[col.name]; n > 0 {
			s.out.Notes = append(s.out.Notes, s.env.Say("%d values of the column %q are not UTF-8 and were left out", "列%[2]qの%[1]d件の値がUTF-8でなく、除いた", n, col.name))
		}
	}
	return s.out, nil
}

// look reads the sample in the encoding.
func (s *sampling) look(ctx context.Context) error {
	s.out, s.broken, s.columns, s.odd = connectors.Sample{Item: s.item}, map[string]int{}, nil, nil
	if err := s.describe(ctx); err != nil {
		return err
	}
	return s.rows(ctx)
}

// describe finds the columns, their types and the key.
func (s *sampling) describe(ctx context.Context) error {
	all, err := s.conn.list(ctx, &Stream{Table: s.item.Name}, s.from)
	if err != nil {
		return err
	}
	names := make([]string, len(all))
	for i, l := range all {
		names[i] = s.dialect.quote(l.Name)
	}
	session := ""
	if q := s.dialect.session(); q != "" {
		if err := s.db.GetContext(ctx, &session, q); err != nil {
			return err
		}
	}
	rows, err := s.db.QueryxContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+s.from+" WHERE 1 = 0")
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	key := primaryKey(all)
	var list []string
	for i, t := range types {
		col := column{name: all[i].Name, notNull: all[i].NotNull}
		s.classify(&col, t, session, s.encoding)
		k, typ := col.kind, strings.ToLower(col.typ.name)
		if length, ok := t.Length(); ok && k == text && length > 0 && length < math.MaxInt32 {
			typ = fmt.Sprintf("%s(%d)", typ, length)
		}
		if k == binary {
			s.out.Notes = append(s.out.Notes, s.env.Say("the column %q holds bytes (%s), which are not read", "列%qはバイト列(%s)のため読まない", all[i].Name, typ))
			continue
		}
		_, asText := s.dialect.(sqliteDialect) // has no times but texts, and orders them as times
		tells := k == text && asText || k == instant || k == wall || k == integer || k == decimal
		s.out.Columns = append(s.out.Columns, connectors.SampleColumn{Name: all[i].Name, Type: typ, NotNull: all[i].NotNull,
			Key: slices.Contains(key, all[i].Name), Tells: tells, Zoneless: k == wall})
		s.columns = append(s.columns, col)
		list = append(list, s.dialect.selects(names[i], &col))
	}
	if len(list) == 0 {
		return fault.New(fault.Config, s.env.Name+": "+s.item.Name, "no column of it can be read", "", nil)
	}
	s.list = strings.Join(list, ", ")
	return nil
}

// rows chooses how the rows are had.
func (s *sampling) rows(ctx context.Context) error {
	if s.item.Rows < int64(2*s.most) { // small, or not known
		rows, err := s.query(ctx, s.from, s.most+1)
		if err != nil {
			return err
		}
		if len(rows) <= s.most {
			s.out.Rows, s.out.Whole = rows, true
			s.out.Item.Rows, s.out.Item.Estimated = int64(len(rows)), false
			return nil
		}
		if s.item.Kind == "view" {
			s.out.Rows, s.out.How = rows[:s.most], s.env.Say("the first rows that the view gives", "ビューが最初に返す行")
			return nil
		}
	}
	if done, err := s.byPages(ctx); done || err != nil {
		return err
	}
	return s.byKey(ctx)
}

// byPages lets the database choose pages by chance; false where it cannot.
func (s *sampling) byPages(ctx context.Context) (bool, error) {
	wanted := surveyThin * s.most
	percent := 100.0
	if s.item.Rows > 0 {
		percent = min(100, 100*float64(wanted)/float64(s.item.Rows))
	}
	from := s.dialect.sample(s.from, percent)
	if from == "" || s.item.Kind != "table" || s.item.Rows <= 0 {
		return false, nil
	}
	rows, err := s.query(ctx, from, 3*wanted)
	if err != nil {
		return false, err
	}
	if len(rows) < s.most/4 { // the statistics are old
		return false, nil
	}
	newest, err := s.atEnds(ctx, s.most/20)
	if err != nil {
		return false, err
	}
	s.out.Rows = merged(thinned(rows, s.most-len(newest)), newest)
	s.out.How = s.env.Say("%d rows of pages that the database chose by chance over the whole table", "データベースが表全体から無作為に選んだページの%d行", len(s.out.Rows))
	return true, nil
}

// thinned keeps about n of rows, evenly.
func thinned(rows [][]any, n int) [][]any {
	if n <= 0 || len(rows) <= n {
		return rows
	}
	kept := make([][]any, n)
	for i := range kept {
		kept[i] = rows[i*len(rows)/n]
	}
	return kept
}

// byKey looks at places spread evenly over the range of a whole-number key, else at the table's both ends.
func (s *sampling) byKey(ctx context.Context) error {
	key, number := s.orderKey()
	if key == "" {
		rows, err := s.query(ctx, s.from, s.most)
		s.out.Rows, s.out.How = rows, s.env.Say("the first %d rows: the table has no key to spread the sample by", "先頭の%d行（標本を散らすためのキーがない）", len(rows))
		return err
	}
	if !number {
		return s.byEnds(ctx, key)
	}
	var ends struct {
		Low  *int64 `db:"low"`
		High *int64 `db:"high"`
	}
	// Two statements: several databases read the whole index when both ends are asked at once.
	for query, to := range map[string]**int64{"min": &ends.Low, "max": &ends.High} {
		if err := s.db.GetContext(ctx, to, "SELECT "+query+"("+key+") FROM "+s.from); err != nil {
			return err
		}
	}
	if ends.Low == nil || ends.High == nil {
		s.out.Whole = true
		return nil
	}
	low, width := *ends.Low, float64(*ends.High)-float64(*ends.Low)+1
	if s.item.Rows < 0 {
		s.out.Item.Rows, s.out.Item.Estimated = int64(width), true
	}
	each := max(s.most/surveySpots, 1)
	for i := range surveySpots {
		from := low + int64(width*float64(i)/surveySpots)
		to := low + int64(width*float64(i+1)/surveySpots) // no row comes twice
		rows, err := s.query(ctx, fmt.Sprintf("%s WHERE %s >= %d AND %s < %d ORDER BY %s", s.from, key, from, key, to, key), each)
		if err != nil {
			return err
		}
		s.out.Rows = append(s.out.Rows, rows...)
	}
	if len(s.out.Rows) < s.most/4 { // the keys lie in heaps
		return s.byEnds(ctx, key)
	}
	newest, err := s.atEnds(ctx, each)
	s.out.Rows = merged(s.out.Rows, newest)
	s.out.How = s.env.Say("%d rows at %d places spread over the key, and the newest", "キーの範囲に散らした%[2]dか所と最新の%[1]d行", len(s.out.Rows), surveySpots)
	return err
}

// byEnds looks at the rows with the smallest and the largest keys.
func (s *sampling) byEnds(ctx context.Context, key string) error {
	first, err := s.query(ctx, s.from+" ORDER BY "+key, s.most/2)
	if err != nil {
		return err
	}
	last, err := s.atEnds(ctx, s.most/2)
	s.out.Rows = merged(first, last)
	s.out.How = s.env.Say("the first and the last %d rows by key", "キー順で最初と最後の各%d行", len(first))
	return err
}

// merged adds those of more that rows does not have.
func merged(rows, more [][]any) [][]any {
	have := make(map[string]bool, len(rows))
	for _, r := range rows {
		have[fmt.Sprint(r...)] = true
	}
	for _, r := range more {
		if !have[fmt.Sprint(r...)] {
			rows = append(rows, r)
		}
	}
	return rows
}

// orderKey is the quoted column that an index orders the whole table by, and whether it holds whole numbers.
func (s *sampling) orderKey() (key string, number bool) {
	var declared []column
	for i, col := range s.columns {
		if s.out.Columns[i].Key {
			declared = append(declared, col)
		}
	}
	if len(declared) == 1 && declared[0].kind == integer {
		return s.dialect.quote(declared[0].name), true
	}
	if id := s.dialect.rowNumber(); id != "" && s.item.Kind == "table" {
		return id, true
	}
	if len(declared) > 0 {
		return s.dialect.quote(declared[0].name), false
	}
	return "", false
}

// atEnds gives the n rows with the largest keys, which are the newest as a rule.
func (s *sampling) atEnds(ctx context.Context, n int) ([][]any, error) {
	key, _ := s.orderKey()
	if key == "" || n < 1 {
		return nil, nil
	}
	return s.query(ctx, s.from+" ORDER BY "+key+" DESC", n)
}

// query reads up to n rows. A value that cannot be had is left out, and counted.
func (s *sampling) query(ctx context.Context, from string, n int) ([][]any, error) {
	rows, err := s.db.QueryxContext(ctx, s.dialect.first(s.list, from, n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		row, err := s.scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func (s *sampling) scan(rows *sqlx.Rows) ([]any, error) {
	row, err := rows.SliceScan()
	if err != nil {
		return nil, err
	}
	for i := range s.columns {
		if s.columns[i].kind == text && s.encoding == "" {
			if b, plain := disguised(row[i]); b != nil {
				s.odd = append(s.odd, b)
			} else if !plain {
				s.unclouded++
			}
		}
		v, err := value(row[i], &s.columns[i], time.UTC)
		if err != nil {
			s.broken[s.columns[i].name]++
			v = nil
		}
		if text, ok := v.(string); ok && len(text) > surveyText {
			if r := []rune(text); len(r) > surveyText {
				v = string(r[:surveyText])
			}
		}
		row[i] = v
	}
	return row[:len(s.columns)], nil
}
