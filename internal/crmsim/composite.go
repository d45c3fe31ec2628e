package crmsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Limits of requests that are made of requests.
const (
	maxParts          = 25 // of a batch or a composite
	maxPartQueries    = 5  // of those in a composite
	maxGraphs         = 75
	maxNodes          = 500 // of all graphs of a request
	maxNodeKinds      = 15
	maxDepth          = 15 // of a graph: parts that wait for one another
	maxFailedGraphs   = 14
	haltedCode        = "PROCESSING_HALTED"
	partsLimitCode    = "LIMIT_EXCEEDED"
	rolledBackMessage = "The transaction was rolled back since another operation in the same transaction failed."
)

// part is one request inside of another.
type part struct {
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	ReferenceID string          `json:"referenceId"` // not of a batch
	Body        json.RawMessage `json:"body"`
	RichInput   json.RawMessage `json:"richInput"` // the body in a batch
}

// transaction collects changes that may still be taken back as a whole.
type transaction struct{ changes []change }

// atomically runs requests, and takes back what they wrote unless all went
// well. Nobody else uses the org meanwhile: see Server.alone.
func (s *Server) atomically(run func() (well bool)) error {
	s.mu.Lock()
	s.tx = &transaction{}
	s.mu.Unlock()
	well := run()
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.tx.changes
	s.tx = nil
	if !well {
		s.undo(changes)
		return nil
	}
	return s.keep(changes)
}

// The resources that a part may name; those of graphs are fewer.
var (
	partPath = regexp.MustCompile(`^(limits|query|queryAll|sobjects(/.*)?|composite/sobjects(/.*)?)$`)
	nodePath = regexp.MustCompile(`^sobjects/[^/]+(/[^/]+){0,2}$`)
)

// carryOut answers one part as if it had come alone, but free of charge. The
// URL begins with the version, or with what stands before it.
func (s *Server) carryOut(c *call, p part, body []byte, allowed *regexp.Regexp) reply {
	rest := strings.TrimPrefix(strings.TrimPrefix(p.URL, "/services/data"), "/")
	r, err := http.NewRequestWithContext(c.r.Context(), p.Method, "/services/data/"+rest, http.NoBody)
	if err != nil {
		return refusal(refuse("INVALID_INPUT", nil, "the part cannot be read: %s %s", p.Method, p.URL))
	}
	r.Host = c.r.Host
	number, path, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/services/data/v"), "/")
	path = strings.TrimSuffix(path, "/")
	if !slices.ContainsFunc(versions, func(v version) bool { return v.Version == number }) {
		return notFound
	}
	if !allowed.MatchString(path) {
		return refusal(refuse("INVALID_INPUT", nil, "%s cannot be a part of another request", path))
	}
	inner := &call{r: r, body: body, version: number}
	a := s.dispatch(inner, p.Method, path)
	c.rows += inner.rows
	if s.outcome("S107") == "parts" {
		s.control.count(s.now())
	}
	return a
}

// batch is POST /composite/batch: parts that know nothing of each other.
func (s *Server) batch(c *call) reply {
	var body struct {
		HaltOnError   bool   `json:"haltOnError"`
		BatchRequests []part `json:"batchRequests"`
	}
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	switch n := len(body.BatchRequests); {
	case n == 0:
		return refusal(refuse("INVALID_INPUT", nil, "batchRequests must have at least one part"))
	case n > maxParts:
		return refusal(tooManyParts(maxParts))
	}
	type result struct {
		StatusCode int             `json:"statusCode"`
		Result     json.RawMessage `json:"result"`
	}
	all := struct {
		HasErrors bool     `json:"hasErrors"`
		Results   []result `json:"results"`
	}{}
	for _, p := range body.BatchRequests {
		a := fail(http.StatusPreconditionFailed, &Error{Code: "BATCH_PROCESSING_HALTED", Message: "Batch processing halted per request"})
		if !all.HasErrors || !body.HaltOnError {
			a = s.carryOut(c, p, p.RichInput, partPath)
		}
		all.HasErrors = all.HasErrors || a.status >= http.StatusBadRequest
		all.Results = append(all.Results, result{a.status, a.json()})
	}
	return answer(all)
}

func tooManyParts(most int) *Error {
	return refuse(partsLimitCode, nil, "The request can’t contain more than %d operations.", most)
}

// json is the body of an answer inside of another: null when there is none.
func (a reply) json() json.RawMessage {
	if len(a.body) == 0 {
		return json.RawMessage("null")
	}
	return a.body
}

// partAnswer is one answer of a composite.
type partAnswer struct {
	Body        json.RawMessage   `json:"body"`
	Headers     map[string]string `json:"httpHeaders"`
	Status      int               `json:"httpStatusCode"`
	ReferenceID *string           `json:"referenceId"`
}

