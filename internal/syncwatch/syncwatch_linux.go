// Package syncwatch shows tests which fsyncs and renames are made, and makes them fail. After a
// kill, what the kernel has is still there; only a power cut would show whether the disk had it.
package syncwatch

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rename stands for a rename among the calls; an fsync is Fsync of its path.
const Rename = "rename"

// Fsync is the call that syncs a file or a folder.
func Fsync(path string) string { return "fsync " + path }

// Watch calls do in a goroutine with a thread of its own, returns the fsyncs and
// renames of this thread, in order, and lets those in failing fail. The kernel
// asks about each of them (seccomp, user notification).
func Watch(do func() error, failing map[string]syscall.Errno) (calls []string, err error) {
	listener, done := make(chan int), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread and its filter are not used again
		fd, e := listen()
		if e != nil {
			close(listener)
			err = e
			return
		}
		listener <- fd
		err = do()
	})
	var answering error
	if fd, ok := <-listener; ok {
		calls, answering = answer(fd, done, failing)
	}
	wg.Wait()
	return calls, errors.Join(err, answering)
}

// listen has the kernel ask the descriptor that it returns about the fsyncs and
// renames of this thread.
func listen() (int, error) {
	traps := []uint32{unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the call's number
	for i, nr := range traps {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(traps) - i), K: nr})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&filter)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(fd), nil
}

// answer lets the calls pass, or fail, until done.
func answer(fd int, done <-chan struct{}, failing map[string]syscall.Errno) (calls []string, err error) {
	defer func() { _ = unix.Close(fd) }()
	for {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, 10); err != nil || n == 0 || poll[0].Revents&unix.POLLIN == 0 {
			select {
			case <-done:
				return calls, nil
			default:
				continue
			}
		}
		var asked struct { // struct seccomp_notif
			id         uint64
			pid, flags uint32
			nr         int32
			arch       uint32
			ip         uint64
			args       [6]uint64
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&asked))); errno != 0 {
			return calls, errno
		}
		call := Rename
		if asked.nr == unix.SYS_FSYNC || asked.nr == unix.SYS_FDATASYNC {
			path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", asked.args[0]))
			if err != nil {
				return calls, err
			}
			call = Fsync(path)
		}
		calls = append(calls, call)
		reply := struct { // struct seccomp_notif_resp
			id    uint64
			value int64
			errno int32
			flags uint32
		}{id: asked.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if errno := failing[call]; errno != 0 {
			reply.errno, reply.flags = -int32(errno), 0
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&reply))); errno != 0 {
			return calls, errno
		}
	}
}
