package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWrongFlagsAreToldAllTogetherAndEndWithTwo(t *testing.T) {
	var out, errs bytes.Buffer
	code := run([]string{"--budget", "lots", "--workers", "0", "--keyspace", "A;B", "--consistency", "ANY", "x"}, &out, &errs)
	require.Equal(t, 2, code)
	require.Empty(t, out.String())
	for _, part := range []string{"--budget", "--workers", "--keyspace", "--consistency", `"x"`, "64MiB"} {
		require.Contains(t, errs.String(), part)
	}
}

func TestAFileThatIsNotThereIsToldBeforeAServerIsStarted(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, 1, run([]string{"--flights", t.TempDir() + "/none.csv"}, &out, &errs))
	require.Contains(t, errs.String(), "none.csv")
	require.Empty(t, out.String())
}

func TestInJSONAJobThatNeverBeganHasAReportToo(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, 1, run([]string{"--json", "--flights", t.TempDir() + "/none.csv"}, &out, &errs))
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Len(t, got, 2)
	require.EqualValues(t, 1, got["exit_code"])
	require.Contains(t, got["error"], "none.csv")
}

func TestHelpEndsWellAndShowsEveryFlag(t *testing.T) {
	var out, errs bytes.Buffer
	require.Zero(t, run([]string{"--help"}, &out, &errs))
	for _, name := range []string{"-hosts", "-password-env", "-budget", "-flights", "-json"} {
		require.Contains(t, errs.String(), name)
	}
}
