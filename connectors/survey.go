package connectors

import (
	"context"
	"time"
)

// Surveyor is an optional ability of a Conn: to show what there is to read
// before any source is configured. It reads only, and little: an item of any
// size is looked at by a sample, in the time that ctx gives.
type Surveyor interface {
	// Items lists what can be read, by name; what the signed-on user may not read is left out.
	// Faults: auth, unavailable, rate_limited, quota.
	Items(ctx context.Context) ([]Item, error)
	// Sample gives up to most rows that are spread over the whole item, not its first ones.
	// Faults: as of Items; config when there is no such item (any more).
	Sample(ctx context.Context, item Item, most int) (Sample, error)
	// Stream gives the options of a source that reads the item, in the order in which people
	// write them. It does no I/O.
	Stream(item Item, by Reading) []Option
}

// Item is a table, an object, a folder or a file that can be read.
type Item struct {
	Name      string    `json:"name"`             // as a source's configuration names it: "sales.日報", "Task", "日報/*.xlsx"
	Label     string    `json:"label,omitempty"`  // the name that people know, where it is another one
	Kind      string    `json:"kind"`             // a word: table, view, object, folder, file, files
	Rows      int64     `json:"rows"`             // -1 = not known
	Estimated bool      `json:"estimated"`        // Rows is the source's own estimate
	Changed   time.Time `json:"changed,omitzero"` // newest change, UTC, where it costs nothing to know
	// Mapping is the mapping file of the starter configuration that reads the item as it is, as
	// "mappings/crm_task.yaml"; "" = there is none.
	Mapping string `json:"mapping,omitempty"`
	Master  bool   `json:"master,omitempty"` // Mapping makes directory entries of the item
}

// Sample is what a survey looks at of an item.
type Sample struct {
	Columns []SampleColumn
	Rows    [][]any  // values as Record.Values, in the order of Columns
	Whole   bool     // Rows are all rows
	How     string   // one phrase: how the rows were chosen; "" when Whole
	Notes   []string // sentences for the admin: calls that it took, rows that cannot be read, an encoding that was guessed
	Item    Item     // the item with what came to light meanwhile: the number of rows, the newest change
}

// SampleColumn is what the source declares of a column.
type SampleColumn struct {
	Name    string `json:"name"`
	Label   string `json:"label,omitempty"` // of people, where it is another one
	Type    string `json:"type"`            // in the source's own words: "varchar(40)"
	NotNull bool   `json:"not_null"`
	Key     bool   `json:"key"` // of the declared primary key
	// Words are what the source says that values stand for: "1" → "訪問". nil = it says nothing. They may name people.
	Words    map[string]string `json:"-"`
	Tells    bool              `json:"-"` // a source may follow changes by it: a time, or a number
	Zoneless bool              `json:"-"` // times in it need the source's time zone
}

// Reading is how an item is best read, as far as a survey found out. A
// connector heeds what its streams have an option for.
type Reading struct {
	Key     []string // columns that are unique together; nil = as declared
	Changed string   // column of the last change; "" = none
	Zone    string   // of times without one: "Asia/Tokyo"
	Columns []string // names of the columns, where a file's head has to be found by them
	// Yearless tells that the dates lack their year, 3/1: the source has to say of which year or month it is.
	Yearless bool
}

// Option is one option of a source in energyd.yaml.
type Option struct {
	Name   string `json:"name"`
	Value  any    `json:"value"`            // string, bool, int, []string or []Option
	Reason string `json:"reason,omitempty"` // a phrase on why, for a comment; "" = it needs none
}
