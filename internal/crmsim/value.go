package crmsim

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Error is a refusal in the CRM's own words.
type Error struct {
	Code    string
	Message string
	Fields  []string // names of the fields it is about
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code string, fields []string, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Fields: fields}
}

// illTyped is the code for a value that its field cannot even parse: the
// request as a whole is refused then, not the row.
const illTyped = "JSON_PARSER_ERROR"

// stored gives the form in which a value is kept: string (dates as
// 2006-01-02), float64, bool, int64 (Unix seconds, of a DateTime) or nil.
// Values come from JSON (string, json.Number, bool, nil, maps, slices) or from
// Go (also integers, float64, time.Time).
func (s *Server) stored(f *Field, v any) (any, *Error) {
	if text, ok := v.(string); ok && strings.TrimSpace(text) == "" {
		v = nil
	}
	if v == nil {
		if f.Type == Checkbox {
			return false, nil // a checkbox is never null
		}
		return nil, nil
	}
	switch f.Type {
	case Checkbox:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case Integer, Number, Currency, Percent:
		if n, ok := number(v); ok {
			return s.fitted(f, n)
		}
	case Date:
		switch v := v.(type) {
		case string:
			if _, err := time.Parse(time.DateOnly, v); err == nil {
				return v, nil
			}
		case time.Time:
			return v.Format(time.DateOnly), nil
		}
	case DateTime:
		switch v := v.(type) {
		case string:
			for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
				if at, err := time.Parse(layout, v); err == nil {
					return at.Unix(), nil
				}
			}
		case time.Time:
			return v.Unix(), nil
		}
	default:
		if text, ok := v.(string); ok {
			return fittedText(f, text)
		}
	}
	return nil, refuse(illTyped, []string{f.Name}, "Cannot deserialize instance of %s from %s value %v", f.Type, jsonKind(v), v)
}

// number reads what a number field takes; texts that are numbers are taken, as the real thing does.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false
}

func (s *Server) fitted(f *Field, n float64) (any, *Error) {
	if math.Abs(n) >= math.Pow10(f.Precision-f.Scale) {
		return nil, refuse("NUMBER_OUTSIDE_VALID_RANGE", []string{f.Name}, "%s: value outside of valid range on numeric field: %v", f.Label, n)
	}
	// Rounding by the decimal text spares the error of multiplying with a power of ten.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'f', f.Scale, 64), 64)
	if rounded == n {
		return n, nil
	}
	switch s.outcome("S68") {
	case "kept":
		return n, nil
	case "refused":
		return nil, refuse("NUMBER_OUTSIDE_VALID_RANGE", []string{f.Name}, "%s: too many decimals: %v", f.Label, n)
	}
	return rounded, nil
}

func fittedText(f *Field, text string) (any, *Error) {
	if f.Type == Reference || f.Type == ID {
		id, ok := normalID(text)
		if !ok {
			return nil, refuse("MALFORMED_ID", []string{f.Name}, "%s: id value of incorrect type: %s", f.Label, text)
		}
		return id, nil
	}
	if f.Length > 0 && utf8.RuneCountInString(text) > f.Length {
		return nil, refuse("STRING_TOO_LONG", []string{f.Name}, "%s: data value too large: %s (max length=%d)", f.Label, text, f.Length)
	}
	if f.Restricted && !slices.Contains(f.Values, text) {
		return nil, refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{f.Name}, "%s: bad value for restricted picklist field: %s", f.Label, text)
	}
	if f.Type == Email && !strings.Contains(text, "@") {
		return nil, refuse("INVALID_EMAIL_ADDRESS", []string{f.Name}, "%s: invalid email address: %s", f.Label, text)
	}
	return text, nil
}

func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "VALUE_STRING"
	case bool:
		return "VALUE_BOOLEAN"
	case map[string]any:
		return "START_OBJECT"
	case []any:
		return "START_ARRAY"
	}
	return "VALUE_NUMBER"
}

// stampLayout is how datetimes are written: with milliseconds, and an offset without a colon.
const stampLayout = "2006-01-02T15:04:05.000-0700"

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(stampLayout) }

// appendJSON writes a stored value as answers show it.
func appendJSON(b []byte, f *Field, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return append(append(append(b, '"'), stamp(v)...), '"')
	case json.RawMessage:
		return append(b, v...)
	case float64:
		start := len(b)
		b = strconv.AppendFloat(b, v, 'f', -1, 64)
		if f.Type != Integer && !slices.Contains(b[start:], '.') {
			b = append(b, ".0"...) // whole doubles are printed 23.0
		}
		return b
	}
	return appendString(b, v.(string))
}

func appendString(b []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string always marshals
	return append(b, quoted...)
}

// shown gives a stored value as the Go API returns it: datetimes as time.Time in UTC.
func shown(v any) any {
	if unix, ok := v.(int64); ok {
		return time.Unix(unix, 0).UTC()
	}
	return v
}
