package sqltable

import (
	"context"
	"strings"

	"energyd/connectors"
)

var _ connectors.Counter = (*source)(nil)

// Counts is true of streams whose changes are followed by a time, not a number.
func (s *source) Counts() bool { return s.isTime() }

// Count counts the rows of a window by their time of change.
func (s *source) Count(ctx context.Context, window connectors.Interval) (int, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	from, to, err := s.bounds(s.windowCursor(window))
	if err != nil {
		return 0, s.conn.fault(ctx, s.cfg.name(), err)
	}
	changed, param := s.operands(s.changed)
	where, args := []string{changed + " < " + param}, []any{to}
	if !window.From.IsZero() {
		where, args = append(where, changed+" >= "+param), append(args, from)
	}
	for _, k := range s.nullKeys {
		where = append(where, k+" IS NOT NULL")
	}
	var n int
	// The subselect holds SQL of the admin's; a "?" in it is not a parameter.
	err = s.db.GetContext(ctx, &n, "SELECT count(*) FROM "+s.from+bind(s.dialect, " WHERE "+strings.Join(where, " AND ")), args...)
	if err != nil {
		return 0, s.conn.fault(ctx, s.cfg.name(), err)
	}
	return n, nil
}

// Window gives the cursor of a window that is read by itself.
func (s *source) Window(window connectors.Interval) connectors.Cursor {
	return s.windowCursor(window).text()
}

func (s *source) windowCursor(window connectors.Interval) cursor {
	c := cursor{Version: cursorVersion, Stream: s.fingerprint, Open: true, Alone: true, To: window.To.UTC().Format(wallLayout)}
	if !window.From.IsZero() {
		c.From = window.From.UTC().Format(wallLayout)
	}
	return c
}
