package message

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"regexp"
	"strings"
)

// Part is one leaf of a message's body: what the structure says of it, and its
// content where that was fetched.
type Part struct {
	Type     string // "text/plain", in small letters
	Charset  string
	Method   string // of text/calendar
	Name     string // of an attachment, without path
	Attached bool
	Size     int    // bytes as sent
	Content  []byte // decoded from base64 or quoted-printable; nil when it was not fetched
	Nested   bool   // inside a message that is attached, so it says nothing of this one
}

// Calendar tells whether the part may be an exchange of calendars.
func (p Part) Calendar() bool { return p.Type == "text/calendar" || p.Type == "application/ics" }

// Report tells whether the part is one that programs write for programs about another mail.
func (p Part) Report() bool {
	switch p.Type {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "message/global-disposition-notification":
		return true
	}
	return false
}

// Returned tells whether the part is another mail, or its header.
func (p Part) Returned() bool {
	switch p.Type {
	case "text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers", "text/rfc822":
		return true
	}
	return false
}

// maxContent is how much of a part is looked at.
const maxContent = 64 << 10

// walk reads the parts of a whole message. cut tells that there were more than are kept.
func walk(h header, body []byte) (parts []Part, cut bool) {
	w := walker{}
	w.part(h, body, 0, false)
	return w.parts, w.cut
}

type walker struct {
	parts []Part
	cut   bool
}

func (w *walker) part(h header, body []byte, depth int, nested bool) {
	kind, params := contentType(h)
	if pieces := w.pieces(h, kind, params["boundary"], body); pieces != nil {
		if depth >= maxDepth {
			w.cut = true
			return
		}
		for _, p := range pieces {
			if len(w.parts) >= maxParts {
				w.cut = true
				return
			}
			inner, rest := parseHeader(p)
			w.part(inner, rest, depth+1, nested)
		}
		return
	}
	if len(w.parts) >= maxParts {
		w.cut = true
		return
	}
	disposition, dparams := fieldParams(raw8(h.get("content-disposition"), params["charset"]))
	name := fileName(dparams["filename"])
	if name == "" {
		name = fileName(params["name"])
	}
	w.parts = append(w.parts, Part{
		Type: kind, Charset: params["charset"], Method: strings.ToUpper(params["method"]), Name: name,
		Attached: attached(kind, disposition, name),
		Size:     len(body), Content: content(h, body), Nested: nested,
	})
	if kind == "message/rfc822" || kind == "message/global" {
		if depth >= maxDepth {
			w.cut = true
			return
		}
		inner, rest := parseHeader(plain(h.word("content-transfer-encoding"), body))
		w.part(inner, rest, depth+1, true)
	}
}

// attached tells whether a part is a file of the mail. Some programs show documents
// inline; named texts and pictures that are shown are part of what is read.
func attached(kind, disposition, name string) bool {
	shown := disposition == "inline" && (strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "image/"))
	return disposition == "attachment" || name != "" && !shown
}

// pieces are the parts of a multipart body; nil when it is none. Gateways lose
// boundaries, give them other names, and encode the whole body, against the standard.
func (w *walker) pieces(h header, kind, boundary string, body []byte) [][]byte {
	if !strings.HasPrefix(kind, "multipart/") {
		return nil
	}
	if boundary != "" {
		if pieces := split(body, boundary); pieces != nil {
			return pieces
		}
	}
	body = plain(h.word("content-transfer-encoding"), body)
	if first := firstBoundary.FindSubmatch(body[:min(len(body), maxContent)]); first != nil {
		return split(body, string(first[1]))
	}
	return nil
}

// firstBoundary is a line that looks like one and has fields behind it.
var firstBoundary = regexp.MustCompile(`(?im)^--([!-~](?:[ -~]{0,68}[!-~])?)[ \t]*\r?\ncontent-[a-z-]+:`)

// contentType gives a part's type, text/plain when it says none.
func contentType(h header) (kind string, params map[string]string) {
	kind, params = fieldParams(h.text("content-type"))
	if !strings.Contains(kind, "/") {
		kind = "text/plain"
	}
	return kind, params
}

// split cuts a multipart body at its boundary lines.
func split(body []byte, boundary string) [][]byte {
	var parts [][]byte
	mark := []byte("--" + boundary)
	start := -1
	for at := 0; at < len(body); {
		end := bytes.IndexByte(body[at:], '\n')
		next := len(body)
		if end >= 0 {
			next = at + end + 1
		}
		line := bytes.TrimRight(body[at:next], " \t\r\n")
		if last := bytes.HasSuffix(line, []byte("--")); bytes.HasPrefix(line, mark) && (len(line) == len(mark) || last && len(line) == len(mark)+2) {
			if start >= 0 {
				parts = append(parts, body[start:at])
			}
			start = next
			if len(line) > len(mark) {
				return parts
			}
			if len(parts) > maxParts {
				return parts
			}
		}
		at = next
	}
	if start >= 0 && start < len(body) { // the closing boundary is missing
		parts = append(parts, body[start:])
	}
	return parts
}

// content is what is looked at of a part.
func content(h header, body []byte) []byte {
	return Decode(h.word("content-transfer-encoding"), body)
}

// Decode takes the transfer encoding off a part's content, and cuts it at what is looked at.
func Decode(encoding string, body []byte) []byte {
	body = plain(encoding, body[:min(len(body), 2*maxContent)])
	return body[:min(len(body), maxContent)]
}

// plain takes the transfer encoding off, as far as it can be understood.
func plain(encoding string, body []byte) []byte {
	encoding = strings.ToLower(strings.TrimSpace(encoding))
	switch {
	case strings.HasPrefix(encoding, "base64"):
		body, _ = unbase64(string(body))
	case strings.HasPrefix(encoding, "quoted-printable"):
		decoded, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		if err != nil { // it stops at a code that is torn; what follows is text all the same
			decoded = unquote(softBreak.ReplaceAllString(string(body), ""))
		}
		body = decoded
	}
	return body
}

var softBreak = regexp.MustCompile(`=[ \t]*\r?\n`)

// fileName takes path parts and control characters off a name.
func fileName(name string) string {
	name = clean(name)
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	if name == "." || name == ".." {
		return ""
	}
	return name
}
