package engine

// PointsConfig is a points table as its owner writes it (points.yaml): who
// was met × how, how energy cools, when a customer counts as warm. Points and
// factors are plain numbers of points; Compile turns them into milli-points.
type PointsConfig struct {
	Version         string   `yaml:"version"`                        // names this table in explanations: "2026-10"
	AppliesFrom     string   `yaml:"applies_from" json:",omitempty"` // "2026-10-01": activities dated before earn by the earlier edition
	Earlier         string   `yaml:"earlier" json:",omitempty"`      // that edition's file
	Timezone        string   `yaml:"timezone"`                       // IANA name; business dates are local dates of this zone
	ClosingDay      int      `yaml:"closing_day"`                    // last day of a period, 1–30; 0 or 31 = month end
	FiscalYearStart int      `yaml:"fiscal_year_start"`              // month, 1–12; 0 = April
	Clock           string   `yaml:"clock"`                          // "calendar" (default) or "business"
	ShutdownDays    []string `yaml:"shutdown_days"`                  // "2026-08-13" or, every year, "12-29"; for the business clock
	HalfLifeDays    float64  `yaml:"half_life_days"`                 // days of the clock in which a temperature halves

	Mode                   string                 `yaml:"mode"`          // "multiply" (default), "add" or "flat"
	KeymanFactor           float64                `yaml:"keyman_factor"` // in mode add: points added
	CcFactor               float64                `yaml:"cc_factor"`     // what a Cc of a mail counts; 1 = as To
	CueLimit               float64                `yaml:"cue_limit"`     // the product of all cue factors is cut here
	Groups                 []GroupConfig          `yaml:"groups" json:",omitempty"`
	Kinds                  map[string]KindConfig  `yaml:"kinds"`
	Ranks                  map[string]RankConfig  `yaml:"ranks"`                    // "unknown" is required
	Rank                   string                 `yaml:"rank" json:",omitempty"`   // of people whom a record names without title, or of all: "contact" (default; the rank on the day of the contact) or "today"
	Parent                 string                 `yaml:"parent" json:",omitempty"` // whose group an activity counts for: "contact" (default; the companies above the account on the day of the contact) or "today"
	Cues                   map[string]CueConfig   `yaml:"cues"`                     // "repeat" is found by the engine itself
	Tables                 []TableConfig          `yaml:"tables" json:",omitempty"` // other points for some products or segments; the first that fits counts
	SourceFactors          map[string]float64     `yaml:"source_factors"`
	UnconfirmedFactor      *float64               `yaml:"unconfirmed_factor" json:",omitempty"` // of contacts that people typed and no machine's record confirms; absent = 1
	Sources                map[string]string      `yaml:"sources"`                              // what a source is: "report", "calendar", "mail", "phone" or "crm"
	Precedence             PrecedenceConfig       `yaml:"precedence"`                           // whose word counts where several tell of one contact
	Classes                map[string]Label       `yaml:"classes"`
	AdditionalParticipants AdditionalParticipants `yaml:"additional_participants"`
	Deals                  DealsConfig            `yaml:"deals"`
	Bands                  []BandConfig           `yaml:"bands"` // coldest first
	Trend                  *TrendConfig           `yaml:"trend" json:",omitempty"`
	Alarms                 *AlarmsConfig          `yaml:"alarms" json:",omitempty"`
	BandStayDays           int                    `yaml:"band_stay_days" json:",omitempty"` // days of the clock before a band is left downwards; 0 = at once

	EarlierEdition *PointsConfig `yaml:"-" json:",omitempty"` // what Earlier names, loaded
}

// Label is a name for people.
type Label struct {
	Ja string `yaml:"ja"`
	En string `yaml:"en"`
}

// In gives the label in "ja" or "en"; in the other language where it has only that.
func (l Label) In(language string) string {
	if language == "ja" && l.Ja != "" || l.En == "" {
		return l.Ja
	}
	return l.En
}

// KindConfig is how a contact took place. Points hold for every direction that has no number of its own.
type KindConfig struct {
	Label   Label    `yaml:"label"`
	Points  *float64 `yaml:"points"`
	In      *float64 `yaml:"in"`
	Out     *float64 `yaml:"out"`
	Mutual  *float64 `yaml:"mutual"`
	Meeting bool     `yaml:"meeting"`                         // counts for the cue "repeat"
	Family  string   `yaml:"family"`                          // kinds of one family may be one contact in several sources; "" = never
	Group   string   `yaml:"group"`                           // of groups; "" = the first
	Theirs  bool     `yaml:"customers_act" json:",omitempty"` // a contact that is both sides' was the customer's idea: 来社, seminar
	Undoes  bool     `yaml:"undoes"`                          // reports that the message that it answers was not delivered: that one earns nothing
}

// PrecedenceConfig lists sources by their names, or what they are, those whose
// word counts first in front. An empty list is the usual one: newPrecedence.
type PrecedenceConfig struct {
	Kind   []string `yaml:"kind"`   // for kind and direction
	Time   []string `yaml:"time"`   // for time and day
	People []string `yaml:"people"` // for who took part
}

// RankConfig is who was met.
type RankConfig struct {
	Label  Label    `yaml:"label"`
	Points *float64 `yaml:"points"`
	Class  string   `yaml:"class"` // "staff", "manager", "executive"; "" only for the rank "unknown"
}

// CueConfig is a sign of interest during a contact: a factor, added points, or both.
type CueConfig struct {
	Label      Label    `yaml:"label"`
	Factor     *float64 `yaml:"factor"` // absent = 1
	Bonus      float64  `yaml:"bonus"`
	WithinDays int      `yaml:"within_days"`              // of "repeat" alone: days of the clock
	Derive     bool     `yaml:"derive" json:",omitempty"` // the engine finds it by itself too: of "boss_introduced", "people_joined" and "met_top_management"
}

// AdditionalParticipants says what more people at one contact add to the
// account: Share of each one's points, and in all no more than Limit times
// the best one's. Share 0 counts the best alone; Limit 0 means no limit.
type AdditionalParticipants struct {
	Share float64 `yaml:"share"`
	Limit float64 `yaml:"limit"`
}

// DealsConfig says how a contact's energy goes to its deals: "equal" (default;
// shared out by weight, equal parts without weights) or "full" (each deal gets all).
type DealsConfig struct {
	Split string `yaml:"split"`
}

// BandConfig is a band of temperatures: entered at Up points or more, left below Down.
type BandConfig struct {
	Name  string  `yaml:"name"`
	Label Label   `yaml:"label"`
	Up    float64 `yaml:"up"`
	Down  float64 `yaml:"down"`
}
