package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"energyd/connectors/all"
	"energyd/internal/config"
)

func (a *app) schemaCommand() *cobra.Command {
	names := strings.Join(config.SchemaNames, ", ")
	dir := ""
	c := &cobra.Command{
		Use:   "schema NAME",
		Short: "Print the JSON Schema of a configuration file, for editors",
		Long: "Prints the JSON Schema of " + names + ": with it an editor completes, explains and checks options while you type.\n" +
			"The files that energyd init writes name theirs in the first line. After an update of energyd, --write renews them.",
		Args: func(_ *cobra.Command, args []string) error {
			if (dir == "") != (len(args) == 1) {
				return usage("schema takes one name (%s), or --write DIR for all", names)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if dir != "" {
				return config.WriteSchemas(dir, all.Connectors)
			}
			text, err := config.Schema(args[0], all.Connectors)
			if err == nil {
				_, err = fmt.Fprintf(a.out, "%s", text)
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "write", "", "write all schemas into DIR/schemas, DIR being the folder of energyd.yaml")
	return c
}
