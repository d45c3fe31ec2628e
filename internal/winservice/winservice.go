// Package winservice is energyd as a Windows service: installed with an account
// of its own, stopped as gracefully as by SIGTERM, its log in the event log.
// What needs Windows is in the _windows.go files; this one and events.go are
// tested everywhere (decision 0143).
package winservice

import "fmt"

const (
	// Name is the service's name, and the source of its events.
	Name = "energyd"
	// Account is the virtual account that Windows keeps for a service of this
	// name: no password, and no right but those that folders give it.
	Account = `NT SERVICE\` + Name
)

// arguments are what the service manager starts energyd with. The path of the
// configuration is absolute: services start in Windows' own folder.
func arguments(config string) []string {
	return []string{"run", "--config", config, "--log", "json"}
}

// stateWord is a SERVICE_STATUS state in the words of services.msc.
func stateWord(state uint32) string {
	words := [...]string{1: "stopped", 2: "starting", 3: "stopping", 4: "running", 5: "resuming", 6: "pausing", 7: "paused"}
	if state == 0 || int(state) >= len(words) {
		return fmt.Sprintf("unknown state %d", state)
	}
	return words[state]
}
