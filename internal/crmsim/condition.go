package crmsim

import (
	"regexp"
	"strings"
	"unicode"

	"energyd/internal/crmsim/soql"
)

// condition turns an expression into a test of rows. Errors are *soql.Error.
func (s *Server) condition(p *plan, e soql.Expr) (func(*record) bool, error) {
	switch e := e.(type) {
	case soql.And:
		return s.joined(p, e, false)
	case soql.Or:
		return s.joined(p, e, true)
	case soql.Not:
		holds, err := s.condition(p, e.Expr)
		return func(r *record) bool { return !holds(r) }, err
	case soql.Compare:
		return s.comparison(p, e)
	case soql.In:
		return s.in(p, e)
	case soql.Like:
		return s.like(p, e)
	}
	return nil, p.q.Errorf(soql.Malformed, 0, "a condition of an unknown kind: %T", e)
}

// joined tests terms until one decides: the first true one of OR, the first false one of AND.
func (s *Server) joined(p *plan, terms []soql.Expr, decides bool) (func(*record) bool, error) {
	tests := make([]func(*record) bool, len(terms))
	for i, term := range terms {
		var err error
		if tests[i], err = s.condition(p, term); err != nil {
			return nil, err
		}
	}
	return func(r *record) bool {
		for _, holds := range tests {
			if holds(r) == decides {
				return decides
			}
		}
		return !decides
	}, nil
}

const badOperator = "INVALID_QUERY_FILTER_OPERATOR"

func (s *Server) filterable(p *plan, path soql.Path) (getter, error) {
	g, err := s.resolve(p, path)
	if err == nil && g.field.longText() {
		err = p.q.Errorf("INVALID_FIELD", path.Pos, "field '%s' can not be filtered in a query call", path)
	}
	return g, err
}

func (s *Server) comparison(p *plan, e soql.Compare) (func(*record) bool, error) {
	g, err := s.filterable(p, e.Path)
	if err != nil {
		return nil, err
	}
	want, err := s.operand(p, g.field, e.Path, e.Value)
	if err != nil {
		return nil, err
	}
	if g.field.Type == Checkbox && e.Op != "=" && e.Op != "!=" {
		return nil, p.q.Errorf(badOperator, e.Path.Pos, "invalid operator on boolean field")
	}
	accepts := map[string]func(int) bool{
		"=":  func(c int) bool { return c == 0 },
		"!=": func(c int) bool { return c != 0 },
		"<":  func(c int) bool { return c < 0 },
		"<=": func(c int) bool { return c <= 0 },
		">":  func(c int) bool { return c > 0 },
		">=": func(c int) bool { return c >= 0 },
	}[e.Op]
	ordered, exact := e.Op != "=" && e.Op != "!=", s.outcome("S41") == "exact"
	return func(r *record) bool {
		v := s.read(g, r)
		if ordered && (v == nil || want == nil) {
			return false // nothing is before or after null
		}
		if text, ok := v.(string); ok && exact && want != nil {
			return accepts(strings.Compare(text, want.(string)))
		}
		return accepts(compareValues(g.field, v, want))
	}, nil
}

func (s *Server) in(p *plan, e soql.In) (func(*record) bool, error) {
	g, err := s.filterable(p, e.Path)
	if err != nil {
		return nil, err
	}
	exact := s.outcome("S41") == "exact"
	key := func(v any) any {
		if text, ok := v.(string); ok && !exact && g.field.Type != ID && g.field.Type != Reference {
			return lower(text)
		}
		return v
	}
	set := map[any]bool{}
	for _, v := range e.Values {
		want, err := s.operand(p, g.field, e.Path, v)
		if err != nil {
			return nil, err
		}
		set[key(want)] = true
	}
	return func(r *record) bool { return set[key(s.read(g, r))] != e.Negated }, nil
}

var plainDateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// operand checks that a literal fits its field, and gives it in stored form.
func (s *Server) operand(p *plan, f *Field, path soql.Path, v soql.Value) (any, error) {
	mismatch := func(quotes string) error {
		return p.q.Errorf("INVALID_FIELD", v.Pos, "value of filter criterion for field '%s' must be of type %s and should %sbe enclosed in quotes", path, f.Type, quotes)
	}
	if v.Kind == soql.Null {
		return nil, nil
	}
	switch f.Type {
	case Integer, Number, Currency, Percent:
		if v.Kind == soql.Number {
			return v.Number, nil
		}
		return nil, mismatch("not ")
	case Checkbox:
		if v.Kind == soql.Boolean {
			return v.Bool, nil
		}
		return nil, mismatch("not ")
	case Date:
		if v.Kind == soql.Date {
			return v.Text, nil
		}
		return nil, mismatch("not ")
	case DateTime:
		if v.Kind == soql.DateTime {
			if text := p.q.Text[v.Pos:]; s.outcome("S39") == "z_only" && !plainDateTime.MatchString(text) {
				return nil, p.q.Errorf(soql.Malformed, v.Pos, "unexpected token: '%.24s'", text)
			}
			return v.Time.Unix(), nil
		}
		return nil, mismatch("not ")
	}
	if v.Kind != soql.String {
		return nil, mismatch("")
	}
	if f.Type == ID || f.Type == Reference {
		id, ok := normalID(v.Text)
		if !ok || len(v.Text) == 15 && s.outcome("S38") == "refused" {
			return nil, p.q.Errorf(badOperator, v.Pos, "invalid ID field: %s", v.Text)
		}
		return id, nil
	}
	return v.Text, nil
}

func (s *Server) like(p *plan, e soql.Like) (func(*record) bool, error) {
	g, err := s.filterable(p, e.Path)
	if err != nil {
		return nil, err
	}
	switch g.field.Type {
	case Text, Phone, Email, URL, Picklist, Combobox:
	default:
		return nil, p.q.Errorf(badOperator, e.Path.Pos, "invalid operator on %s field", g.field.Type)
	}
	return func(r *record) bool {
		text, _ := s.read(g, r).(string)
		return text != "" && likes(e.Pattern, []rune(text))
	}, nil
}

// likes matches a text against a LIKE pattern, ignoring case. It remembers the
// last % and goes back there on a mismatch, so it never takes more than
// len(pattern) * len(text) steps.
func likes(pattern []soql.Glyph, text []rune) bool {
	p, t := 0, 0
	star, from := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p].Wild && pattern[p].Rune == '%':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p].Wild || unicode.ToLower(pattern[p].Rune) == unicode.ToLower(text[t])):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].Wild && pattern[p].Rune == '%' {
		p++
	}
	return p == len(pattern)
}
