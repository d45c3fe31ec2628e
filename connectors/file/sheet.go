package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxRows is what a sheet of Excel has.
const maxRows = 1_048_576

// sheetReader reads the chosen sheets of a workbook as tables, one after the other.
type sheetReader struct {
	handle fileHandle
	cfg    *Stream
	need   []string
	book   *workbook
	sheets []sheetPart
	last   position // behind the last row that was given
	table  *table
	rows   *sheetRows
}

func openSheets(ctx context.Context, f fileHandle, cfg *Stream, name string, size int64, need []string, from position) (reader, error) {
	book, err := openWorkbook(ctx, f, name, size)
	if err != nil {
		return nil, err
	}
	sheets, err := book.choose(cfg.Sheets)
	if err != nil {
		return nil, err
	}
	return &sheetReader{handle: f, cfg: cfg, need: need, book: book, sheets: sheets, last: from}, nil
}

func (r *sheetReader) at() position { return r.last }

// Close implements io.Closer.
func (r *sheetReader) Close() error {
	r.leave()
	return r.handle.Close()
}

func (r *sheetReader) leave() {
	if r.rows != nil {
		r.rows.part.Close()
		r.rows = nil
	}
}

func (r *sheetReader) next(ctx context.Context) (item, error) {
	for r.last.Sheet < len(r.sheets) {
		if r.rows == nil {
			if err := r.enter(ctx); err != nil {
				return item{}, r.book.damaged(err)
			}
		}
		it, err := r.row()
		switch {
		case errors.Is(err, io.EOF):
			if !r.table.headed() && (len(r.sheets) == 1 || r.rows.any) {
				return item{}, r.table.noHeader()
			}
			r.leave()
			r.last = position{Sheet: r.last.Sheet + 1}
		case err != nil:
			return item{}, r.book.damaged(err)
		default:
			return it, nil
		}
	}
	return item{}, io.EOF
}

// enter opens the sheet that at names.
func (r *sheetReader) enter(ctx context.Context) error {
	s := r.sheets[r.last.Sheet]
	r.table = newTable(r.cfg, r.book.file, s.name, r.need)
	if r.cfg.Header.Row == 0 && len(r.cfg.Header.Find) == 0 {
		if err := r.table.name(r.cfg.Columns); err != nil {
			return err
		}
	}
	merges, err := r.book.merges(ctx, s.part)
	if err != nil {
		return err
	}
	part, err := r.book.part(ctx, s.part)
	if err != nil {
		return err
	}
	r.rows = &sheetRows{book: r.book, part: part, xml: newXMLScanner(part), merges: merges}
	return nil
}

// row gives the next item behind at.
func (r *sheetReader) row() (item, error) {
	for {
		headed := r.table.headed()
		row, err := r.rows.next(!headed || r.cfg.FillMerged)
		if err != nil {
			return item{}, err
		}
		if !headed {
			if err := r.table.head(row); err != nil {
				return item{}, err
			}
			continue
		}
		if row.number <= r.last.Row {
			continue
		}
		it, ok, stop := r.table.row(row)
		if stop {
			r.leave()
			r.last = position{Sheet: r.last.Sheet + 1}
			return it, nil
		}
		if ok {
			r.last.Row = row.number
			return it, nil
		}
	}
}

// merge is a block of merged cells, columns and rows from 0 and 1, all in it.
type merge struct {
	left, top, right, bottom int
	value                    any // of its first cell
}

// maxMerges bounds what is kept of a sheet.
const maxMerges = 200_000

