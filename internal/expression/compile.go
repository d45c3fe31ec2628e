package expression

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"energyd/internal/fault"
)

// parse turns text into expr's tree, with all of expr's own functions off.
func parse(text string, scope *Scope) (ast.Node, *Finding) {
	config := conf.CreateNew()
	config.DisableIfOperator = true
	for _, b := range builtin.Builtins {
		config.Disabled[b.Name] = true
		// A function in this table is parsed as a plain call, also where expr
		// has a predicate of that name (find, count …).
		config.Functions[b.Name] = &builtin.Function{Name: b.Name}
	}
	for _, f := range scope.Functions {
		config.Functions[f.Name] = &builtin.Function{Name: f.Name}
	}
	tree, err := parser.ParseWithConfig(text, config)
	if err == nil {
		return tree.Node, nil
	}
	var at *file.Error
	if !errors.As(err, &at) {
		return nil, &Finding{Msg: err.Error()}
	}
	msg := at.Message
	if word := betweenWords.FindStringSubmatch(msg); word != nil {
		msg = fmt.Sprintf(`%s stands between two values, as in memo %[1]s "word"`, word[1])
	}
	if token := strayToken.FindStringSubmatch(msg); token != nil {
		msg = fmt.Sprintf("%s cannot stand here; is a comma, a bracket, a quote or an operator missing before it?", token[1])
		if token[1] == `"="` {
			msg = `"=" alone is no operator; equal is written as "=="`
		}
	}
	msg = strings.Replace(msg, "unexpected token EOF", "it ends too early", 1)
	return nil, &Finding{Offset: byteOffset(text, at.From), Msg: "not an expression: " + msg}
}

var betweenWords = regexp.MustCompile(`unexpected token Operator\("(contains|startsWith|endsWith|matches)"\)`)

var strayToken = regexp.MustCompile(`^unexpected token \w+\((".*")\)`)

// byteOffset is where the n-th character of text begins; expr counts characters.
func byteOffset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

type eval func(r *Run) (any, error)

// compiled is a subtree: its closure, the types it may give, and its value when it is constant.
type compiled struct {
	eval     eval
	typ      Type
	constant bool
	value    any
	parts    []eval // of a sum; nil = it is none
}

func (c compiled) isNull() bool { return c.constant && c.value == nil }

func literal(v any) compiled {
	return compiled{eval: func(*Run) (any, error) { return v, nil }, typ: TypeOf(v), constant: true, value: v}
}

type compiler struct {
	text     string
	scope    *Scope
	findings Findings
	columns  []string // that the text reads
	fields   []string // of item that it reads
	inside   []string // snippets whose texts this one stands in, the innermost last
	spread   *int     // how many snippets were put in
}

// fail notes a finding and gives a stand-in of any type, so that one mistake makes one finding.
func (c *compiler) fail(at ast.Node, format string, args ...any) compiled {
	f := Finding{Offset: byteOffset(c.text, start(at)), Msg: fmt.Sprintf(format, args...)}
	if n := len(c.inside); n > 0 {
		f.Snippet = c.inside[n-1]
	}
	c.findings = append(c.findings, f)
	return compiled{typ: Any}
}

// start is the character where a node's text begins; expr places an operator's node at the operator.
func start(n ast.Node) int {
	at := n.Location().From
	switch n := n.(type) {
	case *ast.BinaryNode:
		at = min(at, start(n.Left))
	case *ast.ConditionalNode:
		at = min(at, start(n.Cond))
	case *ast.MemberNode:
		at = min(at, start(n.Node))
	case *ast.ChainNode:
		at = min(at, start(n.Node))
	case *ast.CallNode:
		at = min(at, start(n.Callee))
	}
	return at
}

