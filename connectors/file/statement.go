package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"energyd/connectors"
)

// A file is a complete statement of its unit: of itself, or of each month that
// it has rows of. A row is known by its unit and its number there, since what a
// file of an earlier day said is not kept anywhere: when it comes again, row 17
// replaces row 17, and rows beyond the last one are withdrawn (decision 0060).

// replacing tells that files are statements, not collections of rows with keys.
func (s *source) replacing() bool { return s.cfg.Replaces != replacesNone }

// unit is what a row's number counts in; ok is false when its month is not to be told.
func (s *source) unit(file string, it item) (unit string, ok bool) {
	if s.cfg.Replaces == replacesFile {
		return "", true
	}
	var month period
	if s.cfg.Month != "" {
		if month, ok = monthOf(value(it, s.cfg.Month), it.period); !ok {
			return "", false
		}
	} else if month, ok = value(it, "").(period); !ok || month.month == 0 {
		return "", false
	}
	unit = month.String()
	if s.part != nil {
		m := s.part.FindStringSubmatch(file)
		switch {
		case len(m) > 1:
			unit = m[1] + "/" + unit
		case len(m) == 1:
			unit = m[0] + "/" + unit
		}
	}
	return unit, true
}

// value is what an item holds in a column; of "" the period of its file.
func value(it item, column string) any {
	if column == "" {
		return it.period
	}
	if i := it.columns.Index(column); i >= 0 {
		return it.values[i]
	}
	return nil
}

// known is the number of rows that stand of a unit.
func (w *walk) known(file, unit string) int {
	if w.cfg.Replaces == replacesMonth {
		return w.cursor.Months[unit]
	}
	return w.cursor.Files[file].Rows
}

// rowKey names row n of a unit.
func (w *walk) rowKey(file, unit string, n int) string {
	if w.cfg.Replaces == replacesFile {
		unit = file
	}
	w.key = append(append(w.key[:0], unit...), '/')
	return string(strconv.AppendInt(w.key, int64(n), 10))
}

// next is the change time of the next record.
func (w *walk) stamp() time.Time {
	w.cursor.Stamp++
	return time.UnixMicro(w.cursor.Stamp).UTC()
}

// add gives a row to the batch. It is false when there was room only for the
// deletion of the row's older version: the row is to be read again then.
func (w *walk) add(it item) bool {
	o := w.cursor.Open
	if it.skip != "" {
		if w.batch.Skipped == nil {
			w.batch.Skipped = map[string]int{}
		}
		w.batch.Skipped[it.skip]++
		return true
	}
	reject := connectors.Reject{Origin: it.place, Code: it.code, Reason: it.reason}
	if it.columns != nil && it.values != nil {
		reject.Fields = connectors.Record{Columns: it.columns, Values: it.values}.Fields()
	}
	key, unit, numbered := "", "", false
	if w.replacing() {
		if unit, numbered = w.unit(o.Path, it); numbered {
			n := o.Rows[unit] + 1
			key = w.rowKey(o.Path, unit, n)
			if n <= w.known(o.Path, unit) && !o.Twice {
				// What stands in this place goes first, since the new row may become no activity.
				w.batch.Records = append(w.batch.Records, w.deleted(key, o.Path, it.columns))
				if w.left() == 0 {
					o.Twice = true
					return false
				}
			}
			o.Rows[unit], o.Twice = n, false
		} else if it.code == "" {
			reject.Code, reject.Reason = "month", w.noMonth(it)
		}
	} else if it.code == "" {
		var ok bool
		if key, ok = w.keyOf(it); !ok {
			reject.Code = "no_key"
			reject.Reason = fmt.Sprintf("the row has nothing in its key columns (%s); fill them in the file, or name others in key", strings.Join(w.cfg.Key, ", "))
		}
	}
	if reject.Code != "" {
		if reject.Key = key; key == "" {
			reject.Key = it.place
		}
		w.batch.Rejects = append(w.batch.Rejects, reject)
		return true
	}
	for _, v := range it.values {
		if text, ok := v.(string); ok {
			w.room -= len(text)
		}
	}
	w.batch.Records = append(w.batch.Records, connectors.Record{Key: key, ChangedAt: w.stamp(), Columns: it.columns, Values: it.values, Origin: it.place})
	return true
}

func (w *walk) noMonth(it item) string {
	if w.cfg.Month != "" {
		return fmt.Sprintf("the column %s holds no date whose month can be told (%v); correct it in the file", w.cfg.Month, value(it, w.cfg.Month))
	}
	return fmt.Sprintf("the month that the file is of does not stand where period says (%s)", w.cfg.Period)
}

var noColumns = connectors.NewColumns(nil)

// deleted withdraws what stands under a key.
func (w *walk) deleted(key, origin string, columns *connectors.Columns) connectors.Record {
	if columns == nil {
		columns = noColumns
	}
	return connectors.Record{Key: key, ChangedAt: w.stamp(), Deleted: true, Columns: columns, Values: make([]any, len(columns.Names)), Origin: origin}
}

