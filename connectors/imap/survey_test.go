package imap

import (
	"testing"

	"energyd/connectors"
)

func TestSurvey_FoldersWithTheirMails(t *testing.T) {
	s := dovecot(t)
	s.Save("rep1", "INBOX", text(1))
	s.Save("rep1", "INBOX", text(2))
	s.Save("rep2", "INBOX", text(3))
	sv := newReader(t, config(s, s.TLSAddr(), "rep1", "rep2")).conn.(connectors.Surveyor)
	items, err := sv.Items(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for _, i := range items {
		rows[i.Name] = i.Rows
		if i.Kind != "folder" || i.Mapping != "mappings/mail.yaml" {
			t.Errorf("item %+v", i)
		}
	}
	if rows["INBOX"] != 3 {
		t.Errorf("mails by folder: %v, want 3 in INBOX", rows)
	}
	sample, err := sv.Sample(t.Context(), items[0], 100)
	if err != nil || len(sample.Rows) > 0 || len(sample.Columns) != len(columns.Names) {
		t.Errorf("a sample of %d mails with %d columns, %v", len(sample.Rows), len(sample.Columns), err)
	}
}
