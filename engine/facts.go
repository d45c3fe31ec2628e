package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Facts are what the directory says of an entity for reports, by the names of
// FactsOf: "stage" → "Proposal", "amount" → "1200000". Scores never depend on
// them. A name that is missing was not told.
type Facts map[string]string

// FactType says how a fact is written.
type FactType uint8

// The types of facts.
const (
	FactText   FactType = iota
	FactNumber          // decimal, without separators: "1200000.5"
	FactTruth           // "true" or "false"
	FactDay             // "2026-03-31", or an instant in RFC 3339
	FactList            // texts with ";" between them
)

// FactsOf gives the facts that an entity of a kind may have, and their types.
func FactsOf(kind EntityKind) map[string]FactType { return factTypes[kind] }

var factTypes = map[EntityKind]map[string]FactType{
	Account: {"important": FactTruth, "target": FactTruth, "segment": FactText},
	Deal: {
		"stage": FactText, "amount": FactNumber, "margin": FactNumber, "currency": FactText, "products": FactList,
		"opened_on": FactDay, "closes_on": FactDay, "closed": FactTruth, "won": FactTruth,
	},
	Rep:   {"team": FactText, "target": FactNumber},
	Stage: {"deal": FactText, "reached_at": FactDay},
}

// True tells that a fact is told and true.
func (f Facts) True(name string) bool { return f[name] == "true" }

// Number gives a fact that is a number; false when it was not told.
func (f Facts) Number(name string) (float64, bool) {
	n, err := strconv.ParseFloat(f[name], 64)
	return n, err == nil
}

// List gives the elements of a fact that is a list, each once.
func (f Facts) List(name string) []string {
	var list []string
	for part := range strings.SplitSeq(f[name], ";") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	return list
}

// Day gives a fact that is a day, in the zone of the points table; NoDate when it was not told.
func (f Facts) Day(name string, p *Points) Date {
	text := f[name]
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return p.BusinessDate(t)
	}
	if d, err := ParseDate(text); err == nil {
		return d
	}
	return NoDate
}
