// Package crmsim is a simulated Salesforce-style CRM: an HTTP server with the
// REST interface of such a system, its own rows, a clock that can be set, and
// faults on demand. It exists so that a client can be proven without a real
// org, and it knows nothing of the programs that talk to it.
//
// Where to start reading:
//
//   - server.go: Options, New, the parts of a Server
//   - http.go, routes.go: how a request becomes an answer
//   - schema.go, standard.go: objects and fields
//   - signon.go, assertion.go, soaplogin.go: tokens and how to get them
//   - store.go, value.go, write.go, late.go: rows, typed values, the rules of
//     writing, transactions that end late
//   - bin.go, merge.go, activity.go, relation.go, series.go, email.go, history.go: what the org does by itself
//   - query.go, compile.go, soql/: the query language; feeds.go: change feeds
//   - collections.go, composite.go, upsert.go, bulk.go: writing many rows
//   - tooling.go, metadata.go, component.go, deploy.go: making fields, by three ways
//   - permission.go: who sees them
//   - fault.go, known.go, control.go: faults, unsettled behaviour, the request log
//   - seed.go, conformance.go: rows to begin with
//   - page.go, templates/: the pages that a sales person would see
//   - conformance/: clients that others wrote, as proof
//
// Texts and codes of answers follow the public documentation of the Salesforce
// REST API. Where several outcomes are plausible, Server.Inject with the fault
// "known" chooses one.
package crmsim