func (p part) answered(a reply) partAnswer {
	answered := partAnswer{Body: a.json(), Headers: map[string]string{}, Status: a.status, ReferenceID: &p.ReferenceID}
	if location := a.header.Get("Location"); location != "" {
		answered.Headers["Location"] = location
	}
	return answered
}

type partAnswers struct {
	CompositeResponse []partAnswer `json:"compositeResponse"`
}

// composite is POST /composite: parts that may use the answers of earlier ones.
func (s *Server) composite(c *call) reply {
	var body struct {
		AllOrNone        bool   `json:"allOrNone"`
		CompositeRequest []part `json:"compositeRequest"`
	}
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	parts, queries := body.CompositeRequest, 0
	for _, p := range parts {
		if strings.Contains(p.URL, "/query/") || strings.Contains(p.URL, "/query?") || strings.Contains(p.URL, "/queryAll") {
			queries++
		}
	}
	var refused *Error
	switch {
	case len(parts) > maxParts:
		refused = tooManyParts(maxParts)
	case queries > maxPartQueries:
		refused = refuse(partsLimitCode, nil, "The request can’t contain more than %d query operations.", maxPartQueries)
	default:
		refused = checkReferences(parts)
	}
	if refused != nil { // even this stands in an answer of its own
		a := answer(partAnswers{[]partAnswer{{Body: refusal(refused).body, Headers: map[string]string{}, Status: http.StatusBadRequest}}})
		a.status = http.StatusBadRequest
		return a
	}
	answers, _, err := s.carryOutAll(c, parts, body.AllOrNone, partPath)
	if err != nil {
		return refusal(err)
	}
	return answer(partAnswers{answers})
}

