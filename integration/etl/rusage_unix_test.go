//go:build unix

package etl_test

import (
	"os"
	"runtime"
	"syscall"
)

// maxRSS is the most memory that an ended process had, in bytes.
func maxRSS(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) //nolint:unconvert // it is 32 bits where int is
	}
	return int64(usage.Maxrss) * 1024 //nolint:unconvert // it is 32 bits where int is
}
