// Package signon says who looks at the dashboard, and what they may see and do.
package signon

import (
	"fmt"
	"net"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Role is what a reader may do. A higher one may all that a lower one may.
type Role uint8

// The roles. Nobody is who has not signed on.
const (
	Nobody  Role = iota
	Viewer       // looks at customers and what is known of them
	Manager      // looks also at sales people, and at how energyd works
	Admin        // acts: sends, takes back, decides about rejects
)

var roles = [...]string{Nobody: "nobody", Viewer: "viewer", Manager: "manager", Admin: "admin"}

// String is the role as the configuration has it.
func (r Role) String() string { return roles[r] }

// MarshalText gives the role as the configuration has it.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads viewer, manager, admin or nobody.
func (r *Role) UnmarshalText(text []byte) error {
	for i, name := range roles {
		if name == string(text) {
			*r = Role(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no role: viewer, manager or admin", text)
}

// Reader is who looks.
type Reader struct {
	Name string // as in the journal; "" for one on this machine who need not sign on, and who may not act
	Role Role
	Rep  string // id of the sales person in the CRM that this is; "" = none
	// OwnOnly says that only customers whose owner is Rep are shown.
	OwnOnly bool
}

// MaySee tells whether what belongs to a sales person is shown.
func (r Reader) MaySee(owner string) bool { return !r.OwnOnly || r.Rep != "" && r.Rep == owner }

// MayAct tells whether this reader may do what needs a role. What is done stands
// in the journal under a name, so nobody acts without one.
func (r Reader) MayAct(needed Role) bool { return r.Name != "" && r.Role >= needed }

// reader is a user as who looks.
func (s *Settings) reader(u User) Reader {
	return Reader{Name: u.Name, Role: u.Role, Rep: u.Rep, OwnOnly: s.OwnCustomers && u.Role == Viewer}
}

// user finds who signs on under a name.
func (s *Settings) user(name string) (User, bool) {
	for _, u := range s.Users {
		if folded(u.Name) == folded(name) {
			return u, true
		}
	}
	return User{}, false
}

// folded is a name as names are compared: ＳＡＴＯ, Sato and sato are one.
func folded(name string) string { return strings.ToLower(norm.NFKC.String(strings.TrimSpace(name))) }

// loopback tells hosts that are this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
