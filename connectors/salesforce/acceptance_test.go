package salesforce

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/connectortest"
	"energyd/internal/crmsim"
	"energyd/internal/secret"
)

const plantedSecret = "pl4nted-s3cret"

var quiet = connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "crm"}

// org is a simulated org behind HTTP.
type org struct {
	*crmsim.Server
	t   testing.TB
	url string
}

func newOrg(t testing.TB) *org {
	t.Helper()
	sim, err := crmsim.New(crmsim.Options{ClientSecret: plantedSecret, Fields: map[string][]crmsim.Field{"Account": {
		{Name: "Energy__c", Type: crmsim.Number, Precision: 18, Scale: 4},
		{Name: "Energy_Reason__c", Type: crmsim.Text, Length: 255},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &org{sim, t, server.URL}
}

func (o *org) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *org) insert(object string, values map[string]any) string {
	o.t.Helper()
	id, err := o.Insert(object, values)
	o.must(err)
	return id
}

func (o *org) inject(f crmsim.Fault) {
	o.t.Helper()
	o.must(o.Inject(f))
}

func (o *org) advance(d time.Duration) {
	o.t.Helper()
	o.inject(crmsim.Fault{Name: "clock", AdvanceS: int(d / time.Second)})
}

// tasks inserts n tasks, three in each second.
func (o *org) tasks(n int) []string {
	o.t.Helper()
	account := o.insert("Account", map[string]any{"Name": "株式会社山田製作所"})
	who := o.insert("Contact", map[string]any{"LastName": "山田", "Title": "部長", "AccountId": account})
	ids := make([]string, n)
	for i := range ids {
		ids[i] = o.insert("Task", map[string]any{"Subject": fmt.Sprintf("訪問 %d", i), "Status": "Completed",
			"ActivityDate": "2026-11-20", "WhoId": who, "WhatId": account, "CallDurationInSeconds": 60.0})
		if i%3 == 2 {
			o.advance(time.Second)
		}
	}
	return ids
}

// config reaches the org at address ("host:port").
func config(address string) *Config {
	cfg := newConfig().(*Config)
	cfg.URL, cfg.ClientID = "http://"+address, "CID"
	cfg.ClientSecret = given(plantedSecret)
	return cfg
}

// given is a secret of the configuration.
func given(value string) secret.Secret { return secret.New("${env:CRM_SECRET}", value) }

// quick is the connector with pauses that tests can wait for.
func quick() connectors.Connector { return Pausing(time.Millisecond) }

func (o *org) system() connectortest.System {
	return connectortest.System{
		Addr:       strings.TrimPrefix(o.url, "http://"),
		Conn:       func(addr string) connectors.Config { return config(addr) },
		WrongLogin: func(cfg connectors.Config) { cfg.(*Config).ClientID = "nobody" },
		Secret:     plantedSecret,
	}
}

func TestSource(t *testing.T) {
	connectortest.RunSource(t, connectortest.SourceHarness{
		Connector:      quick(),
		ConnRequired:   []string{"url", "client_id", "client_secret", "api_version"},
		StreamRequired: []string{"object"},
		Start: func(t *testing.T) connectortest.SourceSystem {
			o := newOrg(t)
			return connectortest.SourceSystem{
				System: o.system(),
				Stream: func() connectors.Config {
					s := newStream().(*Stream)
					s.Object = "Task"
					s.SelectColumns([]string{"Id", "Subject", "ActivityDate", "CallDurationInSeconds", "Account.Name", "Who.Title", "CreatedDate"})
					return s
				},
				WrongStream: func(cfg connectors.Config) { cfg.(*Stream).Fields = []string{"Subjekt"} },
				Insert:      o.tasks,
				Change: func(key string) {
					o.advance(time.Second)
					o.must(o.Update("Task", key, map[string]any{"Subject": "変更"}))
				},
				Delete: func(key string) { o.must(o.Server.Delete("Task", key)) },
				Settle: func() { o.advance(6 * time.Minute) },
			}
		},
	})
}

func TestTarget(t *testing.T) {
	connectortest.RunTarget(t, connectortest.TargetHarness{
		Connector: quick(),
		Start: func(t *testing.T) connectortest.TargetSystem {
			o := newOrg(t)
			o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 9000, Message: "熱量が大きすぎます"})
			return connectortest.TargetSystem{
				System: o.system(),
				Object: "Account", Number: "Energy__c", String: "Energy_Reason__c", ReadOnly: "LastActivityDate",
				Insert: func(n int) []string {
					ids := make([]string, n)
					for i := range ids {
						ids[i] = o.insert("Account", map[string]any{"Name": fmt.Sprintf("顧客 %d", i)})
					}
					return ids
				},
				Delete: func(id string) { o.must(o.Server.Delete("Account", id)) },
				Holds: func(id, field string) any {
					row, _ := o.Get("Account", id)
					return row[field]
				},
				Refused: 9001,
				Busy:    func(id string, times int) { o.inject(crmsim.Fault{Name: "lock", ID: id, Times: times}) },
			}
		},
	})
}
