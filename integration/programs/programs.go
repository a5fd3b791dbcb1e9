// Package programs builds programs of this module and starts them as their users do, for tests.
package programs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Build builds a program of the module, such as "examples/etl", and returns the path of the
// executable. It is built once for all tests of a test program.
func Build(t testing.TB, name string) string {
	t.Helper()
	build, _ := builds.LoadOrStore(name, sync.OnceValues(func() (string, error) { return built(name) }))
	executable, err := build.(func() (string, error))()
	require.NoError(t, err)
	return executable
}

// builds are the functions that build a program, by its name.
var builds sync.Map

// built builds a program where this test program is: go test removes that folder.
func built(name string) (string, error) {
	here, err := os.Executable()
	if err != nil {
		return "", err
	}
	executable := filepath.Join(filepath.Dir(here), "programs", path.Base(name)) // programs go by their own name
	// Without what only a debugger needs: to link that takes as long as all else. And static, as the
	// command is told to be installed.
	build := exec.Command("go", "build", "-ldflags=-w", "-o", executable, "github.com/rxcql/rxcql/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return executable, nil
}

// Output is what a process has said so far. It is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Start starts a process, and returns a channel that is closed when it has ended: then
// cmd.ProcessState says how. The process is killed at the end of the test at the latest.
func Start(t testing.TB, cmd *exec.Cmd) (ended <-chan struct{}) {
	t.Helper()
	require.NoError(t, cmd.Start())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = cmd.Wait() // who waits asks the state of the process
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended, unless the test failed or needs it to its end
		<-over
	})
	return over
}
