package cassandra

import (
	"errors"
	"os"
	"os/exec"
)

// Cassandra 5.0 has no Windows port; the chooser refuses the process way there and
// these only let the package compile.

func bindToParent(*exec.Cmd) {}

func watchParent(int) (release func()) { return func() {} }

func pauseProcess(*os.Process) error { return errors.ErrUnsupported }

func resumeProcess(*os.Process) error { return errors.ErrUnsupported }
