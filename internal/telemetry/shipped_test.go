package telemetry

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// metricName matches what expressions name.
var metricName = regexp.MustCompile(`\b(energyd|go|process)_[a-z0-9_]+`)

// measured are the names of all series that energyd gives.
func measured(t *testing.T) map[string]int {
	m := NewMetrics("1.2.3")
	all(m, "tasks")
	names := series(t, m)
	for name, n := range names {
		names[name+"_bucket"], names[name+"_sum"] = n, n
	}
	return names
}

// TestShipped_alerts: each rule asks for metrics that there are, and says what to do.
func TestShipped_alerts(t *testing.T) {
	const file = "../../configs/prometheus/energyd.rules.yml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				For                 time.Duration
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	operations, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	known, found := measured(t), 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			found++
			for _, name := range metricName.FindAllString(r.Expr, -1) {
				if known[name] == 0 {
					t.Errorf("%s asks for %s, which there is not", r.Alert, name)
				}
			}
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["what_to_do"] == "" {
				t.Errorf("%s says too little: %v %v", r.Alert, r.Labels, r.Annotations)
			}
			if !strings.Contains(string(operations), "`"+r.Alert+"`") {
				t.Errorf("docs/operations.md does not tell of %s", r.Alert)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d rules", found)
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// TestShipped_dashboard: each panel has a place of its own and asks for metrics that there are.
func TestShipped_dashboard(t *testing.T) {
	text, err := os.ReadFile("../../configs/grafana/energyd.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	known, taken, shown := measured(t), map[[2]int]string{}, map[string]bool{}
	for _, p := range board.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies on %s, or outside", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s asks for nothing: %s", p.Title, target.Expr)
			}
			for _, name := range names {
				if shown[strings.TrimSuffix(name, "_bucket")] = true; known[name] == 0 {
					t.Errorf("%s asks for %s, which there is not", p.Title, name)
				}
			}
		}
	}
	for name := range known {
		hidden := []string{"energyd_build_info", "energyd_last_run_timestamp_seconds", "energyd_source_last_read_timestamp_seconds", "energyd_config_last_reload_success_timestamp_seconds"}
		if strings.HasPrefix(name, "energyd_") && !strings.HasSuffix(name, "_bucket") && !strings.HasSuffix(name, "_sum") && !shown[name] && !slices.Contains(hidden, name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestNotify: the service manager hears how the service stands; where none asks, nothing is done.
func TestNotify(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify(t.Context(), Ready); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	if err := Notify(t.Context(), Ready); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	n, err := conn.Read(got)
	if err != nil || string(got[:n]) != "READY=1" {
		t.Errorf("%q, %v", got[:n], err)
	}
}
