package scratch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnExampleMayBeBuiltUnderAnyName(t *testing.T) {
	for program, keyspace := range map[string]string{
		"rollup":    "example_rollup_0000002a",
		"my-Rollup": "example_my_rollup_0000002a",
		"日本 1.2":    "example____1_2_0000002a",
		"a_very_long_name_of_a_program_that_somebody_has_built": "example_a_very_long_name_of_a_program_t_0000002a",
	} {
		require.Equal(t, keyspace, keyspaceOf(program, 42))
		require.LessOrEqual(t, len(keyspace), 48)
	}
}
