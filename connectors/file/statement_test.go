package file

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/connectors"
)

// stand applies batches as the store does: the later version of a key stands.
func stand(records map[string]connectors.Record, batches []connectors.Batch) {
	for _, b := range batches {
		for _, r := range b.Records {
			if old, ok := records[r.Key]; !ok || r.ChangedAt.After(old.ChangedAt) {
				records[r.Key] = r
			}
		}
	}
}

func standing(records map[string]connectors.Record) []string {
	var all []string
	for _, r := range records {
		if !r.Deleted {
			all = append(all, show(r))
		}
	}
	slices.Sort(all)
	return all
}

// TestStatement_resent_files_end_as_their_last_versions: whatever was sent, corrected,
// cut short or read half before, in the end the records are those of a reading of what lies there.
func TestStatement_resent_files_end_as_their_last_versions(t *testing.T) {
	for _, replaces := range []string{replacesFile, replacesMonth} {
		t.Run(replaces, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				f := newFolder(t)
				f.limit = rapid.IntRange(1, 7).Draw(rt, "limit")
				set := func(s *Stream) {
					s.Files, s.Replaces, s.Header.Row, s.Columns = "*.csv", replaces, 0, []string{"日付", "件"}
					if replaces == replacesMonth {
						s.Month, s.Part = "日付", `^(.)`
					}
				}
				kept := map[string]connectors.Record{}
				for range rapid.IntRange(1, 8).Draw(rt, "sendings") {
					name := rapid.SampledFrom([]string{"a.csv", "b.csv"}).Draw(rt, "file")
					var text strings.Builder
					for i := range rapid.IntRange(1, 12).Draw(rt, "rows") { // below the brake
						month := 3
						if replaces == replacesMonth {
							month = 3 + i%2 // each sending has rows of all its months, once there are two
						}
						fmt.Fprintf(&text, "2026/%d/%d,%d\n", month, 1+i%28, rapid.IntRange(1, 3).Draw(rt, "value"))
					}
					if replaces == replacesMonth {
						text.WriteString("2026/3/9,9\n2026/4/9,9\n")
					}
					f.write(name, text.String())
					if rapid.Bool().Draw(rt, "read") {
						batches, err := f.batches(set)
						if err != nil {
							rt.Fatal(err)
						}
						if n := rapid.IntRange(0, len(batches)).Draw(rt, "killed after"); n < len(batches) && n > 0 {
							batches, f.cursor = batches[:n], batches[n-1].Next
						}
						stand(kept, batches)
					}
				}
				for range 2 { // the first walk may be one that was begun before
					batches, err := f.batches(set)
					if err != nil {
						rt.Fatal(err)
					}
					stand(kept, batches)
				}
				fresh := map[string]connectors.Record{}
				batches, err := f.again(t).batches(set)
				if err != nil {
					rt.Fatal(err)
				}
				stand(fresh, batches)
				if diff := cmp.Diff(standing(fresh), standing(kept)); diff != "" {
					rt.Fatalf("records differ (-last versions +kept):\n%s", diff)
				}
			})
		})
	}
}

func lines30(n int, value string) string {
	var b strings.Builder
	b.WriteString("日付,件\n")
	for i := range n {
		fmt.Fprintf(&b, "2026/3/%d,%s\n", 1+i%31, value)
	}
	return b.String()
}

// TestStatement_what_looks_like_a_mistake_changes_nothing, and is told at each reading until it is put right.
func TestStatement_what_looks_like_a_mistake_changes_nothing(t *testing.T) {
	set := func(s *Stream) { s.Files = "*.csv" }
	for name, text := range map[string]string{
		"shrunk": lines30(14, "x"), "empty": "", "without rows": "日付,件\n", "other columns": "a,b\n1,2\n", "another encoding": "日付,件\n" + strings.Repeat("\x93\xfa,1\n", 30),
	} {
		t.Run(name, func(t *testing.T) {
			set := set
			if name == "other columns" {
				set = func(s *Stream) { s.Files = "*.csv"; s.SelectColumns([]string{"日付"}) }
			}
			f := newFolder(t)
			f.write("3月.csv", lines30(30, "x"))
			if got := f.read(set); len(got) != 30 {
				t.Fatalf("first reading: %v", got)
			}
			f.write("3月.csv", text)
			for range 2 {
				if got := f.read(set); len(got) != 1 || !strings.HasPrefix(got[0], "reject 3月.csv @3月.csv ") {
					t.Errorf("got %q; want one reject of the file", got)
				}
			}
			f.write("3月.csv", lines30(29, "y"))
			if got := f.read(set); len(got) != 2*29+1 || got[58] != "deleted 3月.csv/30" {
				t.Errorf("put right: %d lines, the last %v", len(got), got[len(got)-1:])
			}
		})
	}
}

