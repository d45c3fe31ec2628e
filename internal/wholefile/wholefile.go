// Package wholefile writes files that are there whole or not at all, whenever the machine stops, for their owner alone.
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// File is being written beside the one whose place it takes with Keep.
type File struct {
	*os.File
	path string
}

// Create begins a file for path, whose folder must be there. It proves that the folder may be written to.
func Create(path string) (*File, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link goes on pointing to it
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "replace", Path: path, Err: errors.New("no regular file")} // never take the place of a device
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	return &File{f, path}, nil
}

// Keep puts the file in its place, and both on disk. It is closed then, and has left nothing behind if it failed.
func (f *File) Keep() error {
	err := errors.Join(f.Sync(), f.File.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, remove(f.Name()))
	}
	return SyncDir(filepath.Dir(f.path))
}

// Close takes back a file that was not kept, and does nothing after Keep.
func (f *File) Close() error {
	if err := f.File.Close(); errors.Is(err, os.ErrClosed) {
		return nil
	} else if err != nil {
		return errors.Join(err, remove(f.Name()))
	}
	return remove(f.Name())
}

func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Write writes data into path.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Keep()
}

// SyncDir puts the names of a folder's files on disk. Windows has no such call, and refuses this one (golang.org/issue/75541).
func SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
