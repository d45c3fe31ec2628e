package winservice

import (
	"context"
	"io"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"

	"energyd/internal/fault"
)

// stopHint is how long the service manager may be told to wait, in
// milliseconds: the 25 s of a graceful stop, and what closing takes.
const stopHint = 30_000

// Started tells whether the service manager started this process.
func Started() bool {
	yes, err := svc.IsWindowsService()
	return err == nil && yes
}

// Serve runs work as the service until it ends. Its context ends with Stop or
// Shutdown, what it writes goes to the event log, and its exit code is told to
// the service manager, which starts it again unless it is 0.
func Serve(work func(ctx context.Context, stderr io.Writer) int) error {
	log, err := eventlog.Open(Name)
	if err != nil {
		return fault.New(fault.Internal, "service", "the event log cannot be opened", "install the service again: energyd service remove, then install", err)
	}
	defer log.Close()
	if err := svc.Run(Name, &service{work: work, log: log}); err != nil {
		return fault.New(fault.Internal, "service", "the service manager was not reached", "start it with energyd service start", err)
	}
	return nil
}

type service struct {
	work func(ctx context.Context, stderr io.Writer) int
	log  eventLog
}

// Execute is svc.Handler.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, code uint32) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	stderr := &events{to: s.log}
	ended := make(chan int, 1)
	go func() { ended <- s.work(ctx, stderr) }()

	now := svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	status <- now
	for {
		select {
		case r := <-requests:
			switch r.Cmd {
			case svc.Stop, svc.Shutdown:
				now = svc.Status{State: svc.StopPending, WaitHint: stopHint}
				stop()
			}
			status <- now // also the answer to Interrogate
		case exit := <-ended:
			_ = stderr.Close() // there is nobody left to tell
			return exit != 0, uint32(exit)
		}
	}
}
