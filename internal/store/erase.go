package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
	"energyd/internal/fault"
)

// Person is somebody of a customer who is to be erased: all by which the store may know them.
type Person struct {
	Contacts  []string            // CRM ids, of merged contacts too
	Keys      map[string][]string // other keys of the directory, by name: "code" → "P0001"
	Addresses []string            // mail addresses in small letters
	Names     []string
	Writings  []string // where contacts are written to: "crm.Contact"
}

// identifiers are the values by which the person is recognised later. Names are not: two people may share one.
func (p *Person) identifiers() map[string][]string {
	all := map[string][]string{IDKey: p.Contacts, "@": p.Addresses}
	for key, values := range p.Keys {
		all[key] = append(slices.Clone(all[key]), values...)
	}
	return all
}

// Erasure counts what is erased of a person.
type Erasure struct {
	Activities int `json:"activities"`        // nobody else of the customer took part: removed
	Shared     int `json:"shared_activities"` // others took part: they stay without the person
	Profiles   int `json:"directory_entries"`
	Scores     int `json:"scores"`
	Rejects    int `json:"rejects"`
	Changes    int `json:"journal_entries"` // planned and written changes of the person's CRM records
	Written    int `json:"written_values"`  // what the CRM last accepted for them
	Texts      int `json:"texts"`           // other kept messages that held an address or the name: taken out there

	Sources []string `json:"-"` // of rejects that went: there may have been other reasons to keep them
}

// errOnlyLooked rolls an erasure back that was only to be counted.
var errOnlyLooked = errors.New("only looked")

// Erase takes a person out of everything that the store holds, as of one
// moment, and keeps that they must not come back. run is the run that does so;
// "" only counts. The caller has folded with the same scorer before, and holds Lock.
// Energy follows: what the person's contacts earned is gone from all scores, as if they had never been.
// Purge makes sure afterwards that no free page keeps it.
// Faults: conflict (changes are on their way to the CRM), unavailable.
func (s *Store) Erase(ctx context.Context, run string, p Person, sc Scorer, asOf engine.Date) (e Erasure, err error) {
	if s.postgres {
		return s.erase(ctx, run, p, sc, asOf)
	}
	if _, err := s.write.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
		return e, storeError("erase", err)
	}
	e, err = s.erase(ctx, run, p, sc, asOf)
	_, off := s.write.ExecContext(context.WithoutCancel(ctx), "PRAGMA secure_delete = OFF")
	return e, errors.Join(err, storeError("erase", off))
}

func (s *Store) erase(ctx context.Context, run string, p Person, sc Scorer, asOf engine.Date) (e Erasure, err error) {
	err = s.ledgerTx(ctx, "erase", func(tx *sqlx.Tx) error {
		e = Erasure{}
		if err := nothingUnderWay(ctx, tx); err != nil {
			return err
		}
		f, err := s.newFold(ctx, tx, sc, asOf)
		if err != nil {
			return err
		}
		erased, err := openErased(ctx, tx)
		if err != nil {
			return err
		}
		if err := f.erase(&p, &e, erased); err != nil {
			return err
		}
		for _, step := range []func(context.Context, *sqlx.Tx, *Person, *Erasure) error{
			eraseProfiles, eraseScores, eraseAlarms, eraseRejects, eraseDecisions, eraseJournal, eraseSummaries, eraseTexts,
		} {
			if err := step(ctx, tx, &p, &e); err != nil {
				return err
			}
		}
		if run == "" {
			return errOnlyLooked
		}
		if err := purgeDue(ctx, tx); err != nil {
			return err
		}
		return p.remember(ctx, tx, run, erased)
	})
	if errors.Is(err, errOnlyLooked) {
		err = nil
	}
	return e, err
}

// nothingUnderWay refuses to erase while the CRM may hold changes whose answers
// are not kept: the journal is needed to settle them.
func nothingUnderWay(ctx context.Context, tx *sqlx.Tx) error {
	var n int
	err := tx.GetContext(ctx, &n, "SELECT (SELECT COUNT(*) FROM plan_change WHERE state = 'sending') + (SELECT COUNT(*) FROM plan_job)")
	if err != nil || n == 0 {
		return err
	}
	return fault.New(fault.Conflict, "erase", "a run was interrupted while it sent changes to the CRM, and what became of them is not known yet",
		"run energyd plan first, which asks the CRM", nil)
}

