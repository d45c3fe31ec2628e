package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/pipeline"
)

func (a *app) explainCommand() *cobra.Command {
	return a.withAsOf(&cobra.Command{
		Use:   "explain ENTITY",
		Short: "Say why a number is what it is",
		Long: `explain takes an account, contact, deal, rep or group, by its CRM id, its code or its name
("001…", "K0001", "株式会社山田製作所", "contact:003…"), and shows the dated activities that its
temperature comes from: points, rule, mapping line and source record of each. Where several
sources tell of one contact, it lists all their records, and what the contact has of which. Of a group ("group:001…") it shows
the accounts that make it up, what each gives, and its largest contacts.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("explain takes one entity: a CRM id, a code or a name")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				e, err := p.Explain(ctx, args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(e)
				}
				if e.Kind == engine.CompanyGroup.String() {
					a.printGroup(e)
					return nil
				}
				a.printExplanation(e, len(e.Parts))
				return nil
			})
		},
	})
}

// printExplanation prints an explanation with its most parts that weigh most.
func (a *app) printExplanation(e explain.Explanation, most int) {
	a.printTemperature(e)
	t := newTable("DATE", "LEFT", "EARNED", "CONTACT", "RULE", "SOURCE RECORD", "MAPPING").alignRight(1, 2)
	rest, others := 0.0, 0
	for i, p := range e.Parts {
		if i >= most {
			rest += p.Share
			others++
			continue
		}
		who := p.Kind
		for _, person := range p.People {
			who += " " + person
		}
		record := p.Source + "/" + p.Record
		if len(p.Members) > 0 {
			record = member(p.Members[0])
		}
		t.row(p.Date, fmt.Sprintf("%.3f", p.Share), fmt.Sprintf("%.3f", p.Points), who, p.Rule, record, p.Mapping)
		for _, m := range p.Members[min(1, len(p.Members)):] {
			t.row("", "", "", "", "", "= "+member(m), m.Mapping)
		}
	}
	t.print(a.out)
	if others > 0 {
		fmt.Fprintf(a.out, "… and %d older or smaller contacts: %.3f\n", others, rest)
	}
}

// printGroup prints the accounts of a group, each with the contacts that weigh most.
func (a *app) printGroup(e explain.Explanation) {
	a.printTemperature(e)
	const most = 3
	t := newTable("ACCOUNT", "LEFT", "EARNED", "CONTACTS", "LARGEST CONTACTS").alignRight(1, 2, 3)
	for _, account := range e.Accounts {
		head := []any{strings.TrimSpace(account.ID + " " + account.Name), fmt.Sprintf("%.3f", account.Share),
			fmt.Sprintf("%.3f", account.Points), account.Contacts}
		shown := 0
		for _, p := range e.Parts {
			if p.Account != account.ID || shown == most {
				continue
			}
			t.row(append(head, fmt.Sprintf("%s %s %.3f", p.Date, strings.Join(append([]string{p.Kind}, p.People...), " "), p.Share))...)
			head = []any{"", "", "", ""}
			shown++
		}
	}
	t.print(a.out)
}

func (a *app) printTemperature(e explain.Explanation) {
	until := ""
	if e.BandUntil != "" {
		until = fmt.Sprintf(" until %s if nothing happens", e.BandUntil)
	}
	fmt.Fprintf(a.out, "%s %s %s\n", e.Kind, e.ID, e.Name)
	fmt.Fprintf(a.out, "temperature %.3f on %s, band %s%s (half-life %g days, points table %s)\n", e.Temperature, e.AsOf, e.Band, until, e.HalfLife, e.Table)
	if s := e.Since; s != nil {
		fmt.Fprintf(a.out, "since the CRM was given %.3f on %s: %+.3f new contacts, %+.3f cooled, %+.3f corrected\n", s.Was, s.Date, s.New, s.Decay, s.Corrections)
	}
	if e.Trend != "" {
		fmt.Fprintf(a.out, "trend: %s\n", e.Trend)
	}
	for _, r := range e.Alarms {
		state := ""
		if r.State != "" && r.State != engine.Fired.String() {
			state = " (" + stateWords(r, "en") + ")"
		}
		fmt.Fprintf(a.out, "alarm since %s: %s: %s%s\n", r.Since, r.Label, r.Sentence, state)
	}
	for _, u := range e.Undelivered {
		fmt.Fprintf(a.out, "a mail to %s came back on %s, and none has come since: is the address right? (%s/%s)\n", cmp.Or(u.Name, u.Contact), u.Date, u.Source, u.Record)
	}
}

// member names one of several records of a contact, and what the contact has of it: "events/00U1 (time, people)".
func member(m explain.Member) string {
	name := m.Source + "/" + m.Record
	if len(m.Gave) == 0 {
		return name
	}
	gave := make([]string, len(m.Gave))
	for i, g := range m.Gave {
		gave[i] = string(g)
	}
	return name + " (" + strings.Join(gave, ", ") + ")"
}

// threeOf picks the hottest, the middle and the coldest of scores.
func threeOf(scores []engine.EntityScore) []engine.EntityScore {
	slices.SortFunc(scores, func(x, y engine.EntityScore) int { return cmp.Compare(y.Temperature, x.Temperature) })
	if len(scores) <= 3 {
		return scores
	}
	return []engine.EntityScore{scores[0], scores[len(scores)/2], scores[len(scores)-1]}
}
