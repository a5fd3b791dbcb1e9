package docs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachLimitSaysWhatToDoInstead(t *testing.T) {
	items := 0
	for _, p := range pages(t, "docs/limits.md") {
		for _, section := range strings.Split(strings.Join(p.prose, "\n"), "\n\n") {
			if !strings.HasPrefix(section, "- ") {
				continue
			}
			for _, item := range strings.Split(section, "\n- ") {
				items++
				require.Contains(t, item, "Instead", "what else?")
			}
		}
	}
	require.Greater(t, items, 30)
}
