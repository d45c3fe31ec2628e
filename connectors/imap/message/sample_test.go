package message

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const samples = "../../../../shared/mail-samples"

// facts shows a message with the keys of expected.jsonl (contracts/imap.md section 3).
func facts(m *Message) map[string]any {
	f := map[string]any{
		"from_addr": m.From.Addr, "from_name": m.From.Name, "subject": m.Subject, "base_subject": m.BaseSubject(),
		"date_state": string(m.DateState), "message_id_state": string(m.IDState), "message_id": m.ID,
		"is_auto_reply": m.Kind == AutoReply, "is_automatic": m.Automatic, "is_bounce": m.Kind == Bounce, "is_list": m.Kind == List,
		"is_mdn": m.Kind == ReadReceipt, "is_calendar_reply": m.Calendar != nil && m.Calendar.Method == "REPLY",
		"in_reply_to": m.InReplyTo, "references": m.References, "asks_question": m.Question,
		"contact_key": m.From.ContactKey(func(d string) bool { return d == "cust.example" }),
	}
	if t, internal := m.When(time.Time{}); !internal {
		f["date_utc"] = t.Format(time.RFC3339)
	}
	if !m.HeaderDate.IsZero() {
		f["header_date_utc"] = m.HeaderDate.Format(time.RFC3339)
	}
	f["person_name"], f["person_title"] = m.From.Person()
	if d := m.Delivery; d != nil {
		f["dsn_action"], f["final_recipient"], f["original_message_id"] = d.Action, d.Recipient, d.OriginalID
	}
	if r := m.Receipt; r != nil {
		f["mdn_disposition"], f["original_message_id"] = r.Disposition, r.OriginalID
	}
	if c := m.Calendar; c != nil {
		f["calendar_method"], f["partstat"], f["attendee"], f["calendar_uid"] = c.Method, c.PartStat, c.Attendee, c.UID
	}
	var names []string
	for _, a := range m.Attachments {
		names = append(names, a.Name)
	}
	f["attachments"] = names
	direction, _ := m.Direction(func(d string) bool { return d == "our.example" })
	f["direction"] = string(direction)
	return f
}

// TestSamples holds every message of the shared samples against what its maker says of it.
func TestSamples(t *testing.T) {
	file, err := os.Open(filepath.Join(samples, "expected.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, read := 0, map[string]*Message{}
	for in := bufio.NewScanner(file); in.Scan(); lines++ {
		var want map[string]any
		if err := json.Unmarshal(in.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		name := want["file"].(string)
		raw, err := os.ReadFile(filepath.Join(samples, name))
		if err != nil {
			t.Fatal(err)
		}
		m := Read(raw)
		read[name] = m
		data, err := json.Marshal(facts(m))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		also, _ := want["subject_alt"].([]any)
		for key, value := range want {
			switch key {
			case "file", "method", "note", "soft", "subject_alt":
				continue
			case "duplicate_of":
				if other := read[value.(string)]; other.Identity() != m.Identity() || !other.Same(m) {
					t.Errorf("%s is not the same mail as %s", name, value)
				}
				continue
			case "thread_of":
				if !slices.Contains(append(m.InReplyTo, m.References...), read[value.(string)].Identity()) {
					t.Errorf("%s does not answer %s", name, value)
				}
				continue
			}
			if value == nil || key == "subject" && slices.Contains(also, got[key]) {
				continue
			}
			if diff := cmp.Diff(value, got[key]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", name, key, diff)
			}
		}
		if name[:3] == "046" && (!m.Cut || len(m.References) != maxReferences) {
			t.Errorf("%s: cut %v, %d references", name, m.Cut, len(m.References))
		}
		if strings.ContainsRune(m.Subject+m.From.Name, '�') {
			t.Errorf("%s: %q, %q", name, m.Subject, m.From.Name)
		}
	}
	if lines < 40 {
		t.Errorf("only %d samples were read", lines)
	}
}
