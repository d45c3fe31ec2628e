package connectors

import (
	"context"
	"fmt"
	"log/slog"
)

// Config is a connector's own configuration, of a connection or of a stream:
// a pointer to a struct with yaml tags that holds the defaults. Validate does
// no I/O and returns fault.Problems, paths relative to the struct.
type Config interface{ Validate() error }

// Advisor is a Config with something to say that is right as it is, and could be better.
type Advisor interface {
	// Advice is one line for the admin; "" = nothing.
	Advice() string
}

// RecordLinker is a Config of a system whose records people open in a browser.
type RecordLinker interface {
	RecordLink(id string) string // the address of a record's page
}

// Env is what a connector gets from its surroundings.
type Env struct {
	Log  *slog.Logger
	Name string // of the connection in energyd.yaml, for messages
	Dir  string // folder of energyd.yaml; relative paths in a Config are below it
	// Language is that of remarks that a survey shows to people: "ja", else English.
	Language string
	// Calls are our own of the last 24 hours, before the connection is opened; see Budget.
	Calls []Calls
}

// Say writes a remark for people in their language. The verbs of both texts take the same args; explicit
// indexes put them in another order.
func (e Env) Say(en, ja string, args ...any) string {
	if e.Language == "ja" {
		return fmt.Sprintf(ja, args...)
	}
	return fmt.Sprintf(en, args...)
}

// Connector is an entry of the registry: how to configure and open one kind of system.
type Connector struct {
	Name      string // "type:" in energyd.yaml
	Title     string
	Sample    []byte        // sample.yaml: every option with its default and a comment
	NewConfig func() Config // a connection's configuration with its defaults
	NewStream func() Config // a stream's configuration with its defaults
	Open      func(ctx context.Context, cfg Config, env Env) (Conn, error)
	Reads     bool // capabilities: has sources
	Writes    bool // is a Target
}

// Registry finds connectors by name.
type Registry []Connector

// Find gives the connector of that name.
func (r Registry) Find(name string) (Connector, bool) {
	for _, c := range r {
		if c.Name == name {
			return c, true
		}
	}
	return Connector{}, false
}

// Names lists the connectors' names.
func (r Registry) Names() []string {
	names := make([]string, len(r))
	for i, c := range r {
		names[i] = c.Name
	}
	return names
}
