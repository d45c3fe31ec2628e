// Package secret holds values that must never be seen. A Secret prints as
// [redacted] wherever Go prints things; only Reveal gives the value, and only
// the code that signs on calls it.
package secret

import "log/slog"

// Secret is a password, key or token given by reference (${env:NAME} or
// ${file:path}) in the configuration. Its zero value is "not given".
type Secret struct{ reference, value string }

// New keeps value, known to people as reference.
func New(reference, value string) Secret { return Secret{reference, value} }

// Reveal gives the value itself. Never log, wrap or store what it returns.
func (s Secret) Reveal() string { return s.value }

// Reference tells where the value came from ("${env:CRM_SECRET}"), fit for messages.
func (s Secret) Reference() string { return s.reference }

// IsZero reports that no secret was given.
func (s Secret) IsZero() bool { return s == Secret{} }

const redacted = "[redacted]"

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
