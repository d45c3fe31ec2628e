package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
)

func (a *app) eraseCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "erase CONTACT|ADDRESS",
		Short: "Forget a person of a customer, for good",
		Long: `erase takes a person out of activities, scores, directory, rejects, plans and journals, and keeps
the person from coming back from any source. Name the person by mail address, or by a contact's
CRM id, code or name. Without --yes it only shows what would be erased. See docs/privacy.md.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || strings.TrimSpace(args[0]) == "" {
				return usage("erase takes one person: a mail address, or a contact's id, code or name")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, e, err := p.Erase(ctx, args[0], yes)
				if r.Run != "" {
					return a.ended(r, err, func() { a.printErasing(e, r.Run) }, struct {
						Run string `json:"run"`
						pipeline.Erasing
					}{r.Run, e})
				}
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(e)
				}
				a.printErasing(e, "")
				return nil
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "erase; without it only what would be erased is shown")
	return c
}

func (a *app) printErasing(e pipeline.Erasing, run string) {
	if run != "" && !e.Done { // it failed, and says why
		return
	}
	for _, line := range []struct {
		what string
		list []string
	}{{"contacts", e.Contacts}, {"names", e.Names}, {"addresses", e.Addresses}} {
		if len(line.list) > 0 {
			fmt.Fprintf(a.out, "%s: %s\n", line.what, strings.Join(line.list, ", "))
		}
	}
	for _, key := range e.SharedKeys {
		fmt.Fprintf(a.out, "%s is of other contacts too: it stays theirs\n", key)
	}
	t := newTable("WHERE", "COUNT", "WHAT HAPPENS").alignRight(1)
	for _, row := range []struct {
		where string
		count int
		what  string
	}{
		{"activities of this person alone", e.Activities, "removed, with their energy"},
		{"activities with others of the customer", e.Shared, "stay for the others"},
		{"directory", e.Profiles, "removed"},
		{"scores", e.Scores, "removed"},
		{"rejects", e.Rejects, "removed"},
		{"plans and journal", e.Changes, "removed"},
		{"values written to the CRM", e.Written, "forgotten here"},
		{"other messages", e.Texts, "address and name taken out"},
	} {
		t.row(row.where, row.count, row.what)
	}
	t.print(a.out)
	if run == "" {
		fmt.Fprintln(a.out, "nothing was erased; to do it, add --yes. It cannot be undone")
		return
	}
	if len(e.ReadAgain) > 0 {
		fmt.Fprintf(a.out, "the next pull reads again from the beginning, for what these sources gave under no contact: %s\n", strings.Join(e.ReadAgain, ", "))
	}
	for _, record := range e.Records {
		fmt.Fprintf(a.out, "energyd writes %s no more; delete the record in the CRM, or empty its energy fields\n", record)
	}
	fmt.Fprintf(a.out, "run %s: erased; a plan that was open is withdrawn, so run energyd plan again\n", run)
}
