package httpclient

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
)

// rows writes n rows of a bulk file.
func rows(w io.Writer, n int) {
	out := bufio.NewWriter(w)
	for i := range n {
		fmt.Fprintf(out, "0034C00000VaYfKQAV,%d\n", i)
	}
	_ = out.Flush()
}

func put(url string, content func() (io.ReadCloser, error)) Request {
	return Request{Op: "send rows", Method: http.MethodPut, URL: url, Content: content, Header: map[string]string{"Content-Type": "text/csv"}}
}

func TestStream_hands_out_what_does_not_fit_into_memory(t *testing.T) {
	url, _ := serve(t, status(503), func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("zipped answers are not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		rows(z, 100_000)
		_ = z.Close()
	})
	response, body, err := client(t, Options{MaxBody: 1000}).Stream(t.Context(), get(url))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var want bytes.Buffer
	rows(&want, 100_000)
	got, err := io.ReadAll(body)
	if err != nil || !bytes.Equal(got, want.Bytes()) || response.Status != 200 || !response.Streamed {
		t.Errorf("%d bytes of %d, %v, %+v", len(got), want.Len(), err, response)
	}
}

func TestStream_refused(t *testing.T) {
	url, calls := serve(t, status(403))
	response, body, err := client(t, Options{}).Stream(t.Context(), get(url))
	if fault.KindOf(err) != fault.Auth || body != nil || string(response.Body) != "status 403" || calls.Load() != 1 {
		t.Errorf("%v, %+v, %d calls", err, response, calls.Load())
	}
}

func TestStream_cut_in_the_middle(t *testing.T) {
	url, calls := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		rows(w, 1000)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, body, err := client(t, Options{}).Stream(t.Context(), get(url))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	_, err = io.ReadAll(body)
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Op != "read things" || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// The time-out is of silence: a download may take longer, however slow its reader is.
func TestStream_times_out_by_silence(t *testing.T) {
	const limit = 150 * time.Millisecond
	silent := make(chan struct{})
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 6 {
			rows(w, 1)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(limit / 3) // a slow server
		}
		<-silent
	})
	t.Cleanup(func() { close(silent) }) // before the server closes
	began := time.Now()
	_, body, err := client(t, Options{Timeout: limit}).Stream(t.Context(), get(url))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if !strings.Contains(fmt.Sprint(err), "did not answer within 150ms") || bytes.Count(got, []byte("\n")) != 6 || time.Since(began) < 2*limit {
		t.Errorf("%q, %v", got, err)
	}
}

func TestStream_ends_with_its_context(t *testing.T) {
	silent := make(chan struct{})
	url, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		rows(w, 1)
		_ = http.NewResponseController(w).Flush()
		<-silent
	})
	t.Cleanup(func() { close(silent) })
	ctx, cancel := context.WithCancel(t.Context())
	_, body, err := client(t, Options{}).Stream(ctx, get(url))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	cancel()
	if _, err := io.ReadAll(body); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestContent_is_sent_as_it_is_read_and_again(t *testing.T) {
	const n = 250_000 // 6 MB: more than any buffer on the way
	var sent []int
	take := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, len(body))
			if r.Header.Get("Content-Type") != "text/csv" || r.ContentLength != -1 {
				t.Errorf("headers %v, length %d", r.Header, r.ContentLength)
			}
			w.WriteHeader(code)
		}
	}
	url, _ := serve(t, take(503), take(201))
	opened, open := 0, 0
	response, err := client(t, Options{}).Do(t.Context(), put(url, func() (io.ReadCloser, error) {
		opened++
		open++
		from, to := io.Pipe()
		go func() { rows(to, n); _ = to.Close() }()
		return closing{from, func() { open-- }}, nil
	}))
	if err != nil || response.Status != 201 || opened != 2 || open != 0 || len(sent) != 2 || sent[0] != sent[1] || sent[0] < 5<<20 {
		t.Errorf("%v, %+v; opened %d times, still open %d, sent %v", err, response, opened, open, sent)
	}
}

type closing struct {
	io.ReadCloser
	then func()
}

func (c closing) Close() error { c.then(); return c.ReadCloser.Close() }

func TestContent_errors_come_back_as_they_are(t *testing.T) {
	broken := errors.New("the store has gone")
	url, calls := serve(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for name, content := range map[string]func() (io.ReadCloser, error){
		"while it is read":  func() (io.ReadCloser, error) { return io.NopCloser(&breaks{after: 100, err: broken}), nil },
		"when it is opened": func() (io.ReadCloser, error) { return nil, broken },
		"at its first byte": func() (io.ReadCloser, error) { return io.NopCloser(&breaks{err: broken}), nil },
	} {
		if _, err := client(t, Options{}).Do(t.Context(), put(url, content)); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if calls.Load() > 3 {
		t.Errorf("%d calls: it was repeated", calls.Load())
	}
	closed := false
	_, err := client(t, Options{}).Do(t.Context(), put("no address", func() (io.ReadCloser, error) {
		return closing{io.NopCloser(strings.NewReader("")), func() { closed = true }}, nil
	}))
	if err == nil || !closed {
		t.Errorf("%v; content closed: %v", err, closed)
	}
}

// breaks gives some rows and then an error.
type breaks struct {
	after int
	err   error
}

func (b *breaks) Read(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, b.err
	}
	return copy(p, "0034C00000VaYfKQAV,1\n"), nil
}

// An org that finds the session dead answers before it has read a byte.
func TestContent_refused_before_it_is_read(t *testing.T) {
	url, _ := serve(t, status(401))
	_, err := client(t, Options{}).Do(t.Context(), put(url, func() (io.ReadCloser, error) {
		return io.NopCloser(&breaks{after: 1_000_000}), nil
	}))
	if kind := fault.KindOf(err); kind != fault.Auth && kind != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestBefore_ends_the_request_unsent(t *testing.T) {
	url, calls := serve(t, status(503))
	left := 2
	_, err := client(t, Options{}).Do(t.Context(), Request{Method: http.MethodGet, URL: url, Before: func() error {
		if left--; left < 0 {
			return fault.New(fault.Quota, "", "the budget is spent", "", nil)
		}
		return nil
	}})
	if fault.KindOf(err) != fault.Quota || calls.Load() != 2 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}
