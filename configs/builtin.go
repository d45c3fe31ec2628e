package configs

import _ "embed" // titles and phrases

// Titles is titles.yaml: the job titles that hold where a configuration names no file of its own.
//
//go:embed titles.yaml
var Titles []byte

// Phrases is phrases.yaml: the words by which free text is read where a configuration names no file of its own.
//
//go:embed phrases.yaml
var Phrases []byte
