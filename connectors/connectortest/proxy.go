package connectortest

import (
	"io"
	"net"
	"sync"
	"testing"
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
	conns map[net.Conn]bool
}

type mode int

const (
	healthy mode = iota
	cutting
	hanging
	refusing
)

// NewProxy starts a healthy proxy to target ("host:port"); it ends with the test.
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
func (p *Proxy) Heal() { p.set(healthy, 0) }

// CutAfter resets every connection once n bytes of the system's answers went through it.
func (p *Proxy) CutAfter(n int64) { p.set(cutting, n) }

// Hang takes connections and bytes and answers nothing.
func (p *Proxy) Hang() { p.set(hanging, 0) }

// Refuse resets every connection as soon as it stands.
func (p *Proxy) Refuse() { p.set(refusing, 0) }

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

func (p *Proxy) set(m mode, limit int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode, p.limit = m, limit
	for c := range p.conns {
		reset(c)
	}
}

func (p *Proxy) close() {
	p.listener.Close()
	p.set(refusing, 0)
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
	mode, limit := p.mode, p.limit
	p.conns[client] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.conns, client)
		p.mu.Unlock()
		if mode == healthy {
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
	case healthy, cutting:
	}
	server, err := net.Dial("tcp", p.target)
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
	_, _ = io.Copy(client, server)
}

// reset ends a connection without the courtesy of a FIN, as broken networks do.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}
