// Package packaging has tests alone: of the deb and rpm packages that scripts/packages builds.
package packaging

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestMain builds the program and its pages once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "energyd-packages-")
	if err != nil {
		panic(err)
	}
	made = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// made is the folder of the program and its pages.
var made string

var program = sync.OnceValue(func() error {
	binary := filepath.Join(made, "energyd")
	if err := exec.Command("go", "build", "-C", "..", "-buildvcs=false", "-o", binary, "./cmd/energyd").Run(); err != nil {
		return err
	}
	return exec.Command(binary, "pages", filepath.Join(made, "pages")).Run()
})

// build makes a package as scripts/packages does.
func build(t *testing.T, form, version string) string {
	t.Helper()
	must(t, program())
	dir := t.TempDir()
	tell(t, []string{"ARCH=amd64", "VERSION=" + version, "BINARY=" + filepath.Join(made, "energyd"), "PAGES=" + filepath.Join(made, "pages")},
		"go", "tool", "-modfile=packaging/tools.mod", "nfpm", "package", "--config", "packaging/nfpm.yaml", "--packager", form, "--target", dir)
	found, err := filepath.Glob(filepath.Join(dir, "*."+form))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

// tell runs a program in the repository and gives what it prints.
func tell(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	c.Dir = ".."
	c.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestDeb(t *testing.T) {
	first := build(t, "deb", "1.0.0")
	t.Run("holds what a service needs", func(t *testing.T) {
		held(t, tell(t, nil, "dpkg-deb", "-c", first), ` root/root .* \.`, "/usr/share/zsh/vendor-completions/_energyd")
	})
	if os.Getuid() != 0 { // dpkg installs as root alone, and CI is root
		return
	}
	t.Run("installs into a fresh root, and an upgrade leaves the configuration as it is", func(t *testing.T) {
		root := t.TempDir()
		for _, dir := range []string{"var/lib/dpkg/updates", "var/lib/dpkg/info", "etc"} {
			must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
		}
		must(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
		install := func(deb string) {
			t.Helper()
			tell(t, nil, "dpkg", "--root="+root, "--force-script-chrootless", "--force-depends", "--install", deb)
		}
		install(first)
		want := "750 0:" + account(t, root, "group")
		owner := func(path string) string {
			return strings.TrimSpace(tell(t, nil, "stat", "-c", "%a %u:%g", filepath.Join(root, path)))
		}
		for _, dir := range []string{"etc/energyd", "etc/energyd/secrets"} {
			if got := owner(dir); got != want {
				t.Errorf("%s is %s, want %s", dir, got, want)
			}
		}
		// So that energyd check finds a place for the store before the service has begun.
		if got, want := owner("var/lib/energyd"), "700 "+account(t, root, "passwd")+":"+account(t, root, "group"); got != want {
			t.Errorf("the store's folder is %s, want %s", got, want)
		}
		// What the administrator makes stays: texts, modes and owners.
		tell(t, nil, filepath.Join(root, "usr/bin/energyd"), "init", filepath.Join(root, "etc/energyd"))
		config := filepath.Join(root, "etc/energyd/energyd.yaml")
		must(t, os.WriteFile(config, []byte("# ours\n"), 0o640))
		must(t, os.Chmod(filepath.Join(root, "etc/energyd/secrets"), 0o700))
		must(t, os.Chown(filepath.Join(root, "etc/energyd/secrets"), 0, 4711))
		install(build(t, "deb", "1.1.0"))
		if got := tell(t, nil, "dpkg-query", "--admindir="+filepath.Join(root, "var/lib/dpkg"), "-W", "energyd"); !strings.Contains(got, "1.1.0") {
			t.Errorf("installed is %s", got)
		}
		if text, err := os.ReadFile(config); err != nil || string(text) != "# ours\n" {
			t.Errorf("the configuration is %q, %v", text, err)
		}
		if got := owner("etc/energyd/secrets"); got != "700 0:4711" {
			t.Errorf("secrets are %s now", got)
		}
		tell(t, nil, "dpkg", "--root="+root, "--force-script-chrootless", "--purge", "energyd")
		if _, err := os.Stat(filepath.Join(root, "usr/bin/energyd")); err == nil {
			t.Error("the program is still there")
		}
		if text, err := os.ReadFile(config); err != nil || string(text) != "# ours\n" {
			t.Errorf("after a removal the configuration is %q, %v", text, err)
		}
	})
}

// account gives energyd's id in etc/passwd or etc/group of root.
func account(t *testing.T, root, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "etc", file))
	must(t, err)
	id := regexp.MustCompile(`(?m)^energyd:[^:]*:(\d+):`).FindSubmatch(text)
	if id == nil {
		t.Fatalf("no energyd in etc/%s\n%s", file, text)
	}
	return string(id[1])
}

// TestUnit: the service is what the program and its documents count on; systemd understands every line of the unit, and
// counts no more exposure than 1.6 of 10.
func TestUnit(t *testing.T) {
	must(t, program())
	unit, err := os.ReadFile("../configs/systemd/energyd.service")
	must(t, err)
	for _, line := range []string{"Type=notify", "ExecStart=/usr/bin/energyd run --config /etc/energyd/energyd.yaml", "User=energyd",
		"RestartPreventExitStatus=2", "TimeoutStopSec=45s"} {
		if !strings.Contains(string(unit), "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	root := t.TempDir()
	for from, to := range map[string]string{
		"../configs/systemd/energyd.service": "usr/lib/systemd/system/energyd.service", filepath.Join(made, "energyd"): "usr/bin/energyd", "/bin/sh": "bin/sh",
	} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, to)), 0o755))
		text, err := os.ReadFile(from)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(root, to), text, 0o755))
	}
	must(t, os.Chmod(filepath.Join(root, "usr/lib/systemd/system/energyd.service"), 0o644))
	tell(t, nil, "systemd-analyze", "verify", "--recursive-errors=no", "--root="+root, "energyd.service")
	tell(t, nil, "systemd-analyze", "security", "--offline=true", "--threshold=16", "--root="+root, "energyd.service")
}

