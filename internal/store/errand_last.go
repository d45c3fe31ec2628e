package store

import "context"

// LastErrand gives the errand of a kind, subject and record that was asked for last, ended or not; ok is false when there is none.
func (s *Store) LastErrand(ctx context.Context, kind, subject, record string) (e Errand, ok bool, err error) {
	list, err := errands(ctx, s.read, "WHERE kind = ? AND subject = ? AND record = ? ORDER BY id DESC LIMIT 1", kind, subject, record)
	if err != nil || len(list) == 0 {
		return e, false, storeError("read errands", err)
	}
	return list[0], true, nil
}
