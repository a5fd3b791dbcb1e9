package leak

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { Main(m) }

func TestAGoroutineThatEndsByItselfIsWaitedFor(t *testing.T) {
	go time.Sleep(1500 * time.Millisecond) // goleak alone gives up after 0.4 s
	require.NoError(t, Find())
}

func TestAGoroutineThatDoesNotEndIsNamed(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	go stays(end)
	var out bytes.Buffer
	require.Equal(t, 1, after(0, &out, time.Millisecond, nil))
	require.Contains(t, out.String(), "goroutines are left after the tests")
	require.Contains(t, out.String(), "leak.stays")
}

func TestAFailedTestIsToldAndNotWhatItLeft(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	go stays(end)
	var out bytes.Buffer
	require.Equal(t, 3, after(3, &out, time.Millisecond, nil))
	require.Empty(t, out.String())
}

func stays(end chan struct{}) { <-end }
