package store

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

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
	Parent  string
	Keys    []byte
	Facts   []byte
	Deleted int
	Into    string `db:"into_id"`
	Change  int64
}

const profileColumns = "kind, id, source, version, name, account, title, owner, parent, keys, facts, deleted, into_id, change"

func (r *profileRow) profile() (engine.Profile, error) {
	p := engine.Profile{Entity: engine.Entity{Kind: r.Kind, ID: r.ID}, Source: r.Source, Version: r.Version, Name: r.Name,
		Account: r.Account, Title: r.Title, Owner: r.Owner, Parent: r.Parent, Into: r.Into, Deleted: r.Deleted != 0}
	return p, errors.Join(json.Unmarshal(r.Keys, &p.Keys), json.Unmarshal(r.Facts, &p.Facts))
}

// rowOf gives the row that a profile makes.
func rowOf(p engine.Profile) (profileRow, error) {
	r := profileRow{Kind: p.Kind, ID: plain(p.ID), Source: plain(p.Source), Version: p.Version, Name: plain(p.Name), Account: plain(p.Account),
		Title: plain(p.Title), Owner: plain(p.Owner), Parent: plain(p.Parent), Into: plain(p.Into)}
	if p.Deleted {
		r.Deleted = 1
	}
	var err, other error
	r.Keys, err = plainJSON(p.Keys)
	r.Facts, other = plainJSON(p.Facts)
	return r, errors.Join(err, other)
}

// plainJSON writes a map as a text that every database takes.
func plainJSON[M ~map[string]string](m M) ([]byte, error) {
	text, err := json.Marshal(m)
	return []byte(strings.ReplaceAll(string(text), `\u0000`, `\ufffd`)), err
}

