package file

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/connectortest"
)

// report is a file of daily reports that a person edits and saves again.
type report struct {
	t      *testing.T
	path   string
	rows   [][]string // id, customer, memo
	saved  time.Time
	encode func(t *testing.T, path string, rows [][]string)
}

var reportHeader = []string{"番号", "顧客名", "内容"}

func (r *report) save() {
	r.t.Helper()
	r.encode(r.t, r.path, r.rows)
	r.saved = r.saved.Add(time.Minute)
	if err := os.Chtimes(r.path, r.saved, r.saved); err != nil {
		r.t.Fatal(err)
	}
}

func (r *report) insert(n int) {
	for range n {
		id := len(r.rows) + 1
		r.rows = append(r.rows, []string{"N" + strconv.Itoa(id), "青葉製作所", fmt.Sprintf("訪問 %d 回目\n感触良し", id)})
	}
	r.save()
}

// formats write rows in the formats that are read.
var formats = map[string]func(t *testing.T, path string, rows [][]string){
	"csv": func(t *testing.T, path string, rows [][]string) {
		var b strings.Builder
		for _, row := range append([][]string{reportHeader}, rows...) {
			b.WriteString(`"` + strings.Join(row, `","`) + "\"\r\n")
		}
		writeFile(t, path, b.String())
	},
	"xlsx": writeBook,
	"jsonl": func(t *testing.T, path string, rows [][]string) {
		var b strings.Builder
		for _, row := range rows {
			line, err := json.Marshal(map[string]string{reportHeader[0]: row[0], reportHeader[1]: row[1], reportHeader[2]: row[2]})
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		writeFile(t, path, b.String())
	},
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFile_acceptance runs the suite for each format, with rows that have a key and with rows that are known by their place.
func TestFile_acceptance(t *testing.T) {
	for format, encode := range formats {
		for _, keyed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/keyed_%v", format, keyed), func(t *testing.T) {
				connectortest.RunSource(t, connectortest.SourceHarness{
					Connector: Connector, ConnRequired: []string{"dir"}, StreamRequired: []string{"files"},
					Start: func(t *testing.T) connectortest.SourceSystem { return startFile(t, format, encode, keyed) },
				})
			})
		}
	}
}

func startFile(t *testing.T, format string, encode func(*testing.T, string, [][]string), keyed bool) connectortest.SourceSystem {
	dir := t.TempDir()
	name := "日報/2026年3月." + format
	r := &report{t: t, path: filepath.Join(dir, filepath.FromSlash(name)), saved: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), encode: encode}
	if err := os.Mkdir(filepath.Dir(r.path), 0o700); err != nil {
		t.Fatal(err)
	}
	r.save()
	index := func(key string) int {
		n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimPrefix(key, name+"/"), "N"))
		if err != nil {
			t.Fatal(err)
		}
		return n - 1
	}
	return connectortest.SourceSystem{
		System: connectortest.System{
			Conn: func(string) connectors.Config {
				cfg := Connector.NewConfig().(*Config)
				cfg.Dir = dir
				return cfg
			},
		},
		Stream: func() connectors.Config {
			s := Connector.NewStream().(*Stream)
			s.Files = "日報/*." + format
			if keyed {
				s.Key, s.Replaces = []string{"番号"}, replacesNone
			}
			return s
		},
		Insert: func(n int) []string {
			before := len(r.rows)
			r.insert(n)
			var keys []string
			for i := before; i < len(r.rows); i++ {
				if keyed {
					keys = append(keys, r.rows[i][0])
				} else {
					keys = append(keys, name+"/"+strconv.Itoa(i+1))
				}
			}
			return keys
		},
		Change: func(key string) {
			r.rows[index(key)][2] += "（訂正）"
			r.save()
		},
		WrongStream: func(c connectors.Config) { c.(*Stream).Files = "月報/*." + format },
	}
}
