package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Grammar is a language whose statements CheckSQL can tell.
type Grammar string

// The grammars of antlr/grammars-v4, of SQL Server and of Oracle.
const (
	TSQL  Grammar = "TSQL"
	PLSQL Grammar = "PLSQL"
)

// CheckSQL parses statements and gives the problems of each, as "1:24 missing
// ')'"; none of one that is of the language. What the tables and functions of
// a database are, a grammar does not know. An error means that nothing could be checked.
func CheckSQL(ctx context.Context, grammar Grammar, statements []string) ([][]string, error) {
	node, err := node22()
	if err != nil {
		return nil, err
	}
	asked, err := json.Marshal(struct {
		Grammar    Grammar  `json:"grammar"`
		Statements []string `json:"statements"`
	}{grammar, statements})
	if err != nil {
		return nil, err
	}
	var stderr strings.Builder
	cmd := script(ctx, node, "check-sql.mjs", nil)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(asked)), &stderr
	out, err := cmd.Output()
	var problems [][]string
	if jsonErr := json.Unmarshal(out, &problems); err != nil || jsonErr != nil || len(problems) != len(statements) {
		return nil, fmt.Errorf("check-sql.mjs: %w\n%s%s", errors.Join(err, jsonErr), out, stderr.String())
	}
	return problems, nil
}
