package crmsim

import (
	"cmp"
	"slices"
	"strings"

	"energyd/internal/crmsim/soql"
)

// plan is a query resolved against the schema: what to look at, what to show, in which order.
type plan struct {
	q       *soql.Query
	obj     *object
	columns []column
	holds   func(*record) bool // nil = every row
	ids     []string           // the only rows that can match, when the query names them; nil = all
	keys    []orderKey
}

// column is a field of the answer, or a parent with columns of its own.
type column struct {
	name    string // in the schema's spelling
	get     getter
	columns []column // of a parent
	poly    bool     // the parent may be of several objects
	below   *below   // child rows instead of a value
}

type orderKey struct {
	get             getter
	desc, nullsLast bool
}

// getter follows references from a row to a value.
type getter struct {
	field *Field
	steps []int    // columns of the references to follow
	via   []*Field // these references
	name  string   // of the field in the last object, lower case; that may be any of several
	fixed int      // its column when there is only one object; -1 otherwise
}

// compile resolves names and checks literals. Errors are *soql.Error. The caller holds s.mu.
func (s *Server) compile(text string) (*plan, error) { return s.compileAmong(s.seen, text) }

func (s *Server) compileAmong(objects func(name string) *object, text string) (*plan, error) {
	q, err := soql.Parse(text)
	if err != nil {
		return nil, err
	}
	return s.compileQuery(q, objects(q.From.String()))
}

// compileQuery compiles a statement about the rows of an object, nil when there is none of that name.
func (s *Server) compileQuery(q *soql.Query, of *object) (*plan, error) {
	p := &plan{q: q, obj: of}
	if p.obj == nil {
		return nil, q.Errorf("INVALID_TYPE", q.From.Pos, "sObject type '%s' is not supported. If you are attempting to use a custom object, "+
			"be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.", q.From)
	}
	if q.Offset > 2000 {
		return nil, q.Errorf(s.outcome("S43"), len(q.Text), "Maximum SOQL offset allowed is 2000")
	}
	err := s.compileColumns(p)
	if err != nil {
		return nil, err
	}
	if q.Where != nil {
		if p.holds, err = s.condition(p, q.Where); err != nil {
			return nil, err
		}
		p.ids = named(q.Where)
	}
	if v, holds := p.obj.view, p.holds; v != nil {
		p.holds = func(r *record) bool { return v.shows(r) && (holds == nil || holds(r)) }
	}
	for _, o := range q.Order {
		g, err := s.resolve(p, o.Path)
		if err != nil {
			return nil, err
		}
		if g.field.longText() {
			return nil, q.Errorf(soql.Malformed, o.Path.Pos, "field '%s' can not be sorted in a query call", o.Path)
		}
		p.keys = append(p.keys, orderKey{g, o.Desc, o.NullsLast})
	}
	return p, nil
}

func (s *Server) compileColumns(p *plan) error {
	seen := map[string]bool{}
	for _, c := range p.q.Columns {
		if c.Sub != nil {
			below, err := s.compileBelow(p, c.Sub)
			if err != nil {
				return err
			}
			p.columns = append(p.columns, *below)
			continue
		}
		if c.Fields != "" {
			if c.Fields != "STANDARD" && (p.q.Limit < 0 || p.q.Limit > 200) && s.outcome("S49") == "refused" {
				return p.q.Errorf(soql.Malformed, c.Path.Pos, "The SOQL FIELDS function must have a LIMIT of at most 200")
			}
			for i, f := range p.obj.fields {
				if f.visible() && (c.Fields == "ALL" || f.custom() == (c.Fields == "CUSTOM")) {
					p.columns = append(p.columns, column{name: f.Name, get: getter{field: f, fixed: i}})
				}
			}
			continue
		}
		g, err := s.resolve(p, c.Path)
		if err != nil {
			return err
		}
		key := lower(c.Path.String())
		if seen[key] {
			return p.q.Errorf(soql.Malformed, c.Path.Pos, "duplicate field selected: %s", c.Path)
		}
		seen[key] = true
		p.columns = place(p.columns, g, 0)
	}
	return nil
}

