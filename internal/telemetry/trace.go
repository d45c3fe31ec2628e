package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// Traces is the section traces of energyd.yaml: where the traces of runs are sent.
type Traces struct {
	Endpoint string        `yaml:"endpoint"` // OTLP over HTTP, "https://collector:4318/v1/traces"; "" = none are made
	Token    secret.Secret `yaml:"token"`    // sent as Authorization: Bearer …
}

// Problems finds what is wrong in the section.
func (t *Traces) Problems() fault.Problems { return reachable("traces", t.Endpoint, t.Token) }

// reachable finds what is wrong with an address to which something is sent: a token goes to other machines by TLS alone.
func reachable(section, endpoint string, token secret.Secret) (ps fault.Problems) {
	if endpoint == "" {
		if !token.IsZero() {
			ps.Add(section+".endpoint", "the token has no endpoint to go to")
		}
		return ps
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return append(ps, fault.Problem{Path: section + ".endpoint", Msg: "the endpoint is no http:// or https:// address without a password in it",
			Hint: "a password or key is the token"})
	}
	if !token.IsZero() && u.Scheme == "http" && !Loopback(u.Hostname()) {
		ps.Add(section+".endpoint", "the token would go to %s without TLS; write https://", u.Hostname())
	}
	return ps
}

// patience is how long a collector may take, in all.
const patience = 10 * time.Second

// Parting is how long it may take when energyd is about to end, which it does within half a minute.
const Parting = 3 * time.Second

// Tracer makes a trace of each run. Attributes are names out of the
// configuration, words of ours and counts; never what a source or the CRM says.
// A nil Tracer makes none. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// NewTracer sends traces as the section says; nil when it says nothing. What
// cannot be delivered is dropped, with a warning, and stops no run.
func NewTracer(ctx context.Context, t Traces, version string, log *slog.Logger) (*Tracer, error) {
	if t.Endpoint == "" {
		return nil, nil
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(t.Endpoint), otlptracehttp.WithTimeout(patience),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: patience, MaxElapsedTime: time.Minute})}
	if !t.Token.IsZero() {
		options = append(options, otlptracehttp.WithHeaders(map[string]string{"Authorization": "Bearer " + t.Token.Reveal()}))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fault.New(fault.Config, "traces", "the endpoint cannot be used", "look at traces.endpoint in energyd.yaml", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces were not taken", "error", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter, sdk.WithExportTimeout(patience)),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "energyd"), attribute.String("service.version", version))))
	return &Tracer{provider, provider.Tracer("energyd")}, nil
}

// Close sends what is left, within Parting.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), Parting)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
}

// Span is a part of a run that takes time. A nil Span is none.
type Span struct{ span trace.Span }

// Run begins the trace of a run.
func (t *Tracer) Run(ctx context.Context, kind, run string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.tracer.Start(ctx, "run "+kind, trace.WithNewRoot(), trace.WithAttributes(attribute.String("energyd.kind", kind), attribute.String("energyd.run", run)))
	return ctx, &Span{span}
}

// Step begins a part of the run, or of its part, that ctx belongs to. of are pairs of attributes: "source", "tasks".
func Step(ctx context.Context, name string, of ...string) (context.Context, *Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, nil
	}
	attributes := make([]attribute.KeyValue, 0, len(of)/2)
	for i := 0; i+1 < len(of); i += 2 {
		attributes = append(attributes, attribute.String("energyd."+of[i], of[i+1]))
	}
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer("energyd").Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, &Span{span}
}

// Count notes how many there were of something.
func (s *Span) Count(of string, n int) {
	if s != nil {
		s.span.SetAttributes(attribute.Int("energyd."+of, n))
	}
}

// State notes how a run ended.
func (s *Span) State(state string) {
	if s != nil {
		s.span.SetAttributes(attribute.String("energyd.state", state))
	}
}

// End ends the part. Of an error the kind alone is told: its text may name somebody.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, fmt.Sprint(fault.KindOf(err)))
	}
	s.span.End()
}
