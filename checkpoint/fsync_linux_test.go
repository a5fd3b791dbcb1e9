package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A kill leaves what the kernel has; only a power cut shows whether the disk had
// it. So these tests watch the system calls: the kernel asks them about each
// fsync and rename of the thread that saves (seccomp, user notification).
func TestSaveSyncsTheFileThenRenamesThenSyncsTheFolder(t *testing.T) {
	folder := t.TempDir()
	c := lockFile(t, filepath.Join(folder, "job"))
	calls, err := watched(t, func() error { return c.Save(t.Context(), []byte("new")) }, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"fsync " + folder + "/job.tmp", "rename", "fsync " + folder}, calls)
}

func TestASaveThatIsNotDurableIsAnError(t *testing.T) {
	for _, failing := range []string{"fsync %s/job.tmp", "rename", "fsync %s"} {
		folder := t.TempDir()
		path := filepath.Join(folder, "job")
		call := failing
		if failing != "rename" {
			call = fmt.Sprintf(failing, folder)
		}
		c := lockFile(t, path)
		require.NoError(t, c.Save(t.Context(), []byte("old")))
		_, err := watched(t, func() error { return c.Save(t.Context(), []byte("new")) }, map[string]syscall.Errno{call: syscall.EIO})
		require.ErrorIs(t, err, syscall.EIO, failing)
		require.ErrorContains(t, err, path)
		require.NoFileExists(t, path+".tmp")
		if call == "fsync "+folder {
			require.Contains(t, []string{"old", "new"}, string(load(t, c)))
			continue
		}
		require.Equal(t, "old", string(load(t, c)), failing)
	}
}

// watched calls do, returns its fsyncs and renames in order, and lets those in
// failing fail.
func watched(t *testing.T, do func() error, failing map[string]syscall.Errno) (calls []string, err error) {
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
	if fd, ok := <-listener; ok {
		calls = answer(t, fd, done, failing)
	}
	wg.Wait()
	return calls, err
}

// listen has the kernel ask the descriptor that it returns about fsyncs and
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
func answer(t *testing.T, fd int, done <-chan struct{}, failing map[string]syscall.Errno) (calls []string) {
	defer unix.Close(fd)
	for {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, 10); err != nil || n == 0 || poll[0].Revents&unix.POLLIN == 0 {
			select {
			case <-done:
				return calls
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
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&asked)))
		require.Zero(t, errno)
		call := "rename"
		if asked.nr == unix.SYS_FSYNC || asked.nr == unix.SYS_FDATASYNC {
			path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", asked.args[0]))
			require.NoError(t, err)
			call = "fsync " + path
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
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&reply)))
		require.Zero(t, errno)
	}
}
