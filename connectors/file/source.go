package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"energyd/connectors"
	"energyd/internal/fault"
)

// source reads one stream.
type source struct {
	*conn
	cfg         *Stream
	log         *slog.Logger
	fingerprint string
	part        *regexp.Regexp
	need        []string // columns of the records; nil = those of each file

	// Of the walk at hand, so that a batch goes on where the one before ended.
	root   *os.Root
	list   *lister
	reader reader
	path   string // that reader reads
	key    []byte
}

func newSource(c *conn, cfg *Stream) *source {
	s := &source{conn: c, cfg: cfg, log: c.env.Log, fingerprint: cfg.fingerprint()}
	if cfg.Part != "" {
		s.part = regexp.MustCompile(cfg.Part) // Validate has compiled it
	}
	if len(cfg.selected) > 0 {
		s.need = slices.Clone(cfg.selected)
		for _, name := range append(slices.Clone(cfg.Key), cfg.Month) {
			if name != "" && !slices.Contains(s.need, name) {
				s.need = append(s.need, name)
			}
		}
	}
	return s
}

// Close ends the walk.
func (s *source) Close() error {
	s.stop()
	if s.root != nil {
		_ = s.root.Close() // a folder that was only read
		s.root = nil
	}
	s.list = nil
	return nil
}

// stop closes the file that is being read.
func (s *source) stop() {
	if s.reader != nil {
		_ = s.reader.Close() // a file that was only read
		s.reader, s.path = nil, ""
	}
}

// batchSize is the bytes of text after which a batch ends: the caller holds several.
const batchSize = 16 << 20

// Read goes on with the file that the cursor is in, or with the next one that was changed.
func (s *source) Read(ctx context.Context, after connectors.Cursor, limit int) (connectors.Batch, error) {
	c := s.parse(after)
	b := connectors.Batch{More: true}
	if err := s.walk(ctx, &c, &b, max(limit, 1)); err != nil {
		s.Close()
		return connectors.Batch{}, s.conn.fault(err)
	}
	b.Next = c.text()
	return b, nil
}

