package sqltable

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"energyd/connectors"
	"energyd/internal/fault"
)

// cursorVersion grows when older cursors can no longer be understood.
const cursorVersion = 1

// cursor is how far a stream was read. Times are UTC in wallLayout, numbers decimal.
type cursor struct {
	Version int    `json:"v"`
	Stream  string `json:"stream"`         // fingerprint of what the rest depends on
	Done    string `json:"done,omitempty"` // end of the last window that was read
	Open    bool   `json:"open,omitempty"` // a window is being read, and:
	From    string `json:"from,omitempty"` // its beginning; "" = all before To
	To      string `json:"to,omitempty"`   // its end, not in it
	Phase   phase  `json:"phase,omitempty"`
	// At are the changed and key values of the last row read in this phase, typed
	// ("i:42"); nil = none yet. In the phase keyless, Skip rows were read.
	At   []string `json:"at,omitempty"`
	Skip int      `json:"skip,omitempty"`
	// Alone: the window is read by itself, without the rows that have no place in any.
	Alone bool `json:"alone,omitempty"`
}

// phase is a part of reading a window. Rows that have no place in the order of
// (changed, key…) are read on their own: none is passed over.
type phase int

const (
	timed   phase = iota // rows of the window, by (changed, key…); of a stream without changed all rows, by key
	untimed              // rows whose change time is NULL, by key: all of them in every window
	keyless              // rows whose key is NULL: rejects
	phases
)

// parse reads a saved cursor. One that cannot be used gives the beginning: that costs time, and loses and doubles nothing.
func (s *source) parse(after connectors.Cursor) cursor {
	fresh := cursor{Version: cursorVersion, Stream: s.fingerprint}
	if after == "" {
		return fresh
	}
	var c cursor
	switch err := json.Unmarshal([]byte(after), &c); {
	case err != nil || c.Version != cursorVersion || c.Stream == s.fingerprint && !s.fits(c):
		s.log.Warn("The saved cursor is not one of this connector; the stream is read from the beginning.", "stream", s.cfg.name())
	case c.Stream != s.fingerprint:
		s.log.Warn("The stream's table, query, key, changed, deleted, timezone or encoding was changed; it is read from the beginning.", "stream", s.cfg.name())
	default:
		return c
	}
	return fresh
}

// fits checks what a damaged cursor could break.
func (s *source) fits(c cursor) bool {
	if c.Phase < timed || c.Phase >= phases || c.Skip < 0 {
		return false
	}
	for _, at := range c.At {
		if _, err := decode(at); err != nil {
			return false
		}
	}
	for _, bound := range []string{c.Done, c.From, c.To} {
		if _, err := s.bound(bound); bound != "" && err != nil {
			return false
		}
	}
	return c.At == nil || len(c.At) == len(s.order(c.Phase))
}

func (c cursor) text() connectors.Cursor {
	data, _ := json.Marshal(c) // strings and numbers only
	return connectors.Cursor(data)
}

// isTime tells whether windows are of times, not of numbers.
func (s *source) isTime() bool {
	return s.changed >= 0 && (s.columns[s.changed].kind == instant || s.columns[s.changed].kind == wall)
}

// bound reads a time or number of the cursor, as time.Time or int64.
func (s *source) bound(text string) (any, error) {
	if s.isTime() {
		return time.ParseInLocation(wallLayout, text, time.UTC)
	}
	return strconv.ParseInt(text, 10, 64)
}

