package file

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The limits of a workbook, against files that unpack to far more than they are.
const (
	maxPart   = 4 << 30   // bytes of a sheet, unpacked
	maxRatio  = 500       // a part that unpacks to more than so many times its size is a bomb
	ratioFrom = 64 << 20  // bytes, unpacked, from which the ratio counts
	maxTexts  = 192 << 20 // bytes of the texts that cells share, and of what it takes to find them
	maxSheets = 10_000
	maxStyles = 100_000
)

// workbook is an open .xlsx file.
type workbook struct {
	file   string
	parts  map[string]*zip.File
	sheets []sheetPart
	epoch  bool // dates count from 1904
	looks  []look
	texts  []string // shared strings
}

type sheetPart struct {
	name   string
	part   string
	hidden bool
}

// openWorkbook reads all of a workbook but its sheets.
func openWorkbook(ctx context.Context, f fileHandle, name string, size int64) (*workbook, error) {
	b := &workbook{file: name, parts: map[string]*zip.File{}}
	if err := b.kind(f); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, b.damaged(err)
	}
	for _, p := range z.File {
		b.parts[strings.ToLower(strings.TrimPrefix(p.Name, "/"))] = p
	}
	if err := b.read(ctx); err != nil {
		return nil, b.damaged(err)
	}
	return b, nil
}

// kind tells what else a file is that is called a workbook.
func (b *workbook) kind(f fileHandle) error {
	head := make([]byte, 8)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte("PK")):
		return nil
	case n == 0:
		return unusable("file", "%s: the file is empty", b.file)
	case !bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return unusable("file", "%s: the file is no Excel workbook, whatever its name says; save it as .xlsx, or set format to what it is", b.file)
	}
	const sealed = "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"
	if found, err := contains(f, sealed); err != nil {
		return err
	} else if found {
		return unusable("file", "%s: the workbook is protected by a password; save it without one (in Excel: File, Info, Protect Workbook)", b.file)
	}
	return unusable("file", "%s: this is the old format of Excel (.xls); open it in Excel and save it as .xlsx", b.file)
}

// contains looks for text in a file.
func contains(r io.Reader, text string) (bool, error) {
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		n += kept
		if bytes.Contains(buf[:n], []byte(text)) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		kept = copy(buf, buf[max(n-len(text), 0):n])
	}
}

// damaged makes an error of a workbook's inside one of the file; errors of the file system stay.
func (b *workbook) damaged(err error) error {
	var unfit *fileError
	var system *fs.PathError
	if errors.As(err, &unfit) || errors.As(err, &system) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return unusable("file", "%s: the workbook is damaged or not whole (%v); copy it again, or open it in Excel and save it", b.file, err)
}

// part opens a part for reading, unpacked, within the limits.
func (b *workbook) part(ctx context.Context, name string) (io.ReadCloser, error) {
	p, ok := b.parts[strings.ToLower(strings.TrimPrefix(name, "/"))]
	if !ok {
		return nil, unusable("file", "%s: the workbook has no part %s; open it in Excel and save it", b.file, name)
	}
	r, err := p.Open()
	if err != nil {
		return nil, err
	}
	return &unpacked{ReadCloser: r, ctx: ctx, book: b, packed: p.CompressedSize64}, nil
}

// unpacked stops at the limits of a workbook.
type unpacked struct {
	io.ReadCloser
	ctx    context.Context
	book   *workbook
	packed uint64
	n      uint64
}

// Read implements io.Reader.
func (u *unpacked) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := u.ReadCloser.Read(p)
	u.n += uint64(n)
	if u.n > maxPart || u.n > ratioFrom && u.n > u.packed*maxRatio {
		return n, unusable("file", "%s: the workbook unpacks to far more than its size, as an attack would; save the sheet as CSV if it is right", u.book.file)
	}
	return n, err
}