// merges finds the merged cells, which stand behind a sheet's rows. Single cells and blocks of a whole sheet are left out.
func (b *workbook) merges(ctx context.Context, part string) ([]merge, error) {
	r, err := b.part(ctx, part)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	x := newXMLScanner(r)
	if err := x.seek("sheetData>"); err != nil {
		return nil, err
	}
	var all []merge
	for {
		t, err := x.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !t.is("mergeCell") {
			continue
		}
		first, last, ok := bytes.Cut(t.attr("ref"), []byte(":"))
		if !ok {
			continue
		}
		var m merge
		m.left, m.top, ok = cellAt(first)
		right, bottom, ok2 := cellAt(last)
		m.right, m.bottom = right, bottom
		if !ok || !ok2 || m.right < m.left || m.bottom < m.top {
			continue
		}
		if all = append(all, m); len(all) > maxMerges {
			return nil, unusable("file", "%s: a sheet has more than %d merged cells; save it as CSV", b.file, maxMerges)
		}
	}
	slices.SortStableFunc(all, func(a, b merge) int { return a.top - b.top })
	return all, nil
}

// seek goes on behind the closing tag that ends in text, or its empty form.
func (x *xmlScanner) seek(text string) error {
	for {
		i := bytes.Index(x.buf[x.from:x.to], []byte(text))
		for i >= 0 {
			before := x.buf[x.from : x.from+i]
			open := bytes.LastIndexByte(before, '<')
			if open >= 0 && open+1 < len(before) && before[open+1] == '/' {
				x.from += i + len(text)
				return nil
			}
			next := bytes.Index(x.buf[x.from+i+1:x.to], []byte(text))
			if next < 0 {
				break
			}
			i += 1 + next
		}
		x.from = max(x.from, x.to-len(text)-64) // of the rest, what may be the beginning of the tag
		if more, err := x.fill(); err != nil {
			return err
		} else if !more {
			x.from = x.to // a sheet without rows
			return nil
		}
	}
}

// cellAt reads "D17": column from 0, row from 1.
func cellAt(ref []byte) (column, row int, ok bool) {
	i := 0
	for ; i < len(ref); i++ {
		c := ref[i]
		if c == '$' {
			continue
		}
		if c |= 0x20; c < 'a' || c > 'z' || column > maxCells {
			break
		}
		column = column*26 + int(c-'a') + 1
	}
	row, err := strconv.Atoi(string(bytes.TrimPrefix(ref[i:], []byte("$"))))
	return column - 1, row, err == nil && column >= 1 && column <= maxCells && row >= 1 && row <= maxRows
}

// sheetRows reads the rows of a sheet that hold something.
type sheetRows struct {
	book   *workbook
	part   io.ReadCloser
	xml    *xmlScanner
	merges []merge // those that begin in rows to come
	active []merge // those that reach into rows to come
	number int
	any    bool // a row held something
	cells  []any
	text   []byte
	inData bool
}

// next gives the next row that has a value of its own; io.EOF after the last. fill: merged cells all hold their value.
func (s *sheetRows) next(fill bool) (cellRow, error) {
	for {
		t, err := s.xml.next()
		if err != nil {
			return cellRow{}, err
		}
		switch {
		case t.is("sheetData"):
			s.inData = !t.empty
		case t.ends("sheetData"):
			return cellRow{}, io.EOF
		case s.inData && t.is("row"):
			row, err := s.row(t)
			if err != nil {
				return cellRow{}, err
			}
			row.lead = slices.IndexFunc(row.values, func(v any) bool { return v != nil && v != "" })
			s.spread(&row, fill)
			if row.lead >= 0 || row.bad != "" {
				s.any = true
				return row, nil
			}
		}
	}
}

// row reads one row element.
func (s *sheetRows) row(t token) (cellRow, error) {
	s.number++
	if r := t.attr("r"); r != nil {
		n, err := strconv.Atoi(string(r))
		if err != nil || n < s.number || n > maxRows {
			return cellRow{}, errXML
		}
		s.number = n
	}
	if s.number > maxRows {
		return cellRow{}, errXML
	}
	row := cellRow{number: s.number}
	s.cells = s.cells[:0]
	if t.empty {
		return row, nil
	}
	for {
		t, err := s.xml.next()
		if errors.Is(err, io.EOF) {
			return row, io.ErrUnexpectedEOF
		}
		if err != nil {
			return row, err
		}
		if t.ends("row") {
			row.values = s.cells
			return row, nil
		}
		if t.is("c") {
			if err := s.cell(t, &row); err != nil {
				return row, err
			}
		}
	}
}

