package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"energyd/internal/fault"
)

// document is one YAML file with its tree, and the problems found in it.
type document struct {
	file     string
	lines    []string
	root     *yaml.Node // nil when the file could not be parsed
	problems Errors
	warnings []string
}

// maxFile bounds a configuration file; a larger one is not a configuration.
const maxFile = 4 << 20

// open reads and parses a file. Its problems are in the document.
func open(file string) *document {
	data, err := os.ReadFile(file)
	if err != nil {
		d := &document{file: file}
		var path *fs.PathError
		errors.As(err, &path)
		info, statErr := os.Stat(file)
		switch {
		case statErr == nil && info.IsDir():
			d.whole("is a folder, not a file", "name the file in it")
		case errors.Is(err, fs.ErrNotExist):
			d.whole("no such file", "check the path; it is relative to the folder of the file that names it")
		case path != nil:
			d.whole("cannot be read: "+path.Err.Error(), "")
		default:
			d.whole("cannot be read: "+err.Error(), "")
		}
		return d
	}
	return parse(file, data)
}

// whole notes a problem of the file as a whole.
func (d *document) whole(msg, hint string) {
	d.problems = append(d.problems, Problem{File: d.file, Msg: msg, Hint: hint})
}

func parse(file string, data []byte) *document {
	d := &document{file: file}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > maxFile:
		d.whole(fmt.Sprintf("is larger than %d MB, which no configuration is", maxFile>>20), "")
		return d
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		d.whole("is in UTF-16; configuration files are UTF-8", "save it as UTF-8 in the editor")
		return d
	}
	d.lines = lineBreak.Split(string(data), -1)
	for i, line := range d.lines {
		if !utf8.ValidString(line) {
			valid := len(line) - len(strings.TrimLeftFunc(line, func(r rune) bool { return r != utf8.RuneError }))
			d.add(i+1, utf8.RuneCountInString(line[:valid])+1, 1, "this is not UTF-8", "save the file as UTF-8; it may be Shift_JIS")
			return d
		}
	}
	var root yaml.Node
	err := yaml.Load(data, &root)
	var at *yaml.LoadError
	switch {
	case err == nil:
		d.root = root.Content[0]
		d.duplicates(d.root)
	case errors.As(err, &at) && at.Mark.Line > 0:
		d.notYAML(min(at.Mark.Line, len(d.lines)), at.Mark.Column, at.Message)
	case strings.Contains(err.Error(), "multiple"):
		d.whole("holds several documents (---); one is expected", "")
	case strings.Contains(err.Error(), "no documents"):
		d.whole("is empty", "")
	default:
		d.whole("not YAML: "+err.Error(), "")
	}
	return d
}

// lineBreak is what the parser counts as the end of a line.
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// quotedFirst is a value that YAML takes for a quoted text with something behind it.
var quotedFirst = regexp.MustCompile(`[:-]\s+"[^"]*"\s*[+?=!&|]`)

// notYAML notes what the parser says.
func (d *document) notYAML(line, column int, msg string) {
	hint := ""
	switch text := d.lines[line-1]; {
	case d.besideSecret(line):
		if strings.HasPrefix(msg, "unknown anchor") { // it goes on with the value
			msg = "a value cannot begin like this"
		}
		d.problems = append(d.problems, Problem{File: d.file, Line: line, Column: column, Msg: "not YAML: " + msg,
			Hint: "put the value into single quotes; the line is not shown, because it may hold a secret"})
		return
	case strings.HasPrefix(text, "\t"):
		hint = "indent with blanks, not with tabs"
	case quotedFirst.MatchString(text):
		hint = "an expression that begins with a quote stands in single quotes: '…'"
	}
	d.add(line, column, 1, "not YAML: "+msg, hint)
}

// besideSecret tells whether a line, or the nearest one above it that has a
// key, looks like one with a secret. Without a tree more cannot be known.
func (d *document) besideSecret(line int) bool {
	for i := line - 1; i >= 0; i-- {
		if secretAt(d.lines[i]) >= 0 {
			return true
		}
		if i < line-1 && strings.Contains(d.lines[i], ":") {
			break
		}
	}
	return false
}

// add notes a problem of width characters at a place.
func (d *document) add(line, column, width int, msg, hint string) {
	d.problems = append(d.problems, d.problem(line, column, width, msg, hint))
}

func (d *document) problem(line, column, width int, msg, hint string) Problem {
	p := Problem{File: d.file, Line: line, Column: column, Msg: msg, Hint: hint}
	if line >= 1 && line <= len(d.lines) {
		p.Excerpt = excerpt(d.lines[line-1], line, column, width)
	}
	return p
}

// at notes a problem of a node.
func (d *document) at(n *yaml.Node, msg, hint string) { d.add(n.Line, n.Column, d.width(n), msg, hint) }

// isMapping checks that the file is key: value at all; else nothing more can be said of it.
func (d *document) isMapping() bool {
	if d.root.Kind != yaml.MappingNode {
		d.at(d.root, "needs a mapping (key: value), and this is "+kindOf(d.root), "")
		return false
	}
	return true
}

// width is how many characters of its line a node's text has.
func (d *document) width(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.Line > len(d.lines) {
		return 1
	}
	rest := []rune(d.lines[n.Line-1])
	rest = rest[min(n.Column-1, len(rest)):]
	length := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		length += 2
	}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		length = 1
	}
	return max(1, min(length, len(rest)))
}

