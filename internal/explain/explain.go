// Package explain says why a number is what it is: from a score down to dated
// activities, the points rule of each, the mapping line that read it and the
// source record. It is pure; names come from the caller.
package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"energyd/engine"
)

// Names gives the CRM's name of an entity, "" when it has none.
type Names func(engine.Entity) (string, error)

// Explanation is the whole answer for one entity on one date.
type Explanation struct {
	Kind        string  `json:"entity"` // account, contact, deal, rep, group
	ID          string  `json:"id"`
	Name        string  `json:"name,omitempty"`
	AsOf        string  `json:"as_of"`
	Temperature float64 `json:"temperature"` // points
	Band        string  `json:"band"`
	BandUntil   string  `json:"band_until,omitempty"`
	HalfLife    float64 `json:"half_life_days"`
	Table       string  `json:"table_version"`
	Trend       string  `json:"trend,omitempty"`
	Alarms      []Alarm `json:"alarms,omitempty"`
	// Since says what became of the temperature that the CRM was last given; nil when it was given none, or is up to date.
	Since *Since `json:"since_written,omitempty"`
	Parts []Part `json:"parts"` // all of them; the shares add up to Temperature, to the thousandth
	// Accounts are those that make up a group, the largest first; their points add up to those of Parts exactly.
	Accounts []GroupAccount `json:"accounts,omitempty"`
	// Undelivered are the people, of an account or the contact itself, whose last mail came back.
	Undelivered []Undelivered `json:"undelivered,omitempty"`
}

// Since is how a temperature came from the one that the CRM was last given, in points. Was + New + Decay + Corrections is Temperature.
type Since struct {
	Date        string  `json:"date"`
	Was         float64 `json:"temperature"`
	New         float64 `json:"new"`
	Decay       float64 `json:"decay"`
	Corrections float64 `json:"corrections"` // contacts that came late, were changed or deleted; another points table
}

// Part is one activity's part of a temperature.
type Part struct {
	Date     string   `json:"date"`
	Kind     string   `json:"kind"` // label in the tenant's language
	People   []string `json:"people,omitempty"`
	Points   float64  `json:"points"`       // earned on the date
	Share    float64  `json:"points_today"` // what is left of them, to the thousandth; of all parts they add up to the temperature
	Rule     string   `json:"rule"`         // "rank 3 × keyman 1.5 × kind 6 = 27"
	Mapping  string   `json:"mapping,omitempty"`
	Source   string   `json:"source"`
	Record   string   `json:"record"`               // the source record's key
	Account  string   `json:"account_id,omitempty"` // of a group's part
	Sentence string   `json:"sentence"`
	// Members are the records that tell of this one contact, where several do; Source and Record are those of the first.
	Members []Member `json:"members,omitempty"`
	// Of is what the engine found, for who draws it; Of.Share is not rounded.
	Of engine.Part `json:"-"`
}

// Member is one of several records of a contact.
type Member struct {
	Source  string         `json:"source"`
	Record  string         `json:"record"`
	Mapping string         `json:"mapping,omitempty"`
	Gave    []engine.Given `json:"gave,omitempty"` // what the contact has of it: kind, time, people, rank, keyman, cues, deals, reps
}

// Undelivered is a person whose last mail came back.
type Undelivered struct {
	Date    string `json:"date"`
	Contact string `json:"contact_id"`
	Name    string `json:"name,omitempty"`
	Source  string `json:"source"`
	Record  string `json:"record"` // the key of the report's record
}

// Explainer explains with one points table, in one language ("ja" or "en").
type Explainer struct {
	Points   *engine.Points
	HalfLife float64
	Language string
	Names    Names
	Groups   *engine.Hierarchy        // nil where no groups are explained
	named    map[engine.Entity]string // so that each is asked for once
}

// name gives an entity's name. It remembers some of them: reps and people come again and again.
func (x *Explainer) name(e engine.Entity) (string, error) {
	if name, ok := x.named[e]; ok {
		return name, nil
	}
	name, err := x.Names(e)
	x.Learn(e, name)
	return name, err
}

