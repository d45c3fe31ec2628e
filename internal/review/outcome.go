package review

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"energyd/engine"
	"energyd/internal/fault"
)

// Settings are the section review of energyd.yaml: what a success is, and when it is looked at.
type Settings struct {
	Outcome     string   `yaml:"outcome"`      // won, meeting, reply or renewal
	HorizonDays int      `yaml:"horizon_days"` // within which it must come; 0 = the usual of the outcome
	Cuts        string   `yaml:"cuts"`         // of deals: weekly, or once at an age: "age:30d"
	Kinds       []string `yaml:"kinds"`        // of contacts that are the outcome; none = the usual ones
	Class       string   `yaml:"class"`        // of whom is met: staff, manager, executive; "" = the usual of the outcome
	EveryMonths int      `yaml:"every_months"` // after so many months another review is due
}

// DefaultSettings are those of a configuration without the section.
func DefaultSettings() Settings {
	return Settings{Outcome: OutcomeWon, Cuts: "weekly", EveryMonths: 6}
}

// What a success may be.
const (
	OutcomeWon     = "won"     // the deal is won
	OutcomeMeeting = "meeting" // the customer's executive is met
	OutcomeReply   = "reply"   // the customer writes
	OutcomeRenewal = "renewal" // a customer who bought buys again
)

// outcomeNames and usualDays are the outcomes that there are, and within how many days each must come.
var (
	outcomeNames = []string{OutcomeWon, OutcomeMeeting, OutcomeReply, OutcomeRenewal}
	usualDays    = map[string]int{OutcomeWon: usualHorizon, OutcomeMeeting: 90, OutcomeReply: 30, OutcomeRenewal: 365}
)

// Problems finds what is wrong in the settings, by paths below "review".
func (s *Settings) Problems() fault.Problems {
	var ps fault.Problems
	if !slices.Contains(outcomeNames, s.Outcome) {
		ps.Add("review.outcome", "unknown outcome %q%s; there are %s", s.Outcome, fault.DidYouMean(s.Outcome, outcomeNames), strings.Join(outcomeNames, ", "))
	}
	if s.HorizonDays < 0 || s.HorizonDays > 3650 {
		ps.Add("review.horizon_days", "takes 1 to 3650 days")
	}
	if _, ok := ParseCuts(s.Cuts); !ok {
		ps.Add("review.cuts", "takes weekly, or an age in days such as age:30d")
	}
	if len(s.Kinds) > 0 && s.Outcome != OutcomeMeeting && s.Outcome != OutcomeReply {
		ps.Add("review.kinds", "the outcome %s is no contact; leave kinds out", s.Outcome)
	}
	if s.Class != "" && s.Outcome != OutcomeMeeting {
		ps.Add("review.class", "goes with outcome: meeting")
	} else if !slices.Contains([]string{"", "staff", "manager", "executive"}, s.Class) {
		ps.Add("review.class", "unknown class %q; there are staff, manager, executive", s.Class)
	}
	if s.EveryMonths < 1 || s.EveryMonths > 60 {
		ps.Add("review.every_months", "takes 1 to 60 months")
	}
	return ps
}

// ParseCuts reads "weekly" or "age:30d".
func ParseCuts(text string) (Cuts, bool) {
	if text == "weekly" {
		return Cuts{}, true
	}
	days, isAge := strings.CutPrefix(text, "age:")
	n, err := strconv.Atoi(strings.TrimSuffix(days, "d"))
	return Cuts{AgeDays: n}, isAge && err == nil && n >= 1 && n <= 3650
}

// Horizon is within how many days a success must come.
func (s *Settings) Horizon() int {
	if s.HorizonDays > 0 {
		return s.HorizonDays
	}
	return usualDays[s.Outcome]
}

// watch makes a success of contacts or purchases, of accounts instead of deals: each is looked at on the first day of
// each month from its first contact on.
type watch struct {
	outcome   string
	kinds     map[string]bool
	class     string // "" = anybody
	direction engine.Direction
	any       bool // whoever acts
	renewal   bool
	events    [][]engine.Date // of each account
	bought    map[string][]engine.Date
}

// NewWatch makes a sample of accounts whose success is as the settings say, another than OutcomeWon. bought are the days on which an
// account's deals were won. A kind that the table lacks is a fault of kind config.
func NewWatch(table *Table, s *Settings, bought map[string][]engine.Date) (*Sample, error) {
	w := &watch{outcome: s.Outcome, kinds: map[string]bool{}, bought: bought, renewal: s.Outcome == OutcomeRenewal}
	for _, kind := range s.Kinds {
		if _, known := table.config.Kinds[kind]; !known {
			return nil, fault.New(fault.Config, "review.kinds", fmt.Sprintf("the points table has no kind %q%s", kind, fault.DidYouMean(kind, table.points.Kinds())),
				"name kinds of the points table", nil)
		}
		w.kinds[kind] = true
	}
	switch s.Outcome {
	case OutcomeMeeting:
		w.any, w.class = true, s.Class
		if w.class == "" {
			w.class = "executive"
		}
	case OutcomeReply:
		w.direction = engine.Inbound
	}
	for kind, c := range table.config.Kinds {
		if len(s.Kinds) == 0 && (s.Outcome == OutcomeMeeting && c.Meeting || s.Outcome == OutcomeReply && (kind == "mail" || c.Family == "mail")) {
			w.kinds[kind] = true
		}
	}
	sample := NewSample(table, nil)
	sample.watch = w
	return sample, nil
}

// is tells whether a contact is the success.
func (w *watch) is(t *Table, a *engine.Activity) bool {
	if !w.kinds[a.Kind] || !w.any && a.Direction != w.direction {
		return false
	}
	return w.class == "" || slices.ContainsFunc(a.People, func(p engine.Participant) bool {
		return p.Role != engine.Declined && t.config.Ranks[p.Rank].Class == w.class
	})
}

// account gives the number of an account among those that are watched.
func (s *Sample) account(id string) int32 {
	n, ok := s.byID[id]
	if !ok {
		n = int32(len(s.deals)) // as many as fit into memory
		s.byID[id] = n
		s.deals = append(s.deals, Deal{ID: id, Account: id, Opened: engine.NoDate, Closed: engine.NoDate})
		s.watch.events = append(s.watch.events, nil)
	}
	return n
}

// quiet is after how many days without any contact an account is not looked at: nobody asks of those.
const quiet = 180

// looks gives the rows of an account. A success is foretold only where none stood on the day itself.
func (s *Sample) looks(n int32, horizon int, add func(cut, success engine.Date)) {
	events := s.watch.events[n]
	if s.watch.renewal {
		events = s.watch.bought[s.deals[n].Account]
	}
	slices.Sort(events)
	touches := s.of(n)
	if len(touches) == 0 {
		return
	}
	p := s.table.points
	next, seen := 0, 0
	for m := p.Period(touches[0].day) + 1; p.PeriodStart(m) <= s.end; m++ {
		cut := p.PeriodStart(m)
		for seen < len(touches) && touches[seen].day <= cut {
			seen++
		}
		for next < len(events) && events[next] <= cut {
			next++
		}
		if seen == 0 || cut-touches[seen-1].day > quiet || s.watch.renewal && next == 0 {
			continue
		}
		success := engine.NoDate
		if next < len(events) && events[next] <= cut+engine.Date(horizon) { // 3650 at most
			success = events[next]
		}
		add(cut, success)
	}
}
