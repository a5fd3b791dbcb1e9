package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// groupHeld is the most memory that the processes of a command have had together, in bytes; 0 where
// it is not known.
var groupHeld int64

// runGroup runs a command to its end in a process group of its own, and keeps in groupHeld how
// much memory the group had. A page that several processes share counts once (their PSS): each of
// cqlsh's has most of Python in common with the others.
func runGroup(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for ctx.Err() == nil {
			groupHeld = max(groupHeld, groupMemory(cmd.Process.Pid))
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	err := cmd.Wait()
	end()
	<-watched
	return err
}

// groupMemory is the sum of the PSS of the processes of a group now, in bytes. Those that have
// ended meanwhile have none.
func groupMemory(group int) (sum int64) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, path := range all {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := bytes.Cut(stat, []byte(") ")) // behind the name: state, parent, group
		var state string
		var parent, of int
		if _, err := fmt.Sscan(string(rest), &state, &parent, &of); err != nil || of != group {
			continue
		}
		rollup, err := os.ReadFile(filepath.Join(filepath.Dir(path), "smaps_rollup"))
		if err != nil {
			continue
		}
		_, pss, _ := strings.Cut(string(rollup), "\nPss:")
		var kib int64
		if _, err := fmt.Sscanf(pss, "%d kB", &kib); err == nil {
			sum += kib << 10
		}
	}
	return sum
}
