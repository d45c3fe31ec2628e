package winservice

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"energyd/internal/fault"
)

// Install registers the service and its source of events; it starts nothing.
func Install(config string) (err error) {
	config, err = filepath.Abs(config)
	if err != nil {
		return failed("the path of the configuration cannot be told", err)
	}
	program, err := os.Executable()
	if err != nil {
		return failed("the path of this program cannot be told", err)
	}
	m, err := mgr.Connect()
	if err != nil {
		return failed("the service manager cannot be reached", err)
	}
	defer m.Disconnect()
	s, err := m.CreateService(Name, program, mgr.Config{
		StartType: mgr.StartAutomatic, DelayedAutoStart: true, ErrorControl: mgr.ErrorNormal, ServiceStartName: Account,
		DisplayName: Name, Description: "Keeps customer energy up to date inside the CRM",
	}, arguments(config)...)
	if err != nil {
		return failed("the service cannot be installed", err)
	}
	defer s.Close()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Delete()) // half a service is none
		}
	}()
	again := func(after time.Duration) mgr.RecoveryAction {
		return mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: after}
	}
	const day = 24 * 60 * 60 // without a failure, and the delays begin anew
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{again(10 * time.Second), again(time.Minute), again(5 * time.Minute)}, day); err != nil {
		return failed("the restart after failures cannot be set", err)
	}
	if err := s.SetRecoveryActionsOnNonCrashFailures(true); err != nil {
		return failed("the restart after failures cannot be set", err)
	}
	_ = eventlog.Remove(Name) // of an installation that was not removed by us
	if err := eventlog.InstallAsEventCreate(Name, eventlog.Info|eventlog.Warning|eventlog.Error); err != nil {
		return failed("the source of events cannot be registered", err)
	}
	return nil
}

// Remove stops the service and takes it away. Configuration and store stay.
func Remove(ctx context.Context) error {
	return with(func(s *mgr.Service) error {
		if err := stop(ctx, s); err != nil {
			return err
		}
		if err := s.Delete(); err != nil {
			return failed("the service cannot be removed", err)
		}
		if err := eventlog.Remove(Name); err != nil && !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
			return failed("the source of events cannot be removed", err)
		}
		return nil
	})
}

// Start has the service manager start the service.
func Start() error {
	return with(func(s *mgr.Service) error {
		if err := s.Start(); err != nil {
			return failed("the service cannot be started", err)
		}
		return nil
	})
}

// Stop stops the service and waits until it has ended.
func Stop(ctx context.Context) error {
	return with(func(s *mgr.Service) error { return stop(ctx, s) })
}

// Status is the service's state in one word.
func Status() (word string, err error) {
	err = with(func(s *mgr.Service) error {
		now, err := s.Query()
		if err != nil {
			return failed("the service's state cannot be read", err)
		}
		word = stateWord(uint32(now.State))
		return nil
	})
	return word, err
}

func stop(ctx context.Context, s *mgr.Service) error {
	ctx, cancel := context.WithTimeout(ctx, stopHint*time.Millisecond)
	defer cancel()
	if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) && !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
		return failed("the service cannot be stopped", err)
	}
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	for {
		now, err := s.Query()
		if err != nil {
			return failed("the service's state cannot be read", err)
		}
		if now.State == svc.Stopped {
			return nil
		}
		select {
		case <-ctx.Done():
			return failed("the service has not ended within half a minute", ctx.Err())
		case <-poll.C:
		}
	}
}

// with opens the service for f.
func with(f func(*mgr.Service) error) error {
	m, err := mgr.Connect()
	if err != nil {
		return failed("the service manager cannot be reached", err)
	}
	defer m.Disconnect()
	s, err := m.OpenService(Name)
	if err != nil {
		return failed("the service cannot be opened", err)
	}
	defer s.Close()
	return f(s)
}

// failed is an error of the service manager with what to do about it.
func failed(msg string, err error) error {
	hint := "look into the event log (Event Viewer, Windows Logs, Application, source energyd)"
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		hint = "run it in a terminal that was opened with \"Run as administrator\""
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		hint = "install it first: energyd service install --config PATH"
	case errors.Is(err, windows.ERROR_SERVICE_EXISTS):
		hint = "it is installed already; for other options, energyd service remove first"
	case errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		hint = "close services.msc and the Event Viewer, which hold the removed service, and try again"
	case errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING):
		hint = "it runs already"
	}
	return fault.New(fault.Internal, "service", msg, hint, err)
}
