package mapping

import (
	"fmt"
	"slices"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/expression"
	"energyd/internal/fault"
)

func (m *Mapping) applyActivity(w *run, r connectors.Record) (Result, error) {
	id, version, err := identity(w, r, m.activity.id, m.activity.version)
	if err != nil {
		return Result{}, err
	}
	if r.Deleted {
		a := m.activityOf(w, id, version)
		a.Deleted = true
		return Result{Activity: a}, nil
	}
	return m.contact(w, id, version)
}

func (m *Mapping) activityOf(w *run, id string, version int64) *engine.Activity {
	a := w.activities.next()
	a.Source, a.ID, a.Version, a.Mapping, a.Date = m.env.Source, id, version, m.activity.origin, engine.NoDate
	return a
}

// contact makes an activity of the record, or of the element of its list at hand.
func (m *Mapping) contact(w *run, id string, version int64) (Result, error) {
	rule := m.activity
	a := m.activityOf(w, id, version)
	result := Result{Activity: a}
	var err error
	if a.Kind, err = rule.kind.text(w); err != nil {
		return Result{}, err
	}
	if a.Kind == "" {
		return Result{}, &RejectError{Code: "kind", Reason: "activity.kind gives nothing for this record; add a lookup line or a skip rule for such records to the mapping" + readAgain, Columns: rule.kind.columns()}
	}
	if m.kinds != nil && !m.kinds[a.Kind] {
		return Result{}, m.unknownKind(a.Kind)
	}
	if err := m.when(w, rule.at, a); err != nil {
		return Result{}, err
	}
	if err := choose(w, rule.direction, directions, &a.Direction); err != nil {
		return Result{}, err
	}
	if err := choose(w, rule.status, statuses, &a.Status); err != nil {
		return Result{}, err
	}
	w.asked = nil
	if a.Account, err = w.id(rule.account); err != nil {
		return Result{}, err
	}
	asked := w.asked
	if w.asked, w.account = nil, a.Account; a.Account == "" {
		if len(asked) > 0 {
			return Result{Asked: asked}, &RejectError{Code: "match", Reason: undecided(asked[len(asked)-1], w.proposed), Waits: true, Columns: rule.account.columns()}
		}
		reason := "the record names no account; skip such records by a rule if they are no contacts"
		if k := w.unfound; k != (key{}) {
			reason = fmt.Sprintf("no %s with %s %q is known; correct the record at its source, or enter the customer in the CRM; "+
				"the record is tried again when the CRM's customers change", k.entity, k.name, short(k.value))
		}
		return Result{}, &RejectError{Code: "account", Reason: reason, Waits: w.unfound != (key{}), Columns: rule.account.columns()}
	}
	if a.Deals, err = shares(w, rule.deals); err != nil {
		return Result{}, err
	}
	if a.Reps, err = shares(w, rule.reps); err != nil {
		return Result{}, err
	}
	for i := range rule.participants {
		p := &rule.participants[i]
		if err := p.each.walk(w, func() error { return m.participant(w, p, &result) }); err != nil {
			return Result{}, err
		}
	}
	for _, c := range rule.cues {
		hit, err := c.when.truth(w)
		if err != nil {
			return Result{}, err
		}
		if hit {
			a.Cues = append(a.Cues, c.name)
		}
	}
	if a.Link, err = rule.link(w); err != nil {
		return Result{}, err
	}
	if a.Product, err = rule.product.text(w); err != nil {
		return Result{}, err
	}
	if a.Segment, err = rule.segment.text(w); err != nil {
		return Result{}, err
	}
	if a.Same, err = m.same(w, rule.same); err != nil {
		return Result{}, err
	}
	result.Unfound, result.Asked = w.unfound.String(), w.asked
	a.Mapping = w.origin(rule.origin)
	return result, nil
}

// link gives a message's place in its conversation; nil when the record is no message.
func (rule *activityRule) link(w *run) (*engine.Link, error) {
	var l engine.Link
	for _, t := range [...]struct {
		to *string
		f  *field
	}{{&l.Message, rule.message}, {&l.Thread, rule.thread}, {&l.Answers, rule.answers}} {
		var err error
		if *t.to, err = t.f.text(w); err != nil {
			return nil, err
		}
	}
	if l == (engine.Link{}) {
		return nil, nil
	}
	return &l, nil
}

// readAgain ends a hint to change the configuration: a changed mapping reads its source again.
const readAgain = "; the next pull reads the source again"

