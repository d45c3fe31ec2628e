package mapping

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"energyd/internal/expression"
	"energyd/internal/fault"
)

// snippets checks the snippets' names, and each text by itself: also of those that nothing uses yet.
func (c *compiler) snippets() {
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Snippets)) {
		path := "snippets." + name
		key := func(msg string) { c.problems = append(c.problems, fault.Problem{Path: path, Key: true, Msg: msg}) }
		switch {
		case !isName(name) || name == "item":
			key(quote(name) + " cannot be a snippet's name; take letters, digits and _, as customer_account")
		case slices.Contains(c.scope.Columns, name):
			key("a column has the name " + quote(name) + "; give the snippet another one")
		case slices.ContainsFunc(c.scope.Functions, func(f expression.Function) bool { return f.Name == name }):
			key("a function has the name " + quote(name) + "; give the snippet another one")
		case strings.TrimSpace(c.cfg.Snippets[name]) == "":
			c.problems.Add(path, "the snippet is empty")
		}
	}
	if len(c.problems) > 0 {
		return
	}
	scope := c.scope // what the snippets read is not what the mapping reads
	finds, reads := c.finds, c.reads
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Snippets)) {
		c.scope = expression.Scope{Columns: scope.Columns, Known: scope.Known, Functions: scope.Functions, Snippets: scope.Snippets, Element: &expression.Element{}}
		_, err := expression.Compile(c.cfg.Snippets[name], &c.scope, expression.Any)
		var findings expression.Findings
		if errors.As(err, &findings) {
			c.findings("snippets."+name, 0, findings)
		}
	}
	c.scope, c.finds, c.reads = scope, finds, reads
}

// findings places what is wrong in a text, in its snippets where it is there.
func (c *compiler) findings(path string, lead int, findings expression.Findings) {
	for _, f := range findings {
		if f.Snippet == "" {
			c.place(path, lead+f.Offset, f.Msg)
			continue
		}
		c.place("snippets."+f.Snippet, f.Offset, f.Msg)
	}
}
