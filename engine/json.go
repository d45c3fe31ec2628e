package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"energyd/internal/fault"
)

var (
	statusNames = []string{Held: "held", Planned: "planned", Cancelled: "cancelled"}
	roleNames   = []string{Attended: "attended", Sender: "sender", To: "to", Cc: "cc", Declined: "declined"}
	entityNames = []string{Account: "account", Contact: "contact", Deal: "deal", Rep: "rep", CompanyGroup: "group", Stage: "stage"}
)

// String gives "in", "out" or "mutual".
func (d Direction) String() string { return nameAt(directionNames, int(d)) }

// String gives "held", "planned" or "cancelled".
func (s Status) String() string { return nameAt(statusNames, int(s)) }

// String gives "attended", "sender", "to", "cc" or "declined".
func (r Role) String() string { return nameAt(roleNames, int(r)) }

// String gives "account", "contact", "deal", "rep", "group" or "stage".
func (k EntityKind) String() string { return nameAt(entityNames, int(k)) }

func nameAt(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return strconv.Itoa(i)
}

// activityLine is the JSON form of an Activity, one line. Absent direction is mutual, absent status held, absent role attended.
type activityLine struct {
	ID           string            `json:"id"`
	Source       string            `json:"source"`
	Version      int64             `json:"source_version"`
	OccurredAt   string            `json:"occurred_at"` // RFC 3339
	Date         string            `json:"date"`
	Kind         string            `json:"kind"`
	Direction    string            `json:"direction"`
	Account      string            `json:"account_id"`
	Status       string            `json:"status"`
	Deals        []shareLine       `json:"deals"`
	Reps         []shareLine       `json:"reps"`
	Participants []participantLine `json:"participants"`
	Cues         []string          `json:"cues"`
	Product      string            `json:"product"`
	Segment      string            `json:"segment"`
	Message      string            `json:"message"`
	Thread       string            `json:"thread"`
	Answers      string            `json:"answers"`
	Same         *sameLine         `json:"same"`
	Deleted      bool              `json:"deleted"`
	Mapping      string            `json:"mapping"`
	Revision     uint32            `json:"mapping_revision"`
}

type shareLine struct {
	ID    string  `json:"id"`
	Share float64 `json:"share"`
}

type sameLine struct {
	Call   string `json:"call"`
	Event  string `json:"event"`
	Start  string `json:"start"`
	Record string `json:"record"`
}

type participantLine struct {
	Contact string `json:"contact_id"`
	Title   string `json:"title"`
	Rank    string `json:"rank"`
	Keyman  bool   `json:"keyman"`
	Role    string `json:"role"`
}

// lineKeys are all keys of an activity line, for suggestions.
var lineKeys = []string{"id", "source", "source_version", "occurred_at", "date", "kind", "direction", "account_id", "status",
	"deals", "reps", "participants", "cues", "product", "segment", "message", "thread", "answers", "same", "call", "event", "start", "record", "deleted", "mapping", "mapping_revision", "share", "contact_id", "title", "rank", "keyman", "role"}

// ParseActivity reads one activity line. It fills neither rank from title nor
// anything else that is absent. The error is one sentence for the person who
// made the line; the caller adds file and line number.
func ParseActivity(line []byte) (Activity, error) {
	if !utf8.Valid(line) {
		return Activity{}, errors.New("the line is not UTF-8 text")
	}
	var l activityLine
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return Activity{}, lineError(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Activity{}, errors.New("there is something after the activity; write one JSON object per line")
	}
	return l.activity()
}

// lineError says in our words what encoding/json found.
func lineError(err error) error {
	const unknown = `json: unknown field "`
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case strings.HasPrefix(err.Error(), unknown):
		key := strings.TrimSuffix(strings.TrimPrefix(err.Error(), unknown), `"`)
		return fmt.Errorf("unknown key %q%s", key, fault.DidYouMean(key, lineKeys))
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Errorf("an activity is a JSON object, this is a JSON %s", wrong.Value)
	case errors.As(err, &wrong):
		return fmt.Errorf("key %q holds a %s where %s is expected", wrong.Field, wrong.Value, jsonWord(wrong.Type.Kind().String()))
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d: %w", syntax.Offset, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("not JSON: the line ends too early")
	}
	return fmt.Errorf("not JSON: %w", err)
}

