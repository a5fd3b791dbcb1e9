//go:build unix

package verbs

import "syscall"

// noCore keeps the system from writing the memory of a process that crashes anywhere. Linux takes a
// limit of one byte, other than zero, to be meant for programs too that it pipes cores to
// (core_pattern in https://man7.org/linux/man-pages/man5/core.5.html).
func noCore() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil && limit.Cur > 1 {
		limit.Cur = 1
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // less than before is always allowed
	}
}
