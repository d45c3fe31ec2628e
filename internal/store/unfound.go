package store

import (
	"context"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"
)

// Unfound is what records of a source name and the CRM did not know when they were read.
type Unfound struct {
	Source  string `json:"source"`
	What    string `json:"what"` // "account cust.example", "contact @cust.example", "contact T0999": of addresses the domain alone
	Records int    `json:"records"`
}

// AddUnfound adds to the counts of a source's present reading. What was counted in an earlier one is forgotten:
// it came again, or is known by now.
func (s *Store) AddUnfound(ctx context.Context, source string, revision uint32, counts map[string]int) error {
	return s.tx(ctx, "count what is not known", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM unfound WHERE source = ? AND revision < ?"), source, revision); err != nil || len(counts) == 0 {
			return err
		}
		add, err := tx.PreparexContext(ctx, tx.Rebind("INSERT INTO unfound (source, what, revision, records) VALUES (?, ?, ?, ?) "+
			"ON CONFLICT (source, what) DO UPDATE SET records = unfound.records + excluded.records"))
		if err != nil {
			return err
		}
		defer add.Close()
		for _, what := range slices.Sorted(maps.Keys(counts)) {
			if _, err := add.ExecContext(ctx, source, what, revision, counts[what]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unfound lists what the CRM did not know, by source, most records first.
func (s *Store) Unfound(ctx context.Context) ([]Unfound, error) {
	var list []Unfound
	err := s.read.SelectContext(ctx, &list, "SELECT source, what, records FROM unfound ORDER BY source, records DESC, what")
	return list, storeError("read what is not known", err)
}
