package freetext

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"energyd/internal/fault"
)

// Config is configs/phrases.yaml: the words by which the free text of reports
// is read. Words are compared without regard to width and case; those in Latin
// letters only as whole words, where * at the end stands for any ending.
type Config struct {
	Kinds      []KindWords         `yaml:"kinds"`      // of several kinds in one clause the one that stands first here counts
	Attempt    string              `yaml:"attempt"`    // the kind of a contact that reached nobody
	Cues       map[string][]string `yaml:"cues"`       // cue of the points table → words
	Unreached  []string            `yaml:"unreached"`  // nobody was there: 不在
	Planned    []string            `yaml:"planned"`    // said of the clause they stand in: 予定
	Ahead      []string            `yaml:"ahead"`      // said of all that follows in the sentence: 来週
	Cancelled  []string            `yaml:"cancelled"`  // 中止
	Negated    []string            `yaml:"negated"`    // behind a word, that it was not so: なし, できず
	Not        []string            `yaml:"not"`        // the same before an English word: no, without
	About      []string            `yaml:"about"`      // behind a kind, that it is only spoken of: の件
	Internal   []string            `yaml:"internal"`   // among ourselves: 社内
	Ours       []string            `yaml:"ours"`       // before a title, that the person is one of us: 当社
	Honorific  []string            `yaml:"honorific"`  // behind a name: 様
	Mister     []string            `yaml:"mister"`     // before an English name: Mr
	Titles     []string            `yaml:"titles"`     // job titles that show a person in running text
	Section    []string            `yaml:"section"`    // words that belong to a title, not to a name: 営業 of 営業部長
	Corporate  []string            `yaml:"corporate"`  // legal forms: 株式会社, Inc
	Trade      []string            `yaml:"trade"`      // endings of companies' names: 製作所
	Lookalikes []string            `yaml:"lookalikes"` // what looks like a word of these lists and is none: 仕様, おもてなし
}

// KindWords are the words that tell one kind of contact.
type KindWords struct {
	Kind      string   `yaml:"kind"`
	Direction string   `yaml:"direction"` // inbound, outbound; "" where the words do not tell
	Words     []string `yaml:"words"`
}

// Reader reads texts by word lists. It may be used from several goroutines.
type Reader struct {
	words       map[rune][]word // by first character, the longest first
	attempt     string
	cues        []string
	fingerprint [sha256.Size]byte
}

// Cues are the cues that the lists have words for, sorted.
func (r *Reader) Cues() []string { return r.cues }

// Fingerprint changes whenever the lists do.
func (r *Reader) Fingerprint() [sha256.Size]byte { return r.fingerprint }

// word is a word of a list.
type word struct {
	text  []rune
	latin bool // whole words only
	stem  bool // any ending may follow
	role  role
	kind  *kind  // of a kind
	name  string // of a cue
	hit   Hit
}

// kind is a line of Config.Kinds, and the how manieth.
type kind struct {
	KindWords
	place int
}

// role says what a word is for.
type role uint8

const (
	isKind role = iota
	isCue
	isUnreached
	isPlanned
	isAhead
	isCancelled
	isNegated
	isNot
	isAbout
	isInternal
	isOurs
	isHonorific
	isMister
	isTitle
	isSection
	isCorporate
	isTrade
	isLookalike
)

// New checks cfg and makes a Reader. kinds and cues are the points table's;
// nil means not checked. The error is fault.Problems.
func New(cfg *Config, kinds, cues []string) (*Reader, error) {
	var ps fault.Problems
	text, err := json.Marshal(cfg) // keys of maps are sorted
	if err != nil {
		panic(err) // texts and lists of them: there is nothing that JSON cannot hold
	}
	r := &Reader{words: map[rune][]word{}, attempt: cfg.Attempt, cues: slices.Sorted(maps.Keys(cfg.Cues)), fingerprint: sha256.Sum256(text)}
	if cfg.Attempt != "" && kinds != nil && !slices.Contains(kinds, cfg.Attempt) {
		ps.Add("attempt", "the points table has no kind %q%s", cfg.Attempt, fault.DidYouMean(cfg.Attempt, kinds))
	}
	for i := range cfg.Kinds {
		k := &cfg.Kinds[i]
		path := at("kinds", i)
		switch {
		case k.Kind == "":
			ps.Add(path, "%s.kind is required", path)
		case kinds != nil && !slices.Contains(kinds, k.Kind):
			ps.Add(path+".kind", "the points table has no kind %q%s", k.Kind, fault.DidYouMean(k.Kind, kinds))
		}
		if directions := []string{"", "inbound", "outbound", "mutual"}; !slices.Contains(directions, k.Direction) {
			ps.Add(path+".direction", "%q is not inbound, outbound or mutual%s", k.Direction, fault.DidYouMean(k.Direction, directions))
		}
		r.add(&ps, path+".words", k.Words, word{role: isKind, kind: &kind{*k, i}, hit: Hit{List: "kinds." + k.Kind}})
	}
	for _, cue := range slices.Sorted(maps.Keys(cfg.Cues)) {
		path := "cues." + cue
		if cues != nil && !slices.Contains(cues, cue) {
			ps = append(ps, fault.Problem{Path: path, Key: true, Msg: "the points table has no cue \"" + cue + "\"" + fault.DidYouMean(cue, cues)})
		}
		r.add(&ps, path, cfg.Cues[cue], word{role: isCue, name: cue, hit: Hit{List: path}})
	}
	for _, l := range []struct {
		name  string
		words []string
		role  role
	}{
		{"unreached", cfg.Unreached, isUnreached}, {"planned", cfg.Planned, isPlanned}, {"ahead", cfg.Ahead, isAhead},
		{"cancelled", cfg.Cancelled, isCancelled}, {"negated", cfg.Negated, isNegated}, {"not", cfg.Not, isNot}, {"about", cfg.About, isAbout},
		{"internal", cfg.Internal, isInternal}, {"ours", cfg.Ours, isOurs}, {"honorific", cfg.Honorific, isHonorific}, {"mister", cfg.Mister, isMister},
		{"titles", cfg.Titles, isTitle}, {"section", cfg.Section, isSection}, {"corporate", cfg.Corporate, isCorporate}, {"trade", cfg.Trade, isTrade}, {"lookalikes", cfg.Lookalikes, isLookalike},
	} {
		r.add(&ps, l.name, l.words, word{role: l.role, hit: Hit{List: l.name}})
	}
	for first, words := range r.words {
		slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(len(b.text), len(a.text)) })
		r.words[first] = words
	}
	return r, ps.Or()
}

func (r *Reader) add(ps *fault.Problems, path string, words []string, w word) {
	for i, text := range words {
		w.hit.Word = text
		folded, stem := strings.CutSuffix(fold(text), "*")
		w.text, w.stem = []rune(folded), stem
		if len(w.text) == 0 {
			ps.Add(at(path, i), "empty word")
			continue
		}
		w.latin = isLatin(w.text[len(w.text)-1])
		r.words[w.text[0]] = append(r.words[w.text[0]], w)
	}
}

// fold is the form in which words are compared: NFKC, small letters, single blanks.
func fold(s string) string {
	return strings.Map(lower, strings.Join(strings.Fields(norm.NFKC.String(s)), " "))
}

// lower keeps the number of characters, as strings.ToLower may not.
func lower(r rune) rune { return unicode.ToLower(r) }

func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) || r >= '0' && r <= '9' }