func (s *source) walk(ctx context.Context, c *cursor, b *connectors.Batch, limit int) error {
	if err := s.look(ctx, c); err != nil {
		return err
	}
	w := walk{source: s, cursor: c, batch: b, limit: limit, room: batchSize}
	for w.left() > 0 && w.room > 0 && b.More {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if c.Open == nil {
			err = w.choose(ctx)
		} else {
			err = w.goOn(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// look lists the folder, anew at the beginning of each walk.
func (s *source) look(ctx context.Context, c *cursor) error {
	if c.Pass && s.list != nil {
		return nil
	}
	s.Close()
	root, err := s.conn.root()
	if err != nil {
		return err
	}
	s.root = root
	if s.list, err = list(ctx, root, s.cfg.Files); err != nil {
		return err
	}
	if !s.list.exists {
		return fault.New(fault.Config, s.env.Name, fmt.Sprintf("the folder of %q is not there", path.Dir(s.cfg.Files)), "check files; it is relative to dir, "+s.conn.cfg.Dir, nil)
	}
	if len(s.list.files) == 0 && !c.Pass {
		s.log.Warn("No file fits the pattern. What was read before stands.", "files", s.cfg.Files, "dir", s.conn.cfg.Dir)
	}
	c.Pass = true
	return nil
}

// walk is the work of one Read.
type walk struct {
	*source
	cursor *cursor
	batch  *connectors.Batch
	limit  int
	room   int // bytes of text that the batch may still hold
}

func (w *walk) left() int { return w.limit - len(w.batch.Records) - len(w.batch.Rejects) }

// pass leaves a file out of this walk; the next one looks at it again.
func (w *walk) pass(name string) { w.cursor.Told = append(w.cursor.Told, name) }

// reject tells of a file that cannot be used. What was read of it before stands.
func (w *walk) reject(name, code, reason string) {
	w.pass(name)
	w.batch.Rejects = append(w.batch.Rejects, connectors.Reject{Key: name, Origin: name, Code: code, Reason: reason})
}

// choose begins the next file that was changed since it was read, or ends the walk.
func (w *walk) choose(ctx context.Context) error {
	c := w.cursor
	told := map[string]bool{}
	for _, name := range c.Told {
		told[name] = true
	}
	for _, r := range w.list.odd {
		if !told[r.Key] {
			w.reject(r.Key, r.Code, r.Reason)
			return nil
		}
	}
	for i := range w.list.files {
		f := &w.list.files[i]
		if known, ok := c.Files[f.path]; told[f.path] || ok && known.Hash != "" && f.same(found{size: known.Size, mtime: known.MTime}) {
			continue
		}
		return w.begin(ctx, f)
	}
	if w.removed(told) {
		return nil
	}
	c.Pass, c.Told = false, nil
	w.batch.More = false
	w.source.list = nil
	return nil
}

// begin opens a file that was changed, unless its content is the same, or it is still being written, or not to be believed.
func (w *walk) begin(ctx context.Context, listed *found) error {
	c := w.cursor
	f, ok := stat(w.root, *listed)
	if *listed = f; !ok {
		w.pass(f.path) // gone, or replaced just now
		return nil
	}
	if !f.settled(w.now(), time.Duration(w.conn.cfg.Settle)) {
		w.log.Info("The file was changed just now and may still be written; the next run reads it.", "file", f.path)
		w.pass(f.path)
		return nil
	}
	known := c.Files[f.path]
	hash, prefix, err := w.hash(ctx, f, known.Size)
	if err != nil {
		return w.broken(f.path, err)
	}
	if hash == known.Hash {
		known.Size, known.MTime = f.size, f.mtime
		c.Files[f.path] = known
		return nil
	}
	o := &open{Path: f.path, Size: f.size, MTime: f.mtime, Hash: hash, Rows: map[string]int{}}
	grown := known.Hash != "" && known.End != nil && prefix == known.Hash
	if !grown && w.replacing() {
		if ok, err := w.believed(ctx, f); !ok || err != nil {
			return err
		}
	}
	if grown {
		o.At, o.Rows[""] = *known.End, known.Rows
	}
	c.Open, c.Stamp = o, max(c.Stamp, f.mtime)
	return nil
}

// broken is what becomes of a file that cannot be read: a reject, unless all of the folder is concerned.
func (w *walk) broken(name string, err error) error {
	var unfit *fileError
	switch {
	case errors.As(err, &unfit):
		w.reject(name, unfit.code, unfit.reason+w.stands(name))
	case errors.Is(err, fs.ErrNotExist):
		w.pass(name)
	case errors.Is(err, fs.ErrPermission):
		w.reject(name, "file", "the file may not be read; let the user that energyd runs under read it"+w.stands(name))
	default:
		return err
	}
	return nil
}

func (w *walk) stands(name string) string {
	if known, ok := w.cursor.Files[name]; ok && (known.Rows > 0 || known.Hash != "") {
		return "; until then, what it said before stands"
	}
	return ""
}

// goOn reads the open file until the batch is full, or the file is at its end.
func (w *walk) goOn(ctx context.Context) error {
	o := w.cursor.Open
	if len(o.Gone) > 0 {
		w.withdraw()
		return nil
	}
	f := found{path: o.Path, size: o.Size, mtime: o.MTime}
	if o.Hash == "" { // a file that was removed
		w.cursor.Open = nil
		return nil
	}
	at := slices.IndexFunc(w.list.files, func(l found) bool { return l.path == o.Path })
	if at < 0 {
		w.abandon(f)
		return nil
	}
	f.real = w.list.files[at].real
	if !w.still(f) {
		return nil
	}
	if w.source.reader == nil || w.path != o.Path || w.source.reader.at() != o.At {
		w.stop()
		r, err := w.open(ctx, f, o.At)
		if err != nil {
			w.cursor.Open = nil
			w.keepRows(o)
			return w.broken(o.Path, err)
		}
		w.source.reader, w.path = r, o.Path
	}
	for w.left() > 0 && w.room > 0 {
		if w.left() == 1 && w.limit > 1 && w.replacing() {
			w.room = 0 // a row may need two places: the deletion of its older version comes before it
			return nil
		}
		it, err := w.source.reader.next(ctx)
		if errors.Is(err, io.EOF) {
			if w.still(f) {
				w.end(f)
			}
			return nil
		}
		if err != nil {
			w.stop()
			w.cursor.Open = nil
			w.keepRows(o)
			return w.broken(o.Path, err)
		}
		if !w.add(it) {
			w.stop() // the row is read again
			return nil
		}
		o.At = w.source.reader.at()
	}
	return nil
}

// still tells that the open file is as it was when it was begun; else it is left for later.
func (w *walk) still(f found) bool {
	now, ok := stat(w.root, f)
	if ok && now.same(f) {
		return true
	}
	w.abandon(f)
	if ok && !now.settled(w.now(), time.Duration(w.conn.cfg.Settle)) {
		w.log.Info("The file was changed while it was read; the next run reads it again.", "file", f.path)
		w.pass(f.path)
	}
	return false
}

// abandon leaves a file that is gone or was changed while it was read. It counts
// as changed, and what was given of it as what it said before.
func (w *walk) abandon(found) {
	w.stop()
	w.keepRows(w.cursor.Open)
	w.cursor.Open = nil
}

// end is the end of a file: what it no longer says is withdrawn.
func (w *walk) end(f found) {
	c, o := w.cursor, w.cursor.Open
	var end *position
	if t, ok := w.source.reader.(*csvReader); ok && w.cfg.Replaces != replacesMonth && !t.done && t.rows.lines.closed {
		at := t.at()
		end = &at
	}
	w.stop()
	o.Gone = w.gaps(o)
	rows := 0
	if w.cfg.Replaces == replacesFile {
		rows = o.Rows[""]
	}
	c.Files[o.Path] = seen{f.size, f.mtime, o.Hash, rows, end}
	if w.cfg.Replaces == replacesMonth {
		for unit, n := range o.Rows {
			c.Months[unit] = n
		}
	}
	if len(o.Gone) == 0 {
		c.Open = w.renamed(o)
	} else {
		o.Hash = "" // it was read: what is left is to withdraw
	}
}

// renamed withdraws what a file said under the name that it had before; nil when it had none.
func (w *walk) renamed(o *open) *open {
	if w.cfg.Replaces != replacesFile {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(w.cursor.Files)) {
		known := w.cursor.Files[name]
		if known.Hash != o.Hash || known.Rows == 0 || name == o.Path || slices.ContainsFunc(w.list.files, func(f found) bool { return f.path == name }) {
			continue
		}
		if _, err := w.root.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			continue // it is there, and was not listed
		}
		w.log.Info("The file was renamed; what it said under its old name is withdrawn.", "file", o.Path, "was", name)
		delete(w.cursor.Files, name)
		return &open{Path: name, Gone: []gap{{From: 1, To: known.Rows}}}
	}
	return nil
}

// hash gives the hash of a file's content, and of its first bytes up to old.
func (w *walk) hash(ctx context.Context, f found, old int64) (all, prefix string, err error) {
	h, err := w.root.Open(f.real)
	if err != nil {
		return "", "", err
	}
	defer h.Close()
	d := xxhash.New()
	if old > 0 && old < f.size {
		if err := copyTo(ctx, d, io.LimitReader(h, old)); err != nil {
			return "", "", err
		}
		prefix = hex.EncodeToString(d.Sum(nil))
	}
	if err := copyTo(ctx, d, h); err != nil {
		return "", "", err
	}
	return hex.EncodeToString(d.Sum(nil)), prefix, nil
}

// copyTo is io.Copy that can be stopped.
func copyTo(ctx context.Context, to io.Writer, from io.Reader) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(to, from, 4<<20); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// fileHandle is an open file.
type fileHandle interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// open gives the reader of a file, behind a position.
func (w *walk) open(ctx context.Context, f found, from position) (reader, error) {
	h, err := w.root.Open(f.real)
	if err != nil {
		return nil, err
	}
	r, err := w.source.openFormat(ctx, h, f, from)
	if err != nil {
		h.Close()
		return nil, err
	}
	return r, nil
}

func (s *source) openFormat(ctx context.Context, h fileHandle, f found, from position) (reader, error) {
	format := s.cfg.Format
	if format == "auto" {
		switch ending := strings.ToLower(path.Ext(f.path)); ending {
		case ".tsv", ".tab":
			format = "tsv"
		case ".xlsx", ".xlsm", ".xls":
			format = "xlsx"
		case ".jsonl", ".ndjson", ".json":
			format = "jsonl"
		default:
			format = "csv"
		}
	}
	switch format {
	case "jsonl":
		return openJSONLines(ctx, h, s.cfg, f.path, s.need, from)
	case "xlsx":
		return openSheets(ctx, h, s.cfg, f.path, f.size, s.need, from)
	}
	return openCSV(ctx, h, newTable(s.cfg, f.path, "", s.need), format, from)
}
