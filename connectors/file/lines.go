package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
)

// encodings are the known ones. The decoder of utf-8 and utf-16 is our own.
var encodings = map[string]encoding.Encoding{
	"utf-8":       nil,
	"utf-16":      nil,
	"utf-16le":    nil,
	"utf-16be":    nil,
	"cp932":       japanese.ShiftJIS, // with the rows that NEC and IBM added, as Windows writes them
	"shift_jis":   japanese.ShiftJIS,
	"euc-jp":      japanese.EUCJP,
	"iso-2022-jp": japanese.ISO2022JP,
}

// maxLine bounds a line, and a row of several lines, in bytes.
const maxLine = 1 << 20

// lines reads a text file line by line, in whatever encoding. Lines end in LF,
// CR LF or CR, mixed; none of the encodings has these bytes inside a character.
type lines struct {
	r        io.ReadSeeker
	encoding string
	decoder  *encoding.Decoder
	offset   int64 // of the next line
	number   int   // of the last line, from 1
	clear    int64 // there is no LF before this offset, from the next line on
	buf      []byte
	from, to int // what of buf is not yet used
	eof      bool
	long     []byte // a line that does not fit into buf
	closed   bool   // the last line has an end
}

// line is one line without its end.
type line struct {
	text   string
	number int
	bad    string // why it cannot be read; "" when it can
}

// newLines begins at the beginning of r; a byte order mark decides over the encoding.
func newLines(r io.ReadSeeker, enc string) (*lines, error) {
	l := &lines{r: r, encoding: enc, buf: make([]byte, 64<<10)}
	if err := l.fill(); err != nil {
		return nil, err
	}
	start := l.buf[l.from:l.to]
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		l.encoding = "utf-8"
		l.skip(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		l.encoding = "utf-16le"
		l.skip(2)
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		l.encoding = "utf-16be"
		l.skip(2)
	case enc == "utf-16":
		l.encoding = "utf-16le" // what Windows means by it
	}
	if e := encodings[l.encoding]; e != nil {
		l.decoder = e.NewDecoder()
	}
	return l, nil
}

func (l *lines) skip(n int) {
	l.from += n
	l.offset += int64(n)
}

// seek goes on at an offset, behind line number.
func (l *lines) seek(offset int64, number int) error {
	if _, err := l.r.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	l.offset, l.number, l.clear, l.from, l.to, l.eof = offset, number, 0, 0, 0, false
	return nil
}

// fill reads more behind what is not yet used.
func (l *lines) fill() error {
	if l.from > 0 {
		l.to = copy(l.buf, l.buf[l.from:l.to])
		l.from = 0
	}
	for l.to < len(l.buf) && !l.eof {
		n, err := l.r.Read(l.buf[l.to:])
		l.to += n
		if errors.Is(err, io.EOF) {
			l.eof = true
		} else if err != nil {
			return err
		}
		if n > 0 {
			break
		}
	}
	return nil
}

// next gives the next line; io.EOF after the last.
func (l *lines) next(ctx context.Context) (line, error) {
	l.long = l.long[:0]
	length := 0 // of the line so far, kept or not
	for {
		window := l.buf[l.from:l.to]
		end, width := l.end(window)
		if end >= 0 && end+width == len(window) && !l.eof && l.endsCR(window[:end+width]) {
			end = -1 // a LF may follow; there is room to look, since nothing longer was found
			if len(window) == len(l.buf) {
				l.keep(window[:len(window)-width], &length)
				continue
			}
		} else if end >= 0 {
			return l.cut(window[:end], length, end+width), nil
		}
		if l.eof {
			if len(window) == 0 && length == 0 {
				return line{}, io.EOF
			}
			return l.cut(window, length, len(window)), nil
		}
		if len(window) == len(l.buf) {
			if err := ctx.Err(); err != nil {
				return line{}, err
			}
			l.keep(window, &length)
		}
		if err := l.fill(); err != nil {
			return line{}, err
		}
	}
}

