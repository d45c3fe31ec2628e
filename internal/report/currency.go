package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"energyd/internal/fault"
)

// adds notes a won deal's currency, and tells whether its amount is added to the others.
func (dir *directory) adds(r *dealRow, currency string) bool {
	if !r.hasAmount && !r.hasMargin {
		return true
	}
	dir.won[r.currency]++
	return currency == "" || r.currency == "" || r.currency == currency
}

// money refuses sums over several currencies: no rate is known, and one that
// changed would move figures of the past. With reports.currency the table is of that one
// alone, and a note says what it leaves out. Faults: config.
func (dir *directory) money(t *Table, currency string) error {
	left := 0
	var named []string
	for _, name := range slices.Sorted(maps.Keys(dir.won)) {
		if name == "" { // the CRM's own
			continue
		}
		named = append(named, name)
		if name != currency {
			left += dir.won[name]
		}
	}
	switch {
	case currency == "" && len(named) > 1:
		return fault.New(fault.Config, "report", "deals were won in several currencies, which cannot be added: "+strings.Join(named, ", "),
			fmt.Sprintf("write one of them under reports of energyd.yaml, as currency: %s; sums are of that one then, and the report says how many deals it leaves out", named[0]), nil)
	case currency != "" && left > 0:
		t.Note("金額は %[1]s の案件だけの合計です。他の通貨の受注 %[2]d 件は金額に含めていません。", "Amounts are those of deals in %[1]s; %[2]d that were won in other currencies are not in them.", currency, left)
	}
	return nil
}
