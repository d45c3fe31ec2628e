package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const planted = "hunter2-すごい秘密"
	s := New("${env:X}", planted)
	holder := struct{ Password Secret }{s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", holder)
	js, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", holder, holder, holder, s, s), string(js), log.String(),
	} {
		if strings.Contains(out, planted) {
			t.Errorf("the secret shows in %q", out)
		}
		if !strings.Contains(out, "redacted") {
			t.Errorf("nothing tells of the redaction in %q", out)
		}
	}
	if s.Reveal() != planted {
		t.Error("Reveal lost the value")
	}
}
