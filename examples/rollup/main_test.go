package main

import (
	"bytes"
	"flag"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configured is the configuration of some arguments.
func configured(t *testing.T, args ...string) config {
	t.Helper()
	cfg, err := parseFlags(args, nil)
	require.NoError(t, err)
	return cfg
}

func TestTheServiceListensOnTheLoopbackInterfaceUnlessToldOtherwise(t *testing.T) {
	cfg := configured(t)
	require.Equal(t, "127.0.0.1:8321", cfg.listen)
	require.Equal(t, gocql.Quorum, cfg.consistency)
	require.Empty(t, cfg.hosts)
	require.Equal(t, []string{"a:1", "b"}, configured(t, "--hosts", " a:1, b,").hosts)
}

func TestWrongFlagsAreToldAllTogether(t *testing.T) {
	_, err := parseFlags([]string{
		"--keyspace", "A;B", "--consistency", "ANY", "--window", "1500ms", "--lease", "1s", "--max-ahead", "-1s", "x",
	}, nil)
	for _, part := range []string{"--keyspace", "--consistency", "--window", "--lease", "--max-ahead", `"x"`} {
		require.ErrorContains(t, err, part)
	}
	_, err = parseFlags([]string{"--nonsense"}, nil)
	require.ErrorContains(t, err, "--help")
	var help bytes.Buffer
	_, err = parseFlags([]string{"--help"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, help.String(), "-write-deadline")
}

// Else a device that is accepted could close windows before others have sent what is of now.
func TestADeviceThatIsAheadMakesNoReadingOfNowLate(t *testing.T) {
	for _, args := range [][]string{nil, {"--out-of-order", "1m"}, {"--out-of-order", "20ms"}} {
		cfg := configured(t, args...)
		require.Positive(t, cfg.maxAhead)
		require.Less(t, cfg.maxAhead, cfg.outOfOrder)
	}
	require.Equal(t, time.Hour, configured(t, "--max-ahead", "1h").maxAhead)
}

func TestTheTailReadsBackFurtherThanAnAcknowledgedWriteMayTake(t *testing.T) {
	cfg := configured(t, "--write-deadline", "7s")
	require.Greater(t, cfg.overlap(), 7*time.Second)
}