func (m *Mapping) unknownKind(kind string) error {
	nearest := ""
	if n := fault.Nearest(kind, m.env.Kinds); n != "" {
		nearest = fmt.Sprintf("; the nearest it has is %q", n)
	}
	return &RejectError{Code: "kind", Reason: fmt.Sprintf("%s: the points table has no kind %q%s; add it there, or map the word to a kind that is there%s",
		m.activity.kind.path, short(kind), nearest, readAgain), Columns: m.activity.kind.columns()}
}

// identity gives a record's id and version by the rule, else by the record itself.
func identity(w *run, r connectors.Record, idRule, versionRule *field) (id string, version int64, err error) {
	id = r.Key
	if idRule != nil {
		if id, err = idRule.text(w); err != nil {
			return "", 0, err
		}
	}
	if id == "" {
		return "", 0, &RejectError{Code: "no_key", Reason: "the record has no key, so it could not be recognised when it comes again; let id in the mapping name columns that are never empty"}
	}
	if !r.ChangedAt.IsZero() {
		version = r.ChangedAt.UnixMicro()
	}
	if versionRule == nil {
		return id, version, nil
	}
	own, err := versionRule.version(w)
	if r.Deleted { // the deletion is newer than what the record said of itself
		return id, max(own, version), nil
	}
	return id, own, err
}

// moment gives a time or an expression.Day, or neither where the record tells none.
func (m *Mapping) moment(w *run, f *field) (any, error) {
	v, err := f.eval(w)
	if s, ok := v.(string); ok && err == nil {
		if v, err = datetime(m.zone, []any{s}); err != nil {
			return nil, f.reject(err)
		}
	}
	return v, err
}

func (m *Mapping) when(w *run, f *field, a *engine.Activity) error {
	v, err := m.moment(w, f)
	if err != nil {
		return err
	}
	var day engine.Date // in the mapping's zone
	switch v := v.(type) {
	case time.Time:
		a.At, day = v.UTC(), engine.Date(dayOf(v, m.zone))
	case expression.Day:
		a.Date, day = engine.Date(v), engine.Date(v)
	default:
		return &RejectError{Code: "date", Reason: f.path + " gives no date for this record", Columns: f.columns()}
	}
	if err := checkYear(day.Time().Year()); err != nil {
		return &RejectError{Code: "date", Reason: fmt.Sprintf("%s: %s %s", f.path, day, err), Columns: f.columns()}
	}
	year, month, dayOfMonth := day.Time().Date()
	w.next = time.Date(year, month, dayOfMonth+1, 0, 0, 0, 0, m.zone)
	return nil
}

// participant adds the person a rule gives, if there is one.
func (m *Mapping) participant(w *run, rule *participantRule, result *Result) error {
	var p engine.Participant
	var err error
	if rule.when != nil { // first: whom the rule leaves out is not looked for
		if there, err := rule.when.truth(w); err != nil || !there {
			return err
		}
	}
	if p.Contact, err = w.id(rule.contact); err != nil {
		return err
	}
	if p.Title, err = rule.title.text(w); err != nil {
		return err
	}
	if rule.when == nil && p.Contact == "" && p.Title == "" {
		return nil
	}
	if p.Keyman, err = rule.keyman.truth(w); err != nil {
		return err
	}
	if err := choose(w, rule.role, roles, &p.Role); err != nil {
		return err
	}
	unknown := ""
	if p.Rank, unknown = m.rank(p.Title); unknown != "" {
		result.UnknownTitle = unknown
	}
	result.Activity.People = w.people.add(result.Activity.People, p)
	return nil
}

// rank gives the rank of a title, and the title again when it is not understood.
func (m *Mapping) rank(title string) (rank, unknown string) {
	if title == "" || m.env.Titles == nil {
		return "", ""
	}
	rank, ok := m.env.Titles.Rank(title)
	if !ok {
		return "", title
	}
	return rank, ""
}

// shares gives the ids of a list of rules, each once and without those that are not known.
func shares(w *run, rules []shareRule) ([]engine.Share, error) {
	var out []engine.Share
	for i := range rules {
		r := &rules[i]
		err := r.each.walk(w, func() error {
			if r.when != nil {
				if there, err := r.when.truth(w); err != nil || !there {
					return err
				}
			}
			id, err := w.id(r.id)
			if id != "" && !slices.ContainsFunc(out, func(s engine.Share) bool { return s.ID == id }) {
				out = w.shares.add(out, engine.Share{ID: id})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
