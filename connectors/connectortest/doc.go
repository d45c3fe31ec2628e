// Package connectortest says what "connector" means, as tests: RunSource and
// RunTarget drive a connector against a real system (or a simulated one that
// behaves) and break the network between them with Proxy. A connector's own
// test is a harness of about thirty lines that starts the system, fills it and
// hands it over.
package connectortest
