package imap

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTheListOfFieldsIsNotRepeatedToTheLibrary(t *testing.T) {
	long := strings.Repeat("x", readBuffer)
	for _, c := range []struct{ name, sent, want string }{
		{"an answer", "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (From \"To\" Cc)] {6}\r\nFrom: \r\n)\r\nc OK\r\n", "* 1 FETCH (UID 1 BODY[HEADER] {6}\r\nFrom: \r\n)\r\nc OK\r\n"},
		{"a header that quotes one", "* 1 FETCH (BODY[HEADER.FIELDS (From)] {45}\r\nX\r\n* 1 FETCH (BODY[HEADER.FIELDS (From)] {99}\r\n)\r\n* 2 FETCH (BODY[HEADER.FIELDS (From)] {0}\r\n)\r\n",
			"* 1 FETCH (BODY[HEADER] {45}\r\nX\r\n* 1 FETCH (BODY[HEADER.FIELDS (From)] {99}\r\n)\r\n* 2 FETCH (BODY[HEADER] {0}\r\n)\r\n"},
		{"other sections", "* 1 FETCH (BODY[1.HEADER.FIELDS (From)] NIL BODY[2] \"BODY[HEADER.FIELDS (\")\r\n", "* 1 FETCH (BODY[1.HEADER.FIELDS (From)] NIL BODY[2] \"BODY[HEADER.FIELDS (\")\r\n"},
		{"a list without an end", "* 1 FETCH (BODY[HEADER.FIELDS (From\r\n", "* 1 FETCH (BODY[HEADER.FIELDS (From\r\n"},
		{"a line that is longer than the buffer", "* OK " + long + "* 1 FETCH (BODY[HEADER.FIELDS (From)]\r\n* 1 FETCH (BODY[HEADER.FIELDS (From)] {1}\r\nx)\r\n",
			"* OK " + long + "* 1 FETCH (BODY[HEADER.FIELDS (From)]\r\n* 1 FETCH (BODY[HEADER] {1}\r\nx)\r\n"},
		{"an end in the middle", "* 1 FETCH (BODY[HEADER.FIELDS (From)] {9}\r\nx", "* 1 FETCH (BODY[HEADER] {9}\r\nx"},
		{"no sizes", "* OK {}\r\n* OK {-1}\r\n* OK {x}\r\n}\r\n", "* OK {}\r\n* OK {-1}\r\n* OK {x}\r\n}\r\n"},
	} {
		for pieces, wire := range map[string]io.Reader{"whole": strings.NewReader(c.sent), "byte by byte": iotest.OneByteReader(strings.NewReader(c.sent))} {
			got, err := io.ReadAll(iotest.HalfReader(&shortened{r: bufio.NewReaderSize(wire, readBuffer)}))
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %s: %v\n got %q\nwant %q", c.name, pieces, err, short(got), short([]byte(c.want)))
			}
		}
	}
}

func short(b []byte) string { return string(b[max(0, len(b)-300):]) }
