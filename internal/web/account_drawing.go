package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/pipeline"
)

// drawing is a customer's year as a picture: the temperature over its bands, what comes if nothing happens, and the
// contacts below it on the same days, a lane for each kind. Numbers are in the drawing's units.
type drawing struct {
	Width, Height      int
	Left, Right        float64 // of the days
	Top, Floor, Bottom float64 // of the temperatures; below the lanes
	Bands              []strip
	Levels, Months     []tick
	Past, Future       string // paths
	Today              float64
	Steps              []mark
	Lanes              []lane
	Classes            []classMark // which shape means what
}

// strip is a band behind the curve.
type strip struct {
	Y, Height, Label float64
	Warmth           int // 0 = coldest, for its colour
	Name             string
}

type tick struct {
	At   float64
	Says string
}

// mark is a day on which the band changes.
type mark struct {
	X, Y, TextX, TextY float64
	Anchor, Date, Band string
}

// lane holds the contacts of one kind.
type lane struct {
	Y    float64
	Name string
	Dots []dot
}

// dot is a contact. The shape says whom it was with, the size what it earned.
type dot struct {
	Class string // of rank: "staff" …
	Path  string
	Says  string
}

type classMark struct{ Class, Path, Name string }

// The drawing's measures.
const (
	drawnWidth = 980
	drawnLeft  = 112
	drawnRight = 868
	drawnTop   = 16
	drawnFloor = 236
	laneHeight = 26
	mostLanes  = 8
)

func (v *visit) drawn(c *pipeline.Customer) *drawing {
	d := &drawing{Width: drawnWidth, Left: drawnLeft, Right: drawnRight, Top: drawnTop, Floor: drawnFloor}
	first, last := c.Course[0].Date, c.Course[len(c.Course)-1].Date
	x := func(day engine.Date) float64 {
		return tenth(drawnLeft + (drawnRight-drawnLeft)*float64(day-first)/float64(last-first))
	}
	warmest := 0.0
	for _, w := range c.Course {
		warmest = max(warmest, w.Temperature)
	}
	most, step := scale(max(warmest, v.p.Points().Band(min(1, v.p.Points().Bands()-1)).Up)*1.06, 5)
	y := func(points float64) float64 { return tenth(drawnFloor - (drawnFloor-drawnTop)*points/most) }
	d.Bands = v.strips(most, y)
	for at := 0.0; at <= most; at += step {
		d.Levels = append(d.Levels, tick{y(at), fmt.Sprint(at)})
	}
	d.Months = monthTicks(first, last, x)
	d.Today = x(v.today())
	past, future := &strings.Builder{}, &strings.Builder{}
	for _, w := range c.Course {
		if w.Date <= v.today() {
			point(past, x(w.Date), y(w.Temperature))
		}
		if w.Date >= v.today() {
			point(future, x(w.Date), y(w.Temperature))
		}
	}
	d.Past, d.Future = past.String(), future.String()
	for i, s := range c.Steps {
		if s.Date > last {
			break
		}
		m := mark{X: x(s.Date), Y: y(s.Temperature), Anchor: "start", Date: s.Date.Time().Format("01-02"), Band: v.band(s.Band)}
		m.TextX, m.TextY = m.X+4, m.Y-9
		if m.X > drawnRight-60 {
			m.TextX, m.Anchor = m.X+8, "end"
		}
		if i > 0 && m.X-d.Steps[i-1].X < 64 { // close together: one above the other
			m.TextY = min(m.TextY, d.Steps[i-1].TextY-14)
		}
		d.Steps = append(d.Steps, m)
	}
	d.Lanes = v.lanes(c.Why.Parts, first, x)
	d.Bottom = drawnFloor + 26 + laneHeight*float64(len(d.Lanes))
	d.Height = int(d.Bottom) + 24
	for class := range engine.Class(engine.NumClasses) {
		d.Classes = append(d.Classes, classMark{class.String(), shape(class, 9, 9, 6), v.p.Points().ClassLabel(class).In(v.language)})
	}
	return d
}