// openWindow begins the window [last end − lookback, the database's clock − lag),
// or up to the greatest number.
func (s *source) openWindow(ctx context.Context, c *cursor) error {
	c.Open = true
	switch {
	case s.changed < 0:
	case s.isTime():
		now, err := s.clock(ctx)
		if err != nil {
			return err
		}
		to := now.Add(-time.Duration(s.cfg.Lag))
		c.To = to.Format(wallLayout)
		if c.Done != "" {
			from, err := time.ParseInLocation(wallLayout, c.Done, time.UTC)
			if err != nil {
				return err
			}
			if to.Before(from) { // the database's clock was put back
				from = to
			}
			c.From = from.Add(-time.Duration(s.cfg.Lookback)).Format(wallLayout)
		}
	default:
		var text sql.NullString
		if err := s.db.GetContext(ctx, &text, "SELECT max("+s.quoted[s.changed]+") FROM "+s.from); err != nil {
			return err
		}
		if !text.Valid { // no numbers: nothing to read
			c.To = c.Done
			return nil
		}
		top, err := strconv.ParseInt(text.String, 10, 64)
		if err != nil {
			return fault.New(fault.Config, s.op, fmt.Sprintf("the greatest number in %q is %s", s.cfg.Changed, text.String),
				"name a column of whole numbers below 2^63 in changed", err)
		}
		c.To = strconv.FormatInt(top+1, 10)
		if c.Done != "" {
			done, err := strconv.ParseInt(c.Done, 10, 64)
			if err != nil {
				return err
			}
			c.From = strconv.FormatInt(min(done, top)-s.cfg.LookbackNumbers, 10)
		}
	}
	return nil
}

// next goes to the window's next phase; false when the window is finished.
func (s *source) next(c *cursor) bool {
	c.At, c.Skip = nil, 0
	if c.Alone {
		return false
	}
	for c.Phase++; c.Phase < phases; c.Phase++ {
		if c.Phase == untimed && s.mayBeUntimed() || c.Phase == keyless && len(s.nullKeys) > 0 {
			return true
		}
	}
	return false
}

// mayBeUntimed tells whether change times may be NULL, as they are or as they are compared.
func (s *source) mayBeUntimed() bool {
	if s.changed < 0 {
		return false
	}
	operand, _ := s.operands(s.changed)
	return !s.columns[s.changed].notNull || operand != s.quoted[s.changed]
}

// interval is the finished window, when it was one of times.
func (s *source) interval(c cursor) connectors.Interval {
	if !s.isTime() {
		return connectors.Interval{}
	}
	from, _ := time.ParseInLocation(wallLayout, c.From, time.UTC) // "" is the zero time
	to, _ := time.ParseInLocation(wallLayout, c.To, time.UTC)
	return connectors.Interval{From: from, To: to}
}

// order lists the columns by which a phase is ordered.
func (s *source) order(p phase) []int {
	if p == timed && s.changed >= 0 {
		return append([]int{s.changed}, s.key...)
	}
	return s.key
}

// statement is the query for the next page and its arguments.
func (s *source) statement(c cursor, limit int) (string, []any, error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	if c.Phase == keyless {
		add("(" + strings.Join(s.nullKeys, " IS NULL OR ") + " IS NULL)")
	} else {
		for _, k := range s.nullKeys {
			add(k + " IS NOT NULL")
		}
	}
	switch {
	case c.Phase == untimed:
		operand, _ := s.operands(s.changed)
		add(operand + " IS NULL")
	case c.Phase == timed && s.changed >= 0:
		from, to, err := s.bounds(c)
		if err != nil {
			return "", nil, err
		}
		changed, param := s.operands(s.changed)
		if c.To == "" {
			add("1 = 0")
		} else {
			add(changed+" < "+param, to)
		}
		if c.From != "" && c.At == nil { // with At, the page's own beginning is nearer
			add(changed+" >= "+param, from)
		}
	}
	order := s.order(c.Phase)
	if c.At != nil {
		at := make([]any, len(c.At))
		for i, text := range c.At {
			var err error
			if at[i], err = decode(text); err != nil {
				return "", nil, err
			}
			if text, ok := at[i].(string); ok && s.columns[order[i]].raw != "" {
				at[i] = []byte(text)
			}
		}
		condition, values := s.after(order, at)
		add(condition, values...)
	}
	var by []string
	for _, i := range order {
		operand, _ := s.operands(i)
		by = append(by, operand)
	}
	tail := " ORDER BY " + strings.Join(by, ", ") + s.dialect.limit(limit, c.Skip)
	if len(where) > 0 {
		tail = " WHERE " + strings.Join(where, " AND ") + tail
	}
	// The list and the subselect hold SQL of the admin's; a "?" in it is not a parameter.
	return "SELECT " + s.list + " FROM " + s.from + bind(s.dialect, tail), args, nil
}

