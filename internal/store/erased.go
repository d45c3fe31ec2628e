package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Erased tells who was erased and must not be stored again. It knows people
// only by salted hashes of their ids, addresses and other keys. It is safe for
// concurrent use.
type Erased struct {
	salt   []byte
	hashes map[[sha256.Size]byte]struct{}
}

// The keys under which stand the CRM's own id of a contact, and the ids of erased mails.
const (
	IDKey      = "id"
	MessageKey = "message"
)

// Has tells whether a contact with this key was erased: IDKey, or a key of the
// directory. Mail addresses are the same under every key, and in capitals.
func (e *Erased) Has(key, value string) bool {
	if e == nil || value == "" {
		return false
	}
	_, has := e.hashes[identifierHash(e.salt, key, value)]
	return has
}

func (e *Erased) add(key, value string) {
	e.hashes[identifierHash(e.salt, key, value)] = struct{}{}
}

// Unlink gives a message's place in its conversation with pseudonyms for the
// ids of erased mails: the same for the same mail. It gives the link itself when there are none in it.
func (e *Erased) Unlink(link *engine.Link) *engine.Link {
	if link == nil || !e.Has(MessageKey, link.Thread) && !e.Has(MessageKey, link.Answers) {
		return link
	}
	other := *link
	for _, id := range []*string{&other.Thread, &other.Answers} {
		if e.Has(MessageKey, *id) {
			hash := identifierHash(e.salt, MessageKey, *id)
			*id = "erased-" + hex.EncodeToString(hash[:8])
		}
	}
	return &other
}

func identifierHash(salt []byte, key, value string) (hash [sha256.Size]byte) {
	if strings.Contains(value, "@") {
		key, value = "@", strings.ToLower(strings.TrimSpace(value))
	}
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(key + "\x00" + value))
	h.Sum(hash[:0])
	return hash
}

// Erased gives the people who were erased; nil when there are none.
func (s *Store) Erased(ctx context.Context) (*Erased, error) {
	var list []string
	if err := s.read.SelectContext(ctx, &list, "SELECT hash FROM erased"); err != nil || len(list) == 0 {
		return nil, storeError("read who was erased", err)
	}
	salt, err := erasedSalt(ctx, s.read)
	if err != nil {
		return nil, storeError("read who was erased", err)
	}
	e := &Erased{salt: salt, hashes: make(map[[sha256.Size]byte]struct{}, len(list))}
	for _, text := range list {
		var hash [sha256.Size]byte
		if _, err := hex.Decode(hash[:], []byte(text)); err != nil {
			return nil, storeError("read who was erased", err)
		}
		e.hashes[hash] = struct{}{}
	}
	return e, nil
}

const (
	saltName = "erased salt"
	// erasuresName counts erasures: a directory in memory from before one is read anew.
	erasuresName = "erasures"
)

func erasedSalt(ctx context.Context, q sqlx.ExtContext) ([]byte, error) {
	var text string
	if err := sqlx.GetContext(ctx, q, &text, q.Rebind("SELECT value FROM meta WHERE name = ?"), saltName); err != nil {
		return nil, err
	}
	return hex.DecodeString(text)
}

// openErased is the list that an erasure adds to, with a salt of its own from the first on.
func openErased(ctx context.Context, tx *sqlx.Tx) (*Erased, error) {
	salt, err := erasedSalt(ctx, tx)
	if errors.Is(err, sql.ErrNoRows) {
		salt = make([]byte, 32)
		_, _ = rand.Read(salt) // it never fails
		_, err = tx.ExecContext(ctx, tx.Rebind("INSERT INTO meta (name, value) VALUES (?, ?)"), saltName, hex.EncodeToString(salt))
	}
	return &Erased{salt: salt, hashes: map[[sha256.Size]byte]struct{}{}}, err
}

// remember puts a person on the list of those who must not come back, with what the list holds already.
func (p *Person) remember(ctx context.Context, tx *sqlx.Tx, run string, erased *Erased) error {
	for key, values := range p.identifiers() {
		for _, value := range values {
			erased.add(key, value)
		}
	}
	for hash := range erased.hashes {
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO erased (hash, run) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"), hex.EncodeToString(hash[:]), run)
		if err != nil {
			return err
		}
	}
	_, err := increase(ctx, tx, erasuresName)
	return err
}
