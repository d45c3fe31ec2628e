package testmail

import (
	"syscall"
	"testing"
)

type account struct{ Uid, Gid uint32 }

// credential ends the test before anything is started: there is no Dovecot for Windows.
func credential(tb testing.TB) *account {
	tb.Helper()
	tb.Fatal("the test mail server runs on Unix only")
	return nil
}

func ownGroup(*account) *syscall.SysProcAttr { return nil }

func kill(int) {}
