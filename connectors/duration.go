package connectors

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that people write as "5m" or "1h30m". It is never negative.
type Duration time.Duration

// UnmarshalText reads "5m", "90s", "1h30m".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration as 90s, 5m or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText gives the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String gives "5m", without the zero seconds of time.Duration.
func (d Duration) String() string {
	v := time.Duration(d)
	switch {
	case v >= time.Hour && v%time.Hour == 0:
		return fmt.Sprintf("%dh", v/time.Hour)
	case v >= time.Minute && v%time.Minute == 0:
		return fmt.Sprintf("%dm", v/time.Minute)
	}
	return v.String()
}
