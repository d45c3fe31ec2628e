package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"energyd/sink"
)

// eraseRejects removes the rejects that hold the person: an id, a code or the
// whole name as a value, or an address or the full name anywhere.
func eraseRejects(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	rows, err := tx.QueryxContext(ctx, "SELECT source, key, origin, reason, fields FROM reject")
	if err != nil {
		return err
	}
	words := p.words()
	var gone [][2]string
	for rows.Next() {
		var source, key, origin, reason string
		var fields []byte
		if err := rows.Scan(&source, &key, &origin, &reason, &fields); err != nil {
			return errors.Join(err, rows.Close())
		}
		var value any
		if err := json.Unmarshal(fields, &value); err != nil {
			return errors.Join(err, rows.Close())
		}
		if p.in(value, words) || p.in([]any{key, origin, reason}, words) {
			gone = append(gone, [2]string{source, key})
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, g := range gone {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM reject WHERE source = ? AND key = ?"), g[0], g[1]); err != nil {
			return err
		}
		if !slices.Contains(e.Sources, g[0]) {
			e.Sources = append(e.Sources, g[0])
		}
	}
	e.Rejects = len(gone)
	return nil
}

// in tells whether a JSON value holds the person.
func (p *Person) in(value any, words []string) bool {
	switch v := value.(type) {
	case string:
		for _, values := range p.identifiers() {
			if slices.Contains(values, v) {
				return true
			}
		}
		return slices.Contains(p.Names, v) || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(small(v), small(w)) })
	case []any:
		return slices.ContainsFunc(v, func(element any) bool { return p.in(element, words) })
	case map[string]any:
		for name, field := range v {
			if p.in(name, words) || p.in(field, words) {
				return true
			}
		}
	}
	return false
}

// eraseSummaries takes the person's records out of what plans tell of fields
// that were kept, or could not hold a value.
func eraseSummaries(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	var plans []struct{ Run, Summary string }
	if err := tx.SelectContext(ctx, &plans, "SELECT run, summary FROM plan"); err != nil {
		return err
	}
	for _, plan := range plans {
		if !slices.ContainsFunc(p.Contacts, func(id string) bool { return strings.Contains(plan.Summary, id) }) {
			continue
		}
		var sum sink.Summary
		if err := json.Unmarshal([]byte(plan.Summary), &sum); err != nil {
			return err
		}
		kept, held, problems := len(sum.Kept), len(sum.Held), len(sum.Problems)
		sum.Kept = slices.DeleteFunc(sum.Kept, func(k sink.Kept) bool {
			return slices.Contains(p.Writings, k.Writing) && slices.Contains(p.Contacts, k.ID)
		})
		sum.Held = slices.DeleteFunc(sum.Held, func(h sink.HeldBack) bool {
			return slices.Contains(p.Writings, h.Writing) && slices.Contains(p.Contacts, h.ID)
		})
		sum.Problems = slices.DeleteFunc(sum.Problems, func(text string) bool {
			return slices.ContainsFunc(p.Contacts, func(id string) bool { return strings.Contains(text, id) })
		})
		if len(sum.Kept) == kept && len(sum.Held) == held && len(sum.Problems) == problems {
			continue
		}
		text, err := json.Marshal(sum)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, tx.Rebind("UPDATE plan SET summary = ? WHERE run = ?"), plain(string(text)), plan.Run); err != nil {
			return err
		}
		e.Texts++
	}
	return nil
}

// distinctive tells whether a name is long enough to be looked for inside
// texts: a family name alone is also that of companies and others.
func distinctive(name string) bool {
	return len([]rune(name)) >= 4 || strings.ContainsAny(name, " \u3000")
}

// words are the addresses and names of the person that are looked for in texts.
func (p *Person) words() []string {
	words := slices.Clone(p.Addresses)
	for _, name := range p.Names {
		if !distinctive(name) {
			continue
		}
		words = append(words, name)
		for _, blank := range []string{"", " ", "\u3000"} {
			words = append(words, strings.NewReplacer(" ", blank, "\u3000", blank).Replace(name))
		}
	}
	for _, word := range slices.Clone(words) { // as it stands in JSON
		quoted, err := json.Marshal(word)
		if err == nil {
			words = append(words, strings.Trim(string(quoted), `"`))
		}
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(words)
}

// erasedWord stands in texts for what was taken out.
const erasedWord = "[erased]"

// strike replaces the person's words in a text, capitals or not.
func strike(text string, words []string) string {
	for _, word := range words {
		for from := 0; ; {
			at := strings.Index(small(text[from:]), small(word))
			if at < 0 {
				break
			}
			text = text[:from+at] + erasedWord + text[from+at+len(word):]
			from += at + len(erasedWord)
		}
	}
	return text
}

// small makes letters small without changing a text's length: those of ASCII.
func small(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func eraseTexts(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	words := p.words()
	withIDs := append(slices.Clone(p.Contacts), words...)
	for _, place := range []struct {
		table   string
		key     []string
		columns []string
		ids     bool // texts of people that may name a CRM record by its id alone
	}{
		{"run", []string{"id"}, []string{"message"}, false},
		{"part", []string{"source", "record"}, []string{"ids"}, false},
		{"plan", []string{"run"}, []string{"summary"}, false},
		{"plan_change", []string{"run", "seq"}, []string{"name", "fields", "error"}, false},
		{"written", []string{"writing", "id"}, []string{"undone"}, false},
		{"journal", []string{"seq"}, []string{"subject", "reason"}, true},
	} {
		look := words
		if place.ids {
			look = withIDs
		}
		if len(look) == 0 {
			continue
		}
		for _, column := range place.columns {
			n, err := strikeColumn(ctx, tx, place.table, column, place.key, look)
			if err != nil {
				return err
			}
			e.Texts += n
		}
	}
	return nil
}

// strikeColumn takes the words out of a column; JSON stays JSON.
func strikeColumn(ctx context.Context, tx *sqlx.Tx, table, column string, key, words []string) (struck int, err error) {
	var like []string
	var args []any
	operator := "LIKE" // which tells no capitals from small letters in SQLite
	if tx.DriverName() == "postgres" {
		operator = "ILIKE"
	}
	for _, word := range words {
		like = append(like, column+" "+operator+` ? ESCAPE '\'`)
		args = append(args, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(word)+"%")
	}
	rows, err := tx.QueryxContext(ctx, tx.Rebind(fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s", column, strings.Join(key, ", "), table, strings.Join(like, " OR "))), args...)
	if err != nil {
		return 0, err
	}
	var found [][]any
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return 0, errors.Join(err, rows.Close())
		}
		found = append(found, row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	update := tx.Rebind(fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", table, column, strings.Join(key, " = ? AND ")))
	for _, row := range found {
		text, ok := row[0].(string)
		if b, is := row[0].([]byte); is {
			text, ok = string(b), true
		}
		if !ok {
			return 0, fmt.Errorf("%s.%s holds a %T", table, column, row[0])
		}
		for i, k := range row[1:] {
			if b, is := k.([]byte); is {
				row[i+1] = string(b)
			}
		}
		if _, err := tx.ExecContext(ctx, update, append([]any{strike(text, words)}, row[1:]...)...); err != nil {
			return 0, err
		}
		struck++
	}
	return struck, nil
}
