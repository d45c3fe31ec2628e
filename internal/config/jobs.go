package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"energyd/internal/fault"
	"energyd/internal/notice"
	"energyd/internal/schedule"
	"energyd/internal/telemetry"
	"energyd/sink"
)

// jobs reads the schedules when the file is loaded: a daemon that is told to read
// it again keeps its old one then, and nobody waits for a night that never comes.
func (l *loader) jobs(t top) {
	zone, err := time.LoadLocation(l.config.Zone)
	if err != nil {
		return // which is a problem of its own
	}
	l.job("", "", t.Schedule, t.Missed, zone)
	for _, s := range l.config.Sources {
		l.job("sources."+s.Name+".", s.Name, s.Schedule, s.missed, zone)
	}
	for _, j := range l.config.Jobs {
		l.follows(j)
	}
}

// job adds the job of a source, or that of all for "", whose options begin with path.
func (l *loader) job(path, source, text, missed string, zone *time.Location) {
	switch schedule.Missed(missed) {
	case "", schedule.Once, schedule.Skip:
	default:
		l.problems.Add(path+"missed", "unknown policy %q; known are once (one run makes up for all starts that were missed) and skip", missed)
	}
	if text == "" {
		return
	}
	s, err := schedule.Parse(text, zone)
	switch {
	case err != nil:
		l.problems = append(l.problems, fault.Problem{Path: path + "schedule", Msg: err.Error(), Hint: fault.HintOf(err)})
	case source == "" && (s.OnNews() || s.After() != ""):
		l.problems = append(l.problems, fault.Problem{Path: path + "schedule", Msg: fmt.Sprintf("schedule %q: only sources wait for something", text),
			Hint: `write when everything is read and written, as "0 2 * * *" (at 02:00 every day) or "every 2h"`})
	default:
		l.config.Jobs = append(l.config.Jobs, schedule.Job{Source: source, Schedule: s, Missed: schedule.Missed(missed)})
	}
}

// follows checks that what a job follows is read by a schedule in the end.
func (l *loader) follows(j schedule.Job) {
	path := "sources." + j.Source + ".schedule"
	for seen := []string{j.Source}; j.Schedule.After() != ""; {
		name := j.Schedule.After()
		var names []string
		for _, s := range l.config.Sources {
			names = append(names, s.Name)
		}
		if !slices.Contains(names, name) {
			l.problems.Add(path, "there is no source %q%s", name, suggest(name, names))
			return
		}
		if seen = append(seen, name); slices.Contains(seen[:len(seen)-1], name) {
			l.problems.Add(path, "the sources wait for each other: %s", strings.Join(seen, " after "))
			return
		}
		i := slices.IndexFunc(l.config.Jobs, func(other schedule.Job) bool { return other.Source == name })
		if i < 0 {
			l.problems.Add(path, "%s has no schedule of its own, so nothing follows it; what has none is read with all others", name)
			return
		}
		j = l.config.Jobs[i]
	}
}

// http takes where energyd run serves health and metrics.
func (l *loader) http(h telemetry.HTTP) {
	l.problems = append(l.problems, h.Problems()...)
	h.Certificate, h.Key = l.path("http.certificate", h.Certificate), l.path("http.key", h.Key)
	l.config.HTTP = h
}

// notices takes who is told of alerts and alarms.
func (l *loader) notices(n notice.Settings) {
	l.problems = append(l.problems, n.Problems()...)
	n.Mail.CAFile = l.path("notices.mail.ca_file", n.Mail.CAFile)
	l.config.Notices = n
}

// tasks takes which alarms become to-dos in which CRM.
func (l *loader) tasks(t sink.AlarmTasks) {
	l.config.Tasks = t
	l.problems = append(l.problems, t.Problems()...)
	if t.Connection == "" {
		return
	}
	if connector, ok := l.connectionOf("alarms.tasks", t.Connection); ok && !connector.Writes {
		l.problems.Add("alarms.tasks.connection", "the connection %q is of type %s, which cannot be written to", t.Connection, connector.Name)
	}
	if len(l.config.Write) == 0 {
		l.problems.Add("alarms.tasks", "tasks are a part of plans: there has to be a write section too")
	}
}
