package soql

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLength is the longest statement, in characters.
const MaxLength = 100_000

// maxDepth bounds nested parentheses, so that no statement can exhaust the stack.
const maxDepth = 500

type parser struct {
	q     *Query
	at    int   // where the next token begins
	cur   token // the token looked at
	depth int
	sub   bool // the statement stands in another one
}

// Parse reads one SELECT statement. The error is an *Error.
func Parse(text string) (*Query, error) {
	p := &parser{q: &Query{Text: text, Limit: -1}}
	if utf8.RuneCountInString(text) > MaxLength {
		return nil, p.q.Errorf(Malformed, 0, "SOQL statements cannot be longer than %d characters.", MaxLength)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.statement(); err != nil {
		return nil, err
	}
	return p.q, nil
}

// clauses reads a statement as far as it goes.
func (p *parser) clauses() error {
	for _, clause := range []func() error{p.columns, p.from, p.where, p.order, p.limit} {
		if err := clause(); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) statement() error {
	if err := p.clauses(); err != nil {
		return err
	}
	if p.cur.kind != tokenEnd {
		return p.unexpected()
	}
	return nil
}

func (p *parser) advance() (err error) {
	p.cur, err = p.next()
	return err
}

func (p *parser) unexpected() error {
	return p.q.Errorf(Malformed, p.cur.pos, "unexpected token: '%s'", p.cur.shown())
}

// is reports whether the current token is that symbol or keyword.
func (p *parser) is(text string) bool {
	return (p.cur.kind == tokenWord || p.cur.kind == tokenSymbol) && strings.EqualFold(p.cur.text, text)
}

// accept goes past the current token if it is text.
func (p *parser) accept(text string) (bool, error) {
	if !p.is(text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(texts ...string) error {
	for _, text := range texts {
		if ok, err := p.accept(text); err != nil {
			return err
		} else if !ok {
			return p.q.Errorf(Malformed, p.cur.pos, "unexpected token: '%s' (expecting '%s')", p.cur.shown(), text)
		}
	}
	return nil
}

// reserved words end a list where a name was forgotten: "SELECT Id, FROM X".
var reserved = []string{"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "ORDER", "LIMIT", "OFFSET", "NULL"}

func (p *parser) path() (Path, error) {
	names := strings.Split(p.cur.text, ".")
	if p.cur.kind != tokenWord || slices.Contains(names, "") || slices.Contains(reserved, strings.ToUpper(p.cur.text)) {
		return Path{}, p.unexpected()
	}
	path := Path{Names: names, Pos: p.cur.pos}
	return path, p.advance()
}

func (p *parser) columns() error {
	if err := p.expect("SELECT"); err != nil {
		return err
	}
	for {
		if p.is("(") {
			sub, err := p.subquery()
			if err != nil {
				return err
			}
			p.q.Columns = append(p.q.Columns, Column{Sub: sub})
			if more, err := p.accept(","); err != nil || !more {
				return err
			}
			continue
		}
		path, err := p.path()
		if err != nil {
			return err
		}
		column := Column{Path: path}
		if p.is("(") {
			switch {
			case strings.EqualFold(path.String(), "COUNT") && len(p.q.Columns) == 0:
				p.q.Count = true
				return p.expect("(", ")")
			case strings.EqualFold(path.String(), "FIELDS"):
				if column.Fields, err = p.fields(); err != nil {
					return err
				}
			default:
				return p.unexpected()
			}
		}
		p.q.Columns = append(p.q.Columns, column)
		if more, err := p.accept(","); err != nil || !more {
			return err
		}
	}
}

// subquery reads a statement in parentheses; there is none within it.
func (p *parser) subquery() (*Query, error) {
	if p.sub {
		return nil, p.unexpected()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	outer := p.q
	p.q, p.sub = &Query{Text: outer.Text, Limit: -1}, true
	if err := p.clauses(); err != nil {
		return nil, err
	}
	sub := p.q
	p.q, p.sub = outer, false
	return sub, p.expect(")")
}

func (p *parser) fields() (string, error) {
	if err := p.expect("("); err != nil {
		return "", err
	}
	which := strings.ToUpper(p.cur.text)
	if which != "ALL" && which != "STANDARD" && which != "CUSTOM" {
		return "", p.unexpected()
	}
	return which, p.expect(p.cur.text, ")")
}

func (p *parser) from() (err error) {
	if err = p.expect("FROM"); err != nil {
		return err
	}
	if p.q.From, err = p.path(); err == nil && len(p.q.From.Names) > 1 {
		return p.q.Errorf(Malformed, p.q.From.Pos, "unexpected token: '%s'", p.q.From)
	}
	return err
}

func (p *parser) where() error {
	found, err := p.accept("WHERE")
	if err != nil || !found {
		return err
	}
	p.q.Where, err = p.condition()
	return err
}

// condition reads "NOT simple", or simples joined all by AND or all by OR.
func (p *parser) condition() (Expr, error) {
	if negated, err := p.accept("NOT"); err != nil {
		return nil, err
	} else if negated {
		e, err := p.simple()
		return Not{e}, err
	}
	first, err := p.simple()
	if err != nil {
		return nil, err
	}
	terms, join := []Expr{first}, strings.ToUpper(p.cur.text)
	if p.cur.kind != tokenWord || join != "AND" && join != "OR" {
		return first, nil
	}
	for {
		if more, err := p.accept(join); err != nil {
			return nil, err
		} else if !more {
			break
		}
		term, err := p.simple()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	if join == "AND" {
		return And(terms), nil
	}
	return Or(terms), nil
}

// simple reads a condition in parentheses or a comparison.
func (p *parser) simple() (Expr, error) {
	open, err := p.accept("(")
	if err != nil {
		return nil, err
	}
	if !open {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.q.Errorf(Malformed, p.cur.pos, "too many nested conditions")
	}
	e, err := p.condition()
	if err != nil {
		return nil, err
	}
	p.depth--
	return e, p.expect(")")
}

func (p *parser) comparison() (Expr, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	switch {
	case p.is("LIKE"):
		return p.like(path)
	case p.is("IN"):
		return p.in(path, false)
	case p.is("NOT"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		return p.in(path, true)
	}
	op := p.cur.text
	if op == "<>" {
		op = "!="
	}
	if p.cur.kind != tokenSymbol || !slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, op) {
		return nil, p.unexpected()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	v, err := p.value()
	return Compare{path, op, v}, err
}

func (p *parser) like(path Path) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.cur.kind != tokenText {
		return nil, p.unexpected()
	}
	pattern, err := p.glyphs(p.cur, true)
	if err != nil {
		return nil, err
	}
	return Like{path, pattern}, p.advance()
}

func (p *parser) in(path Path, negated bool) (Expr, error) {
	if err := p.expect("IN", "("); err != nil {
		return nil, err
	}
	e := In{Path: path, Negated: negated}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		e.Values = append(e.Values, v)
		if more, err := p.accept(","); err != nil {
			return nil, err
		} else if !more {
			return e, p.expect(")")
		}
	}
}

func (p *parser) value() (v Value, err error) {
	v.Pos = p.cur.pos
	switch p.cur.kind {
	case tokenText:
		var glyphs []Glyph
		if glyphs, err = p.glyphs(p.cur, false); err != nil {
			return v, err
		}
		var b strings.Builder
		for _, g := range glyphs {
			b.WriteRune(g.Rune)
		}
		v.Kind, v.Text = String, b.String()
	case tokenLiteral:
		if v, err = p.literal(p.cur); err != nil {
			return v, err
		}
	case tokenWord:
		switch strings.ToLower(p.cur.text) {
		case "null":
			v.Kind = Null
		case "true", "false":
			v.Kind, v.Bool = Boolean, strings.EqualFold(p.cur.text, "true")
		default:
			return v, p.unexpected()
		}
	default:
		return v, p.unexpected()
	}
	return v, p.advance()
}

func (p *parser) order() error {
	if found, err := p.accept("ORDER"); err != nil || !found {
		return err
	}
	if err := p.expect("BY"); err != nil {
		return err
	}
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		key := Order{Path: path}
		if key.Desc, err = p.accept("DESC"); err != nil {
			return err
		}
		if !key.Desc {
			if _, err = p.accept("ASC"); err != nil {
				return err
			}
		}
		if nulls, err := p.accept("NULLS"); err != nil {
			return err
		} else if nulls {
			if key.NullsLast, err = p.accept("LAST"); err != nil {
				return err
			}
			if !key.NullsLast {
				if err := p.expect("FIRST"); err != nil {
					return err
				}
			}
		}
		p.q.Order = append(p.q.Order, key)
		if more, err := p.accept(","); err != nil || !more {
			return err
		}
	}
}

func (p *parser) limit() error {
	for _, clause := range []struct {
		word string
		to   *int
	}{{"LIMIT", &p.q.Limit}, {"OFFSET", &p.q.Offset}} {
		found, err := p.accept(clause.word)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		n, err := strconv.Atoi(p.cur.text)
		if err != nil || n < 0 || p.cur.kind != tokenLiteral {
			return p.unexpected()
		}
		*clause.to = n
		if err := p.advance(); err != nil {
			return err
		}
	}
	return nil
}
