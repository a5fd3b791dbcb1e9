package deadletter_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
)

func TestAnOptionThatIsNilIsAnErrorAndNothingIsRead(t *testing.T) {
	letters, errs := readAll[int](filepath.Join(t.TempDir(), "nowhere"), deadletter.AnyType(), nil)
	require.Empty(t, letters)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], rxcql.ErrConfig)
	require.ErrorContains(t, errs[0], "an option is nil")
	_, err := deadletter.Decode[int](deadletter.Record{}, nil)
	require.ErrorIs(t, err, rxcql.ErrConfig)
}