// duplicates finds keys given twice; the decoder would silently take the last.
func (d *document) duplicates(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if line, twice := first[k.Value]; twice && k.Kind == yaml.ScalarNode {
				d.at(k, fmt.Sprintf("%q is given twice, first in line %d", k.Value, line), "")
				continue
			}
			first[k.Value] = k.Line
		}
	}
	for _, c := range n.Content {
		d.duplicates(c)
	}
}

// place notes problems that are known by path. Where the decoder could not
// read a value, what was found about the value is left out.
func (d *document) place(ps fault.Problems) {
	decoded := slices.Clone(d.problems)
	for _, p := range ps {
		placed := d.placed(p)
		if placed.Line > 0 && slices.ContainsFunc(decoded, func(q Problem) bool { return q.Line == placed.Line && q.Column == placed.Column }) ||
			slices.Contains(d.problems, placed) {
			continue
		}
		d.problems = append(d.problems, placed)
	}
}

func (d *document) placed(p fault.Problem) Problem {
	if d.root == nil {
		return Problem{File: d.file, Msg: p.Msg, Hint: p.Hint}
	}
	key, value, found := locate(d.root, p.Path)
	if leaf := p.Path[strings.LastIndexByte(p.Path, '.')+1:]; (!found || strings.HasPrefix(p.Msg, "is ")) && !strings.Contains(p.Msg, leaf) {
		p.Msg = p.Path + " " + p.Msg // the place alone does not say which option
	}
	scalar := value.Kind == yaml.ScalarNode
	switch {
	case !found && value == d.root || p.Path == "":
		return Problem{File: d.file, Msg: p.Msg, Hint: p.Hint}
	case key != nil && (p.Key || !found || !scalar):
		return d.problem(key.Line, key.Column, d.width(key), p.Msg, p.Hint)
	case !scalar || value.Value == "" || p.Offset <= 0 && value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0:
		return d.problem(value.Line, value.Column, d.width(value), p.Msg, p.Hint)
	}
	line, column := d.inside(value, p.Offset)
	text := []rune(d.lines[line-1])
	if value.Style == 0 && p.Hint == "" && strings.HasPrefix(p.Msg, "not an expression") && strings.ContainsAny(string(text[:min(column-1, len(text))]), "{[") {
		p.Hint = "inside {…} and […] an expression with commas stands in quotes, or on a line of its own"
	}
	return d.problem(line, column, tokenWidth(text, column), p.Msg, p.Hint)
}

// tokenWidth is the length of the word or quoted text that begins at column.
func tokenWidth(line []rune, column int) int {
	if column > len(line) {
		return 1
	}
	rest := line[column-1:]
	if rest[0] == '"' || rest[0] == '\'' {
		if end := slices.Index(rest[1:], rest[0]); end >= 0 {
			return end + 2
		}
	}
	n := slices.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '.' })
	if n < 0 {
		n = len(rest)
	}
	return max(1, n)
}

// locate finds the node of a path, and the key above it. When the path does
// not exist, it gives the deepest one of it that does, and found is false.
// Keys may hold dots: the longest key that fits is meant.
func locate(n *yaml.Node, path string) (key, value *yaml.Node, found bool) {
	for path != "" {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		rest := ""
		switch n.Kind {
		case yaml.SequenceNode:
			var i int
			if _, err := fmt.Sscanf(path, "[%d]", &i); err == nil && i >= 0 && i < len(n.Content) {
				next, rest = n.Content[i], path[strings.IndexByte(path, ']')+1:]
				key = nil // an item is its own place
			}
		case yaml.MappingNode:
			longest := -1
			for i := 0; i+1 < len(n.Content); i += 2 {
				k := n.Content[i]
				after, ok := strings.CutPrefix(path, k.Value)
				if ok && len(k.Value) > longest && (after == "" || after[0] == '.' || after[0] == '[') {
					longest, key, next, rest = len(k.Value), k, n.Content[i+1], after
				}
			}
		}
		if next == nil {
			return key, n, false
		}
		n, path = next, strings.TrimPrefix(rest, ".")
	}
	return key, n, true
}

// inside finds where byte offset of a scalar's value stands in the file. It
// walks value and source together: blanks of both are skipped, since folding
// changes only them, and so are the marks of quoting.
func (d *document) inside(n *yaml.Node, offset int) (line, column int) {
	line, column = n.Line, n.Column
	quote := rune(0)
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		quote, column = '"', column+1
	case n.Style&yaml.SingleQuotedStyle != 0:
		quote, column = '\'', column+1
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		line, column = line+1, 1
	}
	skip := func() {
		for line <= len(d.lines) {
			rest := []rune(d.lines[line-1])
			for column <= len(rest) && unicode.IsSpace(rest[column-1]) {
				column++
			}
			if column <= len(rest) || line == len(d.lines) {
				return
			}
			line, column = line+1, 1
		}
	}
	for i, r := range n.Value {
		if i > offset {
			break
		}
		if unicode.IsSpace(r) {
			continue
		}
		skip()
		if i >= offset {
			break
		}
		rest := []rune(d.lines[line-1])
		if column <= len(rest) && (quote == '"' && rest[column-1] == '\\' || quote == '\'' && rest[column-1] == '\'') {
			column++
		}
		column++
	}
	return line, column
}
