package salesforce

import "testing"

// TestConfig_RecordLink: a record is found under the org's own address, whatever stands in an id.
func TestConfig_RecordLink(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.my.salesforce.com":  "https://example.my.salesforce.com/001A0",
		"https://example.my.salesforce.com/": "https://example.my.salesforce.com/001A0",
	} {
		if got := (&Config{URL: url}).RecordLink("001A0"); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
	if got := (&Config{URL: "https://a.example"}).RecordLink("../?x#y"); got != "https://a.example/..%2F%3Fx%23y" {
		t.Errorf("an id leads to %s", got)
	}
}
