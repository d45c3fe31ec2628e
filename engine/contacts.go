package engine

// Contacts gives each contact that activities of one account tell of, once and in the order of acts: what several
// records tell of one meeting or conversation is one, as in Contributions. Left out is what did not take place, what
// does not count by the table's limit per day, and what came back undelivered. It is lent for the call of each.
func (p *Points) Contacts(acts []Activity, each func(*Activity)) {
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	s.look(p, acts)
	for i := range acts {
		if a := s.contact(acts, i); a != nil && a.counts() && !s.daily.over[i] {
			each(a)
		}
	}
}
