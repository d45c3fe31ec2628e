package mapping

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"
)

// TestApply_checks: what the source gives is checked too, not only what the mapping file writes out.
func TestApply_checks(t *testing.T) {
	cfg := &Config{Timezone: "Asia/Tokyo", Activity: &ActivityRule{At: "datetime(day, clock)", Kind: "lower(kind)", Account: `find("account", "code", code)`}}
	m, err := Compile(cfg, Env{Kinds: []string{"mail", "phone"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := testDirectory{{Kind: "account", ID: "001", Keys: map[string]string{"code": "K1"}}}
	const again = "; the next pull reads the source again"
	for name, c := range map[string]struct {
		change       map[string]any
		code, reason string
	}{
		"a kind that the points table has": {},
		"a time of blanks":                 {change: map[string]any{"clock": "  　"}},
		"the first day":                    {change: map[string]any{"day": time.Date(1899, 12, 31, 15, 0, 0, 0, time.UTC)}},
		"the last day":                     {change: map[string]any{"day": time.Date(2199, 12, 31, 14, 0, 0, 0, time.UTC)}},
		"a kind that it lacks": {map[string]any{"kind": "FAX"}, "kind",
			`activity.kind: the points table has no kind "fax"; add it there, or map the word to a kind that is there` + again},
		"a kind mistyped": {map[string]any{"kind": "fone"}, "kind",
			`activity.kind: the points table has no kind "fone"; the nearest it has is "phone"; add it there, or map the word to a kind that is there` + again},
		"no kind": {map[string]any{"kind": nil}, "kind",
			`activity.kind gives nothing for this record; add a lookup line or a skip rule for such records to the mapping` + again},
		"the day before the first": {map[string]any{"day": time.Date(1899, 12, 31, 14, 0, 0, 0, time.UTC)}, "date",
			`activity.at: 1899-12-31 is in the year 1899; years from 1900 to 2199 are taken`},
		"the day after the last": {map[string]any{"day": time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "clock": nil}, "date",
			`activity.at: 9999-12-31 is in the year 9999; years from 1900 to 2199 are taken`},
		"a zero date with a time": {map[string]any{"day": time.Time{}, "clock": "08:30"}, "date",
			`activity.at: 0001-01-01 is in the year 1; years from 1900 to 2199 are taken`},
		"an unknown account": {map[string]any{"code": "K9"}, "account",
			`no account with code "K9" is known; correct the record at its source, or enter the customer in the CRM; the record is tried again when the CRM's customers change`},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]any{"day": "2026-09-30", "clock": "", "kind": "Mail", "code": "K1"}
			maps.Copy(values, c.change)
			_, err := m.Apply(record(values), dir)
			var reject *RejectError
			switch {
			case c.code == "" && err != nil:
				t.Error(err)
			case c.code != "" && (!errors.As(err, &reject) || reject.Code != c.code || reject.Reason != c.reason):
				t.Errorf("got %v\nwant %s", err, c.reason)
			}
		})
	}
}

