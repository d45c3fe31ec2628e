package sqltable

import (
	"context"
	"database/sql/driver"
	"net"
	"time"
)

const connectTimeout = 15 * time.Second

// signingOn ends a sign-on that hangs when its context ends: lib/pq, go-mssqldb
// and go-ora heed the context only while they dial.
type signingOn struct {
	driver  driver.Driver
	connect func(ctx context.Context, d *signOn) (driver.Conn, error)
}

func (c signingOn) Driver() driver.Driver { return c.driver }

func (c signingOn) Connect(ctx context.Context) (driver.Conn, error) {
	d := &signOn{ctx: ctx}
	conn, err := c.connect(ctx, d)
	if d.stop != nil && !d.stop() && err == nil {
		conn.Close()
		return nil, ctx.Err()
	}
	return conn, err
}

// signOn is a dialer whose connection is closed when ctx ends, until stop is called.
type signOn struct {
	ctx  context.Context
	stop func() bool
}

func (d *signOn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: connectTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.stop = context.AfterFunc(d.ctx, func() { c.Close() })
	return c, nil
}

func (d *signOn) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(d.ctx, network, address)
}

func (d *signOn) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}
