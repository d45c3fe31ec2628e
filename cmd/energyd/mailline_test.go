package main

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// line passes connections to a mail server on, and lets a test do something
// when the server has said so many bytes.
type line struct {
	addr string
	mu   sync.Mutex
	sent int // by the server, since the last at
	at   int
	do   func()
	said bytes.Buffer // by the client
	held chan struct{}
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &line{addr: l.Addr().String(), held: make(chan struct{})}
	close(w.held)
	var wait sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wait.Wait()
	})
	wait.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			wait.Go(func() {
				defer client.Close()
				w.answers(client, s)
			})
			wait.Go(func() {
				defer s.Close()
				_, _ = io.Copy(s, io.TeeReader(client, listener{w}))
			})
		}
	})
	return w
}

// listener keeps what the client says.
type listener struct{ *line }

func (l listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(p)
}

func (w *line) answers(client io.Writer, server io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := server.Read(buf)
		w.mu.Lock()
		w.sent += n
		do, held := w.do, w.held
		if do != nil && w.sent >= w.at {
			w.do = nil
			w.mu.Unlock()
			do()
			w.mu.Lock()
			held = w.held
		}
		w.mu.Unlock()
		<-held
		if n > 0 {
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// when does something once, when the server has said so many bytes from now on; nil does nothing.
func (w *line) when(bytes int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.at, w.do = 0, bytes, do
	w.said.Reset()
}

// hold keeps all answers back until release.
func (w *line) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = make(chan struct{})
}

func (w *line) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.held)
}

func (w *line) talk() (said string, sent int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.String(), w.sent
}
