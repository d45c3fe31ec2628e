package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"energyd/internal/config"
	"energyd/internal/store"
)

func (a *app) storeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Back up the store, restore it, move it to another database",
		Long: `store keeps what energyd knows safe: backup writes it into a file while energyd works, restore puts such a file
back, copy moves it from SQLite to PostgreSQL or back. See docs/operations.md.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage("say what to do: energyd store backup FILE, energyd store restore FILE, or energyd store copy --to ADDRESS")
		},
	}
	c.AddCommand(a.storeBackup(), a.storeRestore(), a.storeCopy())
	return c
}

// oneFile takes a command's one argument.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage("name one FILE")
	}
	return nil
}

func (a *app) storeBackup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all that is stored into a new file, while energyd works",
		Long: `backup writes the store as it is at one moment into FILE, which must not be there yet. Runs may go on meanwhile.
The file is a SQLite store that only you may read, also where the store is PostgreSQL. It holds people's data as the store does.`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) (err error) {
			cfg, err := a.load(true)
			if err != nil {
				return err
			}
			s, err := store.Open(c.Context(), cfg.Store)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if err := s.Backup(c.Context(), args[0]); err != nil {
				return err
			}
			held, err := store.Inspect(c.Context(), args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.encode(held)
			}
			fmt.Fprintf(a.out, "%s is a whole backup; %s\n", args[0], howNew(held))
			return nil
		},
	}
}

// howNew tells how new a backup is.
func howNew(held store.Held) string {
	if held.LastRun.ID == "" {
		return "no run is in it"
	}
	return fmt.Sprintf("its last run is %s %s", held.LastRun.Kind, held.LastRun.ID)
}

func (a *app) storeRestore() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the store",
		Long: `restore replaces all that the store holds by what FILE holds; without --yes it only looks at FILE. Stop energyd first:
while anybody uses the store it is refused. It happens whole or not at all. Where the store is PostgreSQL, the database must
be empty. Backups of older versions are brought up to date. Whoever was erased since the backup was made must be erased again.`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := a.load(true)
			if err != nil {
				return err
			}
			held, err := store.Inspect(c.Context(), args[0])
			if err != nil {
				return err
			}
			if yes {
				if err := store.Restore(c.Context(), cfg.Store, args[0]); err != nil {
					return err
				}
			}
			if a.json {
				return a.encode(struct {
					store.Held
					Restored bool `json:"restored"`
				}{held, yes})
			}
			if !yes {
				fmt.Fprintf(a.out, "%s is a whole backup; %s\nnothing was changed; to put it in the place of the store, add --yes. What the store holds now is gone then\n", args[0], howNew(held))
				return nil
			}
			fmt.Fprintf(a.out, "restored; %s. The next run reads what is newer\n", howNew(held))
			return nil
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "restore; without it only the file is looked at")
	return c
}

func (a *app) storeCopy() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "copy --to ADDRESS",
		Short: "Copy the store into another, empty one: from SQLite to PostgreSQL, or back",
		Long: `copy writes all that is stored into an empty store, and reads it back: counts and contents must be the same, else nothing
is kept of it. ADDRESS is written as in energyd.yaml, sqlite:FILE or postgres://USER@HOST/DATABASE; a password is a reference
as there, 'postgres://energyd:${file:secrets/db}@db/energyd', so that no list of processes shows it. To move for good, stop
energyd, copy, write the address as "store:" into energyd.yaml, and start energyd.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if to == "" {
				return usage("say where to: --to postgres://USER@HOST/DATABASE, or --to sqlite:FILE")
			}
			cfg, err := a.load(true)
			if err != nil {
				return err
			}
			address, err := config.Address(to, cfg.Dir)
			if err != nil {
				return err
			}
			ctx := c.Context()
			from, err := store.Open(ctx, cfg.Store)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, from.Close()) }()
			into, err := store.Open(ctx, address)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, into.Close()) }()
			if running, err := from.AtWork(ctx); err != nil {
				return err
			} else if len(running) > 0 && !a.json {
				fmt.Fprintln(a.err, "warning: a run is at work: what it stores from now on is not in the copy")
			}
			sums, err := from.CopyTo(ctx, into)
			if err != nil {
				return err
			}
			if a.json {
				return a.encode(map[string]any{"tables": sums})
			}
			var rows int64
			for _, sum := range sums {
				rows += sum.Rows
			}
			fmt.Fprintf(a.out, "copied: %d rows of %d tables, which read the same on both sides\nto use it, write the address as \"store:\" into %s, and start energyd again\n", rows, len(sums), relative(cfg.File))
			return nil
		},
	}
	c.Flags().StringVar(&to, "to", "", "address of an empty store: sqlite:FILE or postgres://USER@HOST/DATABASE")
	return c
}
