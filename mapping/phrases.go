package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"energyd/internal/expression"
	"energyd/internal/fault"
	"energyd/mapping/freetext"
)

// reading is what the free text of the record at hand says. A text is read once, however many words ask for it.
type reading struct {
	text     string
	contacts []freetext.Contact
	told     []string // the words of texts that the activity goes by
}

// textFunctions are the words of the language that read free text.
func (c *compiler) textFunctions() []expression.Function {
	told := func(name string, tell func(*run, []freetext.Contact) any) expression.Function {
		return expression.Function{
			Name: name, Usage: name + "(column)", Params: []expression.Type{expression.Text}, Returns: expression.Text,
			Bind: func([]any) (expression.Call, error) {
				c.reads = true
				return func(env any, args []any) (any, error) {
					w := env.(*run)
					return tell(w, c.env.read(w, args[0])), nil
				}, nil
			},
		}
	}
	return []expression.Function{
		told("kind_in", func(w *run, cs []freetext.Contact) any {
			if first := held(cs); first != nil {
				w.tell(first, "kinds.", "unreached")
				return orNull(first.Kind)
			}
			return nil
		}),
		told("direction_in", func(_ *run, cs []freetext.Contact) any {
			if first := held(cs); first != nil {
				return orNull(first.Direction)
			}
			return nil
		}),
		told("status_in", func(w *run, cs []freetext.Contact) any {
			if held(cs) != nil {
				return string(freetext.Held)
			}
			for i := range cs {
				if cs[i].Kind != "" {
					w.tell(&cs[i], "planned", "ahead", "cancelled")
					return string(cs[i].Status)
				}
			}
			return nil
		}),
		told("time_in", func(_ *run, cs []freetext.Contact) any {
			if first := held(cs); first != nil {
				return orNull(first.Time)
			}
			return nil
		}),
		told("company_in", func(_ *run, cs []freetext.Contact) any {
			for _, x := range cs {
				if x.Status == freetext.Held && x.Company != "" {
					return x.Company
				}
			}
			return nil
		}),
		{
			Name: "cue_in", Usage: `cue_in("question", column)`, Params: []expression.Type{expression.Text, expression.Text},
			Returns: expression.Bool, Bind: c.bindCue,
		},
	}
}

func (c *compiler) bindCue(consts []any) (expression.Call, error) {
	cue, ok := consts[0].(string)
	if !ok {
		return nil, &expression.ArgumentError{Arg: 0, Msg: `the cue is a constant, as in cue_in("question", memo)`}
	}
	if c.env.Phrases != nil {
		if known := c.env.Phrases.Cues(); !slices.Contains(known, cue) {
			return nil, &expression.ArgumentError{Arg: 0, Msg: fmt.Sprintf("the phrases have no cue %q%s", cue, fault.DidYouMean(cue, known))}
		}
	}
	c.reads = true
	return func(env any, args []any) (any, error) {
		w := env.(*run)
		for _, x := range c.env.read(w, args[1]) {
			if x.Status == freetext.Held && slices.Contains(x.Cues, cue) {
				w.tell(&x, "cues."+cue)
				return true, nil
			}
		}
		return false, nil
	}, nil
}

// people are the persons that a text names at contacts that were held, as elements with name, title and company.
func (e *Env) people(w *run, text any) []any {
	var out []any
	for _, x := range e.read(w, text) {
		if x.Status != freetext.Held {
			continue
		}
		out = append(out, persons(&x)...)
	}
	return out
}

func persons(x *freetext.Contact) []any {
	out := make([]any, len(x.People))
	for i, p := range x.People {
		out[i] = map[string]any{"name": orNull(p.Name), "title": orNull(p.Title), "company": orNull(cmp.Or(p.Company, x.Company))}
	}
	return out
}

// contacts are those that a text speaks of, whatever became of them, as elements with contactFields.
func (e *Env) contacts(w *run, text any) []any {
	contacts := e.read(w, text)
	w.contacts = contacts
	out := make([]any, len(contacts))
	for i := range contacts {
		x := &contacts[i]
		cues := make([]any, len(x.Cues))
		for j, cue := range x.Cues {
			cues[j] = cue
		}
		name, title := "", ""
		if len(x.People) > 0 {
			name, title = x.People[0].Name, x.People[0].Title
		}
		out[i] = map[string]any{
			"number": int64(i + 1), "kind": orNull(x.Kind), "direction": orNull(x.Direction), "status": string(x.Status), "time": orNull(x.Time),
			"company": orNull(x.Company), "people": persons(x), "name": orNull(name), "title": orNull(title), "cues": cues,
		}
	}
	return out
}

// contactFields are the fields of contacts' elements; name and title are those of the first person.
var contactFields = []string{"company", "cues", "direction", "kind", "name", "number", "people", "status", "time", "title"}

// personFields are the fields of people's elements.
var personFields = []string{"company", "name", "title"}

// read gives the contacts that a text speaks of.
func (e *Env) read(w *run, text any) []freetext.Contact {
	s, _ := text.(string)
	if s == "" || e.Phrases == nil {
		return nil
	}
	if s != w.reading.text {
		w.reading.text, w.reading.contacts = s, e.Phrases.Read(s)
	}
	return w.reading.contacts
}

// held is the first contact with a kind that took place.
func held(cs []freetext.Contact) *freetext.Contact {
	for i := range cs {
		if cs[i].Status == freetext.Held && cs[i].Kind != "" {
			return &cs[i]
		}
	}
	return nil
}

// tell notes the words that a finding goes by.
func (w *run) tell(x *freetext.Contact, lists ...string) {
	for _, h := range x.Hits {
		if slices.ContainsFunc(lists, func(l string) bool { return strings.HasPrefix(h.List, l) }) && !slices.Contains(w.reading.told, h.String()) {
			w.reading.told = append(w.reading.told, h.String())
		}
	}
}

// origin is the mapping line with the words of free text that the activity goes by.
func (w *run) origin(line string) string {
	const most = 200 // bytes: it is kept with each activity
	if len(w.reading.told) == 0 {
		return line
	}
	told := strings.Join(w.reading.told, ", ")
	for len(told) > most {
		_, n := utf8.DecodeLastRuneInString(told)
		told = told[:len(told)-n]
	}
	return line + " (" + told + ")"
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
