package salesforce

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/testcpu"
)

// simRows makes this test binary an org with so many tasks, until its input ends.
const simRows = "ENERGYD_SIM_ROWS"

func TestMain(m *testing.M) {
	if rows, err := strconv.Atoi(os.Getenv(simRows)); err == nil {
		if err := serveTasks(rows); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serveTasks(rows int) error {
	sim, err := crmsim.New(crmsim.Options{ClientSecret: plantedSecret, DailyCalls: 1_000_000})
	if err != nil {
		return err
	}
	account, err := sim.Insert("Account", map[string]any{"Name": "東海精密"})
	if err != nil {
		return err
	}
	// No contact: its relations would be a million rows more.
	for i := range rows {
		if _, err := sim.Insert("Task", map[string]any{"Subject": "電話：見積の確認 " + strconv.Itoa(i), "WhatId": account, "Status": "Completed", "ActivityDate": "2026-03-01",
			"Description": "Talked about the offer; wants to hear from us again before the end of the quarter.", "CallDurationInSeconds": float64(i % 600),
			"SystemModstamp": time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)}); err != nil {
			return err
		}
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	fmt.Println(server.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startOrg starts an org of so many tasks as a process of its own, so that the
// memory that is measured here is the reader's.
func startOrg(b *testing.B, rows int) (address string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), simRows+"="+strconv.Itoa(rows))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // stopped with its input
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "http://")
}

// BenchmarkBulkRead reads 1,000,000 tasks of 25 columns as records, and downloads
// the same file raw: the factor between them is asked to be at most 2. Memory is
// what the reading holds besides its batch; it must not grow with the rows.
func BenchmarkBulkRead(b *testing.B) {
	const rows = 1_000_000
	address := startOrg(b, rows)
	columns := []string{"Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "WhoId", "WhatId", "WhoCount", "WhatCount", "AccountId", "OwnerId", "Subject",
		"Description", "ActivityDate", "IsArchived", "IsRecurrence", "Status", "IsClosed", "Priority", "TaskSubtype", "CallType", "CallDurationInSeconds", "CompletedDateTime"}
	for b.Loop() {
		c := newConn(*config(address), quiet, 100*time.Millisecond)
		c.cfg.BulkFrom = 1
		opened, err := c.Source(b.Context(), stream("Task", columns...))
		if err != nil {
			b.Fatal(err)
		}
		s := opened.(*source)
		var cursor connectors.Cursor
		batch, err := s.Read(b.Context(), cursor, 20_000)
		if err != nil || s.parse(batch.Next).Open.Job == nil {
			b.Fatal(err, "no job")
		}
		j := *s.parse(batch.Next).Open.Job
		if _, err := c.finishedJob(b.Context(), "Task", j); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		bytes := rawDownload(b, c, j)
		raw := time.Since(began)

		began = time.Now()
		cpu := testcpu.Used(b)
		got, peak := 0, uint64(0)
		for more := true; more; {
			if batch, err = s.Read(b.Context(), batch.Next, 20_000); err != nil {
				b.Fatal(err)
			}
			got, more = got+len(batch.Records), batch.More
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
		}
		read, cpu := time.Since(began), testcpu.Used(b)-cpu
		if got != rows {
			b.Fatalf("%d rows of %d", got, rows)
		}
		b.ReportMetric(float64(rows)/read.Seconds(), "rows/s")
		b.ReportMetric(float64(rows)/raw.Seconds(), "raw-rows/s")
		b.ReportMetric(float64(bytes)/raw.Seconds()/1e6, "raw-MB/s")
		b.ReportMetric(read.Seconds()/raw.Seconds(), "factor")
		b.ReportMetric(float64(peak)/1e6, "peak-MB")
		b.ReportMetric(cpu.Seconds(), "cpu-s")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// rawDownload throws the results of a job away, page after page.
func rawDownload(b *testing.B, c *Conn, j job) (bytes int64) {
	for locator := ""; locator != "null"; {
		query := url.Values{"maxRecords": {strconv.Itoa(resultRows)}}
		if locator != "" {
			query.Set("locator", locator)
		}
		header, body, err := c.stream(b.Context(), call{op: "download", method: http.MethodGet, path: j.path() + "/results", query: query})
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, body)
		body.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes += n
		locator = header.Get("Sforce-Locator")
	}
	return bytes
}
