// Command crmsim is a simulated Salesforce-style CRM on this machine: the REST
// interface for programs, and pages for people.
//
//	CRMSIM_CLIENT_SECRET=… crmsim --seed small --field 'Account.Energy__c=Number(18,4) 獲得エネルギー'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"energyd/internal/crmsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the program; it gives the exit code: 0 stopped as asked, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("crmsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	opt := crmsim.Options{ClientSecret: getenv("CRMSIM_CLIENT_SECRET"), RefreshToken: getenv("CRMSIM_REFRESH_TOKEN"),
		Password: getenv("CRMSIM_PASSWORD"), Fields: map[string][]crmsim.Field{}}
	addr := flags.String("addr", "127.0.0.1:0", "address to listen at; port 0 takes a free one")
	remote := flags.Bool("allow-remote", false, "listen at addresses that other machines reach, too")
	seed := flags.String("seed", "", "rows to plant when there are none: small, conformance")
	flags.StringVar(&opt.File, "data", "", "`file` that keeps the rows; without it they end with the program")
	flags.StringVar(&opt.ClientID, "client-id", "CID", "id of the app that may sign on; its secret is in $CRMSIM_CLIENT_SECRET (default SEC)")
	flags.Func("certificate", "`file` with the app's certificate or public key, PEM, for JWT sign-on", func(path string) error {
		text, err := os.ReadFile(path)
		opt.Certificate = string(text)
		return err
	})
	flags.BoolVar(&opt.Control, "control", false, "serve /__sim/: faults, request log, true rows")
	flags.Func("field", "custom `field`, as 'Account.Energy__c=Number(18,4) Label'; may be repeated", func(spec string) error {
		object, f, err := crmsim.ParseField(spec)
		opt.Fields[object] = append(opt.Fields[object], f)
		return err
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "crmsim: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	if !*remote && !loopback(*addr) {
		fmt.Fprintf(stderr, "crmsim: %s can be reached from other machines, and a simulation protects nothing\n  what to do: use 127.0.0.1, or say --allow-remote\n", *addr)
		return 2
	}
	if opt.Control && !loopback(*addr) {
		fmt.Fprintf(stderr, "crmsim: --control would let other machines than this one turn faults at %s\n  what to do: use 127.0.0.1, or leave --control out\n", *addr)
		return 2
	}
	if err := serve(ctx, opt, *addr, *seed, stdout); err != nil {
		fmt.Fprintln(stderr, "crmsim:", err)
		return 1
	}
	return 0
}

// loopback tells whether only this machine reaches addr.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serve runs the org until ctx ends, then lets the running requests finish.
func serve(ctx context.Context, opt crmsim.Options, addr, seed string, stdout io.Writer) (err error) {
	org, err := crmsim.New(opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, org.Close()) }()
	accounts, err := org.Rows("Account")
	if err != nil {
		return err
	}
	if seed != "" && len(accounts) == 0 {
		if err := org.Seed(seed); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: org, ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(stdout, "crmsim: http://%s\n", l.Addr())
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return web.Shutdown(ending)
}
