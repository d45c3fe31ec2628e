package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/internal/web/signon"
)

// visit is one reader asking for one thing.
type visit struct {
	*site
	p        *pipeline.Pipeline // of this visit alone, under the reader's name
	request  *http.Request
	reader   signon.Reader
	language string // "ja" or "en"
	colours  string // "light", "dark"; "" = as the machine has it
	query    url.Values
	json     bool // asked for as JSON, not as a page
	early    bool // nobody asks yet: what is held is waited for until it is the newest
	log      func(msg string, args ...any)
}

// visited makes a handler of what answers a visit.
func (d *Dashboard) visited(answer func(http.ResponseWriter, *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, leave := d.enter()
		defer leave()
		if s == nil {
			w.Header().Set("Retry-After", "5")
			http.Error(w, "energyd has not begun yet, or is stopping", http.StatusServiceUnavailable)
			return
		}
		v := &visit{site: s, request: r, query: r.URL.Query(), json: strings.HasPrefix(r.URL.Path, api+"/")}
		v.log = func(msg string, args ...any) { d.log.Error(msg, append(args, "path", r.Pattern)...) }
		v.language, v.colours = languageOf(r, s.p.Config().Language), coloursOf(r)
		v.p = s.p.Beside("")
		if err := s.origin.Check(r); err != nil {
			v.fail(w, errOtherSite)
			return
		}
		enter := func(w http.ResponseWriter, r *http.Request) {
			v.request = r
			err := v.identify(d.served)
			v.p = s.p.Beside(v.reader.Name)
			if err == nil {
				err = answer(w, v)
			}
			if err != nil {
				v.fail(w, err)
			}
		}
		if !s.gate.Required() {
			enter(w, r)
			return
		}
		s.gate.Within(http.HandlerFunc(enter)).ServeHTTP(w, r)
	})
}

var errOtherSite = fault.New(fault.Auth, "", "this was sent by a page of another site", "if it was not: open the dashboard at the address that dashboard.url tells", nil)

// identify says who looks. Where nobody signs on, whoever sits at this machine looks at everything, and acts on nothing.
// The name they call it by has to be this machine's: another one may be a foreign page's that was led here (DNS rebinding).
func (v *visit) identify(served telemetry.HTTP) error {
	if v.gate.Required() {
		v.reader = v.gate.Reader(v.request.Context())
		return nil
	}
	for _, passedOn := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if v.request.Header.Get(passedOn) != "" { // a proxy on this machine lets others in
			return errOwnMachine
		}
	}
	if v.request.ProtoMajor == 1 && v.request.ProtoMinor == 0 { // so does one that says nothing of itself, as nginx did for long; no browser asks so
		return errOwnMachine
	}
	if !served.Local() || !telemetry.Loopback(hostOf(v.request)) {
		return errOwnMachine
	}
	v.reader = signon.Reader{Role: signon.Admin}
	return nil
}

var errOwnMachine = fault.New(fault.Auth, "", "this dashboard is shown on its own machine alone", "configure dashboard.users (docs/dashboard.md)", nil)

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// t says something in the reader's language; the values fit into both, as of fmt.Sprintf.
func (v *visit) t(ja, en string, values ...any) string { return say(v.language, ja, en, values...) }

func say(language, ja, en string, values ...any) string {
	text := text{Ja: ja, En: en}.In(language)
	if len(values) == 0 {
		return text
	}
	return fmt.Sprintf(text, values...)
}

// today is the date of what is shown.
func (v *visit) today() engine.Date { return v.p.AsOf() }

// path gives a part of the path: "id" of "/customers/{id}".
func (v *visit) path(name string) string { return v.request.PathValue(name) }

// store is what is stored.
func (v *visit) store() *store.Store { return v.p.Store() }

// may refuses who lacks a role.
func (v *visit) may(role signon.Role) error {
	switch {
	case v.reader.Role >= role:
		return nil
	case v.reader.Role == signon.Nobody:
		return errSignOn
	}
	return errNotAllowed
}

var (
	errNotAllowed = fault.New(fault.Auth, "", "you may not see this page", "ask the admin of energyd for it", nil)
	errSignOn     = fault.New(fault.Auth, "", "sign on first", "", nil)
)

// lastRun is the run that ended last, for the foot of every page; nil before the first.
func (v *visit) lastRun(ctx context.Context) *store.Run {
	if v.reader.Role == signon.Nobody {
		return nil
	}
	runs, err := v.store().Runs(ctx, 5)
	if err != nil {
		return nil // the page itself tells of a store that cannot be read
	}
	for i := range runs {
		if !runs[i].Ended.IsZero() {
			return &runs[i]
		}
	}
	return nil
}
