package engine

// Profile is what the CRM says of an account, contact, deal or rep: an entry
// of the directory. Scores never depend on it; names, lookups by other keys
// and explanations do.
type Profile struct {
	Entity
	Source  string            // source name in energyd.yaml
	Version int64             // as Activity.Version
	Name    string            // "株式会社山田製作所"
	Account string            // CRM id of the account, of contacts and deals
	Parent  string            // CRM id of the account that it stands under, of accounts
	Title   string            // job title now, of contacts
	Owner   string            // CRM id of the rep who owns it
	Keys    map[string]string // other keys of the same thing: "code" → "K0001", "email" → "…"
	Facts   Facts             // what reports ask for
	Into    string            // id of the entity that this one went into, by a merge or a conversion: its keys mean that one; "" = none
	Deleted bool
}
