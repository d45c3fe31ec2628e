//go:build unix

package adversity

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"energyd/internal/pipeline"
)

const storeFile = "energyd.db"

// ends runs a command to its end and gives its exit code and what it said of what went wrong.
func (c *company) ends(cmd *exec.Cmd) (code int, said string) {
	c.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil || !cmd.ProcessState.Exited() {
		c.Fatalf("%v: %v\n%s%s", cmd.Args, err, &out, &errs)
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

// TestDisk_full: a disk that is full at any moment of a night ends the run with what to do, and nothing is damaged:
// when there is room again the night goes on. The room is what each file may hold, so that writes fail as on a full
// disk, without the rights that a disk of our own would need.
func TestDisk_full(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		step, from string
		room       []int // KB: of the log of changes beside the store's file, which begins at nothing
	}{
		{"sync", fresh, []int{0, 40, 150}},
		{"apply", planned, []int{0, 50, 80}},
	} {
		t.Run(tt.step, func(t *testing.T) {
			t.Parallel()
			for _, room := range tt.room {
				c := standing(t, tt.from)
				c.start()
				cmd := c.command(tt.step)
				cmd.Args = append([]string{"bash", "-c", `ulimit -f "$1"; shift; exec "$@"`, "bash", strconv.Itoa(room)}, cmd.Args...)
				cmd.Path = "/bin/bash"
				code, said := c.ends(cmd)
				if code != 1 || !strings.Contains(said, "the store cannot be written") || !strings.Contains(said, "make room on the disk") {
					t.Errorf("with %d KB of room it ends with %d and says %s", room, code, said)
				}
				c.sleep()
				c.wake(pipeline.Options{AsOf: kept.asOf})
				c.endsAs(kept.calm, false)
				c.sleep()
			}
		})
	}
}

// TestDisk_read_only: where the store may not be written, energyd says so and changes nothing.
func TestDisk_read_only(t *testing.T) {
	t.Parallel()
	for _, path := range []string{storeFile, "."} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			c := standing(t, applied)
			c.start()
			cmd := c.command("sync")
			c.toOthers()
			if os.Getuid() == 0 { // who may write everywhere
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			path := filepath.Join(c.dir, path)
			c.chmod(path, 0o555)
			code, said := c.ends(cmd)
			c.chmod(path, 0o777)
			if code != 2 || !strings.Contains(said, "must belong to the user that runs energyd") {
				t.Errorf("it ends with %d and says %s", code, said)
			}
			c.open(pipeline.Options{AsOf: kept.asOf})
			c.endsAs(kept.calm, false)
		})
	}
}

func (c *company) chmod(path string, mode os.FileMode) {
	c.Helper()
	if err := os.Chmod(path, mode); err != nil {
		c.Fatal(err)
	}
}

// toOthers lets other users read and write everything of the company.
func (c *company) toOthers() {
	c.Helper()
	for _, path := range []string{kept.dir, filepath.Join(kept.dir, "energyd")} {
		c.chmod(path, 0o755)
	}
	if err := filepath.WalkDir(filepath.Dir(c.dir), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chmod(path, 0o777))
	}); err != nil {
		c.Fatal(err)
	}
}