func (c *compiler) compile(n ast.Node) compiled {
	switch n := n.(type) {
	case *ast.NilNode:
		return literal(nil)
	case *ast.BoolNode:
		return literal(n.Value)
	case *ast.IntegerNode:
		return literal(int64(n.Value))
	case *ast.FloatNode:
		return literal(n.Value)
	case *ast.StringNode:
		return literal(n.Value)
	case *ast.IdentifierNode, *ast.MemberNode:
		return c.column(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.ArrayNode:
		return c.fail(n, `a list can stand only after "in", as in kind in ["a", "b"]`)
	}
	return c.fail(n, "this is not part of the language; see docs of mapping files for what is")
}

// columnName gives the column that an identifier or a dotted chain means: "Who.Title", $env["営業 担当"].
func columnName(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, true
	case *ast.MemberNode:
		property, ok := n.Property.(*ast.StringNode)
		if !ok || n.Optional {
			return "", false
		}
		if id, ok := n.Node.(*ast.IdentifierNode); ok && id.Value == "$env" {
			return property.Value, true
		}
		head, ok := columnName(n.Node)
		return head + "." + property.Value, ok
	}
	return "", false
}

func (c *compiler) column(n ast.Node) compiled {
	name, ok := columnName(n)
	if !ok {
		return c.fail(n, `not a column; columns are written as name, Object.Name or $env["any name"]`)
	}
	if name == "null" {
		return literal(nil)
	}
	if text, ok := c.scope.Snippets[name]; ok {
		return c.snippet(n, name, text)
	}
	if name == element || strings.HasPrefix(name, element+".") {
		if c.scope.Element != nil {
			return c.element(n, strings.TrimPrefix(strings.TrimPrefix(name, element), "."))
		}
		if !slices.Contains(c.scope.Columns, name) {
			return c.fail(n, "item is the element of a list column; name the column beside it, as in each: Participants")
		}
	}
	if !c.scope.knows(name) {
		if f := c.scope.function(name); f != nil {
			return c.fail(n, "%s is a function; write %s", name, f.Usage)
		}
		near := fault.DidYouMean(name, c.scope.names())
		if near == "" && c.scope.Known == "" && !strings.Contains(name, ".") {
			near = fmt.Sprintf("; a text stands in quotes, as %q", name)
		}
		return c.fail(n, "unknown column %q%s%s", name, near, c.scope.Known)
	}
	i := c.scope.slot(name)
	if !slices.Contains(c.columns, name) {
		c.columns = append(c.columns, name)
	}
	return compiled{eval: func(r *Run) (any, error) { return r.Values[i], nil }, typ: Any}
}

// element is the word for the element of a list column.
const element = "item"

// element gives a field of the element at hand, or for "" the element itself.
func (c *compiler) element(n ast.Node, field string) compiled {
	known := c.scope.Element
	if known.Used == nil {
		known.Used = map[string]bool{}
	}
	known.Used[field] = true
	if !slices.Contains(c.fields, field) {
		c.fields = append(c.fields, field)
	}
	if field == "" {
		return compiled{eval: func(r *Run) (any, error) { return r.Item, nil }, typ: Any}
	}
	if known.Fields != nil && !slices.Contains(known.Fields, field) {
		return c.fail(n, "unknown field %q of item%s", field, fault.DidYouMean(field, known.Fields))
	}
	return compiled{eval: func(r *Run) (any, error) {
		fields, ok := r.Item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("item.%s needs an element with fields, and it is %s", field, describe(r.Item))
		}
		return fields[field], nil
	}, typ: Any}
}

func (c *compiler) call(n *ast.CallNode) compiled {
	name, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return c.fail(n, "only functions can be called, as in date(report_date)")
	}
	f := c.scope.function(name.Value)
	if f == nil {
		names := make([]string, len(c.scope.Functions))
		for i, f := range c.scope.Functions {
			names[i] = f.Name
		}
		return c.fail(n, "unknown function %q%s", name.Value, fault.DidYouMean(name.Value, names))
	}
	least, most := len(f.Params)-f.Optional, len(f.Params)
	if got := len(n.Arguments); got < least || got > most {
		return c.fail(n, "%s takes %s, and here are %d; write %s", f.Name, count(least, most), got, f.Usage)
	}
	before := len(c.findings)
	args := make([]eval, len(n.Arguments))
	consts := make([]any, len(n.Arguments))
	for i, a := range n.Arguments {
		arg, want := c.compile(a), f.Params[i]
		if arg.typ&want == 0 && !arg.isNull() {
			c.fail(a, "%s needs %s here, and this is %s", f.Name, want, arg.typ)
		}
		args[i] = arg.eval
		if arg.typ&^want != 0 {
			args[i] = checked(arg.eval, want)
		}
		if arg.constant {
			consts[i] = arg.value
		}
	}
	if len(c.findings) > before {
		return compiled{typ: f.Returns}
	}
	call, err := f.Bind(consts)
	if err != nil {
		at := ast.Node(n)
		var arg *ArgumentError
		if errors.As(err, &arg) {
			at = n.Arguments[arg.Arg]
		}
		return c.fail(at, "%s", err)
	}
	return compiled{eval: apply(call, args), typ: f.Returns}
}

