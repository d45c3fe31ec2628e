package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/daemon"
	"energyd/internal/demo"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/internal/web"
)

func (a *app) demoCommand() *cobra.Command {
	var once bool
	var dir string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Everything at once on this machine: simulated CRM, daily-report database, mailboxes, energy in the CRM",
		Long: `demo starts a simulated CRM and a mail server on loopback ports and makes a daily-report database, makes
energyd's fields in the CRM, pulls all three, scores, shows the plan, applies it, reads the CRM back, and explains three customers.
Then it stays up, so that you can look at the dashboard and the CRM's pages, and try the other commands on its folder.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.demo(c.Context(), dir, once) },
	}
	c.Flags().BoolVar(&once, "once", false, "exit when everything is shown")
	c.Flags().StringVar(&dir, "dir", "", "folder to use and keep (default a temporary one)")
	return c
}

func (a *app) demo(ctx context.Context, dir string, once bool) (err error) {
	kept := dir != ""
	if !kept {
		if dir, err = os.MkdirTemp("", "energyd-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	world, err := demo.StartBare(ctx, dir, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	a.config = world.Config
	if err := config.WriteSchemas(dir, all.Connectors); err != nil {
		return err
	}
	a.say("A simulated CRM runs at %s, a mail server at %s; daily reports are in %s.", world.URL, world.Mail, filepath.Join(relative(dir), "daily_report.db"))

	p, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	shown := a.demoSteps(ctx, p, world)
	if err := errors.Join(shown, p.Close()); err != nil {
		return err
	}
	a.code = exitDone // the few rejects are part of the show
	if once {
		if kept {
			a.say("The CRM stops now. It comes back, as it is, with: energyd demo --dir %s", relative(dir))
		}
		return nil
	}
	dashboard, stop, err := a.demoDashboard(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	a.say("The dashboard is at http://%s", dashboard)
	a.say("The CRM stays up at %s until you press Ctrl-C. Try, in another terminal:", world.URL)
	fmt.Fprintf(a.out, "  energyd sync    --config %s\n  energyd status  --config %[1]s\n  energyd explain 株式会社山田製作所 --config %[1]s\n  energyd report month --out month.xlsx --config %[1]s\n  energyd undo RUN --config %[1]s    # RUN stands in the status\n", world.Config)
	<-ctx.Done()
	return nil
}

// demoDashboard serves what there is to see, on any free port. No daemon runs that could do anything from there.
func (a *app) demoDashboard(ctx context.Context) (address string, stop func() error, err error) {
	served, log := telemetry.HTTP{Listen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler)
	p, err := a.open(ctx, true)
	if err != nil {
		return "", nil, err
	}
	pages := web.New(log, served, daemon.NewDesk())
	if err := pages.Use(p); err != nil {
		return "", nil, errors.Join(err, p.Close())
	}
	endpoint, err := telemetry.Serve(ctx, served, telemetry.NewHealth(), telemetry.NewMetrics(versionText()), pages, log)
	if err != nil {
		return "", nil, errors.Join(err, pages.Close())
	}
	return endpoint.Address(), func() error { return errors.Join(endpoint.Close(), pages.Close()) }, nil
}

// say prints a heading between the steps.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.out, "\n== "+format+"\n", args...)
}

func (a *app) demoSteps(ctx context.Context, p *pipeline.Pipeline, world *demo.World) error {
	a.say("fields apply: make the fields that energyd writes to")
	crms, err := p.MakeFields(ctx)
	if err != nil {
		return err
	}
	for _, c := range crms {
		a.printFieldsMade(c)
	}

	a.say("pull: read the CRM, the mailboxes and the daily reports")
	pulled, err := p.Pull(ctx)
	if err != nil {
		return err
	}
	a.printPull(pulled)
	a.printWarnings(pulled)
	if pulled.State == store.Failed {
		return errors.Join(pulled.Errors...)
	}
	for r, err := range p.Store().Rejects(ctx, "") {
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  kept back: %s: %s\n", r.Origin, r.Reason)
	}

	for u, err := range p.Undelivered(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  a mail came back on %s: is the address of %s, %s, still right?\n", u.Date, u.Name, u.AccountName)
	}

	a.say("plan: what would change in the CRM")
	planned, sum, err := p.Plan(ctx)
	if err != nil {
		return err
	}
	n, err := a.printChanges(p.Changes(ctx, planned.Run), p.Causes, 6)
	if err != nil {
		return err
	}
	a.printPlan(sum, n)

	if sum.Records > 0 {
		a.say("apply: send exactly that plan")
		_, out, err := p.Apply(ctx, sum.Plan)
		if err != nil {
			return err
		}
		a.printOutcome(outcome{Outcome: out})

		a.say("read the CRM back")
		v, err := p.Verify(ctx, planned.Run)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%d of %d fields hold what was written\n", v.Held, v.Fields)
		if v.Held != v.Fields || v.Fields != sum.Fields {
			return fault.New(fault.Internal, "demo", fmt.Sprintf("%d fields planned, %d read back, %d hold their value: %v", sum.Fields, v.Fields, v.Held, v.Differ), "report this", nil)
		}
	}

	a.say("three customers, explained")
	if err := a.explainThree(ctx, p, world); err != nil {
		return err
	}

	a.say("sync once more: nothing has happened, so nothing is written")
	r, again, out, err := p.Sync(ctx)
	if err != nil {
		return err
	}
	a.printSync(r, again, outcome{Outcome: out})
	if again.Records > 0 {
		return fault.New(fault.Internal, "demo", fmt.Sprintf("the second sync planned %d changes", again.Records), "report this", nil)
	}
	return nil
}

// explainThree explains the hottest account, one in the middle, and the coldest.
func (a *app) explainThree(ctx context.Context, p *pipeline.Pipeline, world *demo.World) error {
	var scores []engine.EntityScore
	for s, err := range p.Scores(ctx, engine.Account) {
		if err != nil {
			return err
		}
		scores = append(scores, s)
	}
	for i, s := range threeOf(scores) {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		e, err := p.Explain(ctx, "account:"+s.ID)
		if err != nil {
			return err
		}
		a.printExplanation(e, 5)
		fmt.Fprintf(a.out, "  in the CRM: %s\n", world.AccountPage(s.ID))
	}
	return nil
}
