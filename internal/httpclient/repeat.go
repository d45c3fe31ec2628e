package httpclient

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"

	"energyd/internal/fault"
)

// repeat sends r until it is good or hopeless: see Do.
func (c *Client) repeat(ctx context.Context, r Request, stream bool) (Response, io.ReadCloser, error) {
	for attempt := 1; ; attempt++ {
		if r.Before != nil {
			if err := r.Before(); err != nil {
				return Response{}, nil, err
			}
		}
		response, body, err := c.attempt(ctx, r, stream)
		if err == nil {
			return response, body, nil
		}
		if ctx.Err() != nil {
			return response, nil, stopped(ctx, r)
		}
		var f *fault.Error
		if !errors.As(err, &f) {
			return response, nil, err
		}
		placed := *f
		if placed.Op == "" {
			placed.Op = r.Op
		}
		placed.Msg = c.Redact(placed.Msg)
		wait, again := c.pause(&placed, response.Status, attempt)
		if !again {
			return response, nil, &placed
		}
		c.options.Log.Debug("The request is repeated after a pause.", "host", host(r.URL),
			"status", response.Status, "attempt", attempt, "pause", wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return response, nil, stopped(ctx, r)
		}
	}
}

func stopped(ctx context.Context, r Request) error {
	return fault.New(fault.Unavailable, r.Op, "stopped before the answer came", "", ctx.Err())
}

// pause tells whether attempt may be followed by another, and after which wait:
// what the server asks for, else half to all of a doubling pause. Asked to slow
// down, it begins sixty times longer: calls that block each other need half a minute.
func (c *Client) pause(f *fault.Error, status, attempt int) (wait time.Duration, again bool) {
	switch {
	case !fault.Retryable(f.Kind), attempt >= c.options.Attempts, f.RetryAfter > c.options.MaxPause:
		return 0, false
	case status == statusEnhanceYourCalm && attempt >= 2:
		return 0, false
	case f.RetryAfter > 0:
		return f.RetryAfter, true
	}
	wait = c.options.Pause
	if f.Kind == fault.RateLimited {
		wait *= 60
	}
	wait = min(wait<<(attempt-1), c.options.MaxPause)
	return wait/2 + rand.N(wait/2+1), true
}

// attempt sends r once. Its error is a fault without Op, or that of r.Content.
// A body is set for a good answer that is streamed.
func (c *Client) attempt(ctx context.Context, r Request, stream bool) (response Response, body io.ReadCloser, err error) {
	clock := newClock(ctx, c.options.Timeout)
	up := &upload{clock: clock, closed: make(chan struct{})}
	defer func() {
		if body == nil {
			clock.end()
			up.finish()
		}
	}()
	request := c.rest.R().SetContext(context.WithValue(clock.ctx, uploadKey{}, up)).
		SetHeaders(r.Header).SetDoNotParseResponse(stream)
	if r.Body != nil {
		request.SetBody(r.Body)
	}
	if r.Content != nil {
		if up.from, err = r.Content(); err != nil {
			return Response{}, nil, err
		}
	}
	answer, err := request.Execute(r.Method, r.URL)
	if answer != nil && answer.RawResponse != nil {
		response = Response{Status: answer.StatusCode(), Header: answer.Header(), Body: answer.Body()}
	}
	if err == nil && stream {
		clock.stop()
		down := &download{answer.RawBody(), c, r, ctx, clock}
		if response.Status < 300 {
			response.Streamed, body = true, down
		} else {
			response.Body, err = io.ReadAll(io.LimitReader(down, maxRefusal))
			_ = down.Close() // what matters of it is read
		}
	}
	switch failed := up.err.Load(); {
	case failed != nil:
		err = *failed
	case err != nil:
		err = c.trouble(r.URL, clock.cause(err))
	default:
		if response.Status >= 300 {
			// Some servers quote the request: nobody reads that unredacted.
			response.Body = []byte(c.Redact(string(response.Body)))
		}
		err = c.classify(response)
	}
	if err != nil && body != nil {
		_ = body.Close() // nobody wants it
		body = nil
	}
	return response, body, err
}

// maxRefusal bounds what is read of an answer that refuses a stream.
const maxRefusal = 1 << 20

// clock ends an attempt that takes too long.
type clock struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
}

func newClock(ctx context.Context, limit time.Duration) *clock {
	ctx, cancel := context.WithCancelCause(ctx)
	return &clock{ctx, cancel, time.AfterFunc(limit, func() { cancel(os.ErrDeadlineExceeded) }), limit}
}

// start gives the attempt its whole time again; stop lets it rest, while the caller works.
func (c *clock) start() { c.timer.Reset(c.limit) }
func (c *clock) stop()  { c.timer.Stop() }

func (c *clock) end() {
	c.timer.Stop()
	c.cancel(context.Canceled)
}

// cause puts the time-out in the place of the cancelling that it became.
func (c *clock) cause(err error) error {
	if errors.Is(context.Cause(c.ctx), os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// download is the body of a streamed answer.
type download struct {
	io.ReadCloser
	client  *Client
	request Request
	ctx     context.Context // the caller's
	clock   *clock
}

func (d *download) Read(p []byte) (int, error) {
	d.clock.start()
	n, err := d.ReadCloser.Read(p)
	d.clock.stop()
	if err == nil || err == io.EOF {
		return n, err
	}
	if d.ctx.Err() != nil {
		return n, stopped(d.ctx, d.request)
	}
	f := d.client.trouble(d.request.URL, d.clock.cause(err))
	f.Op = d.request.Op
	return n, f
}

func (d *download) Close() error {
	err := d.ReadCloser.Close()
	d.clock.end()
	return err
}

// upload is a Request's Content on its way out. net/http reads and closes it,
// also in the background, beside an answer that came early.
type upload struct {
	from   io.ReadCloser // nil: there is no content
	clock  *clock
	sent   bool                  // net/http has it
	err    atomic.Pointer[error] // of reading it
	once   sync.Once
	closed chan struct{}
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	if err != nil && err != io.EOF {
		u.err.Store(&err)
	}
	u.clock.start() // each byte that leaves is progress
	return n, err
}

func (u *upload) Close() (err error) {
	u.once.Do(func() {
		err = u.from.Close()
		close(u.closed)
	})
	return err
}

// finish returns when nobody reads the content any more. The attempt's clock has ended.
func (u *upload) finish() {
	switch {
	case u.from == nil:
	case u.sent:
		<-u.closed
	default:
		_ = u.Close() // it was only going to be read
	}
}

type uploadKey struct{}

// setContent puts the content into the request at the last moment: resty would read it whole before.
func setContent(_ *resty.Client, r *http.Request) error {
	if u, ok := r.Context().Value(uploadKey{}).(*upload); ok && u.from != nil {
		u.sent = true
		r.Body, r.ContentLength, r.GetBody = u, -1, nil
	}
	return nil
}
