package pipeline_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/internal/pipeline"
)

// A person whom reports of several contacts name, of whom decisions were made,
// who has gone through a merge, and who is one of two that a name may mean: nothing is left of them when they are erased.
func TestErase_WithDecisionsAndSeveralContactsInARecord(t *testing.T) {
	m := newMeetings(t)
	m.write("mappings/reports.yaml", `columns: [no, day, customer, tel, person]
activity:
  each: contacts_in(person)
  when: item.status == "held"
  id: no
  at: datetime(day, item.time)
  kind: item.kind
  account: match("account", "name", customer, "phone", tel)
  participants:
    - {each: item.people, contact: 'match("contact", "name", item.name)', title: item.title}
`)
	m.write("files/contacts.csv", contactsHead+"PERSON-1,A1,金糸雀 すずめ,suzume.canary@aoba.example,\nPERSON-2,A1,山田 花子,,\nPERSON-3,A1,金糸雀 すすめ,old.canary@aoba.example,PERSON-1\n")
	m.write("files/reports.csv", reportsHead+"1,2026-03-02,株式会社青葉製作所,,10:00 金糸雀部長を訪問。14:00 山田様と電話。\n2,2026-03-03,株式会社青葉製作所,,10:00 金糸雀 すずめ様を訪問。15:00 金糸雀係長とWeb会議。\n")
	m.pull()
	m.decide("A1/金糸雀", "PERSON-1", false)
	m.decide("A1/山田", "PERSON-1", true)
	m.pull()
	// Ids that no run has by chance: "p3" may stand in one.
	canaries := []string{"金糸雀", "canary@", "PERSON-1", "PERSON-3"}
	if found := m.traces(canaries...); len(found) < len(canaries) {
		t.Fatalf("before, the store holds only %v: nothing is proved", found)
	}
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		if _, e, err := p.Erase(ctx, "contact:PERSON-1", true); err != nil || !e.Done {
			t.Fatalf("%+v, %v", e, err)
		}
	})
	if found := m.traces(canaries...); len(found) > 0 {
		t.Errorf("after the erasure the store holds %v", found)
	}
	m.pull()
	if found := m.traces("canary@", "PERSON-1", "PERSON-3"); len(found) > 0 {
		t.Errorf("after a night the store holds %v", found)
	}
}

func (m *meetings) pull() {
	m.t.Helper()
	m.with(func(ctx context.Context, p *pipeline.Pipeline) {
		if r, err := p.Pull(ctx); err != nil || len(r.Errors) > 0 {
			m.t.Fatal(err, r.Errors)
		}
	})
}

// traces tells which of some words stand in the store.
func (m *meetings) traces(words ...string) (found []string) {
	m.t.Helper()
	files, err := filepath.Glob(filepath.Join(m.dir, "energyd.db*"))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, word := range words {
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				m.t.Fatal(err)
			}
			if bytes.Contains(bytes.ToLower(data), []byte(strings.ToLower(word))) {
				found = append(found, word)
				break
			}
		}
	}
	return found
}
