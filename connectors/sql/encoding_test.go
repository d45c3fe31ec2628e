package sqltable

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
)

// company holds what old systems are made of: characters whose second byte is a
// backslash in CP932, vendors' characters, half-width kana.
const company = "株式会社髙橋①ソ表能ｶﾅ"

// encoded gives text as hexadecimal bytes of an encoding; nil is UTF-8.
func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	if e != nil {
		var err error
		if text, err = e.NewEncoder().String(text); err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString([]byte(text))
}

// Text in an encoding that the database knows comes by itself; where it does not know, encoding names
// it. A row that is not in it is a reject, and no page ends for it. All this for keys, too.
func TestSource_Read_encodings(t *testing.T) {
	for _, tt := range []struct {
		name, driver string
		database     string // PostgreSQL's encoding
		column       string // the text columns' type
		literal      string // how bytes get in
		bytes        encoding.Encoding
		encoding     string // the stream's option
		text         string
		bad          bool // takes bytes that are no text
	}{
		{"PostgreSQL without encoding, CP932", "postgres", "SQL_ASCII", "varchar(50)", `convert_from('\x%s', 'SQL_ASCII')`, japanese.ShiftJIS, "cp932", company, true},
		{"PostgreSQL without encoding, EUC-JP", "postgres", "SQL_ASCII", "varchar(50)", `convert_from('\x%s', 'SQL_ASCII')`, japanese.EUCJP, "euc-jp", company, true},
		{"PostgreSQL without encoding, UTF-8", "postgres", "SQL_ASCII", "varchar(50)", `convert_from('\x%s', 'SQL_ASCII')`, nil, "", company, true},
		{"PostgreSQL in EUC_JP", "postgres", "EUC_JP", "varchar(50)", `convert_from('\x%s', 'UTF8')`, nil, "", company, false},
		{"PostgreSQL in EUC_JP, read as bytes", "postgres", "EUC_JP", "varchar(50)", `convert_from('\x%s', 'UTF8')`, nil, "euc-jp", "株式会社山田ソ表能ｶﾅ", false},
		{"PostgreSQL in UTF8, named", "postgres", "", "varchar(50)", `convert_from('\x%s', 'UTF8')`, nil, "utf-8", company, false},
		{"MariaDB in cp932", "mysql", "", "varchar(50) CHARACTER SET cp932", "_utf8mb4 x'%s'", nil, "", company, false},
		{"MariaDB in sjis", "mysql", "", "varchar(50) CHARACTER SET sjis", "_utf8mb4 x'%s'", nil, "", "株式会社山田ソ表能ｶﾅ", false},
		{"MariaDB in eucjpms", "mysql", "", "varchar(50) CHARACTER SET eucjpms", "_utf8mb4 x'%s'", nil, "", company, false},
		{"MariaDB in cp932, read as bytes", "mysql", "", "varchar(50) CHARACTER SET cp932", "_cp932 x'%s'", japanese.ShiftJIS, "cp932", company, false},
		{"MariaDB in latin1", "mysql", "", "varchar(50) CHARACTER SET latin1", "_utf8mb4 x'%s'", nil, "", "Café Müller", false},
		{"MariaDB, CP932 under latin1", "mysql", "", "varchar(50) CHARACTER SET latin1", "_latin1 x'%s'", japanese.ShiftJIS, "cp932", company, true},
		{"MariaDB, UTF-8 under latin1", "mysql", "", "varchar(80) CHARACTER SET latin1", "_latin1 x'%s'", nil, "utf-8", company, true},
		{"SQLite, CP932", "sqlite", "", "text", "CAST(x'%s' AS TEXT)", japanese.ShiftJIS, "cp932", company, true},
		{"SQLite, EUC-JP", "sqlite", "", "text", "CAST(x'%s' AS TEXT)", japanese.EUCJP, "euc-jp", company, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start[tt.driver](t)
			if tt.database != "" {
				s = inEncoding(t, s, tt.database)
			}
			s.exec(t, "CREATE TABLE d (code "+tt.column+" NOT NULL PRIMARY KEY, name "+tt.column+", n integer, changed <WALL>)")
			s.grant(t)
			bytes := func(text string) string { return fmt.Sprintf(tt.literal, encoded(t, tt.bytes, text)) }
			want := map[string]string{}
			for i, suffix := range []string{"1", "2", "3", "4"} {
				want[tt.text+suffix] = tt.text
				s.exec(t, fmt.Sprintf("INSERT INTO d VALUES (%s, %s, %d, '2026-11-20 10:00:00')", bytes(tt.text+suffix), bytes(tt.text), i))
			}
			rejects := 0
			if tt.bad {
				rejects = 2
				broken := fmt.Sprintf(tt.literal, "41ff") // "A", and a byte that none of the encodings has
				s.exec(t, fmt.Sprintf("INSERT INTO d VALUES (%s, %s, 8, '2026-11-20 10:00:00')", bytes(tt.text+"5"), broken))
				s.exec(t, fmt.Sprintf("INSERT INTO d VALUES (%s, %s, 9, '2026-11-20 10:00:00')", broken, bytes(tt.text)))
			}
			for _, limit := range []int{1, 2, 100} {
				b := all(t, s.open(t), stream("d", func(c *Stream) { c.Changed, c.Encoding = "changed", tt.encoding }), "", limit)
				got := map[string]string{}
				for _, r := range b.Records {
					name, _ := r.Value("name").(string)
					got[r.Key] = name
				}
				if diff := cmp.Diff(want, got); diff != "" || len(b.Records) != len(want) {
					t.Errorf("limit %d: %d records (-want +got):\n%s", limit, len(b.Records), diff)
				}
				if len(b.Rejects) != rejects {
					t.Fatalf("limit %d: rejects %+v", limit, b.Rejects)
				}
				for _, r := range b.Rejects {
					if r.Code != "encoding" || r.Key == "" {
						t.Errorf("reject %+v", r)
					}
				}
			}
		})
	}
}
