package salesforce

import (
	"fmt"
	"strings"
	"time"
)

// quote gives text as a SOQL string. Backslashes are escaped too: without that
// a value could end the string and change the statement.
func quote(text string) string { return "'" + escapes.Replace(text) + "'" }

var escapes = strings.NewReplacer(
	`\`, `\\`, `'`, `\'`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)

// literal gives t as a SOQL datetime literal, which has no quotes. "Z" and not
// "+00:00", whose plus sign becomes a blank in a URL. Stamps have whole seconds,
// and not every org need take a fraction (S39).
func literal(t time.Time) string {
	if t.Nanosecond() == 0 {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return instant(t)
}

// instant gives t as a value that is written.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// quoteAll gives texts as a list of SOQL strings.
func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quote(t)
	}
	return strings.Join(quoted, ",")
}

// statement asks for columns of the rows that condition means, in no order.
func (s *source) statement(columns []int, condition string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = s.columns[c].soql()
	}
	return "SELECT " + strings.Join(names, ",") + " FROM " + s.object + " WHERE " + condition
}

// rest means the rows of w after its last one.
func (s *source) rest(w *window) string {
	return w.condition(s.stamp) + s.filter()
}

// condition means the rows of w after its last one. The stamp alone is no
// order: a bulk update gives thousands of rows the same second.
func (w *window) condition(stamp string) string {
	from := fmt.Sprintf("%s >= %s", stamp, literal(w.From))
	if w.Last != nil {
		at := literal(w.Last.At)
		from = fmt.Sprintf("((%s = %s AND Id > %s) OR %s > %s)", stamp, at, quote(w.Last.ID), stamp, at)
	}
	return fmt.Sprintf("%s AND %s < %s", from, stamp, literal(w.To))
}

// upTo cuts a condition off after the row at p.
func (s *source) upTo(p position) string {
	at := literal(p.At)
	return fmt.Sprintf(" AND ((%s = %s AND Id <= %s) OR %s < %s)", s.stamp, at, quote(p.ID), s.stamp, at)
}

// filter is what the configuration adds to each condition.
func (s *source) filter() string {
	filter := ""
	if s.deletable && !s.withDeleted {
		filter = " AND IsDeleted = false"
	}
	if s.where != "" {
		filter += " AND (" + s.where + ")"
	}
	return filter
}
