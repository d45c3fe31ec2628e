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
//   - store.go, value.go, write.go: rows, typed values, the rules of writing
//   - query.go, compile.go, soql/: the query language
//   - fault.go, control.go: faults and the request log
//   - page.go, templates/: the pages that a sales person would see
//
// Texts and codes of answers follow the public documentation of the Salesforce
// REST API. Where several outcomes are plausible, Server.Inject with the fault
// "known" chooses one.
package crmsim
