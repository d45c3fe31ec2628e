package survey

import "fmt"

// text says things in the tenant's language: "ja", else English.
type text string

func (t text) of(en, ja string) string {
	if t == "ja" {
		return ja
	}
	return en
}

// f is of with values put in.
func (t text) f(en, ja string, args ...any) string { return fmt.Sprintf(t.of(en, ja), args...) }
