package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"energyd/configs"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/survey"
	"energyd/mapping"
	"energyd/mapping/freetext"
)

// LoadPoints reads a points table, and the earlier editions that it names. The error is Errors.
func LoadPoints(file string) (*engine.PointsConfig, error) { return loadEdition(file, nil) }

// loadEdition reads an edition of a points table; later are the files of those that named it.
func loadEdition(file string, later []string) (*engine.PointsConfig, error) {
	later = append(slices.Clone(later), filepath.Clean(file))
	return edition(open(file), func(named string) (*engine.PointsConfig, error) {
		before := named
		if !filepath.IsAbs(before) {
			before = filepath.Join(filepath.Dir(file), before)
		}
		if slices.Contains(later, filepath.Clean(before)) {
			return nil, fault.Problems{{Path: "earlier", Msg: fmt.Sprintf("%s is no earlier edition, or a later one names it again; name the file of the edition before", named)}}
		}
		return loadEdition(before, later)
	})
}

// ParsePoints reads a points table that somebody typed or sent; name is what its problems are told under. It reads no
// file: of earlier editions it may name those of editions, by the name of their file. The error is Errors.
func ParsePoints(name string, text []byte, editions map[string]*engine.PointsConfig) (*engine.PointsConfig, error) {
	return edition(parse(name, text), func(named string) (*engine.PointsConfig, error) {
		if known := editions[filepath.Base(named)]; known != nil {
			return known, nil
		}
		return nil, fault.Problems{{Path: "earlier", Msg: fmt.Sprintf("%s is not an edition that is in use%s", named, suggest(named, slices.Sorted(maps.Keys(editions))))}}
	})
}

// edition decodes a points table; before gives the one that it names as its earlier edition. What it says of the name is told there.
func edition(doc *document, before func(named string) (*engine.PointsConfig, error)) (*engine.PointsConfig, error) {
	var cfg engine.PointsConfig
	var earlier error // told as it is: with the file and the line where it stands
	err := doc.into(&cfg, func() error {
		if cfg.Earlier == "" {
			return cfg.Validate()
		}
		var named fault.Problems
		if cfg.EarlierEdition, earlier = before(cfg.Earlier); errors.As(earlier, &named) {
			earlier = nil
			return named
		}
		return cfg.Validate()
	})
	if err == nil {
		err = earlier
	}
	return &cfg, err
}

// LoadTitles reads a titles file; "" gives the built-in ones. ranks are the
// points table's; nil means not checked. The error is Errors.
func LoadTitles(file string, ranks []string) (*mapping.Titles, error) {
	var doc *document
	if file == "" {
		doc = parse("built-in titles.yaml", configs.Titles)
	} else {
		doc = open(file)
	}
	var cfg mapping.TitlesConfig
	var titles *mapping.Titles
	err := doc.into(&cfg, func() (err error) {
		titles, err = mapping.NewTitles(&cfg, ranks)
		return err
	})
	return titles, err
}

// LoadPhrases reads a phrases file; "" gives the built-in ones. kinds and cues
// are the points table's; nil means not checked. The error is Errors.
func LoadPhrases(file string, kinds, cues []string) (*freetext.Reader, error) {
	var doc *document
	if file == "" {
		doc = parse("built-in phrases.yaml", configs.Phrases)
		kinds, cues = nil, nil // a points table need not have all of them
	} else {
		doc = open(file)
	}
	var cfg freetext.Config
	var reader *freetext.Reader
	err := doc.into(&cfg, func() (err error) {
		reader, err = freetext.New(&cfg, kinds, cues)
		return err
	})
	return reader, err
}

// LoadSurveyWords gives the words by which a survey recognises columns: the
// built-in ones, and those of file where one is named. The error is Errors.
func LoadSurveyWords(file string) (*survey.Lexicon, error) {
	var words survey.Words
	docs := []*document{parse("built-in survey.yaml", configs.SurveyWords)}
	if file != "" {
		docs = append(docs, open(file))
	}
	var lexicon *survey.Lexicon
	for _, doc := range docs {
		var more survey.Words
		if err := doc.into(&more, func() (err error) {
			words.Add(&more)
			lexicon, err = survey.NewLexicon(&words)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return lexicon, nil
}

// LoadMapping reads and compiles a mapping file; env.File defaults to file. The error is Errors.
func LoadMapping(file string, env mapping.Env) (*mapping.Mapping, error) {
	return compileMapping(open(file), env)
}

// LoadKeys reads of a mapping file for whom it makes directory entries, and the
// names of their keys, sorted; "" and none when it makes activities. What the
// file's expressions say is not looked at.
func LoadKeys(file string) (entity string, names []string, err error) {
	var cfg mapping.Config
	if err := open(file).into(&cfg, func() error { return nil }); err != nil {
		return "", nil, err
	}
	if cfg.Profile == nil {
		return "", nil, nil
	}
	return cfg.Profile.Kind, slices.Sorted(maps.Keys(cfg.Profile.Keys)), nil
}

func compileMapping(doc *document, env mapping.Env) (*mapping.Mapping, error) {
	if env.File == "" {
		env.File = doc.file
	}
	var cfg mapping.Config
	var m *mapping.Mapping
	err := doc.into(&cfg, func() (err error) {
		m, err = mapping.Compile(&cfg, env)
		return err
	})
	return m, err
}
