package store

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// profileRow is a row of the table entity.
type profileRow struct {
	Kind    engine.EntityKind
	ID      string
	Source  string
	Version int64
	Name    string
	Account string
	Title   string
	Owner   string
	Keys    []byte
	Deleted int
	Change  int64
}

const profileColumns = "kind, id, source, version, name, account, title, owner, keys, deleted, change"

func (r *profileRow) profile() (engine.Profile, error) {
	p := engine.Profile{Entity: engine.Entity{Kind: r.Kind, ID: r.ID}, Source: r.Source, Version: r.Version, Name: r.Name,
		Account: r.Account, Title: r.Title, Owner: r.Owner, Deleted: r.Deleted != 0}
	return p, json.Unmarshal(r.Keys, &p.Keys)
}

// saveProfiles keeps the profiles that are newer than what stands, and counts them.
func saveProfiles(ctx context.Context, tx *sqlx.Tx, profiles []engine.Profile) (stored int, err error) {
	if len(profiles) == 0 {
		return 0, nil
	}
	change, err := increase(ctx, tx, "change")
	if err != nil {
		return 0, err
	}
	// One statement must not meet a row twice.
	newest := make(map[engine.Entity]int, len(profiles))
	for i, p := range profiles {
		if j, ok := newest[p.Entity]; !ok || profiles[j].Version <= p.Version {
			newest[p.Entity] = i
		}
	}
	const most = 60 // rows a statement
	for rows := range slices.Chunk(slices.Sorted(maps.Values(newest)), most) {
		args := make([]any, 0, 11*len(rows))
		for _, i := range rows {
			p := profiles[i]
			keys, err := json.Marshal(p.Keys)
			if err != nil {
				return 0, err
			}
			deleted := 0
			if p.Deleted {
				deleted = 1
			}
			args = append(args, p.Kind, plain(p.ID), plain(p.Source), p.Version, plain(p.Name), plain(p.Account), plain(p.Title), plain(p.Owner),
				strings.ReplaceAll(string(keys), `\u0000`, `\ufffd`), deleted, change)
		}
		marks := strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", len(rows))[2:]
		const content = "(%s.source, %s.name, %s.account, %s.title, %s.owner, %s.keys, %s.deleted)"
		done, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO entity ("+profileColumns+") VALUES "+marks+` ON CONFLICT (kind, id) DO UPDATE SET
			source = excluded.source, version = excluded.version, name = excluded.name, account = excluded.account, title = excluded.title,
			owner = excluded.owner, keys = excluded.keys, deleted = excluded.deleted, change = excluded.change
			WHERE excluded.version > entity.version OR excluded.version = entity.version AND `+
			strings.ReplaceAll(content, "%s", "excluded")+" <> "+strings.ReplaceAll(content, "%s", "entity")), args...)
		if err != nil {
			return 0, err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return 0, err
		}
		stored += int(n)
	}
	return stored, nil
}

// Profile gives what the CRM says of an entity; false when it never told.
func (s *Store) Profile(ctx context.Context, e engine.Entity) (engine.Profile, bool, error) {
	for p, err := range s.profiles(ctx, "WHERE kind = ? AND id = ?", e.Kind, e.ID) {
		return p, err == nil, err
	}
	return engine.Profile{}, false, nil
}

// Profiles gives all profiles of a kind, by id, deleted ones included.
func (s *Store) Profiles(ctx context.Context, kind engine.EntityKind) iter.Seq2[engine.Profile, error] {
	return s.profiles(ctx, "WHERE kind = ? ORDER BY id", kind)
}

func (s *Store) profiles(ctx context.Context, which string, args ...any) iter.Seq2[engine.Profile, error] {
	return func(yield func(engine.Profile, error) bool) {
		rows, err := s.read.QueryxContext(ctx, s.read.Rebind("SELECT "+profileColumns+" FROM entity "+which), args...)
		if err != nil {
			yield(engine.Profile{}, storeError("read the directory", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var r profileRow
			var p engine.Profile
			err := rows.StructScan(&r)
			if err == nil {
				p, err = r.profile()
			}
			if !yield(p, storeError("read the directory", err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(engine.Profile{}, storeError("read the directory", err))
		}
	}
}

// Directory finds entities by their keys, in memory. It is safe for concurrent use.
type Directory struct {
	mu     sync.RWMutex
	change int64                    // the last batch of profiles it knows
	keys   map[engine.Entity]string // of each entity: its keys in JSON, to take them back
	found  map[lookup]string        // id
	shared map[lookup][]string      // ids of keys that several entities have: found has none of them
}

type lookup struct {
	kind       engine.EntityKind
	key, value string
}

// Find gives the CRM id of the entity whose key has this value; key "id" finds
// by the id itself. A value that several entities share finds none: it is never
// guessed. Deleted entities are not found.
func (d *Directory) Find(kind engine.EntityKind, key, value string) (id string, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if key == "id" {
		_, ok = d.keys[engine.Entity{Kind: kind, ID: value}]
		return value, ok
	}
	id, ok = d.found[lookup{kind, key, value}]
	return id, ok
}

// Directory gives the directory with all that is saved by now. It is one per
// store: the same as before, brought up to date.
func (s *Store) Directory(ctx context.Context) (*Directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.directory == nil {
		s.directory = &Directory{keys: map[engine.Entity]string{}, found: map[lookup]string{}, shared: map[lookup][]string{}}
	}
	d := s.directory
	rows, err := s.read.QueryxContext(ctx, s.read.Rebind("SELECT "+profileColumns+" FROM entity WHERE change > ?"), d.change)
	if err != nil {
		return nil, storeError("read the directory", err)
	}
	defer rows.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.change
	for rows.Next() {
		var r profileRow
		if err := rows.StructScan(&r); err != nil {
			return nil, storeError("read the directory", err)
		}
		if err := d.put(&r); err != nil {
			return nil, storeError("read the directory", err)
		}
		last = max(last, r.Change)
	}
	if err := rows.Err(); err != nil {
		return nil, storeError("read the directory", err)
	}
	d.change = last // only now: after an error the same rows come again, and do no harm
	return d, nil
}

// put makes the directory know what the row says, and nothing older.
func (d *Directory) put(r *profileRow) error {
	e := engine.Entity{Kind: r.Kind, ID: r.ID}
	if old, ok := d.keys[e]; ok {
		if err := eachKey(e.Kind, []byte(old), func(l lookup) { d.remove(l, e.ID) }); err != nil {
			return err
		}
		delete(d.keys, e)
	}
	if r.Deleted != 0 {
		return nil
	}
	d.keys[e] = string(r.Keys)
	return eachKey(e.Kind, r.Keys, func(l lookup) { d.add(l, e.ID) })
}

func eachKey(kind engine.EntityKind, keys []byte, do func(lookup)) error {
	if string(keys) == "null" {
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(keys, &m); err != nil {
		return err
	}
	for key, value := range m {
		if value != "" {
			do(lookup{kind, strings.Clone(key), value})
		}
	}
	return nil
}

func (d *Directory) add(l lookup, id string) {
	other, found := d.found[l]
	switch {
	case found:
		d.shared[l] = []string{other, id}
		delete(d.found, l)
	case d.shared[l] != nil:
		d.shared[l] = append(d.shared[l], id)
	default:
		d.found[l] = id
	}
}

func (d *Directory) remove(l lookup, id string) {
	if ids := d.shared[l]; ids != nil {
		ids = slices.DeleteFunc(ids, func(other string) bool { return other == id })
		if d.shared[l] = ids; len(ids) == 1 {
			d.found[l] = ids[0]
			delete(d.shared, l)
		}
		return
	}
	delete(d.found, l)
}