func TestRPM(t *testing.T) {
	rpm := build(t, "rpm", "1.0.0")
	held(t, tell(t, nil, "rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]", rpm), " root/root ", "/usr/share/zsh/site-functions/_energyd")
	scripts := tell(t, nil, "rpm", "-qp", "--scripts", rpm)
	for _, want := range []string{"systemd-sysusers", "systemd-tmpfiles", "systemctl disable --now", "daemon-reload"} {
		if !strings.Contains(scripts, want) {
			t.Errorf("no %s in\n%s", want, scripts)
		}
	}
}

// held looks for what both packages hold in a list of modes, owners and paths.
func held(t *testing.T, list, owner, zsh string) {
	t.Helper()
	for path, mode := range map[string]string{
		"/usr/bin/energyd": "-rwxr-xr-x", "/etc/energyd/?": "drwxr-x---", "/etc/energyd/secrets/?": "drwxr-x---",
		"/usr/lib/systemd/system/energyd.service": "-rw-r--r--", "/usr/lib/sysusers.d/energyd.conf": "-rw-r--r--", "/usr/lib/tmpfiles.d/energyd.conf": "-rw-r--r--",
		"/usr/share/man/man1/energyd.1.gz": "-rw-r--r--", "/usr/share/man/man1/energyd-store-copy.1.gz": "-rw-r--r--",
		"/usr/share/bash-completion/completions/energyd": "-rw-r--r--", "/usr/share/fish/vendor_completions.d/energyd.fish": "-rw-r--r--", zsh: "-rw-r--r--",
		"/usr/share/doc/energyd/docs/operations.md": "-rw-r--r--", "/usr/share/energyd/grafana/energyd.json": "-rw-r--r--", "/usr/share/energyd/prometheus/energyd.rules.yml": "-rw-r--r--",
	} {
		if !regexp.MustCompile("(?m)^" + mode + owner + path + "$").MatchString(list) {
			t.Errorf("no %s %s in\n%s", mode, path, list)
		}
	}
	if regexp.MustCompile(`(?m)^-.*/etc/`).MatchString(list) {
		t.Errorf("a file below /etc is the package's, and would be the administrator's no more\n%s", list)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