// cell reads one cell element.
func (s *sheetRows) cell(t token, row *cellRow) error {
	column := len(s.cells)
	if ref := t.attr("r"); ref != nil {
		c, _, ok := cellAt(ref)
		if !ok || c < column {
			return errXML
		}
		column = c
	}
	if column >= maxCells {
		return errXML
	}
	for len(s.cells) <= column {
		s.cells = append(s.cells, nil)
	}
	if t.empty {
		return nil
	}
	kind := kindOf(t.attr("t"))
	style, _ := strconv.Atoi(string(t.attr("s")))
	s.text = s.text[:0]
	formula, valued, phonetic, in := false, false, 0, false
	for {
		t, err := s.xml.next()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch {
		case t.name == nil:
			if in && phonetic == 0 {
				s.text = appendText(s.text, t)
			}
		case t.ends("c"):
			v, bad := s.value(kind, style)
			if formula && !valued {
				v, bad = cellError("no result of its formula: the program that wrote the file has not calculated it; open it in Excel and save it"), ""
			}
			if bad != "" {
				row.code, row.bad = "cell", fmt.Sprintf("the cell %s%d %s", letters(column), s.number, bad)
			}
			s.cells[column] = v
			return nil
		case t.is("f"):
			formula = true
		case t.is("v"), t.is("t"):
			in, valued = !t.empty, true
		case t.ends("v"), t.ends("t"):
			in = false
		case t.is("rPh"):
			if !t.empty {
				phonetic++
			}
		case t.ends("rPh"):
			phonetic--
		}
	}
}

func kindOf(t []byte) string {
	switch string(t) {
	case "s":
		return "s"
	case "str":
		return "str"
	case "inlineStr":
		return "inlineStr"
	case "b":
		return "b"
	case "e":
		return "e"
	case "d":
		return "d"
	}
	return "n"
}

// value makes a record's value of a cell; bad says what is wrong with it.
func (s *sheetRows) value(kind string, style int) (v any, bad string) {
	switch kind {
	case "str", "inlineStr", "d":
		if !utf8.Valid(s.text) {
			return nil, "is not UTF-8; open the file in Excel and save it"
		}
		return cellText(s.text), ""
	case "e":
		return cellError("the error " + string(s.text) + "; correct its formula in the file"), ""
	}
	text := string(bytes.TrimSpace(s.text))
	if text == "" {
		return nil, ""
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(text)
		if err != nil || i < 0 || i >= len(s.book.texts) {
			return nil, "names a text that the workbook does not have; open the file in Excel and save it"
		}
		return s.book.texts[i], ""
	case "b":
		return text == "1" || text == "true", ""
	}
	number, f, ok := cellNumber(text)
	if !ok {
		return nil, "holds no number; open the file in Excel and save it"
	}
	if style >= 0 && style < len(s.book.looks) {
		switch s.book.looks[style] {
		case asMoment:
			if text, ok := moment(f, s.book.epoch); ok {
				return text, ""
			}
		case asDuration:
			return duration(f), ""
		}
	}
	return number, ""
}

// spread gives the value of merged cells to all of them.
func (s *sheetRows) spread(row *cellRow, fill bool) {
	for len(s.merges) > 0 && s.merges[0].top <= row.number {
		m := s.merges[0]
		s.merges = s.merges[1:]
		if m.top == row.number && m.left < len(row.values) {
			m.value = row.values[m.left]
		}
		if m.value != nil {
			s.active = append(s.active, m)
		}
	}
	s.active = slices.DeleteFunc(s.active, func(m merge) bool { return m.bottom < row.number })
	if !fill {
		return
	}
	for _, m := range s.active {
		for c := m.left; c <= m.right; c++ {
			for len(row.values) <= c {
				row.values = append(row.values, nil)
			}
			if row.values[c] == nil {
				row.values[c] = m.value
			}
		}
	}
	s.cells = row.values
}
