package configs

import _ "embed" // the titles

// Titles is titles.yaml: the job titles that hold where a configuration names no file of its own.
//
//go:embed titles.yaml
var Titles []byte
