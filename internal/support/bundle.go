package support

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"time"

	"energyd/internal/config"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// Options are what a bundle is made of, beside the configuration and the store.
type Options struct {
	Version string    // of the program
	Now     time.Time // UTC
	Log     io.Reader // a log of energyd; nil = none
}

// Most of a log and of an answer that goes into a bundle, in bytes.
const (
	mostLog     = 8 << 20
	mostMetrics = 4 << 20
	mostRuns    = 200
)

const readMe = `What energyd knows of itself, for somebody who helps from outside. Every file is text: look at them before you send them.

about.json     program, machine, store, how many rows its tables have
energyd.yaml   the configuration, with its texts masked where they could name somebody
status.json    the last runs with their messages, sources, rejects by class, budgets, next starts
metrics.txt    what the daemon tells Prometheus, when it runs
log.txt        the log that was given with --log

Names, addresses and keys that the store knows, mail addresses, secrets, and what messages quote, are covered.
Mappings, points, activities, scores, plans and rejects are not in here.
`

// Write packs a bundle into w. What cannot be found out is told in its place.
// p may be opened at rest. Faults: those of the store.
func Write(ctx context.Context, w io.Writer, p *pipeline.Pipeline, opt Options) error {
	cfg := p.Config()
	masked, err := config.Mask(cfg.File)
	if err != nil {
		return err
	}
	cover, err := coverOf(ctx, p.Store(), masked.Secrets)
	if err != nil {
		return err
	}
	about, err := about(ctx, p.Store(), opt)
	if err != nil {
		return err
	}
	status, err := status(ctx, p, cover)
	if err != nil {
		return err
	}
	files := []struct {
		name string
		text []byte
	}{{"README.txt", []byte(readMe)}, {"about.json", about}, {"energyd.yaml", masked.Text}, {"status.json", status}, {"metrics.txt", metrics(ctx, cfg)}}
	if opt.Log != nil {
		log, err := end(opt.Log, mostLog)
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		files = append(files, struct {
			name string
			text []byte
		}{"log.txt", log})
	}
	packed := zip.NewWriter(w)
	for _, f := range files {
		file, err := packed.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: opt.Now})
		if err != nil {
			return err
		}
		text := string(f.text)
		if f.name != "README.txt" {
			text = cover.Lines(text)
		}
		if _, err := io.WriteString(file, text); err != nil {
			return err
		}
	}
	return packed.Close()
}

// end reads the last lines, of most bytes in all: what happened last is what somebody asks about. Of a
// line that is cut nothing is given, since half a name is not covered.
func end(r io.Reader, most int) ([]byte, error) {
	var kept []byte
	cut := false
	for chunk := make([]byte, 64<<10); ; {
		n, err := r.Read(chunk)
		if kept = append(kept, chunk[:n]...); len(kept) > most {
			kept, cut = kept[len(kept)-most:], true
		}
		if errors.Is(err, io.EOF) {
			if cut {
				_, kept, _ = bytes.Cut(kept, []byte("\n"))
			}
			return kept, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func coverOf(ctx context.Context, s *store.Store, secrets []string) (*Cover, error) {
	cover := new(Cover)
	for _, secret := range secrets {
		cover.Hide(secret)
	}
	for name, err := range s.Names(ctx) {
		if err != nil {
			return nil, err
		}
		cover.Add(name)
	}
	return cover, nil
}

func about(ctx context.Context, s *store.Store, opt Options) ([]byte, error) {
	version, kind, err := s.Version(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.Counts(ctx)
	if err != nil {
		return nil, err
	}
	return lines(map[string]any{
		"version": opt.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "processors": runtime.NumCPU(), "at": opt.Now.UTC().Format(time.RFC3339),
		"in_container": inContainer(), "store": kind, "store_version": version, "rows": rows,
	})
}

func inContainer() bool {
	_, docker := os.Stat("/.dockerenv")
	_, podman := os.Stat("/run/.containerenv")
	return docker == nil || podman == nil
}

// status is what energyd status tells, without what is of single customers.
func status(ctx context.Context, p *pipeline.Pipeline, cover *Cover) ([]byte, error) {
	s, err := p.Status(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := p.Store().Runs(ctx, mostRuns)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		runs[i].Message = cover.Message(runs[i].Message)
	}
	covered := func(texts []string) []string {
		for i := range texts {
			texts[i] = cover.Message(texts[i])
		}
		return texts
	}
	starts := make([]map[string]any, len(s.Starts))
	for i, start := range s.Starts {
		starts[i] = map[string]any{"source": start.Source, "schedule": start.Schedule.String(), "next": start.At, "missed": start.Missed}
	}
	plan := map[string]any{}
	if s.Plan != nil {
		plan = map[string]any{"plan": s.Plan.Plan, "state": s.Plan.State, "records": s.Plan.Records, "brakes": len(s.Plan.Brakes)}
	}
	return lines(map[string]any{"running": len(s.AtWork) > 0, "runs": runs, "sources": s.Sources, "rejects": s.Rejects, "advice": covered(s.Advice), "quality": covered(s.Quality),
		"budgets": s.Budgets, "starts": starts, "plan": plan, "unconfigured": s.Unconfigured, "zone": s.Zone.String()})
}

func lines(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return out.Bytes(), err
}

// metrics asks the daemon of this configuration, or tells why it does not answer.
func metrics(ctx context.Context, cfg *config.Config) []byte {
	text, err := scrape(ctx, cfg)
	if err != nil {
		return []byte("# no metrics: " + err.Error() + "\n")
	}
	return text
}

func scrape(ctx context.Context, cfg *config.Config) ([]byte, error) {
	switch {
	case cfg.HTTP.Listen == "off":
		return nil, errors.New("http.listen is off")
	case cfg.HTTP.Certificate != "":
		return nil, errors.New("they are served by TLS under another name; take them from Prometheus")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.HTTP.Listen+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	if !cfg.HTTP.Token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+cfg.HTTP.Token.Reveal())
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, errors.New("the daemon does not answer at " + cfg.HTTP.Listen)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New(answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, mostMetrics))
}
