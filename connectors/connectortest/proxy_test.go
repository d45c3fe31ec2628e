package connectortest

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// greeter sends a greeting of 100 bytes to everybody.
func greeter(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write(make([]byte, 100))
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestProxy(t *testing.T) {
	p := NewProxy(t, greeter(t))
	for _, tt := range []struct {
		name   string
		set    func()
		want   int
		within time.Duration
		ends   error // what the reader sees at the end
	}{
		{"healthy", p.Heal, 100, time.Minute, nil},
		{"cut after 30", func() { p.CutAfter(30) }, 30, time.Minute, errReset},
		{"cut at once", func() { p.CutAfter(0) }, 0, time.Minute, errReset},
		{"refused", p.Refuse, 0, time.Minute, errReset},
		{"hanging", p.Hang, 0, 50 * time.Millisecond, os.ErrDeadlineExceeded},
		{"late", func() { p.Delay(time.Millisecond) }, 100, time.Minute, nil},
		{"healed", p.Heal, 100, time.Minute, nil},
	} {
		tt.set()
		got, err := receive(p.Addr(), tt.within)
		// A reset may overtake bytes on their way, so fewer may arrive, never more.
		if len(got) > tt.want || tt.ends == nil && len(got) < tt.want {
			t.Errorf("%s: %d bytes; want %d", tt.name, len(got), tt.want)
		}
		ends := err
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			ends = errReset
		}
		if !errors.Is(ends, tt.ends) {
			t.Errorf("%s: the reader sees %v; want %v", tt.name, err, tt.ends)
		}
	}
	if _, err := net.Dial("tcp", DeadAddr(t)); err == nil {
		t.Error("somebody listens at a dead address")
	}
}

// receive reads all that addr sends.
func receive(addr string, within time.Duration) ([]byte, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	return io.ReadAll(c)
}

var errReset = errors.New("a reset connection")
