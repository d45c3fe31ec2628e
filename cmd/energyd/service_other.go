//go:build !windows

package main

import "github.com/spf13/cobra"

// asService is for Windows: elsewhere a service is a process as any other.
func asService([]string) (code int, is bool) { return 0, false }

// platformCommands are those that only this system has.
func (a *app) platformCommands() []*cobra.Command { return nil }