// jsonWord says what a Go kind is called in JSON.
func jsonWord(kind string) string {
	switch kind {
	case "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "slice":
		return "a list"
	case "struct":
		return "an object"
	}
	return "a text"
}

func (l *activityLine) activity() (Activity, error) {
	a := Activity{
		Source: l.Source, ID: l.ID, Version: l.Version, Date: NoDate, Kind: l.Kind, Account: l.Account,
		Cues: l.Cues, Product: l.Product, Segment: l.Segment, Mapping: l.Mapping, Revision: l.Revision, Deleted: l.Deleted,
	}
	if link := (Link{l.Message, l.Thread, l.Answers}); link != (Link{}) {
		a.Link = &link
	}
	if l.ID == "" {
		return a, errors.New(`no "id"`)
	}
	if err := l.same(&a); err != nil {
		return a, err
	}
	if l.Kind == "" && !l.Deleted {
		return a, errors.New(`no "kind"`)
	}
	if err := l.when(&a); err != nil {
		return a, err
	}
	var err error
	if a.Direction, err = parseName[Direction]("direction", l.Direction, directionNames); err != nil {
		return a, err
	}
	if a.Status, err = parseName[Status]("status", l.Status, statusNames); err != nil {
		return a, err
	}
	if a.Deals, err = shares("deals", l.Deals); err != nil {
		return a, err
	}
	if a.Reps, err = shares("reps", l.Reps); err != nil {
		return a, err
	}
	for _, w := range l.Participants {
		role, err := parseName[Role]("role", w.Role, roleNames)
		if err != nil {
			return a, err
		}
		a.People = append(a.People, Participant{Contact: w.Contact, Title: w.Title, Rank: w.Rank, Keyman: w.Keyman, Role: role})
	}
	return a, nil
}

// when sets the time or the date; a deleted activity may have neither.
func (l *activityLine) when(a *Activity) (err error) {
	switch {
	case l.OccurredAt != "" && l.Date != "":
		return errors.New(`both "occurred_at" and "date"; "date" is for activities whose time is not known`)
	case l.OccurredAt != "":
		at, err := time.Parse(time.RFC3339Nano, l.OccurredAt)
		if err != nil {
			return fmt.Errorf("occurred_at: %q is not a time with its zone, as 2026-09-30T14:30:00+09:00", l.OccurredAt)
		}
		if a.At = at.UTC(); a.At.IsZero() || a.At.Year() < 1 || a.At.Year() > 9999 {
			return fmt.Errorf("occurred_at: %q is outside of the years 1 to 9999", l.OccurredAt)
		}
		a.Date = 0
	case l.Date != "":
		if a.Date, err = ParseDate(l.Date); err != nil {
			return fmt.Errorf("date: %w", err)
		}
	case !l.Deleted:
		return errors.New(`no "occurred_at" and no "date"`)
	}
	return nil
}

func parseName[T ~uint8](key, word string, names []string) (T, error) {
	if word == "" {
		return 0, nil
	}
	i := slices.Index(names, word)
	if i < 0 {
		return 0, fmt.Errorf("%s: %q is none of %q%s", key, word, names, fault.DidYouMean(word, names))
	}
	return T(i), nil
}

func shares(key string, lines []shareLine) ([]Share, error) {
	var list []Share
	for _, s := range lines {
		if s.ID == "" {
			return nil, fmt.Errorf(`%s: an entry has no "id"`, key)
		}
		if s.Share < 0 {
			return nil, fmt.Errorf("%s: share %v of %q is below 0", key, s.Share, s.ID)
		}
		list = append(list, Share{s.ID, s.Share})
	}
	return list, nil
}

func (l *activityLine) same(a *Activity) error {
	if l.Same == nil || *l.Same == (sameLine{}) {
		return nil
	}
	same := Same(*l.Same)
	a.Same = &same
	if same.Start == "" {
		return nil
	}
	if same.Event == "" {
		return errors.New(`"same" has a "start" without an "event"`)
	}
	if t, err := time.Parse(time.RFC3339, same.Start); err == nil {
		same.Start = StartOf(t)
	} else if _, err := ParseDate(same.Start); err != nil {
		return fmt.Errorf("start %q is neither an instant as 2006-01-02T15:04:05+09:00 nor a date as 2006-01-02", same.Start)
	}
	return nil
}

