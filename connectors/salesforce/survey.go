package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

var _ connectors.Surveyor = (*Conn)(nil)

// shipped are the objects that the starter configuration's mappings read as they are.
var shipped = map[string]string{
	"Account": "mappings/crm_account.yaml", "Contact": "mappings/crm_contact.yaml", "Opportunity": "mappings/crm_opportunity.yaml", "User": "mappings/crm_user.yaml",
	"Task": "mappings/crm_task.yaml", "Event": "mappings/crm_event.yaml", "EmailMessage": "mappings/crm_email.yaml", "OpportunityHistory": "mappings/crm_stage.yaml",
}

// master are the objects that are the directory.
var master = []string{"Account", "Contact", "Opportunity", "User"}

// The endings of objects that the org itself keeps for each other one.
var shadows = []string{"History", "Share", "Feed", "ChangeEvent", "Tag", "__hd", "__x", "__e", "__mdt", "EventRelation", "TaskRelation", "WhoRelation", "MessageRelation", "OwnerSharingRule"}

const (
	surveyAddress = 12_000 // characters of a statement, which goes into an address
	surveyText    = 400    // characters kept of a text
)

// Items lists the objects that hold records of people's work: one call, and one more for the org's own counts.
func (c *Conn) Items(ctx context.Context) ([]connectors.Item, error) {
	var all struct {
		Sobjects []struct {
			Name, Label         string
			Queryable           *bool
			Layoutable          *bool
			CustomSetting       bool
			DeprecatedAndHidden bool
		}
	}
	if err := c.call(ctx, call{op: "list objects", method: http.MethodGet, path: "/sobjects"}, &all); err != nil {
		return nil, err
	}
	items := []connectors.Item{}
	no := func(b *bool) bool { return b != nil && !*b }
	for _, o := range all.Sobjects {
		if mapped := shipped[o.Name]; mapped == "" && (no(o.Queryable) || no(o.Layoutable) || o.CustomSetting || o.DeprecatedAndHidden ||
			slices.ContainsFunc(shadows, func(end string) bool { return strings.HasSuffix(o.Name, end) })) {
			continue
		}
		items = append(items, connectors.Item{Name: o.Name, Label: o.Label, Kind: "object", Rows: -1, Mapping: shipped[o.Name], Master: slices.Contains(master, o.Name)})
	}
	slices.SortFunc(items, func(a, b connectors.Item) int { return strings.Compare(a.Name, b.Name) })
	return items, c.count(ctx, items)
}

// count fills in the org's own record counts, which are some hours old. An org
// that does not tell them leaves them unknown.
func (c *Conn) count(ctx context.Context, items []connectors.Item) error {
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = item.Name
	}
	var counts struct {
		SObjects []struct {
			Name  string
			Count int64
		}
	}
	err := c.call(ctx, call{op: "count records", method: http.MethodGet, path: "/limits/recordCount", query: url.Values{"sObjects": {strings.Join(names, ",")}}}, &counts)
	switch kind := fault.KindOf(err); {
	case err == nil:
	case ctx.Err() != nil, kind == fault.Quota, kind == fault.RateLimited, kind == fault.Auth && !hasCode(err, "INSUFFICIENT_ACCESS"):
		return err
	default:
		c.log.Debug("The org does not count its records.", "error", err)
		return nil
	}
	known := map[string]int64{}
	for _, o := range counts.SObjects {
		known[o.Name] = o.Count
	}
	for i := range items { // those that are not told have no records, or are not counted
		if n, ok := known[items[i].Name]; ok {
			items[i].Rows, items[i].Estimated = n, true
		}
	}
	return nil
}

// Sample reads the oldest, the middle and the newest records by their change time: four calls at most.
func (c *Conn) Sample(ctx context.Context, item connectors.Item, most int) (connectors.Sample, error) {
	out := connectors.Sample{Item: item}
	o, err := c.describe(ctx, item.Name)
	if err != nil {
		return out, err
	}
	out.Item.Name = o.Name
	s := &source{conn: c, object: o.Name}
	room := surveyAddress
	readable := o.readable()
	left := 0
	for _, name := range readable {
		f, _ := o.field(name)
		if room -= len(name) + 2; room < 0 {
			left++
			continue
		}
		s.columns = append(s.columns, column{asked: name, path: []string{name}, typ: f.Type})
		typ := f.Type
		if len(f.ReferenceTo) > 0 {
			typ = "reference(" + strings.Join(f.ReferenceTo, ", ") + ")"
		}
		out.Columns = append(out.Columns, connectors.SampleColumn{Name: f.Name, Label: f.Label, Type: typ, Key: f.Type == "id"})
	}
	if left > 0 {
		out.Notes = append(out.Notes, c.say("%d of %d fields were not looked at", "%[2]d項目中%[1]d項目は見ていない", left, len(readable)))
	}
	stamp := ""
	for _, name := range []string{"SystemModstamp", "LastModifiedDate", "CreatedDate"} {
		if _, ok := o.field(name); ok {
			stamp = name
			break
		}
	}
	if err := c.sampleRows(ctx, s, stamp, most, &out); err != nil {
		return out, err
	}
	return out, nil
}

