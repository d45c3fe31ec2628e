package connectortest

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy is a TCP proxy in front of a system that injects faults. Changing its
// mode resets the connections that stand, so that pooled ones notice too.
type Proxy struct {
	target   string
	listener net.Listener
	wait     sync.WaitGroup

	mu    sync.Mutex
	mode  mode
	limit int64
	delay time.Duration
	conns map[net.Conn]bool
}

type mode int

const (
	healthy mode = iota
	cutting
	hanging
	refusing
	delaying
)

// NewProxy starts a healthy proxy to target, "host:port" or the path of a Unix socket; it ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("connectortest: proxy: %v", err)
	}
	p := &Proxy{target: target, listener: l, conns: map[net.Conn]bool{}}
	p.wait.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr gives the "host:port" at which the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Heal lets everything through again.
func (p *Proxy) Heal() { p.set(healthy, 0, 0) }

// CutAfter resets every connection once n bytes of the system's answers went through it.
func (p *Proxy) CutAfter(n int64) { p.set(cutting, n, 0) }

// Hang takes connections and bytes and answers nothing.
func (p *Proxy) Hang() { p.set(hanging, 0, 0) }

// Refuse resets every connection as soon as it stands.
func (p *Proxy) Refuse() { p.set(refusing, 0, 0) }

// Delay lets everything through, each piece of an answer that much later.
func (p *Proxy) Delay(d time.Duration) { p.set(delaying, 0, d) }

// DeadAddr gives a "host:port" at which nobody listens.
func DeadAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("connectortest: dead address: %v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *Proxy) set(m mode, limit int64, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode, p.limit, p.delay = m, limit, delay
	for c := range p.conns {
		reset(c)
	}
}

func (p *Proxy) close() {
	p.listener.Close()
	p.set(refusing, 0, 0)
	p.wait.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	mode, limit, delay := p.mode, p.limit, p.delay
	p.conns[client] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.conns, client)
		p.mu.Unlock()
		if mode == healthy || mode == delaying {
			client.Close()
		} else {
			reset(client)
		}
	}()
	switch mode {
	case refusing:
		return
	case hanging:
		_, _ = io.Copy(io.Discard, client)
		return
	case healthy, cutting, delaying:
	}
	network := "tcp"
	if strings.HasPrefix(p.target, "/") {
		network = "unix"
	}
	server, err := net.Dial(network, p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.wait.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close() // ends the copy below when the client goes first
	})
	if mode == cutting {
		_, _ = io.CopyN(client, server, limit)
		return
	}
	_, _ = io.Copy(late{client, delay}, server)
}

// late writes after a while.
type late struct {
	io.Writer
	delay time.Duration
}

func (l late) Write(b []byte) (int, error) {
	time.Sleep(l.delay)
	return l.Writer.Write(b)
}

// reset ends a connection without the courtesy of a FIN, as broken networks do.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}
