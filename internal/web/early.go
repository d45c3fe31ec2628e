package web

// early are the reports that are made before somebody asks: those that most look at first. The others are made
// for their first reader, so that nothing is read night by night for nobody.
var early = []string{"month", "attention", "rank"}

// anew has what most pages need made of the store as it is. It waits for nothing.
func (s *site) anew() {
	select {
	case s.moved <- struct{}{}:
	default: // it will be made of the store as it is then
	}
}

// makeEarly makes what most pages need as often as anew is called, one after the other, until the site is closed.
func (s *site) makeEarly() {
	ctx := s.held.ctx
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.moved:
		}
		v := &visit{site: s, p: s.p.Beside(""), early: true}
		_, err := v.names(ctx)
		for _, report := range early {
			if err == nil {
				_, err = v.made(ctx, report, usualMonths)
			}
		}
		if err == nil {
			_, err = v.bandChanges(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.held.log.Warn("the pages' tables are not made yet: the first reader waits for them", "error", err)
		}
	}
}