func count(least, most int) string {
	switch {
	case least != most:
		return fmt.Sprintf("%d to %d values", least, most)
	case least == 1:
		return "1 value"
	}
	return fmt.Sprintf("%d values", least)
}

// apply passes arguments on the run's stack, so that a call allocates nothing.
func apply(call Call, args []eval) eval {
	return func(r *Run) (any, error) {
		base := len(r.stack)
		for _, arg := range args {
			v, err := arg(r)
			if err != nil {
				r.stack = r.stack[:base]
				return nil, err
			}
			r.stack = append(r.stack, v)
		}
		v, err := call(r.Env, r.stack[base:])
		r.stack = r.stack[:base]
		return v, err
	}
}

func (c *compiler) unary(n *ast.UnaryNode) compiled {
	operand := c.compile(n.Node)
	switch n.Operator {
	case "not", "!":
		c.need(n.Node, operand, Bool|Number, "not")
		return compiled{typ: Bool, eval: func(r *Run) (any, error) {
			b, err := truth(operand.eval, r)
			return !b, err
		}}
	case "-", "+":
		c.need(n.Node, operand, Number, n.Operator)
		if operand.constant && n.Operator == "-" {
			switch v := operand.value.(type) {
			case int64:
				return literal(-v)
			case float64:
				return literal(-v)
			}
		}
		sign := 1.0
		if n.Operator == "-" {
			sign = -1
		}
		return compiled{typ: Number, eval: func(r *Run) (any, error) {
			v, err := operand.eval(r)
			if err != nil {
				return nil, err
			}
			x, null, err := asNumber(v)
			if null || err != nil {
				return nil, err
			}
			return sign * x, nil
		}}
	}
	return c.fail(n, "the operator %s is not part of the language", n.Operator)
}

// need notes a finding when an operand can never be of the types an operator takes.
func (c *compiler) need(at ast.Node, got compiled, want Type, operator string) {
	if got.typ&want == 0 && !got.isNull() {
		c.fail(at, "%q needs %s, and this is %s", operator, want, got.typ)
	}
}

func (c *compiler) binary(n *ast.BinaryNode) compiled {
	if n.Operator == "in" {
		return c.in(n)
	}
	before := len(c.findings)
	left, right := c.compile(n.Left), c.compile(n.Right)
	both := func(want Type) {
		c.need(n.Left, left, want, n.Operator)
		c.need(n.Right, right, want, n.Operator)
	}
	out := compiled{typ: Bool}
	switch n.Operator {
	case "and", "&&", "or", "||":
		both(Bool | Number)
		out.eval = logic(left.eval, right.eval, n.Operator == "or" || n.Operator == "||")
	case "==", "!=":
		if !comparable(left, right) {
			c.fail(n, "compares %s with %s", left.typ, right.typ)
		}
		out.eval = equality(left.eval, right.eval, n.Operator == "==")
	case "<", "<=", ">", ">=":
		both(Text | Number | Date | Time)
		if !comparable(left, right) && len(c.findings) == before {
			c.fail(n, "compares %s with %s", left.typ, right.typ)
		}
		out.eval = order(left.eval, right.eval, n.Operator)
	case "contains", "startsWith", "endsWith":
		both(Text)
		out.eval = textTest(left.eval, right.eval, map[string]func(string, string) bool{
			"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
		}[n.Operator])
	case "matches":
		return c.matches(n, left, right)
	case "??":
		out.typ = left.typ | right.typ
		out.eval = orElse(left.eval, right.eval)
	case "+":
		both(Text | Number)
		if !comparable(left, right) && len(c.findings) == before {
			c.fail(n, "adds %s and %s", left.typ, right.typ)
		}
		if left.parts == nil {
			left.parts = []eval{left.eval}
		}
		out.parts = append(slices.Clip(left.parts), right.eval)
		out.typ, out.eval = left.typ&right.typ&(Text|Number), sum(out.parts)
	case "-", "*", "/", "%":
		both(Number)
		out.typ, out.eval = Number, arithmetic(left.eval, right.eval, n.Operator)
	default:
		return c.fail(n, "the operator %s is not part of the language", n.Operator)
	}
	return out
}

