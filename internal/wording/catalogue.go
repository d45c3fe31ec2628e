package wording

import "maps"

// catalogue maps formats of the program to Japanese: %[1]s is what the first verb of the format prints.
var catalogue = func() map[string]string {
	all := map[string]string{}
	for _, some := range []map[string]string{crm, databases, files, mails, matching, network, notices, pages, plans, records, runs, stores} {
		maps.Copy(all, some)
	}
	return all
}()
