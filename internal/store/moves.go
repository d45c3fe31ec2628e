package store

import (
	"cmp"
	"context"
	"time"
)

// Move is a contact that the CRM told of under one account, and then under another.
type Move struct {
	Contact, From, To string // CRM ids, as they were told
	At                time.Time
}

// Moves gives the moves of contacts between accounts after a time, by contact and time.
func (s *Store) Moves(ctx context.Context, after time.Time) ([]Move, error) {
	list, err := tolds(ctx, s.read, `WHERE told = 'crm' AND account <> '' AND contact IN (SELECT contact FROM title
		WHERE told = 'crm' GROUP BY contact HAVING COUNT(*) > 1 AND MAX(since_us) > ?)`, after.UnixMicro())
	if err != nil {
		return nil, storeError("read the contacts' accounts", err)
	}
	var moves []Move
	for same := range runs(list, func(a, b Told) int { return cmp.Compare(a.Contact, b.Contact) }) {
		for i := 1; i < len(same); i++ {
			if was, is := same[i-1], same[i]; was.Account != is.Account && is.Since.After(after) {
				moves = append(moves, Move{is.Contact, was.Account, is.Account, is.Since})
			}
		}
	}
	return moves, nil
}
