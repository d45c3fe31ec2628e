package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"energyd/internal/fault"
)

// TitlesConfig is configs/titles.yaml: which job title means which rank of the
// points table. All texts are compared in NFKC, in small letters and without
// blanks (Words: with blanks).
type TitlesConfig struct {
	// Ranks from the lowest to the highest: of two titles of one person the higher counts.
	Ranks    []string            `yaml:"ranks"`
	Exact    map[string][]string `yaml:"exact"`    // rank → whole titles
	Suffixes map[string][]string `yaml:"suffixes"` // rank → endings, the longest that fits wins: 部長 of 営業部長
	Prefixes map[string][]string `yaml:"prefixes"` // rank → beginnings that raise a title behind them: 取締役 of 取締役営業部長
	Words    map[string][]string `yaml:"words"`    // rank → English words; of several the longest, then the first
	Silent   []string            `yaml:"silent"`   // endings of titles that say nothing: 顧問, n/a
	Former   []string            `yaml:"former"`   // beginnings that take a title back: 元
	Deputy   []string            `yaml:"deputy"`   // endings that leave the rank as it is: 代理
}

// Titles ranks job titles. It may be used from several goroutines.
type Titles struct {
	height                    map[string]int // rank → position; "" is below all
	exact, suffixes, prefixes map[string]string
	phrases                   map[string]string // "vice president" → rank
	former, deputy            []string
	longestPhrase             int // in words
	seen                      cache[string]
	fingerprint               [sha256.Size]byte
}

// NewTitles checks cfg and makes Titles of it. ranks are the points table's
// rank ids; nil means not checked. The error is fault.Problems.
func NewTitles(cfg *TitlesConfig, ranks []string) (*Titles, error) {
	var ps fault.Problems
	t := &Titles{height: map[string]int{"": -1}, former: folded(cfg.Former), deputy: folded(cfg.Deputy), fingerprint: fingerprint(cfg)}
	if len(cfg.Ranks) == 0 {
		ps.Add("ranks", "list the ranks, the lowest first")
	}
	for i, r := range cfg.Ranks {
		if ranks != nil && !slices.Contains(ranks, r) {
			ps.Add(at("ranks", i), "the points table has no rank %q%s", r, fault.DidYouMean(r, ranks))
		}
		t.height[r] = i
	}
	index := func(path string, words map[string][]string, key func(string) string) map[string]string {
		out := map[string]string{}
		for _, rank := range slices.Sorted(maps.Keys(words)) {
			if !slices.Contains(cfg.Ranks, rank) {
				ps = append(ps, fault.Problem{Path: path + "." + rank, Key: true,
					Msg: "unknown rank " + quote(rank) + fault.DidYouMean(rank, cfg.Ranks)})
				continue
			}
			for i, w := range words[rank] {
				k := key(w)
				switch other, twice := out[k]; {
				case k == "":
					ps.Add(at(path+"."+rank, i), "empty title")
				case twice && other != rank:
					ps.Add(at(path+"."+rank, i), "%q is %s already", w, other)
				}
				out[k] = rank
			}
		}
		return out
	}
	t.exact = index("exact", cfg.Exact, Squeeze)
	t.suffixes = index("suffixes", cfg.Suffixes, Squeeze)
	t.prefixes = index("prefixes", cfg.Prefixes, Squeeze)
	t.phrases = index("words", cfg.Words, func(s string) string { return strings.Join(latinWords(fold(s)), " ") })
	for _, s := range folded(cfg.Silent) {
		if strings.ContainsFunc(s, unicode.IsLetter) {
			t.suffixes[s] = ""
		} else { // a mark alone
			t.exact[s] = ""
		}
	}
	for p := range t.phrases {
		t.longestPhrase = max(t.longestPhrase, strings.Count(p, " ")+1)
	}
	return t, ps.Or()
}

// Rank gives the rank of a title. ok is false when the title is not
// understood; a title that is known to say nothing (元部長, n/a, blank) gives "" and true.
func (t *Titles) Rank(title string) (rank string, ok bool) {
	if title == "" {
		return "", true
	}
	if rank, ok = t.seen.get(title); !ok {
		rank = t.rank(fold(title), 0)
		t.seen.put(title, rank)
	}
	if rank == notUnderstood {
		return "", false
	}
	return rank, true
}

// Fingerprint changes whenever some title may mean another rank.
func (t *Titles) Fingerprint() string { return hex.EncodeToString(t.fingerprint[:8]) }

// Compare orders titles by their ranks, the lowest first, and those of equal rank as texts.
func (t *Titles) Compare(a, b string) int {
	x, _ := t.Rank(a)
	y, _ := t.Rank(b)
	return cmp.Or(cmp.Compare(t.height[x], t.height[y]), strings.Compare(a, b))
}

