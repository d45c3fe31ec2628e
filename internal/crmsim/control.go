package crmsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Request is one line of the log: a call to the API and its answer.
type Request struct {
	Time   time.Time `json:"time"` // by the org's clock, UTC
	Method string    `json:"method"`
	Path   string    `json:"path"`   // with the query, as sent
	SOQL   string    `json:"soql"`   // of a query, also of a Bulk job
	Sent   int       `json:"sent"`   // bytes of the request's body, unzipped
	Head   string    `json:"head"`   // the first line of a Bulk upload, as it came
	Status int       `json:"status"` // 0: the connection was cut before an answer
	Bytes  int       `json:"bytes"`  // of the answer's body, before compression
	Rows   int       `json:"rows"`   // rows in the answer, or rows written
}

// maxLog is how many requests the log keeps, the newest.
const maxLog = 100_000

func (s *Server) record(c *call, status, bytes int) {
	path := c.r.RequestURI
	if q := c.r.URL.Query(); q.Has("oauth_token") || q.Has("token") {
		path = c.r.URL.Path // a token is nobody's to read in a log
	}
	line := Request{Time: s.now(), Method: c.r.Method, Path: path, SOQL: c.r.URL.Query().Get("q"), Sent: len(c.body), Head: c.head,
		Status: status, Bytes: bytes, Rows: c.rows}
	if c.soql != "" {
		line.SOQL = c.soql
	}
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	if len(s.control.log) == 2*maxLog {
		s.control.log = append([]Request(nil), s.control.log[maxLog:]...)
	}
	s.control.log = append(s.control.log, line)
}

// Log gives the requests since the start or the last reset, oldest first.
func (s *Server) Log() []Request {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	from := max(0, len(s.control.log)-maxLog)
	return append([]Request{}, s.control.log[from:]...)
}

// Reset makes the org new again: no rows but its two users, no faults, no
// tokens, an empty log; then it plants a seed, unless that is "".
func (s *Server) Reset(seed string) error {
	s.mu.Lock()
	err := s.empty()
	if err == nil && s.journal != nil {
		err = s.compact()
	}
	s.mu.Unlock()
	if err != nil || seed == "" {
		return err
	}
	return s.Seed(seed)
}

// serveControl answers /__sim/, which no real org has. Web pages from
// elsewhere, open in a browser on this machine, must not reach it.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/__sim/")
	var v any = map[string]bool{"ok": true}
	var err error
	switch object, isRows := strings.CutPrefix(name, "rows/"); {
	case r.Method == http.MethodPost && name == "fault":
		var f Fault
		if err = strict(r.Body, &f); err == nil {
			err = s.Inject(f)
		}
	case r.Method == http.MethodPost && name == "reset":
		var seed struct {
			Seed string `json:"seed"`
		}
		if err = strict(r.Body, &seed); err == nil {
			err = s.Reset(seed.Seed)
		}
	case r.Method == http.MethodGet && name == "known":
		v = Outcomes
	case r.Method == http.MethodGet && name == "log":
		v = s.Log()
	case r.Method == http.MethodGet && name == "key":
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = io.WriteString(w, s.PrivateKey())
		return
	case r.Method == http.MethodGet && isRows:
		v, err = s.Rows(object)
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		v = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

// strict decodes a JSON body that may be empty, but may hold no unknown names.
func strict(body io.Reader, v any) error {
	d := json.NewDecoder(io.LimitReader(body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && err != io.EOF {
		return fmt.Errorf("the body: %w", err)
	}
	return nil
}
