//go:build unix

package sink_test

import (
	"os/signal"
	"syscall"
)

func init() {
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		panic(err)
	}
	failFiles = func(fail bool) {
		limit := was
		if fail {
			limit.Cur = 0 // no file may be longer
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
}
