//go:build unix

package testmail

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
	"testing"
)

type account = syscall.Credential

// credential is the account that the server runs under; nil is our own. As root it becomes nobody.
func credential(tb testing.TB) *account {
	tb.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		tb.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &account{Uid: uint32(uid), Gid: uint32(gid)}
}

// ownGroup starts a process under an account and in a group of its own.
func ownGroup(cred *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true}
}

// kill ends a process, or with -pid its group.
func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
