package salesforce

import (
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
)

// The codes of rows that are looked at by themselves, too.
const (
	automationFailed = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
	lockCode         = "UNABLE_TO_LOCK_ROW"
)

func isLock(e *apiError) bool {
	return e.code() == lockCode || e.code() == automationFailed && strings.Contains(e.Message, lockCode)
}

// noAccess tells the codes of a missing right that may be missing for one record only.
func noAccess(e *apiError) bool {
	return e.code() == "INSUFFICIENT_ACCESS_OR_READONLY" || e.code() == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
}

// verdict is what a row's code means.
type verdict struct {
	outcome   connectors.Outcome
	kind      fault.Kind       // of a Deferred: auth, config and quota stop the whole writing
	class     connectors.Class // where kind does not tell it
	msg, hint string
}

func later(msg string) verdict {
	return verdict{outcome: connectors.Deferred, kind: fault.Unavailable, msg: msg}
}
func stop(kind fault.Kind, msg, hint string) verdict {
	return verdict{outcome: connectors.Deferred, kind: kind, msg: msg, hint: hint}
}
func reject(msg, hint string) verdict {
	return verdict{outcome: connectors.Rejected, kind: fault.Rejected, msg: msg, hint: hint}
}
func (v verdict) of(class connectors.Class) verdict {
	v.class = class
	return v
}

// verdicts is the table of row-level codes, salesforce.md section 14: what heals
// by itself, what every other record would meet too, and what is wrong with this
// one record. A code that is not here rejects.
var verdicts = map[string]verdict{
	lockCode:                            later("somebody else is changing the record or its account"),
	"ENTITY_IS_LOCKED":                  later("the record is locked by an approval"),
	"UNKNOWN_EXCEPTION":                 later(saveFailed),
	"REQUEST_RUNNING_TOO_LONG":          later(saveFailed),
	"TOO_MANY_APEX_REQUESTS":            later(saveFailed),
	"SERVER_UNAVAILABLE":                later(saveFailed),
	"API_ERROR":                         later(saveFailed),
	"ALL_OR_NONE_OPERATION_ROLLED_BACK": later(saveFailed),
	"PROCESSING_HALTED":                 later(saveFailed),

	"INVALID_FIELD_FOR_INSERT_UPDATE": stop(fault.Auth, "the run-as user may not edit a field", hintFLS),
	"INVALID_FIELD":                   stop(fault.Config, "the org does not know a field, or hides it from the run-as user", hintFLS),
	"INVALID_TYPE":                    stop(fault.Config, "the org does not know the object, or hides it from the run-as user", hintFLS),
	"TXN_SECURITY_METERING_ERROR":     stop(fault.Auth, "a transaction security policy stops the run-as user", "give it \"Exempt from Transaction Security\""),
	"API_DISABLED_FOR_ORG":            stop(fault.Auth, noAPI, hintAPI),
	"API_CURRENTLY_DISABLED":          stop(fault.Auth, noAPI, hintAPI),
	"FUNCTIONALITY_NOT_ENABLED":       stop(fault.Auth, noAPI, hintAPI),
	"INSUFFICIENT_ACCESS":             stop(fault.Auth, "the run-as user lacks a right", "give it the permission set that README.md of this connector lists"),
	"INVALID_SESSION_ID":              stop(fault.Auth, "the org ended the session", "see that the run-as user is active and no other program logs it out"),
	"REQUEST_LIMIT_EXCEEDED":          stop(fault.Quota, "the org's API calls of these 24 hours are used up", "wait, or ask Salesforce for more; Setup → System Overview shows who uses them"),
	"STORAGE_LIMIT_EXCEEDED":          stop(fault.Quota, "the org's data storage is full, so it saves nothing", "delete what is no longer needed, or ask Salesforce for more; Setup → Storage Usage shows what uses it"),

	"ENTITY_IS_DELETED":                             reject("the record is in the org's recycle bin", "").of(connectors.GoneRecord),
	"INVALID_CROSS_REFERENCE_KEY":                   reject("the record is gone, or hidden from the run-as user", "").of(connectors.GoneRecord),
	"INSUFFICIENT_ACCESS_OR_READONLY":               reject("the run-as user may not edit the record", hintAccess).of(connectors.NoRight),
	"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": reject("the run-as user may not edit a record that belongs to it", hintAccess).of(connectors.NoRight),
	"FIELD_CUSTOM_VALIDATION_EXCEPTION":             reject("a validation rule of the org refuses the record", "correct the record, or let the rule pass changes by the run-as user"),
	automationFailed:                                reject("an automation of the org fails on the record", "show the words below to who maintains the org's flows and triggers"),
	"REQUIRED_FIELD_MISSING":                        reject("a required field of the record is empty", "fill it in the org, or make it not required"),
	"DUPLICATE_VALUE":                               reject(duplicate, hintDuplicate).of(connectors.Ambiguous),
	"DUPLICATES_DETECTED":                           reject(duplicate, hintDuplicate).of(connectors.Ambiguous),
	"DUPLICATE_EXTERNAL_ID":                         reject(duplicate, hintDuplicate).of(connectors.Ambiguous),
	"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":       reject("the picklist does not have the value", "add it to the picklist, or map the measure to a text field"),
	"STRING_TOO_LONG":                               reject("the text is longer than the field", "make the field longer, and plan again"),
	"NUMBER_OUTSIDE_VALID_RANGE":                    reject("the number has more digits than the field", "give the field more digits, and plan again"),
	"INVALID_PERSON_ACCOUNT_OPERATION":              reject("the record is a person account, whose fields are written on the account", "map the measure to a field of Account"),
	"MALFORMED_ID":                                  reject("the org does not take the record's id", "report this"),
	"INVALID_TYPE_ON_FIELD_IN_RECORD":               reject("the field does not take this type of value", "map the measure to a field of its type"),
	"JSON_PARSER_ERROR":                             reject("the field does not take this type of value", "map the measure to a field of its type"),
}

