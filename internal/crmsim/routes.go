package crmsim

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one resource below /services/data/vNN.N/; {} stands for any one segment.
type route struct {
	method, path string
	serve        func(*Server, *call) reply
}

var routes = []route{
	{"GET", "", (*Server).resources},
	{"GET", "limits", (*Server).limits},
	{"GET", "sobjects", (*Server).describeAll},
	{"GET", "sobjects/{}/describe", (*Server).describe},
	{"GET", "sobjects/{}/updated", (*Server).updated},
	{"GET", "sobjects/{}/deleted", (*Server).deletedRows},
	{"POST", "sobjects/{}", (*Server).createOne},
	{"GET", "sobjects/{}/{}", (*Server).readOne},
	{"PATCH", "sobjects/{}/{}", (*Server).updateOne},
	{"DELETE", "sobjects/{}/{}", (*Server).deleteOne},
	{"GET", "query", (*Server).query},
	{"GET", "queryAll", (*Server).queryAll},
	{"GET", "query/{}", (*Server).queryMore},
	{"GET", "queryAll/{}", (*Server).queryMore},
	{"POST", "composite/sobjects", (*Server).createMany},
	{"PATCH", "composite/sobjects", (*Server).updateMany},
	{"DELETE", "composite/sobjects", (*Server).deleteMany},
	{"POST", "composite/sobjects/{}", (*Server).readMany},
	{"GET", "composite/sobjects/{}", (*Server).readMany},
	{"PATCH", "composite/sobjects/{}/{}", (*Server).upsertMany},
	{"POST", "composite", (*Server).composite},
	{"POST", "composite/batch", (*Server).batch},
	{"POST", "composite/graph", (*Server).graphs},
	{"GET", "sobjects/{}/{}/{}", (*Server).readByExternalID},
	{"PATCH", "sobjects/{}/{}/{}", (*Server).upsertOne},
	{"GET", "jobs/ingest", ofKind(ingestJobs, (*Server).listJobs)},
	{"POST", "jobs/ingest", (*Server).createIngest},
	{"GET", "jobs/ingest/{}", ofKind(ingestJobs, (*Server).readJob)},
	{"PATCH", "jobs/ingest/{}", ofKind(ingestJobs, (*Server).changeJob)},
	{"DELETE", "jobs/ingest/{}", ofKind(ingestJobs, (*Server).deleteJob)},
	{"PUT", "jobs/ingest/{}/batches", (*Server).uploadIngest},
	{"GET", "jobs/ingest/{}/successfulResults", ingestResults([]string{"sf__Id", "sf__Created"}, succeeded)},
	{"GET", "jobs/ingest/{}/failedResults", ingestResults([]string{"sf__Id", "sf__Error"}, refused)},
	{"GET", "jobs/ingest/{}/unprocessedrecords", ingestResults(nil, unprocessed)},
	{"GET", "jobs/query", ofKind(queryJobs, (*Server).listJobs)},
	{"POST", "jobs/query", (*Server).createQuery},
	{"GET", "jobs/query/{}", ofKind(queryJobs, (*Server).readJob)},
	{"PATCH", "jobs/query/{}", ofKind(queryJobs, (*Server).changeJob)},
	{"DELETE", "jobs/query/{}", ofKind(queryJobs, (*Server).deleteJob)},
	{"GET", "jobs/query/{}/results", (*Server).queryResults},
	{"POST", "metadata/deployRequest", (*Server).deploy},
	{"GET", "metadata/deployRequest/{}", (*Server).deployStatus},
	{"GET", "tooling/query", (*Server).toolingQuery},
	{"GET", "tooling/sobjects", (*Server).toolingList},
	{"POST", "tooling/sobjects/{}", (*Server).toolingCreate},
	{"GET", "tooling/sobjects/{}/describe", (*Server).toolingDescribe},
	{"GET", "tooling/sobjects/{}/{}", (*Server).toolingRead},
	{"PATCH", "tooling/sobjects/{}/{}", (*Server).toolingUpdate},
}

type version struct {
	Label   string `json:"label"`
	URL     string `json:"url"`
	Version string `json:"version"`
}

// versions are the API versions served, oldest first.
var versions = []version{
	{"Spring '21", "/services/data/v51.0", "51.0"},
	{"Winter '25", "/services/data/v62.0", "62.0"},
	{"Summer '25", "/services/data/v64.0", "64.0"},
	{"Winter '26", "/services/data/v65.0", "65.0"},
	{"Spring '26", "/services/data/v66.0", "66.0"},
	{"Summer '26", "/services/data/v67.0", "67.0"},
}

