package engine

import (
	"fmt"
	"time"
)

// Date is a business date: days since 1970-01-01 in the tenant's calendar. It has no zone.
type Date int32

// NoDate is the absent date.
const NoDate Date = -1 << 31

// DateOf gives the Date of a civil day.
func DateOf(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Time gives the date's midnight in UTC, for calendar arithmetic.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String gives "2006-01-02", or "" for NoDate.
func (d Date) String() string {
	if d == NoDate {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// ParseDate reads "2006-01-02".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return NoDate, fmt.Errorf("%q is not a date of the form YYYY-MM-DD", s)
	}
	return Date(t.Unix() / 86400), nil
}

// Direction tells whose act a contact was.
type Direction uint8

// The directions: the customer's act, ours, or both (a meeting).
const (
	Mutual Direction = iota
	Inbound
	Outbound
	NumDirections = 3
)

// Status of an activity. Only Held activities earn energy.
type Status uint8

// The statuses.
const (
	Held Status = iota
	Planned
	Cancelled
)

// Role of a participant. It scales that participant's points.
type Role uint8

// The roles.
const (
	Attended Role = iota
	Sender
	To
	Cc
	Declined
)

// Activity is one normalised contact with a customer. (Source, ID) is its
// identity: of several versions the one of the highest Revision stands, and of
// those the one with the highest Version, also when it says Deleted. So a
// complete reading, and with it a mended mapping, replaces what was made
// before. The order in which activities arrive is irrelevant.
type Activity struct {
	Source  string // source name in energyd.yaml
	ID      string // the source record's key
	Version int64  // any number that grows with each change; change time in Unix microseconds by default

	At        time.Time // when it happened, UTC; zero when only the date is known
	Date      Date      // given when At is zero; else derived in the tenant zone when scoring
	Kind      string    // "visit", "phone" …: a kind of the points table
	Status    Status
	Account   string // the CRM's account id
	Deals     []Share
	Reps      []Share
	People    []Participant
	Cues      []string // "question" …: cues of the points table
	Product   string   // what it was about, and what sort of customer: tables of the points table go by them; "" = not told
	Segment   string
	Link      *Link  // of a message its place in a conversation; nil for everything else. Not to be written to
	Same      *Same  // what other sources' records may name too; nil = nothing. Not to be written to
	Mapping   string // "mappings/daily_report.yaml:14", for explain
	Revision  uint32 // of the complete reading of its source that it came by, or after; 0 = not told
	Deleted   bool
	Direction Direction
}

// Share is a part of an activity that falls to a deal or rep. Weight 0 in all shares means equal parts.
type Share struct {
	ID     string
	Weight float64
}

// Participant is a person on the customer's side.
type Participant struct {
	Contact string // the CRM's contact id; "" when the person is not known there
	Title   string // as the source wrote it at the time
	Rank    string // of the points table; "" = unknown
	Keyman  bool
	Role    Role
}

// EntityKind says what a score is of.
type EntityKind uint8

// The entity kinds.
const (
	Account EntityKind = iota
	Contact
	Deal
	Rep
	CompanyGroup // an account with all that stands under it, by the account's id
)

// Stage is a deal's reaching of a stage: an entry of the directory that has no score.
const Stage EntityKind = 10

// Entity is one account, contact, deal, rep or group, by its CRM id.
type Entity struct {
	Kind EntityKind
	ID   string
}

// Class is a rank class.
type Class uint8

// The rank classes. A participant without a known rank is in ClassUnknown.
const (
	ClassUnknown Class = iota
	ClassStaff
	ClassManager
	ClassExecutive
	NumClasses = 4
)

// Group is a group of kinds that cool and are limited together: an index into Points.Groups.
type Group uint8

// Cell is a sum of milli-points, and of contacts, on one business date in one
// rank class, group and direction. An entity's cells, sorted by (Date, Class,
// Group, Direction) and without zeros, are all that its score depends on, and
// they add up: cells of two sets of activities are the sums of each set's cells.
// Milli is never negative in the sum: what a negative group takes away stands there as a positive number.
type Cell struct {
	Date      Date
	Class     Class
	Group     Group
	Direction Direction
	Count     int32 // contacts; each is counted once per entity, in the class of the participant who earned most
	Milli     int64
}

// Minus gives the cell that takes c away when both are added up.
func (c Cell) Minus() Cell {
	c.Milli, c.Count = -c.Milli, -c.Count
	return c
}

// Contribution is what one activity gives to one entity.
type Contribution struct {
	Entity Entity
	Cell
}