var referenceID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_]*$`)

// checkReferences refuses parts whose names no other part could use.
func checkReferences(parts []part) *Error {
	seen := map[string]bool{}
	if len(parts) == 0 {
		return refuse("INVALID_INPUT", nil, "compositeRequest must have at least one part")
	}
	for _, p := range parts {
		switch {
		case !referenceID.MatchString(p.ReferenceID):
			return refuse("INVALID_INPUT", nil, "Provided referenceId ('%s') must start with a letter or a number, and it can contain only letters, numbers and underscores ('_').", p.ReferenceID)
		case seen[p.ReferenceID]:
			return refuse("INVALID_INPUT", nil, "the referenceId %s stands for several parts", p.ReferenceID)
		}
		seen[p.ReferenceID] = true
	}
	return nil
}

// carryOutAll carries out parts in order; with allOrNone all of them or none.
func (s *Server) carryOutAll(c *call, parts []part, allOrNone bool, allowed *regexp.Regexp) (answers []partAnswer, well bool, err error) {
	known := map[string]any{} // bodies of the answers
	run := func() (well bool) {
		for i, p := range parts {
			a := s.carryOutNext(c, p, known, allOrNone, allowed)
			answers = append(answers, p.answered(a))
			if allOrNone && (a.status >= http.StatusBadRequest || someRowFailed(a.body)) {
				answers = halted(parts, rolledBackMessage)
				answers[i] = p.answered(a)
				return false
			}
		}
		return true
	}
	if !allOrNone {
		well = run()
		return answers, well, nil
	}
	err = s.atomically(func() bool { well = run(); return well })
	return answers, well, err
}

// halted are the answers to parts that were not carried out, or taken back.
func halted(parts []part, message string) []partAnswer {
	answers := make([]partAnswer, len(parts))
	for i, p := range parts {
		answers[i] = p.answered(fail(http.StatusBadRequest, &Error{Code: haltedCode, Message: message}))
	}
	return answers
}

// someRowFailed tells whether the answer of a collection has a row that was not written.
func someRowFailed(body []byte) bool {
	var rows []struct{ Success *bool }
	if json.Unmarshal(body, &rows) != nil {
		return false // not the answer of a collection
	}
	return slices.ContainsFunc(rows, func(r struct{ Success *bool }) bool { return r.Success != nil && !*r.Success })
}

// carryOutNext carries out a part that may refer to the answers known so far, and adds its own.
func (s *Server) carryOutNext(c *call, p part, known map[string]any, allOrNone bool, allowed *regexp.Regexp) reply {
	target, err := resolved(p.URL, known, func(value string) string { return value })
	if err != nil {
		return refusal(err)
	}
	body, err := resolved(string(p.Body), known, func(value string) string {
		quoted := appendString(nil, value)
		return string(quoted[1 : len(quoted)-1]) // a reference stands inside of a JSON text
	})
	if err != nil {
		return refusal(err)
	}
	p.URL = target
	if allOrNone && strings.Contains(p.URL, "/composite/sobjects") {
		p.URL, body = allRowsOrNone(p.URL, body)
	}
	a := s.carryOut(c, p, []byte(body), allowed)
	var v any
	if a.status < http.StatusBadRequest && len(a.body) > 0 && decode(a.body, &v) == nil {
		known[p.ReferenceID] = v
	}
	return a
}

// allRowsOrNone passes allOrNone on to a collection, whatever that says itself.
func allRowsOrNone(target, body string) (string, string) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &fields) != nil || fields == nil { // no body, of a DELETE
		if u, err := url.Parse(target); err == nil {
			q := u.Query()
			q.Set("allOrNone", "true")
			u.RawQuery = q.Encode()
			target = u.String()
		}
		return target, body
	}
	fields["allOrNone"] = json.RawMessage("true")
	b, _ := json.Marshal(fields) // of parts that were valid before
	return target, string(b)
}

// partReference is @{name.field} or @{name.records[0].Id}.
var partReference = regexp.MustCompile(`@\{([A-Za-z0-9_]+)([.\[][^}]*)\}`)

// resolved replaces the references in a text by the values that they lead to.
func resolved(text string, known map[string]any, escape func(string) string) (_ string, err error) {
	text = partReference.ReplaceAllStringFunc(text, func(found string) string {
		m := partReference.FindStringSubmatch(found)
		value, ok := follow(known[m[1]], m[2])
		if !ok {
			err = &Error{Code: haltedCode, Message: fmt.Sprintf("Invalid reference specified. No value for %s found in %s.", m[1]+m[2], m[1])}
			return found
		}
		return escape(value)
	})
	return text, err
}

// follow goes down a JSON value: .name is a member, [n] an element.
func follow(v any, path string) (string, bool) {
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(in) {
				return "", false
			}
			v = in[n]
		default:
			return "", false
		}
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// graph is a group of parts that are carried out all or not at all.
type graph struct {
	GraphID          string `json:"graphId"`
	CompositeRequest []part `json:"compositeRequest"`
}

// graphs is POST /composite/graph.
func (s *Server) graphs(c *call) reply {
	var body struct {
		Graphs []graph `json:"graphs"`
	}
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	if e := checkGraphs(body.Graphs); e != nil {
		return refusal(e)
	}
	type result struct {
		GraphID       string      `json:"graphId"`
		GraphResponse partAnswers `json:"graphResponse"`
		IsSuccessful  bool        `json:"isSuccessful"`
	}
	all := struct {
		Graphs []result `json:"graphs"`
	}{}
	failed := 0
	for _, g := range body.Graphs {
		r := result{GraphID: g.GraphID}
		if failed > maxFailedGraphs {
			r.GraphResponse.CompositeResponse = halted(g.CompositeRequest, "Too many graphs failed before this one.")
		} else {
			var err error
			r.GraphResponse.CompositeResponse, r.IsSuccessful, err = s.carryOutAll(c, g.CompositeRequest, true, nodePath)
			if err != nil {
				return refusal(err)
			}
		}
		if !r.IsSuccessful {
			failed++
		}
		all.Graphs = append(all.Graphs, r)
	}
	return answer(all)
}

// checkGraphs holds graphs against the limits.
func checkGraphs(graphs []graph) *Error {
	nodes, kinds := 0, map[string]bool{}
	if len(graphs) == 0 {
		return refuse("INVALID_INPUT", nil, "graphs must have at least one graph")
	}
	if len(graphs) > maxGraphs {
		return refuse(partsLimitCode, nil, "The request can’t contain more than %d graphs.", maxGraphs)
	}
	for _, g := range graphs {
		if e := checkReferences(g.CompositeRequest); e != nil {
			return e
		}
		nodes += len(g.CompositeRequest)
		depth := map[string]int{}
		for _, p := range g.CompositeRequest {
			if at := strings.Index(p.URL, "/sobjects/"); at >= 0 {
				object, _, _ := strings.Cut(p.URL[at+len("/sobjects/"):], "/")
				kinds[p.URL[:at]+lower(object)] = true
			}
			deepest := 0
			for _, m := range partReference.FindAllStringSubmatch(p.URL+string(p.Body), -1) {
				deepest = max(deepest, depth[m[1]])
			}
			if depth[p.ReferenceID] = deepest + 1; deepest >= maxDepth {
				return refuse(partsLimitCode, nil, "The graph %s can’t be deeper than %d nodes.", g.GraphID, maxDepth)
			}
		}
	}
	switch {
	case nodes > maxNodes:
		return refuse(partsLimitCode, nil, "The request can’t contain more than %d nodes.", maxNodes)
	case len(kinds) > maxNodeKinds:
		return refuse(partsLimitCode, nil, "The request can’t contain more than %d different nodes.", maxNodeKinds)
	}
	return nil
}