// AppendActivity appends the JSON line of an activity, without line end.
// ParseActivity gives the same activity back.
func AppendActivity(dst []byte, a Activity) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendText(dst, a.ID)
	dst = appendField(dst, "source", a.Source)
	if a.Version != 0 {
		dst = strconv.AppendInt(append(dst, `,"source_version":`...), a.Version, 10)
	}
	if !a.At.IsZero() {
		dst = append(a.At.UTC().AppendFormat(append(dst, `,"occurred_at":"`...), time.RFC3339Nano), '"')
	} else {
		dst = appendField(dst, "date", a.Date.String())
	}
	dst = appendField(dst, "kind", a.Kind)
	if a.Direction != Mutual {
		dst = appendField(dst, "direction", a.Direction.String())
	}
	dst = appendField(dst, "account_id", a.Account)
	if a.Status != Held {
		dst = appendField(dst, "status", a.Status.String())
	}
	dst = appendShares(dst, "deals", a.Deals)
	dst = appendShares(dst, "reps", a.Reps)
	dst = appendPeople(dst, a.People)
	for i, name := range a.Cues {
		dst = append(dst, sep(i, `,"cues":[`)...)
		dst = appendText(dst, name)
		if i == len(a.Cues)-1 {
			dst = append(dst, ']')
		}
	}
	dst = appendField(dst, "product", a.Product)
	dst = appendField(dst, "segment", a.Segment)
	if a.Link != nil {
		dst = appendField(dst, "message", a.Link.Message)
		dst = appendField(dst, "thread", a.Link.Thread)
		dst = appendField(dst, "answers", a.Link.Answers)
	}
	dst = appendSame(dst, a.Same)
	if a.Deleted {
		dst = append(dst, `,"deleted":true`...)
	}
	dst = appendField(dst, "mapping", a.Mapping)
	if a.Revision != 0 {
		dst = strconv.AppendUint(append(dst, `,"mapping_revision":`...), uint64(a.Revision), 10)
	}
	return append(dst, '}')
}

func appendSame(dst []byte, s *Same) []byte {
	if s == nil {
		return dst
	}
	dst = append(dst, `,"same":{`...)
	start := len(dst)
	dst = appendField(dst, "call", s.Call)
	dst = appendField(dst, "event", s.Event)
	dst = appendField(dst, "start", s.Start)
	dst = appendField(dst, "record", s.Record)
	return append(slices.Delete(dst, start, min(start+1, len(dst))), '}') // without the first comma
}

func appendPeople(dst []byte, people []Participant) []byte {
	if len(people) == 0 {
		return dst
	}
	for i, who := range people {
		dst = append(append(dst, sep(i, `,"participants":[`)...), `{"contact_id":`...)
		dst = appendText(dst, who.Contact)
		dst = appendField(dst, "title", who.Title)
		dst = appendField(dst, "rank", who.Rank)
		if who.Keyman {
			dst = append(dst, `,"keyman":true`...)
		}
		if who.Role != Attended {
			dst = appendField(dst, "role", who.Role.String())
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendShares(dst []byte, key string, shares []Share) []byte {
	if len(shares) == 0 {
		return dst
	}
	for i, s := range shares {
		dst = append(append(dst, sep(i, `,"`+key+`":[`)...), `{"id":`...)
		dst = appendText(dst, s.ID)
		if w := s.usable(); w != 0 {
			dst = append(dst, `,"share":`...)
			dst = strconv.AppendFloat(dst, w, 'g', -1, 64)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// sep gives what stands before element i of a list.
func sep(i int, opening string) string {
	if i == 0 {
		return opening
	}
	return ","
}

// appendField appends a text field unless it is empty.
func appendField(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), key...), `":`...)
	return appendText(dst, value)
}

// appendText appends a JSON text, with < > & as they are.
func appendText(dst []byte, s string) []byte {
	if strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' || r == '"' || r == '\\' || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	}) < 0 {
		return append(append(append(dst, '"'), s...), '"')
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(s) != nil { // a string always encodes
		return append(dst, `""`...)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
