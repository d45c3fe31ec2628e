package wholefile

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds tells what path holds, and that its folder holds nothing but these names.
func holds(t *testing.T, path, want string, names ...string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || string(data) != want {
		t.Errorf("it holds %q, %v; want %q", data, err, want)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != len(names) {
		t.Errorf("the folder holds %v, %v; want %v", files, err, names)
	}
}

func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte("longer than what comes"), 0o644))
	reader, err := os.Open(file)
	must(t, err)
	defer reader.Close()
	must(t, Write(file, []byte("new")))
	holds(t, file, "new", "token")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if before, err := io.ReadAll(reader); err != nil || string(before) != "longer than what comes" {
		t.Errorf("who was reading got %q, %v", before, err)
	}
}

func TestFile_Close(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	must(t, Write(file, []byte("old")))
	f, err := Create(file)
	must(t, err)
	_, err = f.WriteString("new")
	must(t, err)
	must(t, f.Close())
	holds(t, file, "old", "token")
	must(t, f.Close())

	if f, err = Create(file); err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("new")
	must(t, err)
	must(t, f.Keep())
	must(t, f.Close())
	holds(t, file, "new", "token")
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	must(t, Write(filepath.Join(dir, "real"), []byte("old")))
	must(t, os.Symlink("real", link))
	must(t, Write(link, []byte("new")))
	holds(t, filepath.Join(dir, "real"), "new", "link", "real")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	for name, path := range map[string]string{"a device": os.DevNull, "a folder": dir, "no folder": filepath.Join(dir, "none", "file")} {
		if f, err := Create(path); err == nil {
			t.Errorf("%s: %v", name, f.Close())
		}
	}
}