const (
	saveFailed    = "the org could not save the record this time"
	noAPI         = "the org does not allow API calls"
	hintAPI       = "the org's edition needs API access, and the run-as user the permission \"API Enabled\""
	hintAccess    = "give it Edit for the object and access to the record"
	duplicate     = "a duplicate rule or a unique field of the org refuses the record"
	hintDuplicate = "merge the duplicates, or let the rule pass changes by the run-as user"
)

// judge gives the result of a row that the org did not save.
func judge(object string, said *apiError) connectors.Result {
	v, known := verdicts[said.code()]
	switch {
	case isLock(said):
		v = verdicts[lockCode]
	case said.code() == "REQUEST_LIMIT_EXCEEDED" && strings.Contains(said.Message, "Concurrent"):
		v = later("too many long calls run in the org at once")
	case !known:
		v = reject("the org refused the record", "")
	}
	return connectors.Result{Outcome: v.outcome, Class: v.class, Err: fault.New(v.kind, "write "+object, v.msg, v.hint, said)}
}

// stops tells whether a result is one that every other record would get too.
func stops(r connectors.Result) bool {
	if r.Outcome != connectors.Deferred {
		return false
	}
	switch fault.KindOf(r.Err) {
	case fault.Auth, fault.Config, fault.Quota:
		return true
	}
	return false
}

// wholesale is from how many rows, all refused for access, the right is taken to be missing altogether.
const wholesale = 200

// accessDenied is the result of rows that were refused for access to the last one.
func accessDenied(object string, said *apiError) connectors.Result {
	return connectors.Result{Outcome: connectors.Deferred, Err: fault.New(fault.Auth, "write "+object,
		"the run-as user may not edit any of the records", "give it Edit for the object and access to the records; README.md of this connector lists its permission set", said)}
}
