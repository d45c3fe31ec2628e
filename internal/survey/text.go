package survey

import (
	"fmt"

	"energyd/engine"
)

// text says things in the tenant's language: "ja", else English.
type text string

func (t text) of(en, ja string) string {
	if t == "ja" {
		return ja
	}
	return en
}

// entity is an entity of the CRM, as people call it.
func (t text) entity(kind engine.EntityKind) string {
	if t != "ja" {
		return kind.String()
	}
	return map[engine.EntityKind]string{engine.Account: "取引先", engine.Contact: "取引先責任者", engine.Deal: "商談", engine.Rep: "社員"}[kind]
}

// f is of with values put in.
func (t text) f(en, ja string, args ...any) string { return fmt.Sprintf(t.of(en, ja), args...) }