// saveProfiles keeps the profiles that are newer than what stands, and counts
// them: of a higher version, or of an equal one that says something else. What
// their source said in an earlier reading gives way whatever its version.
// Deletions tell little: what was known of the entity stays.
func saveProfiles(ctx context.Context, tx *sqlx.Tx, profiles []engine.Profile, revision uint32, read time.Time) (stored int, err error) {
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
		args := make([]any, 0, 15*len(rows))
		ids := map[engine.EntityKind][]any{}
		for _, i := range rows {
			r, err := rowOf(profiles[i])
			if err != nil {
				return 0, err
			}
			ids[r.Kind] = append(ids[r.Kind], r.ID)
			args = append(args, r.Kind, r.ID, r.Source, r.Version, r.Name, r.Account, r.Title, r.Owner, r.Parent, string(r.Keys), string(r.Facts), r.Deleted, r.Into, change, revision)
		}
		marks := strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", len(rows))[2:]
		done, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO entity ("+profileColumns+", revision) VALUES "+marks+` ON CONFLICT (kind, id) DO UPDATE SET
			source = excluded.source, version = excluded.version, `+known+`, deleted = excluded.deleted, into_id = excluded.into_id,
			change = excluded.change, revision = excluded.revision
			WHERE excluded.version > entity.version OR (excluded.version = entity.version OR excluded.source = entity.source AND excluded.revision > entity.revision)
			AND (excluded.deleted <> entity.deleted OR excluded.into_id <> entity.into_id OR excluded.deleted = 0 AND `+
			strings.ReplaceAll(content, "%s", "excluded")+" <> "+strings.ReplaceAll(content, "%s", "entity")+")"), args...)
		if err != nil {
			return 0, err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return 0, err
		}
		stored += int(n)
		if err := tellParents(ctx, tx, ids[engine.Account], read); err != nil {
			return 0, err
		}
		if int(n) == len(rows) {
			continue
		}
		for kind, some := range ids { // those that stayed as they were have come again all the same
			_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE entity SET revision = ? WHERE kind = ? AND revision < ? AND source = ? AND id IN (?"+
				strings.Repeat(", ?", len(some)-1)+")"), append([]any{revision, kind, revision, plain(profiles[rows[0]].Source)}, some...)...)
			if err != nil {
				return 0, err
			}
		}
	}
	return stored, tellTitles(ctx, tx, change, read)
}

// content is what a profile says, but for its version.
const content = "(%s.source, %s.name, %s.account, %s.title, %s.owner, %s.parent, %s.keys, %s.facts)"

// known sets what a profile says, where it says anything; a deletion leaves the rest as it was.
var known = func() string {
	var set []string
	for _, c := range [...][2]string{{"name", ""}, {"account", ""}, {"title", ""}, {"owner", ""}, {"parent", ""}, {"keys", "null"}, {"facts", "null"}} {
		set = append(set, strings.NewReplacer("COLUMN", c[0], "NOTHING", c[1]).Replace(
			"COLUMN = CASE WHEN excluded.deleted = 1 AND excluded.COLUMN = 'NOTHING' THEN entity.COLUMN ELSE excluded.COLUMN END"))
	}
	return strings.Join(set, ", ")
}()

// Profile gives what the CRM says of an entity, of a group what it says of its
// account; false when it never told.
func (s *Store) Profile(ctx context.Context, e engine.Entity) (engine.Profile, bool, error) {
	if e.Kind == engine.CompanyGroup {
		e.Kind = engine.Account
	}
	for p, err := range s.profiles(ctx, "WHERE kind = ? AND id = ?", e.Kind, e.ID) {
		return p, err == nil, err
	}
	return engine.Profile{}, false, nil
}

// ProfilesOf gives what the CRM says of some entities of a kind, by id; without those of which it never told.
func (s *Store) ProfilesOf(ctx context.Context, kind engine.EntityKind, ids []string) (map[string]engine.Profile, error) {
	const page = 400 // ids in one statement
	found := make(map[string]engine.Profile, len(ids))
	for some := range slices.Chunk(ids, page) {
		where, args, err := sqlx.In("WHERE kind = ? AND id IN (?)", kind, some)
		if err != nil {
			return nil, err
		}
		for p, err := range s.profiles(ctx, where, args...) {
			if err != nil {
				return nil, err
			}
			found[p.ID] = p
		}
	}
	return found, nil
}

// ProfilesUnder gives the profiles of a kind that the CRM keeps under an account, by id, without deleted and merged ones.
func (s *Store) ProfilesUnder(ctx context.Context, kind engine.EntityKind, account string) ([]engine.Profile, error) {
	var list []engine.Profile
	// Without the empty account the index would not be used.
	for p, err := range s.profiles(ctx, "WHERE kind = ? AND account = ? AND account <> '' AND deleted = 0 AND into_id = '' ORDER BY id", kind, account) {
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
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

// Merged gives the profiles that went into others since Followed was last
// told, and what to tell it once they were looked at.
func (s *Store) Merged(ctx context.Context) (merged []engine.Profile, upTo int64, err error) {
	upTo, err = number(ctx, s.read, followedName)
	if err != nil {
		return nil, 0, storeError("read the directory", err)
	}
	for p, err := range s.profiles(ctx, "WHERE into_id <> '' AND change > ? ORDER BY change, kind, id", upTo) {
		if err != nil {
			return nil, 0, err
		}
		merged = append(merged, p)
	}
	err = s.read.GetContext(ctx, &upTo, s.read.Rebind("SELECT COALESCE(MAX(change), ?) FROM entity WHERE into_id <> ''"), upTo)
	return merged, upTo, storeError("read the directory", err)
}

const followedName = "merged"

// Parted gives what entities had gone into that stand by themselves, or went into another one, since Followed was last told.
func (s *Store) Parted(ctx context.Context) ([]engine.Entity, error) {
	var parted []engine.Entity
	err := s.read.SelectContext(ctx, &parted, `SELECT DISTINCT m.kind, m.into_id AS id FROM merged m JOIN entity e ON e.kind = m.kind AND e.id = m.id
		WHERE e.into_id <> m.into_id ORDER BY 1, 2`)
	return parted, storeError("read the directory", err)
}

// Followed notes up to which change Merged was looked at, and Parted.
func (s *Store) Followed(ctx context.Context, upTo int64) error {
	return s.tx(ctx, "follow merges", func(tx *sqlx.Tx) error {
		for _, statement := range [...]string{
			"DELETE FROM merged WHERE EXISTS (SELECT 1 FROM entity e WHERE e.kind = merged.kind AND e.id = merged.id AND e.into_id <> merged.into_id)",
			"INSERT INTO merged (kind, id, into_id) SELECT kind, id, into_id FROM entity WHERE into_id <> '' ON CONFLICT (kind, id) DO NOTHING",
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return note(ctx, tx, followedName, strconv.FormatInt(upTo, 10))
	})
}

// Directory finds entities by their keys, in memory. It is safe for concurrent use.
type Directory struct {
	mu       sync.RWMutex
	change   int64                    // the last batch of profiles it knows
	erasures int64                    // it was read after so many
	keys     map[engine.Entity]string // of each entity: its keys in JSON, to take them back
	people   map[string]person        // by the id of the contact
	into     map[engine.Entity]string // of those that were merged: the id that they went into
	found    map[lookup]string        // id
	shared   map[lookup][]string      // ids of keys that several entities have
	careers  map[string][]Told        // by the id of the contact: what was said of it, where that is more than people holds
	titles   int64                    // careers are read after so many changes
}

// person is what mappings ask of a contact.
type person struct{ account, title string }

type lookup struct {
	kind       engine.EntityKind
	key, value string
}

// Find gives the CRM id of the entity whose key has this value; key "id" finds
// by the id itself. A value that several entities share finds none: it is never
// guessed. Deleted entities are not found; one that went into another by a
// merge or a conversion is found as that one.
func (d *Directory) Find(kind engine.EntityKind, key, value string) (id string, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if key == "id" {
		return d.present(kind, value)
	}
	l := lookup{kind, key, value}
	if id, ok = d.found[l]; ok {
		return d.present(kind, id)
	}
	for _, other := range d.shared[l] { // a merged one and what it went into are the same
		other, there := d.present(kind, other)
		if there && ok && other != id {
			return "", false
		}
		if there {
			id, ok = other, true
		}
	}
	return id, ok
}

// Contact gives the account and the job title of a contact that Find gave. An
// account that was merged into another is that one; one that is gone is none.
func (d *Directory) Contact(id string) (account, title string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if _, there := d.keys[engine.Entity{Kind: engine.Contact, ID: id}]; !there {
		return "", ""
	}
	p := d.people[id]
	account, there := d.present(engine.Account, p.account)
	if !there {
		account = ""
	}
	return account, p.title
}

// present follows merges from an id to the entity that is there now.
func (d *Directory) present(kind engine.EntityKind, id string) (string, bool) {
	for range 100 { // merges that go in a circle lead nowhere
		next, merged := d.into[engine.Entity{Kind: kind, ID: id}]
		if !merged {
			_, there := d.keys[engine.Entity{Kind: kind, ID: id}]
			return id, there
		}
		id = next
	}
	return "", false
}

// Change grows with each batch of profiles that changed the directory.
func (d *Directory) Change() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.change
}

// Directory gives the directory with all that is saved by now. It is one per
// store: the same as before, brought up to date.
func (s *Store) Directory(ctx context.Context) (*Directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	erasures, err := number(ctx, s.read, erasuresName)
	if err != nil {
		return nil, storeError("read the directory", err)
	}
	if s.directory == nil || s.directory.erasures != erasures {
		s.directory = newDirectory(erasures)
	}
	if err := s.careers(ctx, s.directory); err != nil {
		return nil, storeError("read titles", err)
	}
	return s.directory, s.refresh(ctx, s.directory)
}

func newDirectory(erasures int64) *Directory {
	return &Directory{erasures: erasures, keys: map[engine.Entity]string{}, people: map[string]person{}, into: map[engine.Entity]string{},
		found: map[lookup]string{}, shared: map[lookup][]string{}}
}

// refresh lets a directory know all that is saved by now.
func (s *Store) refresh(ctx context.Context, d *Directory) error {
	rows, err := s.read.QueryxContext(ctx, s.read.Rebind("SELECT "+profileColumns+" FROM entity WHERE change > ? AND kind <> ?"), d.change, engine.Stage)
	if err != nil {
		return storeError("read the directory", err)
	}
	defer rows.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.change
	for rows.Next() {
		var r profileRow
		if err := rows.StructScan(&r); err != nil {
			return storeError("read the directory", err)
		}
		if err := d.put(&r); err != nil {
			return storeError("read the directory", err)
		}
		last = max(last, r.Change)
	}
	if err := rows.Err(); err != nil {
		return storeError("read the directory", err)
	}
	d.change = last // only now: after an error the same rows come again, and do no harm
	return nil
}

// put makes the directory know what the row says, and nothing older.
func (d *Directory) put(r *profileRow) error {
	e := engine.Entity{Kind: r.Kind, ID: r.ID}
	if old, ok := d.keys[e]; ok {
		if err := eachKey(e.Kind, []byte(old), func(l lookup) { d.remove(l, e.ID) }); err != nil {
			return err
		}
		delete(d.keys, e)
		delete(d.into, e)
	}
	if e.Kind == engine.Contact {
		delete(d.people, e.ID)
	}
	if e.Kind == engine.Contact && (r.Account != "" || r.Title != "") { // of deleted ones too: their activities keep their rank
		d.people[e.ID] = person{r.Account, r.Title}
	}
	switch {
	case r.Into != "":
		d.into[e] = r.Into
	case r.Deleted != 0:
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
