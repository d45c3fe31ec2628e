package configs

import _ "embed" // single files

// Files that hold where a configuration names none of its own, and by whose
// comments editors explain options.
var (
	// Points is points.yaml, the points table of the starter.
	//
	//go:embed points.yaml
	Points []byte
	// Titles is titles.yaml: the job titles.
	//
	//go:embed titles.yaml
	Titles []byte
	// Phrases is phrases.yaml: the words by which free text is read.
	//
	//go:embed phrases.yaml
	Phrases []byte
	// ActivitySample and ProfileSample are mappings that hold every option.
	//
	//go:embed samples/activity.yaml
	ActivitySample []byte
	//go:embed samples/profile.yaml
	ProfileSample []byte
)
