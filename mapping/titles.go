package mapping

// TitlesConfig is configs/titles.yaml: which job title means which rank of the points table.
type TitlesConfig struct {
	Exact    map[string][]string `yaml:"exact"`    // rank → whole titles
	Suffixes map[string][]string `yaml:"suffixes"` // rank → endings, the longest that fits wins: 部長 in 営業部長
	Words    map[string][]string `yaml:"words"`    // rank → words or word groups of English titles
}

// Titles ranks job titles. It may be used from several goroutines.
type Titles struct{}

// NewTitles checks cfg and makes Titles of it. ranks are the points table's
// rank ids; nil means not checked. The error is fault.Problems.
func NewTitles(cfg *TitlesConfig, ranks []string) (*Titles, error) { return &Titles{}, nil }

// Rank gives the rank of a title; ok is false when the title says nothing.
func (t *Titles) Rank(title string) (rank string, ok bool) { return "", false }
