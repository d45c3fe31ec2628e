package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"energyd/engine"
)

// PointsEdit are new numbers for a points table. What it does not name stays as it is, comments and all.
type PointsEdit struct {
	Version      string
	HalfLifePath string // "half_life_days", or "groups[0].half_life_days"
	HalfLife     float64
	Kinds        []KindPoints
	Ranks        map[string]float64
}

// KindPoints are new points of a kind; All says that they hold for every direction.
type KindPoints struct {
	Kind      string
	Direction engine.Direction
	All       bool
	Points    float64
}

// EditPoints gives the text of a points file with other numbers in it. The error is Errors, or tells of a number that
// has no place in the file.
func EditPoints(file string, edit PointsEdit) ([]byte, error) {
	doc := open(file)
	if doc.root == nil || !doc.isMapping() {
		return nil, sorted(doc.problems)
	}
	e := editor{doc: doc}
	e.set("version", strconv.Quote(edit.Version))
	if edit.HalfLifePath != "" {
		e.set(edit.HalfLifePath, number(edit.HalfLife))
	}
	for _, k := range edit.Kinds {
		e.kind(k)
	}
	for name, points := range edit.Ranks {
		e.set("ranks."+name+".points", number(points))
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.text(), nil
}

// number writes a number as people do: 10, 0.5.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// editor changes places of a document. Places are of the text as it was read.
type editor struct {
	doc     *document
	changes []change
	err     error
}

// change replaces width runes of a line from column on, both counted from 1, by text.
type change struct {
	line, column, width int
	text                string
}

func (e *editor) set(path, text string) {
	_, value, found := locate(e.doc.root, path)
	if !found || value.Kind != yaml.ScalarNode {
		e.err = fmt.Errorf("%s: there is no place for %s", e.doc.file, path)
		return
	}
	line := []rune(e.doc.lines[value.Line-1])
	width := len([]rune(value.Value))
	if value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		width = tokenWidth(line, value.Column)
	}
	e.changes = append(e.changes, change{value.Line, value.Column, width, text})
}

// kind sets the points of a kind: those of its direction where it has any of its own, else adds them.
func (e *editor) kind(k KindPoints) {
	path := "kinds." + k.Kind
	key := map[engine.Direction]string{engine.Inbound: "in", engine.Outbound: "out", engine.Mutual: "mutual"}[k.Direction]
	if k.All {
		key = "points"
	}
	if _, value, found := locate(e.doc.root, path+"."+key); found && value.Value != "" {
		e.set(path+"."+key, number(k.Points))
		return
	}
	_, node, found := locate(e.doc.root, path)
	if !found || node.Kind != yaml.MappingNode || len(node.Content) == 0 {
		e.err = fmt.Errorf("%s: there is no place for %s.%s", e.doc.file, path, key)
		return
	}
	first := node.Content[0]
	added := fmt.Sprintf("%s: %s, ", key, number(k.Points))
	if node.Style&yaml.FlowStyle == 0 {
		added = fmt.Sprintf("%s: %s\n%s", key, number(k.Points), strings.Repeat(" ", first.Column-1))
	}
	e.changes = append(e.changes, change{first.Line, first.Column, 0, added})
}

// text gives the document with all changes, from its end to its beginning, so that no place moves before it is reached.
func (e *editor) text() []byte {
	slices.SortStableFunc(e.changes, func(a, b change) int {
		if a.line != b.line {
			return b.line - a.line
		}
		return b.column - a.column
	})
	lines := slices.Clone(e.doc.lines)
	for _, c := range e.changes {
		line := []rune(lines[c.line-1])
		lines[c.line-1] = string(line[:c.column-1]) + c.text + string(line[c.column-1+c.width:])
	}
	return []byte(strings.Join(lines, "\n"))
}
