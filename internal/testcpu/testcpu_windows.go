package testcpu

import (
	"syscall"
	"time"
)

func used() (time.Duration, error) {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, err
	}
	var created, exited, kernel, user syscall.Filetime
	err = syscall.GetProcessTimes(self, &created, &exited, &kernel, &user)
	return length(kernel) + length(user), err
}

// length is for a Filetime that counts from 0: Nanoseconds takes it for a date.
func length(f syscall.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}
