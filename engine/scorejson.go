package engine

import (
	"encoding/json"
	"math"
	"strconv"
)

// AppendScore appends the JSON line of a score, without line end. Earned
// energy is in milli-points, the temperature in points with three decimals.
func AppendScore(dst []byte, s EntityScore, p *Points) []byte {
	dst = append(append(dst, `{"entity":"`...), s.Kind.String()...)
	dst = append(dst, `","id":`...)
	dst = append(appendText(dst, s.ID), `,"earned":{`...)
	var byClass [NumClasses]int64
	var byDirection [NumDirections]int64
	var contacts int32
	for i, sum := range s.Earned {
		dst = append(append(append(dst, sep(i, "")...), '"'), sum.Period.String()...)
		dst = strconv.AppendInt(append(dst, `":`...), sum.Milli, 10)
		for c, m := range sum.ByClass {
			byClass[c] += m
		}
		for d, m := range sum.ByDirection {
			byDirection[d] += m
		}
		contacts += sum.Contacts
	}
	dst = append(dst, `},"earned_by_class":{`...)
	dst = appendSums(dst, byClass[:], classNames)
	dst = append(dst, `},"earned_by_direction":{`...)
	dst = appendSums(dst, byDirection[:], directionNames)
	dst = strconv.AppendInt(append(dst, `},"contacts":`...), int64(contacts), 10)
	dst = append(dst, `,"temperature":`...)
	dst = strconv.AppendFloat(dst, math.Round(s.Temperature*1000)/1000, 'f', -1, 64)
	dst = append(dst, `,"band":`...)
	dst = appendText(dst, p.Band(s.Band).Name)
	n := 0
	for g := 1; g < len(s.Groups); g++ { // of the first group is what is not of the others
		if s.Groups[g] != 0 {
			dst = appendText(append(dst, sep(n, `,"groups":{`)...), p.config.Groups[g].Name)
			dst = strconv.AppendFloat(append(dst, ':'), math.Round(s.Groups[g]*1000)/1000, 'f', -1, 64)
			n++
		}
	}
	if n > 0 {
		dst = append(dst, '}')
	}
	dst = appendField(dst, "trend", s.Trend.String())
	if p.alarms.of[s.Kind] {
		dst = p.appendRecent(dst, s.Recent)
	}
	dst = appendAlarms(dst, s.Alarms)
	return append(appendField(dst, "due", s.Due.String()), '}')
}

// appendRecent appends what the lists A18 and A19 go by, each if the table has
// it. Who has nothing to compare with is not on the second, and the line says why.
func (p *Points) appendRecent(dst []byte, r Recent) []byte {
	if p.alarms.Low != nil {
		dst = strconv.AppendInt(append(dst, `,"low":{"earned":`...), r.Milli, 10)
		dst = append(strconv.AppendBool(append(dst, `,"listed":`...), r.Low), '}')
	}
	if p.alarms.Halved != nil {
		dst = append(append(append(dst, `,"halved":{"period":"`...), r.Period.String()...), '"')
		dst = strconv.AppendInt(append(dst, `,"earned":`...), r.Now, 10)
		dst = strconv.AppendInt(append(dst, `,"before":`...), r.Before, 10)
		dst = strconv.AppendBool(append(dst, `,"listed":`...), r.Halved)
		if _, based := r.Ratio(); !based {
			dst = append(dst, `,"reason":"no base"`...)
		}
		dst = append(dst, '}')
	}
	return dst
}

// appendAlarms appends the alarms that stand, with their evidence.
func appendAlarms(dst []byte, alarms []Alarm) []byte {
	if len(alarms) == 0 {
		return dst
	}
	text, err := json.Marshal(alarms)
	if err != nil { // texts, whole numbers and finite ones always encode
		return dst
	}
	return append(append(dst, `,"alarms":`...), text...)
}

// appendSums appends the sums that are not 0, by name.
func appendSums(dst []byte, sums []int64, names []string) []byte {
	n := 0
	for i, m := range sums {
		if m != 0 {
			dst = append(append(append(dst, sep(n, "")...), '"'), names[i]...)
			dst = strconv.AppendInt(append(dst, `":`...), m, 10)
			n++
		}
	}
	return dst
}
