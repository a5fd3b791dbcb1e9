package command_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/transfer"
)

// counted is what a report says of a count.
func counted(t *testing.T, about tableReport) (r transfer.CountReport) {
	t.Helper()
	require.NoError(t, json.Unmarshal(about.Report, &r))
	return r
}

// files are the names in a folder.
func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
