package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"energyd/internal/fault"
	"energyd/mapping/matching"
)

// TitlesConfig is configs/titles.yaml: which job title means which rank of the
// points table. All texts are compared in NFKC, in small letters, without
// blanks (Words: with blanks) and without the lengthening marks of Katakana.
type TitlesConfig struct {
	// Ranks from the lowest to the highest: of two titles of one person the higher counts.
	Ranks    []string            `yaml:"ranks"`
	Exact    map[string][]string `yaml:"exact"`    // rank → whole titles
	Suffixes map[string][]string `yaml:"suffixes"` // rank → endings, the longest that fits wins: 部長 of 営業部長
	Prefixes map[string][]string `yaml:"prefixes"` // rank → beginnings that raise a title behind them: 取締役 of 取締役営業部長
	Words    map[string][]string `yaml:"words"`    // rank → English words, * for some between; of several the longest, then the first
	Silent   []string            `yaml:"silent"`   // endings and words of titles that say nothing: 顧問, n/a
	Unclear  []string            `yaml:"unclear"`  // titles and English words that mean another rank in every house: AVP; not understood
	Former   []string            `yaml:"former"`   // beginnings that take a title back: 元
	// NotFormer begin like a former one and are something else: 前橋, 故障.
	NotFormer []string `yaml:"not_former"`
	Coming    []string `yaml:"coming"`   // beginnings, and English words in front or behind, of titles that their bearers do not have yet: 次期; not understood
	Deputy    []string `yaml:"deputy"`   // endings that leave the rank as it is, but for the highest: 代理
	Vice      []string `yaml:"vice"`     // beginnings, and English words in front, that make the highest rank one lower: 副
	Attached  []string `yaml:"attached"` // endings of those who work for the bearer of the title before: 秘書
	Bodies    []string `yaml:"bodies"`   // behind a prefix: it is part of a department's name, as in 取締役会事務局
	// Abbreviations of English words: asst → assistant.
	Abbreviations map[string]string `yaml:"abbreviations"`
}

// Titles ranks job titles. It may be used from several goroutines.
type Titles struct {
	ranks                     []string       // the lowest first
	height                    map[string]int // rank → position; "" is below all
	exact, suffixes, prefixes map[string]string
	phrases                   map[string]string // "vice president" → rank
	formerWords               map[string]bool   // English ones
	former, notFormer, deputy []string
	vice, attached, bodies    []string
	coming                    []string
	comingWords               map[string]bool
	abbreviations             map[string]string
	longestPhrase             int // in words
	seen                      cache[string]
	fingerprint               [sha256.Size]byte
}

// NewTitles checks cfg and makes Titles of it. ranks are the points table's
// rank ids; nil means not checked. The error is fault.Problems.
func NewTitles(cfg *TitlesConfig, ranks []string) (*Titles, error) {
	var ps fault.Problems
	t := &Titles{ranks: cfg.Ranks, height: map[string]int{"": -1}, formerWords: map[string]bool{}, comingWords: map[string]bool{}, notFormer: folded(cfg.NotFormer), deputy: folded(cfg.Deputy),
		vice: folded(cfg.Vice), attached: folded(cfg.Attached), bodies: folded(cfg.Bodies), abbreviations: map[string]string{}, fingerprint: fingerprint(cfg)}
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
	t.exact = index("exact", cfg.Exact, titleKey)
	t.suffixes = index("suffixes", cfg.Suffixes, titleKey)
	t.prefixes = index("prefixes", cfg.Prefixes, titleKey)
	t.phrases = index("words", cfg.Words, phrase)
	t.unranked(cfg.Silent, "")
	t.unranked(cfg.Unclear, notUnderstood)
	t.former = beginnings(cfg.Former, t.formerWords)
	t.coming = beginnings(cfg.Coming, t.comingWords)
	for short, long := range cfg.Abbreviations {
		t.abbreviations[Squeeze(short)] = Squeeze(long)
	}
	for p := range t.phrases {
		t.longestPhrase = max(t.longestPhrase, strings.Count(p, " ")+1)
		if strings.Contains(p, "*") {
			t.longestPhrase = max(t.longestPhrase, maxGap+2)
		}
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
		rank = t.rank(spelled(fold(title)), 0)
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

// unranked enters titles that have no rank.
func (t *Titles) unranked(titles []string, as string) {
	for _, title := range titles {
		tight, english := titleKey(title), phrase(title)
		switch {
		case !strings.ContainsFunc(tight, unicode.IsLetter): // a mark alone
			t.exact[tight] = as
		case isLatin(tight):
			t.exact[tight] = as
			if len(english) > 3 || as == notUnderstood { // NA and OB may be parts of anything
				t.phrases[english] = as
			}
		case as == notUnderstood:
			t.exact[tight] = as
		default:
			t.suffixes[tight] = as
		}
	}
}

// beginnings divides words into Japanese ones, which it gives, and English ones, which it enters.
func beginnings(all []string, english map[string]bool) (japanese []string) {
	for _, w := range all {
		if words := latinWords(fold(w)); len(words) > 0 {
			english[words[0]] = true
		} else {
			japanese = append(japanese, titleKey(w))
		}
	}
	return japanese
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
		out[i] = titleKey(w)
	}
	return out
}

// titleKey is the form in which titles are looked up.
func titleKey(s string) string { return strings.ReplaceAll(spelled(fold(s)), " ", "") }

// spelled writes a folded title in one way: マネージャー, マネジャー and マネ-ジャ- without their lengthening marks,
// all brackets round, and whole characters for those of PDF files (社⻑).
func spelled(s string) string {
	r := []rune(matching.Radicals.Replace(s))
	out := make([]rune, 0, len(r))
	for i, c := range r {
		afterKatakana := len(out) > 0 && unicode.Is(unicode.Katakana, out[len(out)-1])
		switch {
		case afterKatakana && c == 'ー':
			continue
		case afterKatakana && unicode.Is(unicode.Pd, c):
			if i+1 == len(r) || unicode.Is(unicode.Katakana, r[i+1]) {
				continue
			}
			c = ' ' // マネージャー-営業
		case unicode.Is(unicode.Ps, c):
			c = '('
		case unicode.Is(unicode.Pe, c):
			c = ')'
		}
		out = append(out, c)
	}
	return string(out)
}
