// Parses SQL by the ANTLR grammars of T-SQL and PL/SQL (antlr/grammars-v4, as the package antlr4ts-sql brings them).
//
//   echo '{"grammar":"TSQL","statements":["SELECT 1"]}' | node internal/crmsim/conformance/check-sql.mjs
//
// (from Go: conformance.CheckSQL). Prints the problems of each statement: [["1:24 missing …"], []]. A grammar tells
// whether a statement is one of the language; what its tables and functions are, it does not know.
import fs from 'node:fs';
import antlr4tsSQL from 'antlr4ts-sql';

const { grammar, statements } = JSON.parse(fs.readFileSync(0, 'utf8'));
const start = { TSQL: 'tsql_file', PLSQL: 'sql_script' }[grammar];
const language = new antlr4tsSQL.antlr4tsSQL(antlr4tsSQL.SQLDialect[grammar]);

const check = (statement) => {
  const problems = [];
  const listener = { syntaxError: (_, token, line, column, message) => problems.push(`${line}:${column + 1} ${message.split(' expecting {')[0]}`) };
  const parser = language.getParser(language.getTokens(statement, [listener]), [listener]);
  parser[start]();
  return problems;
};

console.log(JSON.stringify(statements.map(check)));