// keyOf joins the values of the key columns; ok is false when all are empty.
func (w *walk) keyOf(it item) (key string, ok bool) {
	parts := make([]string, len(w.cfg.Key))
	for i, name := range w.cfg.Key {
		v := value(it, name)
		if v == nil {
			continue
		}
		parts[i] = strings.TrimSpace(fmt.Sprint(v))
		ok = ok || parts[i] != ""
		if len(parts) > 1 {
			parts[i] = slashes.Replace(parts[i])
		}
	}
	return strings.Join(parts, "/"), ok
}

var slashes = strings.NewReplacer("%", "%25", "/", "%2F")

// gaps are the rows that stood and that the open file no longer has.
func (w *walk) gaps(o *open) []gap {
	if !w.replacing() {
		return nil
	}
	if w.cfg.Replaces == replacesFile {
		o.Rows[""] += 0 // a file that has no rows any more
	}
	var gone []gap
	for _, unit := range slices.Sorted(maps.Keys(o.Rows)) {
		if n, old := o.Rows[unit], w.known(o.Path, unit); n < old {
			gone = append(gone, gap{unit, n + 1, old})
		}
	}
	return gone
}

// withdraw gives the deletions of the first gap, as many as there is room for.
func (w *walk) withdraw() {
	o := w.cursor.Open
	g := &o.Gone[0]
	for w.left() > 0 && g.From <= g.To {
		w.batch.Records = append(w.batch.Records, w.deleted(w.rowKey(o.Path, g.Unit, g.From), o.Path, nil))
		g.From++
	}
	if g.From > g.To {
		if o.Gone = o.Gone[1:]; len(o.Gone) == 0 {
			w.cursor.Open = nil
		}
	}
}

// keepRows remembers the rows that were given of a file which is left before its end.
func (w *walk) keepRows(o *open) {
	c := w.cursor
	if w.cfg.Replaces == replacesMonth {
		for unit, n := range o.Rows {
			c.Months[unit] = max(c.Months[unit], n)
		}
	}
	known := c.Files[o.Path]
	known.Hash, known.End = "", nil
	if w.cfg.Replaces == replacesFile {
		known.Rows = max(known.Rows, o.Rows[""])
	}
	c.Files[o.Path] = known
}

// brakeFrom is the number of rows from which half of them must come again; below, one.
const brakeFrom = 20

// shrunk tells that so many rows less are more likely a mistake than a correction.
func shrunk(old, now int) bool {
	return old > 0 && now == 0 || old >= brakeFrom && 2*now < old
}

// believed reads a file that was read before, and counts what it says. One that is
// empty, cannot be read or has lost more than half of its rows changes nothing, and is told.
func (w *walk) believed(ctx context.Context, f found) (bool, error) {
	if w.cfg.Replaces == replacesFile && w.known(f.path, "") == 0 || len(w.cursor.Files) == 0 {
		return true, nil
	}
	r, err := w.open(ctx, f, position{})
	if err != nil {
		return false, w.broken(f.path, err)
	}
	defer r.Close()
	rows := map[string]int{}
	if w.cfg.Replaces == replacesFile {
		rows[""] = 0
	}
	for {
		it, err := r.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, w.broken(f.path, err)
		}
		if it.skip != "" || it.code != "" {
			continue
		}
		if unit, ok := w.unit(f.path, it); ok {
			rows[unit]++
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(rows)) {
		if old := w.known(f.path, unit); shrunk(old, rows[unit]) {
			what := "the file"
			if unit != "" {
				what = "the file's " + unit
			}
			w.reject(f.path, "shrunk", fmt.Sprintf("%s has %d usable rows now and had %d: that looks like a mistake, so what it said before stands; "+
				"send it whole. If it is right, it counts with the next complete reading (reread)", what, rows[unit], old))
			return false, nil
		}
	}
	return true, nil
}

// removed begins to withdraw the rows of a file that is gone, where the admin wants it. false: there is nothing to do.
func (w *walk) removed(told map[string]bool) bool {
	if w.cfg.Removed != "withdraw" {
		return false
	}
	there := map[string]bool{}
	for _, f := range w.list.files {
		there[f.path] = true
	}
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(w.cursor.Files)) {
		if !there[name] && !told[name] {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return false
	}
	const all = "*"
	if shrunk(max(len(w.cursor.Files), 0), len(w.cursor.Files)-len(gone)) {
		if told[all] {
			return false
		}
		w.pass(all)
		w.batch.Rejects = append(w.batch.Rejects, connectors.Reject{Key: w.cfg.Files, Origin: w.cfg.Files, Code: "removed",
			Reason: fmt.Sprintf("%d of %d files are gone: that looks like a mistake, so what they said stands; bring them back, or empty the source", len(gone), len(w.cursor.Files))})
		return true
	}
	name := gone[0]
	rows := w.cursor.Files[name].Rows
	delete(w.cursor.Files, name)
	if rows > 0 {
		w.cursor.Open = &open{Path: name, Gone: []gap{{"", 1, rows}}}
	}
	return true
}
