package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// cpuTime is the CPU time that this process and the commands that it ran have
// used, user and system.
func cpuTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			panic(err) // it fails for a bad argument only
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// peakMemory is the most resident memory that this process has had, or any one of the commands
// that it ran, in bytes.
func peakMemory() (int64, error) {
	own, err := ownPeak()
	if err != nil {
		return 0, err
	}
	commands, err := maxRSS(syscall.RUSAGE_CHILDREN)
	return max(own, commands), err
}

// ownPeak is that of this process.
//
// On Linux it is VmHWM and not ru_maxrss: a process made by vfork, as Go makes
// them, inherits its parent's peak there, and a child that is small would show
// the memory of the program that started it.
func ownPeak() (int64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return maxRSS(syscall.RUSAGE_SELF)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			var kib int64
			if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
				return 0, fmt.Errorf("VmHWM: %w", err)
			}
			return kib << 10, nil
		}
	}
	return maxRSS(syscall.RUSAGE_SELF)
}

func maxRSS(who int) (int64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0, err
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss, nil // bytes there, KiB elsewhere
	}
	return u.Maxrss << 10, nil
}
