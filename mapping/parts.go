package mapping

import (
	"errors"
	"fmt"

	"energyd/connectors"
	"energyd/engine"
)

// Parts are the activities of one record, of a mapping whose activity has each.
type Parts struct {
	Version    int64 // of the record, as of each Activity
	Activities []engine.Activity
	// Standing are the ids of contacts that could not be used this time: what is
	// stored of them stays. AllStand says that of some not even the id is known.
	Standing []string
	AllStand bool
}

// mostParts bounds what one record can become.
const mostParts = 1000

// NoContacts is the reason of a skip: the record's list is empty, or the rule takes none of its elements.
const NoContacts = "no contacts"

// applyParts makes an activity of each element of the record's list. Those that
// cannot be used make one RejectError, beside which the others stand.
func (m *Mapping) applyParts(w *run, r connectors.Record) (Result, error) {
	rule := m.activity
	whole := rule.id
	if rule.ownID {
		whole = nil
	}
	id, version, err := identity(w, r, whole, rule.version)
	if err != nil {
		return Result{}, err
	}
	parts := &Parts{Version: version}
	result := Result{Parts: parts}
	if r.Deleted {
		return result, nil
	}
	elements, err := rule.each.elements(w)
	if err == nil && len(elements) > mostParts {
		err = &RejectError{Code: "value", Reason: fmt.Sprintf("%s: the record has %d contacts, and at most %d can be told of one", rule.each.path, len(elements), mostParts)}
	}
	if err != nil {
		return Result{}, err
	}
	var rejected *RejectError
	ids, failed, taken := map[string]bool{}, 0, 0
	defer func() { w.Item = nil }()
	for i, e := range elements {
		w.Item, w.part = e, i+1
		if rule.each.tell != nil {
			rule.each.tell(w, i)
		}
		w.unfound, w.missed = key{}, key{}
		if rule.when != nil {
			takes, err := rule.when.truth(w)
			if err == nil && !takes {
				if result.Unfound == "" { // by which the rule may have gone
					result.Unfound = w.missed.String()
				}
				continue
			}
			if err != nil {
				failed, rejected = failed+1, worse(rejected, err)
				parts.AllStand = true
				continue
			}
		}
		taken++
		own := fmt.Sprintf("%s/%d", id, i+1)
		if rule.ownID {
			if own, err = rule.id.text(w); err == nil && own == "" {
				err = &RejectError{Code: "no_key", Reason: "activity.id gives nothing for a contact of the record, so it could not be recognised when it comes again"}
			}
			if err != nil {
				failed, rejected = failed+1, worse(rejected, err)
				parts.AllStand = true
				continue
			}
		}
		if ids[own] {
			failed, rejected = failed+1, worse(rejected, &RejectError{Code: "no_key", Reason: fmt.Sprintf("activity.id: two contacts of the record have the id %q", short(own)), Columns: rule.id.columns()})
			continue
		}
		ids[own] = true
		one, err := m.contact(w, own, version)
		result.Asked = append(result.Asked, one.Asked...)
		if err != nil {
			failed, rejected = failed+1, worse(rejected, err)
			parts.Standing = append(parts.Standing, own)
			continue
		}
		parts.Activities = append(parts.Activities, *one.Activity)
		if result.Unfound == "" {
			result.Unfound = one.Unfound
		}
		if result.UnknownTitle == "" {
			result.UnknownTitle = one.UnknownTitle
		}
	}
	if rejected != nil {
		whole := *rejected
		whole.Reason = fmt.Sprintf("%d of the record's %d contacts cannot be used: %s", failed, len(elements), rejected.Reason)
		return result, &whole
	}
	if taken == 0 {
		result.Skip = NoContacts
	}
	return result, nil
}

// worse gives the reject that tells of several contacts: the first, which waits if any does.
func worse(known *RejectError, err error) *RejectError {
	var next *RejectError
	if !errors.As(err, &next) {
		next = &RejectError{Code: "value", Reason: err.Error()}
	}
	if known == nil {
		return next
	}
	if next.Waits && !known.Waits {
		both := *known
		both.Waits = true
		return &both
	}
	return known
}
