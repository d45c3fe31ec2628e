package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/daemon"
	"energyd/internal/pipeline"
	"energyd/internal/telemetry"
	"energyd/internal/web"
)

func (a *app) runCommand() *cobra.Command {
	form := telemetry.Text
	c := &cobra.Command{
		Use:   "run",
		Short: "The daemon: runs by schedule and when mailboxes tell of news, health, metrics",
		Long: "run stays, and starts by the schedules of the configuration what sync and pull do. It logs to standard error.\n\n" +
			"SIGHUP has it read the configuration again: one that is not right changes nothing. SIGTERM or Ctrl-C ends it within half a minute: " +
			"a run that is at work ends, or is dropped where nothing of it is lost. docs/operations.md tells how to install it as a service.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if form != telemetry.Text && form != telemetry.JSON {
				return usage("--log takes text or json, and not %q", form)
			}
			level := slog.LevelInfo
			if a.verbose > 0 {
				level = slog.LevelDebug
			}
			return a.daemon(c.Context(), telemetry.NewLog(a.err, level, form))
		},
	}
	c.Flags().StringVar(&form, "log", telemetry.Text, "form of the log: text, or json for programs that collect logs")
	return c
}

// daemon runs until ctx ends.
func (a *app) daemon(ctx context.Context, log *slog.Logger) error {
	file, err := a.configFile()
	if err != nil {
		return err
	}
	notify := func(state string) {
		if err := telemetry.Notify(context.WithoutCancel(ctx), state); err != nil {
			log.Warn("the service manager was not told", "state", state, "error", err)
		}
	}
	defer context.AfterFunc(ctx, func() {
		notify(telemetry.Stopping)
		signal.Reset(os.Interrupt, syscall.SIGTERM) // a second one ends at once, which loses nothing either
	})()
	log.Info("energyd begins", "version", versionText(), "config", file)
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		return err
	}
	opt := daemon.Options{
		Log: log, Now: time.Now, Reload: onHangUp(ctx), Ready: func() { notify(telemetry.Ready) },
		Metrics: telemetry.NewMetrics(versionText()), Health: telemetry.NewHealth(), Desk: daemon.NewDesk(),
	}
	pages := web.New(log, cfg.HTTP, opt.Desk)
	opt.Synced = pages.Synced
	opt.Open = func(ctx context.Context) (daemon.Work, error) { return openWork(ctx, file, cfg.HTTP, pages, log) }
	if cfg.HTTP.Listen == telemetry.Off {
		return errors.Join(daemon.Run(ctx, opt), pages.Close())
	}
	var served http.Handler
	if cfg.HTTP.Local() || cfg.Dashboard.Required() {
		served = pages
	}
	endpoint, err := telemetry.Serve(ctx, cfg.HTTP, opt.Health, opt.Metrics, served, log)
	if err != nil {
		return err
	}
	return errors.Join(daemon.Run(ctx, opt), endpoint.Close(), pages.Close())
}

// openWork reads the configuration and opens the pipeline over it, and another one for the pages. What is served by HTTP stays as it is.
func openWork(ctx context.Context, file string, served telemetry.HTTP, pages *web.Dashboard, log *slog.Logger) (daemon.Work, error) {
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		log.Warn("the configuration", "warning", w)
	}
	if cfg.HTTP != served {
		log.Warn("the section http has changed; it takes effect when energyd run is started again")
	}
	p, err := pipeline.Open(ctx, cfg, pipeline.Options{Version: versionText(), Log: log, Now: time.Now, AsOf: engine.NoDate, Who: osUser()})
	if err != nil {
		return nil, err
	}
	work, err := daemon.Pipeline(ctx, p)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	shown, err := pipeline.Open(ctx, cfg, pipeline.Options{Version: versionText(), Log: log, Now: time.Now, AtRest: true, AsOf: engine.NoDate})
	if err != nil {
		return nil, errors.Join(err, work.Close())
	}
	if err := pages.Use(shown); err != nil {
		return nil, errors.Join(err, work.Close())
	}
	return work, nil
}

// onHangUp gives one for each SIGHUP, until ctx ends. Two that come together are one.
func onHangUp(ctx context.Context) <-chan struct{} {
	signals, reload := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals); close(signals) })
	go func() {
		for range signals {
			select {
			case reload <- struct{}{}:
			default:
			}
		}
	}()
	return reload
}
