package connectors

import (
	"fmt"
	"sync"
	"time"

	"energyd/internal/fault"
)

// Budget bounds the calls that energyd makes to a system that allows so many in
// 24 hours. The calls belong to the people: all parts are percent of what the
// system allows. It is part of a connector's configuration, as "budget".
type Budget struct {
	PerRun  int `yaml:"per_run"` // that one run may make
	PerDay  int `yaml:"per_day"` // that energyd may make in 24 hours, all runs together
	Reserve int `yaml:"reserve"` // that stay free for others, whoever used the rest
}

// DefaultBudget leaves a small org (15,000 calls) 1,500 for a run, which read or
// write a million records in bulk, and stops by itself before people notice.
var DefaultBudget = Budget{PerRun: 10, PerDay: 20, Reserve: 30}

// Validate gives fault.Problems.
func (b Budget) Validate() error {
	var ps fault.Problems
	if b.PerRun < 1 || b.PerRun > 100 {
		ps.Add("per_run", "must be 1 to 100 percent, not %d", b.PerRun)
	}
	if b.PerDay < b.PerRun || b.PerDay > 100 {
		ps.Add("per_day", "must be per_run (%d) to 100 percent, not %d", b.PerRun, b.PerDay)
	}
	if b.Reserve < 0 || b.Reserve > 99 {
		ps.Add("reserve", "must be 0 to 99 percent, not %d", b.Reserve)
	}
	return ps.Or()
}

// Budgeter is an optional ability of a Conn: to tell how it stands with its budget of calls.
type Budgeter interface{ Usage() Usage }

// Usage is how a connection stands with its budget.
type Usage struct {
	Used  int `json:"used"`  // calls of the last 24 hours by all programs, as the system counts them
	Limit int `json:"limit"` // how many there may be; 0: the system did not tell yet
	Run   int `json:"run"`   // our own since the connection was opened
	Day   int `json:"day"`   // our own of the last 24 hours, Run included
	// Left is how many calls may still be made, and Ceiling what ends them then.
	Left    int     `json:"left"`
	Ceiling Ceiling `json:"ceiling,omitempty"`
}

// Ceiling names a bound of calls.
type Ceiling string

// The ceilings. The first three are those of Budget; the fourth is one that the
// system's own admin set for us.
const (
	PerRun  Ceiling = "per_run"
	PerDay  Ceiling = "per_day"
	Reserve Ceiling = "reserve"
	PerApp  Ceiling = "per_app"
)

// Calls are our own calls of a connection in one hour.
type Calls struct {
	Hour time.Time // its beginning, UTC
	N    int
}

// Meter counts a connection's calls, and refuses those beyond its budget. It
// may be used by several goroutines.
type Meter struct {
	budget Budget
	now    func() time.Time

	mu    sync.Mutex
	hours map[int64]int // our own by hour since 1970, also of earlier runs
	run   int
	all   count // by all programs
	app   count // by us as the system's admin bounds us; limit 0 = does not
	told  time.Time
}

// count is what the system told, and what we sent since.
type count struct{ used, limit, since int }

// NewMeter makes the Meter of a connection that has made calls before, as Env says.
func NewMeter(b Budget, before []Calls, now func() time.Time) *Meter {
	m := &Meter{budget: b, now: now, hours: map[int64]int{}}
	for _, c := range before {
		m.hours[hourOf(c.Hour)] += c.N
	}
	return m
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// Told takes what the system says of all programs' calls in 24 hours.
func (m *Meter) Told(used, limit int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all, m.told = count{used: used, limit: limit}, m.now()
}

// ToldApp takes what the system says of our own calls, where its admin bounds them.
func (m *Meter) ToldApp(used, limit int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.app = count{used: used, limit: limit}
}

// Spend counts a call that is about to be sent; its error says that it must not
// be: a fault quota with the numbers and when calls go on. As long as the
// system has not told its limit in the last hour, one call may ask.
func (m *Meter) Spend(op string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.usage(); u.Limit > 0 && u.Left <= 0 {
		return m.refuse(op, u)
	}
	m.hours[hourOf(m.now())]++
	m.run++
	m.all.since++
	m.app.since++
	return nil
}

// Usage tells how the connection stands with its budget.
func (m *Meter) Usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usage()
}

// askAgain is how long a system's count is worth something.
const askAgain = time.Hour

func (m *Meter) usage() Usage {
	u := Usage{Used: m.all.used + m.all.since, Limit: m.all.limit, Run: m.run}
	first := hourOf(m.now()) - 24 // the oldest hour is counted whole: rather too many than too few
	for hour, n := range m.hours {
		if hour >= first {
			u.Day += n
		} else {
			delete(m.hours, hour)
		}
	}
	if u.Limit == 0 || m.now().Sub(m.told) > askAgain {
		u.Limit = 0
		return u
	}
	u.Left = max(u.Limit-u.Used, 0)
	for _, c := range []struct {
		name Ceiling
		left int
	}{
		{PerRun, share(u.Limit, m.budget.PerRun) - u.Run},
		{PerDay, share(u.Limit, m.budget.PerDay) - u.Day},
		{Reserve, u.Limit - share(u.Limit, m.budget.Reserve) - u.Used},
		{PerApp, m.app.limit - m.app.used - m.app.since},
	} {
		// Of two that are equally near, the later one takes longer to give way.
		if (c.name != PerApp || m.app.limit > 0) && c.left <= u.Left {
			u.Left, u.Ceiling = max(c.left, 0), c.name
		}
	}
	return u
}

// share is percent of limit, one call at least.
func share(limit, percent int) int { return max(limit*percent/100, min(percent, 1)) }

// refuse says which ceiling is reached, and when it goes on.
func (m *Meter) refuse(op string, u Usage) error {
	is := func(hint, msg string, args ...any) *fault.Error {
		return fault.New(fault.Quota, op, fmt.Sprintf(msg, args...), hint, nil)
	}
	switch u.Ceiling {
	case PerRun:
		return is("the next run goes on where this one stops; raise budget.per_run if runs never come to their end",
			"this run has made %d calls, which is %d %% of the %d that the system allows in 24 hours", u.Run, m.budget.PerRun, u.Limit)
	case PerDay:
		oldest := hourOf(m.now())
		for hour := range m.hours {
			oldest = min(oldest, hour)
		}
		until := time.Unix((oldest+25)*3600, 0).UTC()
		f := is("it goes on from "+until.Format("2006-01-02 15:04 MST")+", when calls of the day before count no longer; or raise budget.per_day",
			"energyd has made %d calls in 24 hours, which is %d %% of the %d that the system allows", u.Day, m.budget.PerDay, u.Limit)
		f.RetryAfter = until.Sub(m.now())
		return f
	case PerApp:
		return is("a later run goes on; whoever bounds the app's calls in the system can raise that bound",
			"energyd has used the %d calls in 24 hours that the system's administrator allows it", m.app.limit)
	}
	return is("a later run goes on, when fewer calls were made in the 24 hours before it; look which program makes so many, or lower budget.reserve",
		"all programs together have made %d of the %d calls that the system allows in 24 hours, and %d %% are left to people", u.Used, u.Limit, m.budget.Reserve)
}
