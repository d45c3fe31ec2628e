package salesforce

import (
	"context"
	"net/http"
	"net/url"

	"energyd/connectors"
)

var _ connectors.Counter = (*source)(nil)

// Counts is true: what has no change time cannot be read at all.
func (s *source) Counts() bool { return true }

// Count counts the rows of a window, by one call. Archived activities count: they are read.
func (s *source) Count(ctx context.Context, window connectors.Interval) (int, error) {
	var answer struct {
		TotalSize int `json:"totalSize"`
	}
	err := s.conn.call(ctx, call{op: "count " + s.object, method: http.MethodGet, path: "/queryAll",
		query: url.Values{"q": {"SELECT COUNT() FROM " + s.object + " WHERE " + s.rest(alone(window))}}}, &answer)
	return answer.TotalSize, err
}

// Window gives the cursor of a round that has this window alone. It reads the
// relations of activities with them, as the first round does, and not once more after.
func (s *source) Window(window connectors.Interval) connectors.Cursor {
	return cursor{Version: cursorVersion, Stream: s.fingerprint(), Open: alone(window)}.text()
}

// alone is a window that is a round by itself.
func alone(i connectors.Interval) *window {
	from := i.From
	if from.Before(theBeginning) {
		from = theBeginning
	}
	return &window{Since: theBeginning, From: from.UTC(), To: i.To.UTC(), Until: i.To.UTC()}
}
