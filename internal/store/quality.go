package store

import (
	"context"
	"encoding/json"

	"github.com/jmoiron/sqlx"
)

// Quality is how good a source's records are, as of a run. Shares are of Activities unless they say otherwise.
type Quality struct {
	Source string `json:"source"`
	Run    string `json:"run"`

	Activities  int `json:"activities"`  // that stand in the store
	NoAccount   int `json:"no_account"`  // records kept back since the CRM does not know their customer
	Unmapped    int `json:"unmapped"`    // records kept back since a kind or another word is not in the mapping
	BadDates    int `json:"bad_dates"`   // records kept back since their date is none, or before 1990
	NoContact   int `json:"no_contact"`  // name nobody whom the CRM knows
	Titles      int `json:"no_rank"`     // have somebody with a title that is not understood
	Duplicates  int `json:"duplicates"`  // say the same as another of this source: customer, day, time, kind and people
	Doubtful    int `json:"doubtful"`    // may tell of another source's contact once more, and count beside it (engine.Doubtful)
	Future      int `json:"future"`      // held after the day of the run
	Midnight    int `json:"midnight"`    // at 00:00, of those with a time: Timed
	Timed       int `json:"timed"`       // have a time
	FreeDays    int `json:"free_days"`   // on weekends and national holidays
	Late        int `json:"late"`        // typed or changed more than two weeks after
	HandTyped   int `json:"hand_typed"`  // are no messages, which computers write down
	Unconfirmed int `json:"unconfirmed"` // of those: no other source has the customer on that day

	// Examples has an activity for each title that is not understood, 1,000 at most.
	Examples map[string]string `json:"examples,omitempty"`
}

// keptQualities is how many runs of a source are kept.
const keptQualities = 60

// SaveQuality keeps what a run found of its sources, and forgets what is long ago.
func (s *Store) SaveQuality(ctx context.Context, list []Quality) error {
	return s.tx(ctx, "keep quality", func(tx *sqlx.Tx) error {
		for _, q := range list {
			data, err := json.Marshal(q)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO quality (source, run, data) VALUES (?, ?, ?) ON CONFLICT (source, run) DO UPDATE SET data = excluded.data"),
				q.Source, q.Run, string(data)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM quality WHERE source = ? AND run NOT IN (SELECT run FROM quality WHERE source = ? ORDER BY run DESC LIMIT ?)"),
				q.Source, q.Source, keptQualities); err != nil {
				return err
			}
		}
		return nil
	})
}

// Quality gives what the last runs found of a source, the latest first.
func (s *Store) Quality(ctx context.Context, source string) ([]Quality, error) {
	var rows []string
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT data FROM quality WHERE source = ? ORDER BY run DESC"), source); err != nil {
		return nil, storeError("read quality", err)
	}
	list := make([]Quality, len(rows))
	for i, data := range rows {
		if err := json.Unmarshal([]byte(data), &list[i]); err != nil {
			return nil, storeError("read quality", err)
		}
	}
	return list, nil
}