// place adds a column below the parents that lead to it, making those where they are first named.
func place(columns []column, g getter, depth int) []column {
	if depth == len(g.steps) {
		return append(columns, column{name: g.field.Name, get: g})
	}
	via := g.via[depth]
	i := slices.IndexFunc(columns, func(c column) bool { return c.columns != nil && c.name == via.Relationship })
	if i < 0 {
		i = len(columns)
		columns = append(columns, column{name: via.Relationship, get: getter{steps: g.steps[:depth+1]}, poly: len(via.ReferenceTo) > 1})
	}
	columns[i].columns = place(columns[i].columns, g, depth+1)
	return columns
}

// resolve finds the field that a path leads to.
func (s *Server) resolve(p *plan, path soql.Path) (getter, error) {
	o, names := p.obj, path.Names
	if len(names) > 1 && strings.EqualFold(names[0], o.name) {
		if _, isParent := o.parent(names[0]); isParent == nil {
			names = names[1:] // "Contact.LastName FROM Contact"
		}
	}
	g := getter{fixed: -1}
	for _, name := range names[:len(names)-1] {
		i, f := o.parent(name)
		if f == nil {
			return g, p.q.Errorf("INVALID_FIELD", path.Pos, "Didn't understand relationship '%s' in field path. If you are attempting to use a custom relationship, "+
				"be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", name)
		}
		g.steps, g.via = append(g.steps, i), append(g.via, f)
		if o = s.nameObject; len(f.ReferenceTo) == 1 {
			o = s.objects[lower(f.ReferenceTo[0])]
		}
	}
	i, f := o.visible(names[len(names)-1])
	if f == nil {
		return g, p.q.Errorf("INVALID_FIELD", path.Pos, "No such column '%s' on entity '%s'. If you are attempting to use a custom field, "+
			"be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", names[len(names)-1], o.name)
	}
	g.field, g.name = f, lower(f.Name)
	if o != s.nameObject {
		g.fixed = i
	}
	return g, nil
}

// parent finds a reference by its relationship name.
func (o *object) parent(relationship string) (int, *Field) {
	for i, f := range o.fields {
		if f.visible() && f.Relationship != "" && strings.EqualFold(f.Relationship, relationship) {
			return i, f
		}
	}
	return -1, nil
}

// row follows the getter's references; nil when one is empty.
func (s *Server) row(g getter, r *record) *record {
	for _, step := range g.steps {
		id, _ := r.value(step).(string)
		if r = s.find(id); r == nil {
			return nil
		}
	}
	return r
}

// read gives the value that a getter leads to.
func (s *Server) read(g getter, r *record) any {
	if r = s.row(g, r); r == nil {
		return nil
	}
	column := g.fixed
	if column < 0 {
		if g.name == "type" {
			return r.obj.name
		}
		if column, _ = r.obj.field(g.name); column < 0 {
			return nil
		}
	}
	v := r.value(column)
	if v == nil && g.field.Type == Checkbox {
		return false // rows from before the field was added
	}
	return v
}

// named gives the ids that a condition allows, nil when it does not name them.
func named(e soql.Expr) []string {
	var values []soql.Value
	var path soql.Path
	switch e := e.(type) {
	case soql.And:
		for _, term := range e {
			if ids := named(term); ids != nil {
				return ids
			}
		}
		return nil
	case soql.Compare:
		if e.Op == "=" {
			path, values = e.Path, []soql.Value{e.Value}
		}
	case soql.In:
		if !e.Negated {
			path, values = e.Path, e.Values
		}
	}
	if len(path.Names) != 1 || !strings.EqualFold(path.Names[0], "Id") {
		return nil
	}
	ids := make([]string, 0, len(values))
	for _, v := range values {
		if id, ok := normalID(v.Text); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// compareValues orders two stored values of one field; nil comes first.
// Texts ignore case, ids do not.
func compareValues(f *Field, a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(rank(a), rank(b))
	case f.Type == ID || f.Type == Reference:
		return cmp.Compare(a.(string), b.(string))
	}
	switch a := a.(type) {
	case string:
		return cmp.Compare(lower(a), lower(b.(string)))
	case float64:
		return cmp.Compare(a, b.(float64))
	case int64:
		return cmp.Compare(a, b.(int64))
	}
	return cmp.Compare(rank(a), rank(b))
}

// rank orders nil before false before true.
func rank(v any) int {
	switch v {
	case nil:
		return 0
	case false:
		return 1
	}
	return 2
}
