package telemetry

import (
	"context"
	"net"
	"os"
	"time"
)

// What a service manager wants to know.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
)

// Notify tells systemd how the service stands (sd_notify(3)), where it asks for
// that by NOTIFY_SOCKET; elsewhere it does nothing. That nobody hears it is no error worth ending for.
func Notify(ctx context.Context, state string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unixgram", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
