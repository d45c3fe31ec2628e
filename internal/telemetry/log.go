// Package telemetry is how energyd is watched: log.go writes logs that name
// nobody, metrics.go counts for Prometheus, endpoint.go serves health and
// metrics by HTTP, trace.go makes traces and lineage.go events of runs for who
// asked for them, systemd.go tells the service manager how it stands.
package telemetry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
)

// Text and JSON are the forms of a log.
const (
	Text = "text"
	JSON = "json"
)

// NewLog logs in a form, at every level without anybody's address or name: what
// stands in a log is kept by systems that know nothing of erasures. An address
// is the same short hash wherever it stands.
func NewLog(w io.Writer, level slog.Level, form string) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level, ReplaceAttr: impersonal}
	if form == JSON {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

// named are attributes whose whole value may name somebody: a mailbox's user, a folder called after a customer.
var named = []string{"mailbox", "folder", "user", "owner"}

// addresses matches mail addresses, and message ids, which are built of them.
var addresses = regexp.MustCompile(`[^\s<>"'(),;:\[\]=]+@[^\s<>"'(),;:\[\]]+`)

func impersonal(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString, slog.KindAny:
		text := a.Value.String()
		if err, ok := a.Value.Any().(error); ok {
			text = err.Error()
		}
		if slices.Contains(named, a.Key) {
			return slog.String(a.Key, shortHash(text))
		}
		if hidden := Impersonal(text); hidden != text {
			return slog.String(a.Key, hidden)
		}
	}
	return a
}

// Impersonal gives a text with short hashes in place of mail addresses, for whatever leaves this machine.
func Impersonal(text string) string { return addresses.ReplaceAllStringFunc(text, shortHash) }

// shortHash stands for a name in logs; energyd check --json tells which mailbox is which.
func shortHash(name string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(name)))
	return fmt.Sprintf("#%s", hex.EncodeToString(sum[:4]))
}
