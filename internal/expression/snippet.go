package expression

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// maxSnippets bounds how many snippets one text may put in, those of snippets
// included: so the work of a run stays bounded.
const maxSnippets = 100

// snippet compiles the text that a name stands for, in the place where it stands.
func (c *compiler) snippet(at ast.Node, name, text string) compiled {
	if slices.Contains(c.inside, name) {
		return c.fail(at, "the snippet %q uses itself", name)
	}
	if *c.spread++; *c.spread > maxSnippets {
		return c.fail(at, "more than %d snippets in one expression, those in snippets included", maxSnippets)
	}
	inside := append(slices.Clone(c.inside), name)
	if len(text) > maxText {
		c.findings = append(c.findings, Finding{Msg: "longer than an expression may be", Snippet: name})
		return compiled{typ: Any}
	}
	root, err := parse(text, c.scope)
	if err != nil {
		err.Snippet = name
		c.findings = append(c.findings, *err)
		return compiled{typ: Any}
	}
	part := compiler{text: text, scope: c.scope, columns: c.columns, fields: c.fields, inside: inside, spread: c.spread}
	out := part.compile(root)
	c.findings, c.columns, c.fields = append(c.findings, part.findings...), part.columns, part.fields
	return out
}

// snippetResults are the texts that a snippet may give, at the place where its name stands.
func (c *compiler) snippetResults(n *ast.IdentifierNode) []Result {
	text, ok := c.scope.Snippets[n.Value]
	if !ok || slices.Contains(c.inside, n.Value) {
		return nil
	}
	root, err := parse(text, c.scope)
	if err != nil {
		return nil
	}
	part := compiler{text: text, scope: c.scope, inside: append(slices.Clone(c.inside), n.Value)}
	results := part.results(root)
	for i := range results {
		results[i].Offset = byteOffset(c.text, start(n))
	}
	return results
}

// names are all that a text may name beside functions; for suggestions.
func (s *Scope) names() []string {
	return slices.Concat(s.Columns, slices.Sorted(maps.Keys(s.Snippets)))
}