// erase takes the person out of all activities, and what that changes out of
// the ledger, and notes the ids of the person's mails in erased. In what others wrote in the same conversations, the ids of the
// person's mails give way to pseudonyms, so that the conversations hold together.
func (f *fold) erase(p *Person, e *Erasure, erased *Erased) error {
	if len(p.Contacts) == 0 {
		return nil
	}
	is := func(t engine.Participant) bool { return slices.Contains(p.Contacts, t.Contact) }
	alone := func(a act) bool {
		return len(a.People) > 0 && !slices.ContainsFunc(a.People, func(t engine.Participant) bool { return !is(t) })
	}
	err := f.eachRow(func(_ int64, acts []act) error {
		for _, a := range acts {
			if a.Link != nil && a.Link.Message != "" && alone(a) {
				erased.add(MessageKey, a.Link.Message)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w, err := activityTable().writer(f.ctx, f.tx)
	if err != nil {
		return err
	}
	defer w.close()
	var dropped []keyItem
	err = f.scoring(func() error {
		err := f.eachRow(func(first int64, acts []act) error {
			kept := make([]act, 0, len(acts))
			var list []change
			for cluster := range runs(acts, func(a, b act) int { return cmp.Compare(a.cluster, b.cluster) }) {
				from := len(kept)
				for _, a := range cluster {
					link := erased.Unlink(a.Link)
					takesPart := slices.ContainsFunc(a.People, is)
					switch {
					case takesPart && alone(a):
						e.Activities++
						dropped = append(dropped, keyItem{keyHash(a.Source, a.ID), a.cluster})
						continue
					case takesPart || link != a.Link:
						other := *a.Activity
						other.Link = link
						if takesPart {
							e.Shared++
							other.People = slices.DeleteFunc(slices.Clone(a.People), is)
						}
						a.Activity = &other
					}
					kept = append(kept, a)
				}
				list = append(list, changes(cluster, kept[from:])...)
			}
			if len(list) == 0 {
				return nil
			}
			f.changes <- list
			return w.write(first, kept)
		})
		return errors.Join(err, w.drain())
	})
	if err != nil {
		return err
	}
	if err := f.tally.flush(); err != nil {
		return err
	}
	slices.SortFunc(dropped, compareKeyItems)
	return keyTable.merge(f.ctx, f.tx, &queue[keyItem]{slices.Compact(dropped)}, func(old, in []keyItem) ([]keyItem, bool, error) {
		kept := slices.DeleteFunc(slices.Clone(old), func(k keyItem) bool {
			_, found := slices.BinarySearchFunc(in, k, compareKeyItems)
			return found
		})
		return kept, len(kept) < len(old), nil
	})
}

// eachRow gives the activities of each row, in order; they may be kept.
func (f *fold) eachRow(do func(first int64, acts []act) error) error {
	firsts, err := activityTable().firsts(f.ctx, f.tx)
	if err != nil {
		return err
	}
	for _, first := range firsts {
		var data []byte
		if err := f.tx.GetContext(f.ctx, &data, f.tx.Rebind("SELECT data FROM activity_block WHERE first = ?"), first); err != nil {
			return err
		}
		acts, err := new(decoder).decode(data)
		if err != nil {
			return err
		}
		if err := do(first, acts); err != nil {
			return err
		}
	}
	return nil
}

func eraseProfiles(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	for _, id := range p.Contacts {
		_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM title WHERE contact = ? OR contact IN (SELECT id FROM entity WHERE kind = ? AND into_id = ?)"), id, engine.Contact, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM merged WHERE kind = ? AND (id = ? OR into_id = ?)"), engine.Contact, id, id); err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, tx.Rebind("DELETE FROM entity WHERE kind = ? AND (id = ? OR into_id = ?)"), engine.Contact, id, id))
		if err != nil {
			return err
		}
		e.Profiles += n
	}
	return nil
}

// eraseScores removes the person's ledger entries: no plan looks at them any more.
func eraseScores(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	entries := make([]*entry, len(p.Contacts))
	for i, id := range p.Contacts {
		entries[i] = &entry{hash: ledgerHash(engine.Entity{Kind: engine.Contact, ID: id}), kind: engine.Contact, id: id}
	}
	slices.SortFunc(entries, compareEntries)
	return ledgerTable.merge(ctx, tx, &queue[*entry]{entries}, func(old, in []*entry) ([]*entry, bool, error) {
		kept := slices.DeleteFunc(slices.Clone(old), func(x *entry) bool {
			_, found := slices.BinarySearchFunc(in, x, compareEntries)
			return found && x.kind == engine.Contact
		})
		e.Scores += len(old) - len(kept)
		return kept, len(kept) < len(old), nil
	})
}

// eraseJournal removes the person's changes from all plans. What waits to be
// sent is dropped altogether: it was computed with the person.
func eraseJournal(ctx context.Context, tx *sqlx.Tx, p *Person, e *Erasure) error {
	for _, q := range []string{
		"UPDATE plan_change SET state = 'dropped' WHERE state IN ('planned', 'deferred') AND run IN (SELECT run FROM plan WHERE state IN ('computing', 'open', 'applying'))",
		"UPDATE plan SET state = 'superseded' WHERE state IN ('computing', 'open', 'applying')",
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	for _, writing := range p.Writings {
		for _, id := range p.Contacts {
			n, err := affected(tx.ExecContext(ctx, tx.Rebind("DELETE FROM plan_change WHERE writing = ? AND id = ?"), writing, id))
			if err != nil {
				return err
			}
			e.Changes += n
			if n, err = affected(tx.ExecContext(ctx, tx.Rebind("DELETE FROM written WHERE writing = ? AND id = ?"), writing, id)); err != nil {
				return err
			}
			e.Written += n
		}
	}
	return nil
}

func affected(done sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// Writings names all that was ever written to: "crm.Contact".
func (s *Store) Writings(ctx context.Context) ([]string, error) {
	var names []string
	err := s.read.SelectContext(ctx, &names, "SELECT writing FROM written UNION SELECT writing FROM plan_change ORDER BY 1")
	return names, storeError("read journal", err)
}
