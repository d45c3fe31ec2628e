package store

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Told is what was said of a contact: its title, and its account unless a report said it.
type Told struct {
	Contact string
	Since   time.Time // UTC
	Title   string
	Account string
}

// titlesName counts the changes of the table title, rankedName the changes and settings by which activities are ranked.
const (
	titlesName = "titles"
	rankedName = "ranked"
)

// since is the time from which what a version of a profile says holds. A version
// that is no time is taken for the time of reading.
const since = "CASE WHEN version BETWEEN ? AND ? THEN version ELSE ? END"

// sinceArgs are the arguments of since.
func sinceArgs(read time.Time) []any {
	return []any{time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), read.Add(24 * time.Hour).UnixMicro(), read.UnixMicro()}
}

// tellTitles notes what the CRM says of contacts otherwise than it did before.
func tellTitles(ctx context.Context, tx *sqlx.Tx, change int64, read time.Time) error {
	n, err := affected(tx.ExecContext(ctx, tx.Rebind(`INSERT INTO title (contact, since_us, told, title, account)
		SELECT id, `+since+`, 'crm', title, account FROM entity
		WHERE change = ? AND kind = ? AND deleted = 0 AND NOT EXISTS (SELECT 1 FROM title t
			WHERE t.contact = entity.id AND t.told = 'crm' AND t.title = entity.title AND t.account = entity.account
			AND t.since_us = (SELECT MAX(since_us) FROM title last WHERE last.contact = entity.id AND last.told = 'crm'))
		ON CONFLICT (contact, since_us, told) DO UPDATE SET title = excluded.title, account = excluded.account`),
		append(sinceArgs(read), change, engine.Contact)...))
	if err != nil || n == 0 {
		return err
	}
	_, err = increase(ctx, tx, titlesName)
	return err
}

// ReportTitles replaces what reports say of contacts' titles.
func (s *Store) ReportTitles(ctx context.Context, told []Told) error {
	slices.SortFunc(told, compareTold)
	return s.tx(ctx, "keep titles", func(tx *sqlx.Tx) error {
		before, err := tolds(ctx, tx, "WHERE told = 'reports'")
		if err != nil || slices.Equal(before, told) {
			return err
		}
		if err := forgetTitles(ctx, tx, before, told); err != nil {
			return err
		}
		if err := addTitles(ctx, tx, before, told); err != nil {
			return err
		}
		_, err = increase(ctx, tx, titlesName)
		return err
	})
}

// titleRows is how many titles one statement adds.
const titleRows = 100

// addTitles keeps those of the sorted titles that are not among the sorted ones before.
func addTitles(ctx context.Context, tx *sqlx.Tx, before, told []Told) error {
	args := make([]any, 0, 3*titleRows)
	add := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO title (contact, since_us, told, title, account) VALUES "+
			strings.Repeat("(?, ?, 'reports', ?, ''), ", len(args)/3-1)+"(?, ?, 'reports', ?, '')"), args...)
		args = args[:0]
		return err
	}
	for t := range missing(told, before) {
		if args = append(args, plain(t.Contact), t.Since.UnixMicro(), plain(t.Title)); len(args) == 3*titleRows {
			if err := add(); err != nil {
				return err
			}
		}
	}
	return add()
}

