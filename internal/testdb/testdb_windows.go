// Package testdb has no servers on Windows: who asks for one fails.
package testdb

import "testing"

const unixOnly = "the test database servers run on Unix only"

func Postgres(tb testing.TB) string {
	tb.Helper()
	tb.Fatal(unixOnly)
	return ""
}

func CrashPostgres(tb testing.TB) {
	tb.Helper()
	tb.Fatal(unixOnly)
}

func MariaDB(tb testing.TB) string {
	tb.Helper()
	tb.Fatal(unixOnly)
	return ""
}
