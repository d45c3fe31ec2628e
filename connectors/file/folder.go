package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/text/unicode/norm"

	"energyd/connectors"
	"energyd/internal/fault"
)

// found is a file that fits the stream's pattern.
type found struct {
	path  string // below the folder, with slashes, composed (NFC): what it is called everywhere
	real  string // the same as the file system writes it: macOS decomposes が into か and ゛
	size  int64
	mtime int64 // Unix microseconds
}

// same tells that a file was not written since it was seen as g.
func (f found) same(g found) bool { return f.size == g.size && f.mtime == g.mtime }

// checkPattern tells what is wrong with a pattern of files.
func checkPattern(pattern string) error {
	if strings.HasPrefix(pattern, "/") || strings.Contains(pattern, `\`) {
		return fmt.Errorf("%q must be relative to dir, with / between folders", pattern)
	}
	for _, segment := range strings.Split(pattern, "/") {
		if segment == ".." || segment == "" {
			return fmt.Errorf("%q must be relative to dir, without .. and empty parts", pattern)
		}
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Errorf("%q is no pattern; * stands for any characters, ? for one, [ab] for a or b, ** for any folders", pattern)
		}
	}
	return nil
}

// folded makes names comparable: composed, without regard to case.
func folded(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// unfinished tells that a name is of a lock, a copy that is being made, or hidden.
func unfinished(name string) bool {
	for _, prefix := range []string{".", "~$"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for _, suffix := range []string{".tmp", ".part", ".partial", ".crdownload", ".filepart", "~"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// maxFiles bounds what a cursor has to remember.
const maxFiles = 50_000

// lister walks through a folder.
type lister struct {
	ctx    context.Context
	root   *os.Root
	files  []found
	odd    []connectors.Reject // what fits the pattern and cannot be read
	exists bool                // the folder that the pattern names without wildcards is there
}

// list finds the files of a pattern, the last changed last. Links that lead out
// of the folder are refused by os.Root.
func list(ctx context.Context, root *os.Root, pattern string) (*lister, error) {
	l := &lister{ctx: ctx, root: root}
	segments := strings.Split(folded(pattern), "/")
	if err := l.walk(".", ".", segments, true); err != nil {
		return nil, err
	}
	slices.SortFunc(l.files, func(a, b found) int {
		if a.mtime != b.mtime {
			if a.mtime < b.mtime {
				return -1
			}
			return 1
		}
		return strings.Compare(a.path, b.path)
	})
	seen := map[string]bool{}
	l.files = slices.DeleteFunc(l.files, func(f found) bool {
		if seen[f.path] {
			l.refuse(f.path, "two files have this name, which differ only in how its characters are composed; rename one")
			return true
		}
		seen[f.path] = true
		return false
	})
	return l, nil
}

func (l *lister) refuse(name, reason string) {
	l.odd = append(l.odd, connectors.Reject{Key: name, Origin: name, Code: "file", Reason: reason})
}

// walk matches the entries of a folder, shown as name and read as dir, against
// the first of segments. literal: no wildcard came before.
func (l *lister) walk(dir, name string, segments []string, literal bool) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	segment, rest := segments[0], segments[1:]
	wild := strings.ContainsAny(segment, "*?[")
	if literal && (wild || len(rest) == 0) {
		l.exists = true
	}
	if segment == "**" && len(rest) > 0 {
		if err := l.walk(dir, name, rest, false); err != nil { // ** stands for no folder, too
			return err
		}
	}
	entries, err := l.entries(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		below, shown := path.Join(dir, e.Name()), path.Join(name, norm.NFC.String(e.Name()))
		if unfinished(e.Name()) {
			continue
		}
		if segment == "**" && len(rest) > 0 {
			if e.IsDir() {
				if err := l.walk(below, shown, segments, false); err != nil {
					return err
				}
			}
			continue
		}
		if ok, _ := path.Match(segment, folded(e.Name())); !ok {
			continue
		}
		info, err := l.root.Stat(below)
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone just now, or a link to nowhere
			continue
		case err != nil && len(rest) == 0:
			l.refuse(shown, "cannot be opened ("+cause(err)+"); a link must not lead out of the folder")
			continue
		case err != nil:
			return err
		case info.IsDir() && len(rest) > 0:
			if err := l.walk(below, shown, rest, literal && !wild); err != nil {
				return err
			}
		case info.Mode().IsRegular() && len(rest) == 0:
			l.files = append(l.files, found{shown, below, info.Size(), info.ModTime().UnixMicro()})
			if len(l.files) > maxFiles {
				return fault.New(fault.Config, "", fmt.Sprintf("more than %d files fit the pattern", maxFiles),
					"make several sources of them, with a pattern each", nil)
			}
		}
	}
	return nil
}

func (l *lister) entries(dir string) ([]fs.DirEntry, error) {
	f, err := l.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// stat looks at a file again; ok is false when it is gone.
func stat(root *os.Root, f found) (now found, ok bool) {
	info, err := root.Stat(f.real)
	if err != nil || !info.Mode().IsRegular() {
		return f, false
	}
	f.size, f.mtime = info.Size(), info.ModTime().UnixMicro()
	return f, true
}

// settled tells that a file was not written of late. Times in the future come from another clock, and say nothing.
func (f found) settled(now time.Time, settle time.Duration) bool {
	age := now.Sub(time.UnixMicro(f.mtime))
	return age >= settle || age < -settle
}

// cause is an error of the file system without its path.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	var n syscall.Errno
	if errors.As(err, &n) {
		return n.Error()
	}
	return err.Error()
}
