package sqltable

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"energyd/internal/fault"
)

// charsets are the encodings that Stream.Encoding knows; nil is UTF-8.
var charsets = map[string]encoding.Encoding{
	"cp932": japanese.ShiftJIS, "euc-jp": japanese.EUCJP, "windows-1252": charmap.Windows1252, "utf-8": nil,
}

// column is one column of a stream.
type column struct {
	name    string
	typ     sqlType
	kind    kind
	notNull bool
	key     bool
	changed bool
	// raw names the encoding, as the server calls it, whose bytes are read in place of text; "" = text is.
	raw string
	// charset decodes text that is not UTF-8; nil = it is.
	charset encoding.Encoding
	// checked: the server gives no text that is not UTF-8, so that nobody needs to look again.
	checked bool
}

// table is a stream's configuration with what the catalogue knows of it.
type table struct {
	from    string // of SELECT: a quoted table or a subselect
	columns []column
	key     []int  // positions in columns
	changed int    // the same; -1 = none
	deleted string // SQL condition; "" = none
	loc     *time.Location
}

// listed is a column as dialect.columns gives it.
type listed struct {
	Name        string `db:"name"`
	NotNull     bool   `db:"not_null"`
	KeyPosition int    `db:"key_position"`
}

// identifier tells a column's name from a condition in Stream.Deleted.
var identifier = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`)

// resolve checks a stream's names against the catalogue.
func (c *conn) resolve(ctx context.Context, cfg *Stream) (*table, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	t := &table{from: "(" + strings.TrimRight(strings.TrimSpace(cfg.Query), "; \n") + "\n) q", changed: -1}
	if cfg.Table != "" {
		schema, name := split(cfg.Table)
		t.from = c.dialect.quote(name)
		if schema != "" {
			t.from = c.dialect.quote(schema) + "." + t.from
		}
	}
	all, err := c.list(ctx, cfg, t.from)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i, l := range all {
		names[i] = l.Name
	}
	if cfg.Encoding != "" && !c.dialect.bytes() {
		return nil, fault.New(fault.Config, c.env.Name+": "+cfg.name(), "encoding is not for "+c.cfg.Driver,
			"leave it out: this database tells its encoding itself", nil)
	}
	wrong := func(hint, format string, args ...any) error {
		return fault.New(fault.Config, c.env.Name+": "+cfg.name(), fmt.Sprintf(format, args...), hint, nil)
	}
	key := cfg.Key
	if len(key) == 0 {
		if key = primaryKey(all); len(key) == 0 {
			return nil, wrong("name the columns that make a row unique in key", "the table has no primary key")
		}
	}
	special := slices.Clone(key)
	if cfg.Changed != "" {
		special = append(special, cfg.Changed)
	}
	deletedColumn := identifier.MatchString(cfg.Deleted) || slices.Contains(names, cfg.Deleted)
	if deletedColumn {
		special = append(special, cfg.Deleted)
	}
	for _, name := range slices.Concat(special, cfg.Columns) {
		if !slices.Contains(names, name) {
			return nil, wrong("the columns are: "+strings.Join(names, ", "),
				"there is no column %q%s", name, fault.DidYouMean(name, names))
		}
	}
	for _, l := range all {
		if len(cfg.Columns) == 0 || slices.Contains(cfg.Columns, l.Name) || slices.Contains(special, l.Name) {
			t.columns = append(t.columns, column{name: l.Name, notNull: l.NotNull, key: slices.Contains(key, l.Name)})
		}
	}
	if err := c.types(ctx, cfg, t); err != nil {
		return nil, err
	}
	for i, col := range t.columns {
		if col.kind == binary && (slices.Contains(cfg.Columns, col.name) || slices.Contains(special, col.name)) {
			return nil, wrong("use a query that makes text of it, such as encode(…, 'hex'), HEX(…) or CONVERT(… USING utf8mb4)",
				"the column %q holds bytes, which cannot be read", col.name)
		}
		if col.name == cfg.Changed {
			t.columns[i].kind, t.columns[i].changed = c.changedKind(col.kind), true
		}
	}
	t.columns = slices.DeleteFunc(t.columns, func(col column) bool { return col.kind == binary })
	at := func(name string) int {
		return slices.IndexFunc(t.columns, func(col column) bool { return col.name == name })
	}
	for _, name := range key {
		t.key = append(t.key, at(name))
	}
	if cfg.Changed != "" {
		t.changed = at(cfg.Changed)
		switch t.columns[t.changed].kind {
		case instant, wall, integer, decimal:
		default:
			return nil, wrong("name a column of a time with its clock time, or of a growing whole number; or use a query that makes one, "+
				"such as CAST(… AS timestamp); or leave changed out, to read the whole table each time",
				"the column %q cannot tell when a row changed", cfg.Changed)
		}
	}
	if deletedColumn {
		if t.deleted = condition(c.dialect.quote(cfg.Deleted), t.columns[at(cfg.Deleted)].kind); t.deleted == "" {
			return nil, wrong(fmt.Sprintf("write a condition in deleted, such as: %s = 'Y'", cfg.Deleted),
				"the column %q is text: which of its values mean deleted?", cfg.Deleted)
		}
	} else if cfg.Deleted != "" {
		t.deleted = "(" + cfg.Deleted + ")"
	}
	if i := slices.IndexFunc(t.columns, func(col column) bool { return col.kind == wall }); i >= 0 && cfg.Timezone == "" {
		return nil, wrong("set timezone to the zone of the stored times, such as Asia/Tokyo; or leave the column out with columns",
			"the column %q holds times without a zone", t.columns[i].name)
	}
	t.loc, err = cfg.zone()
	return t, err
}

// list gives the columns of the table or query.
func (c *conn) list(ctx context.Context, cfg *Stream, from string) ([]listed, error) {
	if cfg.Table == "" {
		rows, err := c.db.QueryxContext(ctx, "SELECT * FROM "+from+" WHERE 1 = 0")
		if err != nil {
			return nil, c.fault(ctx, cfg.name(), err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			return nil, c.fault(ctx, cfg.name(), err)
		}
		all := make([]listed, len(names))
		for i, n := range names {
			all[i].Name = n
		}
		return all, nil
	}
	var all []listed
	schema, name := split(cfg.Table)
	if err := c.db.SelectContext(ctx, &all, bind(c.dialect, c.dialect.columns()), schema, name); err != nil {
		return nil, c.fault(ctx, cfg.name(), err)
	}
	if len(all) > 0 {
		return all, nil
	}
	tables, err := c.tables(ctx)
	if err != nil {
		return nil, c.fault(ctx, cfg.name(), err)
	}
	return nil, fault.New(fault.Config, c.env.Name,
		fmt.Sprintf("there is no table %q at %s, or no right to it%s", cfg.Table, c.cfg.where(), fault.DidYouMean(cfg.Table, tables)),
		"check table of the source (as schema.table outside the usual schema), and GRANT SELECT on it", nil)
}

func (c *conn) tables(ctx context.Context) ([]string, error) {
	var names []string
	err := c.db.SelectContext(ctx, &names, c.dialect.tables())
	return names, err
}

func primaryKey(all []listed) []string {
	key := slices.DeleteFunc(slices.Clone(all), func(l listed) bool { return l.KeyPosition == 0 })
	slices.SortFunc(key, func(a, b listed) int { return a.KeyPosition - b.KeyPosition })
	names := make([]string, len(key))
	for i, l := range key {
		names[i] = l.Name
	}
	return names
}

// unique tells whether an index of the table sees to it that no two rows have
// the same values in the columns key.
func (c *conn) unique(ctx context.Context, cfg *Stream, key []string) (bool, error) {
	if cfg.Table == "" {
		return false, nil
	}
	var parts []struct {
		Index  string `db:"index_name"`
		Column string `db:"column_name"`
	}
	schema, name := split(cfg.Table)
	if err := c.db.SelectContext(ctx, &parts, bind(c.dialect, c.dialect.uniques()), schema, name); err != nil {
		return false, c.fault(ctx, cfg.name(), err)
	}
	within := map[string]bool{}
	for _, p := range parts {
		before, seen := within[p.Index]
		within[p.Index] = (before || !seen) && slices.Contains(key, p.Column)
	}
	return slices.Contains(slices.Collect(maps.Values(within)), true), nil
}

// types fills in the columns' kinds, by a query without rows over just these
// columns: the right to read others is not needed.
func (c *conn) types(ctx context.Context, cfg *Stream, t *table) error {
	var session string
	if q := c.dialect.session(); q != "" {
		if err := c.db.GetContext(ctx, &session, q); err != nil {
			return c.fault(ctx, cfg.name(), err)
		}
	}
	names := make([]string, len(t.columns))
	for i, col := range t.columns {
		names[i] = c.dialect.quote(col.name)
	}
	rows, err := c.db.QueryxContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+t.from+" WHERE 1 = 0")
	if err != nil {
		return c.fault(ctx, cfg.name(), err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return c.fault(ctx, cfg.name(), err)
	}
	for i, ct := range types {
		c.classify(&t.columns[i], ct, session, cfg.Encoding)
	}
	return nil
}

// classify fills in what a column holds, by the driver's description of it, and how it
// is read; encoding is the stream's, session the answer to dialect.session.
func (c *conn) classify(col *column, ct *sql.ColumnType, session, encoding string) {
	col.typ = sqlType{name: ct.DatabaseTypeName()}
	col.typ.precision, col.typ.scale, _ = ct.DecimalSize()
	if col.kind = c.dialect.kindOf(col.typ); col.kind != text {
		return
	}
	// PostgreSQL checks what it takes and gives, unless it was told no encoding. Its type "char" is a byte.
	col.checked = c.cfg.Driver == "postgres" && session != "SQL_ASCII" && col.typ.name != "CHAR"
	if encoding != "" || session == "SQL_ASCII" { // where one bad byte would fail the whole page
		col.raw = c.dialect.raw(col, session)
	}
	if col.raw != "" || c.cfg.Driver == "sqlite" {
		col.charset = charsets[encoding]
	}
}

// changedKind lets SQLite, which has no type of time, keep change times as text.
func (c *conn) changedKind(k kind) kind {
	if _, ok := c.dialect.(sqliteDialect); ok && k == text {
		return wall
	}
	return k
}

// condition tells by a column's kind what a deleted row holds; "" for text.
func condition(name string, k kind) string {
	switch k {
	case boolean: // PostgreSQL knows no <> 0 of it, SQL Server no bare name
		return "CAST(" + name + " AS int) <> 0"
	case integer, decimal, float, single:
		return name + " <> 0"
	case day, instant, wall:
		return name + " IS NOT NULL"
	}
	return ""
}
