package winservice

import (
	"encoding/json"
	"log/slog"
	"strings"

	"energyd/internal/telemetry"
)

// The event ids, by level: EventCreate.exe, which shows our events, knows 1 to 1000.
const (
	infoEvent    = 1
	warningEvent = 2
	errorEvent   = 3
)

// longestEvent is what an event holds with some room: Windows refuses more than 31,839 characters.
const longestEvent = 31_000

// eventLog is what Windows' event log takes.
type eventLog interface {
	Info(id uint32, msg string) error
	Warning(id uint32, msg string) error
	Error(id uint32, msg string) error
}

// events is the standard error of the service: each record of the JSON log is an
// event of its level. What else is printed is why energyd ended, and becomes one
// error event on Close. One goroutine prints after the log is at rest; slog
// writes a record at a time.
type events struct {
	to   eventLog
	rest strings.Builder
}

func (e *events) Write(p []byte) (int, error) {
	var record struct {
		Level slog.Level `json:"level"`
		Msg   *string    `json:"msg"`
	}
	if json.Unmarshal(p, &record) != nil || record.Msg == nil {
		return e.rest.Write(p)
	}
	return len(p), e.report(record.Level, string(p))
}

// Close reports what was printed beside the log.
func (e *events) Close() error {
	if e.rest.Len() == 0 {
		return nil
	}
	return e.report(slog.LevelError, telemetry.Impersonal(e.rest.String()))
}

func (e *events) report(level slog.Level, text string) error {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\x00", " ")) // a NUL would end the event
	if len(text) > longestEvent {
		text = strings.ToValidUTF8(text[:longestEvent], "") + " …"
	}
	switch {
	case level >= slog.LevelError:
		return e.to.Error(errorEvent, text)
	case level >= slog.LevelWarn:
		return e.to.Warning(warningEvent, text)
	}
	return e.to.Info(infoEvent, text)
}
