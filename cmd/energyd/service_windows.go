package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"energyd/internal/winservice"
)

// asService runs args as the Windows service, when the service manager started this process.
func asService(args []string) (code int, is bool) {
	if !winservice.Started() {
		return 0, false
	}
	err := winservice.Serve(func(ctx context.Context, stderr io.Writer) int {
		return run(ctx, args, io.Discard, stderr)
	})
	return (&app{err: os.Stderr}).exit(err), true
}

// platformCommands are those that only this system has.
func (a *app) platformCommands() []*cobra.Command {
	service := &cobra.Command{
		Use:   "service",
		Short: "energyd run as a Windows service: install, start, stop, status, remove",
		Long: "The service starts with Windows, some minutes after it, and again when it failed. It works as " + winservice.Account + ", which needs the right to " +
			"read the configuration and to write to the store's folder; docs/operations.md has the commands. Its log is in the event log, source energyd.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage("say what to do: energyd service install, start, status, stop or remove")
		},
	}
	add := func(name, short, done string, f func(ctx context.Context) error) {
		service.AddCommand(&cobra.Command{Use: name, Short: short, Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
			if err := f(c.Context()); err != nil {
				return err
			}
			return a.serviceSays(done)
		}})
	}
	add("install", "Register the service for the configuration of --config", "installed", func(context.Context) error {
		cfg, err := a.configFile()
		if err != nil {
			return err
		}
		return winservice.Install(cfg)
	})
	add("remove", "Stop the service and take it away; configuration and store stay", "removed", winservice.Remove)
	add("start", "Start the service", "started", func(context.Context) error { return winservice.Start() })
	add("stop", "Stop the service, and wait until it has ended", "stopped", winservice.Stop)
	service.AddCommand(&cobra.Command{Use: "status", Short: "Tell whether the service runs", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		word, err := winservice.Status()
		if err != nil {
			return err
		}
		return a.serviceSays(word)
	}})
	return []*cobra.Command{service}
}

// serviceSays prints the service's state.
func (a *app) serviceSays(state string) error {
	if a.json {
		return a.encode(map[string]string{"service": state})
	}
	_, err := fmt.Fprintf(a.out, "service %s: %s\n", winservice.Name, state)
	return err
}
