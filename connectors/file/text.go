package file

import (
	"context"
	"errors"
	"io"
)

// csvReader reads a delimited text file as a table.
type csvReader struct {
	io.Closer
	rows  *csvRows
	table *table
	done  bool // behind a row that ends the table
}

// openCSV finds the header, and goes on behind from.
func openCSV(ctx context.Context, f fileHandle, t *table, format string, from position) (reader, error) {
	rows, err := newCSV(f, t.cfg, format)
	if err != nil {
		return nil, err
	}
	r := &csvReader{Closer: f, rows: rows, table: t}
	if t.cfg.Header.Row == 0 && len(t.cfg.Header.Find) == 0 {
		if err := t.name(t.cfg.Columns); err != nil {
			return nil, err
		}
	}
	for any := false; !t.headed(); any = true {
		row, err := rows.next(ctx)
		if errors.Is(err, io.EOF) && !any {
			return nil, unusable("header", "%s: the file is empty", t.file)
		}
		if errors.Is(err, io.EOF) {
			return nil, t.noHeader()
		}
		if err != nil {
			return nil, err
		}
		if err := t.head(row); err != nil {
			return nil, err
		}
	}
	rows.wide = len(t.header)
	r.done = from.Sheet > 0
	if from.Row > 0 {
		return r, rows.seek(from)
	}
	return r, nil
}

func (r *csvReader) at() position {
	p := r.rows.at()
	if r.done {
		p.Sheet = 1 // the only one was read
	}
	return p
}

func (r *csvReader) next(ctx context.Context) (item, error) {
	for !r.done {
		row, err := r.rows.next(ctx)
		if err != nil {
			return item{}, err
		}
		it, ok, stop := r.table.row(row)
		r.done = stop
		if ok {
			return it, nil
		}
	}
	return item{}, io.EOF
}
