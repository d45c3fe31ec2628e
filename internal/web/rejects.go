package web

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/report"
	"energyd/internal/web/signon"
)

// rejects are what is kept back of sources, and what the CRM refused.
type rejects struct {
	chosen
	Count   int          `json:"count"` // all that were chosen
	Sorts   []rejectSort `json:"sorts"` // of the same source, code and advice, the most first
	Rejects []rejectRow  `json:"rejects"`
	Sources []string     `json:"-"` // that can be chosen
	May     bool         `json:"-"`
	all     []rejectRow
	paging
}

// chosen is which rejects are meant.
type chosen struct {
	Source  string           `json:"source,omitempty"` // or what is written to; "" = all
	Class   connectors.Class `json:"class,omitempty"`
	Code    string           `json:"code,omitempty"`
	Key     string           `json:"key,omitempty"` // of Source
	Dropped bool             `json:"dropped"`       // those that somebody dropped, in place of the others
}

// rejectSort counts a source's rejects of one code and one advice.
type rejectSort struct {
	Source string           `json:"source"`
	Class  connectors.Class `json:"class"`
	Code   string           `json:"code"`
	ToDo   string           `json:"what_to_do"`
	Count  int              `json:"count"`
}

// rejectRow is one reject.
type rejectRow struct{ pipeline.Reject }

// reject is one with all that is kept of it.
type reject struct {
	rejectRow
	Kept []keptField `json:"-"` // the record's columns, or the change's fields
	May  bool        `json:"-"`
}

// keptField is one column of a record.
type keptField struct{ Name, Value string }

// chosenOf reads which rejects are meant, of an address or a form.
func chosenOf(q url.Values) chosen {
	return chosen{Source: q.Get("source"), Class: connectors.Class(q.Get("class")), Code: q.Get("code"), Key: q.Get("key"), Dropped: q.Get("dropped") != ""}
}

func (c chosen) filter() pipeline.RejectFilter {
	f := pipeline.RejectFilter{Source: c.Source, Class: c.Class, Code: c.Code, Dropped: c.Dropped}
	if c.Key != "" {
		f.Keys = []string{c.Key}
	}
	return f
}

// Query is what chooses the same in an address.
func (c chosen) Query() string {
	q := url.Values{}
	for name, value := range map[string]string{"source": c.Source, "class": string(c.Class), "code": c.Code, "key": c.Key} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Dropped {
		q.Set("dropped", "1")
	}
	return q.Encode()
}

func viewRejects(ctx context.Context, v *visit) (*rejects, error) {
	r := &rejects{chosen: chosenOf(v.query), May: v.reader.MayAct(signon.Admin), paging: v.paging(50)}
	r.Key = ""
	for _, s := range v.p.Config().Sources {
		r.Sources = append(r.Sources, s.Name)
	}
	for _, w := range v.p.Config().Write {
		r.Sources = append(r.Sources, w.Name())
	}
	counts := map[rejectSort]int{}
	for x, err := range v.p.In(v.language).Rejects(ctx, r.filter()) {
		if err != nil {
			return nil, err
		}
		counts[rejectSort{Source: x.Source, Class: x.Class, Code: x.Code, ToDo: x.ToDo}]++
		x.Fields = nil // the reject's own page has them
		r.all = append(r.all, rejectRow{x})
	}
	r.Count = len(r.all)
	for sort, n := range counts {
		sort.Count = n
		r.Sorts = append(r.Sorts, sort)
	}
	slices.SortFunc(r.Sorts, func(a, b rejectSort) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Code, b.Code), cmp.Compare(a.ToDo, b.ToDo))
	})
	r.Rejects = cut(&r.paging, r.all)
	return r, nil
}

func viewReject(ctx context.Context, v *visit) (*reject, error) {
	c := chosenOf(v.query)
	for _, dropped := range []bool{false, true} {
		c.Dropped = dropped
		for x, err := range v.p.In(v.language).Rejects(ctx, c.filter()) {
			if err != nil {
				return nil, err
			}
			fields, err := keptFields(x.Fields)
			return &reject{rejectRow: rejectRow{x}, Kept: fields, May: v.reader.MayAct(signon.Admin)}, err
		}
	}
	return nil, errNoReject
}

var errNoReject = fault.New(fault.Config, "", "there is no such reject", "it came through meanwhile, or its record is gone; the page of rejects shows what is kept back", nil)

