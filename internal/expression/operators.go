package expression

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// truth evaluates a condition; null is false, and numbers are true unless 0.
func truth(f eval, r *Run) (bool, error) {
	v, err := f(r)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case float64:
		return v != 0, nil
	}
	return false, fmt.Errorf("needs true or false, and the value is %s", describe(v))
}

func asNumber(v any) (x float64, null bool, err error) {
	switch v := v.(type) {
	case nil:
		return 0, true, nil
	case int64:
		return float64(v), false, nil
	case float64:
		return v, false, nil
	}
	return 0, false, fmt.Errorf("needs a number, and the value is %s", describe(v))
}

func text(f eval, r *Run) (s string, null bool, err error) {
	v, err := f(r)
	switch v := v.(type) {
	case nil:
		return "", true, err
	case string:
		return v, false, nil
	}
	return "", false, fmt.Errorf("needs a text, and the value is %s", describe(v))
}

func logic(left, right eval, or bool) eval {
	return func(r *Run) (any, error) {
		b, err := truth(left, r)
		if err != nil || b == or {
			return b, err
		}
		b, err = truth(right, r)
		return b, err
	}
}

func equality(left, right eval, want bool) eval {
	return func(r *Run) (any, error) {
		a, err := left(r)
		if err != nil {
			return nil, err
		}
		b, err := right(r)
		if err != nil {
			return nil, err
		}
		same, err := equal(a, b)
		return same == want, err
	}
}

// equal compares values; null and the empty text are equal.
func equal(a, b any) (bool, error) {
	if a == nil {
		a, b = b, a
	}
	if b == nil {
		return a == nil || a == "", nil
	}
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return s == t, nil
		}
	}
	if _, ok := b.(bool); ok {
		a, b = b, a
	}
	if p, ok := a.(bool); ok {
		switch q := b.(type) {
		case bool:
			return p == q, nil
		case int64:
			return p == (q != 0), nil
		case float64:
			return p == (q != 0), nil
		}
		return false, mixed(a, b)
	}
	c, err := compare(a, b)
	return c == 0, err
}

func mixed(a, b any) error { return fmt.Errorf("cannot compare %s with %s", describe(a), describe(b)) }

// compare orders two values of one type.
func compare(a, b any) (int, error) {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), nil
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b), nil
		}
	case Day:
		if b, ok := b.(Day); ok {
			return cmp.Compare(a, b), nil
		}
	case int64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, b), nil
		case float64:
			return cmp.Compare(float64(a), b), nil
		}
	case float64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, float64(b)), nil
		case float64:
			return cmp.Compare(a, b), nil
		}
	}
	return 0, mixed(a, b)
}

func order(left, right eval, operator string) eval {
	holds := map[string]func(c int) bool{
		"<":  func(c int) bool { return c < 0 },
		"<=": func(c int) bool { return c <= 0 },
		">":  func(c int) bool { return c > 0 },
		">=": func(c int) bool { return c >= 0 },
	}[operator]
	return func(r *Run) (any, error) {
		a, err := left(r)
		if err != nil {
			return nil, err
		}
		b, err := right(r)
		if err != nil {
			return nil, err
		}
		if a == nil || b == nil {
			return false, nil
		}
		c, err := compare(a, b)
		return err == nil && holds(c), err
	}
}

func textTest(left, right eval, test func(s, part string) bool) eval {
	return func(r *Run) (any, error) {
		s, null, err := text(left, r)
		if err != nil || null {
			return false, err
		}
		part, null, err := text(right, r)
		return err == nil && !null && test(s, part), err
	}
}

func orElse(left, right eval) eval {
	return func(r *Run) (any, error) {
		v, err := left(r)
		if err != nil || v != nil && v != "" {
			return v, err
		}
		return right(r)
	}
}

// arithmetic computes with numbers; with null the result is null.
func arithmetic(left, right eval, operator string) eval {
	return func(r *Run) (any, error) {
		a, err := left(r)
		if err != nil {
			return nil, err
		}
		b, err := right(r)
		if err != nil || a == nil || b == nil {
			return nil, err
		}
		return compute(a, b, operator)
	}
}

// sum adds numbers, or joins texts, all at once: keys are often joined of several, for every record.
func sum(parts []eval) eval {
	return func(r *Run) (any, error) {
		var room [4]any
		values, texts, size := room[:0], 0, 0
		for _, part := range parts {
			v, err := part(r)
			if err != nil {
				return nil, err
			}
			if s, ok := v.(string); ok {
				texts++
				size += len(s)
			}
			values = append(values, v)
		}
		if slices.Contains(values, nil) {
			return nil, nil
		}
		if texts == len(parts) {
			var joined strings.Builder
			joined.Grow(size)
			for _, v := range values {
				joined.WriteString(v.(string))
			}
			return joined.String(), nil
		}
		total, err := values[0], error(nil)
		for _, v := range values[1:] {
			if total, err = compute(total, v, "+"); err != nil {
				return nil, err
			}
		}
		return total, nil
	}
}

// compute is one step of arithmetic; "+" joins texts too.
func compute(a, b any, operator string) (any, error) {
	s, aText := a.(string)
	t, bText := b.(string)
	switch {
	case operator == "+" && aText && bText:
		return s + t, nil
	case operator == "+" && aText != bText:
		return nil, fmt.Errorf("cannot add %s and %s; text(…) makes a text of a number", describe(a), describe(b))
	}
	x, _, err := asNumber(a)
	if err != nil {
		return nil, err
	}
	y, _, err := asNumber(b)
	if err != nil {
		return nil, err
	}
	var z float64
	switch operator {
	case "+":
		z = x + y
	case "-":
		z = x - y
	case "*":
		z = x * y
	case "/":
		z = x / y
	case "%":
		z = math.Mod(x, y)
	}
	if math.IsInf(z, 0) || math.IsNaN(z) {
		return nil, fmt.Errorf("%v %s %v is not a finite number", x, operator, y)
	}
	return z, nil
}
