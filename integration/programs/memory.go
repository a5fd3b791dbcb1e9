package programs

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// PeakMemory watches a process that has just been started, where ended is what Start gave for it.
// What it returns waits for the end of the process, and tells the most resident memory that the
// process had, in bytes; 0 where there is no /proc.
//
// It is VmHWM, which is looked at until the process has ended, and not ru_maxrss: a process made by
// vfork, as Go makes them, begins there with the peak of its parent (exec_mmap in Linux). A small
// command would show the memory of the test that started it.
func PeakMemory(cmd *exec.Cmd, ended <-chan struct{}) (bytes func() int64) {
	over, peak := make(chan struct{}), int64(0)
	go func() {
		defer close(over)
		for {
			peak = max(peak, highWater(cmd.Process.Pid))
			select {
			case <-ended:
				return
			case <-time.After(5 * time.Millisecond): // to look again
			}
		}
	}()
	return func() int64 { <-over; return peak }
}

// highWater is the most resident memory that a process has had so far, in bytes. It is 0 for one
// that has ended.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		return 0
	}
	return kib << 10
}