// Above tells that a rank is higher than the lowest one.
func (t *Titles) Above(rank string) bool { return t.height[rank] > 0 }

const (
	notUnderstood = "?"
	maxTitleDepth = 4 // of titles inside titles
)

// rank works on folded text.
func (t *Titles) rank(s string, depth int) string {
	tight := strings.ReplaceAll(s, " ", "")
	for _, honorific := range [...]string{"様", "殿", "さん", "氏"} {
		tight = strings.TrimSuffix(tight, honorific)
	}
	if tight == "" {
		return ""
	}
	if rank, ok := t.exact[tight]; ok {
		return rank
	}
	if s, tight = strings.TrimRight(s, ".?!。"), strings.TrimRight(tight, ".?!。"); tight == "" {
		return ""
	}
	if rank, ok := t.exact[tight]; ok {
		return rank
	}
	if rank, ok := t.suffixes[tight]; ok {
		return rank
	}
	if depth == maxTitleDepth || utf8.RuneCountInString(tight) > 100 {
		return notUnderstood
	}
	depth++
	for _, f := range t.former {
		if rest, ok := strings.CutPrefix(tight, f); ok && t.rank(rest, depth) != notUnderstood {
			return ""
		}
	}
	if before, inside, ok := brackets(s); ok {
		if rank := t.rank(before, depth); rank != notUnderstood && rank != "" {
			return rank
		}
		return t.rank(inside, depth)
	}
	if parts := strings.FieldsFunc(separated(s), func(r rune) bool { return strings.ContainsRune("兼、・&/;", r) }); len(parts) > 1 {
		return t.highest(parts, depth)
	}
	for _, d := range t.deputy {
		if rest, ok := strings.CutSuffix(tight, d); ok && rest != "" {
			if rank := t.rank(rest, depth); rank != notUnderstood {
				return rank
			}
		}
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }) {
		if rank, ok := t.words(latinWords(s)); ok { // before endings: Assistant to CEO
			return rank
		}
	}
	if before, last, ok := strings.Cut(s, " "); ok && strings.HasSuffix(last, "付") { // 部長 営業本部付
		if rank := t.rank(before, depth); rank != notUnderstood {
			return rank
		}
	}
	for i := range tight {
		if raise, ok := t.prefixes[tight[:i]]; ok {
			if rank := t.rank(tight[i:], depth); rank != notUnderstood && t.height[rank] < t.height[raise] {
				return raise
			}
		}
	}
	for i := range tight { // the longest ending comes first
		if rank, ok := t.suffixes[tight[i:]]; ok {
			return rank
		}
	}
	if rank, ok := t.words(latinWords(s)); ok {
		return rank
	}
	if parts := strings.Fields(s); len(parts) > 1 { // 部長 営業本部付
		return t.highest(parts, depth)
	}
	return notUnderstood
}

func (t *Titles) highest(parts []string, depth int) string {
	best := notUnderstood
	for _, p := range parts {
		rank := t.rank(strings.TrimSpace(p), depth)
		if rank != notUnderstood && (best == notUnderstood || t.height[rank] > t.height[best]) {
			best = rank
		}
	}
	return best
}

// words finds the longest known phrase, the first of equals: "assistant to" of "assistant to the president".
func (t *Titles) words(words []string) (rank string, ok bool) {
	for n := min(t.longestPhrase, len(words)); n > 0; n-- {
		for i := 0; i+n <= len(words); i++ {
			if rank, ok := t.phrases[strings.Join(words[i:i+n], " ")]; ok {
				return rank, true
			}
		}
	}
	return "", false
}

// brackets splits "課長(営業)" into "課長" and "営業".
func brackets(s string) (before, inside string, ok bool) {
	before, rest, ok := strings.Cut(s, "(")
	inside, after, closed := strings.Cut(rest, ")")
	return before + after, inside, ok && closed
}

// separated writes the word "and" as "&".
func separated(s string) string { return strings.ReplaceAll(s, " and ", " & ") }

// latinWords are the runs of Latin letters in s.
func latinWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.Is(unicode.Latin, r) })
}

// fold is the form in which words of people are compared: NFKC, small letters, single blanks.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(s))), " ")
}

// Squeeze is the form in which a word or name is the same however it was typed:
// no full width, no capitals, no blanks. "訪 問" is "訪問", "ＴＥＬ" is "tel".
func Squeeze(s string) string { return strings.ReplaceAll(fold(s), " ", "") }

func folded(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = Squeeze(w)
	}
	return out
}