// each goes through a part's tokens.
func (b *workbook) each(ctx context.Context, name string, do func(x *xmlScanner, t token) error) error {
	r, err := b.part(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	x := newXMLScanner(r)
	for {
		t, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(x, t); err != nil {
			return err
		}
	}
}

// relation leads from one part to another.
type relation struct{ kind, target string }

func (b *workbook) relations(ctx context.Context, of string) (map[string]relation, error) {
	dir, base := path.Split(of)
	all := map[string]relation{}
	err := b.each(ctx, dir+"_rels/"+base+".rels", func(_ *xmlScanner, t token) error {
		if t.is("Relationship") && len(all) < maxSheets {
			target := string(unescape(nil, t.attr("Target")))
			if !strings.HasPrefix(target, "/") {
				target = path.Join(dir, target)
			}
			all[string(t.attr("Id"))] = relation{path.Base(string(t.attr("Type"))), strings.TrimPrefix(target, "/")}
		}
		return nil
	})
	return all, err
}

func (b *workbook) read(ctx context.Context) error {
	if b.parts["xl/workbook.bin"] != nil {
		return unusable("file", "%s: this is a binary workbook (.xlsb); open it in Excel and save it as .xlsx", b.file)
	}
	if b.parts["_rels/.rels"] == nil || b.parts["content.xml"] != nil {
		return unusable("file", "%s: the file is no Excel workbook; save it as .xlsx", b.file)
	}
	top, err := b.relations(ctx, "")
	if err != nil {
		return err
	}
	main := "xl/workbook.xml"
	for _, r := range top {
		if r.kind == "officeDocument" {
			main = r.target
		}
	}
	relations, err := b.relations(ctx, main)
	if err != nil {
		return err
	}
	err = b.each(ctx, main, func(_ *xmlScanner, t token) error {
		switch {
		case t.is("workbookPr"):
			v := string(t.attr("date1904"))
			b.epoch = v == "1" || v == "true"
		case t.is("sheet") && len(b.sheets) < maxSheets:
			r := relations[string(t.attr("id"))]
			if r.kind == "worksheet" { // and no sheet of a chart
				state := string(t.attr("state"))
				b.sheets = append(b.sheets, sheetPart{norm.NFC.String(string(unescape(nil, t.attr("name")))), r.target, state == "hidden" || state == "veryHidden"})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range relations {
		switch r.kind {
		case "styles":
			err = b.styles(ctx, r.target)
		case "sharedStrings":
			err = b.strings(ctx, r.target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// styles finds out which cells show dates.
func (b *workbook) styles(ctx context.Context, part string) error {
	codes := map[int]look{}
	inCells := false
	return b.each(ctx, part, func(_ *xmlScanner, t token) error {
		switch {
		case t.is("numFmt") && len(codes) < maxStyles:
			if id, err := strconv.Atoi(string(t.attr("numFmtId"))); err == nil {
				codes[id] = lookOf(string(unescape(nil, t.attr("formatCode"))))
			}
		case t.is("cellXfs"):
			inCells = !t.empty
		case t.ends("cellXfs"):
			inCells = false
		case inCells && t.is("xf") && len(b.looks) < maxStyles:
			id, err := strconv.Atoi(string(t.attr("numFmtId")))
			l, own := codes[id]
			if err == nil && !own {
				l = builtIn(id)
			}
			b.looks = append(b.looks, l)
		}
		return nil
	})
}

// strings reads the texts that cells share. Readings (furigana) that Excel keeps beside them are left out.
func (b *workbook) strings(ctx context.Context, part string) error {
	var text []byte
	size, phonetic, inText := 0, 0, false
	return b.each(ctx, part, func(_ *xmlScanner, t token) error {
		switch {
		case t.name == nil:
			if inText && phonetic == 0 {
				text = appendText(text, t)
			}
		case t.ends("si"):
			if !utf8.Valid(text) {
				return errXML
			}
			s := cellText(text)
			b.texts, text = append(b.texts, s), text[:0]
			if size += len(s) + 16; size > maxTexts {
				return unusable("file", "%s: the workbook's texts have more than %d MB; save the sheet as CSV, or split it", b.file, maxTexts>>20)
			}
		case t.is("t"):
			inText = !t.empty
		case t.ends("t"):
			inText = false
		case t.is("rPh"):
			if !t.empty {
				phonetic++
			}
		case t.ends("rPh"):
			phonetic--
		}
		return nil
	})
}

// choose gives the sheets to read: those that fit a pattern, hidden ones by their full name alone; without patterns the first.
func (b *workbook) choose(patterns []string) ([]sheetPart, error) {
	var chosen []sheetPart
	for _, s := range b.sheets {
		fits := func(p string) bool {
			if s.hidden {
				return folded(p) == folded(s.name)
			}
			ok, _ := path.Match(folded(p), folded(s.name))
			return ok || folded(p) == folded(s.name)
		}
		if len(patterns) == 0 && !s.hidden {
			return []sheetPart{s}, nil
		}
		if slices.ContainsFunc(patterns, fits) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		var names []string
		for _, s := range b.sheets[:min(len(b.sheets), 30)] {
			names = append(names, s.name)
		}
		return nil, unusable("sheet", "%s: no sheet fits %s; it has %s", b.file, orVisible(patterns), strings.Join(names, ", "))
	}
	return chosen, nil
}

func orVisible(patterns []string) string {
	if len(patterns) == 0 {
		return "(the first that is not hidden)"
	}
	return fmt.Sprintf("%q", patterns)
}