// TestApply_typedTimes: a time with a zone that needs no function is checked as well.
func TestApply_typedTimes(t *testing.T) {
	m, err := Compile(&Config{Activity: &ActivityRule{At: "at", Kind: "kind", Account: "account"}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Apply(record(map[string]any{"at": time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), "kind": "x", "account": "001"}), nil)
	var reject *RejectError
	if !errors.As(err, &reject) || reject.Code != "date" {
		t.Errorf("got %v", err)
	}
}

// TestApply_unfound: contacts, deals and reps that the directory lacks are left out, and told.
func TestApply_unfound(t *testing.T) {
	cfg := &Config{Activity: &ActivityRule{At: "day", Kind: "kind", Account: `find("account", "old", account) ?? find("account", "code", account)`,
		Deals: []ShareRule{{ID: `find("deal", "code", deal)`}}, Reps: []ShareRule{{ID: `find("rep", "code", rep)`}},
		Participants: []ParticipantRule{{Contact: `find("contact", "code", contact)`, Title: "title"}}}}
	m, err := Compile(cfg, Env{})
	if err != nil {
		t.Fatal(err)
	}
	dir := testDirectory{
		{Kind: "account", ID: "001", Keys: map[string]string{"code": "K1"}}, {Kind: "deal", ID: "006", Keys: map[string]string{"code": "D1"}},
		{Kind: "rep", ID: "005", Keys: map[string]string{"code": "R1"}}, {Kind: "contact", ID: "003", Keys: map[string]string{"code": "T1"}},
	}
	for want, change := range map[string]map[string]any{
		"":              {},
		"contact T0999": {"contact": "T0999"},
		"deal D9":       {"deal": "D9", "contact": "T0999"},
		"rep 9":         {"rep": int64(9)},
	} {
		values := map[string]any{"day": "2026-09-30", "kind": "visit", "account": "K1", "deal": "D1", "rep": "R1", "contact": "T1", "title": "部長"}
		maps.Copy(values, change)
		got, err := m.Apply(record(values), dir)
		if err != nil || got.Unfound != want {
			t.Errorf("%v: got %q, %v; want %q", change, got.Unfound, err, want)
		}
	}
	profile, err := Compile(&Config{Profile: &ProfileRule{Kind: "contact", Account: `find("account", "code", account)`}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := profile.Apply(record(map[string]any{"account": "K9"}), dir); err != nil || got.Unfound != "account K9" {
		t.Errorf("got %q, %v", got.Unfound, err)
	}
}

// TestFingerprint_kinds: a record of a kind that the table gains is no reject any more, so the source has to be read again.
func TestFingerprint_kinds(t *testing.T) {
	print := func(kinds ...string) string {
		m, err := Compile(&Config{Activity: &ActivityRule{At: "day", Kind: "kind", Account: "account"}}, Env{Kinds: kinds})
		if err != nil {
			t.Fatal(err)
		}
		return m.Fingerprint()
	}
	if print("mail", "phone") == print("mail", "phone", "fax") {
		t.Error("a new kind changes no fingerprint")
	}
	if print("mail", "phone") != print("phone", "mail") {
		t.Error("the order of kinds changes the fingerprint")
	}
}

// TestApply_names_columns: a reject says which columns its expression reads, so that the cell can be named.
func TestApply_names_columns(t *testing.T) {
	m, err := Compile(&Config{Activity: &ActivityRule{At: "datetime(date(day, period), clock)", Kind: `lookup("kinds", kind)`, Account: `find("account", "code", code)`},
		Lookups: map[string]map[string]string{"kinds": {"訪問": "visit"}}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   []string
	}{
		"a day":     {map[string]any{"day": "2/30"}, []string{"day", "period", "clock"}},
		"no day":    {map[string]any{"day": nil}, []string{"day", "period", "clock"}},
		"a kind":    {map[string]any{"kind": "訪門"}, []string{"kind"}},
		"a company": {map[string]any{"code": "K9"}, []string{"code"}},
		"bad bytes": {map[string]any{"code": "K\xff"}, []string{"code"}},
	} {
		values := map[string]any{"day": "3/1", "period": "2026-03", "clock": "", "kind": "訪問", "code": "K1"}
		maps.Copy(values, c.change)
		_, err := m.Apply(record(values), testDirectory{})
		var reject *RejectError
		if !errors.As(err, &reject) || !slices.Equal(reject.Columns, c.want) {
			t.Errorf("%s: got %+v, want the columns %v", name, reject, c.want)
		}
	}
}

// TestRejectError_Cells: of several columns the one with the bad value is named, not those beside it.
func TestRejectError_Cells(t *testing.T) {
	m, err := Compile(&Config{Activity: &ActivityRule{At: "datetime(day, clock)", Kind: "kind", Account: "account"}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		day, clock any
		want       []string
	}{
		"the day":              {"2026-02-30", "10:00", []string{"day"}},
		"the time":             {"2026-03-02", "1.2.3", []string{"clock"}},
		"a number of no time":  {"2026-03-02", int64(1475), []string{"clock"}},
		"both hold the same":   {"x", "x", []string{"day", "clock"}},
		"neither gives a date": {nil, "10:00", []string{"day", "clock"}},
	} {
		rec := record(map[string]any{"day": c.day, "clock": c.clock, "kind": "visit", "account": "001"})
		_, err := m.Apply(rec, testDirectory{})
		var reject *RejectError
		if !errors.As(err, &reject) || !slices.Equal(reject.Cells(rec.Value), c.want) {
			t.Errorf("%s: got %+v, want the columns %v", name, reject, c.want)
		}
	}
}
