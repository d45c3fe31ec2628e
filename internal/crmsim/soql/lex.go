package soql

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd     tokenKind = iota
	tokenWord              // a name, dotted path or keyword
	tokenText              // a quoted string; text is what stands between the quotes, still escaped
	tokenLiteral           // a number, date or datetime
	tokenSymbol            // ( ) , and the comparison operators
)

type token struct {
	kind tokenKind
	text string
	pos  int
}

// shown is the token as messages name it.
func (t token) shown() string {
	if t.kind == tokenEnd {
		return "<EOF>"
	}
	return t.text
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// next reads the token at p.at.
func (p *parser) next() (token, error) {
	s := p.q.Text
	for p.at < len(s) && strings.IndexByte(" \t\r\n", s[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(s) {
		return token{kind: tokenEnd, pos: p.at}, nil
	}
	start, c := p.at, s[p.at]
	switch {
	case letter(c):
		return p.take(tokenWord, func(c byte) bool { return letter(c) || digit(c) || c == '.' }), nil
	case digit(c) || c == '-' || c == '+' || c == '.':
		return p.take(tokenLiteral, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte(".:+-", c) >= 0 }), nil
	case c == '\'':
		return p.quoted()
	}
	for _, symbol := range []string{"!=", "<>", "<=", ">=", "(", ")", ",", "=", "<", ">"} {
		if strings.HasPrefix(s[start:], symbol) {
			p.at += len(symbol)
			return token{tokenSymbol, symbol, start}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(s[start:])
	return token{}, p.q.Errorf(Malformed, start, "unexpected token: '%c'", r)
}

// take reads on while the characters belong to the token.
func (p *parser) take(kind tokenKind, belongs func(byte) bool) token {
	start := p.at
	for p.at < len(p.q.Text) && belongs(p.q.Text[p.at]) {
		p.at++
	}
	return token{kind, p.q.Text[start:p.at], start}
}

func (p *parser) quoted() (token, error) {
	s, start := p.q.Text, p.at
	for i := start + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			p.at = i + 1
			return token{tokenText, s[start+1 : i], start}, nil
		}
	}
	return token{}, p.q.Errorf(Malformed, start, "mismatched character '<EOF>' expecting '''")
}

var escapes = map[byte]rune{
	'\'': '\'', '"': '"', '\\': '\\', 'n': '\n', 'N': '\n', 'r': '\r', 'R': '\r',
	't': '\t', 'T': '\t', 'b': '\b', 'B': '\b', 'f': '\f', 'F': '\f',
}

// glyphs unescapes a quoted string. Only LIKE knows \% and \_; everywhere
// else % and _ are plain, which is what Wild tells apart.
func (p *parser) glyphs(t token, like bool) ([]Glyph, error) {
	var out []Glyph
	for i := 0; i < len(t.text); {
		if t.text[i] != '\\' {
			r, size := utf8.DecodeRuneInString(t.text[i:])
			out = append(out, Glyph{r, like && (r == '%' || r == '_')})
			i += size
			continue
		}
		c := t.text[i+1] // quoted never ends a token on a lone backslash
		r, known := escapes[c]
		size := 2
		switch {
		case known:
		case like && (c == '%' || c == '_'):
			r = rune(c)
		case c == 'u' && i+6 <= len(t.text):
			n, err := strconv.ParseUint(t.text[i+2:i+6], 16, 32)
			if err != nil {
				return nil, p.q.Errorf(Malformed, t.pos+1+i, "Illegal character sequence '%s' in string literal.", t.text[i:i+6])
			}
			r, size = rune(n), 6
		default:
			return nil, p.q.Errorf(Malformed, t.pos+1+i, "Illegal character sequence '\\%c' in string literal.", c)
		}
		out = append(out, Glyph{Rune: r})
		i += size
	}
	return out, nil
}

// literal reads a number, a date or a datetime with its zone.
func (p *parser) literal(t token) (Value, error) {
	if d, err := time.Parse(time.DateOnly, t.text); err == nil {
		return Value{Kind: Date, Text: d.Format(time.DateOnly), Pos: t.pos}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if at, err := time.Parse(layout, t.text); err == nil {
			return Value{Kind: DateTime, Time: at.UTC(), Pos: t.pos}, nil
		}
	}
	if strings.Trim(t.text, "+-.0123456789eE") == "" {
		if n, err := strconv.ParseFloat(t.text, 64); err == nil {
			return Value{Kind: Number, Number: n, Pos: t.pos}, nil
		}
	}
	return Value{}, p.q.Errorf(Malformed, t.pos, "unexpected token: '%s'", t.text)
}