// route finds who answers, after the checks that all data calls share.
func (s *Server) route(c *call) reply {
	method := c.r.Method
	if override := c.r.URL.Query().Get("_HttpMethod"); method == http.MethodPost && override != "" {
		method = strings.ToUpper(override) // for clients that cannot send PATCH
	}
	if c.r.URL.Path == "/id/"+s.orgID+"/"+s.runAs {
		return s.identity(c)
	}
	path := strings.TrimSuffix(strings.TrimPrefix(c.r.URL.EscapedPath(), "/services/"), "/")
	switch path {
	case "oauth2/token", "oauth2/revoke":
		if method != http.MethodPost {
			return notAllowed(method, []string{"POST"})
		}
		if path == "oauth2/revoke" {
			return s.revoke(c)
		}
		return s.token(c)
	case "data":
		return answer(versions) // no token needed, and free of charge
	}
	if version, ok := strings.CutPrefix(path, "Soap/u/"); ok && method == http.MethodPost {
		return s.soapSignOn(c, version)
	}
	if strings.HasPrefix(path, "Soap/m/") && method == http.MethodPost {
		return s.soapMetadata(c)
	}
	rest, ok := strings.CutPrefix(path, "data/v")
	if !ok {
		return notFound
	}
	version, rest, _ := strings.Cut(rest, "/")
	if !s.signedOn(c.r) {
		return deadToken
	}
	allowed := s.control.count(s.now())
	a := s.data(c, method, version, rest, allowed)
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set("Sforce-Limit-Info", s.control.limitInfo())
	return a
}

// data answers an authenticated call.
func (s *Server) data(c *call, method, version, path string, allowed bool) reply {
	if !allowed {
		message := "TotalRequests Limit exceeded."
		if s.outcome("S108") == "other_words" {
			message = "The organization has reached its limit of API requests."
		}
		return fail(http.StatusForbidden, &Error{Code: "REQUEST_LIMIT_EXCEEDED", Message: message})
	}
	if s.control.onRequest(c.r, "concurrent") != nil {
		return fail(http.StatusForbidden, &Error{Code: "REQUEST_LIMIT_EXCEEDED", Message: "ConcurrentRequests (Concurrent API Requests) Limit exceeded."})
	}
	known := false
	for _, v := range versions {
		known = known || v.Version == version
	}
	if !known {
		if s.outcome("S26") == "gone" {
			return fail(http.StatusGone, &Error{Code: "UNSUPPORTED_API_VERSION", Message: "The requested API version is not supported"})
		}
		return notFound
	}
	c.version = version
	if path == "composite" || path == "composite/graph" { // may be taken back
		s.alone.Lock()
		defer s.alone.Unlock()
	} else {
		s.alone.RLock()
		defer s.alone.RUnlock()
	}
	s.runJobs()
	return s.dispatch(c, method, path)
}

// dispatch finds the route of a call, and takes it.
func (s *Server) dispatch(c *call, method, path string) reply {
	var methods []string
	for _, r := range s.routes {
		args, ok := r.match(path)
		if !ok {
			continue
		}
		if r.method == method {
			c.args = args
			return r.serve(s, c)
		}
		methods = append(methods, r.method)
	}
	if methods != nil {
		return notAllowed(method, methods)
	}
	return notFound
}

func (r route) match(path string) (args []string, ok bool) {
	want, got := strings.Split(r.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i, segment := range got {
		if want[i] != "{}" {
			if want[i] != segment {
				return nil, false
			}
			continue
		}
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "" {
			return nil, false
		}
		args = append(args, plain)
	}
	return args, true
}

func notAllowed(method string, allowed []string) reply {
	list := strings.Join(allowed, ",")
	r := fail(http.StatusMethodNotAllowed, &Error{Code: "METHOD_NOT_ALLOWED", Message: "HTTP Method '" + method + "' not allowed. Allowed are " + list})
	r.header = http.Header{"Allow": {list}}
	return r
}

// resources lists what there is below a version, and who is signed on.
func (s *Server) resources(c *call) reply {
	list := map[string]string{"identity": s.identityURL(c)}
	for _, name := range []string{"limits", "sobjects", "query", "queryAll", "composite", "jobs/ingest", "jobs/query", "tooling"} {
		list[name] = root(c) + "/" + name
	}
	return answer(list)
}

func root(c *call) string { return "/services/data/v" + c.version }