// operands are a column and a parameter as they are compared.
func (s *source) operands(i int) (operand, param string) {
	c := &s.columns[i]
	return s.dialect.compares(s.quoted[i], c), s.dialect.compares("?", c)
}

// after is the condition for rows behind position at in the order of columns.
func (s *source) after(order []int, at []any) (condition string, args []any) {
	operands, params := make([]string, len(order)), make([]string, len(order))
	for i, c := range order {
		operands[i], params[i] = s.operands(c)
	}
	if s.dialect.rows() || len(order) == 1 {
		return "(" + strings.Join(operands, ", ") + ") > (" + strings.Join(params, ", ") + ")", at
	}
	// a >= ? AND (a > ? OR (a = ? AND (b > ? OR (b = ? AND c > ?)))): the first part is what the index is used for.
	last := len(order) - 1
	condition, args = operands[last]+" > "+params[last], []any{at[last]}
	for i := last - 1; i >= 0; i-- {
		condition = fmt.Sprintf("(%s > %s OR (%s = %s AND %s))", operands[i], params[i], operands[i], params[i], condition)
		args = append([]any{at[i], at[i]}, args...)
	}
	return operands[0] + " >= " + params[0] + " AND " + condition, append([]any{at[0]}, args...)
}

// overlap is longer than any clock was put back in the zones of today.
const overlap = 3 * time.Hour

// bounds are the window's ends as parameters. For times without a zone they are
// wall times. Where the wall clock is put back soon after the beginning, it takes
// the smaller offset: what is saved then looks older than what was read.
func (s *source) bounds(c cursor) (from, to any, err error) {
	if c.To == "" {
		return nil, nil, nil
	}
	if to, err = s.bound(c.To); err != nil {
		return nil, nil, err
	}
	from = to
	if c.From != "" {
		if from, err = s.bound(c.From); err != nil {
			return nil, nil, err
		}
	}
	if !s.isTime() {
		return from, to, nil
	}
	f, t := from.(time.Time), to.(time.Time)
	if s.columns[s.changed].kind == wall {
		_, atFrom := f.In(s.loc).Zone()
		_, soon := f.Add(overlap).In(s.loc).Zone()
		_, atTo := t.In(s.loc).Zone()
		f = f.Add(time.Duration(min(atFrom, soon)) * time.Second)
		t = t.Add(time.Duration(atTo) * time.Second)
	}
	return f.Format(wallLayout), t.Format(wallLayout), nil
}

// encode writes a database value of a position with its type; decode gives it
// back as a parameter. Bytes that are not UTF-8 would not survive JSON as they are.
func encode(v any) string {
	switch v := v.(type) {
	case int64:
		return "i:" + strconv.FormatInt(v, 10)
	case uint64:
		return "u:" + strconv.FormatUint(v, 10)
	case float64:
		return "f:" + strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return encode(float64(v))
	case bool:
		return "t:" + strconv.FormatBool(v)
	case time.Time:
		if v = v.UTC(); v.Year() <= 0 { // which no database calls so
			return "s:" + time.Date(1-v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), time.UTC).Format(wallLayout) + " BC"
		}
		return "s:" + v.Format(wallLayout)
	case []byte:
		return encode(string(v))
	case string:
		if utf8.ValidString(v) {
			return "s:" + v
		}
		return "b:" + base64.StdEncoding.EncodeToString([]byte(v))
	}
	return "s:" + fmt.Sprint(v)
}

func decode(text string) (any, error) {
	tag, value, _ := strings.Cut(text, ":")
	switch tag {
	case "i":
		return strconv.ParseInt(value, 10, 64)
	case "u":
		return strconv.ParseUint(value, 10, 64)
	case "f":
		return strconv.ParseFloat(value, 64)
	case "t":
		return strconv.ParseBool(value)
	case "b":
		b, err := base64.StdEncoding.DecodeString(value)
		return string(b), err
	case "s":
		return value, nil
	}
	return nil, fmt.Errorf("position %q has no known type", text)
}
