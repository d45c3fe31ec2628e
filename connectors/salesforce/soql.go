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

// instant gives t as a SOQL datetime literal, which has no quotes. "Z" and not
// "+00:00", whose plus sign becomes a blank in a URL.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// statement asks for the rows of w after its last one. The stamp alone is no
// order: a bulk update gives thousands of rows the same second.
func (s *source) statement(w window) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	b.WriteString(strings.Join(s.selected, ","))
	fmt.Fprintf(&b, " FROM %s WHERE ", s.object)
	if w.Last == nil {
		fmt.Fprintf(&b, "%s >= %s", s.stamp, instant(w.From))
	} else {
		at := instant(w.Last.At)
		fmt.Fprintf(&b, "((%s = %s AND Id > %s) OR %s > %s)", s.stamp, at, quote(w.Last.ID), s.stamp, at)
	}
	fmt.Fprintf(&b, " AND %s < %s", s.stamp, instant(w.To))
	if s.deletable && !s.withDeleted {
		b.WriteString(" AND IsDeleted = false")
	}
	if s.where != "" {
		fmt.Fprintf(&b, " AND (%s)", s.where)
	}
	fmt.Fprintf(&b, " ORDER BY %s, Id", s.stamp)
	return b.String()
}
