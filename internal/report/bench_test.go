package report_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"energyd/engine"
	"energyd/internal/report"
)

// BenchmarkReports makes and writes each report of ENERGYD_ACCOUNTS customers
// (1,000 unless set), five contacts a year each.
func BenchmarkReports(b *testing.B) {
	n := 1000
	if s := os.Getenv("ENERGYD_ACCOUNTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	c := newCompany(b)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 50 {
		c.entry(engine.Rep, fmt.Sprintf("u%d", i), fmt.Sprintf("営業 %d", i), facts(engine.Facts{"team": fmt.Sprintf("営業%d課", i%5)}))
	}
	kinds, ranks := []string{"visit", "phone", "mail", "web_meeting"}, []string{"staff", "section_manager", "department_manager", "executive"}
	for i := range n {
		id := fmt.Sprintf("0015g0000%09d", i)
		c.entry(engine.Account, id, fmt.Sprintf("株式会社サンプル%d", i), func(p *engine.Profile) { p.Owner = fmt.Sprintf("u%d", i%50) })
		for k := range 2 {
			c.entry(engine.Contact, fmt.Sprintf("%s%d", id, k), "", func(p *engine.Profile) { p.Account = id })
		}
		deal := "D" + id
		c.entry(engine.Deal, deal, "案件"+id, func(p *engine.Profile) {
			p.Account, p.Owner = id, fmt.Sprintf("u%d", i%50)
			p.Facts = engine.Facts{"stage": "Proposal", "amount": strconv.Itoa(1000 * rnd.IntN(9000)), "won": strconv.FormatBool(i%3 == 0), "closed": strconv.FormatBool(i%3 == 0), "products": fmt.Sprintf("P%d", i%7), "closes_on": "2026-04-01"}
		})
		c.entry(engine.Stage, "S"+id, "Proposal", facts(engine.Facts{"deal": deal, "reached_at": "2026-04-01"}))
		for k := range 5 {
			date := asOf - engine.Date(rnd.IntN(365))
			c.met(date.String(), kinds[rnd.IntN(4)], engine.Inbound, id, of(who(fmt.Sprintf("%s%d", id, k%2), ranks[rnd.IntN(4)])), on(deal), by(fmt.Sprintf("u%d", i%50)))
		}
	}
	c.save()
	c.acts = nil
	for _, name := range report.Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				t := c.make(name, settings(), report.Options{Months: 12})
				if err := t.WriteCSV(io.Discard, "ja"); err != nil {
					b.Fatal(err)
				}
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-held")
				runtime.KeepAlive(t)
			}
		})
	}
	b.Run("month.xlsx", func(b *testing.B) {
		for b.Loop() {
			if err := c.make("month", settings(), report.Options{Months: 12}).WriteXLSX(io.Discard, "ja"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
