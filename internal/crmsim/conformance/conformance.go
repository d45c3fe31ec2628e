// Package conformance runs what others wrote: jsforce against the simulated
// CRM, the library of Salesforce's own command line on packages in SFDX source
// format, and grammars of SQL on statements for databases that cannot run
// here. For tests only; ./scripts/node installs them.
package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// errMissing tells what to do where the clients are not installed.
var errMissing = errors.New("the clients that the simulated CRM is proven with are not installed: run ./scripts/node")

// folder is where the scripts and their packages are.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// node22 is the Node of the lock file, which the newer clients need.
func node22() (string, error) {
	found, _ := filepath.Glob(filepath.Join(folder(), "node_modules", "node-*", "bin", "node")) // a constant pattern
	if len(found) != 1 {
		return "", errMissing
	}
	return found[0], nil
}

// node is the machine's own Node.
func node() (string, error) {
	if _, err := node22(); err != nil {
		return "", err // the packages are missing, too
	}
	path, err := exec.LookPath("node")
	if err != nil {
		return "", errMissing
	}
	return path, nil
}

// script makes the command that runs a script of this folder. No proxy stands
// between it and this machine: jsforce would send loopback calls there, too.
func script(ctx context.Context, node, name string, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, node, append([]string{filepath.Join(folder(), name)}, args...)...)
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// Package is what a package in SFDX source format holds.
type Package struct {
	Components []Component
	Problems   []string // in words; none when the package can be deployed, as far as that shows without an org
	Converted  []string // the files of its metadata format
}

// Component is one part of a package, as Contact.Energy_Score__c of type CustomField.
type Component struct {
	Type, FullName string
	Files          []string
}

// CheckPackage reads the package in dir: sfdx-project.json, manifest/package.xml
// and the package folders. With to it leaves the metadata format there. An
// error means that it could not be checked at all.
func CheckPackage(ctx context.Context, dir, to string) (Package, error) {
	var p Package
	node, err := node22()
	if err != nil {
		return p, err
	}
	args := []string{dir}
	if to != "" {
		args = append(args, to)
	}
	var stderr strings.Builder
	cmd := script(ctx, node, "check-package.mjs", nil, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if jsonErr := json.Unmarshal(out, &p); jsonErr != nil {
		return p, fmt.Errorf("check-package.mjs: %w\n%s%s", errors.Join(err, jsonErr), out, stderr.String())
	}
	return p, nil
}