// sampleRows reads the newest third, the oldest, and those from the middle of the time between; of few records all.
func (c *Conn) sampleRows(ctx context.Context, s *source, stamp string, most int, out *connectors.Sample) error {
	names := make([]string, len(s.columns))
	at := -1
	for i, col := range s.columns {
		names[i] = col.asked
		if col.asked == stamp {
			at = i
		}
	}
	columns := make([]int, len(s.columns))
	for i := range columns {
		columns[i] = i
	}
	read := func(tail string, limit int) ([][]any, error) {
		statement := fmt.Sprintf("SELECT %s FROM %s%s LIMIT %d", strings.Join(names, ", "), s.object, tail, limit)
		var rows [][]any
		for path, query := "/query", (url.Values{"q": {statement}}); path != ""; query = nil {
			var answer struct {
				Records        []map[string]any `json:"records"`
				NextRecordsURL string           `json:"nextRecordsUrl"`
			}
			if err := c.call(ctx, call{op: "sample " + s.object, method: http.MethodGet, path: path, query: query}, &answer); err != nil {
				return nil, err
			}
			for _, r := range answer.Records {
				row := s.take(r, columns)
				for i, v := range row {
					if text, ok := v.(string); ok && len(text) > surveyText {
						if r := []rune(text); len(r) > surveyText {
							row[i] = string(r[:surveyText])
						}
					}
				}
				rows = append(rows, row)
			}
			path = answer.NextRecordsURL
		}
		return rows, nil
	}
	if at < 0 {
		rows, err := read("", most)
		out.Rows, out.Whole, out.How = rows, len(rows) < most, c.say("the first records that the org gives", "組織が最初に返すレコード")
		return err
	}
	third := max(most/3, 1)
	newest, err := read(" ORDER BY "+stamp+" DESC, Id DESC", third)
	if err != nil || len(newest) < third {
		out.Rows, out.Whole = newest, true
		if out.Item.Rows = int64(len(newest)); len(newest) > 0 {
			out.Item.Estimated = false
			out.Item.Changed, _ = newest[0][at].(time.Time)
		}
		return err
	}
	oldest, err := read(" ORDER BY "+stamp+", Id", third)
	if err != nil {
		return err
	}
	rows := [][][]any{newest, oldest}
	low, okLow := oldest[len(oldest)-1][at].(time.Time)
	high, okHigh := newest[len(newest)-1][at].(time.Time)
	if okLow && okHigh && low.Before(high) {
		middle := low.Add(high.Sub(low) / 2).UTC().Format("2006-01-02T15:04:05Z")
		between, err := read(" WHERE "+stamp+" >= "+middle+" ORDER BY "+stamp+", Id", third)
		if err != nil {
			return err
		}
		rows = append(rows, between)
	}
	out.Item.Changed, _ = newest[0][at].(time.Time)
	id := slices.IndexFunc(s.columns, func(col column) bool { return strings.EqualFold(col.asked, "Id") })
	seen := map[any]bool{}
	for _, part := range rows {
		for _, row := range part {
			if id < 0 || !seen[row[id]] {
				out.Rows = append(out.Rows, row)
			}
			if id >= 0 {
				seen[row[id]] = true
			}
		}
	}
	out.How = c.say("the %d records changed last, as many of the longest unchanged, and as many between", "最近更新された%[1]d件、最も長く更新のない%[1]d件、その間の%[1]d件", third)
	return nil
}

// Stream gives the object's source: the org itself knows keys and change times.
func (c *Conn) Stream(item connectors.Item, _ connectors.Reading) []connectors.Option {
	return []connectors.Option{{Name: "object", Value: item.Name}}
}
