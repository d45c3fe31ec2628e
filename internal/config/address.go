package config

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"energyd/internal/fault"
)

// Address gives the address of a store as a person names it on a command line,
// with references to secrets as in energyd.yaml resolved; files are below dir.
// Faults: config. No message holds what a reference stands for.
func Address(text, dir string) (string, error) {
	d := decoder{doc: &document{}, dir: dir}
	at := &yaml.Node{Value: text}
	address, ok := d.resolve(at)
	if !ok {
		return "", fault.New(fault.Config, "", d.doc.problems[0].Msg, referenceHint, nil)
	}
	if !strings.Contains(text, ":") { // a path
		return "sqlite:" + text, nil
	}
	return address, nil
}
