package engine

// Coverage says how widely an account is met (energy-model.md §4.2).
type Coverage struct {
	Classes float64 // share of the three rank classes with enough energy, 0 to 1
	HHI     float64 // concentration on few contacts: Σ(share of contact)², 1 = one contact; 0 = no contact
	Active  int     // contacts with energy
}

// SingleThread tells that the relation hangs on one person: one active
// contact, or a concentration above limit.
func (c Coverage) SingleThread(limit float64) bool {
	return c.Active == 1 || c.Active > 0 && c.HHI > limit
}

// Spread gathers the energy of an account's contacts, one after the other.
type Spread struct {
	Active       int
	sum, squares float64
}

// Add counts a contact with so many milli-points; one without energy is not active.
func (s *Spread) Add(milli int64) {
	if milli > 0 {
		s.Active++
		s.sum += float64(milli)
		s.squares += float64(milli) * float64(milli)
	}
}

// HHI gives the concentration, 0 when nobody is active.
func (s *Spread) HHI() float64 {
	if s.Active == 0 {
		return 0
	}
	return s.squares / (s.sum * s.sum)
}

// Coverage joins an account's energy by class with the spread over its
// contacts. A class counts from enough milli-points on, and 0 never is enough.
func (s *Spread) Coverage(byClass [NumClasses]int64, enough int64) Coverage {
	covered := 0
	for _, class := range [...]Class{ClassStaff, ClassManager, ClassExecutive} {
		if m := byClass[class]; m > 0 && m >= enough {
			covered++
		}
	}
	return Coverage{Classes: float64(covered) / 3, HHI: s.HHI(), Active: s.Active}
}
