package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"energyd/internal/fault"
	"energyd/internal/web/signon"
)

func (a *app) passwordCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "password",
		Short: "Make of a password what the configuration holds for a user of the dashboard",
		Long: "password asks for a password, or takes a line of standard input, and prints a hash of it (argon2id).\n" +
			"Keep the hash in a file that only energyd's user can read, and name it: password: ${file:secrets/NAME}.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			password, err := readPassword(c.InOrStdin(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			hash, err := signon.Hash(password)
			if err != nil {
				return err
			}
			if a.json {
				return a.encode(map[string]string{"password": hash})
			}
			_, err = fmt.Fprintln(a.out, hash)
			return err
		},
	}
}

// readPassword asks twice at a terminal, without showing what is typed, and takes one line of anything else.
func readPassword(in io.Reader, ask io.Writer) (string, error) {
	terminal, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, 8<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fault.New(fault.Config, "password", "the password cannot be read", "give it as a line of standard input", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(ask, prompt)
		b, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(ask)
		if err != nil {
			return "", fault.New(fault.Config, "password", "the password cannot be read", "give it as a line of standard input", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", fault.New(fault.Config, "password", "the two are not the same", "type it again", nil)
	}
	return typed[0], nil
}
