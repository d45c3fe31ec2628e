package store

import (
	"slices"

	"energyd/engine"
)

// change is what one account's activities were and are.
type change struct {
	was, is []act
	packed  []engine.Activity // those of is, where they lie one after the other already; else nil
}

// differing leaves out the activities that stand as they stood.
func (c change) differing() change {
	var d change
	for len(c.was) > 0 && len(c.is) > 0 {
		switch {
		case c.was[0].Activity == c.is[0].Activity:
			c.was, c.is = c.was[1:], c.is[1:]
		case compareActs(c.was[0], c.is[0]) <= 0:
			d.was, c.was = append(d.was, c.was[0]), c.was[1:]
		default:
			d.is, c.is = append(d.is, c.is[0]), c.is[1:]
		}
	}
	return change{was: append(d.was, c.was...), is: append(d.is, c.is...)}
}

// bonds tells what activities have to do with each other: linked, that one is a
// message or names something, so that all may depend on all; several, that they are of several sources.
func (c change) bonds() (linked, several bool) {
	source := ""
	for _, acts := range [...][]act{c.was, c.is} {
		for _, a := range acts {
			if a.Link != nil || a.Same != nil {
				return true, true
			}
			if source == "" {
				source = a.Source
			}
			several = several || a.Source != source
		}
	}
	return false, several
}

// days is more than lies between two activities of one date: dates last up to
// 25 hours and begin 14 hours before or after that of UTC.
const days = 3 * 86_400_000_000 // µs

// around keeps what may depend on the activities that differ: those of the days about them.
func (c change) around(d change) change {
	near := func(acts []act) (kept []act) {
		was, is := d.was, d.is
		for _, a := range acts {
			at := moment(a.Activity)
			if was = after(was, at-days); len(was) > 0 && moment(was[0].Activity) <= at+days {
				kept = append(kept, a)
			} else if is = after(is, at-days); len(is) > 0 && moment(is[0].Activity) <= at+days {
				kept = append(kept, a)
			}
		}
		return kept
	}
	return change{was: near(c.was), is: near(c.is)}
}

// after cuts off the activities before a moment.
func after(acts []act, from int64) []act {
	for len(acts) > 0 && moment(acts[0].Activity) < from {
		acts = acts[1:]
	}
	return acts
}

// changes gives the accounts of a cluster whose activities changed.
func changes(old, now []act) (list []change) {
	for len(old) > 0 || len(now) > 0 {
		var c change
		account := ""
		switch {
		case len(old) == 0:
			account = now[0].Account
		case len(now) == 0:
			account = old[0].Account
		default:
			account = min(old[0].Account, now[0].Account)
		}
		c.was, old = ofAccount(old, account)
		c.is, now = ofAccount(now, account)
		if !slices.Equal(c.was, c.is) {
			list = append(list, c)
		}
	}
	return list
}

func ofAccount(acts []act, account string) (these, rest []act) {
	n := 0
	for n < len(acts) && acts[n].Account == account {
		n++
	}
	return acts[:n:n], acts[n:]
}
