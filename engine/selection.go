package engine

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"energyd/engine/chance"
)

// AlarmState is what becomes of an alarm.
type AlarmState uint8

// The states. Muted ones stay visible on request; nobody is told of those that
// are held back, so that one can see what alarms are worth (E4).
const (
	Fired AlarmState = iota
	Muted
	HeldBack
)

var stateNames = []string{Fired: "fired", Muted: "muted", HeldBack: "held_back"}

// String gives "fired", "muted" or "held_back".
func (s AlarmState) String() string { return stateNames[s] }

// ParseAlarmState reads what String gives.
func ParseAlarmState(s string) (AlarmState, bool) {
	i := slices.Index(stateNames, s)
	return AlarmState(max(0, i)), i >= 0
}

// AlarmReason says why an alarm is muted.
type AlarmReason string

// The reasons. "" = it is not muted.
const (
	MutedByRule    AlarmReason = "mute"         // alarms.mute
	MutedByMeeting AlarmReason = "booked"       // a meeting is booked
	MutedByShare   AlarmReason = "false_share"  // too likely to be chance among all that was tested that night
	MutedByBudget  AlarmReason = "per_rep_week" // the sales person has enough this week
)

// Raised is an alarm of one entity, and what becomes of it.
type Raised struct {
	Entity Entity
	Rep    string // whom it is for; "" = nobody known
	Alarm  Alarm
	Muted  bool // by a rule of alarms.mute
	New    bool // not yet decided in an earlier night; State and Reason of others are what was decided
	State  AlarmState
	Reason AlarmReason
}

// Decide says what becomes of a night's alarms, and orders them, the least
// likely first. tests is the number of entities whose contacts were tested for
// a surge, told the number of alarms that each sales person was told of in these seven days, earlier runs of today included.
// What was decided in an earlier night stays, but for what a rule or a meeting mutes.
func (p *Points) Decide(night []Raised, tests int, told map[string]int) {
	slices.SortFunc(night, func(a, b Raised) int {
		return cmp.Or(cmp.Compare(a.Alarm.P, b.Alarm.P), cmp.Compare(a.Alarm.Kind, b.Alarm.Kind),
			cmp.Compare(a.Entity.Kind, b.Entity.Kind), cmp.Compare(a.Entity.ID, b.Entity.ID), cmp.Compare(a.Alarm.Since, b.Alarm.Since))
	})
	believed := p.believed(night, tests)
	used := make(map[string]int, len(told))
	for rep, n := range told {
		used[rep] = n
	}
	for i := range night {
		r := &night[i]
		passing := r.Reason == MutedByRule || r.Reason == MutedByMeeting
		switch {
		case r.Muted:
			r.State, r.Reason = Muted, MutedByRule
		case r.Alarm.Kind == Silence && r.Alarm.Booked != NoDate:
			r.State, r.Reason = Muted, MutedByMeeting
		case !r.New && !passing: // stays as it was decided
		case p.heldBack(r):
			r.State, r.Reason = HeldBack, ""
		case r.New && r.Alarm.Kind == Surge && r.Alarm.P > believed:
			r.State, r.Reason = Muted, MutedByShare
		case p.alarms.List != nil && p.alarms.List.PerRepWeek > 0 && r.Rep != "" && used[r.Rep] >= p.alarms.List.PerRepWeek:
			r.State, r.Reason = Muted, MutedByBudget
		default:
			r.State, r.Reason = Fired, ""
			used[r.Rep]++
		}
	}
}

// believed gives the largest chance of a new surge that is to be told of. All
// that was tested and did not fire counts as chance.
func (p *Points) believed(night []Raised, tests int) float64 {
	if p.alarms.List == nil || p.alarms.List.FalseShare == 0 {
		return 1
	}
	var ps []float64
	for _, r := range night {
		if r.New && r.Alarm.Kind == Surge {
			ps = append(ps, r.Alarm.P)
		}
	}
	for len(ps) < tests {
		ps = append(ps, 1)
	}
	return chance.Discoveries(ps, p.alarms.List.FalseShare)
}

// heldBack draws by lot who is not told of, by what the alarm is, so that the lot never falls otherwise.
func (p *Points) heldBack(r *Raised) bool {
	h := fnv.New64a()
	h.Write([]byte(r.Entity.ID))
	h.Write([]byte{0, byte(r.Entity.Kind), byte(r.Alarm.Kind)})
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(r.Alarm.Since)))
	// FNV's upper bits hardly move with the last bytes: mixed, they do.
	lot := h.Sum64()
	lot = (lot ^ lot>>30) * 0xbf58476d1ce4e5b9
	lot = (lot ^ lot>>27) * 0x94d049bb133111eb
	return float64((lot^lot>>31)>>11)/(1<<53) < p.alarms.HoldOut
}

// Stirs tells that the customer started contacts in the days that a surge is
// looked for in: then one was tested for.
func (p *Points) Stirs(s Score) bool {
	return s.Stirred != NoDate && p.clock.at(s.AsOf)-p.clock.at(s.Stirred) < p.alarms.Surge.Days
}

// Important tells whether low and halved are for an account (A20). best is the warmest band it ever was in.
func (p *Points) Important(account Profile, best int) bool {
	i := p.alarms.Important
	if i == nil {
		return true
	}
	if slices.Contains(i.Accounts, account.ID) || i.Band != "" && best >= p.alarms.important {
		return true
	}
	for key, value := range account.Keys {
		if wanted, ok := i.Keys[key]; ok && wanted == value || slices.Contains(i.Accounts, value) {
			return true
		}
	}
	return false
}

// AlarmsOf tells whether alarms are looked for among a kind of entity.
func (p *Points) AlarmsOf(kind EntityKind) bool {
	return int(kind) < len(p.alarms.of) && p.alarms.of[kind]
}

// Mutes gives the rules that keep alarms of accounts quiet.
func (p *Points) Mutes() []MuteConfig { return p.alarms.Mute }

// Mutes tells whether a rule holds for a kind of alarm on a date.
func (m *MuteConfig) Mutes(kind AlarmKind, asOf Date) bool {
	until, err := ParseDate(m.Until)
	return (m.Until == "" || err == nil && asOf < until) && (len(m.Kinds) == 0 || slices.Contains(m.Kinds, kind.String()))
}
