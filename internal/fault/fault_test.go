package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	inner := New(Auth, "crm", "refused", "renew the secret", nil)
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{nil, ""},
		{errors.New("plain"), Internal},
		{inner, Auth},
		{fmt.Errorf("pull: %w", inner), Auth},
		{Problems{{Path: "a", Msg: "b"}}, Config},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("KindOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
	if got := HintOf(fmt.Errorf("x: %w", &Error{Kind: Internal, Err: inner})); got != "renew the secret" {
		t.Errorf("HintOf = %q", got)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"schedule", "connection", "mapping", "訪問", "mail", "phone"}
	for in, want := range map[string]string{
		"shedule": "schedule", "Schedule": "schedule", "conection": "connection",
		"zzz": "", "訪門": "訪問", "mapping": "mapping", "mial": "mail", "meal": "", "fone": "phone", "会議": "",
	} {
		if got := Nearest(in, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestProblemsUnder(t *testing.T) {
	var ps Problems
	ps.Under("sources", Problems{{Path: "a.b", Msg: "m"}, {Path: "[2]", Msg: "m"}, {Msg: "m"}})
	want := []string{"sources.a.b", "sources[2]", "sources"}
	for i, p := range ps {
		if p.Path != want[i] {
			t.Errorf("path %d = %q, want %q", i, p.Path, want[i])
		}
	}
}
