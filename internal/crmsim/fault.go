package crmsim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

// Switches are the names of all faults, so that a test can meet each of them.
var Switches = []string{"status", "slow", "concurrent", "expire", "rotate", "quota", "drop_locators", "page_max", "query_timeout", "commit_delay",
	"trigger", "lock", "validation", "fls", "right", "clock", "bulk", "edit", "known"}

// Fault is one thing that goes wrong, or one setting, on demand. Name says
// which; each uses the members listed with it.
//
//	status        Match, Times, Skip, Status, Body, ContentType, Cut   answer so
//	slow          Match, Times, Skip, DelayMS     answer late
//	concurrent    Match, Times, Skip              "ConcurrentRequests Limit exceeded"
//	expire        Skip                            kill all access tokens, after Skip more calls
//	rotate        Times                           a refresh gives a new refresh token, the old one dies
//	quota         Used, Max, Bursts               the calls of the last 24 hours, and their limit unless Max is 0
//	              App, AppUsed, AppMax            what the header tells of one app, too
//	drop_locators                                 forget all query locators
//	page_max      Rows                            cut pages at Rows; 0 ends it
//	query_timeout Rows                            a query of more than Rows rows, before its LIMIT, takes too long; 0 ends it
//	commit_delay  DelayMS                         writes from now on have their stamp at once and are seen later, by the org's clock; 0 ends it
//	trigger       ID, Times, Message              a chunk that writes row ID (any row, when "") fails as a whole
//	lock          ID, Times                       updates below account ID (of any, when "") fail
//	validation    Object, Field, Bound, Message   numbers above Bound are refused; a checkbox, text or date at all
//	fls           Object, Field, Access           "hidden", "readonly", "editable"; no Field = the object
//	fls           DelayMS                         grants of fields show so much later, by the org's clock
//	right         Field, Access                   a right of the user's profile, as CustomizeApplication: "none" takes it
//	clock         Set, AdvanceS, Stop             move the org's clock, and let it stand still or go on
//	bulk          Match, Times, Skip, DelayMS, Polls, Rows, Message, Flaws   jobs made from now on, see Flaws
//	edit          Change, Object, ID, Values      another user, or a job of the org, does "insert", "update", "delete", "undelete",
//	              Losers                          "hard_delete"; "merge" of Losers into ID; "convert" of the lead ID; "archive"
//	                                              of old activities; "purge" of the log of deleted rows
//	known         Line, Outcome                   choose an unconfirmed behaviour, see Outcomes
type Fault struct {
	Name  string `json:"name"`
	Match string `json:"match,omitempty"` // "METHOD path-regexp", "* path-regexp"; "" matches all of the API
	Times int    `json:"times,omitempty"` // how often; 0 = until the next reset
	Skip  int    `json:"skip,omitempty"`  // matching requests that go through before

	Status      int    `json:"status,omitempty"`
	Body        string `json:"body,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	// Cut ends the connection: "before" the request is carried out, in the
	// "middle" of the answer's body, or "after" the request was carried out
	// but before a byte of the answer.
	Cut     string `json:"cut,omitempty"`
	DelayMS int    `json:"delay_ms,omitempty"`

	Used    int    `json:"used,omitempty"`
	Max     int    `json:"max,omitempty"`
	Bursts  string `json:"bursts,omitempty"` // what follows api-usage in the header, as "api-bursts=1/750"
	App     string `json:"app,omitempty"`
	AppUsed int    `json:"app_used,omitempty"`
	AppMax  int    `json:"app_max,omitempty"`
	Rows    int    `json:"rows,omitempty"`

	Polls   int            `json:"polls,omitempty"` // that find a Bulk job in progress; 1 without the fault
	Flaws   []string       `json:"flaws,omitempty"`
	Object  string         `json:"object,omitempty"`
	ID      string         `json:"id,omitempty"`
	Field   string         `json:"field,omitempty"`
	Bound   float64        `json:"bound,omitempty"`
	Message string         `json:"message,omitempty"`
	Access  string         `json:"access,omitempty"`
	Change  string         `json:"change,omitempty"`
	Values  map[string]any `json:"values,omitempty"`
	Losers  []string       `json:"losers,omitempty"`

	Set      time.Time `json:"set,omitzero"`
	AdvanceS int       `json:"advance_s,omitempty"`
	Stop     bool      `json:"stop,omitempty"`
	Line     string    `json:"line,omitempty"`
	Outcome  string    `json:"outcome,omitempty"`
}

// armed is a fault that waits for its requests or rows.
type armed struct {
	Fault
	method string
	path   *regexp.Regexp
}

// control is what tests turn and look at: faults, tokens, quota, locators, the log.
type control struct {
	mu       sync.Mutex
	faults   []*armed
	known    map[string]string
	tokens   map[string]time.Time // access token to its end
	refresh  map[string]bool      // live refresh tokens
	expireIn int                  // calls until all tokens die; -1 = never
	usage    usage
	pageMax  int
	queryMax int // rows that a query gets through; 0 = any number
	cursors  map[string]*cursor
	serial   uint64 // of cursors
	queries  uint64 // how many were run, for the order of ties
	log      []Request
}

func (c *control) reset(opt *Options) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults, c.known, c.expireIn, c.pageMax, c.queryMax = nil, map[string]string{}, -1, 0, 0
	c.tokens, c.refresh = map[string]time.Time{}, map[string]bool{opt.RefreshToken: true}
	c.cursors, c.usage = map[string]*cursor{}, usage{max: opt.DailyCalls}
	c.serial, c.queries, c.log = 0, 0, nil
}

var matchForm = regexp.MustCompile(`^(\*|[A-Z]+) (.+)$`)

// Inject sets a fault. Its error tells what is wrong with f itself.
func (s *Server) Inject(f Fault) error {
	if !slices.Contains(Switches, f.Name) {
		return fmt.Errorf("unknown fault %q", f.Name)
	}
	if f.Times < 0 || f.Skip < 0 || f.Rows < 0 || f.DelayMS < 0 {
		return fmt.Errorf("fault %s: negative numbers make no sense here", f.Name)
	}
	switch f.Name {
	case "right":
		return s.SetRight(f.Field, f.Access != "none")
	case "fls":
		if f.Object == "" && f.Access == "" {
			s.grantDelay.Store(int64(time.Duration(f.DelayMS) * time.Millisecond))
			return nil
		}
		a := slices.Index([]string{"editable", "readonly", "hidden"}, f.Access)
		if a < 0 {
			return fmt.Errorf("fault fls: access is editable, readonly or hidden, not %q", f.Access)
		}
		return s.setAccess(f.Object, f.Field, access(a))
	case "edit":
		return s.edit(f)
	case "commit_delay":
		s.commitDelay.Store(int64(f.DelayMS) * int64(time.Millisecond))
		return nil
	case "clock":
		return s.setClock(f)
	}
	return s.control.inject(f, s.now())
}

// setClock is the fault clock.
func (s *Server) setClock(f Fault) error {
	at := s.now()
	if !f.Set.IsZero() {
		at = f.Set
	}
	at = at.Add(time.Duration(f.AdvanceS) * time.Second)
	s.offset.Store(int64(at.Sub(s.opt.Now())))
	stopped := int64(0)
	if f.Stop {
		stopped = at.UnixNano()
	}
	s.stopped.Store(stopped)
	return nil
}

func (c *control) inject(f Fault, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.Name {
	case "expire":
		c.expireIn = f.Skip
		if f.Skip == 0 {
			c.expireNow()
		}
	case "quota":
		c.setQuota(f, now)
	case "drop_locators":
		clear(c.cursors)
	case "page_max":
		c.pageMax = f.Rows
	case "query_timeout":
		c.queryMax = f.Rows
	case "known":
		return c.choose(f.Line, f.Outcome)
	default: // status, slow and what else waits for requests or rows
		return c.arm(f)
	}
	return nil
}

func (c *control) arm(f Fault) error {
	for _, flaw := range f.Flaws {
		if !slices.Contains(Flaws, flaw) {
			return fmt.Errorf("fault %s: there is no flaw %q", f.Name, flaw)
		}
	}
	if !slices.Contains([]string{"", "before", "middle", "after"}, f.Cut) {
		return fmt.Errorf("fault %s: cut is before, middle or after, not %q", f.Name, f.Cut)
	}
	if f.Name == "status" && f.Cut == "" && http.StatusText(f.Status) == "" && f.Status != 420 {
		return fmt.Errorf("fault status: %d is no HTTP status", f.Status)
	}
	a := &armed{Fault: f, method: "*", path: regexp.MustCompile("^/services/")}
	if f.Match != "" {
		m := matchForm.FindStringSubmatch(f.Match)
		if m == nil {
			return fmt.Errorf("fault %s: match is \"METHOD path-regexp\", not %q", f.Name, f.Match)
		}
		path, err := regexp.Compile(m[2])
		if err != nil {
			return fmt.Errorf("fault %s: match: %w", f.Name, err)
		}
		a.method, a.path = m[1], path
	}
	if f.Name == "bulk" { // a new one takes the place of the old
		c.faults = slices.DeleteFunc(c.faults, func(old *armed) bool { return old.Name == "bulk" && old.Match == f.Match })
	}
	c.faults = append(c.faults, a)
	return nil
}

// fire gives the first waiting fault of one of these names that hits, and counts it.
func (c *control) fire(hits func(*armed) bool, names ...string) *armed {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, a := range c.faults {
		if !slices.Contains(names, a.Name) || !hits(a) {
			continue
		}
		if a.Skip > 0 {
			a.Skip--
			continue
		}
		if a.Times > 0 {
			if a.Times--; a.Times == 0 {
				c.faults = slices.Delete(c.faults, i, i+1)
			}
		}
		return a
	}
	return nil
}

// onRequest gives the fault of one of these names that hits the request, or nil.
func (c *control) onRequest(r *http.Request, names ...string) *armed {
	return c.fire(func(a *armed) bool {
		return (a.method == "*" || a.method == r.Method) && a.path.MatchString(r.URL.Path)
	}, names...)
}

// lockedRow is the fault lock: somebody else holds the row's account.
func (c *control) lockedRow(r *record) *Error {
	account := r.id()
	if r.obj.name != "Account" {
		account = r.text("AccountId")
	}
	a := c.fire(func(a *armed) bool {
		id, _ := normalID(a.ID)
		return a.ID == "" || id == account
	}, "lock")
	if a == nil {
		return nil
	}
	return refuse("UNABLE_TO_LOCK_ROW", nil, "unable to obtain exclusive access to this record or 1 records: %s", account)
}

// triggered is the fault trigger: code of the org that runs for a chunk of
// written rows, and fails.
func (c *control) triggered(changes []change) *Error {
	a := c.fire(func(a *armed) bool {
		id, _ := normalID(a.ID)
		return slices.ContainsFunc(changes, func(ch change) bool { return a.ID == "" || ch.row.id() == id })
	}, "trigger")
	if a == nil {
		return nil
	}
	message := a.Message
	if message == "" {
		message = "ScoreTrigger: execution of AfterUpdate\n\ncaused by: System.NullPointerException: Attempt to de-reference a null object"
	}
	return refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", nil, "%s", message)
}

// invalid is the fault validation: a rule of the org's admin.
func (c *control) invalid(o *object, f *Field, v any) *Error {
	a := c.fire(func(a *armed) bool {
		n, isNumber := v.(float64)
		return lower(a.Object) == lower(o.name) && lower(a.Field) == lower(f.Name) && v != nil && (!isNumber || n > a.Bound)
	}, "validation")
	if a == nil {
		return nil
	}
	return refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", []string{f.Name}, "%s", a.Message)
}

// edit is the fault edit: somebody else works in the org.
func (s *Server) edit(f Fault) error {
	switch f.Change {
	case "insert":
		_, err := s.Insert(f.Object, f.Values)
		return err
	case "update":
		return s.Update(f.Object, f.ID, f.Values)
	case "delete":
		return s.Delete(f.Object, f.ID)
	case "undelete":
		return s.Undelete(f.Object, f.ID)
	case "hard_delete":
		return s.HardDelete(f.Object, f.ID)
	case "merge":
		return s.Merge(f.Object, f.ID, f.Losers...)
	case "convert":
		_, err := s.Convert(f.ID, Conversion{})
		return err
	case "archive":
		_, err := s.Archive()
		return err
	case "purge":
		return s.PurgeDeleteLog()
	}
	return fmt.Errorf("fault edit: no change is named %q", f.Change)
}
