package sqltable

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/internal/crmsim/conformance"
)

// spoken are the databases that cannot run here: the grammars of their languages, and mistakes that are easily made in them.
var spoken = map[string]struct {
	grammar conformance.Grammar
	wrong   []string
}{
	"sqlserver": {conformance.TSQL, []string{
		"SELECT a FROM t WHERE (a, b) > (1, 2);",
		"SELECT a FROM t OFFSET 0 ROWS FETCH NEXT 10 ROWS ONLY;", // without ORDER BY
		"SELECT a FROM t WHERE x > :1;",
		"SELECT a FROM t WHERE deleted;",
		"SELECT CONVERT(varchar(26) x, 121);",
	}},
	"oracle": {conformance.PLSQL, []string{
		"SELECT 1;",
		"SELECT a FROM t LIMIT 3;",
		"SELECT a FROM (SELECT b FROM t) AS q;",
		"SELECT a FROM t WHERE x > @p1;",
		"SELECT [a] FROM t;",
	}},
}

// unknown is what the manuals have and the grammars have not: Microsoft, "FROM clause", and Oracle, SQL Language
// Reference, "ALTER SESSION" with parameters whose values are texts.
var unknown = regexp.MustCompile(` TABLESAMPLE SYSTEM \([0-9.]+ PERCENT\) REPEATABLE \(1\)|(?m)^ALTER SESSION SET .*`)

// All that is sent to SQL Server and Oracle is of their languages, as grammars that others wrote know
// them, and these do tell what is not.
func TestDialect_statements_parse(t *testing.T) {
	t.Parallel()
	for driver, language := range spoken {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			statements := golden(t, driver)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // it takes seconds
			defer cancel()
			problems, err := conformance.CheckSQL(ctx, language.grammar, slices.Concat(statements, language.wrong))
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range statements {
				if len(problems[i]) > 0 {
					t.Errorf("%s\n%s", s, problems[i])
				}
			}
			for i, s := range language.wrong {
				if len(problems[len(statements)+i]) == 0 {
					t.Errorf("%s is taken for right", s)
				}
			}
		})
	}
}

// golden gives the statements of a driver's golden texts, each once.
func golden(t *testing.T, driver string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", driver+"*.sql"))
	if err != nil || len(files) < 3 {
		t.Fatalf("found %v, %v", files, err)
	}
	remark := regexp.MustCompile(`(?m)^-- .*\n`)
	var statements []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for s := range strings.SplitSeq(unknown.ReplaceAllString(remark.ReplaceAllString(string(text), ""), ""), ";\n") {
			if s = strings.TrimSpace(s) + ";"; s != ";" && !slices.Contains(statements, s) {
				statements = append(statements, s)
			}
		}
	}
	return statements
}