// keep takes a part of a line out of the buffer; of one that is too long, nothing.
func (l *lines) keep(part []byte, length *int) {
	*length += len(part)
	if *length <= maxLine {
		l.long = append(l.long, part...)
	}
	l.skip(len(part))
}

// cut makes a line whose last part is rest, and goes on behind it.
func (l *lines) cut(rest []byte, length, used int) line {
	l.number++
	l.closed = used > len(rest)
	out := line{number: l.number}
	raw := rest
	if length > 0 {
		raw = append(l.long, rest...)
	}
	switch {
	case length+len(rest) > maxLine:
		out.bad = fmt.Sprintf("the line has more than %d bytes", maxLine)
	default:
		out.text, out.bad = l.decode(raw)
	}
	l.skip(used)
	return out
}

// end finds the end of the first line: where it is, and of how many bytes; -1 when there is none.
func (l *lines) end(window []byte) (at, width int) {
	unit, lf := l.unit()
	if unit == 1 {
		known := int(min(max(l.clear-l.offset, 0), int64(len(window)))) // else files with CR alone take long
		at = len(window)
		if lf := bytes.IndexByte(window[known:], '\n'); lf >= 0 {
			at = known + lf
		}
		l.clear = l.offset + int64(at)
		if cr := bytes.IndexByte(window[:at], '\r'); cr >= 0 {
			if cr+1 < len(window) && window[cr+1] == '\n' {
				return cr, 2
			}
			return cr, 1
		}
		if at == len(window) {
			return -1, 0
		}
		return at, 1
	}
	for i := 0; i+1 < len(window); i += 2 {
		if window[i+1-lf] != 0 {
			continue
		}
		switch window[i+lf] {
		case '\n':
			return i, 2
		case '\r':
			if i+3 < len(window) && window[i+3-lf] == 0 && window[i+2+lf] == '\n' {
				return i, 4
			}
			return i, 2
		}
	}
	return -1, 0
}

// unit is the width of a character's unit, and which of its bytes is the low one.
func (l *lines) unit() (width, low int) {
	switch l.encoding {
	case "utf-16le":
		return 2, 0
	case "utf-16be":
		return 2, 1
	}
	return 1, 0
}

func (l *lines) endsCR(text []byte) bool {
	unit, low := l.unit()
	if len(text) < unit {
		return false
	}
	last := text[len(text)-unit:]
	return last[low] == '\r' && (unit == 1 || last[1-low] == 0)
}

const setEncoding = "; set encoding to what the file is written in"

// decode makes UTF-8 of a line, and tells what is wrong with it.
func (l *lines) decode(raw []byte) (text, bad string) {
	switch l.encoding {
	case "utf-8":
		if !utf8.Valid(raw) {
			return "", "the line is not in the encoding utf-8" + setEncoding + " (cp932 is usual for files of Windows)"
		}
		text = string(raw)
	case "utf-16le", "utf-16be":
		text, bad = l.utf16(raw)
	default:
		if ascii(raw) && bytes.IndexByte(raw, 0x1b) < 0 {
			text = string(raw)
			break
		}
		l.decoder.Reset()
		out, err := l.decoder.Bytes(raw)
		if err != nil || bytes.Contains(out, []byte("\ufffd")) {
			return "", "the line is not in the encoding " + l.encoding + setEncoding
		}
		text = string(out)
	}
	if bad == "" && strings.IndexByte(text, 0) >= 0 {
		bad = "the line holds zero bytes" + setEncoding + " (utf-16 looks like this), or repair the file"
	}
	return text, bad
}

func (l *lines) utf16(raw []byte) (text, bad string) {
	units := make([]uint16, len(raw)/2)
	_, low := l.unit()
	for i := range units {
		units[i] = uint16(raw[2*i+low]) | uint16(raw[2*i+1-low])<<8
	}
	text = string(utf16.Decode(units))
	if len(raw)%2 != 0 || strings.ContainsRune(text, utf8.RuneError) {
		return "", "the line is not in the encoding " + l.encoding + setEncoding
	}
	return text, ""
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
