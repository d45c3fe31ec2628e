package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"energyd/internal/expression"
	"energyd/internal/fault"
)

// list is what a rule's each names; nil where a rule has none.
type list struct {
	path, name string
	values     func(w *run) (elements []any, ok bool)
	tell       func(w *run, i int) // notes the words that an element goes by; nil = none
}

// The lists that free text gives.
var textLists = []string{"contacts_in", "people_in"}

// each begins a rule that walks through a list: its expressions know the word
// item until end is called. The list is nil without an each.
func (c *compiler) each(path, source string) (l *list, end func()) {
	outer := c.scope.Element
	end = func() { c.scope.Element = outer }
	source = strings.TrimSpace(source)
	if source == "" {
		return nil, end
	}
	l = &list{path: path + ".each", name: "the column " + quote(source)}
	function, inside, isText := strings.Cut(source, "(")
	column, rest, closed := inside, "", false
	if end := strings.LastIndexByte(inside, ')'); end >= 0 { // names of columns may hold brackets: people_in(内容(詳細))
		column, rest, closed = inside[:end], inside[end+1:], true
	}
	field, isField := strings.CutPrefix(source, "item.")
	switch {
	case isText && (!closed || strings.TrimSpace(rest) != "" || !slices.Contains(textLists, function)):
		meant := fault.DidYouMean(function, textLists)
		if meant == "" {
			meant = "; write a column that holds a list, people_in(column) or contacts_in(column)"
		}
		c.problems.Add(l.path, "no list %q%s", source, meant)
		c.scope.Element = &expression.Element{}
	case isText:
		c.textList(l, function, strings.TrimSpace(column))
	case isField && outer != nil:
		c.itemList(l, outer, field)
	default:
		if c.elements[source] == nil {
			c.elements[source] = &expression.Element{Fields: namesOf(c.samples(source))}
			c.elementsAt[c.elements[source]] = c.samples(source)
		}
		c.scope.Element = c.elements[source]
		slot := c.slot(l.path, source)
		l.values = func(w *run) ([]any, bool) { return listOf(w.Values[slot]) }
	}
	return l, end
}

// textList is a list that a column's free text gives.
func (c *compiler) textList(l *list, function, column string) {
	c.reads = true
	l.name = "the column " + quote(column)
	slot := c.slot(l.path, column)
	give := c.env.people
	fields := personFields
	if function == "contacts_in" {
		give, fields = c.env.contacts, contactFields
		l.tell = func(w *run, i int) {
			w.reading.told = nil
			w.tell(&w.contacts[i], "kinds.", "unreached", "cues.")
		}
	}
	c.scope.Element = &expression.Element{Fields: fields}
	l.values = func(w *run) ([]any, bool) {
		switch v := w.Values[slot].(type) {
		case nil:
			return nil, true
		case string:
			return give(w, v), true
		}
		return nil, false
	}
}

// itemList is a list that the element of the list around it has in a field.
func (c *compiler) itemList(l *list, outer *expression.Element, field string) {
	l.name = "item." + field
	if outer.Used == nil {
		outer.Used = map[string]bool{}
	}
	outer.Used[field] = true
	if outer.Fields != nil && !slices.Contains(outer.Fields, field) {
		c.problems.Add(l.path, "unknown field %q of item%s", field, fault.DidYouMean(field, outer.Fields))
	}
	var samples []any
	for _, s := range c.elementsAt[outer] {
		if object, ok := s.(map[string]any); ok {
			inner, _ := object[field].([]any)
			samples = append(samples, inner...)
		}
	}
	c.scope.Element = &expression.Element{Fields: namesOf(samples)}
	if field == "people" && slices.Equal(outer.Fields, contactFields) {
		c.scope.Element.Fields = personFields
	}
	l.values = func(w *run) ([]any, bool) {
		object, _ := w.Item.(map[string]any)
		return listOf(object[field])
	}
}

func (c *compiler) slot(path, column string) int {
	slot, ok := c.scope.Slot(column)
	if !ok {
		c.problems.Add(path, "unknown column %q%s%s", column, fault.DidYouMean(column, c.scope.Columns), c.scope.Known)
	}
	return slot
}

// samples are the elements of a list column in the file's own tests.
func (c *compiler) samples(column string) (all []any) {
	for _, t := range c.cfg.Tests {
		elements, _ := t.Record[column].([]any)
		all = append(all, elements...)
	}
	return all
}

// namesOf are the fields that elements have; nil when none tells.
func namesOf(elements []any) []string {
	known := map[string]bool{}
	for _, e := range elements {
		fields, _ := e.(map[string]any)
		for name := range fields {
			known[name] = true
		}
	}
	if len(known) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(known))
}

// listOf takes null for a list without elements.
func listOf(v any) ([]any, bool) {
	elements, ok := v.([]any)
	return elements, ok || v == nil
}

// elements are those of the record at hand, or of the element of the list around.
func (l *list) elements(w *run) ([]any, error) {
	elements, ok := l.values(w)
	if !ok {
		return nil, &RejectError{Code: "value", Reason: fmt.Sprintf("%s: %s holds no list", l.path, l.name)}
	}
	for _, e := range elements {
		if bad, ok := notUTF8(e); ok {
			return nil, &RejectError{Code: "encoding", Reason: fmt.Sprintf("an element of %s is not UTF-8 (%q); repair it at its source; the record is read again when it changes", l.name, short(bad))}
		}
	}
	return elements, nil
}

// walk calls do with each element as the run's item; once, without one of its own, when there is no list to walk through.
func (l *list) walk(w *run, do func() error) error {
	if l == nil {
		return do()
	}
	elements, err := l.elements(w)
	if err != nil {
		return err
	}
	outer := w.Item
	defer func() { w.Item = outer }()
	for _, e := range elements {
		w.Item = e
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// notUTF8 gives the first broken text of an element or of what it holds.
func notUTF8(element any) (bad string, ok bool) {
	switch e := element.(type) {
	case string:
		return e, !utf8.ValidString(e)
	case []any:
		for _, v := range e {
			if bad, ok := notUTF8(v); ok {
				return bad, true
			}
		}
	case map[string]any:
		for _, v := range e {
			if bad, ok := notUTF8(v); ok {
				return bad, true
			}
		}
	}
	return "", false
}
