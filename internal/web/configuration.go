package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"energyd/internal/report"
	"energyd/sink"
)

// configuration is what energyd works by.
type configuration struct {
	Store    string          `json:"store"` // "SQLite" or "PostgreSQL"
	Language string          `json:"language"`
	Zone     string          `json:"timezone"`
	Points   string          `json:"points"` // version of the table
	Settings []setting       `json:"settings"`
	Sources  []configSource  `json:"sources"`
	Written  []writtenFields `json:"written"`
	Files    []string        `json:"files"`
	File     string          `json:"file,omitempty"`  // that is shown
	Lines    []string        `json:"lines,omitempty"` // of it, without secrets
	Warnings []string        `json:"warnings,omitempty"`
}

// setting is an option with what holds, written or not.
type setting struct {
	Name  string `json:"name"` // "brakes"
	Value string `json:"value"`
	label text
}

// configSource is a source as the configuration has it.
type configSource struct {
	Name       string `json:"source"`
	Connection string `json:"connection"`
	Kind       string `json:"kind"` // of the connection: "Salesforce"
	Mapping    string `json:"mapping"`
	Schedule   string `json:"schedule,omitempty"` // "" = the common one
}

// writtenFields are what is written into one object.
type writtenFields struct {
	Writing string         `json:"writing"` // "crm.Account"
	Entity  string         `json:"entity"`
	Fields  []writtenField `json:"fields"`
}

// writtenField is a value and its field in the CRM.
type writtenField struct {
	Measure string       `json:"measure"`
	Field   string       `json:"field"`
	Label   report.Label `json:"-"`
}

func viewConfiguration(_ context.Context, v *visit) (*configuration, error) {
	cfg := v.p.Config()
	c := &configuration{Store: "SQLite", Language: cfg.Language, Zone: v.zone.String(), Points: v.p.Points().Version(), Files: cfg.FileNames(),
		File: v.query.Get("file"), Warnings: cfg.Warnings}
	if strings.HasPrefix(cfg.Store, "postgres") {
		c.Store = "PostgreSQL"
	}
	kinds := map[string]string{}
	for _, conn := range cfg.Connections {
		kinds[conn.Name] = conn.Connector.Title
	}
	for _, s := range cfg.Sources {
		c.Sources = append(c.Sources, configSource{s.Name, s.Connection, kinds[s.Connection], cfg.NameOf(s.Mapping), s.Schedule})
	}
	for _, w := range cfg.Write {
		fields := writtenFields{Writing: w.Name(), Entity: w.Entity.String()}
		for _, m := range sink.Measures {
			if field, ok := w.Fields[m.Name]; ok {
				fields.Fields = append(fields.Fields, writtenField{m.Name, field, m.Label})
			}
		}
		c.Written = append(c.Written, fields)
	}
	c.Settings = []setting{
		{"schedule", cfg.Schedule, text{Ja: "予定（同期）", En: "Schedule of the sync"}},
		{"brakes", cfg.Brakes.String(), text{Ja: "ブレーキ", En: "Brakes"}},
		{"plans.expires", lasting(cfg.Plans.Expires), text{Ja: "計画の有効期間", En: "A plan waits at most"}},
		{"plans.keep", lasting(cfg.Plans.Keep), text{Ja: "変更内容の保存期間（取消できる期間）", En: "Changes are kept (and can be undone) for"}},
		{"journal_days", fmt.Sprint(cfg.JournalDays), text{Ja: "操作記録の保存日数（0 = 無期限）", En: "The journal is kept for days (0 = for ever)"}},
		{"recount_records", fmt.Sprint(cfg.RecountRecords), text{Ja: "件数照合で一晩に読み直す上限", En: "Records that a night's recount reads at most"}},
		{"http.listen", cfg.HTTP.Listen, text{Ja: "待ち受けアドレス", En: "Listens at"}},
	}
	var err error
	if c.File != "" {
		c.Lines, err = cfg.Text(c.File)
	}
	return c, err
}

// Label says what the option is.
func (s setting) Label() text { return s.label }

// FilePath is the page with a file shown.
func (c *configuration) FilePath(name string) string {
	return "/configuration?" + url.Values{"file": {name}}.Encode() + "#files"
}

// lasting is a time as the configuration has it: "48h", "1h30m0s".
func lasting(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
