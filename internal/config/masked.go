package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Masked is energyd.yaml for who helps from outside: all of its structure and
// options, and of their texts only those that cannot name anybody.
type Masked struct {
	Text    []byte   // YAML
	Secrets []string // what its references stand for, where they resolve: to be looked for, never shown
}

// telling are options whose texts are words of ours, of cron, or names of tables, columns and fields.
var telling = []string{"type", "driver", "security", "auth", "provider", "schedule", "timezone", "missed", "language", "entity", "object", "table",
	"api_version", "format", "encoding", "connection", "mapping", "points", "titles", "phrases", "listen", "currency", "key", "changed", "deleted", "created"}

// Mask reads energyd.yaml and covers it, however wrong it is apart from its YAML. The error is Errors.
func Mask(file string) (Masked, error) {
	doc := open(file)
	if doc.root == nil {
		return Masked{}, sorted(doc.problems)
	}
	d := decoder{doc: doc, dir: filepath.Dir(file), references: true, unresolved: true}
	var m Masked
	d.mask(doc.root, "", &m)
	var err error
	m.Text, err = yaml.Marshal(doc.root)
	return m, err
}

// mask covers the texts below a node; key is the nearest option's name.
func (d *decoder) mask(n *yaml.Node, key string, m *Masked) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			name.HeadComment, name.LineComment, name.FootComment = "", "", ""
			below := name.Value
			if key == "fields" { // measure: field of the CRM
				below = "object"
			}
			d.mask(n.Content[i+1], below, m)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			d.mask(item, key, m)
		}
	case yaml.ScalarNode:
		m.Secrets = append(m.Secrets, d.referred(n)...)
		n.Value, n.Style = d.maskedText(n, key), 0
	}
}

// referred are the values of a text's references.
func (d *decoder) referred(n *yaml.Node) (values []string) {
	for _, ref := range reference.FindAllStringSubmatch(n.Value, -1) {
		if value, problem := d.value(n, ref[1]); problem == "" {
			values = append(values, value)
		}
	}
	return values
}

// onlyReference is a text that is a reference and nothing else.
var onlyReference = regexp.MustCompile(`^\$\{(env|file):[\w./-]+\}$`)

func (d *decoder) maskedText(n *yaml.Node, key string) string {
	_, notNumber := strconv.ParseFloat(n.Value, 64)
	_, notDuration := time.ParseDuration(n.Value)
	switch {
	case n.Value == "", n.Tag == "!!bool", n.Tag == "!!null", notNumber == nil && len(n.Value) < 8, notDuration == nil, // longer numbers may be somebody's
		onlyReference.MatchString(n.Value),
		slices.Contains(telling, key) && !strings.ContainsAny(n.Value, "@"):
		return n.Value
	case key == "store":
		scheme, _, _ := strings.Cut(n.Value, ":")
		return scheme + ":[masked]"
	}
	n.Tag = "!!str"
	return "[masked, " + strconv.Itoa(utf8.RuneCountInString(n.Value)) + " characters]"
}
