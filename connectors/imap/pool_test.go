package imap

import (
	"context"
	"testing"
)

// [7] A mailbox takes no more connections than it may, and all of them no more than all may.
func Test07_PlacesOfOneMailboxAndOfAll(t *testing.T) {
	one, other, third := &box{}, &box{}, &box{}
	p := newPool(2, 1, func(_ context.Context, b *box) (*session, error) { return &session{box: b}, nil })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.take(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.take(over, one); err == nil {
		t.Error("a mailbox with one connection takes a second")
	}
	if _, _, err := p.take(t.Context(), other); err != nil {
		t.Error(err)
	}
	if _, _, err := p.take(over, third); err == nil {
		t.Error("there is a third connection of two")
	}
}
