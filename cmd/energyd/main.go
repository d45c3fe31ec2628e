// Command energyd keeps customers' energy up to date inside a company's CRM.
// Each command is one file of this folder; what they do is in
// internal/pipeline and the packages below it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones on machines without a zone database, such as Windows

	"energyd/internal/pipeline"
)

func main() { os.Exit(Main()) }

// Main runs energyd with the process's arguments and streams, and gives the exit code of product.md.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	pipeline.LimitMemory()
	if code, is := asService(os.Args[1:]); is {
		return code
	}
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// run is Main with its surroundings given.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return a.exit(root.ExecuteContext(ctx))
}
