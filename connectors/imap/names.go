package imap

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf16"
)

// listed is a connection whose lists of folders lack those with names that
// break the standard: the library gives up the connection at the first [16].
type listed struct {
	net.Conn
	r    *bufio.Reader
	line []byte       // rest of the line that is handed out
	off  *atomic.Bool // no lists any more: everything passes
	lost func()       // called for each folder that is left out
}

func (l *listed) Read(p []byte) (int, error) {
	for len(l.line) == 0 {
		if l.off.Load() {
			return l.r.Read(p)
		}
		line, err := l.r.ReadBytes('\n')
		if err != nil && len(line) == 0 {
			return 0, err
		}
		if isList(line) {
			if line, err = l.whole(line); err != nil {
				return 0, err
			}
			if !readable(folderName(line)) {
				if bytes.HasPrefix(line, []byte("* LIST")) {
					l.lost()
				}
				continue
			}
		}
		l.line = line
	}
	n := copy(p, l.line)
	l.line = l.line[n:]
	return n, nil
}

func isList(line []byte) bool {
	return bytes.HasPrefix(line, []byte("* LIST ")) || bytes.HasPrefix(line, []byte("* STATUS "))
}

// whole adds the literal that a line ends with, and what follows it.
func (l *listed) whole(line []byte) ([]byte, error) {
	open := bytes.LastIndexByte(line, '{')
	text, ok := bytes.CutSuffix(line, []byte("}\r\n"))
	if !ok || open < 0 {
		return line, nil
	}
	size, err := strconv.Atoi(string(text[open+1:]))
	if err != nil || size > 4096 {
		return line, nil
	}
	literal := make([]byte, size)
	if _, err := io.ReadFull(l.r, literal); err != nil {
		return nil, err
	}
	rest, err := l.r.ReadBytes('\n')
	return append(append(line, literal...), rest...), err
}

// folderName gives the name in a line of LIST or STATUS, as it was sent.
func folderName(line []byte) string {
	s := strings.TrimRight(string(line), "\r\n")
	if rest, ok := strings.CutPrefix(s, "* STATUS "); ok {
		name, _ := token(rest)
		return name
	}
	_, s, _ = strings.Cut(s, ") ")
	_, s = token(s) // what stands between the parts of names
	name, _ := token(s)
	return name
}

// token cuts an atom, a quoted string or a literal off.
func token(s string) (t, rest string) {
	switch {
	case strings.HasPrefix(s, `"`):
		var out strings.Builder
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '\\' && i+1 < len(s):
				i++
				out.WriteByte(s[i])
			case s[i] == '"':
				return out.String(), strings.TrimPrefix(s[i+1:], " ")
			default:
				out.WriteByte(s[i])
			}
		}
		return out.String(), ""
	case strings.HasPrefix(s, "{"):
		size, after, _ := strings.Cut(s[1:], "}\r\n")
		n, _ := strconv.Atoi(size)
		n = max(0, min(n, len(after)))
		return after[:n], strings.TrimPrefix(after[n:], " ")
	}
	t, rest, _ = strings.Cut(s, " ")
	return t, rest
}

var mailboxBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// readable tells whether a name is in the modified UTF-7 of RFC 3501 section 5.1.3, in its one right form.
func readable(name string) bool {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c < 0x20 || c > 0x7e:
			return false
		case c == '&':
			end := strings.IndexByte(name[i:], '-')
			if end < 0 || end > 1 && !encoded(name[i+1:i+end]) {
				return false
			}
			if i += end; end > 1 && strings.HasPrefix(name[i+1:], "&") && !strings.HasPrefix(name[i+1:], "&-") {
				return false // two runs that should be one
			}
		}
	}
	return true
}

// encoded tells whether s is base64 of UTF-16 without what needs no code.
func encoded(s string) bool {
	raw, err := mailboxBase64.Strict().DecodeString(s)
	if err != nil || len(raw) == 0 || len(raw)%2 != 0 {
		return false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	for _, r := range utf16.Decode(units) {
		if r == 0xfffd || 0x20 <= r && r <= 0x7e {
			return false
		}
	}
	return true
}
