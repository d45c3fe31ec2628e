package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/mapping/matching"
)

// TestResult is the outcome of one test case of a mapping file.
type TestResult struct {
	Name string
	Line int   // of the test in the file
	Err  error // nil when it passed; else what differs
}

// RunTests runs the file's own test cases, in their order.
func (m *Mapping) RunTests() []TestResult {
	out := make([]TestResult, len(m.tests))
	for i, t := range m.tests {
		out[i] = TestResult{t.Name, t.Line, m.runTest(t)}
	}
	return out
}

func (m *Mapping) runTest(t Test) error {
	names := m.Columns()
	for name := range t.Record {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	r := connectors.Record{Key: t.Key, Deleted: t.Deleted, Columns: connectors.NewColumns(names)}
	if r.Key == "" {
		r.Key = "test"
	}
	for _, name := range names {
		r.Values = append(r.Values, t.Record[name])
	}
	got, err := m.Apply(r, testDirectory(t.Directory))
	outcome := "a result"
	var reject *RejectError
	switch {
	case errors.As(err, &reject):
		outcome = fmt.Sprintf("the reject %q (%s)", reject.Code, reject.Reason)
	case got.Skip != "":
		outcome = fmt.Sprintf("the skip %q", got.Skip)
	}
	switch {
	case t.Reject != "":
		if reject == nil || reject.Code != t.Reject {
			return fmt.Errorf("expected the reject %q, got %s", t.Reject, outcome)
		}
		if t.Expect == nil {
			return nil
		}
	case t.Skip != "":
		if got.Skip != t.Skip {
			return fmt.Errorf("expected the skip %q, got %s", t.Skip, outcome)
		}
		return nil
	case reject != nil || got.Skip != "":
		return fmt.Errorf("expected a result, got %s", outcome)
	}
	var diffs []string
	switch parts := got.Parts; {
	case parts != nil:
		several := make([]any, len(parts.Activities))
		for i := range parts.Activities {
			several[i] = shown(Result{Activity: &parts.Activities[i], UnknownTitle: got.UnknownTitle, Unfound: got.Unfound})
		}
		if want, _ := t.Expect.([]any); len(want) != len(several) {
			return fmt.Errorf("expected %d contacts, got %d", len(want), len(several))
		}
		m.differences("", t.Expect, several, &diffs)
	case got.Activity == nil && got.Profile == nil:
		return fmt.Errorf("expected a result, got %s", outcome)
	default:
		m.differences("", t.Expect, shown(got), &diffs)
	}
	if diffs == nil {
		return nil
	}
	return errors.New(strings.Join(diffs, "\n"))
}

// shown is a result as tests write it.
func shown(r Result) map[string]any {
	if p := r.Profile; p != nil {
		return map[string]any{
			"id": p.ID, "version": p.Version, "name": p.Name, "account": p.Account, "title": p.Title, "owner": p.Owner,
			"into": p.Into, "parent": p.Parent, "keys": anyMap(p.Keys), "facts": anyMap(p.Facts), "deleted": p.Deleted, "unknown_title": r.UnknownTitle, "unfound": r.Unfound,
		}
	}
	a := r.Activity
	people := make([]any, len(a.People))
	for i, p := range a.People {
		people[i] = map[string]any{"contact": p.Contact, "title": p.Title, "rank": p.Rank, "keyman": p.Keyman, "role": roles.word(p.Role)}
	}
	link := engine.Link{}
	if a.Link != nil {
		link = *a.Link
	}
	same := engine.Same{}
	if a.Same != nil {
		same = *a.Same
	}
	when := any(nil)
	if !a.At.IsZero() {
		when = a.At
	}
	return map[string]any{
		"id": a.ID, "version": a.Version, "at": when, "date": a.Date.String(), "kind": a.Kind,
		"direction": directions.word(a.Direction), "status": statuses.word(a.Status), "account": a.Account,
		"deals": ids(a.Deals), "reps": ids(a.Reps), "participants": people, "cues": anyList(a.Cues),
		"deleted": a.Deleted, "unknown_title": r.UnknownTitle, "unfound": r.Unfound,
		"message": link.Message, "thread": link.Thread, "answers": link.Answers,
		"product": a.Product, "segment": a.Segment,
		"same": map[string]any{"call": same.Call, "event": same.Event, "start": same.Start, "record": same.Record},
	}
}

func ids(shares []engine.Share) []any {
	out := make([]any, len(shares))
	for i, s := range shares {
		out[i] = s.ID
	}
	return out
}

func anyList(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// differences compares what a test names, and nothing else.
func (m *Mapping) differences(path string, want, got any, out *[]string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			m.differences(strings.TrimPrefix(path+"."+k, "."), w[k], g[k], out)
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			m.differences(at(path, i), w[i], g[i], out)
		}
		return
	case string:
		if t, ok := got.(time.Time); ok {
			if v, err := datetime(m.zone, []any{w}); err == nil && t.Equal(asTime(v)) {
				return
			}
			got = t.In(m.zone).Format(time.RFC3339Nano)
		}
	}
	if g := fmt.Sprint(got); want == nil && (got == nil || g == "") || want != nil && g == fmt.Sprint(want) {
		return
	}
	*out = append(*out, fmt.Sprintf("%s: expected %v, got %v", path, want, got))
}

func asTime(v any) time.Time {
	t, _ := v.(time.Time)
	return t
}

// testDirectory is the directory of one test.
type testDirectory []Entry

// MatchAccount implements Directory.
func (d testDirectory) MatchAccount(want matching.Account) matching.Match {
	return d.matcher().MatchAccount(want)
}

// MatchContact implements Directory.
func (d testDirectory) MatchContact(want matching.Person) matching.Match {
	return d.matcher().MatchContact(want)
}

func (d testDirectory) matcher() *matching.Matcher {
	var accounts []matching.Account
	var people []matching.Person
	for _, e := range d {
		switch e.Kind {
		case "account":
			accounts = append(accounts, MatchedAccount(e.ID, e.Name, e.Keys))
		case "contact":
			people = append(people, MatchedContact(e.ID, e.Account, e.Name, e.Keys))
		}
	}
	return matching.NewMatcher(accounts, people, nil, "JP", func(_ bool, id string) (string, bool) { return id, true })
}

// Find implements Directory.
func (d testDirectory) Find(kind engine.EntityKind, key, value string) (string, bool) {
	for _, e := range d {
		if entityKinds[e.Kind] == kind && e.Keys[key] == value {
			return e.ID, true
		}
	}
	return "", false
}

// Contact implements Directory.
func (d testDirectory) Contact(id string) (account, title string) {
	for _, e := range d {
		if e.Kind == "contact" && e.ID == id {
			return e.Account, e.Title
		}
	}
	return "", ""
}