// Explain explains e's score; acts are all activities that may belong to it.
func (x *Explainer) Explain(acts []engine.Activity, e engine.Entity, score engine.Score) (Explanation, error) {
	name, err := x.name(e)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{
		Kind: e.Kind.String(), ID: e.ID, Name: name, AsOf: score.AsOf.String(), Temperature: score.Temperature,
		Band: x.Points.Band(score.Band).Label.In(x.Language), BandUntil: score.BandUntil.String(),
		HalfLife: x.HalfLife, Table: x.Points.Version(), Parts: []Part{},
		Trend: TrendLabel(score.Trend).In(x.Language),
	}
	for _, a := range score.Alarms {
		out.Alarms = append(out.Alarms, x.alarm(a))
	}
	parts := x.Points.Reasons(acts, e, x.Groups, score.AsOf, len(acts))
	for _, p := range parts {
		part, err := x.part(acts[p.Activity], p, e)
		if err != nil {
			return Explanation{}, err
		}
		for _, m := range p.Members {
			a := acts[m.Activity]
			part.Members = append(part.Members, Member{a.Source, a.ID, a.Mapping, m.Gave})
		}
		out.Parts = append(out.Parts, part)
	}
	out.round()
	if e.Kind == engine.CompanyGroup {
		if out.Accounts, err = x.groupAccounts(acts, parts); err != nil {
			return Explanation{}, err
		}
	}
	if e.Kind == engine.Account || e.Kind == engine.Contact {
		out.Undelivered, err = x.Undelivered(acts, score.AsOf)
		out.Undelivered = slices.DeleteFunc(out.Undelivered, func(u Undelivered) bool { return e.Kind == engine.Contact && u.Contact != e.ID })
	}
	return out, err
}

// round rounds the shares so that they add up to the temperature as it is shown.
func (e *Explanation) round() {
	shares := make([]float64, len(e.Parts))
	for i, p := range e.Parts {
		shares[i] = p.Share
	}
	for i, whole := range thousandths(shares) {
		e.Parts[i].Share = float64(whole) / 1000
	}
}

// Undelivered lists the people among the activities of an account whose last mail came back.
func (x *Explainer) Undelivered(acts []engine.Activity, asOf engine.Date) ([]Undelivered, error) {
	var list []Undelivered
	for _, u := range x.Points.Undelivered(acts, asOf) {
		name, err := x.name(engine.Entity{Kind: engine.Contact, ID: u.Contact})
		if err != nil {
			return nil, err
		}
		list = append(list, Undelivered{u.Date.String(), u.Contact, name, acts[u.Activity].Source, acts[u.Activity].ID})
	}
	return list, nil
}

// Learn tells an entity's name, so that it is not asked for.
func (x *Explainer) Learn(e engine.Entity, name string) {
	if x.named == nil || len(x.named) > 10_000 {
		x.named = map[engine.Entity]string{}
	}
	x.named[e] = name
}

// Reason is an activity that weighs much today, for CRM fields.
type Reason struct {
	of       engine.Entity
	activity engine.Activity
	part     engine.Part
}

// Reasons gives the parts that weigh most today, no more than most.
func (x *Explainer) Reasons(acts []engine.Activity, e engine.Entity, asOf engine.Date, most int) []Reason {
	parts := x.Points.Reasons(acts, e, x.Groups, asOf, most)
	reasons := make([]Reason, len(parts))
	for i, p := range parts {
		reasons[i] = Reason{e, acts[p.Activity], p}
	}
	return reasons
}

// Names lists whom the sentence names.
func (r Reason) Names() []engine.Entity {
	var named []engine.Entity
	if r.of.Kind == engine.CompanyGroup {
		named = append(named, engine.Entity{Kind: engine.Account, ID: r.activity.Account})
	}
	for _, t := range r.part.Terms {
		if t.Contact != "" {
			named = append(named, engine.Entity{Kind: engine.Contact, ID: t.Contact})
		}
	}
	return named
}

// Sentence tells a reason to people.
func (x *Explainer) Sentence(r Reason) (string, error) {
	part, err := x.part(r.activity, r.part, r.of)
	return part.Sentence, err
}

