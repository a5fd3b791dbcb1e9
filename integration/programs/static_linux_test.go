package programs_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/programs"
)

// One static binary: it names no loader and no library that a machine would have to have.
func TestTheCommandIsAStaticBinary(t *testing.T) {
	f, err := elf.Open(programs.Build(t, "cmd/rxcql"))
	require.NoError(t, err)
	defer f.Close()
	for _, p := range f.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type)
	}
	libraries, err := f.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
}
