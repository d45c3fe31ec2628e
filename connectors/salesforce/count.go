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

// Count counts the rows of a window, by one call. Archived activities count: they are read. The number is the
// answer's size, or stands in a row of its own (S45).
func (s *source) Count(ctx context.Context, window connectors.Interval) (int, error) {
	var answer struct {
		TotalSize int `json:"totalSize"`
		Records   []struct {
			Number *int `json:"expr0"`
		} `json:"records"`
	}
	err := s.conn.call(ctx, call{op: "count " + s.object, method: http.MethodGet, path: "/queryAll",
		query: url.Values{"q": {"SELECT COUNT() FROM " + s.object + " WHERE " + s.rest(alone(window))}}}, &answer)
	if len(answer.Records) == 1 && answer.Records[0].Number != nil {
		return *answer.Records[0].Number, err
	}
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
