package imap

import (
	"bufio"
	"bytes"
	"net"
	"strconv"
)

// shortened is a connection on which the server's answers do not repeat the list
// of header fields that was asked for: "BODY[HEADER.FIELDS (From To …)]" becomes
// "BODY[HEADER]". The library reads that list name by name, for each mail, which
// takes it longer than all the rest; nobody looks at it. What a mail itself says
// (literals) passes untouched.
type shortened struct {
	net.Conn
	r       *bufio.Reader
	literal int64  // bytes of a literal that are still to come
	line    []byte // rest of the line that is handed out
	within  bool   // the line goes on where the last one ended: it was too long for the buffer
}

func (s *shortened) Read(p []byte) (int, error) {
	if len(s.line) == 0 && s.literal > 0 {
		n, err := s.r.Read(p[:min(int64(len(p)), s.literal)])
		s.literal -= int64(n)
		return n, err
	}
	if len(s.line) == 0 {
		line, err := s.r.ReadSlice('\n') // valid until the next read
		if len(line) == 0 {
			return 0, err
		}
		whole := line[len(line)-1] == '\n'
		if whole {
			s.literal = announced(line)
		}
		if s.line = line; !s.within {
			s.line = withoutFields(line)
		}
		s.within = !whole
	}
	n := copy(p, s.line)
	s.line = s.line[n:]
	return n, nil
}

var (
	fieldsBegin = []byte("BODY[HEADER.FIELDS (")
	fieldsEnd   = []byte(")]")
)

// withoutFields takes the list of fields out of the line in which an answer begins.
func withoutFields(line []byte) []byte {
	if !bytes.HasPrefix(line, []byte("* ")) {
		return line
	}
	at := bytes.Index(line, fieldsBegin)
	if at < 0 {
		return line
	}
	end := bytes.Index(line[at:], fieldsEnd)
	if end < 0 {
		return line
	}
	kept := append(line[:at], "BODY[HEADER]"...) // shorter than what it replaces
	return append(kept, line[at+end+len(fieldsEnd):]...)
}

// announced is the size of the literal that a line ends with; 0 when it ends with none.
func announced(line []byte) int64 {
	text, ok := bytes.CutSuffix(line, []byte("}\r\n"))
	open := bytes.LastIndexByte(text, '{')
	if !ok || open < 0 {
		return 0
	}
	size, err := strconv.ParseInt(string(text[open+1:]), 10, 64)
	if err != nil || size < 0 {
		return 0
	}
	return size
}
