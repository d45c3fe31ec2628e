package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/sink"
)

func (a *app) fieldsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "fields",
		Short: "Create the custom fields and permissions in the CRM",
		Long: `fields compares the fields under "write" in energyd.yaml with those of the CRM (plan), and makes what is
missing (apply): fields, a permission set for the user that energyd signs on as, one for sales people to
see them. Fields that are there stay as they are. Without the rights for that, or with --package, it writes
a folder that the CRM's administrator can deploy.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage("say what to do: energyd fields plan, or energyd fields apply; energyd fields list shows what can be written")
		},
	}
	c.AddCommand(a.fieldsListCommand(), a.fieldsPlanCommand(), a.fieldsApplyCommand())
	return c
}

func (a *app) fieldsListCommand() *cobra.Command {
	var language string
	c := &cobra.Command{
		Use:   "list",
		Short: "Show all that can be written into a CRM field; needs no configuration",
		Long:  "list shows the measures that may stand below write: in energyd.yaml, the field that each needs, and what it says.",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if language != "ja" && language != "en" {
				return usage("--language takes ja or en")
			}
			if a.json {
				list := make([]map[string]any, len(sink.Measures))
				for i, m := range sink.Measures {
					list[i] = map[string]any{"measure": m.Name, "type": m.Type, "length": m.Length, "precision": m.Precision, "scale": m.Scale,
						"label": m.Label.In(language), "help": m.Help.In(language)}
				}
				return a.encode(list)
			}
			t := newTable("MEASURE", "FIELD", "LABEL", "WHAT IT SAYS")
			t.whole(3)
			for _, m := range sink.Measures {
				t.row(m.Name, connectors.Shape(m.Type, m.Length, m.Precision, m.Scale), m.Label.In(language), m.Help.In(language))
			}
			t.print(a.out)
			return nil
		},
	}
	c.Flags().StringVar(&language, "language", "ja", "of labels and help texts: ja or en")
	return c
}

func (a *app) fieldsPlanCommand() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show which fields are right, missing, hidden or of another type; change nothing",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				crms, err := p.PlanFields(ctx)
				if err == nil && folder != "" {
					_, err = p.PackageFields(folder, crms)
				}
				if lacksRights(crms) {
					a.code = exitFailed
				}
				return a.showFields(crms, err, folder, "")
			})
		},
	}
	c.Flags().StringVar(&folder, "package", "", "also write what is missing into this folder, for the CRM's administrator to deploy")
	return c
}

func (a *app) fieldsApplyCommand() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:   "apply",
		Short: "Make the missing fields and permission sets, and see that they can be used",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				crms, err := p.MakeFields(ctx)
				wrote := ""
				// Refused: what was asked for is what an administrator has to do.
				if fault.KindOf(err) == fault.Auth && len(crms) > 0 {
					if _, packageErr := p.PackageFields(folder, crms); packageErr != nil {
						return packageErr
					}
					wrote = folder
				}
				return a.showFields(crms, err, wrote, "apply")
			})
		},
	}
	c.Flags().StringVar(&folder, "package", "crm-package", "folder for what the CRM's administrator has to deploy when rights are missing")
	return c
}

func lacksRights(crms []pipeline.CRMFields) bool {
	return slices.ContainsFunc(crms, func(c pipeline.CRMFields) bool { return len(c.Rights) > 0 })
}

// showFields prints how the fields stand, also when err stopped it on the way, and gives err on.
func (a *app) showFields(crms []pipeline.CRMFields, err error, folder, did string) error {
	if a.json {
		if encodeErr := a.encode(struct {
			Connections []pipeline.CRMFields `json:"connections"`
			Package     string               `json:"package,omitempty"`
		}{crms, folder}); encodeErr != nil {
			return encodeErr
		}
		return err
	}
	for _, c := range crms {
		if len(c.Fields) == 0 {
			continue // it failed before anything was known
		}
		a.printFields(c)
		if did == "" {
			a.printFieldsPlan(c)
		} else if err == nil {
			a.printFieldsMade(c)
		}
	}
	if did != "" && err == nil {
		fmt.Fprintln(a.out, "next: energyd check, then energyd pull")
	}
	if folder != "" {
		fmt.Fprintf(a.out, "wrote %s: what the CRM's administrator can deploy instead; %s/README.md tells how\n", folder, folder)
	}
	return err
}

func (a *app) printFields(c pipeline.CRMFields) {
	t := newTable("OBJECT", "FIELD", "LABEL", "WANTED", "STATE")
	object := ""
	stopped := len(c.Rights) > 0 || slices.ContainsFunc(c.Fields, func(f connectors.FieldState) bool { return f.Standing == connectors.FieldUnfit })
	for _, f := range c.Fields {
		shown := f.Object
		if f.Object == object {
			shown = ""
		}
		object = f.Object
		t.row(shown, f.Name, f.Label, f.Shape(), standing(f, stopped))
	}
	t.print(a.out)
}

// standing says a field's standing in words, and what will be done about it unless that is stopped.
func standing(f connectors.FieldState, stopped bool) string {
	will := func(state, what string) string {
		if stopped {
			return state
		}
		return strings.TrimPrefix(state+", "+what, "missing, ")
	}
	switch f.Standing {
	case connectors.FieldRight:
		if f.Made {
			return "made"
		}
		return "right"
	case connectors.FieldMissing:
		return will("missing", "will be made")
	case connectors.FieldReadOnly:
		return will("read-only", "will be granted")
	case connectors.FieldHidden:
		return will("hidden by field-level security", "will be granted")
	case connectors.FieldUnseen:
		return "missing, or hidden by field-level security"
	}
	return "cannot be used: " + f.Problem
}

func (a *app) printFieldsPlan(c pipeline.CRMFields) {
	for _, n := range c.Notes {
		fmt.Fprintln(a.out, "note:", n)
	}
	count := func(standings ...connectors.FieldStanding) (n int) {
		for _, f := range c.Fields {
			if slices.Contains(standings, f.Standing) {
				n++
			}
		}
		return n
	}
	switch unfit := count(connectors.FieldUnfit); {
	case unfit > 0:
		fmt.Fprintf(a.out, "%s: %d of %d fields cannot be used; nothing will be made until that is settled\n", c.Connection, unfit, len(c.Fields))
	case len(c.Rights) > 0:
		fmt.Fprintf(a.out, "%s: the user that energyd signs on as may not do this:\n", c.Connection)
		for _, r := range c.Rights {
			fmt.Fprintf(a.out, "  it lacks %q, needed %s\n", r.Name, r.For)
		}
		fmt.Fprintln(a.out, "  what to do: the CRM's administrator grants this by a permission set (and may take it back afterwards),")
		fmt.Fprintln(a.out, "  or deploys what energyd fields plan --package DIR writes")
	case c.Right():
		fmt.Fprintf(a.out, "%s: all %d fields are right; nothing to make\n", c.Connection, len(c.Fields))
	case c.Calls > 0:
		a.printAccess(c)
		var parts []string
		for _, part := range []struct {
			n    int
			what string
		}{{count(connectors.FieldMissing), "to make"}, {count(connectors.FieldReadOnly, connectors.FieldHidden), "to grant"}, {count(connectors.FieldRight), "right"}} {
			if part.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
			}
		}
		fmt.Fprintf(a.out, "%s: of %d fields %s; about %d API calls\n", c.Connection, len(c.Fields), strings.Join(parts, ", "), c.Calls)
		fmt.Fprintln(a.out, "make them with: energyd fields apply")
	}
}

func (a *app) printFieldsMade(c pipeline.CRMFields) {
	made := 0
	for _, f := range c.Fields {
		if f.Made {
			made++
		}
	}
	if made == 0 && len(c.Access) == 0 {
		fmt.Fprintf(a.out, "%s: all %d fields are right; nothing was changed\n", c.Connection, len(c.Fields))
		return
	}
	a.printAccess(c)
	said := ""
	if made > 0 {
		said = fmt.Sprintf("%d fields made; ", made)
	}
	fmt.Fprintf(a.out, "%s: %senergyd can see and edit all %d\n", c.Connection, said, len(c.Fields))
}

// printAccess says what permission sets are given, before or after it is done.
func (a *app) printAccess(c pipeline.CRMFields) {
	for _, s := range c.Access {
		text := fmt.Sprintf("%d more fields", s.Grants)
		if s.New {
			text = fmt.Sprintf("new, with %d fields", s.Grants)
		}
		switch {
		case s.Assign && s.Grants == 0:
			text = "assigned to the user that energyd signs on as"
		case s.Assign:
			text += "; assigned to the user that energyd signs on as"
		case s.New:
			text += "; assigned to nobody: that is for the CRM's administrator to do"
		}
		fmt.Fprintf(a.out, "permission set %s (%s): %s\n", s.Name, s.For, text)
	}
}
