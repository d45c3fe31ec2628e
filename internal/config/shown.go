package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"energyd/internal/fault"
)

// FileNames are the files of the configuration by the names that people know them by: below its folder.
func (c *Config) FileNames() []string {
	files := c.Files()
	for i, file := range files {
		files[i] = c.NameOf(file)
	}
	return files
}

// NameOf is the name by which people know a file: below the folder of energyd.yaml.
func (c *Config) NameOf(file string) string {
	if name, err := filepath.Rel(c.Dir, file); err == nil && filepath.IsLocal(name) {
		return filepath.ToSlash(name)
	}
	return file
}

// Text gives the lines of a file of the configuration as it is now, fit to be shown: what its key calls
// a secret, and passwords in addresses, are hidden; references (${env:…}) are none. Secrets themselves
// never stand in these files, which Load sees to. Faults: config (it is no file of this configuration, or cannot be read).
func (c *Config) Text(name string) ([]string, error) {
	for _, file := range c.Files() {
		if c.NameOf(file) != name {
			continue
		}
		d := open(file)
		if d.lines == nil {
			return nil, fault.New(fault.Config, "", name+" cannot be read", "energyd check says why", sorted(d.problems))
		}
		lines := make([]string, len(d.lines))
		for i, line := range d.lines {
			lines[i] = strings.TrimRight(conceal(line), "\r")
		}
		return lines, nil
	}
	return nil, fault.New(fault.Config, "", fmt.Sprintf("the configuration has no file %q", name), "energyd.yaml names its files", nil)
}
