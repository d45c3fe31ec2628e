package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// BenchmarkWorkbook reads one sheet by our reader and by excelize: its row iterator
// alone (texts without types), and with what a report needs of it besides (merged
// cells, whether a cell is a date). Each way runs in a process of its own for peak-MB:
//
//	go test -run '^$' -bench 'Workbook/ours$' -benchtime 1x ./connectors/file
func BenchmarkWorkbook(b *testing.B) {
	rows := 200_000
	if n, err := strconv.Atoi(os.Getenv("BENCH_ROWS")); err == nil {
		rows = n
	}
	path := filepath.Join(b.TempDir(), "x.xlsx")
	if kept := os.Getenv("BENCH_BOOK"); kept != "" {
		path = kept
	}
	if _, err := os.Stat(path); err != nil {
		writeBenchBook(b, path, rows)
	}
	for _, way := range []struct {
		name string
		read func(b *testing.B, path string) int
	}{{"ours", readOurs}, {"excelize-rows", readExcelize}, {"excelize-cells", readExcelizeCells}} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n += way.read(b, path)
			}
			if want := b.N * rows; n != want {
				b.Fatalf("%d rows of %d", n, want)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
}

func writeBenchBook(b *testing.B, path string, rows int) {
	b.Helper()
	f := excelize.NewFile()
	defer f.Close()
	day := "yyyy/m/d"
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &day})
	if err != nil {
		b.Fatal(err)
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows + 1 {
		row := []any{excelize.Cell{StyleID: style, Value: 46082 + i%31}, "14:30〜15:00", fmt.Sprintf("K%05d", i%50_000), "青葉製作所", "部長", "R01", "訪問", fmt.Sprintf("基幹更新の提案 %d 回目。感触良し。", i)}
		if i == 0 {
			row = []any{"日付", "時刻", "顧客コード", "顧客名", "相手役職", "担当", "区分", "内容"}
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.SaveAs(path); err != nil {
		b.Fatal(err)
	}
}

func readOurs(b *testing.B, path string) int {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	r, err := openSheets(b.Context(), f, Connector.NewStream().(*Stream), "x.xlsx", info.Size(), nil, position{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	n := 0
	for {
		it, err := r.next(b.Context())
		if err != nil {
			return n
		}
		if len(it.values) != 8 {
			b.Fatal(it.reason)
		}
		n++
	}
}

func readExcelize(b *testing.B, path string) int {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	return excelizeRows(b, f, func([]string) {}) - 1
}

func readExcelizeCells(b *testing.B, path string) int {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.GetMergeCells("Sheet1"); err != nil {
		b.Fatal(err)
	}
	row := 0
	return excelizeRows(b, f, func(cells []string) {
		row++
		for i := range cells {
			cell := letters(i) + strconv.Itoa(row)
			if kind, err := f.GetCellType("Sheet1", cell); err != nil {
				b.Fatal(err)
			} else if kind != excelize.CellTypeUnset && kind != excelize.CellTypeNumber {
				continue
			}
			if _, err := f.GetCellStyle("Sheet1", cell); err != nil {
				b.Fatal(err)
			}
		}
	}) - 1
}

func excelizeRows(b *testing.B, f *excelize.File, do func([]string)) (n int) {
	rows, err := f.Rows("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			b.Fatal(err)
		}
		do(cells)
		n++
	}
	return n
}

// peakMB is the most memory that this process had so far.
func peakMB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // no Linux
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kb, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n / 1024
}
