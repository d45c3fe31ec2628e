package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/demo"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/secret"
	"energyd/internal/telemetry"
)

// receiver is what takes traces by OTLP, and lineage, as their servers do.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*traces.Span
	service []string // attributes of the resource
	events  [][]byte
	refuse  bool
	auth    []string
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(q.Body)
	if r.refuse || err != nil || q.Method != http.MethodPost {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	r.auth = append(r.auth, q.Header.Get("Authorization"))
	switch {
	case q.URL.Path == "/v1/traces" && q.Header.Get("Content-Type") == "application/x-protobuf":
		var sent collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &sent); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, resource := range sent.GetResourceSpans() {
			for _, a := range resource.GetResource().GetAttributes() {
				r.service = append(r.service, a.GetKey()+"="+a.GetValue().GetStringValue())
			}
			for _, scope := range resource.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
		answer, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer)
	case q.URL.Path == "/api/v1/lineage" && q.Header.Get("Content-Type") == "application/json":
		r.events = append(r.events, body)
		w.WriteHeader(http.StatusCreated)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// ran lets the demo's company pull once, watched by r, and gives the run's id.
func ran(t *testing.T, r *receiver) string {
	t.Helper()
	dir := t.TempDir()
	world, err := demo.Start(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	file := filepath.Join(dir, "energyd.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "token"), "planted-trace-token")
	write(t, file, string(text)+"\ntraces: {endpoint: "+r.URL+"/v1/traces, token: \"${file:token}\"}\nlineage: {endpoint: "+r.URL+"/api/v1/lineage, token: \"${file:token}\", namespace: night}\n")
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Open(t.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, AsOf: engine.NoDate, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := p.Pull(t.Context())
	if err := errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	return report.Run
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRun_is_a_trace_and_two_events_of_lineage(t *testing.T) {
	r := receive(t)
	run := ran(t, r)

	t.Run("trace", func(t *testing.T) {
		var root *traces.Span
		byID, names := map[string]*traces.Span{}, map[string]int{}
		for _, s := range r.spans {
			byID[string(s.GetSpanId())] = s
			names[s.GetName()]++
			if len(s.GetParentSpanId()) == 0 {
				root = s
			}
		}
		if root == nil || root.GetName() != "run pull" {
			t.Fatalf("the spans are %v", names)
		}
		for name, least := range map[string]int{"run pull": 1, "read source": 10, "save batch": 10, "fold": 1} {
			if names[name] < least {
				t.Errorf("%d spans %q, want %d at least", names[name], name, least)
			}
		}
		var told []string
		for _, s := range r.spans {
			if !bytes.Equal(s.GetTraceId(), root.GetTraceId()) || s != root && byID[string(s.GetParentSpanId())] == nil {
				t.Errorf("%s is no part of the run's trace", s.GetName())
			}
			if s.GetName() == "save batch" && byID[string(s.GetParentSpanId())].GetName() != "read source" {
				t.Errorf("a batch is part of %s", byID[string(s.GetParentSpanId())].GetName())
			}
			if s.GetEndTimeUnixNano() < s.GetStartTimeUnixNano() || s.GetEndTimeUnixNano() > root.GetEndTimeUnixNano() {
				t.Errorf("%s ends after its run", s.GetName())
			}
			for _, a := range s.GetAttributes() {
				told = append(told, a.GetKey()+"="+a.GetValue().GetStringValue())
			}
		}
		for _, want := range []string{"energyd.run=" + run, "energyd.kind=pull", "energyd.state=partial", "energyd.source=mail", "energyd.connection=crm"} {
			if !slices.Contains(told, want) {
				t.Errorf("no attribute %s", want)
			}
		}
		allowed := regexp.MustCompile(`^energyd\.(run=` + run + `|kind=pull|state=\w+|source=\w+|connection=\w+|read=|arrived=)$`)
		for _, a := range told {
			if !allowed.MatchString(a) {
				t.Errorf("an attribute that may name somebody: %s", a)
			}
		}
		if !slices.Contains(r.service, "service.name=energyd") || !slices.Contains(r.service, "service.version=1.2.3") {
			t.Errorf("the service is %v", r.service)
		}
	})

	t.Run("lineage", func(t *testing.T) {
		schema := schemaOf(t)
		var events []telemetry.RunEvent
		for _, text := range r.events {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s\n%v", text, err)
			}
			var e telemetry.RunEvent
			if err := json.Unmarshal(text, &e); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		if len(events) != 2 || events[0].EventType != "START" || events[1].EventType != "COMPLETE" || events[0].Run.ID != events[1].Run.ID {
			t.Fatalf("the events are %s", bytes.Join(r.events, []byte("\n")))
		}
		end := events[1]
		var names []string
		for _, in := range end.Inputs {
			names = append(names, in.Name)
		}
		if !slices.Contains(names, "crm.accounts") || !slices.Contains(names, "mailboxes.mail") || end.Job != (telemetry.DataName{Namespace: "night", Name: "pull"}) {
			t.Errorf("job %v reads %v", end.Job, names)
		}
		if len(end.Outputs) != 1 || end.Outputs[0].Name != "store" {
			t.Errorf("it writes %v", end.Outputs)
		}
	})
	for _, auth := range r.auth {
		if auth != "Bearer planted-trace-token" {
			t.Errorf("signed on as %q", auth)
		}
	}
}

func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("testdata/openlineage-2-0-2.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestLineage_schema_refuses: what events are held to is no empty word.
func TestLineage_schema_refuses(t *testing.T) {
	schema := schemaOf(t)
	good, err := json.Marshal((&telemetry.Lineage{Namespace: "n"}).Event("START", "sync", "r", time.Unix(0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"START": "BEGIN", "1970-01-01T00:00:00Z": "yesterday", `"runId":"`: `"runId":"x`, `"job"`: `"jobs"`, "schemaURL": "schema", `"namespace":"n",`: ""} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(string(good), from, to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err == nil {
			t.Errorf("%s instead of %s is let through", to, from)
		}
	}
}

func TestSpan_of_a_failure_tells_its_kind_alone(t *testing.T) {
	r := receive(t)
	tracer, err := telemetry.NewTracer(t.Context(), telemetry.Traces{Endpoint: r.URL + "/v1/traces"}, "1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, run := tracer.Run(t.Context(), "sync", "r1")
	_, step := telemetry.Step(ctx, "apply")
	step.End(fault.New(fault.Auth, "crm", "taro@customer.example is locked out", "", nil))
	run.State("failed")
	run.End(nil)
	tracer.Close()
	if len(r.spans) != 2 {
		t.Fatalf("%d spans", len(r.spans))
	}
	for _, s := range r.spans {
		if text := s.String(); strings.Contains(text, "taro") {
			t.Errorf("it says %s", text)
		}
	}
	if s := r.spans[0]; s.GetName() != "apply" || s.GetStatus().GetMessage() != "auth" || hex.EncodeToString(s.GetParentSpanId()) == "" {
		t.Errorf("the failed step is %s", s)
	}
}

// TestTraces_that_nobody_takes_stop_nothing: neither a collector that refuses, nor none at all.
func TestTraces_that_nobody_takes_stop_nothing(t *testing.T) {
	r := receive(t)
	r.refuse = true
	var log bytes.Buffer
	tracer, err := telemetry.NewTracer(t.Context(), telemetry.Traces{Endpoint: r.URL + "/v1/traces", Token: secret.New("${file:x}", "planted-trace-token")}, "1", telemetry.NewLog(&log, slog.LevelWarn, telemetry.Text))
	if err != nil {
		t.Fatal(err)
	}
	_, run := tracer.Run(t.Context(), "sync", "r1")
	run.End(nil)
	tracer.Close()
	if !strings.Contains(log.String(), "traces were not taken") || strings.Contains(log.String(), "planted-trace-token") {
		t.Errorf("the log says %s", log.String())
	}
	l := telemetry.Lineage{Endpoint: r.URL + "/api/v1/lineage", Namespace: "n"}
	if err := l.Send(context.Background(), l.Event("START", "sync", "r1", time.Now())); fault.KindOf(err) != fault.Config {
		t.Errorf("a refusal is %v", err)
	}
	r.Close()
	if err := l.Send(context.Background(), l.Event("START", "sync", "r1", time.Now())); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("nobody there is %v", err)
	}
	var none *telemetry.Tracer
	ctx, run := none.Run(t.Context(), "sync", "r1")
	_, step := telemetry.Step(ctx, "fold")
	step.Count("arrived", 1)
	step.End(nil)
	run.State("ok")
	run.End(nil)
	none.Close()
}

func TestTraces_Problems(t *testing.T) {
	token := secret.New("${file:x}", "planted-trace-token")
	for _, c := range []struct {
		endpoint string
		token    secret.Secret
		want     string
	}{
		{"", secret.Secret{}, ""},
		{"http://127.0.0.1:4318/v1/traces", token, ""},
		{"http://collector:4318/v1/traces", secret.Secret{}, ""},
		{"https://collector:4318/v1/traces", token, ""},
		{"http://collector:4318/v1/traces", token, "without TLS"},
		{"collector:4318", secret.Secret{}, "no http://"},
		{"https://me:planted-trace-token@collector/", secret.Secret{}, "without a password"},
		{"", token, "no endpoint"},
	} {
		traces, lineage := telemetry.Traces{Endpoint: c.endpoint, Token: c.token}, telemetry.Lineage{Endpoint: c.endpoint, Token: c.token, Namespace: "n"}
		for _, ps := range []fault.Problems{traces.Problems(), lineage.Problems()} {
			text := ps.Error()
			if (c.want == "") != (len(ps) == 0) || !strings.Contains(text, c.want) || strings.Contains(text, "planted-trace-token") {
				t.Errorf("%s: %q, want %q", c.endpoint, text, c.want)
			}
		}
	}
}
