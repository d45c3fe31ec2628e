package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"energyd/connectors"
)

// prepared is what a run was told of the objects of its streams in advance.
type prepared struct {
	mu      sync.Mutex
	objects map[string]*sobject // nil for one that the org has not; by name in small letters
	streams map[string]int      // that may still use it, by their object
}

// Prepare describes all objects of streams, of their parents, and of the
// relations of activities, at one call for 25 of them (C61). What it does not
// find out, each Source asks for itself, and tells what is wrong.
func (c *Conn) Prepare(ctx context.Context, streams []connectors.Config) {
	c.prepared.keep(nil, nil) // of the last run
	found := map[string]*sobject{}
	uses := map[string]int{}
	var names []string
	for _, cfg := range streams {
		stream := cfg.(*Stream)
		uses[strings.ToLower(stream.Object)]++
		names = append(names, stream.Object)
		if a, ok := activities[stream.Object]; ok && stream.wantsPeople() {
			names = append(names, a.relation)
		}
	}
	for range 6 { // as deep as parents go in SOQL
		names = slices.DeleteFunc(names, func(name string) bool { _, ok := found[strings.ToLower(name)]; return ok })
		for some := range slices.Chunk(distinct(names), 25) {
			if err := c.describeAll(ctx, some, found); err != nil {
				c.log.Debug("The objects are described one by one.", "error", err)
				return
			}
		}
		names = nil
		for _, cfg := range streams {
			stream := cfg.(*Stream)
			for _, field := range stream.Fields {
				if parent := unknownParent(found, stream.Object, field); parent != "" {
					names = append(names, parent)
				}
			}
		}
		if len(names) == 0 {
			break
		}
	}
	c.prepared.keep(found, uses)
}

func (p *prepared) keep(objects map[string]*sobject, streams map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.objects, p.streams = objects, streams
}

// distinct gives each of names once.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// unknownParent follows the parents in field ("Account.Owner.Name") to the first that was not found yet; "" when there is none.
func unknownParent(found map[string]*sobject, object, field string) string {
	steps := strings.Split(field, ".")
	for _, step := range steps[:len(steps)-1] {
		o := found[strings.ToLower(object)]
		if o == nil {
			return ""
		}
		f, ok := o.relation(step)
		if !ok || len(f.ReferenceTo) != 1 {
			return ""
		}
		object = f.ReferenceTo[0]
		if _, ok := found[strings.ToLower(object)]; !ok {
			return object
		}
	}
	return ""
}

// describeAll describes up to 25 objects at one call.
func (c *Conn) describeAll(ctx context.Context, objects []string, found map[string]*sobject) error {
	paths := make([]string, len(objects))
	for i, name := range objects {
		paths[i] = "/sobjects/" + name + "/describe"
	}
	answers, err := c.together(ctx, "describe objects", paths)
	if err != nil {
		return err
	}
	for i, a := range answers {
		switch a.Status {
		case http.StatusOK:
			var o sobject
			if err := json.Unmarshal(a.Body, &o); err != nil {
				return err
			}
			found[strings.ToLower(objects[i])] = &o
		case http.StatusNotFound:
			found[strings.ToLower(objects[i])] = nil
		}
	}
	return nil
}

// part is the answer to a part of a call.
type part struct {
	Status int             `json:"httpStatusCode"`
	Body   json.RawMessage `json:"body"`
	Ref    string          `json:"referenceId"`
}

// together gets up to 25 paths, and gives the answers in their order. The org
// counts that as one call, and each part of /composite/batch as another.
func (c *Conn) together(ctx context.Context, op string, paths []string) ([]part, error) {
	type request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
		Ref    string `json:"referenceId"`
	}
	requests := make([]request, len(paths))
	for i, path := range paths {
		requests[i] = request{http.MethodGet, "/services/data/" + c.cfg.APIVersion + path, fmt.Sprintf("p%d", i)}
	}
	var answer struct {
		Parts []part `json:"compositeResponse"`
	}
	err := c.call(ctx, call{op: op, method: http.MethodPost, path: "/composite",
		body: map[string]any{"allOrNone": false, "compositeRequest": requests}}, &answer)
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(paths))
	for _, p := range answer.Parts {
		if i := slices.IndexFunc(requests, func(r request) bool { return r.Ref == p.Ref }); i >= 0 {
			parts[i] = p
		}
	}
	return parts, nil
}

// look describes objects for one stream: by what the run was told in advance, once, else by asking.
type look struct {
	conn     *Conn
	prepared map[string]*sobject
}

func (c *Conn) look(object string) look {
	c.prepared.mu.Lock()
	defer c.prepared.mu.Unlock()
	key := strings.ToLower(object)
	if c.prepared.streams[key] == 0 {
		return look{conn: c}
	}
	c.prepared.streams[key]--
	return look{c, c.prepared.objects}
}

// object describes an object that must be there.
func (l look) object(ctx context.Context, name string) (*sobject, error) {
	if o := l.prepared[strings.ToLower(name)]; o != nil {
		return o, nil
	}
	return l.conn.describe(ctx, name)
}

// optional describes an object that an org may lack: nil then.
func (l look) optional(ctx context.Context, name string) (*sobject, error) {
	if o, ok := l.prepared[strings.ToLower(name)]; ok {
		return o, nil
	}
	return l.conn.find(ctx, name)
}
