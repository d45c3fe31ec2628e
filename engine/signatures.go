package engine

import "time"

// Points is a compiled points table. It is immutable and safe for concurrent use.
type Points struct{}

// Period is a month of the tenant's reckoning: year*12 + month-1. With a closing day it carries the month it ends in.
type Period int32

// String gives "2026-03".
func (p Period) String() string { panic("todo") }

// PeriodSum is the energy earned in one period, undecayed.
type PeriodSum struct {
	Period  Period
	Milli   int64
	ByClass [NumClasses]int64
}

// Score is what an entity's cells say on one date.
type Score struct {
	AsOf        Date
	Earned      []PeriodSum // oldest first, periods without energy left out
	Stock       float64     // temperature on Last, points
	Last        Date        // last date with energy, NoDate = none
	Temperature float64     // on AsOf, points
	Band        int         // 0 = coldest
	BandUntil   Date        // first day on which the band falls without news; NoDate = never
	Due         Date        // next day after AsOf on which anything shown changes without news; NoDate = never
}

// EntityScore is the score of one entity.
type EntityScore struct {
	Entity
	Score
}

// BandInfo names a band.
type BandInfo struct {
	Name  string
	Label Label
}

// CueTerm is one cue's part in a Term.
type CueTerm struct {
	Name   string
	Factor float64
	Bonus  float64
}

// Term is what one participant earns, with the numbers of the rule. In mode
// multiply Milli/1000 = Rank × Keyman × Kind × Cue × Source × Role + Bonus.
type Term struct {
	Contact  string
	RankName string // "unknown" when not known
	Keyman   bool
	Role     Role

	RankPoints, KeymanFactor, KindPoints float64
	CueFactor, SourceFactor, RoleFactor  float64
	Bonus                                float64
	Cues                                 []CueTerm
	Milli                                int64
}

// Part is one activity's part of an entity's temperature.
type Part struct {
	Activity  int // index into the activities given
	Date      Date
	Kind      string
	Direction Direction
	Milli     int64   // what the entity earned by it
	Whole     int64   // what the account earned by it; Milli is a share of it, or one participant's own points
	Share     float64 // points of today's temperature
	Terms     []Term  // participants, most points first; a contact's part holds its own only
}

// Unmapped is a value that activities use and the points table lacks.
type Unmapped struct {
	Field string // "kind", "rank", "cue"
	Value string // "" = rank not known
	Count int
}

func (c *PointsConfig) Validate() error                                           { panic("todo") }
func Compile(c *PointsConfig) (*Points, error)                                    { panic("todo") }
func (p *Points) Version() string                                                 { panic("todo") }
func (p *Points) Fingerprint() string                                             { panic("todo") }
func (p *Points) Warnings() []string                                              { panic("todo") }
func (p *Points) Kinds() []string                                                 { panic("todo") }
func (p *Points) Ranks() []string                                                 { panic("todo") }
func (p *Points) Cues() []string                                                  { panic("todo") }
func (p *Points) KindLabel(kind string) Label                                     { panic("todo") }
func (p *Points) RankLabel(rank string) Label                                     { panic("todo") }
func (p *Points) ClassLabel(c Class) Label                                        { panic("todo") }
func (p *Points) Bands() int                                                      { panic("todo") }
func (p *Points) Band(i int) BandInfo                                             { panic("todo") }
func (p *Points) BusinessDate(t time.Time) Date                                   { panic("todo") }
func (p *Points) DateOf(a *Activity) Date                                         { panic("todo") }
func (p *Points) Period(d Date) Period                                            { panic("todo") }
func (p *Points) FiscalYear(m Period) int                                         { panic("todo") }
func (p *Points) Clock(d Date) int                                                { panic("todo") }
func (p *Points) Contributions(acts []Activity, emit func(i int, c Contribution)) { panic("todo") }
func MergeCells(a, b []Cell) []Cell                                               { panic("todo") }
func SortCells(c []Cell) []Cell                                                   { panic("todo") }
func (p *Points) Evaluate(kind EntityKind, cells []Cell, asOf Date) Score         { panic("todo") }
func (p *Points) Explain(acts []Activity, e Entity, asOf Date) []Part             { panic("todo") }
func (p *Points) Unmapped(acts []Activity) []Unmapped                             { panic("todo") }
func (p *Points) ScoreAll(acts []Activity, asOf Date) []EntityScore               { panic("todo") }
func ParseActivity(line []byte) (Activity, error)                                 { panic("todo") }
func AppendActivity(dst []byte, a Activity) []byte                                { panic("todo") }
func AppendScore(dst []byte, s EntityScore, p *Points) []byte                     { panic("todo") }
