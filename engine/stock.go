package engine

// group is a compiled GroupConfig.
type group struct {
	decay
	cap       float64 // milli-points of the stock that count; 0 = all
	periodCap int64   // milli-points earned that count; 0 = all
	capDays   int     // the periodCap is of so many days; 0 = of a period
	perDay    int
	negative  bool
}

// groups compiles the groups of a table.
func (c *PointsConfig) groups() []group {
	configs := c.Groups
	if len(configs) == 0 {
		configs = []GroupConfig{{}}
	}
	groups := make([]group, len(configs))
	for i := range configs {
		g := &configs[i]
		groups[i] = group{decay: newDecay(g, c.HalfLifeDays), cap: g.Cap * 1000, periodCap: milli(g.PeriodCap),
			capDays: g.PeriodCapDays, perDay: g.PerDay, negative: g.Negative}
	}
	return groups
}

// stocks are what an entity's groups hold while its cells are replayed, oldest to newest.
type stocks struct {
	p     *Points
	cells []Cell
	next  int  // cells before this have been taken in
	rises bool // something was taken off: as that fades, the temperature may rise without news
	of    [maxGroups]stock
}

// stock is what one group holds on the day of its last contact.
type stock struct {
	milli float64
	last  int // clock reading
}

// groupOf gives a cell's group; the first for one that the table lacks: then
// another table made the ledger, until the next fold builds it anew.
func (p *Points) groupOf(c *Cell) Group {
	if int(c.Group) < len(p.groups) {
		return c.Group
	}
	return 0
}

// add takes in the next cell; at is the clock's reading on its day.
func (s *stocks) add(at int) {
	c := &s.cells[s.next]
	g := s.p.groupOf(c)
	st := &s.of[g]
	st.milli = s.left(g, at) + float64(c.Milli)
	st.last = at
	s.rises = s.rises || s.p.groups[g].negative
	s.next++
}

// left gives what a group's contacts so far have left of them at a reading of the clock.
func (s *stocks) left(g Group, at int) float64 {
	rule, st := &s.p.groups[g], &s.of[g]
	if st.milli == 0 { // before its first contact too: then last is no day
		return 0
	}
	if k := at - st.last; uint(k) < uint(len(rule.table)) { // exp, as nearly all are
		return float64(st.milli * rule.table[k])
	}
	if rule.fade > 0 {
		return s.faded(g, at)
	}
	if at == st.last { // of a day on which there is contact nothing is lost
		return st.milli
	}
	return rule.left(st.milli, at-st.last)
}

// faded is left for linear decay: every contact loses the same part of itself each day.
func (s *stocks) faded(g Group, at int) float64 {
	fade, sum := s.p.groups[g].fade, 0.0
	for i := s.next - 1; i >= 0; i-- {
		c := &s.cells[i]
		age := at - s.p.clock.at(c.Date)
		if age >= fade {
			break
		}
		if s.p.groupOf(c) == g {
			sum += float64(float64(c.Milli) * float64(fade-age))
		}
	}
	return sum / float64(fade)
}

// counted gives what counts of a group at a reading of the clock.
func (s *stocks) counted(g Group, at int) float64 {
	left := s.left(g, at)
	if most := s.p.groups[g].cap; most > 0 {
		return min(most, left)
	}
	return left
}

// sides gives what the groups add to the temperature, and what the negative ones take off it, in milli-points.
func (s *stocks) sides(at int) (plus, minus float64) {
	for g := range s.p.groups {
		if s.of[g].milli == 0 { // most entities have contacts of one group alone
			continue
		}
		rule, left := &s.p.groups[g], s.left(Group(g), at)
		if rule.cap > 0 {
			left = min(rule.cap, left)
		}
		if rule.negative {
			minus += left
		} else {
			plus += left
		}
	}
	return plus, minus
}

// temperature gives the temperature at a reading of the clock, in milli-points. What is
// shown never is below 0; what the groups hold is not floored.
func (s *stocks) temperature(at int) float64 {
	plus, minus := s.sides(at)
	return max(0, plus-minus)
}
