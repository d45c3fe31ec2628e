package mapping

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"energyd/engine"
	"energyd/internal/expression"
)

// field is one compiled expression of the file; nil where the file says nothing.
type field struct {
	path    string // "activity.kind"
	source  string // as written
	program *expression.Program
}

// The words of direction, status and role; the first is the default.
var (
	directions = wordsOf[engine.Direction]{{"mutual", engine.Mutual}, {"inbound", engine.Inbound}, {"outbound", engine.Outbound}}
	statuses   = wordsOf[engine.Status]{{"held", engine.Held}, {"planned", engine.Planned}, {"cancelled", engine.Cancelled}}
	roles      = wordsOf[engine.Role]{{"attended", engine.Attended}, {"sender", engine.Sender}, {"to", engine.To}, {"cc", engine.Cc}, {"declined", engine.Declined}}
)

type wordsOf[T comparable] []struct {
	word  string
	value T
}

func (ws wordsOf[T]) words() []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w.word
	}
	return out
}

func (ws wordsOf[T]) word(v T) string {
	for _, w := range ws {
		if w.value == v {
			return w.word
		}
	}
	return ""
}

// choose sets *to to the word that f gives; null keeps the default.
func choose[T comparable](w *run, f *field, ws wordsOf[T], to *T) error {
	word, err := f.text(w)
	if err != nil || word == "" {
		return err
	}
	for _, choice := range ws {
		if choice.word == word {
			*to = choice.value
			return nil
		}
	}
	return &RejectError{Code: "value", Reason: fmt.Sprintf("%s: %s", f.path, unknownWord("word", word, ws.words())), Columns: f.columns()}
}

// columns are those that the field reads.
func (f *field) columns() []string {
	if f == nil {
		return nil
	}
	return f.program.Columns()
}

// eval computes a field; a field that the file does not have is null.
func (f *field) eval(w *run) (any, error) {
	if f == nil {
		return nil, nil
	}
	v, err := f.program.Eval(&w.Run)
	if w.steps != nil {
		w.step(f, v, err)
	}
	if err != nil {
		return nil, f.reject(err)
	}
	return v, nil
}

func (f *field) text(w *run) (string, error) {
	v, err := f.eval(w)
	if s, ok := v.(string); ok || err != nil {
		return strings.TrimSpace(s), err
	}
	s, err := textOf(v)
	if err != nil {
		return "", f.reject(err)
	}
	return s, nil
}

func (f *field) truth(w *run) (bool, error) {
	if f == nil {
		return false, nil
	}
	b, err := f.program.Truth(&w.Run)
	if w.steps != nil {
		w.step(f, b, err)
	}
	if err != nil {
		return false, f.reject(err)
	}
	return b, nil
}

// version reads a version: a time becomes Unix microseconds, a number stays
// what it is. A text of eight digits is a date.
func (f *field) version(w *run) (int64, error) {
	v, err := f.eval(w)
	if err != nil {
		return 0, err
	}
	if s, ok := v.(string); ok {
		if s = strings.TrimSpace(s); len(s) > 8 && strings.Trim(s, "0123456789") == "" || len(s) < 8 {
			if n, err := strconv.ParseInt(s, 10, 64); err == nil {
				return n, nil
			}
		}
		if v, err = datetime(time.UTC, []any{s}); err != nil {
			return 0, f.reject(err)
		}
	}
	switch v := v.(type) {
	case time.Time:
		return v.UnixMicro(), nil
	case expression.Day:
		return int64(v) * 86400e6, nil
	case int64:
		return v, nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	}
	return 0, &RejectError{Code: "value", Reason: f.path + " gives no time and no whole number, so versions of the record cannot be told apart", Columns: f.columns()}
}

// reject makes an error of an expression a reject with the field's path.
func (f *field) reject(err error) error {
	var known *RejectError
	if errors.As(err, &known) {
		return &RejectError{Code: known.Code, Reason: f.path + ": " + known.Reason, Columns: f.columns(), Culprit: known.Culprit}
	}
	code := "value"
	var miss *missError
	if errors.As(err, &miss) {
		code = "lookup"
		if f.path == "activity.kind" {
			code = "kind"
		}
	}
	return &RejectError{Code: code, Reason: f.path + ": " + err.Error(), Columns: f.columns()}
}
