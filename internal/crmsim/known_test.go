package crmsim

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// Lines marked K in conformance.md section 3: each outcome of each line that is
// about reading or about requests. S66, S68, S74, S119 to S121 stand with their subjects.
func TestKnown_outcomes(t *testing.T) {
	code := func(g got) string {
		if g.status == 200 {
			return fmt.Sprint(len(g.records()))
		}
		return fmt.Sprint(g.status, " ", g.array()[0]["errorCode"])
	}
	query := func(soql string) func(o *org) string {
		return func(o *org) string { return code(o.query(soql)) }
	}
	id := newID("001", 1)
	for line, tc := range map[string]struct {
		try  func(o *org) string
		want map[string]string
	}{
		"S26": {func(o *org) string { return code(o.send("GET", "/services/data/v12.0/limits", "")) },
			map[string]string{"not_found": "404 NOT_FOUND", "gone": "410 UNSUPPORTED_API_VERSION"}},
		"S38": {query("SELECT Id FROM Account WHERE Id = '" + id[:15] + "'"),
			map[string]string{"accepted": "1", "refused": "400 INVALID_QUERY_FILTER_OPERATOR"}},
		"S39": {func(o *org) string {
			return query("SELECT Id FROM Account WHERE SystemModstamp > 2020-01-01T00:00:00Z")(o) + ", " +
				query("SELECT Id FROM Account WHERE SystemModstamp > 2020-01-01T00:00:00.123Z")(o) + ", " +
				query("SELECT Id FROM Account WHERE SystemModstamp > 2020-01-01T00:00:00+00:00")(o) + ", " +
				code(o.send("GET", api+"/query?q="+strings.ReplaceAll(url.QueryEscape("SELECT Id FROM Account WHERE SystemModstamp > 2020-01-01T00:00:00+00:00"), "%2B", "+"), ""))
		}, map[string]string{"any_zone": "2, 2, 2, 400 MALFORMED_QUERY", "z_only": "2, 400 MALFORMED_QUERY, 400 MALFORMED_QUERY, 400 MALFORMED_QUERY"}},
		"S41": {func(o *org) string {
			return query("SELECT Id FROM Account WHERE Name = 'ACME'")(o) + query("SELECT Id FROM Account WHERE Name IN ('ACME')")(o) + query("SELECT Id FROM Account WHERE Name != 'ACME'")(o)
		}, map[string]string{"ignores_case": "111", "exact": "002"}},
		"S43": {query("SELECT Id FROM Account OFFSET 2001"),
			map[string]string{"NUMBER_OUTSIDE_VALID_RANGE": "400 NUMBER_OUTSIDE_VALID_RANGE", "MALFORMED_QUERY": "400 MALFORMED_QUERY"}},
		"S45": {func(o *org) string { return o.query("SELECT COUNT() FROM Account").body },
			map[string]string{"total_size": `{"totalSize":2,"done":true,"records":[]}`,
				"in_a_row": `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"expr0":2}]}`}},
		"S49": {query("SELECT FIELDS(ALL) FROM Account"), map[string]string{"refused": "400 MALFORMED_QUERY", "accepted": "2"}},
		"S64": {func(o *org) string {
			var codes []string
			for _, spelling := range []string{"id", "Id"} {
				codes = append(codes, o.send("PATCH", api+"/composite/sobjects", `{"records":[{"attributes":{"type":"Account"},"`+spelling+`":"`+id+`"}]}`).rowCodes())
			}
			return strings.Join(codes, " ")
		}, map[string]string{"both": "ok ok", "id": "ok MISSING_ARGUMENT"}},
		"S76": {func(o *org) string {
			return o.send("POST", api+"/composite/sobjects/Account", `{"ids":["`+newID("001", 9)+`","`+id+`"],"fields":["Name"]}`).body
		}, map[string]string{
			"null":     `[null,{"attributes":{"type":"Account","url":"` + api + `/sobjects/Account/` + id + `"},"Name":"Acme"}]`,
			"left_out": `[{"attributes":{"type":"Account","url":"` + api + `/sobjects/Account/` + id + `"},"Name":"Acme"}]`}},
		"S104": {func(o *org) string {
			a := o.send("POST", api+"/jobs/query", `{"operation":"query","query":"SELECT Id FROM Account ORDER BY Id OFFSET 1"}`)
			if a.status != 200 {
				return code(a)
			}
			job := api + "/jobs/query/" + a.object()["id"].(string)
			o.finish(job)
			return o.page(job, "").body
		}, map[string]string{"refused": "400 FEATURENOTENABLED", "accepted": "\"Id\"\n\"" + newID("001", 2) + "\"\n"}},
		"S107": {func(o *org) string {
			o.send("POST", api+"/composite/batch", `{"batchRequests":[{"method":"GET","url":"v66.0/limits"},{"method":"GET","url":"v66.0/limits"}]}`)
			return o.send("GET", api+"/limits", "").header.Get("Sforce-Limit-Info")
		}, map[string]string{"calls": "api-usage=2/15000", "parts": "api-usage=4/15000"}},
		"S108": {func(o *org) string {
			o.inject(Fault{Name: "quota", Used: 5, Max: 5})
			g := o.send("GET", api+"/limits", "")
			g.refused(403, "REQUEST_LIMIT_EXCEEDED")
			return g.array()[0]["message"].(string)
		}, map[string]string{"TotalRequests": "TotalRequests Limit exceeded.", "other_words": "The organization has reached its limit of API requests."}},
	} {
		if len(tc.want) != len(Outcomes[line]) {
			t.Errorf("%s: %d outcomes are tried of %v", line, len(tc.want), Outcomes[line])
		}
		for outcome, want := range tc.want {
			t.Run(line+" "+outcome, func(t *testing.T) {
				o := newOrg(t, Options{})
				o.insert("Account", map[string]any{"Name": "Acme"})
				o.insert("Account", map[string]any{"Name": "北陸"})
				if outcome != Outcomes[line][0] { // the first is there without being asked for
					o.inject(Fault{Name: "known", Line: line, Outcome: outcome})
				}
				if got := tc.try(o); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}
