package telemetry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// Lineage is the section lineage of energyd.yaml: who is told, as OpenLineage, what runs read and write.
type Lineage struct {
	Endpoint  string        `yaml:"endpoint"`  // "https://marquez.example/api/v1/lineage"; "" = nobody
	Token     secret.Secret `yaml:"token"`     // sent as Authorization: Bearer …
	Namespace string        `yaml:"namespace"` // of jobs and data sets
}

// LineageDefaults are those of a configuration without the section.
func LineageDefaults() Lineage { return Lineage{Namespace: "energyd"} }

// Problems finds what is wrong in the section.
func (l *Lineage) Problems() fault.Problems {
	ps := reachable("lineage", l.Endpoint, l.Token)
	if l.Namespace == "" {
		ps.Add("lineage.namespace", "the namespace is empty")
	}
	return ps
}

// RunEvent is what is told of a run: OpenLineage 2-0-2, RunEvent.
type RunEvent struct {
	EventType string    `json:"eventType"` // START, then one of COMPLETE, ABORT, FAIL
	EventTime time.Time `json:"eventTime"` // UTC
	Run       struct {
		ID string `json:"runId"` // a UUID
	} `json:"run"`
	Job      DataName  `json:"job"`
	Inputs   []DataSet `json:"inputs"`
	Outputs  []DataSet `json:"outputs"`
	Producer string    `json:"producer"`
	Schema   string    `json:"schemaURL"`
}

// DataName is the name of a job or a data set.
type DataName struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// DataSet is what a run reads or writes.
type DataSet struct {
	DataName
	InputFacets map[string]rows `json:"inputFacets,omitempty"`
}

// rows tells how many records were read.
type rows struct {
	Producer string `json:"_producer"`
	Schema   string `json:"_schemaURL"`
	Rows     int    `json:"rowCount"`
}

// What stands for energyd and for the versions of what it tells.
const (
	producer        = "https://energyd.example/energyd"
	schemaRunEvent  = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
	schemaInputRows = "https://openlineage.io/spec/facets/1-0-0/InputStatisticsInputDatasetFacet.json#/$defs/InputStatisticsInputDatasetFacet"
)

// Event makes an event of a run; kind is its job.
func (l *Lineage) Event(eventType, kind, run string, at time.Time) RunEvent {
	e := RunEvent{EventType: eventType, EventTime: at.UTC(), Job: DataName{l.Namespace, kind}, Inputs: []DataSet{}, Outputs: []DataSet{}, Producer: producer, Schema: schemaRunEvent}
	e.Run.ID = runUUID(l.Namespace, run)
	return e
}

// runUUID is a run's id as OpenLineage wants it: a UUID of version 8 (RFC 9562, 5.8), the same for the same run.
func runUUID(namespace, run string) string {
	sum := sha256.Sum256([]byte(namespace + "\x00" + run))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// Reads notes a data set that the run read, and how many records of it.
func (e *RunEvent) Reads(name string, records int) {
	e.Inputs = append(e.Inputs, DataSet{DataName{e.Job.Namespace, name}, map[string]rows{"inputStatistics": {producer, schemaInputRows, records}}})
}

// Writes notes a data set that the run writes.
func (e *RunEvent) Writes(name string) {
	e.Outputs = append(e.Outputs, DataSet{DataName: DataName{e.Job.Namespace, name}})
}

// Send tells an event. Faults: config (refused), unavailable.
func (l *Lineage) Send(ctx context.Context, e RunEvent) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.Endpoint, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if !l.Token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+l.Token.Reveal())
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token is for this address alone
	answer, err := client.Do(r)
	if err != nil {
		return fault.New(fault.Unavailable, "lineage", "nobody answers at lineage.endpoint", "look whether it runs and can be reached", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection serves again
	if answer.StatusCode/100 != 2 {
		return fault.New(fault.Config, "lineage", "lineage.endpoint answers "+answer.Status, "look at lineage.endpoint and its token", nil)
	}
	return nil
}