// part is an activity's part of e's temperature.
func (x *Explainer) part(a engine.Activity, p engine.Part, e engine.Entity) (Part, error) {
	out := Part{
		Date: p.Date.String(), Kind: x.Points.KindLabel(p.Kind).In(x.Language),
		Points: float64(p.Milli) / 1000, Share: p.Share, Rule: x.rule(p),
		Mapping: a.Mapping, Source: a.Source, Record: a.ID, Of: p,
	}
	if out.Kind == "" {
		out.Kind = p.Kind
	}
	if d := x.direction(p.Direction); d != "" {
		out.Kind += d
	}
	for _, t := range p.Terms {
		person, err := x.person(t)
		if err != nil {
			return out, err
		}
		out.People = append(out.People, person)
	}
	out.Sentence = x.sentence(out)
	if e.Kind == engine.CompanyGroup {
		out.Account = a.Account
		name, err := x.name(engine.Entity{Kind: engine.Account, ID: a.Account})
		if err != nil {
			return out, err
		}
		out.Sentence = cmp.Or(name, a.Account) + ": " + out.Sentence
	}
	return out, nil
}

func (x *Explainer) direction(d engine.Direction) string {
	switch {
	case d == engine.Inbound && x.Language == "ja":
		return "（先方から）"
	case d == engine.Outbound && x.Language == "ja":
		return "（当社から）"
	case d == engine.Inbound:
		return " (from them)"
	case d == engine.Outbound:
		return " (from us)"
	}
	return ""
}

func (x *Explainer) person(t engine.Term) (string, error) {
	rank := x.Points.RankLabel(t.RankName).In(x.Language)
	if rank == "" {
		rank = t.RankName
	}
	if t.Keyman && x.Language == "ja" {
		rank += "・キーマン"
	} else if t.Keyman {
		rank += ", keyman"
	}
	if t.Contact == "" {
		return rank, nil
	}
	name, err := x.name(engine.Entity{Kind: engine.Contact, ID: t.Contact})
	switch {
	case name == "":
		return rank, err
	case x.Language == "ja":
		return name + "（" + rank + "）", err
	}
	return name + " (" + rank + ")", err
}

// sentence is one reason as a sales person reads it. It holds the points as
// earned, not what is left of them, so that it stays the same from day to day.
func (x *Explainer) sentence(p Part) string {
	people := p.People
	more := ""
	if len(people) > 2 {
		if x.Language == "ja" {
			more = fmt.Sprintf(" ほか%d名", len(people)-2)
		} else {
			more = fmt.Sprintf(" and %d more", len(people)-2)
		}
		people = people[:2]
	}
	if x.Language == "ja" {
		return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s%s %s点", p.Date, p.Kind, strings.Join(people, "、"), more, points(p.Points))), " ")
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s%s %s points", p.Date, p.Kind, strings.Join(people, ", "), more, points(p.Points))), " ")
}

// rule writes the arithmetic of a part: each participant's factors, then how they add up.
func (x *Explainer) rule(p engine.Part) string {
	terms := make([]string, 0, len(p.Terms))
	for _, t := range p.Terms {
		terms = append(terms, x.term(t))
	}
	s := strings.Join(terms, "; ")
	switch {
	case len(p.Terms) == 1 && p.Terms[0].Milli == p.Milli:
		return s
	case p.Whole == p.Milli:
		return s + " → " + milli(p.Milli)
	}
	return s + " → " + milli(p.Whole) + engine.Label{Ja: "、按分 ", En: ", share "}.In(x.Language) + milli(p.Milli)
}

// term writes "rank 3 × keyman 1.5 × kind 6 = 27"; factors of 1 that say nothing are left out.
func (x *Explainer) term(t engine.Term) string {
	say := func(ja, en string) string { return engine.Label{Ja: ja, En: en}.In(x.Language) }
	factors := []string{say("役職 ", "rank ") + points(t.RankPoints)}
	add := func(name string, f float64) {
		if f != 1 {
			factors = append(factors, name+" "+points(f))
		}
	}
	add(say("キーマン", "keyman"), t.KeymanFactor)
	factors = append(factors, say("接触方法 ", "kind ")+points(t.KindPoints))
	if t.CueFactor != 1 {
		names := make([]string, len(t.Cues))
		for i, c := range t.Cues {
			names[i] = say(cmp.Or(x.Points.CueLabel(c.Name).Ja, c.Name), c.Name)
		}
		add(strings.Join(names, "+"), t.CueFactor)
	}
	add(say("ソース", "source"), t.SourceFactor)
	add(say("参加の立場", "role"), t.RoleFactor)
	s := strings.Join(factors, " × ")
	if t.Bonus != 0 {
		s += " + " + points(t.Bonus)
	}
	return s + " = " + milli(t.Milli)
}

func points(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func milli(m int64) string { return points(float64(m) / 1000) }
