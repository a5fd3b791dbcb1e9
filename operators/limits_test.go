package operators_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
)

// limit is an item of docs/limits.md, found by some words of it.
func limit(t *testing.T, words string) string {
	t.Helper()
	page, err := os.ReadFile("../docs/limits.md")
	require.NoError(t, err)
	for item := range strings.SplitSeq(strings.ReplaceAll(string(page), "\n  ", " "), "\n- ") {
		if strings.Contains(item, words) {
			return item
		}
	}
	t.Fatalf("docs/limits.md says nothing of %q", words)
	return ""
}

func TestThePageOfLimitsNamesTheOperatorsThatTheyAreOf(t *testing.T) {
	jobs := limit(t, "What cannot be part of a job") + limit(t, "What drops or folds rows by the moment cannot either")
	branches := limit(t, "Some branches of a `sink.Tee` or a `sink.Route` cannot hold rows")
	for _, c := range conformings() {
		s := c.put(rxcqltest.NewScript[numberRow]().Stream())
		for _, info := range s.Stages() {
			if info.Name != c.operator {
				continue
			}
			if info.NotResumable {
				require.Contains(t, jobs, info.Name)
			}
			if info.OutOfStep() && info.Name != "Retry" && oneSource(s) { // with another source, or Retry, it is refused in any branch
				require.Contains(t, branches, info.Name)
			}
		}
	}
}

func oneSource(s rxcql.Stream[numberRow]) bool {
	sources := 0
	for _, info := range s.Stages() {
		if info.Source {
			sources++
		}
	}
	return sources == 1
}