// strips are the bands as far as the temperatures reach.
func (v *visit) strips(most float64, y func(float64) float64) []strip {
	points := v.p.Points()
	var list []strip
	for i := range points.Bands() {
		b := points.Band(i)
		from, to := b.Up, most
		if i == 0 {
			from = 0
		}
		if i+1 < points.Bands() {
			to = min(most, points.Band(i+1).Up)
		}
		if from >= most {
			break
		}
		s := strip{Y: y(to), Height: tenth(y(from) - y(to)), Warmth: min(9, i*9/max(1, points.Bands()-1)), Name: b.Label.In(v.language)}
		if s.Label = tenth(s.Y + s.Height/2 + 4); s.Height < 13 { // too narrow to be named
			s.Name = ""
		}
		list = append(list, s)
	}
	return list
}

// lanes sorts contacts by kind, the most frequent on top; rare kinds share the last one.
func (v *visit) lanes(parts []explain.Part, first engine.Date, x func(engine.Date) float64) []lane {
	count := map[string]int{}
	for _, p := range parts {
		if p.Of.Date >= first {
			count[p.Of.Kind]++
		}
	}
	kinds := make([]string, 0, len(count))
	for k := range count {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	list := make([]lane, 0, mostLanes)
	at := map[string]int{}
	for i, k := range kinds {
		if i >= mostLanes-1 && len(kinds) > mostLanes {
			at[k] = mostLanes - 1
			if len(list) < mostLanes {
				list = append(list, lane{Name: v.t("その他", "other")})
			}
			continue
		}
		at[k] = len(list)
		list = append(list, lane{Name: v.kind(k)})
	}
	for i := range list {
		list[i].Y = drawnFloor + 26 + laneHeight*(float64(i)+0.5)
	}
	for _, p := range parts {
		if p.Of.Date < first {
			continue
		}
		l := &list[at[p.Of.Kind]]
		class := engine.ClassUnknown
		if len(p.Of.Terms) > 0 { // the one who earned most
			class = v.p.Points().ClassOf(p.Of.Terms[0].RankName)
		}
		size := min(9, 3+0.9*math.Sqrt(math.Abs(p.Points)))
		l.Dots = append(l.Dots, dot{class.String(), shape(class, x(p.Of.Date), l.Y, size), p.Sentence})
	}
	return list
}

// shape is the outline of a rank class around a point: a ring for who is not known, a disc for staff, a square on its
// tip for managers, a triangle for management.
func shape(class engine.Class, x, y, size float64) string {
	s := tenth(size)
	switch class {
	case engine.ClassManager:
		return fmt.Sprintf("M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz", x, y-s, s, s, -s, s, -s, -s)
	case engine.ClassExecutive:
		return fmt.Sprintf("M%.1f %.1fl%.1f %.1fh%.1fz", x, y-s, s, 1.8*s, -2*s)
	}
	s = tenth(size * 0.8)
	return fmt.Sprintf("M%.1f %.1fa%.1f %.1f 0 1 0 %.1f 0a%.1f %.1f 0 1 0 %.1f 0z", x-s, y, s, s, 2*s, s, s, -2*s)
}

// point goes on with a path.
func point(path *strings.Builder, x, y float64) {
	if path.Len() == 0 {
		fmt.Fprintf(path, "M%.1f %.1f", x, y)
		return
	}
	fmt.Fprintf(path, "L%.1f %.1f", x, y)
}

// monthTicks are the first days of months, so few that their names have room.
func monthTicks(first, last engine.Date, x func(engine.Date) float64) []tick {
	const room = 56 // units that a name takes
	var starts []engine.Date
	for day := first; day <= last; day++ {
		if day.Time().Day() == 1 {
			starts = append(starts, day)
		}
	}
	every := 1
	for _, n := range []int{1, 2, 3, 6, 12} {
		if every = n; float64(len(starts)*room)/float64(n) <= drawnRight-drawnLeft {
			break
		}
	}
	var list []tick
	for _, day := range starts {
		if (int(day.Time().Month())-1)%every == 0 {
			list = append(list, tick{x(day), day.Time().Format("2006-01")})
		}
	}
	return list
}

// scale is a round number not below most, and a round step that it has no more than n of.
func scale(most float64, n int) (top, step float64) {
	step = math.Pow(10, math.Floor(math.Log10(max(most, 1)/float64(n))))
	for _, round := range []float64{1, 2, 5, 10, 20} {
		if most <= step*round*float64(n) {
			step *= round
			break
		}
	}
	return max(most, step), step
}

func tenth(n float64) float64 { return math.Round(n*10) / 10 }
