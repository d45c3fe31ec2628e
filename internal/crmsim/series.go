package crmsim

import (
	"fmt"
	"math/bits"
	"time"
)

// occurrences makes the rows of a series out of its template.
func (s *Server) occurrences(template *record, lists map[string][]string, by rights) (also []change, err error) {
	also = append(also, s.put(template, map[string]any{"RecurrenceActivityId": template.value(colID)}))
	kind := template.latestText("RecurrenceType")
	if kind == "" {
		return also, nil // the occurrences are made one by one
	}
	if template.obj.name == "Task" && template.latest("ActivityDate") != nil {
		return also, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"ActivityDate"}, "a recurring task has no due date of its own")
	}
	from, clock := template.latestText("RecurrenceStartDateOnly"), time.Duration(0)
	length := time.Duration(0)
	if template.obj.name == "Event" {
		first, _ := template.latest("RecurrenceStartDateTime").(int64)
		at := time.Unix(first, 0).UTC()
		from, clock = at.Format(time.DateOnly), at.Sub(at.Truncate(24*time.Hour))
		minutes, _ := template.latest("DurationInMinutes").(float64)
		length = time.Duration(minutes) * time.Minute
	}
	day, err := time.Parse(time.DateOnly, from)
	end, endErr := time.Parse(time.DateOnly, template.latestText("RecurrenceEndDateOnly"))
	if err != nil || endErr != nil || end.Before(day) {
		return also, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"RecurrenceEndDateOnly"}, "a series needs its first and its last day")
	}
	values := map[string]any{"RecurrenceActivityId": template.id(), "CreatedDate": shown(template.latest("CreatedDate")),
		"LastModifiedDate": shown(template.latest("LastModifiedDate")), "SystemModstamp": shown(template.latest("SystemModstamp"))}
	for _, name := range []string{"WhoId", "WhatId", "OwnerId", "Subject", "Description", "Status", "Priority", "TaskSubtype", "CallType", "Location", "ShowAs", "IsPrivate"} {
		if v := template.latest(name); v != nil {
			values[name] = v
		}
	}
	start := day
	for n := 0; !day.After(end); day = day.AddDate(0, 0, 1) {
		if !recurs(kind, template, start, day) {
			continue
		}
		if n++; n > maxOccurrences {
			return also, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"RecurrenceEndDateOnly"}, "a series has at most %d occurrences", maxOccurrences)
		}
		if template.obj.name == "Task" {
			values["ActivityDate"] = day
		} else {
			values["StartDateTime"], values["EndDateTime"] = day.Add(clock), day.Add(clock+length)
		}
		given := map[string]any{}
		for name, v := range values {
			given[name] = v
		}
		for name, ids := range lists {
			given[name] = ids
		}
		c, err := s.insert(template.obj, given, rights{by.user, true})
		if err != nil {
			return also, fmt.Errorf("an occurrence of %s: %w", day.Format(time.DateOnly), err)
		}
		also = append(also, c)
	}
	return also, nil
}

// recurs tells whether a series that begins on start has an occurrence on a day.
func recurs(kind string, template *record, start, day time.Time) bool {
	number := func(name string, otherwise int) int {
		if n, ok := template.latest(name).(float64); ok && n >= 1 {
			return int(n)
		}
		return otherwise
	}
	every := number("RecurrenceInterval", 1)
	days := int(day.Sub(start).Hours() / 24)
	switch kind {
	case "RecursDaily":
		return days%every == 0
	case "RecursEveryWeekday":
		return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
	case "RecursWeekly":
		mask := uint(number("RecurrenceDayOfWeekMask", 1<<start.Weekday())) // Sunday is 1, Monday 2, Tuesday 4 …
		week := (days + int(start.Weekday())) / 7
		return bits.OnesCount(mask&(1<<day.Weekday())) == 1 && week%every == 0
	case "RecursMonthly":
		months := 12*(day.Year()-start.Year()) + int(day.Month()) - int(start.Month())
		return day.Day() == number("RecurrenceDayOfMonth", start.Day()) && months%every == 0
	}
	return false
}
