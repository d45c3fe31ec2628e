package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"iter"

	"energyd/engine"
)

// Sketch is the directory as it would be if further profiles were saved. It
// saves nothing, and belongs to one caller.
type Sketch struct {
	*Directory
	store *Store
	rows  map[engine.Entity]sketched // of the profiles that were put
	news  bool                       // some of them would be kept
}

// sketched is a row as it would stand; revision is that of its source's reading.
type sketched struct {
	profileRow
	Revision uint32
	there    bool
}

// Sketch gives a copy of the directory.
func (s *Store) Sketch(ctx context.Context) (*Sketch, error) {
	k := &Sketch{Directory: newDirectory(0), store: s, rows: map[engine.Entity]sketched{}}
	if err := s.careers(ctx, k.Directory); err != nil {
		return nil, storeError("read titles", err)
	}
	return k, s.refresh(ctx, k.Directory)
}

// Change is later than that of the directory once a profile was put that would be kept.
func (k *Sketch) Change() int64 {
	change := k.Directory.Change()
	if k.news {
		change++
	}
	return change
}

// Put does with a profile what SaveBatch would, and gives what would be kept; false when what stands would stay.
func (k *Sketch) Put(ctx context.Context, p engine.Profile, revision uint32) (kept engine.Profile, stored bool, err error) {
	now, err := rowOf(p)
	if err != nil {
		return kept, false, err
	}
	e := engine.Entity{Kind: now.Kind, ID: now.ID}
	was, known := k.rows[e]
	if !known {
		err := k.store.read.GetContext(ctx, &was, k.store.read.Rebind("SELECT "+profileColumns+", revision FROM entity WHERE kind = ? AND id = ?"), e.Kind, e.ID)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return kept, false, storeError("read the directory", err)
		}
		was.there = err == nil
	}
	if was.there && !supersedes(&now, revision, &was) {
		if was.Source == now.Source {
			was.Revision = max(was.Revision, revision)
		}
		k.rows[e] = was
		return kept, false, nil
	}
	if was.there && now.Deleted == 1 { // a deletion tells little: what was known stays
		now.Name, now.Account = cmp.Or(now.Name, was.Name), cmp.Or(now.Account, was.Account)
		now.Title, now.Owner = cmp.Or(now.Title, was.Title), cmp.Or(now.Owner, was.Owner)
		now.Parent = cmp.Or(now.Parent, was.Parent)
		if string(now.Keys) == "null" {
			now.Keys = was.Keys
		}
		if string(now.Facts) == "null" {
			now.Facts = was.Facts
		}
	}
	k.rows[e], k.news = sketched{now, revision, true}, true
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.put(&now); err != nil {
		return kept, false, storeError("read the directory", err)
	}
	kept, err = now.profile()
	return kept, true, err
}

// supersedes tells whether a profile takes the place of what stands: it says in Go what saveProfiles says in SQL.
func supersedes(now *profileRow, revision uint32, was *sketched) bool {
	if now.Version > was.Version {
		return true
	}
	if now.Version != was.Version && (now.Source != was.Source || revision <= was.Revision) {
		return false
	}
	if now.Deleted != was.Deleted || now.Into != was.Into {
		return true
	}
	return now.Deleted == 0 && (now.Source != was.Source || now.Name != was.Name || now.Account != was.Account || now.Title != was.Title ||
		now.Owner != was.Owner || now.Parent != was.Parent || !bytes.Equal(now.Keys, was.Keys) || !bytes.Equal(now.Facts, was.Facts))
}

// Activity gives the version of an activity that stands, a tombstone too. What is not folded yet does not count.
func (s *Store) Activity(ctx context.Context, source, id string) (a engine.Activity, ok bool, err error) {
	hash := keyHash(source, id)
	keys, err := keyTable.find(ctx, s.read, hash)
	if err != nil {
		return a, false, storeError("read activities", err)
	}
	for _, key := range keys {
		if key.key != hash {
			continue
		}
		acts, err := activityTable().find(ctx, s.read, key.cluster)
		if err != nil {
			return a, false, storeError("read activities", err)
		}
		for _, x := range acts {
			if x.Source == source && x.ID == id && (!ok || engine.Supersedes(x.Activity, &a)) {
				a, ok = *x.Activity, true
			}
		}
	}
	return a, ok, nil
}

// SaysTheSame tells whether two versions of an activity differ in nothing but their version.
func SaysTheSame(a, b *engine.Activity) bool { return sayTheSame(a, b) }

// Profiles gives all profiles of a kind, by id and those that were put last, as they would stand.
func (k *Sketch) Profiles(ctx context.Context, kind engine.EntityKind) iter.Seq2[engine.Profile, error] {
	return func(yield func(engine.Profile, error) bool) {
		for p, err := range k.store.Profiles(ctx, kind) {
			if _, put := k.rows[p.Entity]; err == nil && put {
				continue
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
		for e, r := range k.rows {
			if e.Kind != kind || !r.there {
				continue
			}
			p, err := r.profile()
			if !yield(p, storeError("read the directory", err)) || err != nil {
				return
			}
		}
	}
}
