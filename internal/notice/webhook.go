package notice

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"energyd/internal/fault"
	"energyd/internal/httpclient"
)

// hook posts to a web hook.
type hook struct {
	Webhook
	log *slog.Logger
}

func (h hook) send(ctx context.Context, _ string, m message) error {
	body, err := h.Shape.body(m)
	if err != nil {
		return err
	}
	// One attempt: what became of it is kept, and the next one is after a pause that outlives us.
	client := httpclient.New(httpclient.Options{Log: h.log, Attempts: 1, Timeout: 20 * time.Second})
	defer client.Close()
	client.Hide(h.URL.Reveal())
	answer, err := client.Do(ctx, httpclient.Request{Op: "web hook " + h.Name, Method: http.MethodPost, URL: h.URL.Reveal(),
		Header: map[string]string{"Content-Type": "application/json"}, Body: body})
	if err == nil {
		return nil
	}
	var dial *net.OpError
	refused := answer.Status >= 400 && answer.Status < 500 || answer.Status == http.StatusServiceUnavailable
	if !refused && !(errors.As(err, &dial) && dial.Op == "dial") {
		return &doubtError{err}
	}
	if kind := fault.KindOf(err); kind == fault.Config || kind == fault.Auth {
		return fault.New(kind, "", "it takes no messages", "make the web hook anew in the chat service, and put its address into the file that notices.webhooks names", err)
	}
	return err
}

// doubtError is of a message that may have arrived all the same.
type doubtError struct{ error }

func (e *doubtError) Unwrap() error { return e.error }

// body is a message as the service takes it.
func (s Shape) body(m message) ([]byte, error) {
	switch s {
	case Slack: // "Formatting text for app surfaces": these three are escaped, and *…* is bold
		text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace("*" + m.title + "*\n• " + strings.Join(m.lines, "\n• "))
		return json.Marshal(map[string]any{"text": text})
	case Teams: // a message with an Adaptive Card, as the workflow "post to a channel when a webhook request is received" takes it
		block := func(text string, more map[string]any) map[string]any {
			b := map[string]any{"type": "TextBlock", "text": plainCard.Replace(text), "wrap": true}
			for k, v := range more {
				b[k] = v
			}
			return b
		}
		blocks := []map[string]any{block(m.title, map[string]any{"weight": "Bolder"})}
		for _, line := range m.lines {
			blocks = append(blocks, block(line, nil))
		}
		return json.Marshal(map[string]any{"type": "message", "attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content":     map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks},
		}}})
	}
	return json.Marshal(m.data)
}

// plainCard takes from a text what cards read as Markdown: links, lists and emphasis of names that people typed.
var plainCard = strings.NewReplacer("[", "\\[", "]", "\\]", "*", "\\*", "_", "\\_")
