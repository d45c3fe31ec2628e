package pipeline_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/configs"
	"energyd/engine"
	"energyd/internal/pipeline"
)

const filesConfig = `language: ja
store: sqlite:energyd.db
points: points.yaml
titles: titles.yaml
schedule: "0 2 * * *"
timezone: Asia/Tokyo
connections:
  files: {type: file, dir: files}
sources:
  accounts: {connection: files, files: accounts.csv, key: [code], replaces: none, mapping: mappings/accounts.yaml}
  reps: {connection: files, files: reps.csv, key: [code], replaces: none, mapping: mappings/reps.yaml}
  daily_report:
    connection: files
    files: 日報*.csv
    period: name
    mapping: mappings/daily_report_file.yaml
`

const accountsMapping = `columns: [code, name]
profile: {kind: account, id: code, name: name, keys: {code: code, name: name}}
`

const repsMapping = `columns: [code]
profile: {kind: rep, id: code, keys: {code: code}}
`

// files is a company whose daily reports come as files.
type files struct {
	t   *testing.T
	dir string
	now time.Time
}

func (f *files) write(name, text string) {
	f.t.Helper()
	f.now = f.now.Add(time.Minute)
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Chtimes(path, f.now, f.now); err != nil {
		f.t.Fatal(err)
	}
}

// pull reads the files, and gives what became of the reports: the activities that stand, and the rejects.
func (f *files) pull() (r pipeline.SourceReport, activities, rejects []string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	f.now = f.now.Add(time.Hour)
	now := f.now
	p := openWith(f.t, filepath.Join(f.dir, "energyd.yaml"), pipeline.Options{Now: func() time.Time { return now }, AsOf: engine.NoDate})
	defer p.Close()
	report, err := p.Pull(ctx)
	if err != nil || len(report.Errors) > 0 {
		f.t.Fatal(err, report.Errors)
	}
	s := p.Store()
	for r, err := range s.Rejects(ctx, "daily_report") {
		if err != nil {
			f.t.Fatal(err)
		}
		rejects = append(rejects, r.Origin+" "+r.Code)
	}
	for _, account := range []string{"K0001", "K0002"} {
		acts, err := s.AccountActivities(ctx, account)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, a := range acts {
			if !a.Deleted {
				day := a.Date.String()
				if !a.At.IsZero() {
					day = a.At.Add(9 * time.Hour).Format(time.DateTime)
				}
				activities = append(activities, day+" "+a.Kind+" "+a.Account)
			}
		}
	}
	slices.Sort(activities)
	slices.Sort(rejects)
	return report.Sources[2], activities, rejects
}

// TestPull_a_corrected_file_replaces_what_it_said: rows that moved, went or
// cannot be mapped leave nothing behind, and a reject names its cell.
func TestPull_a_corrected_file_replaces_what_it_said(t *testing.T) {
	f := &files{t: t, dir: t.TempDir(), now: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	if err := configs.Write(f.dir, configs.Starter{CRMURL: "https://crm.example", ClientID: "x", ClientSecret: "${env:X}", Driver: "sqlite", File: "x.db"}); err != nil {
		t.Fatal(err)
	}
	f.write("energyd.yaml", filesConfig)
	f.write("mappings/accounts.yaml", accountsMapping)
	f.write("mappings/reps.yaml", repsMapping)
	f.write("files/reps.csv", "code\nR01\n")
	f.write("files/accounts.csv", "code,name\nK0001,青葉製作所\nK0002,若松商店\n")
	const header = "日付,時刻,顧客コード,顧客名,相手役職,担当,区分,内容\n"
	f.write("files/日報_2026年3月.csv", header+
		"3/1,,K0001,,部長,,訪問,\n3/2,14:30〜15:00,K0002,,,,電話,\n3/3,,K0001,,,,来社,\n合計,3,,,,,,\n")
	r, activities, rejects := f.pull()
	if r.Read != 4 || r.Stored != 3 || r.Skips["totals row"] != 1 {
		t.Errorf("first reading: %+v", r)
	}
	want := []string{"2026-03-01 visit K0001", "2026-03-02 14:30:00 phone K0002", "2026-03-03 visit_by_customer K0001"}
	if !slices.Equal(activities, want) || len(rejects) != 0 {
		t.Errorf("first reading: %v, %v; want %v", activities, rejects, want)
	}
	f.write("files/日報_2026年3月.csv", header+
		"2/30,,K0001,,,,訪問,\n3/1,,K0001,,部長,,訪問,\n3/2,14:30〜15:00,K0002,,,,電話,\n合計,3,,,,,,\n")
	_, activities, rejects = f.pull()
	if want = want[:2]; !slices.Equal(activities, want) {
		t.Errorf("after the correction: %v; want %v", activities, want)
	}
	if want := []string{"日報_2026年3月.csv:2 column 1 date"}; !slices.Equal(rejects, want) {
		t.Errorf("after the correction: rejects %q; want %q", rejects, want)
	}
	if r, activities, _ = f.pull(); r.Read != 0 || !slices.Equal(activities, want) {
		t.Errorf("an idle reading: %+v, %v", r, activities)
	}
	f.write("files/日報_2026年3月.csv", header)
	if _, activities, rejects = f.pull(); !slices.Equal(activities, want) || !strings.Contains(strings.Join(rejects, " "), "shrunk") {
		t.Errorf("an emptied file: %v, %v", activities, rejects)
	}
}
