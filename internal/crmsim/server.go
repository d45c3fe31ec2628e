package crmsim

import (
	"crypto/rsa"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Server. The zero value is a usable, empty org.
type Options struct {
	ClientID     string             // of the app that may sign on; default "CID"
	ClientSecret string             // default "SEC"
	RefreshToken string             // one that the app was given, default "RT"
	Certificate  string             // of the app, for JWT sign-on: a certificate or public key, PEM; "" = that of Server.PrivateKey
	User         string             // name of the integration user, as whom the app runs; default "integration@crm.example"
	Password     string             // of that user, with the security token; default "PW"
	TokenLife    time.Duration      // default two hours
	DailyCalls   int                // default 15000
	Now          func() time.Time   // default time.Now; the fault "clock" moves it
	Fields       map[string][]Field // custom fields by object name
	File         string             // where the rows are kept, by one Server at a time; "" keeps them in memory only
	Control      bool               // serve /__sim/: faults, request log, true rows
	// NoSharedActivities turns off the feature by which a task relates to several people: the org has no
	// TaskRelation then, and EventRelation holds invitees only.
	NoSharedActivities bool
}

// Server is one simulated org. It is an http.Handler, and all its methods may
// be called from several goroutines.
type Server struct {
	opt        Options
	registered *rsa.PublicKey // of Options.Certificate, nil without one

	orgID string
	admin string // id of the user who acts for the Go API
	runAs string // id of the integration user, who acts for HTTP requests

	routes []route // of the API; not the variable itself, since some routes lead to others

	alone       sync.RWMutex // taken before mu: whole by a request that may be taken back, shared by all others
	tx          *transaction // of that request; guarded by mu
	mu          sync.RWMutex // guards the data: everything below up to control
	objects     map[string]*object
	order       []*object // as describe lists them
	byPrefix    map[string]*object
	nameObject  *object
	tooling     map[string]*object // of the Tooling API
	rights      map[string]bool    // of the integration user, by userRights
	deployments map[string]*deployment
	granting    map[*Field]lateGrant  // grants that the org's caches do not show yet
	journal     *os.File              // nil without Options.File
	chunkStamp  int64                 // while a chunk of rows is written; 0 otherwise
	late        []*lateWrite          // by the time they are due
	bins        map[*record][]*record // what went into the bin with a row

	bulk        bulk         // has its own lock
	grantDelay  atomic.Int64 // nanoseconds from a grant until describe shows it
	offset      atomic.Int64 // of the clock, nanoseconds
	stopped     atomic.Int64 // where the clock stands still, Unix nanoseconds; 0 = it goes
	commitDelay atomic.Int64 // of writes from now on, nanoseconds
	nextLate    atomic.Int64 // when the first of late is due, Unix nanoseconds; 0 = none is open
	control     control      // has its own lock, taken after mu when both are
}

// New makes an org with its two users, the standard objects and
// Options.Fields. With Options.File it holds what that file holds.
func New(opt Options) (*Server, error) {
	for _, d := range []struct {
		to    *string
		value string
	}{
		{&opt.ClientID, "CID"}, {&opt.ClientSecret, "SEC"}, {&opt.RefreshToken, "RT"},
		{&opt.User, "integration@crm.example"}, {&opt.Password, "PW"},
	} {
		if *d.to == "" {
			*d.to = d.value
		}
	}
	if opt.TokenLife == 0 {
		opt.TokenLife = 2 * time.Hour
	}
	if opt.DailyCalls == 0 {
		opt.DailyCalls = 15000
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Server{routes: routes, opt: opt, orgID: newID("00D", 1), admin: newID("005", 1), runAs: newID("005", 2)}
	if opt.Certificate != "" {
		var err error
		if s.registered, err = parseCertificate(opt.Certificate); err != nil {
			return nil, err
		}
	}
	if err := s.empty(); err != nil {
		return nil, err
	}
	if opt.File == "" {
		return s, nil
	}
	if err := s.open(opt.File); err != nil {
		return nil, err
	}
	return s, s.grantOptions()
}

// empty makes the org new again: no rows but the two users, no faults, same ids as ever.
func (s *Server) empty() error {
	s.objects, s.byPrefix = map[string]*object{}, map[string]*object{}
	s.order, s.nameObject = standardObjects(!s.opt.NoSharedActivities), nameObject()
	s.tooling = toolingObjects()
	for _, o := range s.tooling {
		o.find = s.find
	}
	for _, o := range s.order {
		s.objects[lower(o.name)], o.find = o, s.find
		if o.view == nil {
			s.byPrefix[o.prefix] = o
		}
	}
	s.late, s.bins = nil, map[*record][]*record{}
	s.offset.Store(0)
	s.stopped.Store(0)
	s.commitDelay.Store(0)
	s.nextLate.Store(0)
	s.control.reset(&s.opt)
	s.bulk.reset()
	s.rights, s.granting = map[string]bool{}, map[*Field]lateGrant{}
	s.grantDelay.Store(0)
	s.deployments = map[string]*deployment{}
	for name, fields := range inOrder(s.opt.Fields) {
		for _, f := range fields {
			if err := s.addField(name, f); err != nil {
				return err
			}
		}
	}
	profile, err := s.foundPermissions()
	if err != nil {
		return err
	}
	for _, u := range []map[string]any{
		{"Username": "admin@crm.example", "LastName": "Administrator", "FirstName": "System", "Email": "admin@crm.example"},
		{"Username": s.opt.User, "LastName": "User", "FirstName": "Integration", "Email": "integration@crm.example"},
	} {
		u["IsActive"], u["UserType"], u["Alias"], u["TimeZoneSidKey"] = true, "Standard", "sim", "Asia/Tokyo"
		u["ProfileId"] = profile
		if _, err := s.insert(s.objects["user"], u, s.adminRights()); err != nil {
			return fmt.Errorf("the org's users: %w", err)
		}
	}
	for _, o := range s.order {
		if o.writes != "" {
			o.changes = s.govern
		}
	}
	s.govern()
	return s.grantOptions()
}

// inOrder ranges over a map by its keys in order, so that all orgs come about alike.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

// now is the org's clock, UTC.
func (s *Server) now() time.Time {
	if stopped := s.stopped.Load(); stopped != 0 {
		return time.Unix(0, stopped).UTC()
	}
	return s.opt.Now().Add(time.Duration(s.offset.Load())).UTC()
}

// Close writes Options.File once more, in its shortest form. The server must get no more calls.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	if err := s.compact(); err != nil {
		return err
	}
	return s.journal.Close()
}

var _ http.Handler = (*Server)(nil)
