package sqltable

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	surveyWords = 60 // rows of a table of words; a longer one holds no kinds
	longestWord = 40 // characters; what is longer explains, and is neither a word nor a column's name
)

// described adds what the database says of the columns: their comments, and the words that their numbers stand for.
func (s *sampling) described(ctx context.Context) error {
	if err := s.remarks(ctx); err != nil {
		return err
	}
	return s.references(ctx)
}

// remarks reads the columns' comments.
func (s *sampling) remarks(ctx context.Context) error {
	query := s.dialect.comments()
	if query == "" {
		return nil
	}
	var all []struct{ Name, Comment string }
	schema, name := split(s.item.Name)
	if err := s.db.SelectContext(ctx, &all, bind(s.dialect, query), schema, name); err != nil {
		return err
	}
	for _, remark := range all {
		if i := s.at(remark.Name); i >= 0 {
			s.out.Columns[i].Label, s.out.Columns[i].Words = readRemark(remark.Comment)
		}
	}
	return nil
}

// references reads the words of small tables that the columns refer to.
func (s *sampling) references(ctx context.Context) error {
	query := s.dialect.references()
	if query == "" {
		return nil
	}
	var all []struct {
		Name, Target string
		Column       string `db:"target_column"` // "" = the target's key
	}
	schema, name := split(s.item.Name)
	if err := s.db.SelectContext(ctx, &all, bind(s.dialect, query), schema, name); err != nil {
		return err
	}
	for _, r := range all {
		i := s.at(r.Name)
		if i < 0 || len(s.out.Columns[i].Words) > 0 {
			continue
		}
		words, err := s.wordsOf(ctx, r.Target, r.Column)
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // by a user who may read the one table and not the other
			s.out.Notes = append(s.out.Notes, s.env.Say("what the numbers of %q mean stands in %s, which could not be read: GRANT SELECT on it",
				"%qの番号の意味は%sにあるが、読めなかった。SELECTの権限を与える", r.Name, r.Target))
			continue
		}
		s.out.Columns[i].Words = words
	}
	return nil
}

// wordsOf reads a small table of codes and words: of its texts, the first column in which each row has its own. nil when it is none.
func (s *sampling) wordsOf(ctx context.Context, target, code string) (map[string]string, error) {
	t := sampling{conn: s.conn, encoding: s.encoding, broken: map[string]int{}}
	t.item.Name = target
	schema, name := split(target)
	if t.from = s.dialect.quote(name); schema != "" {
		t.from = s.dialect.quote(schema) + "." + t.from
	}
	if err := t.describe(ctx); err != nil {
		return nil, err
	}
	at := t.at(code)
	if code == "" {
		at = slices.IndexFunc(t.columns, func(c column) bool { return t.out.Columns[t.at(c.name)].Key })
	}
	rows, err := t.query(ctx, t.from, surveyWords+1)
	if at < 0 || err != nil || len(rows) > surveyWords {
		return nil, err
	}
	for i, col := range t.columns {
		if i == at || col.kind != text {
			continue
		}
		words, seen := map[string]string{}, map[string]bool{}
		for _, row := range rows {
			word, _ := row[i].(string)
			if word = strings.TrimSpace(word); word != "" && !seen[word] && utf8.RuneCountInString(word) <= longestWord {
				words[strings.TrimSpace(fmt.Sprint(row[at]))], seen[word] = word, true
			}
		}
		if len(words) == len(rows) && len(rows) > 1 {
			return words, nil
		}
	}
	return nil, nil
}

// at is the place of a column that can be read; -1 = there is none of that name.
func (s *sampling) at(name string) int {
	return slices.IndexFunc(s.columns, func(c column) bool { return c.name == name })
}
