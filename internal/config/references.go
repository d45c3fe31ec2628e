package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v4"
)

var reference = regexp.MustCompile(`\$\{([^}]*)\}`)

const referenceHint = "write ${env:NAME} or ${file:path}"

// maxSecretFile bounds a referenced file, in bytes: a key or a certificate chain is smaller.
const maxSecretFile = 64 << 10

// resolve replaces the references in a text. ok is false when one could not
// be; that is noted, unless references may stay unresolved here.
func (d *decoder) resolve(n *yaml.Node) (text string, ok bool) {
	ok = true
	text = reference.ReplaceAllStringFunc(n.Value, func(ref string) string {
		value, problem := d.value(n, ref[2:len(ref)-1])
		if problem != "" {
			ok = false
			if !d.unresolved {
				d.doc.at(n, problem, "")
			}
		}
		return value
	})
	return text, ok
}

// value gives what a reference ("env:NAME") stands for, or a problem. No message holds the value.
func (d *decoder) value(n *yaml.Node, ref string) (value, problem string) {
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case kind == "env" && name != "":
		value, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Sprintf("the environment variable %s is not set", name)
		}
		if value == "" {
			return "", fmt.Sprintf("the environment variable %s is empty", name)
		}
		return value, ""
	case kind == "file" && name != "":
		return d.fileValue(n, name)
	}
	return "", fmt.Sprintf("%q is no reference; %s", "${"+ref+"}", referenceHint)
}

func (d *decoder) fileValue(n *yaml.Node, name string) (value, problem string) {
	path := under(d.dir, name)
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Sprintf("the file %s cannot be read: %s", name, reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch {
	case err != nil:
		return "", fmt.Sprintf("the file %s cannot be read: %s", name, reason(err))
	case len(data) > maxSecretFile:
		return "", fmt.Sprintf("the file %s is larger than %d kB, which no secret is", name, maxSecretFile>>10)
	}
	value = strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return "", fmt.Sprintf("the file %s is empty", name)
	}
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o004 != 0 && runtime.GOOS != "windows" { // where modes tell nothing
		d.doc.warnings = append(d.doc.warnings, fmt.Sprintf("%s:%d:%d: every user of this machine can read %s; run chmod 600 on it", d.doc.file, n.Line, n.Column, name))
	}
	return value, ""
}

// under gives path as seen from dir.
func under(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
