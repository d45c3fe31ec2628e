package paper

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"math"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	style string
)

// policy lets a browser use the page's own style and nothing else: no script, nothing from elsewhere.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"right": func(t *Table, i int) bool { return t.Right[i] },
	"width": func(share float64) float64 { return math.Round(10*barWidth*min(1, max(0, share))) / 10 },
	"down":  func(i, step int) int { return i * step },
	"plus":  func(a, b int) int { return a + b },
	"pct":   func(share float64) int { return int(math.Round(100 * share)) },
	"beyond": func(share float64) float64 {
		return math.Round(10*barWidth*min(1, max(0, share)))/10 + barLeft + 6
	},
}).Parse(pageText))

// Where bars begin, and how long the longest is, in the drawing's units.
const (
	barLeft  = 210
	barWidth = 330
)

// WriteHTML writes the document as a page that stands alone, for screens light and dark and for paper.
func (d *Document) WriteHTML(w io.Writer) error {
	return page.Execute(w, struct {
		*Document
		Style     template.CSS
		Policy    string
		AsOfLabel string
		BarLeft   int
	}{d, template.CSS(style), policy, speaker(d.Language).say("基準日", "as of"), barLeft}) // our own file
}

// Plot is a reliability plot: what was foretold against what came, both 0 to 1.
type Plot struct {
	Title, X, Y  string
	Lines        []Line
	Even         string // what the diagonal says
	most         float64
	Steps        []Step
	Width, Floor int
}

// Line is one table's points on the plot.
type Line struct {
	Name, Class string
	Dots        []Dot
	Path        string
}

// Dot is a tenth of the looks.
type Dot struct {
	X, Y float64 // in the drawing's units
	Says string
}

// Step is a line of the grid.
type Step struct {
	At, Down int
	Label    string
}

// The square that dots are drawn in.
const (
	plotLeft, plotTop, plotSide = 52, 12, 300
)

// scale finds how far the plot has to reach: a probability above 0.5 is rare among deals.
func (p *Plot) scale(values ...float64) {
	for _, most := range []float64{0.2, 0.4, 0.6, 0.8, 1} {
		p.most = most
		fits := true
		for _, v := range values {
			fits = fits && v <= most
		}
		if fits {
			break
		}
	}
	for i := range 5 {
		share := p.most * float64(i) / 4
		at := plotSide * i / 4
		p.Steps = append(p.Steps, Step{plotLeft + at, plotTop + plotSide - at, speaker("").percent(share)})
	}
	p.Width, p.Floor = plotSide, plotTop+plotSide
}

func (p *Plot) x(share float64) float64 {
	return math.Round(10*(plotLeft+plotSide*share/p.most)) / 10
}
func (p *Plot) y(share float64) float64 {
	return math.Round(10*(plotTop+plotSide*(1-share/p.most))) / 10
}
