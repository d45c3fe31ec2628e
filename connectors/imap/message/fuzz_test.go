package message

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// seeds are the shared samples, cut to the part that a target reads.
func seeds(f *testing.F, cut func(raw []byte) []byte) {
	files, err := filepath.Glob(filepath.Join(samples, "*.eml"))
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if raw = cut(raw); len(raw) > 0 && len(raw) < 20_000 {
			f.Add(raw)
		}
	}
}

func isText(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) {
			t.Errorf("%q is not UTF-8", s)
		}
	}
}

// FuzzHeader: what is read of a header does not depend on the mails before it, and an
// address that was read is read again as itself.
func FuzzHeader(f *testing.F) {
	seeds(f, func(raw []byte) []byte {
		header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		header, _, _ = bytes.Cut(header, []byte("\n\n"))
		return header
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := ReadHeader(raw)
		var r Reader
		r.ReadHeader(raw)
		if diff := cmp.Diff(m, r.ReadHeader(raw), cmpopts.IgnoreUnexported(Message{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
		isText(t, m.Subject, m.ID, m.BaseSubject(), m.Identity(), m.Key(), m.ListHost)
		isText(t, append(m.InReplyTo, m.References...)...)
		for _, a := range append(append(append([]Address{m.From}, m.To...), m.Cc...), m.ReplyTo...) {
			name, title := a.Person()
			isText(t, a.Name, a.Addr, name, title)
			if again, ok := normal(a.Addr); a.Addr != "" && (!ok || again != a.Addr) {
				t.Errorf("%q is read again as %q", a.Addr, again)
			}
		}
		if at, _ := m.When(time.Unix(0, 0)); at.IsZero() {
			t.Error("a mail without a time")
		}
	})
}

// FuzzStructure: whatever a body is made of, what is kept of it is bounded and clean.
func FuzzStructure(f *testing.F) {
	seeds(f, func(raw []byte) []byte {
		at := bytes.Index(bytes.ToLower(raw), []byte("content-type:"))
		return raw[max(at, 0):]
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, body := parseHeader(raw)
		parts, _ := walk(h, body)
		if len(parts) > maxParts {
			t.Errorf("%d parts", len(parts))
		}
		for _, p := range parts {
			isText(t, p.Type, p.Charset, p.Method, p.Name)
			if len(p.Content) > maxContent || strings.ContainsAny(p.Name, `/\`) || strings.ContainsFunc(p.Name, unicode.IsControl) {
				t.Errorf("%d bytes of %q", len(p.Content), p.Name)
			}
		}
	})
}

// FuzzCalendar: an answer to an invitation names an address, or nobody.
func FuzzCalendar(f *testing.F) {
	seeds(f, func(raw []byte) []byte {
		at := bytes.Index(raw, []byte("BEGIN:VCALENDAR"))
		if at < 0 {
			return nil
		}
		return raw[at:]
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := calendar([]Part{{Type: "text/calendar", Method: "REPLY", Charset: "utf-8", Content: raw}})
		if c == nil {
			return
		}
		isText(t, c.Method, c.UID, c.Attendee, c.PartStat)
		if again, ok := normal(c.Attendee); c.Attendee != "" && (!ok || again != c.Attendee) {
			t.Errorf("attendee %q is read again as %q", c.Attendee, again)
		}
		if c.kind() == "" || c.kind() == Ordinary {
			t.Errorf("%q is %q", c.Method, c.kind())
		}
	})
}

// FuzzRead: no mail is too strange to be read.
func FuzzRead(f *testing.F) {
	seeds(f, func(raw []byte) []byte { return raw })
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Read(raw)
		texts := []string{m.Subject, m.From.Name, m.From.Addr, m.ID, m.BaseSubject(), m.Identity()}
		for _, a := range m.Attachments {
			texts = append(texts, a.Name, a.Type)
		}
		for _, a := range append(append(m.To, m.Cc...), m.ReplyTo...) {
			texts = append(texts, a.Name, a.Addr)
			a.Person()
		}
		if c := m.Calendar; c != nil {
			texts = append(texts, c.Method, c.UID, c.Attendee, c.PartStat)
		}
		if d := m.Delivery; d != nil {
			texts = append(texts, d.Recipient, d.OriginalID)
		}
		isText(t, texts...)
		if m.Kind == "" {
			t.Error("a message without a kind")
		}
		if len(m.References) > maxReferences || len(m.To) > maxAddresses || len(m.Attachments) > maxParts {
			t.Error("more is kept than the caps allow")
		}
	})
}
