// Package file reads daily reports out of files: CSV, TSV, Excel (.xlsx) and
// JSON Lines in a folder, as people export and send them. It only reads.
//
// A stream is a pattern of files. They are read the last changed last; one that
// was changed since is read again whole, and replaces what it said before
// (decision 0060). What a file that is suspiciously small would withdraw, stands.
//
//	config.go     what the admin writes
//	folder.go     which files there are
//	cursor.go     what was read of them
//	source.go     the walk through the files
//	statement.go  what a file replaces, and when it is not believed
//	table.go      header, totals, columns: rows → items
//	lines.go, csv.go, text.go, jsonl.go     text files
//	xlsx.go, sheet.go, xml.go, serial.go    workbooks
//	month.go      years and months in names and dates
package file

import (
	"context"
	_ "embed" // for the sample
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

//go:embed sample.yaml
var sample []byte

// Connector is the registry's entry.
var Connector = connectors.Connector{
	Name:   "file",
	Title:  "Files (CSV, TSV, Excel, JSON Lines)",
	Sample: sample,
	NewConfig: func() connectors.Config {
		return &Config{Settle: connectors.Duration(10 * time.Second)}
	},
	NewStream: func() connectors.Config {
		return &Stream{
			Format: "auto", Encoding: "utf-8", Quote: "double", Header: Header{Row: 1, Rows: 1}, FillMerged: true,
			Totals:   []string{"合計", "小計", "総計", "総合計", "累計", "計", "Total", "Subtotal", "Grand Total"},
			Replaces: replacesFile, Removed: "keep",
		}
	},
	Open:  openFolder,
	Reads: true,
}

// conn is one folder.
type conn struct {
	cfg *Config
	env connectors.Env
	dir string
	now func() time.Time

	mu      sync.Mutex
	guesses map[string]*guess // of a survey, by the item's name
}

func openFolder(_ context.Context, c connectors.Config, env connectors.Env) (connectors.Conn, error) {
	cfg, ok := c.(*Config)
	if !ok {
		return nil, fault.New(fault.Internal, env.Name, fmt.Sprintf("configuration of type %T", c), "", nil)
	}
	dir := cfg.Dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(env.Dir, dir)
	}
	return &conn{cfg: cfg, env: env, dir: dir, now: time.Now}, nil
}

// Check looks into the folder.
func (c *conn) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Unavailable, c.env.Name, "gave up looking into the folder "+c.cfg.Dir, "", err)
	}
	root, err := c.root()
	if err != nil {
		return err
	}
	defer root.Close()
	l := lister{ctx: ctx, root: root}
	if _, err := l.entries("."); err != nil {
		return c.fault(err)
	}
	return nil
}

// Close has nothing to close: each reading opens the folder anew, since a share may have been mounted again.
func (c *conn) Close() error { return nil }

func (c *conn) root() (*os.Root, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, c.fault(err)
	}
	return root, nil
}

// fault turns an error of the file system into one for people.
func (c *conn) fault(err error) error {
	if f := new(fault.Error); errors.As(err, &f) {
		return err
	}
	op, where := c.env.Name, "the folder "+c.cfg.Dir
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, op, "gave up reading "+where, "", err)
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Config, op, where+" is not there", "check dir; when it is on another machine, check that the share is mounted", err)
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Auth, op, where+" may not be read", "let the user that energyd runs under read the folder and its files", err)
	}
	return fault.New(fault.Unavailable, op, "cannot read "+where, "when it is on another machine, check that the share is mounted and the machine is up", err)
}

// Source opens a stream.
func (c *conn) Source(_ context.Context, cfg connectors.Config) (connectors.Source, error) {
	stream, ok := cfg.(*Stream)
	if !ok {
		return nil, fault.New(fault.Internal, c.env.Name, fmt.Sprintf("configuration of type %T", cfg), "", nil)
	}
	return newSource(c, stream), nil
}
