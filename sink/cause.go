package sink

import "energyd/engine"

// Causes names the measures for which a change is worth a write, in the order of
// the catalogue: the others only go along. None of a record that held nothing of ours.
func Causes(fields []FieldOf, c Change, t Threshold) []string {
	var causes, all []string
	held := false
	for _, f := range fields {
		for _, d := range c.Fields {
			if d.Field != f.Field {
				continue
			}
			held = held || !empty(d.Old)
			all = append(all, f.Measure)
			if me, _ := measure(f.Measure); !me.Soft || noticed(d.Old, d.New, t) {
				causes = append(causes, f.Measure)
			}
		}
	}
	switch {
	case !held:
		return nil
	case len(causes) == 0: // against what we last wrote it was worth it, and somebody changed that since
		return all
	}
	return causes
}

// noticed tells whether a soft measure moved far enough for a write of its own.
func noticed(was, is any, t Threshold) bool {
	x, ok1 := number(was)
	y, ok2 := number(is)
	return ok1 != ok2 || ok1 && t.exceeded(x, y)
}

// LabelOf is what people call a measure.
func LabelOf(name string) engine.Label {
	m, _ := measure(name)
	return m.Label
}
