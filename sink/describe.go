package sink

import (
	"context"
	"fmt"
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
)

// described is a Writing's object as the CRM describes it.
type described struct {
	fields   map[string]connectors.Field // by name
	problems fault.Problems              // nothing can be written; paths are measures' names
	narrow   []string                    // some values will be cut, rounded or left out, and what to do
}

// Check compares a Writing with the CRM's own description. All problems come at once, their paths
// are measures' names: each field must exist, be writable for the signed-on user, and be of a type that can
// hold its measure. narrow are fields that hold less than their measures may have: they are written as far as values fit.
func (w Writing) Check(ctx context.Context) (problems fault.Problems, narrow []string, err error) {
	d, err := w.describe(ctx)
	return d.problems, d.narrow, err
}

func (w Writing) describe(ctx context.Context) (described, error) {
	all, err := w.Target.Describe(ctx, w.Object)
	if err != nil {
		return described{}, err
	}
	d := described{fields: make(map[string]connectors.Field, len(all))}
	names := make([]string, len(all))
	for i, f := range all {
		d.fields[f.Name] = f
		names[i] = f.Name
	}
	var missing, locked []FieldOf
	for _, m := range w.Fields {
		f, ok := d.fields[m.Field]
		me, _ := measure(m.Measure)
		switch {
		case !ok:
			missing = append(missing, m)
		case !f.Updateable:
			locked = append(locked, m)
		case w.Once: // its fields are what they hold
		case !writable(me.Type, f.Type):
			d.problems = append(d.problems, fault.Problem{Path: m.Measure,
				Msg:  fmt.Sprintf("%s.%s is a %s field; %s needs %s or text", w.Object, m.Field, f.Type, m.Measure, me.Type),
				Hint: "name another field here; energyd fields apply makes it"})
		default:
			for _, less := range narrower(me, f) {
				d.narrow = append(d.narrow, fmt.Sprintf("%s.%s %s", w.Object, m.Field, less))
			}
		}
	}
	// Told as one: in a new CRM all fields are missing.
	hint := "energyd fields plan tells what is missing, and what field-level security hides; energyd fields apply makes and grants it"
	switch len(missing) {
	case 0:
	case 1:
		m := missing[0]
		d.problems = append(d.problems, fault.Problem{Path: m.Measure, Hint: hint,
			Msg: fmt.Sprintf("the CRM shows no field %q on %s%s", m.Field, w.Object, fault.DidYouMean(m.Field, names))})
		hint = ""
	default:
		d.problems = append(d.problems, fault.Problem{Key: true, Hint: hint,
			Msg: fmt.Sprintf("the CRM shows none of these %d fields on %s: %s", len(missing), w.Object, fieldNames(missing))})
		hint = ""
	}
	switch len(locked) {
	case 0:
	case 1:
		d.problems = append(d.problems, fault.Problem{Path: locked[0].Measure, Hint: hint,
			Msg: fmt.Sprintf("the run-as user may not edit %s.%s", w.Object, locked[0].Field)})
	default:
		d.problems = append(d.problems, fault.Problem{Key: true, Hint: hint,
			Msg: fmt.Sprintf("the run-as user may not edit these %d fields of %s: %s", len(locked), w.Object, fieldNames(locked))})
	}
	return d, nil
}

// narrower says in what a field holds less than its measure may have, and what to do.
func narrower(m Measure, f connectors.Field) (less []string) {
	add := func(format string, args ...any) { less = append(less, fmt.Sprintf(format, args...)) }
	switch {
	case f.Type == connectors.Picklist && f.Restricted:
		add("is a picklist that takes only its own values: add all that %s may have to it, or lift the restriction; the CRM refuses others", m.Name)
	case m.Type == connectors.Text && f.Length > 0 && f.Length < m.Length:
		add("holds %d characters, and %s may have %d: longer texts are cut; make the field longer", f.Length, m.Name, m.Length)
	case m.Type == connectors.Number && f.Type == connectors.Number && f.Precision > 0:
		if has, needs := f.Precision-f.Scale, m.Precision-m.Scale; has < needs {
			add("has %d digits before the point, and %s may have %d: larger values are not written; give the field more digits", has, m.Name, needs)
		}
		if f.Scale < m.Scale {
			add("has %d digits after the point, and %s has %d: values are rounded; give the field more, if you want them", f.Scale, m.Name, m.Scale)
		}
	}
	return less
}

func fieldNames(list []FieldOf) string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.Field
	}
	return strings.Join(names, ", ")
}