// forgetTitles takes away those of the sorted titles before that are not told any more.
func forgetTitles(ctx context.Context, tx *sqlx.Tx, before, told []Told) error {
	forget, err := tx.PreparexContext(ctx, tx.Rebind("DELETE FROM title WHERE contact = ? AND since_us = ? AND told = 'reports'"))
	if err != nil {
		return err
	}
	defer forget.Close()
	for t := range missing(before, told) {
		if _, err := forget.ExecContext(ctx, t.Contact, t.Since.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// missing gives what is in one sorted list and not in another.
func missing(list, other []Told) iter.Seq[Told] {
	return func(yield func(Told) bool) {
		for _, t := range list {
			for len(other) > 0 && compareTold(other[0], t) < 0 {
				other = other[1:]
			}
			if (len(other) == 0 || other[0] != t) && !yield(t) {
				return
			}
		}
	}
}

func compareTold(a, b Told) int {
	return cmp.Or(cmp.Compare(a.Contact, b.Contact), a.Since.Compare(b.Since))
}

// tolds gives rows of the table title by contact and time; of one time the CRM's is the last.
func tolds(ctx context.Context, q sqlx.ExtContext, which string, args ...any) ([]Told, error) {
	var rows []struct {
		Contact, Title, Account string
		Since                   int64 `db:"since_us"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, q.Rebind("SELECT contact, since_us, title, account FROM title "+which+" ORDER BY contact, since_us, told DESC"), args...); err != nil {
		return nil, err
	}
	list := make([]Told, len(rows))
	for i, r := range rows {
		list[i] = Told{r.Contact, time.UnixMicro(r.Since).UTC(), r.Title, r.Account}
	}
	slices.SortStableFunc(list, compareTold) // a database may have another order of texts
	return list, nil
}

// careers lets a directory know of the contacts of whom more than one thing was said.
func (s *Store) careers(ctx context.Context, d *Directory) error {
	change, err := number(ctx, s.read, titlesName)
	if err != nil || d.careers != nil && change == d.titles {
		return err
	}
	list, err := tolds(ctx, s.read, "WHERE contact IN (SELECT contact FROM title GROUP BY contact HAVING COUNT(*) > 1)")
	if err != nil {
		return err
	}
	careers := map[string][]Told{}
	for same := range runs(list, func(a, b Told) int { return cmp.Compare(a.Contact, b.Contact) }) {
		careers[same[0].Contact] = same
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.careers, d.titles = careers, change
	return nil
}

// TitleAt gives the title that a contact had just before a time: what was said
// last until then, else what was said first. "" when nothing is known.
func (d *Directory) TitleAt(contact string, before time.Time) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	career := d.careers[contact]
	if len(career) == 0 {
		return d.people[contact].title
	}
	return career[max(0, said(career, before)-1)].Title
}

// ContactAt is Contact as it was just before a time.
func (d *Directory) ContactAt(contact string, before time.Time) (account, title string) {
	account, title = d.Contact(contact)
	d.mu.RLock()
	defer d.mu.RUnlock()
	career := d.careers[contact]
	if len(career) == 0 {
		return account, title
	}
	n := said(career, before)
	title = career[max(0, n-1)].Title
	told := func(t Told) bool { return t.Account != "" }
	of := slices.IndexFunc(career, told)
	for i, t := range career[:n] {
		if told(t) {
			of = i
		}
	}
	if of < 0 {
		return account, title
	}
	if then, there := d.present(engine.Account, career[of].Account); there {
		return then, title
	}
	return "", title
}

// said counts what was said before a time.
func said(career []Told, before time.Time) int {
	n := 0
	for n < len(career) && career[n].Since.Before(before) {
		n++
	}
	return n
}

// Careers tells what activities' ranks depend on in the store; it changes whenever that does.
func (d *Directory) Careers() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.titles
}

// Ranked tells by what Rerank ranked the activities; "" when it never did.
func (s *Store) Ranked(ctx context.Context) (string, error) {
	var by []string
	err := s.read.SelectContext(ctx, &by, s.read.Rebind("SELECT value FROM meta WHERE name = ?"), rankedName)
	return append(by, "")[0], storeError("read ranks", err)
}

// Rerank lets rank look at all activities, and keeps what it changes, with the
// energy that follows. rank gives the activity itself when nothing changes, and
// else another one of the same account, time and id. by says what the ranks depend on. It counts what changed.
func (s *Store) Rerank(ctx context.Context, sc Scorer, asOf engine.Date, by string, rank func(*engine.Activity) *engine.Activity) (changed int, err error) {
	err = s.ledgerTx(ctx, "rank", func(tx *sqlx.Tx) error {
		f, err := s.newFold(ctx, tx, sc, asOf)
		if err != nil {
			return err
		}
		if changed, err = f.rerank(rank); err != nil {
			return err
		}
		return note(ctx, tx, rankedName, by)
	})
	return changed, err
}

func (f *fold) rerank(rank func(*engine.Activity) *engine.Activity) (changed int, err error) {
	w, err := activityTable().writer(f.ctx, f.tx)
	if err != nil {
		return 0, err
	}
	defer w.close()
	err = f.scoring(func() error {
		return f.eachRow(func(first int64, acts []act) error {
			ranked := slices.Clone(acts)
			before := changed
			for i, a := range acts {
				if ranked[i].Activity = rank(a.Activity); ranked[i].Activity != a.Activity {
					changed++
				}
			}
			if changed == before {
				return nil
			}
			var list []change
			at := 0
			for cluster := range runs(acts, func(a, b act) int { return cmp.Compare(a.cluster, b.cluster) }) {
				list = append(list, changes(cluster, ranked[at:at+len(cluster)])...)
				at += len(cluster)
			}
			f.changes <- list
			return w.write(first, ranked)
		})
	})
	if err != nil {
		return 0, err
	}
	if err := w.drain(); err != nil {
		return 0, err
	}
	return changed, f.tally.flush()
}
