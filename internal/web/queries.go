package web

import (
	"maps"
	"net/url"
	"slices"
)

// Query parameters of several pages.
var (
	ofFigures = []string{"sort", "order", "page"}
	ofTables  = append([]string{"owner", "segment", "band", "only"}, ofFigures...) // rows are about customers
	ofRejects = []string{"source", "class", "code"}
)

// queries are the query parameters of pages. A view is given no others, and openapi.json names the same.
var queries = map[string][]string{
	"search": {"q"},
	"months": overMonths(ofTables), "ranks": overMonths(ofTables), "past": overMonths(ofTables), "rankings": overMonths(ofTables),
	"reps": overMonths(ofFigures), "funnel": overMonths(ofFigures),
	"attention": ofTables, "deals": ofTables, "crosssell": ofTables,
	"runs": {"page"}, "plans": {"page"}, "plan": {"state", "after"}, "undo": {"record"}, "start": {"source"},
	"rejects": append([]string{"dropped", "page"}, ofRejects...), "reject": append([]string{"key"}, ofRejects...),
	"decide":        append([]string{"act", "key", "dropped"}, ofRejects...),
	"configuration": {"file"}, "journal": {"act", "since", "page"},
}

func overMonths(names []string) []string { return append([]string{"months"}, names...) }

// shownBy are query parameters of how a page is shown, which its JSON has not: as a file, looking again by itself, with all reasons.
var shownBy = []string{"format", "follow", "all"}

// declared leaves of what is asked for that which the page declares, and more.
func declared(p *page, query url.Values, more ...string) url.Values {
	query = maps.Clone(query)
	maps.DeleteFunc(query, func(name string, _ []string) bool {
		return !slices.Contains(queries[p.name], name) && !slices.Contains(more, name)
	})
	return query
}
