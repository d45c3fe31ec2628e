package support

import (
	"strings"
	"testing"
	"testing/iotest"
)

func TestEnd(t *testing.T) {
	for _, test := range []struct {
		log, want string
	}{
		{"", ""},
		{"one\ntwo\n", "one\ntwo\n"},
		{"one\ntwo\nthree", "two\nthree"},
		{"the first line is long\nlast\n", "last\n"},
		{"a line that is longer than all", ""},
	} {
		for name, whole := range map[string]bool{"at once": true, "byte by byte": false} {
			r := iotest.OneByteReader(strings.NewReader(test.log))
			if whole {
				r = strings.NewReader(test.log)
			}
			got, err := end(r, 10)
			if err != nil || string(got) != test.want {
				t.Errorf("of %q, %s: %q, %v; want %q", test.log, name, got, err, test.want)
			}
		}
	}
}