func TestStatement_rows_that_are_added_are_read_alone(t *testing.T) {
	f := newFolder(t)
	f.write("log.csv", lines30(5, "x"))
	f.read(func(*Stream) {})
	f.write("log.csv", lines30(7, "x"))
	want := []string{"log.csv/6 @log.csv:7 2026/3/6|x", "log.csv/7 @log.csv:8 2026/3/7|x"}
	if diff := cmp.Diff(want, f.read(func(*Stream) {})); diff != "" {
		t.Error(diff)
	}
	f.touch("log.csv")
	if got := f.read(func(*Stream) {}); got != nil {
		t.Errorf("a file that was only copied gives %v", got)
	}
}

// TestStatement_a_removed_file withdraws nothing by itself; where it shall, most files must still be there.
func TestStatement_a_removed_file(t *testing.T) {
	for removed, want := range map[string][]string{"keep": nil, "withdraw": {"deleted 1.csv/1", "deleted 1.csv/2"}} {
		set := func(s *Stream) { s.Removed = removed }
		f := newFolder(t)
		for _, name := range []string{"1.csv", "2.csv", "3.csv"} {
			f.write(name, lines30(2, "x"))
		}
		f.read(set)
		remove(t, f.path("1.csv"))
		if diff := cmp.Diff(want, f.read(set)); diff != "" {
			t.Errorf("%s: %s", removed, diff)
		}
		remove(t, f.path("2.csv"))
		remove(t, f.path("3.csv"))
		if got := f.read(set); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "deleted") }) || removed == "withdraw" && len(got) != 1 {
			t.Errorf("%s: an empty folder gives %v", removed, got)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestFolder_which_files: patterns, both ways of composing names, locks, copies that are being made, links.
func TestFolder_which_files(t *testing.T) {
	f := newFolder(t)
	outside := newFolder(t)
	outside.write("秘密.csv", "a\n0\n")
	const decomposed = "カ\u3099ス.csv" // as macOS writes ガス
	for _, name := range []string{"A.CSV", "~$A.csv", ".~lock.A.csv#", ".b.csv", "c.csv.tmp", "日報/3月.csv", "日報/東京/3月.csv", decomposed, "d.txt"} {
		f.write(name, "a\n"+name+"\n")
	}
	if err := os.Symlink(outside.path("秘密.csv"), f.path("link.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("日報/3月.csv", f.path("inside.csv")); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string][]string{
		"*.csv":     {"A.CSV", "ガス.csv", "inside.csv", "reject link.csv"},
		"**/3月.csv": {"日報/3月.csv", "日報/東京/3月.csv"},
		"日報/*.csv":  {"日報/3月.csv"},
		"ガ*":        {"ガス.csv"},
		"[ad].*":    {"A.CSV", "d.txt"},
		"無い*":       nil,
	} {
		f := f.again(t)
		var got []string
		for _, line := range f.read(func(s *Stream) { s.Files = pattern }) {
			rest, isReject := strings.CutPrefix(line, "reject ")
			name, _, _ := strings.Cut(rest, " @")
			if isReject {
				name = "reject " + name
			} else {
				name = name[:strings.LastIndexByte(name, '/')]
			}
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

// TestFolder_a_file_that_is_being_written waits for the next run, with a note.
func TestFolder_a_file_that_is_being_written(t *testing.T) {
	f := newFolder(t)
	f.write("x.csv", "a\n1\n")
	written := f.now
	f.now = f.now.Add(-55e9) // the machine's clock is 5 s after the writing
	if got := f.read(func(*Stream) {}); got != nil || !strings.Contains(f.log.String(), "may still be written") {
		t.Errorf("got %v, log %s", got, f.log.String())
	}
	f.now = written
	if got := f.read(func(*Stream) {}); len(got) != 1 {
		t.Errorf("the next run gives %v", got)
	}
}

func TestStream_Validate(t *testing.T) {
	for want, set := range map[string]func(*Stream){
		"files":          func(s *Stream) { s.Files = "../x" },
		"format":         func(s *Stream) { s.Format = "excel" },
		"encoding":       func(s *Stream) { s.Encoding = "sjis" },
		"separator":      func(s *Stream) { s.Separator = "、" },
		"key":            func(s *Stream) { s.Replaces = replacesNone },
		"replaces":       func(s *Stream) { s.Key = []string{"番号"} },
		"month":          func(s *Stream) { s.Replaces = replacesMonth },
		"part":           func(s *Stream) { s.Part = "(" },
		"removed":        func(s *Stream) { s.Removed, s.Replaces, s.Month = "withdraw", replacesMonth, "日付" },
		"header.rows":    func(s *Stream) { s.Header.Rows = 0 },
		"header.find[0]": func(s *Stream) { s.Header.Find = []string{" "} },
		"columns":        func(s *Stream) { s.Header.Row = 0 },
		"sheets[0]":      func(s *Stream) { s.Sheets = []string{"["} },
	} {
		s := Connector.NewStream().(*Stream)
		s.Files = "*.csv"
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		set(s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want+": ") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
