package web

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// BenchmarkMonths asks for the heat table of ENERGYD_ACCOUNTS customers (500 unless set): its first page as
// readers meet it, what costs most of it, and 100 readers at the same time while contacts arrive and are folded.
func BenchmarkMonths(b *testing.B) {
	n := 500
	if s := os.Getenv("ENERGYD_ACCOUNTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	file := seeded(b, n)
	d := dashboard(b, file)
	ask := func(b *testing.B, address string) {
		if w := get(b, d, address, "ja"); w.Code != http.StatusOK {
			b.Errorf("%s: %d\n%s", address, w.Code, w.Body)
		}
	}
	b.Run("made", func(b *testing.B) { // once after a run; nobody waits for it but the first reader of all
		for b.Loop() {
			ask(b, "/months")
		}
	})
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	for name, address := range map[string]string{
		"first": "/months", "last": "/months?page=" + strconv.Itoa(1+(n-1)/rowsShown), "sorted": "/months?sort=account&order=desc",
		"filtered": "/months?segment=%E7%89%A9%E6%B5%81&only=low", "json": api + "/months",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask(b, address)
			}
			b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-held")
		})
	}
	b.Run("readers", func(b *testing.B) {
		p := open(b, file)
		done, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					keep(b, p, accounts(n+i, n+i+1), contacts(p.AsOf(), n+i, n+i+1))
				}
			}
		}()
		b.SetParallelism((100 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				ask(b, "/months")
			}
		})
		close(done)
		<-stopped
		if err := p.Close(); err != nil {
			b.Error(err)
		}
	})
}
