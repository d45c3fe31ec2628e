package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"energyd/internal/fault"
)

// pagesCommand is for who makes packages: it is not shown.
func (a *app) pagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "pages DIR",
		Short:  "Write man pages and completions of all commands into a folder",
		Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("pages takes one DIR")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := writePages(c.Root(), args[0]); err != nil {
				return fault.New(fault.Config, "pages", "the pages cannot be written", "name a folder where you may write", err)
			}
			return nil
		},
	}
}

func writePages(root *cobra.Command, dir string) error {
	man := filepath.Join(dir, "man1")
	if err := os.MkdirAll(man, 0o755); err != nil {
		return err
	}
	root.DisableAutoGenTag = true // the same program, the same pages
	if err := manPages(root, man); err != nil {
		return err
	}
	return errors.Join(
		root.GenBashCompletionFileV2(filepath.Join(dir, "energyd.bash"), true),
		root.GenZshCompletionFile(filepath.Join(dir, "_energyd")),
		root.GenFishCompletionFile(filepath.Join(dir, "energyd.fish"), true),
	)
}

// manPages writes the compressed pages of a command and of those below it.
func manPages(c *cobra.Command, dir string) error {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			if err := manPages(sub, dir); err != nil {
				return err
			}
		}
	}
	var page, packed bytes.Buffer
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	if err := doc.GenMan(c, &doc.GenManHeader{Title: name, Section: "1", Source: "energyd", Manual: "energyd"}, &page); err != nil {
		return err
	}
	w := gzip.NewWriter(&packed)
	_, err := w.Write(page.Bytes())
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".1.gz"), packed.Bytes(), 0o644)
}
