package crmsim

import (
	"fmt"
	"slices"
)

// Outcomes are the lines of behaviour that no public source settles (marked K
// in conformance.md section 3), with the outcomes that the fault "known" can
// choose. The first one is the default.
var Outcomes = map[string][]string{
	"S26":  {"not_found", "gone"},                             // a version that is not listed: 404 NOT_FOUND, or 410
	"S38":  {"accepted", "refused"},                           // ids of 15 characters in filters
	"S39":  {"any_zone", "z_only"},                            // datetime literals with milliseconds or an offset
	"S41":  {"ignores_case", "exact"},                         // comparing texts with = != < > IN
	"S43":  {"NUMBER_OUTSIDE_VALID_RANGE", "MALFORMED_QUERY"}, // the code for OFFSET over 2000
	"S45":  {"total_size", "in_a_row"},                        // where COUNT() stands
	"S49":  {"refused", "accepted"},                           // FIELDS(ALL) without LIMIT 200
	"S64":  {"both", "id"},                                    // whether a collection may also spell it "Id"; the documentation writes "id"
	"S66":  {"moves", "keeps"},                                // stamps, when a write changes no value
	"S68":  {"rounded", "kept", "refused"},                    // more decimals than the field's scale
	"S74":  {"last", "refused"},                               // the same id twice in one collection
	"S76":  {"null", "left_out"},                              // rows that a retrieve does not find
	"S79":  {"200", "204"},                                    // an upsert by URL that updated
	"S104": {"refused", "accepted"},                           // OFFSET in a bulk query
	"S107": {"calls", "parts"},                                // whether the parts of a composite request cost a call each, too
	"S98":  {"412", "400"},                                    // the status of JOB_NOT_COMPLETE
	"S108": {"TotalRequests", "other_words"},                  // the text of the daily limit
	"S119": {"keeps", "moves"},                                // the stamp of an activity when only its relations change
	"S120": {"moves", "keeps"},                                // stamps of rows that a merge gives another parent
	"S121": {"moves", "keeps"},                                // stamps, when a row is undeleted
}

// outcome gives what was chosen for an unconfirmed behaviour.
func (s *Server) outcome(line string) string {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	if chosen, ok := s.control.known[line]; ok {
		return chosen
	}
	return Outcomes[line][0]
}

// choose is the fault known. The caller holds c.mu.
func (c *control) choose(line, outcome string) error {
	if !slices.Contains(Outcomes[line], outcome) {
		return fmt.Errorf("fault known: line %q has no outcome %q", line, outcome)
	}
	c.known[line] = outcome
	return nil
}
