// Package all is the one list of built-in connectors.
package all

import (
	"energyd/connectors"
	"energyd/connectors/file"
	"energyd/connectors/imap"
	"energyd/connectors/salesforce"
	sqltable "energyd/connectors/sql"
)

// Connectors are the built-in connectors, by name.
var Connectors = connectors.Registry{file.Connector, imap.Connector, salesforce.Connector, sqltable.Connector}
