package programs_test

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/programs"
	"github.com/rxcql/rxcql/internal/leak"
)

// The memory of a small process is its own also where the one that started it had much.
func TestTheMemoryOfAProcessIsItsOwn(t *testing.T) {
	own := touched(200 * mb)
	cmd := exec.Command("sleep", "2")
	memory := programs.PeakMemory(cmd, programs.Start(t, cmd))
	require.Positive(t, memory())
	require.Less(t, memory(), int64(50*mb))
	runtime.KeepAlive(own)
}

// What a process had is told also after it gave it back.
func TestTheMemoryOfAProcessIsTheMostThatItHad(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), takes+"=yes")
	memory := programs.PeakMemory(cmd, programs.Start(t, cmd))
	require.Greater(t, memory(), int64(100*mb))
}

// takes makes this program one that has 150 MB for a moment.
const takes = "RXCQL_TEST_TAKES_MEMORY"

func TestMain(m *testing.M) {
	if os.Getenv(takes) != "" {
		touched(150 * mb)
		debug.FreeOSMemory()
		time.Sleep(2 * time.Second) // looked at every 5 ms
		return
	}
	leak.Main(m)
}

func touched(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = 1
	}
	return b
}

const mb = 1 << 20
