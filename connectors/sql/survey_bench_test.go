package sqltable

import (
	"fmt"
	"os"
	"testing"

	"energyd/connectors"
)

// BenchmarkSurvey tells how long a survey of a large table takes: listing and one sample.
//
//	ROWS=10000000 go test -run '^$' -bench Survey -benchtime 1x ./connectors/sql
func BenchmarkSurvey(b *testing.B) {
	rows := 1_000_000
	if text := os.Getenv("ROWS"); text != "" {
		if _, err := fmt.Sscan(text, &rows); err != nil {
			b.Fatal(err)
		}
	}
	for name, fill := range map[string]string{
		"postgres": "SELECT g, DATE '2026-09-30' - g %% 700, 'K' || g %% 9000, '訪問', repeat('日報の本文', 10), now() - g * interval '1 second' FROM generate_series(1, %d) g",
		"mysql":    "SELECT seq, DATE '2026-09-30' - INTERVAL seq %% 700 DAY, CONCAT('K', seq %% 9000), '訪問', REPEAT('日報の本文', 10), NOW() - INTERVAL seq SECOND FROM seq_1_to_%d",
		"sqlite": "WITH RECURSIVE s(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < %d) " +
			"SELECT g, date('2026-09-30', '-' || (g %% 700) || ' days'), 'K' || (g %% 9000), '訪問', '日報の本文日報の本文日報の本文', datetime('now') FROM s",
	} {
		b.Run(name, func(b *testing.B) {
			s := start[name](b)
			s.exec(b, "CREATE TABLE report (id integer PRIMARY KEY, day date, code varchar(20), kind varchar(20), memo varchar(400), changed <WALL>)")
			s.exec(b, fmt.Sprintf("INSERT INTO report "+fill, rows))
			if name == "postgres" {
				s.exec(b, "ANALYZE report")
				s.exec(b, "GRANT SELECT ON report TO reader")
			}
			sv := s.open(b).(connectors.Surveyor)
			for b.Loop() {
				items, err := sv.Items(b.Context())
				if err != nil || len(items) != 1 {
					b.Fatal(items, err)
				}
				sample, err := sv.Sample(b.Context(), items[0], 2000)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(sample.Rows)), "rows_looked_at")
			}
		})
	}
}
