package file

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// Config is a connection: one folder.
type Config struct {
	Dir    string              `yaml:"dir"`    // relative to energyd.yaml
	Settle connectors.Duration `yaml:"settle"` // a file that was changed less than this ago may still be written
}

// Validate reports what is missing or contradictory.
func (c *Config) Validate() error {
	var ps fault.Problems
	if c.Dir == "" {
		ps.Add("dir", "is required: the folder that holds the files")
	}
	if time.Duration(c.Settle) > time.Hour {
		ps.Add("settle", "must be 1h or less: how long a file must lie still before it is read")
	}
	return ps.Or()
}

// Stream is a set of files of one kind.
type Stream struct {
	Files      string   `yaml:"files"`     // pattern below dir: "日報/*.xlsx", "**/*.csv"
	Format     string   `yaml:"format"`    // auto (by the name's ending), csv, tsv, xlsx, jsonl
	Encoding   string   `yaml:"encoding"`  // of text files without a byte order mark
	Separator  string   `yaml:"separator"` // one ASCII character or "tab"; "" = by format
	Quote      string   `yaml:"quote"`     // double, single, none
	Sheets     []string `yaml:"sheets"`    // names or patterns; nil = the first that is not hidden
	Header     Header   `yaml:"header"`
	Columns    []string `yaml:"columns"` // names of the columns from the left, where there is no header
	Totals     []string `yaml:"totals"`  // words: a row that begins with one is counted as skipped
	StopAt     []string `yaml:"stop_at"` // words: a row that begins with one ends the sheet
	FillMerged bool     `yaml:"fill_merged"`
	Key        []string `yaml:"key"`      // columns; nil = a row is known by its file and place
	Replaces   string   `yaml:"replaces"` // file, month, none: what a file is a complete statement of
	Month      string   `yaml:"month"`    // column whose dates tell the month of a row; "" = the file's period
	Part       string   `yaml:"part"`     // regular expression of the path: files of different parts stand beside each other
	Period     string   `yaml:"period"`   // name, sheet, title: where the year or month of a file stands; "" = nowhere
	Removed    string   `yaml:"removed"`  // keep, withdraw: what becomes of the rows of a file that is gone

	selected []string // the columns that the mapping uses; nil = all
}

// Header says where the columns' names stand.
type Header struct {
	Row  int      `yaml:"row"`  // from 1; 0 = there is no header
	Find []string `yaml:"find"` // the first row that holds these names, in place of row
	Rows int      `yaml:"rows"` // lines of the header
}

// What a file replaces.
const (
	replacesFile  = "file"
	replacesMonth = "month"
	replacesNone  = "none"
)

const maxHeaderRows = 3

// choices are the options that take one of a few words.
func (s *Stream) choices() map[string]struct {
	value string
	words []string
} {
	type choice = struct {
		value string
		words []string
	}
	return map[string]choice{
		"format":   {s.Format, []string{"auto", "csv", "tsv", "xlsx", "jsonl"}},
		"encoding": {s.Encoding, slices.Sorted(maps.Keys(encodings))},
		"quote":    {s.Quote, slices.Sorted(maps.Keys(quotes))},
		"replaces": {s.Replaces, []string{replacesFile, replacesMonth, replacesNone}},
		"period":   {s.Period, []string{"", "name", "sheet", "title"}},
		"removed":  {s.Removed, []string{"keep", "withdraw"}},
	}
}

// Reads tells whether the source is of a survey's item.
func (s *Stream) Reads(item connectors.Item) bool {
	fits, _ := path.Match(folded(s.Files), folded(item.Name))
	return fits || s.Files == item.Name
}

// Validate reports what is missing or contradictory.
func (s *Stream) Validate() error {
	var ps fault.Problems
	if s.Files == "" {
		ps.Add("files", "is required: a pattern of file names below dir, as 日報/*.xlsx")
	} else if err := checkPattern(s.Files); err != nil {
		ps.Add("files", "%s", err)
	}
	choices := s.choices()
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		if c := choices[name]; !slices.Contains(c.words, c.value) {
			known := slices.DeleteFunc(slices.Clone(c.words), func(w string) bool { return w == "" })
			ps.Add(name, "%q is not one of %s%s", c.value, strings.Join(known, ", "), fault.DidYouMean(c.value, known))
		}
	}
	if _, ok := separator(s.Separator); !ok && s.Separator != "" {
		ps.Add("separator", `%q is not one ASCII character, nor the word tab`, s.Separator)
	}
	if _, err := regexp.Compile(s.Part); err != nil {
		ps.Add("part", "is no regular expression: %s", err)
	}
	s.validateHeader(&ps)
	for list, words := range map[string][]string{"key": s.Key, "columns": s.Columns, "totals": s.Totals, "stop_at": s.StopAt, "sheets": s.Sheets, "header.find": s.Header.Find} {
		for i, w := range words {
			if strings.TrimSpace(w) == "" {
				ps.Add(fmt.Sprintf("%s[%d]", list, i), "is empty")
			}
		}
	}
	for i, p := range s.Sheets {
		if _, err := path.Match(p, ""); err != nil {
			ps.Add(fmt.Sprintf("sheets[%d]", i), "%q is no pattern; * stands for any characters", p)
		}
	}
	s.validateStatement(&ps)
	return ps.Or()
}

func (s *Stream) validateHeader(ps *fault.Problems) {
	h := s.Header
	none := h.Row == 0 && len(h.Find) == 0
	switch {
	case h.Row < 0:
		ps.Add("header.row", "must be 1 or more, or 0 where there is no header")
	case none && len(s.Columns) == 0 && s.Format != "jsonl":
		ps.Add("columns", "is required where header.row is 0: the names of the columns from the left")
	case !none && len(s.Columns) > 0:
		ps.Add("columns", "is for files without a header (header.row: 0); the names stand in the header here")
	}
	if h.Rows < 1 || h.Rows > maxHeaderRows {
		ps.Add("header.rows", "must be 1 to %d: of how many lines the header is", maxHeaderRows)
	}
}

// validateStatement checks what says which rows replace which.
func (s *Stream) validateStatement(ps *fault.Problems) {
	if len(s.Key) > 0 && s.Replaces != replacesNone {
		ps.Add("replaces", "must be none where rows have a key of their own: a row is replaced by the next of the same key")
	}
	if len(s.Key) == 0 && s.Replaces == replacesNone {
		ps.Add("key", "is required with replaces: none, since a row could not be recognised when its file comes again")
	}
	if s.Replaces == replacesMonth && s.Month == "" && s.Period == "" {
		ps.Add("month", "is required with replaces: month, or a period: what says of which month a row is")
	}
	if s.Replaces != replacesMonth {
		for name, given := range map[string]bool{"month": s.Month != "", "part": s.Part != ""} {
			if given {
				ps.Add(name, "is for replaces: month alone")
			}
		}
	}
	if s.Removed == "withdraw" && s.Replaces != replacesFile {
		ps.Add("removed", "can be withdraw with replaces: file alone; else the rows of a file that is gone are not known")
	}
}

// SelectColumns restricts the stream to the columns that a mapping uses.
func (s *Stream) SelectColumns(columns []string) { s.selected = columns }

// quotes are the characters around cells that hold separators or line ends.
var quotes = map[string]byte{"double": '"', "single": '\'', "none": 0}

// separator reads the option of that name.
func separator(text string) (byte, bool) {
	if text == "tab" {
		return '\t', true
	}
	if len(text) != 1 || text[0] >= 0x80 || text[0] == '\n' || text[0] == '\r' || text[0] == '"' {
		return 0, false
	}
	return text[0], true
}