// comparable tells whether two operands can be of one type; a number may stand for true or false.
func comparable(a, b compiled) bool {
	loosen := func(t Type) Type {
		if t&Bool != 0 {
			t |= Number
		}
		return t
	}
	return a.isNull() || b.isNull() || loosen(a.typ)&loosen(b.typ) != 0
}

func (c *compiler) in(n *ast.BinaryNode) compiled {
	left := c.compile(n.Left)
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return c.inColumn(n, left)
	}
	values := make([]any, len(list.Nodes))
	for i, item := range list.Nodes {
		v := c.compile(item)
		if !v.constant {
			return c.fail(item, `the list after "in" holds constants only`)
		}
		if !comparable(left, v) {
			c.fail(item, "compares %s with %s", left.typ, v.typ)
		}
		values[i] = v.value
	}
	return compiled{typ: Bool, eval: func(r *Run) (any, error) {
		v, err := left.eval(r)
		if err != nil {
			return nil, err
		}
		for _, item := range values {
			if same, err := equal(v, item); same || err != nil {
				return same, err
			}
		}
		return false, nil
	}}
}

// inColumn is "in" with a column, or a field of item, that holds a list.
func (c *compiler) inColumn(n *ast.BinaryNode, left compiled) compiled {
	if _, ok := columnName(n.Right); !ok {
		return c.fail(n.Right, `"in" needs a list, as in kind in ["a", "b"], or a column that holds one`)
	}
	right := c.compile(n.Right)
	return compiled{typ: Bool, eval: func(r *Run) (any, error) {
		v, err := left.eval(r)
		if err != nil {
			return nil, err
		}
		in, err := right.eval(r)
		if err != nil || in == nil {
			return false, err
		}
		values, ok := in.([]any)
		if !ok {
			return nil, fmt.Errorf(`"in" needs a list, and the value is %s`, describe(in))
		}
		for _, item := range values {
			if same, err := equal(v, item); same || err != nil {
				return same, err
			}
		}
		return false, nil
	}}
}

func (c *compiler) matches(n *ast.BinaryNode, left, right compiled) compiled {
	c.need(n.Left, left, Text, n.Operator)
	pattern, ok := right.value.(string)
	if !ok {
		return c.fail(n.Right, `"matches" needs a constant text, a regular expression`)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return c.fail(n.Right, "%s", strings.Replace(err.Error(), "error parsing regexp", "not a pattern", 1))
	}
	return compiled{typ: Bool, eval: func(r *Run) (any, error) {
		s, null, err := text(left.eval, r)
		return !null && err == nil && re.MatchString(s), err
	}}
}

func (c *compiler) conditional(n *ast.ConditionalNode) compiled {
	cond, yes, no := c.compile(n.Cond), c.compile(n.Exp1), c.compile(n.Exp2)
	c.need(n.Cond, cond, Bool|Number, "?")
	return compiled{typ: yes.typ | no.typ, eval: func(r *Run) (any, error) {
		b, err := truth(cond.eval, r)
		switch {
		case err != nil:
			return nil, err
		case b:
			return yes.eval(r)
		}
		return no.eval(r)
	}}
}

// results gathers the constant texts in the places whose value a tree may give.
func (c *compiler) results(n ast.Node) []Result {
	switch n := n.(type) {
	case *ast.StringNode:
		return []Result{{byteOffset(c.text, start(n)), n.Value}}
	case *ast.ConditionalNode:
		return slices.Concat(c.results(n.Exp1), c.results(n.Exp2))
	case *ast.BinaryNode:
		if n.Operator == "??" {
			return slices.Concat(c.results(n.Left), c.results(n.Right))
		}
	case *ast.IdentifierNode:
		return c.snippetResults(n)
	}
	return nil
}
