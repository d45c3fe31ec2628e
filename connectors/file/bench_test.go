package file

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/xuri/excelize/v2"
)

const benchRows = 1_000_000

// BenchmarkRead reads a million rows of eight columns, and tells rows a second and the largest heap between batches.
func BenchmarkRead(b *testing.B) {
	row := func(i int) []any {
		return []any{46082 + i%31, "14:30〜15:00", fmt.Sprintf("K%05d", i%50_000), "青葉製作所", "部長", "R01", "訪問", fmt.Sprintf("基幹更新の提案 %d 回目。感触良し。", i)}
	}
	header := []any{"日付", "時刻", "顧客コード", "顧客名", "相手役職", "担当", "区分", "内容"}
	for format, write := range map[string]func(b *testing.B, path string){
		"csv": func(b *testing.B, path string) {
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			w := bufio.NewWriter(f)
			line := func(cells []any) {
				for i, c := range cells {
					if i > 0 {
						w.WriteByte(',')
					}
					fmt.Fprintf(w, "\"%v\"", c)
				}
				w.WriteString("\r\n")
			}
			line(header)
			for i := range benchRows {
				line(row(i))
			}
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		},
		"xlsx": func(b *testing.B, path string) {
			f := excelize.NewFile()
			defer f.Close()
			w, err := f.NewStreamWriter("Sheet1")
			if err != nil {
				b.Fatal(err)
			}
			for i := range benchRows {
				cell, _ := excelize.CoordinatesToCellName(1, i+1)
				cells := row(i)
				if i == 0 {
					cells = header
				}
				if err := w.SetRow(cell, cells); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			if err := f.SaveAs(path); err != nil {
				b.Fatal(err)
			}
		},
	} {
		b.Run(format, func(b *testing.B) {
			f := newFolder(b)
			write(b, f.path("x."+format))
			f.touch("x." + format)
			rows, largest := 0, uint64(0)
			for b.Loop() {
				source := newSource(f.conn(), Connector.NewStream().(*Stream))
				source.cfg.Files = "*"
				for cursor, more := f.cursor, true; more; {
					batch, err := source.Read(b.Context(), cursor, 20_000)
					if err != nil {
						b.Fatal(err)
					}
					cursor, more, rows = batch.Next, batch.More, rows+len(batch.Records)
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					largest = max(largest, m.HeapAlloc)
				}
				source.Close()
			}
			if rows < benchRows-1 {
				b.Fatalf("%d rows", rows)
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(largest)/(1<<20), "MB-heap")
		})
	}
}
