package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/support"
)

func (a *app) supportCommand() *cobra.Command {
	var file, log string
	c := &cobra.Command{
		Use:   "support-bundle",
		Short: "Pack what somebody needs to help, without names, addresses and secrets",
		Long: `support-bundle writes a zip with versions, the masked configuration, the last runs, rejects by class, counts and the running
daemon's metrics. Names, addresses and keys that the store knows, and secrets, are covered. Look at it before you send it. With a log:

    journalctl -u energyd --since -2d | energyd support-bundle --log -`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			now := time.Now().UTC()
			if file == "" {
				file = "energyd-support-" + now.Format("20060102T150405") + ".zip"
			}
			opt := support.Options{Version: versionText(), Now: now}
			switch log {
			case "":
			case "-":
				opt.Log = c.InOrStdin()
			default:
				f, err := os.Open(log)
				if err != nil {
					return fault.New(fault.Config, "", "the log cannot be read", "name a file after --log, or - for what is piped in", err)
				}
				defer f.Close()
				opt.Log = f
			}
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				if err := writeBundle(file, func(w io.Writer) error { return support.Write(ctx, w, p, opt) }); err != nil {
					return err
				}
				if a.json {
					return a.encode(map[string]string{"file": file})
				}
				_, err := fmt.Fprintf(a.out, "%s: look at it before you send it; nothing in it should name anybody\n", file)
				return err
			})
		},
	}
	c.Flags().StringVar(&file, "out", "", "file to write (default energyd-support-TIME.zip here)")
	c.Flags().StringVar(&log, "log", "", "log of energyd to put in, covered: a file, or - for what is piped in")
	return c
}

// writeBundle writes a file that is not there yet and that its owner alone may read; what fails leaves none.
func writeBundle(file string, f func(io.Writer) error) error {
	w, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fault.New(fault.Config, "", "the file "+file+" cannot be made", "name one that is not there yet, in a folder where you may write", err)
	}
	if err := errors.Join(f(w), w.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}