// keptFields are the columns of a record, by name; of a change its fields stand in its plan.
func keptFields(kept any) ([]keptField, error) {
	raw, ok := kept.(json.RawMessage)
	if !ok {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	var list []keptField
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := string(fields[name])
		var text string
		var typed map[string]string // {"time": "2026-11-15T10:00:00Z"}
		switch {
		case json.Unmarshal(fields[name], &text) == nil:
			value = text
		case json.Unmarshal(fields[name], &typed) == nil && len(typed) == 1:
			for _, value = range typed {
			}
		}
		list = append(list, keptField{name, value})
	}
	return list, nil
}

// download is all that the page leafs through.
func (r *rejects) download(_ context.Context, v *visit) (*report.Table, error) {
	column := func(key, ja, en string) report.Column { return report.Column{Key: key, Label: text{Ja: ja, En: en}} }
	return &report.Table{
		Name: "rejects", Title: text{Ja: "保留", En: "Rejects"}, AsOf: v.today(), Count: len(r.all),
		Columns: []report.Column{column("source", "ソース", "Source"), column("key", "キー", "Key"), column("class", "区分", "Class"), column("code", "コード", "Code"),
			column("waits_for", "待ち", "Waits for"), column("reason", "理由", "Reason"), column("what_to_do", "対処", "What to do"), column("origin", "場所", "Where")},
		Rows: func(yield func([]report.Value) bool) {
			for _, x := range r.all {
				if !yield([]report.Value{{Text: x.Source}, {Text: x.Key}, {Label: x.ClassText()}, {Text: x.Code}, {Label: x.WaitsText()},
					{Text: x.Reason}, {Text: x.ToDo}, {Text: x.Origin}}) {
					return
				}
			}
		},
	}, nil
}

// Path is the reject's page.
func (r rejectRow) Path() string { return "/rejects/one?" + r.chosen().Query() }

// DecidePath is the page that asks whether to do so with it.
func (r rejectRow) DecidePath(act string) string { return decidePath(act, r.chosen()) }

func (r rejectRow) chosen() chosen { return chosen{Source: r.Source, Key: r.Key} }

// DecidePath is the page that asks whether to do so with all of them.
func (s rejectSort) DecidePath(act string) string {
	return decidePath(act, chosen{Source: s.Source, Class: s.Class, Code: s.Code})
}

func decidePath(act string, c chosen) string { return "/rejects/decide?act=" + act + "&" + c.Query() }

// IsDropped tells that nobody is told of it any more.
func (r rejectRow) IsDropped() bool { return r.WaitsFor == pipeline.Another }

// Again tells that it is tried again by itself next time.
func (r rejectRow) Again() bool {
	return r.WaitsFor == pipeline.NextPull || r.WaitsFor == pipeline.NextPlan
}

// ClassText says what kind of obstacle keeps it back.
func (r rejectRow) ClassText() text { return worded(classTexts, string(r.Class)) }

// ClassText says what kind of obstacle keeps them back.
func (s rejectSort) ClassText() text { return worded(classTexts, string(s.Class)) }

// WaitsText says on what it waits.
func (r rejectRow) WaitsText() text { return worded(waitTexts, string(r.WaitsFor)) }

// Classes are those that can be chosen.
func (r *rejects) Classes() []rejectSort {
	list := make([]rejectSort, len(connectors.Classes))
	for i, c := range connectors.Classes {
		list[i].Class = c
	}
	return list
}

var (
	classTexts = map[string]text{
		string(connectors.BadData): {Ja: "データ", En: "data"}, string(connectors.Locked): {Ja: "ロック", En: "lock"}, string(connectors.NoQuota): {Ja: "上限", En: "quota"},
		string(connectors.NoRight): {Ja: "権限", En: "permission"}, string(connectors.GoneRecord): {Ja: "CRMにない", En: "gone"}, string(connectors.Ambiguous): {Ja: "あいまい", En: "ambiguous"},
	}
	waitTexts = map[string]text{
		string(pipeline.NextPull): {Ja: "次回の取得", En: "next pull"}, string(pipeline.NextPlan): {Ja: "次回の計画", En: "next plan"}, string(pipeline.Directory): {Ja: "CRMへの登録", En: "the CRM's entry"},
		string(pipeline.Person): {Ja: "人の対処", En: "a person"}, string(pipeline.Another): {Ja: "除外（変更待ち）", En: "dropped, until it changes"},
		string(pipeline.Snooze): {Ja: "指定日まで保留", En: "snoozed until a day"}, string(pipeline.Paused): {Ja: "次の自動再試行", En: "its next try"},
	}
)
