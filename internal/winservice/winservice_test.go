package winservice

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"energyd/internal/telemetry"
)

func TestTheServiceRunsTheDaemonWithItsConfiguration(t *testing.T) {
	got := arguments(`C:\Program Data\energyd.yaml`)
	want := []string{"run", "--config", `C:\Program Data\energyd.yaml`, "--log", "json"}
	if !slices.Equal(got, want) {
		t.Errorf("arguments = %q, want %q", got, want)
	}
}

func TestStatesAreWords(t *testing.T) {
	for state, want := range map[uint32]string{0: "unknown state 0", 1: "stopped", 2: "starting", 3: "stopping", 4: "running", 5: "resuming", 6: "pausing", 7: "paused", 8: "unknown state 8"} {
		if got := stateWord(state); got != want {
			t.Errorf("state %d is %q, want %q", state, got, want)
		}
	}
}

// kept is an event log that keeps "level id text".
type kept []string

func (k *kept) Info(id uint32, msg string) error    { return k.add("info", id, msg) }
func (k *kept) Warning(id uint32, msg string) error { return k.add("warning", id, msg) }
func (k *kept) Error(id uint32, msg string) error   { return k.add("error", id, msg) }
func (k *kept) add(level string, id uint32, msg string) error {
	*k = append(*k, fmt.Sprintf("%s %d %s", level, id, msg))
	return nil
}

func TestEachRecordOfTheLogIsAnEventOfItsLevel(t *testing.T) {
	var k kept
	e := &events{to: &k}
	log := telemetry.NewLog(e, slog.LevelInfo, telemetry.JSON)
	log.Info("begins")
	log.Warn("slow")
	log.Error("broken", "error", "two\nlines")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	want := [][2]string{{"info 1 {", `"msg":"begins"}`}, {"warning 2 {", `"msg":"slow"}`}, {"error 3 {", `"error":"two\nlines"}`}}
	if len(k) != len(want) {
		t.Fatalf("events: %q", k)
	}
	for i, w := range want {
		if !strings.HasPrefix(k[i], w[0]) || !strings.HasSuffix(k[i], w[1]) {
			t.Errorf("event %d is %q, want %s…%s", i, k[i], w[0], w[1])
		}
	}
}

func TestWhyTheServiceEndedIsOneErrorWithoutAddresses(t *testing.T) {
	var k kept
	e := &events{to: &k}
	fmt.Fprintln(e, "energyd: the configuration is wrong")
	fmt.Fprintln(e, "  what to do: ask\x00 taro@example.co.jp")
	if len(k) != 0 {
		t.Fatalf("reported before the end: %q", k)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if len(k) != 1 || !strings.HasPrefix(k[0], "error 3 energyd: the configuration is wrong\n  what to do: ask  ") || strings.Contains(k[0], "taro") {
		t.Errorf("events: %q", k)
	}
}

func TestALongEventIsCutBetweenCharacters(t *testing.T) {
	var k kept
	e := &events{to: &k}
	fmt.Fprint(e, "x"+strings.Repeat("熱", longestEvent))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if len(k) != 1 || len(k[0]) > longestEvent+20 || !strings.HasSuffix(k[0], "熱 …") {
		t.Errorf("an event of %d bytes", len(k[0]))
	}
}
