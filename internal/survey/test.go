package survey

import (
	"fmt"
	"slices"
	"strings"
)

const exampleFirm = "山田製作所"

// example is a test case of the mapping: one row as the survey understood it, with made-up values.
func (p *proposing) example() string {
	date, ok := p.has(Date)
	if !ok || p.out.missing {
		return ""
	}
	text, kind := "", ""
	if p.byText() {
		if text, kind = p.exampleText(); text == "" {
			return ""
		}
	}
	record := map[string]string{} // column → value as YAML
	for _, name := range p.columns {
		record[name] = "null"
	}
	expect := []string{p.exampleTime(date, record)}
	if text != "" {
		record[p.name(p.prose.column)] = quoted(text)
		expect = append(expect, "kind: "+kind)
	} else if i, ok := p.has(Kind); ok {
		for _, w := range p.out.Words {
			if w.Kind != "" {
				record[p.name(i)] = quoted(w.Word)
				expect = append(expect, "kind: "+w.Kind)
				break
			}
		}
	}
	customer := p.customer
	value, entity := "K0001", "account"
	switch customer.key {
	case "name":
		value = exampleFirm
	case "email":
		value, entity = "taro@customer.example", "contact"
	}
	if !customer.text {
		record[customer.column] = quoted(value)
	}
	directory := fmt.Sprintf(`{kind: account, id: "001", keys: {%s: %s}}`, key(customer.key), value)
	account := `"001"`
	switch {
	case customer.key == "id":
		directory, account = "{kind: account, id: "+value+"}", value
	case entity == "contact":
		directory = fmt.Sprintf(`{kind: account, id: "001"}, {kind: contact, id: "003", account: "001", keys: {email: %s}}`, value)
	}
	expect = append(expect, "account: "+account)
	fields := make([]string, len(p.columns))
	for i, name := range p.columns {
		fields[i] = key(name) + ": " + record[name]
	}
	expected := "{" + strings.Join(expect, ", ") + "}"
	if p.each {
		expected = "[" + expected + "]"
	}
	return fmt.Sprintf("  - name: %s\n    record: {%s}\n    directory: [%s]\n    expect: %s",
		scalar(p.text.of("a row as the survey understood it, with made-up values", "調査で理解した行の例（値は架空）")), strings.Join(fields, ", "), directory, expected)
}

// exampleTime sets the columns of the time to 2026-09-30, 10:00 where a clock time is told, and gives what is expected of them.
func (p *proposing) exampleTime(date int, record map[string]string) string {
	const moment = `"2026-09-30T01:00:00Z"`
	clock, hasClock := p.has(Time)
	if slices.Contains(p.columns, period) {
		record[period], record[p.name(date)] = `"2026-09"`, `"9/30"`
		if hasClock && clock != date && p.used[p.name(clock)] {
			record[p.name(clock)] = `"10:00"`
			return "at: 2026-09-30 10:00"
		}
		return "date: 2026-09-30"
	}
	switch {
	case hasClock && clock != date && p.used[p.name(clock)] && !p.used[p.name(date)]: // the start tells both
		record[p.name(clock)] = moment
		return "at: " + moment
	case hasClock && clock != date && p.used[p.name(clock)]:
		record[p.name(date)], record[p.name(clock)] = p.exampleDay(date), `"10:00"`
		return "at: 2026-09-30 10:00"
	case p.values[date].both > 0.5 && p.dateTime:
		record[p.name(date)] = moment
		return "at: " + moment
	case p.values[date].both > 0.5:
		record[p.name(date)] = moment
		return "date: 2026-09-30"
	}
	record[p.name(date)] = p.exampleDay(date)
	return "date: 2026-09-30"
}

// exampleDay is a day as the column writes it.
func (p *proposing) exampleDay(i int) string {
	if p.values[i].types["number"] > 0 {
		return "20260930"
	}
	return `"2026-09-30"`
}
