package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Decision is what a person decided of records that may mean several accounts or contacts.
type Decision struct {
	Key string    `json:"key"` // what such records say, as mapping/matching makes it
	ID  string    `json:"id"`  // CRM id
	Not bool      `json:"not,omitempty"`
	At  time.Time `json:"at"` // UTC
}

// Asked is what waits for a decision.
type Asked struct {
	Key     string
	Written string // the name as a record has it
	Records int    // of all sources
}

const decisionsName = "decisions"

// Decisions gives all decisions by key and id, and a number that grows with each change of them.
func (s *Store) Decisions(ctx context.Context) (list []Decision, change int64, err error) {
	if change, err = number(ctx, s.read, decisionsName); err != nil {
		return nil, 0, storeError("read decisions", err)
	}
	var rows []struct {
		Key, ID  string
		Negative int
		At       int64 `db:"at_us"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT key, id, negative, at_us FROM decision ORDER BY key, id"); err != nil {
		return nil, 0, storeError("read decisions", err)
	}
	for _, r := range rows {
		list = append(list, Decision{r.Key, r.ID, r.Negative != 0, time.UnixMicro(r.At).UTC()})
	}
	return list, change, nil
}

// Decide keeps decisions: of one key there is one that says whom it means. The
// activities of the accounts to recheck, "" for none, may belong elsewhere from
// now on. What waits for the directory is tried again.
func (s *Store) Decide(ctx context.Context, at time.Time, decisions []Decision, recheck ...string) error {
	return s.decide(ctx, at, recheck, func(tx *sqlx.Tx) error {
		for _, d := range decisions {
			not := 0
			if d.Not {
				not = 1
			}
			_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM decision WHERE key = ? AND (id = ? OR negative + ? = 0)"), d.Key, d.ID, not)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, tx.Rebind("INSERT INTO decision (key, id, negative, at_us) VALUES (?, ?, ?, ?)"), plain(d.Key), plain(d.ID), not, d.At.UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Forget takes back all decisions of a key, and tells how many there were.
func (s *Store) Forget(ctx context.Context, at time.Time, key string, recheck ...string) (forgotten int, err error) {
	err = s.decide(ctx, at, recheck, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM decision WHERE key = ?"), key)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		forgotten = int(n)
		return err
	})
	return forgotten, err
}

func (s *Store) decide(ctx context.Context, at time.Time, recheck []string, change func(*sqlx.Tx) error) error {
	return s.tx(ctx, "keep a decision", func(tx *sqlx.Tx) error {
		if _, err := increase(ctx, tx, decisionsName); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		for _, account := range recheck {
			if account == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO recheck (account, at_us) VALUES (?, ?) "+
				"ON CONFLICT (account) DO UPDATE SET at_us = excluded.at_us"), account, at.UnixMicro()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE reject SET tried = 0 WHERE waits = 1 AND tried > 0")
		return err
	})
}

// Recheck gives the accounts whose activities a decision may have moved since Rechecked.
func (s *Store) Recheck(ctx context.Context) ([]string, error) {
	var accounts []string
	err := s.read.SelectContext(ctx, &accounts, "SELECT account FROM recheck ORDER BY account")
	return accounts, storeError("read decisions", err)
}

// Rechecked notes that the accounts were looked at.
func (s *Store) Rechecked(ctx context.Context, accounts []string) error {
	return s.tx(ctx, "follow decisions", func(tx *sqlx.Tx) error {
		for _, account := range accounts {
			if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM recheck WHERE account = ?"), account); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddAsked adds to what a source's present reading asks, by key; Records counts
// those of the call. What an earlier reading asked is forgotten: it came again, or is settled.
func (s *Store) AddAsked(ctx context.Context, source string, revision uint32, asked map[string]Asked) error {
	return s.tx(ctx, "keep what is asked", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM asked WHERE source = ? AND revision < ?"), source, revision); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(asked)) {
			a := asked[key]
			_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO asked (source, key, written, revision, records) VALUES (?, ?, ?, ?, ?) "+
				"ON CONFLICT (source, key) DO UPDATE SET written = excluded.written, records = asked.records + excluded.records"),
				source, plain(key), plain(a.Written), revision, a.Records)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Asked lists what was asked, decided or not, most records first.
func (s *Store) Asked(ctx context.Context) ([]Asked, error) {
	var list []Asked
	err := s.read.SelectContext(ctx, &list, "SELECT key, MIN(written) AS written, CAST(SUM(records) AS BIGINT) AS records FROM asked GROUP BY key ORDER BY records DESC, key")
	return list, storeError("read what is asked", err)
}

// eraseDecisions removes what was asked and decided of the person, and whom the journal's entries of it are about.
func eraseDecisions(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	words := make([]string, 0, len(p.Names)+len(p.Addresses))
	for _, name := range append(slices.Clone(p.Names), p.Addresses...) {
		words = append(words, withoutBlanks(name))
	}
	holds := func(text string) bool {
		text = withoutBlanks(text)
		return slices.ContainsFunc(words, func(word string) bool { return word != "" && strings.Contains(text, word) })
	}
	var decided []struct {
		Seq     int64
		Subject string
	}
	if err := tx.SelectContext(ctx, &decided, tx.Rebind("SELECT seq, subject FROM journal WHERE act = ?"), Matched); err != nil {
		return err
	}
	for _, d := range decided {
		if !holds(d.Subject) && !slices.ContainsFunc(p.Contacts, func(id string) bool { return strings.Contains(d.Subject, id) }) {
			continue
		}
		if _, err := tx.ExecContext(ctx, tx.Rebind("UPDATE journal SET subject = ? WHERE seq = ?"), erasedWord, d.Seq); err != nil {
			return err
		}
		e.Texts++
	}
	var keys []string
	for _, table := range [...]string{"decision", "asked"} {
		columns := map[string]string{"decision": "key, id", "asked": "key, written"}[table]
		var rows []struct{ Key, ID, Written string }
		if err := tx.SelectContext(ctx, &rows, "SELECT DISTINCT "+columns+" FROM "+table); err != nil {
			return err
		}
		for _, r := range rows {
			if !slices.Contains(p.Contacts, r.ID) && !slices.Contains(keys, r.Key) && !holds(r.Key) && !holds(r.Written) {
				continue
			}
			keys = append(keys, r.Key) // what was decided of them was asked, too
			if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM "+table+" WHERE key = ?"), r.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

func withoutBlanks(s string) string { return strings.Join(strings.Fields(small(s)), "") }
