package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// saveLetters writes mails as files: mail/<mailbox>/<folder>/001.eml.
func saveLetters(dir string, letters []letter) error {
	slices.SortStableFunc(letters, func(a, b letter) int { return a.at.Compare(b.at) })
	half := dir + ".new"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	for i, l := range letters {
		file := filepath.Join(half, filepath.FromSlash(l.file(i+1)))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := errors.Join(os.WriteFile(file, l.text, 0o600), os.Chtimes(file, l.at, l.at)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(half, dir)
}

// serveMail serves the mails of a folder on a free loopback port. They keep
// their numbers, because they are numbered in the order of their file names.
func serveMail(dir string) (*imapserver.Server, int, error) {
	memory := imapmemserver.New()
	boxes, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	for _, box := range boxes {
		user := imapmemserver.NewUser(box.Name(), mailPassword)
		for _, folder := range []string{inbox, sent} { // always in this order, which numbers them too
			if err := errors.Join(user.Create(folder, nil), fillFolder(user, folder, filepath.Join(dir, box.Name(), folder))); err != nil {
				return nil, 0, fmt.Errorf("mailbox %s: %w", box.Name(), err)
			}
		}
		memory.AddUser(user)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		InsecureAuth: true, // it is reached by this machine alone
		Logger:       log.New(io.Discard, "", 0),
	})
	go func() { _ = server.Serve(l) }() // ends at Close
	return server, l.Addr().(*net.TCPAddr).Port, nil
}

func fillFolder(user *imapmemserver.User, name, dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range files {
		var text []byte
		var info fs.FileInfo
		if text, err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			return err
		}
		if info, err = f.Info(); err != nil {
			return err
		}
		if _, err = user.Append(name, bytes.NewReader(text), &imap.AppendOptions{Time: info.ModTime()}); err != nil {
			return err
		}
	}
	return err
}
