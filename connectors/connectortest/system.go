package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"energyd/connectors"
	"energyd/internal/fault"
)

// System is a running system without any rows, as one subtest wants it.
type System struct {
	Addr string // "host:port" where it listens; "" when it is not on a network (no network faults then)
	// Conn gives a valid configuration that reaches the system at addr: Addr itself or a Proxy.
	Conn func(addr string) connectors.Config
	// WrongLogin spoils the sign-on of a configuration of Conn; nil when the system has no sign-on.
	WrongLogin func(connectors.Config)
	Secret     string // planted in Conn's configuration: it must never be seen
}

// patience bounds a whole subtest, so that a connector that hangs fails.
const patience = 60 * time.Second

// bench opens connections for one subtest and watches what they say.
type bench struct {
	*testing.T
	ctx    context.Context
	system System
	open   func(ctx context.Context, cfg connectors.Config, env connectors.Env) (connectors.Conn, error)
	log    lockedBuffer
}

func newBench(t *testing.T, c connectors.Connector, system System) *bench {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	b := &bench{T: t, ctx: ctx, system: system, open: c.Open}
	// Registered before any connection, so that it looks after they are closed.
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		cancel()
		if err := goleak.Find(before); err != nil {
			t.Errorf("goroutines are left behind: %v", err)
		}
		b.hides(b.log.String())
	})
	return b
}

// conn opens a connection to the system at addr, closed at the end of the subtest.
func (b *bench) conn(addr string) connectors.Conn {
	b.Helper()
	conn, err := b.tryOpen(b.ctx, b.system.Conn(addr))
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	return conn
}

func (b *bench) tryOpen(ctx context.Context, cfg connectors.Config) (connectors.Conn, error) {
	env := connectors.Env{
		Log:  slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Name: "acceptance", Dir: b.TempDir(),
	}
	conn, err := b.open(ctx, cfg, env)
	if err != nil {
		return nil, err
	}
	b.Cleanup(func() {
		if err := conn.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	})
	return conn, nil
}

// check opens and checks; connectors may find a fault in either step.
func (b *bench) check(ctx context.Context, cfg connectors.Config) error {
	conn, err := b.tryOpen(ctx, cfg)
	if err != nil {
		return err
	}
	return conn.Check(ctx)
}

// wantKind fails unless err is a fault of that kind with a message for people and without the secret.
func (b *bench) wantKind(err error, want fault.Kind) {
	b.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || fault.KindOf(err) != want {
		b.Errorf("got error %v of kind %q; want a fault of kind %q", err, fault.KindOf(err), want)
		return
	}
	if f.Msg == "" {
		b.Errorf("the fault %#v says nothing to a person", f)
	}
	b.hides(err.Error() + fault.HintOf(err) + fmt.Sprintf("%+v", err))
}

func (b *bench) hides(text string) {
	b.Helper()
	if b.system.Secret != "" && strings.Contains(text, b.system.Secret) {
		b.Errorf("the secret shows in: %s", text)
	}
}

// signOn are the checks of Conn.Check that sources and targets share.
func signOn(t *testing.T, c connectors.Connector, start func(*testing.T) System) {
	t.Run("check", func(t *testing.T) {
		b := newBench(t, c, start(t))
		cfg := b.system.Conn(b.system.Addr)
		configHides(t, b.system.Secret, cfg)
		if err := b.check(b.ctx, cfg); err != nil {
			t.Errorf("check: %v", err)
		}
	})
	t.Run("wrong_login", func(t *testing.T) {
		b := newBench(t, c, start(t))
		if b.system.WrongLogin == nil {
			return // a file has no sign-on
		}
		cfg := b.system.Conn(b.system.Addr)
		b.system.WrongLogin(cfg)
		b.wantKind(b.check(b.ctx, cfg), fault.Auth)
	})
	t.Run("dead_host", func(t *testing.T) {
		b := newBench(t, c, start(t))
		if b.system.Addr == "" {
			return
		}
		b.wantKind(b.check(b.ctx, b.system.Conn(DeadAddr(t))), fault.Unavailable)
	})
	t.Run("hanging_host", func(t *testing.T) {
		b := newBench(t, c, start(t))
		if b.system.Addr == "" {
			return
		}
		proxy := NewProxy(t, b.system.Addr)
		proxy.Hang()
		cfg := b.system.Conn(proxy.Addr())
		ctx, cancel := context.WithTimeout(b.ctx, 200*time.Millisecond)
		defer cancel()
		conn, err := b.tryOpen(ctx, cfg)
		if err == nil {
			err = conn.Check(ctx)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v; want the context's own error in the chain", err)
		}
		if b.ctx.Err() != nil {
			t.Error("Check outlived its context")
		}
	})
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
