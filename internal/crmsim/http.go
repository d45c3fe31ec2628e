package crmsim

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// call is one request on its way through a handler.
type call struct {
	r       *http.Request
	body    []byte
	version string   // "66.0"
	args    []string // path segments that stand for {} in the route, unescaped
	rows    int      // rows read or written, for the log
	soql    string   // of a query that does not stand in the URL, for the log
	head    string   // the first line of an upload, for the log
}

// reply is an answer before it is sent.
type reply struct {
	status      int
	body        []byte
	contentType string // "" = JSON
	header      http.Header
	stream      func(io.Writer) error // writes the body instead of body; its error is the client's going away
}

// answer makes a 200 of anything that marshals; the types here all do.
func answer(v any) reply {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return reply{status: http.StatusOK, body: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// requestError is how an Error stands in the array of a refused request.
type requestError struct {
	Message string   `json:"message"`
	Code    string   `json:"errorCode"`
	Fields  []string `json:"fields,omitempty"`
}

// fail makes the answer to a request refused as a whole.
func fail(status int, e *Error) reply {
	r := answer([]requestError{{e.Message, e.Code, e.Fields}})
	r.status = status
	return r
}

// refusal is fail for an error of unknown type, with the status that fits its code.
func refusal(err error) reply {
	e := asError(err)
	if e.Code == "UNKNOWN_EXCEPTION" {
		return fail(http.StatusInternalServerError, e)
	}
	switch e.Code {
	case "ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY":
		return fail(http.StatusNotFound, e)
	}
	return fail(http.StatusBadRequest, e)
}

// asError gives the CRM's words for an error of any type.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: "UNKNOWN_EXCEPTION", Message: err.Error()}
}

var notFound = fail(http.StatusNotFound, &Error{Code: "NOT_FOUND", Message: "The requested resource does not exist"})

const (
	maxHead = 16384     // bytes of URI and headers together
	maxBody = 100 << 20 // bytes of a request's body
)

// ServeHTTP answers one request: pages, the control surface, or the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.settle()
	switch {
	case strings.HasPrefix(r.URL.Path, "/services/"), strings.HasPrefix(r.URL.Path, "/id/"):
		s.serveAPI(w, r)
	case strings.HasPrefix(r.URL.Path, "/__sim/") && s.opt.Control:
		s.serveControl(w, r)
	default:
		s.servePage(w, r)
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := &call{r: r}
	cut := s.control.onRequest(r, "status")
	if slow := s.control.onRequest(r, "slow"); slow != nil {
		select {
		case <-time.After(time.Duration(slow.DelayMS) * time.Millisecond):
		case <-r.Context().Done():
		}
	}
	var a reply
	switch {
	case cut != nil && cut.Cut == "before":
		s.record(c, 0, 0)
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	case cut != nil && cut.Cut == "":
		a = cut.answer()
	default:
		a = s.respond(c)
	}
	if cut != nil && cut.Cut == "after" {
		s.record(c, 0, 0)
		panic(http.ErrAbortHandler)
	}
	s.send(w, c, a, cut != nil && cut.Cut == "middle")
}

// answer is what the fault status says instead of the org.
func (a *armed) answer() reply {
	r := reply{status: a.Status, body: []byte(a.Body), contentType: a.ContentType}
	if a.Body == "" && a.ContentType == "" && a.Status == http.StatusServiceUnavailable {
		return fail(a.Status, &Error{Code: "SERVER_UNAVAILABLE", Message: "Service is unavailable"})
	}
	return r
}

// respond reads the body and hands the call to its route.
func (s *Server) respond(c *call) reply {
	head := len(c.r.RequestURI)
	if head > maxHead {
		return reply{status: http.StatusRequestURITooLong, contentType: "text/html", body: []byte("<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")}
	}
	for name, values := range c.r.Header {
		for _, v := range values {
			head += len(name) + len(v) + len(": \r\n")
		}
	}
	if head > maxHead {
		return reply{status: http.StatusRequestHeaderFieldsTooLarge, contentType: "text/html", body: []byte("<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")}
	}
	in := io.Reader(c.r.Body)
	if strings.EqualFold(c.r.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return fail(http.StatusBadRequest, &Error{Code: illTyped, Message: "the body is not gzip"})
		}
		in = unzipped
	}
	var err error
	if c.body, err = io.ReadAll(io.LimitReader(in, maxBody+1)); err != nil {
		return fail(http.StatusBadRequest, &Error{Code: illTyped, Message: "the body cannot be read"})
	}
	if len(c.body) > maxBody {
		return fail(http.StatusRequestEntityTooLarge, &Error{Code: "REQUEST_TOO_LARGE", Message: "the body is too large"})
	}
	return s.route(c)
}

// send writes the answer with the headers that every answer has.
func (s *Server) send(w http.ResponseWriter, c *call, a reply, half bool) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	h.Set("X-Sfdc-Request-Id", hex.EncodeToString(id[:]))
	h.Set("Date", s.now().Format(http.TimeFormat))
	h.Set("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
	h.Set("Vary", "Accept-Encoding")
	if a.contentType == "" {
		a.contentType = "application/json;charset=UTF-8"
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Type", a.contentType)
	}
	body := a.body
	if len(body) > 0 && strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = zipped(body)
	}
	if a.stream != nil {
		s.sendStream(w, c, a, half)
		return
	}
	// Logged before it is sent: who has the answer finds it in the log.
	s.record(c, a.status, len(a.body))
	w.WriteHeader(a.status)
	if half {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // a client that has gone needs no answer
}

// sendStream sends a body that is made while it goes out. It is logged when all
// of it is written, which is before the client can see its end.
func (s *Server) sendStream(w http.ResponseWriter, c *call, a reply, half bool) {
	to := io.Writer(w)
	var z *gzip.Writer
	if strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		z = zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(w)
		to = z
	}
	w.WriteHeader(a.status)
	counted := &counter{to: to, half: half}
	err := a.stream(counted)
	if z != nil && err == nil {
		err = z.Close()
	}
	s.record(c, a.status, counted.bytes)
	if err != nil {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // the body is not whole, and must not look so
	}
}

// counter counts the bytes that it passes on. With half it passes on the first
// half of the first piece only.
type counter struct {
	to    io.Writer
	bytes int
	half  bool
}

var errCut = errors.New("the connection is cut on demand")

func (c *counter) Write(p []byte) (int, error) {
	if c.half {
		p = p[:len(p)/2]
	}
	n, err := c.to.Write(p)
	c.bytes += n
	if c.half && err == nil {
		err = errCut
		if z, ok := c.to.(*gzip.Writer); ok {
			_ = z.Flush() // the connection is cut anyway
		}
	}
	return n, err
}

// zippers are kept because each has more than a megabyte of tables, and most answers are small.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a valid level
	return z
}}

func zipped(body []byte) []byte {
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	var b bytes.Buffer
	z.Reset(&b)
	_, _ = z.Write(body) // a Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}
