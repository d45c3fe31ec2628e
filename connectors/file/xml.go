package file

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlScanner reads the XML of a workbook's parts as a stream of tags and texts.
// encoding/xml allocates several times for each cell; a million rows have ten
// million of them. There are no entities but XML's own five and characters by
// number, and no document types.
type xmlScanner struct {
	r        io.Reader
	buf      []byte
	from, to int
	eof      bool
}

// token is a tag or a text. Its bytes are valid until the next one.
type token struct {
	name  []byte // of a tag, without its prefix; nil of a text
	attrs []byte // raw
	text  []byte // raw, of a text
	cdata bool   // text is as it stands
	end   bool   // </name>
	empty bool   // <name/>: there is no end of it
}

// maxToken bounds a tag or a text, in bytes. A cell of Excel holds 32,767 characters.
const maxToken = 1 << 20

var errXML = errors.New("its XML is damaged")

func newXMLScanner(r io.Reader) *xmlScanner { return &xmlScanner{r: r, buf: make([]byte, 64<<10)} }

// find gives the position of text in the unread part, from start on; -1 at the end of the stream.
func (x *xmlScanner) find(text string, start int) (int, error) {
	for {
		if x.from+start <= x.to {
			if i := bytes.Index(x.buf[x.from+start:x.to], []byte(text)); i >= 0 {
				return start + i, nil
			}
			start = max(start, x.to-x.from-len(text)+1)
		}
		if more, err := x.fill(); err != nil || !more {
			return -1, err
		}
	}
}

// fill reads more behind what is not used yet. false: there is no more.
func (x *xmlScanner) fill() (bool, error) {
	if x.eof {
		return false, nil
	}
	if x.from > 0 {
		x.to = copy(x.buf, x.buf[x.from:x.to])
		x.from = 0
	}
	if x.to == len(x.buf) {
		if len(x.buf) >= maxToken {
			return false, errXML
		}
		x.buf = append(x.buf, make([]byte, len(x.buf))...)
	}
	n, err := x.r.Read(x.buf[x.to:])
	x.to += n
	if errors.Is(err, io.EOF) {
		x.eof = true
	} else if err != nil {
		return false, err
	}
	return n > 0 || !x.eof, nil
}

// next gives the next tag or text; io.EOF after the last.
func (x *xmlScanner) next() (token, error) {
	for {
		for x.from == x.to {
			if more, err := x.fill(); err != nil {
				return token{}, err
			} else if !more {
				return token{}, io.EOF
			}
		}
		if x.buf[x.from] != '<' {
			end, err := x.find("<", 0)
			if err != nil {
				return token{}, err
			}
			if end < 0 {
				end = x.to - x.from
			}
			t := token{text: x.buf[x.from : x.from+end]}
			x.from += end
			return t, nil
		}
		for x.to-x.from < len("<![CDATA[") && !x.eof {
			if _, err := x.fill(); err != nil {
				return token{}, err
			}
		}
		rest := x.buf[x.from:x.to]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			if err := x.pass("-->", 4); err != nil {
				return token{}, err
			}
		case bytes.HasPrefix(rest, []byte("<?")):
			if err := x.pass("?>", 2); err != nil {
				return token{}, err
			}
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end, err := x.find("]]>", 9)
			if err != nil || end < 0 {
				return token{}, errors.Join(err, errXML)
			}
			t := token{text: x.buf[x.from+9 : x.from+end], cdata: true}
			x.from += end + 3
			return t, nil
		case bytes.HasPrefix(rest, []byte("<!")):
			return token{}, errXML
		default:
			return x.tag()
		}
	}
}

func (x *xmlScanner) pass(end string, start int) error {
	i, err := x.find(end, start)
	if err != nil || i < 0 {
		return errors.Join(err, errXML)
	}
	x.from += i + len(end)
	return nil
}

func (x *xmlScanner) tag() (token, error) {
	for start := 1; ; {
		end, err := x.find(">", start)
		if err != nil || end < 0 {
			return token{}, errors.Join(err, errXML)
		}
		inner := x.buf[x.from+1 : x.from+end]
		if bytes.Count(inner, []byte{'"'})%2 != 0 { // the > of an attribute's value
			start = end + 1
			continue
		}
		x.from += end + 1
		var t token
		if len(inner) > 0 && inner[0] == '/' {
			t.end, inner = true, inner[1:]
		} else if len(inner) > 0 && inner[len(inner)-1] == '/' {
			t.empty, inner = true, inner[:len(inner)-1]
		}
		t.name = inner
		if i := bytes.IndexAny(inner, " \t\r\n"); i >= 0 {
			t.name, t.attrs = inner[:i], inner[i+1:]
		}
		if i := bytes.IndexByte(t.name, ':'); i >= 0 {
			t.name = t.name[i+1:]
		}
		if len(t.name) == 0 {
			return token{}, errXML
		}
		return t, nil
	}
}

// is tells that a token is the beginning of an element.
func (t *token) is(name string) bool { return !t.end && string(t.name) == name }

// ends tells that an element is closed by this token.
func (t *token) ends(name string) bool { return (t.end || t.empty) && string(t.name) == name }

// attr gives an attribute's raw value, whatever the prefix of its name.
func (t *token) attr(name string) []byte {
	rest := t.attrs
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 {
			return nil
		}
		key := bytes.TrimRight(rest[:eq], " \t\r\n")
		rest = bytes.TrimLeft(rest[eq+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil
		}
		value := rest[1 : 1+end]
		if i := bytes.IndexByte(key, ':'); i >= 0 {
			key = key[i+1:]
		}
		if string(key) == name {
			return value
		}
		rest = rest[end+2:]
	}
}

// appendText appends a raw text with its entities resolved.
func appendText(to []byte, t token) []byte {
	if t.cdata {
		return append(to, t.text...)
	}
	return unescape(to, t.text)
}

var entities = map[string]byte{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

func unescape(to, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			return append(to, raw...)
		}
		to, raw = append(to, raw[:i]...), raw[i:]
		end := bytes.IndexByte(raw, ';')
		if end < 0 || end > 12 {
			to, raw = append(to, '&'), raw[1:]
			continue
		}
		name := string(raw[1:end])
		if c, ok := entities[name]; ok {
			to, raw = append(to, c), raw[end+1:]
			continue
		}
		number, isNumber := strings.CutPrefix(name, "#")
		base := 10
		if hex, ok := strings.CutPrefix(number, "x"); ok {
			number, base = hex, 16
		}
		n, err := strconv.ParseUint(number, base, 32)
		if !isNumber || err != nil || n > utf8.MaxRune {
			to, raw = append(to, '&'), raw[1:]
			continue
		}
		to, raw = utf8.AppendRune(to, rune(n)), raw[end+1:]
	}
}

// cellText is a text of a cell: Excel writes characters that XML cannot hold as _x000D_.
func cellText(b []byte) string {
	if !bytes.Contains(b, []byte("_x")) {
		return string(b)
	}
	var out []byte
	for {
		i := bytes.Index(b, []byte("_x"))
		if i < 0 || i+7 > len(b) {
			return string(append(out, b...))
		}
		n, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 16)
		if b[i+6] != '_' || err != nil {
			out, b = append(out, b[:i+2]...), b[i+2:]
			continue
		}
		out, b = append(out, b[:i]...), b[i+7:]
		if n != '\r' { // the line feed behind it is there by itself
			out = utf8.AppendRune(out, rune(n))
		}
	}
}
