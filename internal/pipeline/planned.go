package pipeline

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/report"
	"energyd/sink"
)

// Planned gives a plan that is kept, by its hash; "" is the latest. Faults: config (there is none).
func (p *Pipeline) Planned(ctx context.Context, hash string) (sink.Summary, error) {
	sum, ok, err := p.store.Plan(ctx, hash)
	switch {
	case err != nil || ok:
		return sum, err
	case hash == "":
		return sum, fault.New(fault.Config, "plan", "there is no plan", "make one with energyd plan", nil)
	}
	return sum, fault.New(fault.Config, "plan", "there is no plan "+hash, "energyd plan --show without a hash shows the latest", nil)
}

// Changes gives a plan's changes, in order, a page at a time.
func (p *Pipeline) Changes(ctx context.Context, run string) iter.Seq2[sink.Change, error] {
	const page = 1000
	return func(yield func(sink.Change, error) bool) {
		for after := int64(-1); ; {
			changes, err := p.store.Changes(ctx, run, "", after, page)
			if err != nil {
				yield(sink.Change{}, err)
				return
			}
			for _, c := range changes {
				if !yield(c, nil) {
					return
				}
				after = c.Seq
			}
			if len(changes) < page {
				return
			}
		}
	}
}

// Causes names the measures for which a change is planned; see sink.Causes.
func (p *Pipeline) Causes(c sink.Change) []string {
	return sink.Causes(p.writes(c.Writing), c, p.cfg.Plans.Smallest)
}

// writes are the fields of a Writing, by its name.
func (p *Pipeline) writes(writing string) []sink.FieldOf {
	i := slices.IndexFunc(p.cfg.Write, func(w config.Write) bool { return w.Name() == writing })
	if i < 0 { // it was planned with another configuration
		return nil
	}
	return fieldsOf(p.cfg.Write[i])
}

// fieldsOf are a Writing's fields in the order of the catalogue.
func fieldsOf(w config.Write) (fields []sink.FieldOf) {
	for _, m := range sink.Measures {
		if field, ok := w.Fields[m.Name]; ok {
			fields = append(fields, sink.FieldOf{Measure: m.Name, Field: field})
		}
	}
	return fields
}

// ToldField is one field of a planned change as people read it.
type ToldField struct {
	Field    report.Label // what it holds, and its name in the CRM
	Old, New report.Value
}

// TellChange gives a change as people read it: why it is planned, and its fields.
func (p *Pipeline) TellChange(c sink.Change) (why report.Label, fields []ToldField) {
	labels := map[string]report.Label{}
	for _, f := range p.writes(c.Writing) {
		labels[f.Field] = sink.LabelOf(f.Measure)
	}
	for _, d := range c.Fields {
		name := report.Label{Ja: d.Field, En: d.Field}
		if l, ok := labels[d.Field]; ok {
			name = report.Label{Ja: l.Ja + "（" + d.Field + "）", En: l.En + " (" + d.Field + ")"}
		}
		fields = append(fields, ToldField{name, ToldValue(d.Old), ToldValue(d.New)})
	}
	return causeLabel(p.Causes(c)), fields
}

// PlanTable is a plan as people read it, a row for each field. Its rows are read
// from the store while they are walked through; what went wrong then is told afterwards by the second value.
func (p *Pipeline) PlanTable(ctx context.Context, sum sink.Summary) (*report.Table, func() error) {
	var broken error
	asOf, err := engine.ParseDate(sum.AsOf)
	if err != nil {
		broken = err
	}
	column := func(key, ja, en string) report.Column {
		return report.Column{Key: key, Label: report.Label{Ja: ja, En: en}}
	}
	t := &report.Table{
		Name: "plan", Title: report.Label{Ja: "反映の計画 " + sum.Plan, En: "Plan " + sum.Plan}, AsOf: asOf, Count: sum.Fields,
		Columns: []report.Column{column("name", "名前", "Name"), column("record", "レコード", "Record"), column("field", "項目", "Field"),
			column("old", "いまの値", "Old"), column("new", "新しい値", "New"), column("why", "理由", "Why"), column("state", "状態", "State")},
		Rows: func(yield func([]report.Value) bool) {
			for c, err := range p.Changes(ctx, sum.Run) {
				if err != nil {
					broken = err
					return
				}
				why, fields := p.TellChange(c)
				for _, f := range fields {
					row := []report.Value{{Text: c.Name}, {Text: c.Writing + " " + c.ID}, {Label: f.Field}, f.Old, f.New, {Label: why}, {Text: string(c.State)}}
					if !yield(row) {
						return
					}
				}
			}
		},
	}
	t.Note("%d レコードの %d 項目を変更。変更なし %d レコード。API 呼び出し 約 %d 回。", "%d records, %d fields; %d records unchanged; about %d API calls.",
		sum.Records, sum.Fields, sum.Unchanged, sum.Calls)
	for _, b := range sum.Brakes {
		t.Note("自動では反映されません: %[1]v（対処: %[2]s）", "Waits for you: %[1]v. What to do: %[2]s", b, b.What)
	}
	return t, func() error { return broken }
}

// causeLabel is why a change is planned, in both languages.
func causeLabel(measures []string) (l report.Label) {
	if len(measures) == 0 {
		return report.Label{Ja: "初回", En: "first values"}
	}
	for i, m := range measures {
		if i > 0 {
			l.Ja, l.En = l.Ja+"、", l.En+", "
		}
		label := sink.LabelOf(m)
		l.Ja, l.En = l.Ja+label.Ja, l.En+label.En
	}
	return l
}

// ToldValue is what a field of the CRM holds, as people read it.
func ToldValue(v any) report.Value {
	switch v := v.(type) {
	case nil:
		return report.Value{None: true}
	case float64:
		return report.Value{Text: strconv.FormatFloat(v, 'f', -1, 64)}
	}
	return report.Value{Text: fmt.Sprint(v)}
}
