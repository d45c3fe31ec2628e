package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/expression"
	"energyd/mapping/matching"
)

// Asked is what a record asked by match and a person has to decide.
type Asked struct {
	Key     string // under which the decision is kept, as matching.AccountKey and PersonKey make it
	Written string // the name as the record has it
}

// matchWords are what match takes of each kind; "name" first.
var matchWords = map[engine.EntityKind][]string{
	engine.Account: {"name", "domain", "phone", "number"},
	engine.Contact: {"name", "reading", "email", "account"},
}

const matchUsage = `match("account", "name", column) or match("account", "name", column, "domain", column, "phone", column, "number", column)`

// matchFunction is the word match: the account or contact that is meant, by all that a record says of it.
func (c *compiler) matchFunction() expression.Function {
	const value = expression.Text | expression.Number
	f := expression.Function{Name: "match", Usage: matchUsage, Params: []expression.Type{expression.Text}, Optional: 2 * 3, Returns: expression.Text, Bind: c.bindMatch}
	for range matchWords[engine.Account] {
		f.Params = append(f.Params, expression.Text, value)
	}
	return f
}

// Matches tells that records ask which entity of a kind is meant, so that the directory needs an index of them.
func (m *Mapping) Matches(kind engine.EntityKind) bool { return m.matches[kind] }

func (c *compiler) bindMatch(consts []any) (expression.Call, error) {
	entity, _ := consts[0].(string)
	kind, known := entityKinds[entity]
	words := matchWords[kind]
	if !known || words == nil {
		return nil, &expression.ArgumentError{Arg: 0, Msg: unknownWord("entity", entity, []string{"account", "contact"}) + "; others are found by their keys: " +
			`find("deal", "code", deal_code)`}
	}
	if len(consts)%2 == 0 {
		return nil, &expression.ArgumentError{Arg: len(consts) - 1, Msg: "each word needs a value behind it; write " + matchUsage}
	}
	at := make([]int, len(words)) // of the values among the arguments; 0 = not given
	for i := 1; i < len(consts); i += 2 {
		word, _ := consts[i].(string)
		n := slices.Index(words, word)
		switch {
		case n < 0:
			return nil, &expression.ArgumentError{Arg: i, Msg: unknownWord("word for match", word, words)}
		case at[n] > 0:
			return nil, &expression.ArgumentError{Arg: i, Msg: fmt.Sprintf("%q stands here twice", word)}
		}
		at[n] = i + 1
	}
	c.finds = true
	c.matches[kind] = true
	return func(env any, args []any) (any, error) {
		r := env.(*run)
		var said [4]string
		for n, arg := range at {
			if arg == 0 {
				continue
			}
			var err error
			if said[n], err = textOf(args[arg]); err != nil {
				return nil, err
			}
		}
		if r.dir == nil {
			return nil, nil
		}
		if kind == engine.Contact {
			return r.matchContact(said, at[3] > 0)
		}
		return r.matchAccount(said)
	}, nil
}

// ownDomain is domain, which sources say the same few of.
var ownDomain = remembered(domain)

func (w *run) matchAccount(said [4]string) (any, error) {
	if said == [4]string{} {
		return nil, nil
	}
	want := matching.Account{Name: said[0], Number: said[3]}
	if d := ownDomain(said[1]); d != "" {
		want.Domains = []string{d}
	}
	if said[2] != "" {
		want.Phones = []string{said[2]}
	}
	missed := key{"account", "name", said[0]}
	for i := 1; missed.value == ""; i++ {
		missed.name, missed.value = matchWords[engine.Account][i], said[i]
	}
	return w.matched(w.dir.MatchAccount(want), missed, said[0])
}

func (w *run) matchContact(said [4]string, elsewhere bool) (any, error) {
	want := matching.Person{Name: said[0], Reading: said[1], Email: said[2], Account: said[3]}
	if !elsewhere {
		want.Account = w.account
	}
	if want.Name == "" && want.Email == "" {
		return nil, nil
	}
	// Whom the CRM does not know is counted without a name.
	missed := key{"contact", "account", "of " + want.Account}
	if want.Email != "" {
		missed = key{"contact", "email", want.Email}
	}
	return w.matched(w.dir.MatchContact(want), missed, said[0])
}

func (w *run) matched(m matching.Match, missed key, written string) (any, error) {
	switch m.Outcome {
	case matching.Linked:
		return m.ID, nil
	case matching.Proposed:
		if m.Key != "" {
			w.asked, w.proposed = append(w.asked, Asked{m.Key, written}), m.Proposals
		}
	}
	w.missed = missed
	return nil, nil
}

// undecided is the reject of a record whose account a person has to decide.
func undecided(asked Asked, proposals []matching.Proposal) string {
	var may []string
	for _, p := range proposals {
		may = append(may, fmt.Sprintf("%s (%s)", p.ID, p.Reason))
	}
	return fmt.Sprintf("%q may be %s; decide it by: energyd match accept %q ID; the next pull tries the record again",
		short(cmp.Or(asked.Written, asked.Key)), strings.Join(may, ", or "), asked.Key)
}

// MatchedAccount is an account of the directory as match looks for it: by its
// name and its keys domain, phone and number.
func MatchedAccount(id, name string, keys map[string]string) matching.Account {
	a := matching.Account{ID: id, Name: name, Number: keys["number"]}
	if d := ownDomain(keys["domain"]); d != "" {
		a.Domains = []string{d}
	}
	if phone := keys["phone"]; phone != "" {
		a.Phones = []string{phone}
	}
	return a
}

// MatchedContact is a contact of the directory as match looks for it: by its
// name and its keys reading and email, within its account.
func MatchedContact(id, account, name string, keys map[string]string) matching.Person {
	return matching.Person{ID: id, Account: account, Name: name, Reading: keys["reading"], Email: keys["email"]}
}
