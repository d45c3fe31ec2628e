package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Parts are all activities of one record, of a source whose records become several.
type Parts struct {
	Record     string // its key
	Version    int64  // of the record, and of each activity
	Activities []engine.Activity
	// Standing are ids of contacts that could not be used: what is stored of them stays. AllStand: nobody knows which.
	Standing  []string
	AllStand  bool
	Uncounted bool // the record is counted as skipped or rejected
	Erased    bool // what it gives no more is that of an erased person
}

// partRow is what is kept of Parts.
type partRow struct {
	Record   string
	Revision uint32
	Version  int64
	Says     int64
	IDs      []byte `db:"ids"`

	ids []string
}

// saveParts keeps what the batch's records are now, and gives what arrives of
// them: their activities, and tombstones of those that they gave before and do
// not give now. A record that is older than what is known gives nothing, since
// what is known was made of the newer one. So the order in which versions come never matters.
func saveParts(ctx context.Context, tx *sqlx.Tx, b Batch) (arriving []engine.Activity, stored, unchanged int, err error) {
	if len(b.Parts) == 0 {
		return nil, 0, 0, nil
	}
	known, err := knownParts(ctx, tx, b)
	if err != nil {
		return nil, 0, 0, err
	}
	put, err := tx.PreparexContext(ctx, tx.Rebind(`INSERT INTO part (source, record, revision, version, says, ids) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (source, record) DO UPDATE SET revision = excluded.revision, version = excluded.version, says = excluded.says, ids = excluded.ids`))
	if err != nil {
		return nil, 0, 0, err
	}
	defer put.Close()
	for _, p := range b.Parts {
		was := known[plain(p.Record)]
		now := p.after(was, b.Revision)
		same := was != nil && (now == nil || now.Says == was.Says)
		switch {
		case p.Uncounted:
		case same:
			unchanged++
		default:
			stored++
		}
		if now == nil {
			continue
		}
		arriving = append(arriving, p.Activities...)
		if was != nil {
			arriving = append(arriving, p.gone(b.Source, was.ids, now)...)
		}
		if _, err := put.ExecContext(ctx, b.Source, now.Record, now.Revision, now.Version, now.Says, string(now.IDs)); err != nil {
			return nil, 0, 0, err
		}
		known[now.Record] = now
	}
	return arriving, stored, unchanged, nil
}

// after is what is known of a record once these came; nil when what was known is newer and stays.
func (p *Parts) after(was *partRow, revision uint32) *partRow {
	if was != nil && (was.Revision > revision || was.Revision == revision && was.Version > p.Version) {
		return nil
	}
	now := &partRow{Record: plain(p.Record), Revision: revision, Version: p.Version, ids: []string{}}
	hash := xxhash.New()
	for _, a := range p.Activities {
		now.ids = append(now.ids, a.ID)
		a.Version, a.Revision = 0, 0
		_, _ = hash.Write(engine.AppendActivity(nil, a)) // it never fails
	}
	now.Says = int64(hash.Sum64())
	if was != nil {
		for _, id := range was.ids {
			if (p.AllStand || slices.Contains(p.Standing, id)) && !slices.Contains(now.ids, id) {
				now.ids = append(now.ids, id)
			}
		}
	}
	now.IDs, _ = json.Marshal(now.ids) // a list of texts
	return now
}

// gone are tombstones of the activities that the record gives no more.
func (p *Parts) gone(source string, before []string, now *partRow) (list []engine.Activity) {
	mapping := ""
	if p.Erased {
		mapping = ErasedMapping
	}
	for _, id := range before {
		if !slices.Contains(now.ids, id) {
			list = append(list, engine.Activity{Source: source, ID: id, Version: now.Version, Revision: now.Revision, Mapping: mapping, Deleted: true, Date: engine.NoDate})
		}
	}
	return list
}

// knownParts gives what is kept of the batch's records, by key.
func knownParts(ctx context.Context, tx *sqlx.Tx, b Batch) (map[string]*partRow, error) {
	known := make(map[string]*partRow, len(b.Parts))
	for some := range slices.Chunk(b.Parts, 500) {
		args := []any{b.Source}
		for i := range some {
			args = append(args, plain(some[i].Record))
		}
		var rows []partRow
		err := tx.SelectContext(ctx, &rows, tx.Rebind("SELECT record, revision, version, says, ids FROM part WHERE source = ? AND record IN (?"+
			strings.Repeat(", ?", len(some)-1)+")"), args...)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if err := json.Unmarshal(rows[i].IDs, &rows[i].ids); err != nil {
				return nil, err
			}
			known[rows[i].Record] = &rows[i]
		}
	}
	return known, nil
}

// Gone gives the tombstones that saving these parts would make of what the record gave before. It changes nothing.
func (s *Store) Gone(ctx context.Context, source string, revision uint32, p Parts) ([]engine.Activity, error) {
	var was partRow
	err := s.read.GetContext(ctx, &was, s.read.Rebind("SELECT record, revision, version, says, ids FROM part WHERE source = ? AND record = ?"), source, plain(p.Record))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(was.IDs, &was.ids)
	}
	if err != nil {
		return nil, storeError("read parts", err)
	}
	now := p.after(&was, revision)
	if now == nil {
		return nil, nil
	}
	return p.gone(source, was.ids, now), nil
}
