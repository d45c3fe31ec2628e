package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/fault"
	"energyd/internal/notice"
	"energyd/internal/pipeline"
)

var noticeSub = []string{"test", "send"}

func (a *app) noticeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "notice",
		Short: "Web hooks and mails of alerts and alarms: try them, send what is due",
		Long:  "notice is about whom the section notices of the configuration names. energyd run sends by itself. See docs/notices.md.",
		Args: func(_ *cobra.Command, args []string) error {
			return usage("notice takes one of %s%s", strings.Join(noticeSub, ", "), fault.DidYouMean(strings.Join(args, " "), noticeSub))
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	c.AddCommand(a.noticeTest(), a.noticeSend())
	return c
}

func (a *app) noticeTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test [READER]",
		Short: "Send a trial to each web hook and address, or to those that begin so: \"web hook it\"",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNotices(c, func(ctx context.Context, s *notice.Sender) error {
				trials := s.Try(ctx, strings.Join(args, " "))
				if a.json {
					if err := a.encode(trials); err != nil {
						return err
					}
				}
				failed := 0
				for _, t := range trials {
					if t.Error != "" {
						failed++
					}
					if a.json {
						continue
					}
					if t.Error == "" {
						fmt.Fprintf(a.out, "%s: sent; see that it arrives\n", t.Channel)
						continue
					}
					fmt.Fprintf(a.out, "%s: %s\n", t.Channel, t.Error)
					if t.ToDo != "" {
						fmt.Fprintf(a.out, "  what to do: %s\n", t.ToDo)
					}
				}
				switch {
				case len(trials) == 0:
					return fault.New(fault.Config, "notice", "there is no such reader to send a trial to", "energyd notice test without a name tries all; sales people get none, since they did not ask", nil)
				case failed > 0:
					return fault.New(fault.Unavailable, "notice", fmt.Sprintf("%d of %d trials were not sent", failed, len(trials)), "", nil)
				}
				return nil
			})
		},
	}
}

func (a *app) noticeSend() *cobra.Command {
	return &cobra.Command{
		Use:   "send",
		Short: "Send what is due now, where energyd run is not at work: after energyd sync in a cron job",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNotices(c, func(ctx context.Context, s *notice.Sender) error {
				n, err := s.Send(ctx)
				if a.json {
					return errors.Join(a.encode(map[string]int{"sent": n}), err)
				}
				fmt.Fprintf(a.out, "%d messages sent\n", n)
				return err
			})
		},
	}
}

func (a *app) withNotices(c *cobra.Command, use func(context.Context, *notice.Sender) error) error {
	return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
		s := p.Notices()
		if !s.Any() {
			return fault.New(fault.Config, "notice", "the configuration names nobody to be told", "write a section notices; docs/notices.md tells how", nil)
		}
		return use(ctx, s)
	})
}
